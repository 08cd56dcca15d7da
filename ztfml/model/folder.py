"""Model folders of the classifier: write, read, verify and describe them.

`ztfml.io.verified_folder` has the parts that the ranking uses too, and describes the folder.
"""

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ztfml.errors import ModelError
from ztfml.io import folder_writing
from ztfml.io import verified_folder as folders
from ztfml.io.lightgbm_text import splits_without_missing, trees_only
from ztfml.io.verified_folder import (
    CARD,
    ESTIMATOR,
    FORMAT,
    N_PROBES,
    README,
    TREES,
    Check,
)
from ztfml.model.card_page import model_page
from ztfml.model.card_rules import CARD_RULES, probe_arrays
from ztfml.model.card_schema import CARD_SCHEMA
from ztfml.model.classifier import AlertClassifier

if TYPE_CHECKING:
    from ztfml.features import Group
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
_MAX_TEXT = 10_000


# --- writing -----------------------------------------------------------------------------


def save_model(
    classifier: Any,
    folder: str | Path,
    card: dict,
    probes: pd.DataFrame,
    overwrite: bool = False,
    own: Sequence["Group"] = (),
) -> Path:
    """Write a fitted classifier as a model folder.

    The folder is read back with all checks before it replaces an older model.

    Parameters
    ----------
    classifier : AlertClassifier or another classifier
        Fitted on a table with column names. Any classifier with the interface of scikit-learn can
        be saved (see `ztfml.model.estimator`). Columns that are neither features of ztfml nor of
        ``own`` must be passed to `Model.predict` in its ``table``.
    folder : str or Path
        Created if it does not exist; its parent must exist.
    card : dict
        Additional information for ``card.json``, all of it optional: ``training`` (``nights``,
        ``labels``, ``rules``, ...), ``metrics`` (a list of results of
        `ztfml.evaluation.metrics.metrics`, each with ``title``, ``rule`` and ``by``; the most
        reliable first), ``importance`` (from `ztfml.model.shap.tree_shap`), ``distributions``
        (from `ztfml.evaluation.drift.training_distributions`, for drift reports),
        ``class_prior`` (the fraction of each class in training, in the order of ``classes_``; for
        other classifiers than `AlertClassifier`) and ``features`` (from `describe_features`, which
        is the default).
    probes : DataFrame, shape (n, n_features)
        Rows of the training table. The first 16 are stored with their probabilities, so that a
        loaded model can be checked.
    overwrite : bool
        Replace an older model in the folder.
    own : sequence of Group
        Own features (see `ztfml.features.own`).

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        If the folder exists and may not be replaced, or cannot be written, or the classifier
        cannot be stored.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> some, labels = table[["drb", "magpsf", "n_det"]], pd.read_csv("night_labels.csv")["label"]
    >>> classifier = HistGradientBoostingClassifier(max_iter=5).fit(some, labels)
    >>> folder = save_model(classifier, "my_model", {}, some)
    >>> mine = Model.load(folder, trust=["sklearn"])
    >>> mine
    <Model my_model: 5 classes, 3 features, HistGradientBoostingClassifier>
    >>> len(mine.predict(night)) == len(night)
    True
    """
    folder = Path(folder)
    folder_writing.check_place(folder, overwrite=overwrite)
    if isinstance(classifier, AlertClassifier):
        name, content, special = _trees_of(classifier, folder)
        trust = []
    else:
        name, content, special, classifier = _estimator_of(classifier, card)
        trust = special["estimator"]["types"]
    full_card = _complete_card(classifier, card, content, special, probes, own)
    files = {
        name: content,
        CARD: folder_writing.card_bytes(full_card),
        README: model_page(full_card, folder.name).encode(),
    }
    # The types of the user's own classifier are in use already, so they may be read back.
    return folder_writing.write_folder(
        folder, files, lambda part: read_model(part, trust), overwrite
    )


def _trees_of(classifier, folder):
    """The content of ``model.txt``, and what only cards of trees contain."""
    features = [str(name) for name in classifier.feature_names_in_]
    if classifier.booster_.feature_name() != features:
        raise ModelError(
            f"{folder}: the features of the model have names with other characters than letters, "
            "digits and _; rename the columns of the table and train again"
        )
    special = {
        "class_prior": [float(prior) for prior in classifier.class_prior_],
        "calibration": {
            "method": "temperature scaling of the raw scores, on held-out objects",
            "temperature": classifier.temperature_,
        },
        # The number of threads belongs to the computer, not to the model.
        "parameters": {**classifier.get_params(), "n_jobs": None},
        "rounds": classifier.n_rounds_,
    }
    return TREES, trees_only(classifier.booster_.model_to_string()).encode("ascii"), special


def _estimator_of(classifier, card):
    """The content of ``classifier.skops``, what the card says about it, and the classifier."""
    from ztfml.model.estimator import as_stored, to_bytes

    stored = as_stored(classifier, card.get("class_prior"))
    content, types = to_bytes(stored)
    text = " ".join(repr(stored.estimator).split())[:_MAX_TEXT]
    special = {
        "estimator": {"name": type(classifier).__name__, "text": text, "types": types},
        "class_prior": card.get("class_prior"),
        **dict.fromkeys(("calibration", "parameters", "rounds")),
    }
    return ESTIMATOR, content, special, stored


def _complete_card(classifier, card, content, special, probes, own):
    features = [str(name) for name in classifier.feature_names_in_]
    probes = probes[features].iloc[:N_PROBES].astype(np.float64)
    expected = classifier.predict_proba(probes)
    return {
        "format": FORMAT,
        "model": folder_writing.size_and_hash(content),
        "classes": [str(label) for label in classifier.classes_],
        **special,
        "versions": folder_writing.library_versions("skops" if "estimator" in special else None),
        "training": card.get("training", {}),
        "metrics": card.get("metrics", []),
        "importance": card.get("importance"),
        "distributions": card.get("distributions"),
        "features": card.get("features") or describe_features(features, own),
        "probes": {
            "values": folder_writing.probe_rows(probes.to_numpy()),
            "expected": {
                str(label): expected[:, k].tolist() for k, label in enumerate(classifier.classes_)
            },
        },
    }


def describe_features(names: list[str], own: Iterable["Group"] = ()) -> list[dict]:
    """Describe features for a card.

    Parameters
    ----------
    names : sequence of str
        Features of ztfml and of your own.
    own : iterable of Group
        Own features.

    Returns
    -------
    list of dict
        ``name``, ``unit``, ``version`` and ``group``; for features of ``own`` also ``module``
        and ``source``, a hash of their source code. Other features have only a name and the
        group "own".

    Raises
    ------
    ModelError
        If an own feature is not defined in a file.

    Examples
    --------
    >>> drb, mine = describe_features(["drb", "my_feature"])
    >>> drb
    {'name': 'drb', 'unit': '', 'version': 1, 'group': 'packet'}
    >>> mine
    {'name': 'my_feature', 'group': 'own'}
    """
    # Imported here because `model show` and `model verify` do not need the compiled features.
    from ztfml.features import FEATURES, OPTIONAL
    from ztfml.features.own import function_of, own_features, source_hash

    of_user = {feature.name: feature for feature in own_features(own)}
    declared = {feature.name: feature for feature in (*FEATURES, *OPTIONAL)} | of_user

    def describe(name):
        one = declared.get(name)
        if one is None:
            return {"name": name, "group": "own"}
        found = {"name": name, "unit": one.unit, "version": one.version, "group": one.group}
        if name in of_user:
            found |= {"module": function_of(one).__module__, "source": source_hash(one)}
        return found

    return [describe(name) for name in names]


# --- reading -----------------------------------------------------------------------------


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
) -> "tuple[AlertClassifier | StoredClassifier, dict]":
    """Read a model folder and check everything that can be checked.

    Parameters
    ----------
    folder : str or Path
    trust : sequence of str or Path
        Types, modules or Python files that an own classifier may use (see `ztfml.io.trusted`).

    Returns
    -------
    classifier : AlertClassifier or StoredClassifier
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
    features = _names(card)
    trees = folders.read_trees(folder, card, _REMEDY)
    yield f"{card['model']['bytes']:,} bytes, {card['model']['sha256'][:12]}..."
    n_trees = folders.check_structure(folder, trees, len(card["classes"]), features, _REMEDY)
    yield f"{n_trees} trees"
    yield _describe_missing(splits_without_missing(trees, features), len(features))
    classifier = _restore(trees, card, folder)
    yield ", ".join(card["classes"])
    return classifier


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


def _restore(trees, card, folder):
    features = [feature["name"] for feature in card["features"]]
    try:
        classifier = AlertClassifier.restored(
            trees,
            card["classes"],
            features,
            card["class_prior"],
            card["calibration"]["temperature"],
            card["parameters"],
        )
    except ValueError as error:
        raise ModelError(f"{folder / TREES}: {error}; {_REMEDY}") from error
    booster = classifier.booster_
    n_classes = booster.num_model_per_iteration()
    if booster.feature_name() != features or n_classes != len(card["classes"]):
        raise ModelError(
            f"{folder / TREES}: LightGBM reads other features or classes than {CARD} names; "
            f"{_REMEDY}"
        )
    return classifier


def _compare_probes(classifier, card, folder):
    values, expected = probe_arrays(card)
    found = classifier.predict_proba(pd.DataFrame(values, columns=classifier.feature_names_in_))
    return folders.compare_probes(folder, found, expected, "probabilities", _REMEDY)
