"""Folders of trained trees that are checked before they are used.

A folder contains ``model.txt`` (the trees as LightGBM writes them), ``card.json`` (everything else,
with the size and sha256 of the trees, and probe rows with the expected result) and a generated
``README.md``. Nothing in it is executed: there is no pickle. The classifier and the ranking both
use such a folder. This module reads and checks it; `ztfml.io.folder_writing` writes it.
"""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ztfml.errors import ModelError, ZtfmlError
from ztfml.io.card_schema import fault
from ztfml.io.lightgbm_text import parse_trees
from ztfml.io.limits import MAX_CARD_BYTES, MAX_TREES_BYTES
from ztfml.io.regular import refuse_pipe
from ztfml.io.switch import finish_switch

FORMAT = 1
TREES, CARD, README = "model.txt", "card.json", "README.md"
ESTIMATOR = "classifier.skops"
N_PROBES = 16

# exp and sums differ between processors in the last digits only.
_PROBE_TOLERANCE = 1e-9


class Check(NamedTuple):
    """One line of a verification: what was checked, the outcome, and whether it passed."""

    check: str
    outcome: str
    passed: bool


def shipped_folder(name: str) -> Path:
    """Find a folder that ships with ztfml.

    Parameters
    ----------
    name : str
        ``"default"`` for the classifier, ``"ranking"`` for the ranking.

    Returns
    -------
    Path

    Raises
    ------
    ModelError
        If this copy of ztfml has no such folder.

    Examples
    --------
    >>> shipped_folder("default").name
    'default'
    """
    package = Path(__file__).parents[1]
    # Inside the package when installed, beside it in the source tree.
    places = [home / "models" / name for home in (package, package.parent)]
    for folder in places:
        if (folder / CARD).is_file():
            return folder
    raise ModelError(f"{places[0]}: this copy of ztfml has no such folder; install ztfml again")


def run_checks(steps: Generator[str, None, Any]) -> Any:
    """Run all checks of a generator and return its result.

    Parameters
    ----------
    steps : generator
        Yields the outcome of each check as text, and returns the result.

    Returns
    -------
    object
        The return value of the generator.

    Examples
    --------
    >>> def steps():
    ...     yield "16 rows"
    ...     return 5
    >>> run_checks(steps())
    5
    """
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def list_checks(steps: Generator[str, None, Any], names: Sequence[str]) -> list[Check]:
    """Run the checks of a generator one by one and list them, up to the first that fails.

    Parameters
    ----------
    steps : generator
        As for `run_checks`.
    names : sequence of str
        The name of each check.

    Returns
    -------
    list of Check

    Examples
    --------
    >>> list_checks(iter(["16 rows"]), ["probe rows"])[0].passed
    True
    """
    checks: list[Check] = []
    try:
        for outcome in steps:
            checks.append(Check(names[len(checks)], outcome, True))
    except ZtfmlError as error:
        checks.append(Check(names[len(checks)], str(error), False))
    return checks


def read_bytes(path: Path, remedy: str, max_bytes: int = MAX_CARD_BYTES) -> bytes:
    """Read a file of a folder.

    Parameters
    ----------
    path : Path
    remedy : str
        The end of the error message.
    max_bytes : int
        Largest size of the file.

    Returns
    -------
    bytes

    Raises
    ------
    ModelError
        If it cannot be read or is too large.

    Examples
    --------
    >>> len(read_bytes(Path("night.parquet"), "name another folder")) > 0
    True
    """
    refuse_pipe(path, ModelError)
    try:
        with open(path, "rb") as file:
            content = file.read(max_bytes + 1)  # A link to a device has no end.
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {remedy}") from error
    if len(content) > max_bytes:
        raise ModelError(f"{path}: has more than {max_bytes:,} bytes; {remedy}")
    return content


def read_card(
    folder: Path,
    schema: dict,
    rules: Iterable[tuple[str, Callable[[dict], bool]]],
    command: str,
    remedy: str,
) -> dict[str, Any]:
    """Read ``card.json`` and check what it must contain.

    Parameters
    ----------
    folder : Path
    schema : dict
        The JSON Schema of the card.
    rules : iterable of (str, callable)
        What the schema cannot express, such as equal lengths: what a rule is about, and a
        function of the card that is true if the rule is met.
    command : str
        The command that writes such a folder, for the error message.
    remedy : str
        The end of the error message.

    Returns
    -------
    dict

    Raises
    ------
    ModelError
        If it is missing, not valid JSON, of a later format, or does not fit the schema or a rule.

    Examples
    --------
    >>> card = read_card(shipped_folder("default"), {}, [], "ztfml train", "copy it again")
    >>> card["format"]
    1
    """
    path = folder / CARD
    finish_switch(os.path.realpath(folder))
    content = read_bytes(path, f"name a folder that `{command}` wrote, or {remedy}")
    try:
        card = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not valid JSON ({error}); {remedy}") from error
    later = isinstance(card, dict) and card.get("format")
    if isinstance(later, int) and later > FORMAT:
        raise ModelError(
            f"{path}: is of format {later}, this ztfml reads up to {FORMAT}; install a newer ztfml"
        )
    reason = fault(card, schema)
    if reason:
        raise ModelError(f"{path}: cannot be used ({reason}); {remedy}")
    wrong = next((what for what, rule in rules if not _is_met(rule, card)), None)
    if wrong:
        raise ModelError(f"{path}: {wrong} cannot be used; {remedy}")
    return card


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _is_met(rule: Callable[[dict], bool], card: dict) -> bool:
    try:
        return rule(card)
    except (TypeError, KeyError, ValueError, AttributeError):
        return False


def are_names(values: Iterable[Any]) -> bool:
    """Whether values are distinct, non-empty texts.

    Parameters
    ----------
    values : sequence

    Returns
    -------
    bool

    Examples
    --------
    >>> are_names(["drb", "age"]), are_names(["drb", "drb"])
    (True, False)
    """
    values = list(values)
    return all(isinstance(v, str) and v for v in values) and len(set(values)) == len(values)


def read_trees(folder: Path, card: Mapping[str, Any], remedy: str) -> str:
    """Read ``model.txt`` and compare its size and hash with the card.

    Parameters
    ----------
    folder : Path
    card : dict
    remedy : str
        The end of the error message.

    Returns
    -------
    str

    Raises
    ------
    ModelError
        If it is missing or not the file that the card describes.

    Examples
    --------
    >>> folder = shipped_folder("default")
    >>> card = read_card(folder, {}, [], "ztfml train", "copy it again")
    >>> read_trees(folder, card, "copy it again")[:5]
    'tree\\n'
    """
    path = folder / TREES
    trees = read_verified(path, card, remedy)
    try:
        return trees.decode("ascii")
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: is not plain text; {remedy}") from error


def read_verified(path: Path, card: Mapping[str, Any], remedy: str) -> bytes:
    """Read the file of a folder whose size and hash are in the card.

    Parameters
    ----------
    path : Path
    card : dict
    remedy : str
        The end of the error message.

    Returns
    -------
    bytes

    Raises
    ------
    ModelError
        If it is missing or not the file that the card describes.

    Examples
    --------
    >>> folder = shipped_folder("default")
    >>> card = read_card(folder, {}, [], "ztfml train", "copy it again")
    >>> len(read_verified(folder / TREES, card, "")) == card["model"]["bytes"]
    True
    """
    content = read_bytes(path, remedy, MAX_TREES_BYTES)
    if len(content) != card["model"]["bytes"]:
        hint = " (its line ends were changed to CRLF)" if b"\r\n" in content else ""
        raise ModelError(
            f"{path}: has {len(content):,} bytes, not the {card['model']['bytes']:,} of its card"
            f"{hint}; {remedy}"
        )
    if hashlib.sha256(content).hexdigest() != card["model"]["sha256"]:
        raise ModelError(f"{path}: is not the file its card was made for (sha256); {remedy}")
    return content


def parse_structure(
    folder: Path, text: str, n_classes: int, features: Sequence[str], remedy: str
) -> list[dict[str, np.ndarray]]:
    """Read the trees, and check that they can be evaluated safely.

    Parameters
    ----------
    folder : Path
        For the error message.
    text : str
        The content of ``model.txt``.
    n_classes : int
        1 if the trees give the log odds of one class.
    features : sequence of str
    remedy : str
        The end of the error message.

    Returns
    -------
    list of dict of str to ndarray
        As from `ztfml.io.lightgbm_text.parse_trees`.

    Raises
    ------
    ModelError
        If they are damaged.

    Examples
    --------
    >>> parse_structure(Path("mine"), "tree", 1, ["drb"], "copy it")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ztfml.errors.ModelError: mine/model.txt: ...
    """
    try:
        return parse_trees(text, n_classes, list(features))
    except ValueError as error:
        raise ModelError(f"{folder / TREES}: {error}; {remedy}") from error


def compare_probes(
    folder: Path, found: np.ndarray, expected: np.ndarray, what: str, remedy: str
) -> float:
    """Compare the result for the probe rows with the card.

    Parameters
    ----------
    folder : Path
        For the error message.
    found, expected : ndarray
    what : str
        What the numbers are, e.g. ``"probabilities"``.
    remedy : str
        The end of the error message.

    Returns
    -------
    float
        The largest difference.

    Raises
    ------
    ModelError
        If they differ by more than 1e-9.

    Examples
    --------
    >>> compare_probes(Path("mine"), np.array([0.5]), np.array([0.5]), "probabilities", "")
    0.0
    """
    worst = float(np.abs(found - expected).max())
    if not worst <= _PROBE_TOLERANCE:
        raise ModelError(
            f"{folder}: the model does not give the {what} that {CARD} expects (off by "
            f"{worst:.2g}), so {TREES} and {CARD} do not belong together; {remedy}"
        )
    return worst
