"""Nights and outputs in object stores: each task copies one night in, and its output back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from ztfml.errors import DataError, ZtfmlError
from ztfml.io.log_filter import filtered_log
from ztfml.io.remote import is_remote, list_files
from ztfml.io.staging import Staging, folder_for_copies

Location = Path | str
"""A path on this computer, or the address of an object store as text."""


def located(path: str | Path) -> Location:
    """Return an absolute path, or an address as it is.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Path or str

    Examples
    --------
    >>> located("s3://bucket/night.parquet")
    's3://bucket/night.parquet'
    >>> located("night.parquet").is_absolute()
    True
    """
    return path if isinstance(path, str) and is_remote(path) else Path(path).resolve()


def label_of(location: Location) -> str:
    """Return a location for messages and records: an address without its options.

    Parameters
    ----------
    location : Path or str

    Returns
    -------
    str

    Examples
    --------
    >>> label_of("s3://bucket/night.parquet?secret_key=abc")
    's3://bucket/night.parquet'
    """
    return location.partition("?")[0] if isinstance(location, str) else str(location)


def pure_path(location: Location) -> PurePosixPath:
    """Return the path of a location; that of an address starts with the bucket.

    Parameters
    ----------
    location : Path or str

    Returns
    -------
    pathlib.PurePosixPath

    Examples
    --------
    >>> pure_path("s3://bucket/a/night.parquet?region=x").parts
    ('bucket', 'a', 'night.parquet')
    """
    if isinstance(location, str):
        return PurePosixPath(label_of(location).partition("://")[2])
    return PurePosixPath(location)


def expand(location: Location) -> list[Location]:
    """Find the files that an address with ``*`` in its last part matches.

    A shell does this for paths, but not for addresses.

    Parameters
    ----------
    location : Path or str

    Returns
    -------
    list of Path or str
        Sorted; the location itself if it is a path or has no ``*``.

    Raises
    ------
    DataError
        If nothing matches, or the store cannot be used.

    Examples
    --------
    >>> expand("s3://bucket/night.parquet")
    ['s3://bucket/night.parquet']
    """
    if isinstance(location, Path) or "*" not in label_of(location):
        return [location]
    address, _, options = location.partition("?")
    folder, _, pattern = address.rpartition("/")
    end = f"?{options}" if options else ""
    names = sorted(name for name in list_files(folder + end) if fnmatchcase(name, pattern))
    if not names:
        raise DataError(f"{address}: no file matches; check the address")
    return [f"{folder}/{name}{end}" for name in names]


@contextmanager
def staged(*locations: Location) -> Iterator[tuple[Path, ...]]:
    """Copy remote files and folders to this computer, and what has changed back at the end.

    Nothing is copied back after an error.

    Parameters
    ----------
    *locations : Path or str
        Paths are passed on as they are; there may be nothing at an address.

    Yields
    ------
    tuple of Path

    Raises
    ------
    DataError
        If the store cannot be used. Errors of the block name addresses, not the copies.

    Examples
    --------
    >>> with staged(Path("night.parquet"), "memory://results/a.txt") as (_, output):
    ...     _ = output.write_text("new")
    >>> from ztfml.io.places import place_of
    >>> place_of("memory://results").files("")
    ['a.txt']
    """
    if all(isinstance(one, Path) for one in locations):
        yield tuple(Path(one) for one in locations)
        return
    with folder_for_copies() as folder:
        staging = Staging(folder)
        paths = tuple(one if isinstance(one, Path) else staging.copy(one) for one in locations)
        try:
            with _translated_log(staging):
                yield paths
        except ZtfmlError as error:
            raise type(error)(staging.translate(str(error))) from error.__cause__
        staging.upload()


def _translated_log(staging):
    """Replace the names of copies by addresses in messages."""

    def translate(record):
        record.msg, record.args = staging.translate(record.getMessage()), ()
        return True

    return filtered_log(translate)
