"""Reading and writing files so that nothing is lost or half-written."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from ztfml.errors import DataError


@contextmanager
def write_beside(path):
    """Give a temporary path in the same folder, renamed to `path` once the block succeeds.

    Parameters
    ----------
    path : str or Path
        The file to be written; what stands there stays until the new one is whole.

    Yields
    ------
    Path
        Where to write. After an exception it is removed and `path` is as it was.

    Raises
    ------
    DataError
        If the folder does not exist or cannot be written to.

    Examples
    --------
    >>> with write_beside("ranked.csv") as part:   # doctest: +SKIP
    ...     table.to_csv(part)
    """
    path = Path(path)
    try:
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); name a folder that exists "
            "and that you may write to"
        ) from error
    os.close(handle)
    os.chmod(part, 0o666 & ~_umask())
    try:
        yield Path(part)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
