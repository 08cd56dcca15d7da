"""Change or leave out messages of ztfml for a while."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def filtered_log(accept: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    """Pass the messages of all modules through a function during a block.

    Parameters
    ----------
    accept : callable
        Function of a record, which it may change. A message is left out if it returns False.

    Examples
    --------
    >>> with filtered_log(lambda record: False):
    ...     logging.getLogger("ztfml.io").error("left out")
    """
    # A filter of a logger does not see the messages of the loggers below it.
    handlers = list(logging.getLogger("ztfml").handlers)
    for handler in handlers:
        handler.addFilter(accept)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(accept)
