"""Write folders of trained trees (see `ztfml.io.verified_folder`), completely or not at all."""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ztfml.errors import ModelError
from ztfml.io.output_paths import check_writable_folder
from ztfml.io.switch import finish_switch, switch_folder, sync
from ztfml.io.temporary import temporary_beside
from ztfml.io.verified_folder import CARD, ESTIMATOR, README, TREES


def write_folder(
    folder: Path,
    files: Mapping[str, bytes],
    read: Callable[[Path], object],
    overwrite: bool = False,
) -> Path:
    """Write a folder as a whole, and only if it can be read back.

    The files are written to a temporary folder beside the target, read back, and then moved
    into place in one step, so that a reader never sees half a folder, also after a kill.

    Parameters
    ----------
    folder : Path
        Created if it does not exist; its parent must exist.
    files : dict of str to bytes
        The content of each file.
    read : callable
        Reads the temporary folder with every check; it raises if a check fails.
    overwrite : bool
        Replace an older model in the folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        If the folder exists and may not be replaced, or cannot be written.

    Examples
    --------
    >>> write_folder(Path("mine"), {"card.json": b"{}"}, read=lambda part: None).name
    'mine'
    """
    check_place(folder, set(files), overwrite)
    target = Path(os.path.realpath(folder))
    try:
        finish_switch(target)
        with temporary_beside(target, is_folder=True) as part:
            for name, content in files.items():
                (part / name).write_bytes(content)
                sync(part / name)
            read(part)
            switch_folder(part, target)
            sync(target.parent)
    except OSError as error:
        raise ModelError(
            f"{folder}: cannot be written ({error.strerror}); name a place in a folder that "
            "exists and that you may write to"
        ) from error
    return folder


def check_place(
    folder: Path, files: Iterable[str] = (TREES, CARD, README), overwrite: bool = False
) -> None:
    """Check that a folder may be written, before the work of training.

    Parameters
    ----------
    folder : str or Path
    files : iterable of str
        The files that will be written.
    overwrite : bool
        Accept a folder with an older model.

    Raises
    ------
    ModelError
        If the place holds something that is not such a folder, other files, or an older model
        that may not be replaced.
    DataError
        If there is no permission to write there.

    Examples
    --------
    >>> check_place("mine")
    """
    folder = Path(folder)
    if not Path(os.path.realpath(folder)).parent.is_dir():
        raise ModelError(f"{folder}: its folder does not exist; make it or name another place")
    check_writable_folder(Path(os.path.realpath(folder)).parent)
    if not folder.exists() and not folder.is_symlink():
        return
    inside = {entry.name for entry in folder.iterdir()} if folder.is_dir() else {folder.name}
    is_model = CARD in inside and not inside.isdisjoint({TREES, ESTIMATOR})
    if not folder.is_dir() or folder.is_symlink() or (inside and not is_model):
        raise ModelError(f"{folder}: exists and is not a model; name another folder")
    others = sorted(inside - {TREES, ESTIMATOR, *files})
    if others:
        raise ModelError(
            f"{folder}: holds {others[0]}, which is not part of a model and would be lost; "
            "move it away or name another folder"
        )
    if inside and not overwrite:
        raise ModelError(
            f"{folder}: contains a model; name another folder, or replace it with --force "
            "(overwrite=True in Python)"
        )


def size_and_hash(content: bytes) -> dict[str, Any]:
    """Size and sha256 of the classifier, as the card records them.

    Parameters
    ----------
    content : bytes
        The content of ``model.txt`` or ``classifier.skops``.

    Returns
    -------
    dict
        ``bytes`` and ``sha256``.

    Examples
    --------
    >>> size_and_hash(b"tree")["bytes"]
    4
    """
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def library_versions(other: str | None = None) -> dict[str, str]:
    """Versions of Python and of the libraries that influence a model.

    Parameters
    ----------
    other : str, optional
        One more library.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> sorted(library_versions())
    ['lightgbm', 'numpy', 'pandas', 'python', 'scikit-learn', 'ztfml']
    """
    names = ["ztfml", "lightgbm", "scikit-learn", "numpy", "pandas", *([other] if other else [])]
    return {"python": sys.version.split()[0], **{name: version(name) for name in names}}


def probe_rows(values: np.ndarray) -> list[list[float | None]]:
    """Probe rows as JSON stores them, with None for NaN.

    Parameters
    ----------
    values : ndarray, shape (n, n_features)

    Returns
    -------
    list of list

    Examples
    --------
    >>> probe_rows(np.array([[1.0, np.nan]]))
    [[1.0, None]]
    """
    return [[None if np.isnan(value) else value for value in row] for row in values.tolist()]


def card_bytes(card: Mapping[str, Any]) -> bytes:
    """Format a card as JSON with one line for each probe row and each distribution.

    So differences between two cards stay small.

    Parameters
    ----------
    card : dict

    Returns
    -------
    bytes

    Examples
    --------
    >>> b'[1.0, null]' in card_bytes({"probes": {"values": [[1.0, None]]}})
    True
    """
    rows = "[\n   " + ",\n   ".join(json.dumps(row) for row in card["probes"]["values"]) + "\n  ]"
    long = {"@rows": rows}
    short = {**card, "probes": {**card["probes"], "values": "@rows"}}
    if card.get("distributions"):
        lines = (
            f"{json.dumps(name)}: {json.dumps(one)}" for name, one in card["distributions"].items()
        )
        long["@distributions"] = "{\n  " + ",\n  ".join(lines) + "\n }"
        short["distributions"] = "@distributions"
    body = json.dumps(short, indent=1, allow_nan=False, ensure_ascii=False)
    for mark, text in long.items():
        body = body.replace(f'"{mark}"', text)
    return (body + "\n").encode()
