"""Sorted copies of catalogues in the user's cache folder.

A copy is an uncompressed Arrow file that is mapped into memory, so opening it takes milliseconds
and reads only the parts of the sky that are needed. It belongs to ztfml and is replaced, never
changed, so it cannot shrink while it is mapped.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside

log = logging.getLogger(__name__)

FORMAT = 3
"""Increase it when the content of the copies changes."""

# Copies that were used longest ago are deleted.
_COPIES = 6
_SAMPLES, _SAMPLE_BYTES = 64, 16_384


def cached_table(path: str | Path, make: Callable[[], pa.Table]) -> pa.Table:
    """Open the copy of a catalogue, or make and store it.

    Parameters
    ----------
    path : str or Path
        The catalogue.
    make : callable
        Returns the table.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    DataError
        If the catalogue does not exist, or `make` raises it.

    Examples
    --------
    >>> _ = Path("stars.csv").write_text("ra,dec")
    >>> cached_table("stars.csv", lambda: pa.table({"ra": [1.0]})).num_rows
    1
    """
    path = Path(path)
    copy = cache_folder() / f"{path.name[:80]}-{fingerprint(path)}.arrow"
    table = _open(copy)
    if table is None:
        table = make()
        try:
            _store(table, copy)
        except (OSError, DataError) as error:
            log.warning(
                "%s: the sorted copy cannot be stored (%s); every use reads the whole file",
                path, error,
            )  # fmt: skip
    return table


def cache_folder() -> Path:
    """Return the folder with the copies; it may not exist yet.

    >>> cache_folder().name
    'galaxies'
    """
    from platformdirs import user_cache_path

    return user_cache_path("ztfml") / "galaxies"


def fingerprint(path: Path) -> str:
    """Return a hash of the content of a file: of small files all bytes, of large ones samples.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str

    Raises
    ------
    DataError
        If there is no such file.

    Examples
    --------
    >>> _ = Path("stars.csv").write_text("ra,dec")
    >>> len(fingerprint(Path("stars.csv")))
    20
    """
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; use the path of a catalogue")
    status = path.stat()
    digest = hashlib.sha256(f"{FORMAT} {status.st_size}".encode())
    with open(path, "rb") as file:
        if status.st_size <= _SAMPLES * _SAMPLE_BYTES:
            digest.update(file.read())
        else:
            # The time of change tells of edits between the samples.
            digest.update(str(status.st_mtime_ns).encode())
            for k in range(_SAMPLES):
                file.seek(k * (status.st_size - _SAMPLE_BYTES) // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:20]


def _open(copy):
    """Map a copy into memory; None if there is none or it is damaged."""
    try:
        table = pa.ipc.open_file(pa.memory_map(str(copy))).read_all()
        os.utime(copy)
    except (OSError, pa.ArrowInvalid):
        return None
    return table


def _store(table, copy):
    copy.parent.mkdir(parents=True, exist_ok=True)
    with (
        write_beside(copy) as part,
        pa.OSFile(str(part), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as writer,
    ):
        # One chunk, so that its columns can be used without a copy.
        writer.write_table(table.combine_chunks(), max_chunksize=max(len(table), 1))
    others = sorted(copy.parent.glob("*.arrow"), key=lambda file: file.stat().st_mtime)
    for old in others[:-_COPIES]:
        old.unlink(missing_ok=True)
