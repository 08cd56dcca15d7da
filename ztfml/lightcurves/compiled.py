"""Making numba see when compiled code is stale, and people when it compiles."""

import hashlib
import logging
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numba import njit

log = logging.getLogger(__name__)

# Loading compiled code takes less than this; compiling it takes far longer.
_LOADS_WITHIN = 2.0

# For functions that are called for every alert: they may not ask for memory, so that nobody has
# to count who holds it (numba's counting took twice the time of the work), and a division by zero
# gives what it gives in numpy, so that nothing needs to be checked before it. As nobody counts,
# one that returns arrays may only be called by another one, never from Python.
kernel = njit(cache=True, nogil=True, error_model="numpy", forceinline=True, _nrt=False)


@contextmanager
def say_if_compiling(function):
    """Log that a compiled function is being compiled if its first call in the block takes long.

    Parameters
    ----------
    function : numba dispatcher
        Compiled with ``cache=True``, so that this happens once in an installation.

    Examples
    --------
    >>> with say_if_compiling(kernel):   # doctest: +SKIP
    ...     kernel(values)
    """

    def say():
        if not function.signatures:
            log.info("compiling the feature functions, which takes half a minute, once")

    timer = threading.Timer(_LOADS_WITHIN, say)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def stamp_of(*files):
    """An argument for a compiled function whose type changes with the content of some files.

    numba finds cached code by the types of the arguments, and sees it as stale only when the
    file of the function that was called changes. A stamp of the files that hold the functions
    which that one calls makes it see those, too.

    Parameters
    ----------
    *files : str or Path

    Returns
    -------
    ndarray, shape (1,)
        Its dtype is named after the files' content; the value means nothing.

    Examples
    --------
    >>> stamp_of(__file__).dtype == stamp_of(__file__).dtype
    True
    """
    content = b"".join(Path(file).read_bytes() for file in files)
    return np.zeros(1, [(hashlib.sha256(content).hexdigest()[:16], np.int8)])
