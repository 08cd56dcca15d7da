"""Model folders of the classifier: read, verify and describe them.

`ztfml.model.save` writes them. `ztfml.io.verified_folder` has the parts that the ranking uses too,
and describes the folder.
"""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ztfml.errors import ModelError
from ztfml.io import verified_folder as folders
from ztfml.io.lightgbm_text import splits_without_missing
from ztfml.io.verified_folder import CARD, ESTIMATOR, Check
from ztfml.model.card_page import model_page
from ztfml.model.card_rules import CARD_RULES, probe_arrays
from ztfml.model.card_schema import CARD_SCHEMA
from ztfml.model.probabilities import TreeClassifier
from ztfml.trees import pack_trees

if TYPE_CHECKING:
    from ztfml.model.estimator import StoredClassifier

_COMMAND = "ztfml train"
_REMEDY = "copy the folder again or train the model again"

_CHECKS = (
    "card",
    "size and sha256 of the trees",
    "structure of the trees",
    "missing values",
    "names and classes",
    "probe rows",
)
_ESTIMATOR_CHECKS = (
    "card",
    "size and sha256 of the classifier",
    "types in the classifier",
    "missing values",
    "names and classes",
    "probe rows",
)


def shipped_model() -> Path:
    """Find the model that is shipped with ztfml.

    Returns
    -------
    Path

    Raises
    ------
    ModelError
        If this copy of ztfml has no model.

    Examples
    --------
    >>> shipped_model().name
    'default'
    """
    return folders.shipped_folder("default")


def read_model(
    folder: str | Path, trust: Sequence[str | Path] = ()
) -> "tuple[TreeClassifier | StoredClassifier, dict]":
    """Read a model folder and check everything that can be checked.

    Parameters
    ----------
    folder : str or Path
    trust : sequence of str or Path
        Types, modules or Python files that an own classifier may use (see `ztfml.io.trusted`).

    Returns
    -------
    classifier : TreeClassifier or StoredClassifier
    card : dict
        The content of ``card.json``.

    Raises
    ------
    ModelError
        If a file is missing or damaged, if the format is newer than this ztfml, or if the model
        does not reproduce the probabilities in its card.

    Examples
    --------
    >>> classifier, card = read_model(shipped_model())
    >>> classifier.predict_proba(table).shape == (len(night), len(card["classes"]))
    True
    """
    return folders.run_checks(_read_in_steps(Path(folder), trust))


def verify_model(folder: str | Path, trust: Sequence[str | Path] = ()) -> list[Check]:
    """Make the checks of `read_model` one by one, also for a folder that cannot be loaded.

    Parameters
    ----------
    folder, trust
        As for `read_model`.

    Returns
    -------
    list of Check
        One entry per check, up to the first check that fails.

    Examples
    --------
    >>> [check.passed for check in verify_model(shipped_model())]
    [True, True, True, True, True, True]
    """
    names = _ESTIMATOR_CHECKS if (Path(folder) / ESTIMATOR).is_file() else _CHECKS
    return folders.list_checks(_read_in_steps(Path(folder), trust), names)


def describe_model(folder: str | Path) -> str:
    """Describe a model: what it does, how good it is, and what it was trained on.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    str
        Markdown, generated from the card like ``README.md`` in the folder.

    Raises
    ------
    ModelError
        If the card is missing or damaged.

    Examples
    --------
    >>> describe_model(shipped_model()).splitlines()[0]
    '# default'
    """
    folder = Path(folder)
    return model_page(_read_card(folder), folder.resolve().name)


def _read_in_steps(folder: Path, trust: Sequence[str | Path]) -> Generator[str, None, tuple]:
    """Yield the outcome of each of `_CHECKS`, and return the classifier and its card."""
    card = _read_card(folder)
    yield f"format {card['format']}, {len(card['classes'])} classes, {len(_names(card))} features"
    read = _read_estimator if card.get("estimator") else _read_trees
    classifier = yield from read(folder, card, trust)
    worst = _compare_probes(classifier, card, folder)
    yield f"{len(card['probes']['values'])} rows, largest difference {worst:.1g}"
    return classifier, card


def _names(card):
    return [feature["name"] for feature in card["features"]]


def _read_trees(folder, card, trust):
    features, calibration = _names(card), card["calibration"]
    text = folders.read_trees(folder, card, _REMEDY)
    yield f"{card['model']['bytes']:,} bytes, {card['model']['sha256'][:12]}..."
    # Also the names and classes of the trees are compared with the card here.
    trees = folders.parse_structure(folder, text, len(card["classes"]), features, _REMEDY)
    yield f"{len(trees)} trees"
    yield _describe_missing(splits_without_missing(trees, features), len(features))
    yield ", ".join(card["classes"])
    return TreeClassifier(
        text,
        pack_trees(trees),
        card["classes"],
        features,
        card["class_prior"],
        (calibration["temperature"], calibration["temperature_without_drb"]),
        card["parameters"],
    )


def _read_estimator(folder, card, trust):
    # Imported here because trees need neither scikit-learn's pipelines nor the features.
    from ztfml.model.estimator import as_stored, check_types, from_bytes

    content = folders.read_verified(folder / ESTIMATOR, card, _REMEDY)
    yield f"{card['model']['bytes']:,} bytes, {card['model']['sha256'][:12]}..."
    types = check_types(folder, content, card["estimator"]["types"], trust)
    yield f"allowed: {', '.join(types)}" if types else "all known to be harmless"
    stored = as_stored(from_bytes(folder, content, types, trust), card["class_prior"])
    yield "an alert without any feature has a prediction"
    if list(stored.classes_) != card["classes"] or list(stored.feature_names_in_) != _names(card):
        raise ModelError(
            f"{folder / ESTIMATOR}: has other features or classes than {CARD} names; {_REMEDY}"
        )
    yield ", ".join(card["classes"])
    return stored


def _describe_missing(as_zero, n_features):
    if not as_zero:
        return "every feature in the trees may be missing"
    examples = ", ".join(as_zero[:_SHOWN]) + (" ..." if len(as_zero) > _SHOWN else "")
    return f"{len(as_zero)} of {n_features} features count as 0 if missing: {examples}"


_SHOWN = 5


def _read_card(folder):
    return folders.read_card(folder, CARD_SCHEMA, CARD_RULES, _COMMAND, _REMEDY)


def _compare_probes(classifier, card, folder):
    values, expected = probe_arrays(card)
    found = classifier.predict_proba(pd.DataFrame(values, columns=classifier.feature_names_in_))
    return folders.compare_probes(folder, found, expected, "probabilities", _REMEDY)
