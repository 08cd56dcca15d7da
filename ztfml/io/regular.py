"""Refuse inputs that are not files or folders, because their reading may never end."""

import os
import stat
from pathlib import Path

from ztfml.errors import DataError, ZtfmlError


def refuse_pipe(path: str | Path, error: type[ZtfmlError] = DataError) -> None:
    """Refuse a named pipe, a socket or a device.

    Parameters
    ----------
    path : str or Path
        If it does not exist, the reader reports this.
    error : type
        The class of the error.

    Raises
    ------
    ZtfmlError

    Examples
    --------
    >>> refuse_pipe("night.parquet")
    >>> refuse_pipe("/dev/zero")
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: /dev/zero: is a pipe or a device; copy its content to a file
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise error(f"{path}: is a pipe or a device; copy its content to a file")
