"""What can go wrong, said so that a person can mend it.

Every message is one sentence: what is wrong, where, and what to do.
"""


class ZtfmlError(Exception):
    """Anything the user can mend; the command line prints it and exits with 1."""


class DataError(ZtfmlError):
    """A night, history, packet or catalogue that cannot be used as it is."""


class LabelError(ZtfmlError):
    """A label file that cannot be used as it is."""


class ModelError(ZtfmlError):
    """A model folder that is damaged, or that does not fit the table it is given."""


class BrokerError(DataError):
    """A broker or a catalogue's service that did not give what it was asked for."""
