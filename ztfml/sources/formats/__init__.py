"""The file formats that ztfml reads, and `open_night`, which reads any of them.

To add a format, write one module here that defines a `Format` called ``FORMAT``, and add the
module to the list below.
"""

from __future__ import annotations

from pathlib import Path

from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.sources.archives import gunzip_head
from ztfml.sources.formats import packets, parquet_pair
from ztfml.sources.formats.record import Format

_HEAD_BYTES = 65536

FORMATS = {module.FORMAT.name: module.FORMAT for module in (parquet_pair, packets)}
"""All formats by name. The first one that recognises a file reads it."""


def open_night(path: str | Path, history: str | Path | None = None) -> Night:
    """Read a night in any of the formats in `FORMATS`.

    Parameters
    ----------
    path : str or Path
        The file or folder of the night.
    history : str or Path, optional
        A separate file of previous candidates, for formats that store the history in a file of
        its own; by default the file that belongs to `path`.

    Returns
    -------
    Night

    Raises
    ------
    DataError
        If there is no such file, its format is not known, it cannot be read, or the format does
        not have a separate history file.

    Examples
    --------
    >>> len(open_night("night.parquet"))
    300
    """
    path = Path(path)
    file_format = format_of(path)
    if history is None:
        return file_format.read(path)
    if file_format.read_with_history is None:
        raise DataError(
            f"{path}: this format ({file_format.name}) already contains the history; omit "
            f"{history}, or convert the alerts with ztfml ingest first"
        )
    return file_format.read_with_history(path, Path(history))


def open_alerts(path: str | Path) -> Night:
    """Read the alerts of a night without their history.

    Parameters
    ----------
    path : str or Path
        The file or folder of the night, in any of the formats in `FORMATS`.

    Returns
    -------
    Night
        Without history if the format allows to skip it.

    Raises
    ------
    DataError
        If there is no such file, its format is not known, or it cannot be read.

    Examples
    --------
    >>> len(open_alerts("night.parquet").history.jd)
    0
    """
    path = Path(path)
    file_format = format_of(path)
    return (file_format.read_alerts or file_format.read)(path)


def format_of(path: str | Path) -> Format:
    """Find the format of a file or folder by its content.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Format

    Raises
    ------
    DataError
        If there is no such file, it cannot be read, or its format is not known.

    Examples
    --------
    >>> format_of("night.parquet").name
    'parquet'
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: there is no such file; give a night as {_describe()}")
    head = _head_of(path)
    for file_format in FORMATS.values():
        if file_format.recognises(path, head):
            return file_format
    raise DataError(f"{path}: unknown file format; give a night as {_describe()}")


def _describe() -> str:
    return "; or ".join(file_format.description for file_format in FORMATS.values())


def _head_of(path: Path) -> bytes:
    """Return the first bytes of a file, decompressed if it is gzipped; none for a folder."""
    if path.is_dir():
        return b""
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    return gunzip_head(head, _HEAD_BYTES)
