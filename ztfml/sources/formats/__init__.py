"""The file formats that ztfml reads, and `open_night`, which reads any of them.

To add a format, write one module here that defines a `Format` called ``FORMAT``, and add the
module to the list below.
"""

from __future__ import annotations

from pathlib import Path

from ztfml.errors import DataError
from ztfml.io.switch import finish_switch
from ztfml.night import Night
from ztfml.schema import ALERT_COLUMNS
from ztfml.sources.formats import (
    alerce,
    antares,
    fink_table,
    flat_table,
    folder,
    kowalski_json,
    lasair,
    nested_table,
    object_table,
    packets,
    parquet_pair,
)
from ztfml.sources.formats.record import Format
from ztfml.sources.formats.refuse import describe, refuse_others
from ztfml.sources.tables.companions import read_history
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.night_tables import NightTables, combine

_MODULES = (
    parquet_pair,
    packets,
    nested_table,
    object_table,
    kowalski_json,
    fink_table,
    alerce,
    antares,
    lasair,
    flat_table,
    folder,
)
FORMATS = {module.FORMAT.name: module.FORMAT for module in _MODULES}
"""All formats by name. The first one that recognises a file reads it."""


def open_night(path: str | Path, history: str | Path | None = None) -> Night:
    """Read a night in any of the formats in `FORMATS`.

    Parameters
    ----------
    path : str or Path
        The file or folder of the night.
    history : str or Path, optional
        A separate file of previous candidates, in parquet, CSV or JSON; by default the file that
        belongs to `path`, if there is one.

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
    content = _content_of(path)
    file_format = recognise(content)
    if history is None:
        if file_format.read is not None:
            return file_format.read(content.path)
        return file_format.read_tables(content).to_night()
    if file_format.contains_history:
        raise DataError(
            f"{path}: this format ({file_format.name}) already contains the history; omit "
            f"{history}, or convert the alerts with ztfml ingest first"
        )
    is_parquet = Path(history).suffix == ".parquet" and not Path(history).is_dir()
    if file_format.read_with_history is not None and is_parquet:
        return file_format.read_with_history(content.path, Path(history))
    # In a folder, the history beside a file is not read.
    alone = Content(content.path, in_folder=True)
    given = NightTables("", history=read_history(history))
    return combine([file_format.read_tables(alone), given], str(path)).to_night()


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
    content = _content_of(path)
    file_format = recognise(content)
    if file_format.read_alerts is not None:
        return file_format.read_alerts(content.path)
    return file_format.read_tables(content).to_night()


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
    return recognise(_content_of(path))


def recognise(content: Content) -> Format:
    """Find the format of a file or folder by its content.

    Parameters
    ----------
    content : Content

    Returns
    -------
    Format

    Raises
    ------
    DataError
        If its format is not known; the message says what was found.

    Examples
    --------
    >>> recognise(Content("night.parquet")).name
    'parquet'
    """
    refuse_others(content)
    for file_format in FORMATS.values():
        if file_format.recognises(content):
            return file_format
    needed = ", ".join(column.name for column in ALERT_COLUMNS if column.required)
    raise DataError(
        f"{content.path}: unknown file format ({describe(content)}); a table needs the columns "
        f"{needed}, and other formats are {', '.join(FORMATS)}"
    )


def _content_of(path):
    finish_switch(path)
    content = Content(path)
    if not content.path.exists():
        raise DataError(f"{path}: there is no such file or folder; check the name")
    return content
