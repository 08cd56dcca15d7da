"""What ztfml needs to know about a file format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ztfml.night import Night
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.night_tables import NightTables


@dataclass(frozen=True)
class Format:
    """A file format in which a night can be stored.

    Parameters
    ----------
    name : str
        Short name, e.g. ``"avro"``.
    description : str
        One phrase for help texts and error messages.
    example : str
        Name of a file or folder in this format, for the documentation.
    recognises : callable
        Takes the content of a file or folder, and returns True if it is in this format.
    read_tables : callable
        Takes the content and returns tables of the alerts and their history, before cleaning.
    read : callable, optional
        Takes the path and returns the night with its history, for formats in which that is
        faster than `read_tables`.
    read_alerts : callable, optional
        Takes the path and returns the night without history, for formats in which that is faster.
    read_with_history : callable, optional
        Takes the path of the alerts and that of a history in parquet, and returns the night.
    contains_history : bool
        Whether a separate history is refused, because the format always has its own.

    Examples
    --------
    >>> from ztfml.sources.formats import FORMATS
    >>> FORMATS["parquet"].read(Path("night.parquet")).name
    'night.parquet'
    """

    name: str
    description: str
    example: str
    recognises: Callable[[Content], bool]
    read_tables: Callable[[Content], NightTables]
    read: Callable[[Path], Night] | None = None
    read_alerts: Callable[[Path], Night] | None = None
    read_with_history: Callable[[Path, Path], Night] | None = None
    contains_history: bool = False
