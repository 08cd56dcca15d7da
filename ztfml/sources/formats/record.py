"""What ztfml needs to know about a file format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ztfml.night import Night


@dataclass(frozen=True)
class Format:
    """A file format in which a night can be stored.

    Parameters
    ----------
    name : str
        Short name, e.g. ``"avro"``.
    description : str
        One phrase for help texts and error messages.
    recognises : callable
        Takes the path and the first bytes of the file, and returns True if the file is in this
        format. The bytes are already decompressed if the file is gzipped, and empty for a folder.
    read : callable
        Takes the path and returns the night with its history.
    read_alerts : callable, optional
        Takes the path and returns the night without history, for formats in which that is faster.
    read_with_history : callable, optional
        Takes the path of the alerts and that of a separate history file, and returns the night.

    Examples
    --------
    >>> from ztfml.sources.formats import FORMATS
    >>> FORMATS["parquet"].read(Path("night.parquet")).name
    'night.parquet'
    """

    name: str
    description: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path], Night]
    read_alerts: Callable[[Path], Night] | None = None
    read_with_history: Callable[[Path, Path], Night] | None = None
