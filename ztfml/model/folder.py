"""Model folders of the classifier: write, read, verify and describe them.

`ztfml.io.verified_folder` has the parts that the ranking uses too, and describes the folder.
"""

from collections.abc import Generator
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.errors import ModelError
from ztfml.io import folder_writing
from ztfml.io import verified_folder as folders
from ztfml.io.lightgbm_text import splits_without_missing, trees_only
from ztfml.io.verified_folder import CARD, FORMAT, N_PROBES, README, TREES, Check
from ztfml.model.card_page import model_page
from ztfml.model.card_schema import CARD_SCHEMA
from ztfml.model.classifier import AlertClassifier

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


# --- writing -----------------------------------------------------------------------------


def save_model(
    classifier: AlertClassifier,
    folder: str | Path,
    card: dict,
    probes: pd.DataFrame,
    overwrite: bool = False,
) -> Path:
    """Write a fitted classifier as a model folder.

    The folder is read back with all checks before it replaces an older model.

    Parameters
    ----------
    classifier : AlertClassifier
        Fitted on a table with column names. Columns that are not features of ztfml are your own:
        pass them to `Model.predict` in its ``table``.
    folder : str or Path
        Created if it does not exist; its parent must exist.
    card : dict
        Additional information for ``card.json``, all of it optional: ``training`` (``nights``,
        ``labels``, ``rules``, ...), ``metrics`` (a list of results of
        `ztfml.evaluation.metrics.metrics`, each with ``title``, ``rule`` and ``by``; the most
        reliable first), ``importance`` (from `ztfml.model.shap.tree_shap`), ``distributions``
        (from `ztfml.evaluation.drift.training_distributions`, for drift reports) and
        ``features`` (from `describe_features`, which is the default).
    probes : DataFrame, shape (n, n_features)
        Rows of the training table. The first 16 are stored with their probabilities, so that a
        loaded model can be checked.
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
    >>> labels = pd.read_csv("night_labels.csv")["label"]
    >>> mine = table.assign(g_minus_r_squared=table["g_r"] ** 2)
    >>> classifier = AlertClassifier(n_estimators=5).fit(mine, labels)
    >>> folder = save_model(classifier, "my_model", {}, mine)
    >>> Model.load(folder)
    <Model my_model: 5 classes, 238 features, 25 trees>
    >>> len(Model.load(folder).predict(night, table=mine)) == len(night)
    True
    """
    folder = Path(folder)
    folder_writing.check_place(folder, overwrite=overwrite)
    trees = trees_only(classifier.booster_.model_to_string())
    full_card = _complete_card(classifier, card, trees, probes, folder)
    files = {
        TREES: trees.encode("ascii"),
        CARD: folder_writing.card_bytes(full_card),
        README: model_page(full_card, folder.name).encode(),
    }
    return folder_writing.write_folder(folder, files, read_model, overwrite)


def _complete_card(classifier, card, trees, probes, folder):
    features = [str(name) for name in classifier.feature_names_in_]
    if classifier.booster_.feature_name() != features:
        raise ModelError(
            f"{folder}: the features of the model have names with other characters than letters, "
            "digits and _; rename the columns of the table and train again"
        )
    probes = probes[features].iloc[:N_PROBES].astype(np.float64)
    expected = classifier.predict_proba(probes)
    return {
        "format": FORMAT,
        "model": folder_writing.size_and_hash(trees),
        "classes": [str(label) for label in classifier.classes_],
        "class_prior": [float(prior) for prior in classifier.class_prior_],
        "calibration": {
            "method": "temperature scaling of the raw scores, on held-out objects",
            "temperature": classifier.temperature_,
        },
        # The number of threads belongs to the computer, not to the model.
        "parameters": {**classifier.get_params(), "n_jobs": None},
        "rounds": classifier.n_rounds_,
        "versions": folder_writing.library_versions(),
        "training": card.get("training", {}),
        "metrics": card.get("metrics", []),
        "importance": card.get("importance"),
        "distributions": card.get("distributions"),
        "features": card.get("features") or describe_features(features),
        "probes": {
            "values": folder_writing.probe_rows(probes.to_numpy()),
            "expected": {
                str(label): expected[:, k].tolist() for k, label in enumerate(classifier.classes_)
            },
        },
    }


def describe_features(names: list[str]) -> list[dict]:
    """Describe features for a card.

    Parameters
    ----------
    names : sequence of str
        Features of ztfml and of your own.

    Returns
    -------
    list of dict
        ``name``, ``unit``, ``version`` and ``group``. Features that ztfml does not compute have
        only a name and the group "own".

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

    declared = {feature.name: feature for feature in (*FEATURES, *OPTIONAL)}
    return [
        {"name": name, "unit": one.unit, "version": one.version, "group": one.group}
        if (one := declared.get(name))
        else {"name": name, "group": "own"}
        for name in names
    ]


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


def read_model(folder: str | Path) -> tuple[AlertClassifier, dict]:
    """Read a model folder and check everything that can be checked.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    classifier : AlertClassifier
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
    return folders.run_checks(_read_in_steps(Path(folder)))


def verify_model(folder: str | Path) -> list[Check]:
    """Make the checks of `read_model` one by one, also for a folder that cannot be loaded.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of Check
        One entry per check, up to the first check that fails.

    Examples
    --------
    >>> [check.passed for check in verify_model(shipped_model())]
    [True, True, True, True, True, True]
    """
    return folders.list_checks(_read_in_steps(Path(folder)), _CHECKS)


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


def _read_in_steps(folder: Path) -> Generator[str, None, tuple[AlertClassifier, dict]]:
    """Yield the outcome of each of `_CHECKS`, and return the classifier and its card."""
    card = _read_card(folder)
    features = [feature["name"] for feature in card["features"]]
    yield f"format {card['format']}, {len(card['classes'])} classes, {len(features)} features"
    trees = folders.read_trees(folder, card, _REMEDY)
    yield f"{card['model']['bytes']:,} bytes, {card['model']['sha256'][:12]}..."
    n_trees = folders.check_structure(folder, trees, len(card["classes"]), features, _REMEDY)
    yield f"{n_trees} trees"
    yield _describe_missing(splits_without_missing(trees, features), len(features))
    classifier = _restore(trees, card, folder)
    yield ", ".join(card["classes"])
    worst = _compare_probes(classifier, card, folder)
    yield f"{len(card['probes']['values'])} rows, largest difference {worst:.1g}"
    return classifier, card


def _describe_missing(as_zero, n_features):
    if not as_zero:
        return "every feature in the trees may be missing"
    examples = ", ".join(as_zero[:_SHOWN]) + (" ..." if len(as_zero) > _SHOWN else "")
    return f"{len(as_zero)} of {n_features} features count as 0 if missing: {examples}"


_SHOWN = 5


def _read_card(folder):
    return folders.read_card(folder, CARD_SCHEMA, _CARD_RULES, _COMMAND, _REMEDY)


def _are_probabilities(values, n):
    return len(values) == n and min(values) > 0 and abs(sum(values) - 1) < 1e-6


# What the schema of the card cannot express.
_CARD_RULES = (
    # AlertClassifier keeps its classes sorted: any other order is a mistake.
    ("the order of classes", lambda card: card["classes"] == sorted(card["classes"])),
    ("class_prior", lambda card: _are_probabilities(card["class_prior"], len(card["classes"]))),
    (
        "the list of features",
        lambda card: folders.are_names([feature["name"] for feature in card["features"]]),
    ),
    ("parameters", lambda card: set(card["parameters"]) == set(AlertClassifier().get_params())),
    ("probes", lambda card: _probe_arrays(card) is not None),
    ("metrics", lambda card: all(_are_complete(one, card["classes"]) for one in card["metrics"])),
    ("the labels in training", lambda card: _known_labels(card) <= set(card["classes"])),
    ("importance", lambda card: _is_of_features(card["importance"], card)),
    ("distributions", lambda card: _are_distributions(card.get("distributions"), card)),
)


def _are_complete(metrics, classes):
    parts = [metrics, *(one for kind in metrics.get("by", {}).values() for one in kind.values())]
    curve = metrics.get("reliability") or {}
    return (
        all(_is_square(one["confusion"], len(one["labels"])) for one in parts)
        and set(classes) <= set(metrics["labels"])
        and set(metrics["per_class"]) == set(metrics["labels"])
        and len({len(values) for values in curve.values()}) <= 1
    )


def _is_square(rows, n):
    return len(rows) == n and all(len(row) == n for row in rows)


def _known_labels(card):
    return {one["label"] for one in card["training"].get("labels", [])}


def _is_of_features(importance, card):
    if importance is None:
        return True
    names = {feature["name"] for feature in card["features"]}
    return {one["name"] for one in importance["features"]} <= names and all(
        set(card["classes"]) <= set(group) for group in importance["groups"]
    )


def _are_distributions(distributions, card):
    """Whether each feature has its bins in order, and counts of known classes for each of them."""
    if distributions is None:
        return True
    names = {feature["name"] for feature in card["features"]}
    return set(distributions) <= names and all(map(_is_distribution, distributions.values()))


def _is_distribution(one):
    edges = np.array(one["edges"], dtype=np.float64)
    counts = np.array([one[label] for label in one if label != "edges"], dtype=np.float64)
    return (
        edges.ndim == 1
        and counts.shape == (len(one) - 1, len(edges) + 2)
        and bool((np.diff(edges) > 0).all() and np.isfinite(edges).all())
        and bool((counts >= 0).all() and (counts <= _PER_UNIT).all())
    )


_PER_UNIT = 10_000


def _probe_arrays(card):
    """The probe rows and their expected probabilities; any fault in them is a ValueError."""
    values = np.array(card["probes"]["values"], dtype=np.float64)
    expected = np.array(
        [card["probes"]["expected"][label] for label in card["classes"]], dtype=np.float64
    ).T
    if len(values) == 0 or values.shape != (len(values), len(card["features"])):
        raise ValueError("the number of values differs from the number of features")
    if expected.shape != (len(values), len(card["classes"])) or not np.isfinite(expected).all():
        raise ValueError("a row lacks the probability of a class")
    return values, expected


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
    values, expected = _probe_arrays(card)
    found = classifier.predict_proba(pd.DataFrame(values, columns=classifier.feature_names_in_))
    return folders.compare_probes(folder, found, expected, "probabilities", _REMEDY)
