"""Digests of what an output was made from: the files of a night, the options, the version."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from ztfml.io.companions import companion, forced_beside, history_beside
from ztfml.io.remote import list_files
from ztfml.nights.staged import Location, pure_path

if TYPE_CHECKING:
    from ztfml.nights.steps import Step

# Larger files (catalogues) are compared by size and time.
_READ_BELOW = 1 << 24
_SHIPPED = {"model": "default", "ranking": "ranking"}


# The files of folders in object stores (see ztfml.io.remote.list_files), by address.
Listings = dict[str, dict[str, tuple[int, int]]]


def input_digest(
    night: Location, history: Path | None, step: "Step", listings: Listings | None = None
) -> str:
    """Compute a digest of the sizes and times of the files of a night.

    Parameters
    ----------
    night : Path or str
        File or folder.
    history : Path, optional
        A separate file of previous candidates.
    step : Step
    listings : dict, optional
        Folders in object stores that were listed before; new ones are added. A store answers
        slowly, so each folder is listed once for all its nights.

    Returns
    -------
    str
        It changes when one of the files changes, appears or disappears.

    Examples
    --------
    >>> from ztfml.nights.steps import Predict
    >>> before = input_digest(Path("night.parquet"), None, Predict())
    >>> before == input_digest(Path("night.parquet"), None, Predict())
    True
    """
    path = night if isinstance(night, Path) else Path(pure_path(night))
    paths = [path, history or history_beside(path), forced_beside(path)]
    if step.name == "report":
        paths += [companion(path, "_fetched"), companion(path, "_marks.csv")]
    if isinstance(night, Path):
        return files_digest(paths)
    listings = {} if listings is None else listings
    lines = [
        line for one in paths if one != history for line in _remote_lines(night, one.name, listings)
    ]
    return _digest("\n".join([*lines, files_digest([history] if history else [])]).encode())


def _remote_lines(night, name, listings):
    """Describe a file or folder beside a night in an object store."""
    address, _, options = night.partition("?")
    folder = f"{address.rpartition('/')[0]}?{options}".rstrip("?")
    if folder not in listings:
        listings[folder] = list_files(folder)
    if name in listings[folder]:
        files = {name: listings[folder][name]}
    elif Path(name).suffix:
        return []
    else:
        inside = list_files(f"{address.rpartition('/')[0]}/{name}?{options}".rstrip("?"), True)
        files = {f"{name}/{file}": inside[file] for file in sorted(inside)}
    return [f"{file} {size} {time}" for file, (size, time) in files.items()]


def files_digest(paths: Iterable[Path]) -> str:
    """Compute a digest of the names, sizes and times of files.

    Parameters
    ----------
    paths : iterable of Path
        Files, and folders with all files in them. Absent ones are ignored.

    Returns
    -------
    str

    Examples
    --------
    >>> files_digest([Path("night.parquet")]) == files_digest([Path("night.parquet"), Path("no")])
    True
    """
    lines = []
    for path in paths:
        for file in _files(path):
            status = file.stat()
            name = file.relative_to(path.parent)
            lines.append(f"{name} {status.st_size} {status.st_mtime_ns}")
    return _digest("\n".join(lines).encode())


def settings_digest(step: "Step") -> str:
    """Compute a digest of all that the outputs of a step depend on, except for the night.

    Parameters
    ----------
    step : Step

    Returns
    -------
    str
        It changes with the options, with the content of the model, ranking, catalogue and code
        that they name, with the version of ztfml and with the definitions of its features.

    Examples
    --------
    >>> from ztfml.nights.steps import Rank
    >>> settings_digest(Rank()) == settings_digest(Rank(top=5))
    False
    """
    lines = [step.name, version("ztfml")]
    if step.name != "ingest":
        from ztfml.features import FEATURES

        lines += [f"{feature.name} {feature.version}" for feature in FEATURES]
    for field in fields(step):
        value = getattr(step, field.name)
        if value is None and field.name in _SHIPPED:
            from ztfml.io.verified_folder import shipped_folder

            value = shipped_folder(_SHIPPED[field.name])
        if field.name == "trust":
            value = tuple(_content(Path(code)) or code for code in value)
        lines.append(f"{field.name} {_content(value) if isinstance(value, Path) else value!r}")
    return _digest("\n".join(lines).encode())


def _content(path):
    """Return a digest of the content of a file or folder, or None if there is none."""
    if not path.exists():
        return None
    lines = []
    for file in _files(path):
        status = file.stat()
        if status.st_size < _READ_BELOW:
            content = _digest(file.read_bytes())
        else:
            content = f"{status.st_size} {status.st_mtime_ns}"
        lines.append(f"{file.relative_to(path)} {content}")
    return _digest("\n".join(lines).encode())


def _files(path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())


def _digest(content):
    return hashlib.sha256(content).hexdigest()[:32]
