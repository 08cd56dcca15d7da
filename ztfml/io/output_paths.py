"""Refuse outputs that would overwrite an input, and places that cannot be written to."""

import os
from collections.abc import Iterable
from pathlib import Path

from ztfml.errors import DataError


def refuse_inputs(outputs: Iterable[str | Path], inputs: Iterable[str | Path]) -> None:
    """Refuse an output that is also an input, under any name or link.

    Parameters
    ----------
    outputs : iterable of str or Path
        Files or folders that will be written.
    inputs : iterable of str or Path
        Files and folders that will be read. Everything in such a folder is an input.

    Raises
    ------
    DataError
        If an output is an input, or is in an input folder.

    Examples
    --------
    >>> refuse_inputs(["predictions.parquet"], ["night.parquet"])
    >>> refuse_inputs(["./night.parquet"], ["night.parquet"])
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: night.parquet: this output is also an input and would ...
    """
    sources = [Path(path) for path in inputs]
    for output in map(Path, outputs):
        for path in sources:
            if path.is_dir() and _real(path) in _real(output).parents:
                raise DataError(
                    f"{output}: this output is in the input folder {path}, and would be read as a "
                    "part of the night; choose another folder"
                )
            if _is_same(output, path):
                source = "" if output == path else f" ({path})"
                raise DataError(
                    f"{output}: this output is also an input{source} and would be overwritten; "
                    "choose another name"
                )


def refuse_source(output: str | Path, source: str) -> None:
    """Refuse to replace the file from which a night was read.

    Parameters
    ----------
    output : str or Path
    source : str
        The name of the night, which is its file if it was read from one.

    Raises
    ------
    DataError
        If both are one file.

    Examples
    --------
    >>> refuse_source("other.parquet", "night.parquet")
    """
    if source and Path(source).exists() and _is_same(Path(output), Path(source)):
        raise DataError(
            f"{output}: is the file from which this night was read, and other columns in it would "
            "be lost; choose another name"
        )


def check_writable(path: str | Path) -> None:
    """Check that an output can be written, before the work.

    Parameters
    ----------
    path : str or Path
        A file.

    Raises
    ------
    DataError
        If its folder does not exist or is not writable, or if it is a folder.

    Examples
    --------
    >>> check_writable("predictions.parquet")
    """
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise DataError(f"{path}: cannot be written (it is a folder); name a file")
    if not folder.is_dir():
        raise DataError(
            f"{path}: cannot be written (its folder does not exist); use an existing, writable "
            "folder"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataError(
            f"{path}: cannot be written (no permission in {folder}); use an existing, writable "
            "folder"
        )


def check_writable_folder(folder: str | Path) -> None:
    """Check that files can be written to a folder, or that the folder can be created.

    Parameters
    ----------
    folder : str or Path

    Raises
    ------
    DataError
        If there is no permission, or if it is a file.

    Examples
    --------
    >>> check_writable_folder("nights/2024")
    """
    existing = Path(folder).absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise DataError(f"{folder}: {existing} is not a folder; use another name")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise DataError(
            f"{folder}: cannot be written (no permission in {existing}); use a writable folder"
        )


def _is_same(one, other):
    if _real(one) == _real(other):
        return True
    try:
        # Also hard links, and names that differ in case on a file system that ignores case.
        return os.path.samefile(one, other)
    except OSError:
        return False


def _real(path):
    return Path(os.path.realpath(path))
