"""Streams without a broker, and the parts of a watch that tests share."""

from ztfml.stream.messages import Message

SCORE = 0.0


class ListStream:
    """Delivers messages from a list; what is not committed is delivered again."""

    def __init__(self, messages):
        self.messages = list(messages)
        self.position = 0
        self.committed = 0

    def poll(self, n_max, seconds):
        found = self.messages[self.position : self.position + n_max]
        self.position += len(found)
        return found

    def commit(self):
        self.committed = self.position

    def lag(self):
        return {"ztf/0": len(self.messages) - self.position}

    def restart(self):
        self.position = self.committed


def broken(offset, value=b"not avro"):
    return Message("ztf", 0, offset, None, value)
