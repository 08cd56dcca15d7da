"""Atomic writes: an output file is complete or absent."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ztfml.errors import DataError


@contextmanager
def write_beside(path: str | Path) -> Iterator[Path]:
    """Write to a temporary file beside `path`, and rename it to `path` at the end.

    Parameters
    ----------
    path : str or Path
        The output file. An existing file is replaced only when the block ends without error.

    Yields
    ------
    Path
        The temporary file. After an error it is removed, and `path` is unchanged.

    Raises
    ------
    DataError
        If the folder does not exist or is not writable.

    Examples
    --------
    >>> with write_beside("ranked.csv") as part:
    ...     ranked.to_csv(part, index=False)
    >>> len(pd.read_csv("ranked.csv")) == len(ranked)
    True
    """
    path = Path(path)
    try:
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be written ({error.strerror}); use an existing, writable folder"
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
