"""The errors that a user can fix.

Each message is one sentence that says what is wrong, where, and how to fix it.
"""


class ZtfmlError(Exception):
    """Base class of all errors that a user can fix.

    The command line prints the message and exits with 1.
    """

    def __str__(self) -> str:
        # A name from a file can contain line ends.
        return " ".join(super().__str__().split())


class DataError(ZtfmlError):
    """A night, history, packet or catalogue is unusable."""


class LabelError(ZtfmlError):
    """A label file is unusable."""


class ModelError(ZtfmlError):
    """A model folder is damaged, or does not fit the data."""


class BrokerError(DataError):
    """A broker or catalogue service did not answer, or its answer is unusable."""
