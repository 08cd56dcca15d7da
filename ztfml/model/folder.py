"""A trained model as a folder of three texts: the trees, a card, a page for people.

Nothing in it is ever executed: no pickle. A folder is written beside its place and moved
there when it is whole and has been read back; it is read with every check that can be made
before LightGBM sees the trees, and compared with 16 rows whose probabilities the card knows.
"""

import hashlib
import json
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ztfml.errors import ModelError
from ztfml.io.lightgbm_text import check_trees, trees_only
from ztfml.model.card_page import model_page
from ztfml.model.classifier import AlertClassifier

FORMAT = 1
TREES, CARD, README = "model.txt", "card.json", "README.md"
N_PROBES = 16

# exp and sums differ in the last digits between processors, not more.
_PROBE_TOLERANCE = 1e-9

_AGAIN = "copy the folder again or train the model again"


class Check(NamedTuple):
    """One line of `verify_model`: what was looked at, what came out, and whether it is well."""

    check: str
    outcome: str
    passed: bool


def save_model(classifier, folder, card, probes):
    """Write a fitted classifier as a model folder, replacing an older one only when whole.

    Parameters
    ----------
    classifier : AlertClassifier
        Fitted on a table whose columns have plain names.
    folder : str or Path
        Made where it does not exist; its parent must.
    card : dict
        What only the trainer knows, all optional: ``features`` (a list of dicts with
        ``name``, ``unit``, ``version``, ``group``), ``training`` (``nights``, ``labels``,
        ``rules``, ...), ``metrics`` (a list of dicts of `ztfml.evaluation.metrics.metrics` with
        ``title``, ``rule`` and, in ``by``, the same of its nights and sources; the honest
        one first) and ``importance`` (as of `ztfml.model.shap.tree_shap`).
    probes : DataFrame, shape (n, n_features)
        Rows of the training table; the first 16 are kept to compare a loaded model with.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        If the folder exists and is no model, or cannot be written.

    Examples
    --------
    >>> save_model(classifier, "models/mine", {}, table.sample(16))   # doctest: +SKIP
    """
    folder = Path(folder)
    check_place(folder)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    text = trees_only(classifier.booster_.model_to_string())
    full_card = _complete_card(classifier, card, text, probes, folder)
    try:
        part.mkdir()
        (part / TREES).write_bytes(text.encode("ascii"))
        (part / CARD).write_bytes(_as_json(full_card).encode())
        (part / README).write_text(model_page(full_card, folder.name), encoding="utf-8")
        read_model(part)
        _move(part, folder)
    except OSError as error:
        raise ModelError(
            f"{folder}: cannot be written ({error.strerror}); name a place in a folder that "
            "exists and that you may write to"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def check_place(folder):
    """Make sure that a model may be written to a folder, before the work of training.

    Parameters
    ----------
    folder : str or Path

    Raises
    ------
    ModelError
        If something stands there that is not a model, or is more than a model.

    Examples
    --------
    >>> check_place("models/mine")   # doctest: +SKIP
    """
    folder = Path(folder)
    if not folder.resolve().parent.is_dir():
        raise ModelError(f"{folder}: its folder does not exist; make it or name another place")
    if not folder.exists() and not folder.is_symlink():
        return
    inside = {entry.name for entry in folder.iterdir()} if folder.is_dir() else {folder.name}
    if not folder.is_dir() or folder.is_symlink() or (inside and not inside >= {TREES, CARD}):
        raise ModelError(f"{folder}: exists and is not a model; name another folder")
    further = sorted(inside - {TREES, CARD, README})
    if further:
        raise ModelError(
            f"{folder}: holds {further[0]}, which is not part of a model and would be lost; "
            "move it away or name another folder"
        )


def _move(part, folder):
    old = part.with_suffix(".old")
    if folder.exists():
        folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _complete_card(classifier, card, text, probes, folder):
    features = [str(name) for name in classifier.feature_names_in_]
    if classifier.booster_.feature_name() != features:
        raise ModelError(
            f"{folder}: the features of the model have names with other characters than letters, "
            "digits and _; rename the columns of the table and train again"
        )
    trees = text.encode("ascii")
    probes = probes[features].iloc[:N_PROBES].astype(np.float64)
    expected = classifier.predict_proba(probes)
    return {
        "format": FORMAT,
        "model": {"bytes": len(trees), "sha256": hashlib.sha256(trees).hexdigest()},
        "classes": [str(label) for label in classifier.classes_],
        "class_prior": [float(prior) for prior in classifier.class_prior_],
        "calibration": {
            "method": "temperature scaling of the raw scores, on held-out objects",
            "temperature": classifier.temperature_,
        },
        # Threads belong to the machine, not to the model.
        "parameters": {**classifier.get_params(), "n_jobs": None},
        "rounds": classifier.n_rounds_,
        "versions": _versions(),
        "training": card.get("training", {}),
        "metrics": card.get("metrics", []),
        "importance": card.get("importance"),
        "features": card.get("features") or describe_features(features),
        "probes": {
            "values": [
                [None if np.isnan(value) else value for value in row]
                for row in probes.to_numpy().tolist()
            ],
            "expected": {
                str(label): expected[:, k].tolist() for k, label in enumerate(classifier.classes_)
            },
        },
    }


def describe_features(names):
    """Describe features for a card: their unit, version and group.

    Parameters
    ----------
    names : sequence of str
        Features of ztfml or of your own.

    Returns
    -------
    list of dict
        ``name``, ``unit``, ``group`` and ``version``; features that ztfml does not compute have
        only a name and belong to the group "own".

    Examples
    --------
    >>> drb, mine = describe_features(["drb", "my_feature"])
    >>> drb
    {'name': 'drb', 'unit': '', 'version': 1, 'group': 'packet'}
    >>> mine
    {'name': 'my_feature', 'group': 'own'}
    """
    # Only here, because `model show` and `model verify` do not need the compiled features.
    from ztfml.features import BROKER, registry

    declared = {feature.name: feature for feature in (*registry.FEATURES, *BROKER.features)}
    return [
        {"name": name, "unit": one.unit, "version": one.version, "group": one.group}
        if (one := declared.get(name))
        else {"name": name, "group": "own"}
        for name in names
    ]


def _versions():
    names = ("ztfml", "lightgbm", "scikit-learn", "numpy", "pandas")
    return {"python": sys.version.split()[0], **{name: version(name) for name in names}}


def _as_json(card):
    # One line for each row of numbers: short enough to look through, and diffs stay small.
    probes = card["probes"]
    rows = ",\n   ".join(json.dumps(row) for row in probes["values"])
    body = json.dumps(
        {**card, "probes": {**probes, "values": "@rows"}},
        indent=1,
        allow_nan=False,
        ensure_ascii=False,
    )
    return body.replace('"@rows"', f"[\n   {rows}\n  ]") + "\n"


def shipped_model():
    """Give the folder of the model that ships with ztfml.

    Returns
    -------
    Path

    Raises
    ------
    ModelError
        If this copy of ztfml came without one.

    Examples
    --------
    >>> model = load_model(shipped_model())   # doctest: +SKIP
    """
    package = Path(__file__).parents[1]
    # Inside the package where it was installed, beside it in the source tree.
    places = [home / "models" / "default" for home in (package, package.parent)]
    for folder in places:
        if (folder / CARD).is_file():
            return folder
    raise ModelError(
        f"{places[0]}: no model came with this copy of ztfml; train one with `ztfml train` and "
        "name it with -m"
    )


# --- reading -----------------------------------------------------------------------------


def read_model(folder):
    """Read a model folder, checking all that can be checked.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    LoadedModel

    Raises
    ------
    ModelError
        If a file is absent, damaged, of a later format, or the model does not give the
        probabilities that its card expects.

    Examples
    --------
    >>> model = load_model("models/mine")   # doctest: +SKIP
    >>> model.classifier.predict_proba(table)   # doctest: +SKIP
    """
    steps = _read_in_steps(Path(folder))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def verify_model(folder):
    """Make the checks of `load_model` one by one, for people to read.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of Check
        Up to the first check that fails.

    Examples
    --------
    >>> [check.passed for check in verify_model("models/mine")]   # doctest: +SKIP
    [True, True, True, True, True]
    """
    checks = []
    try:
        for outcome in _read_in_steps(Path(folder)):
            checks.append(Check(_STEPS[len(checks)], outcome, True))
    except ModelError as error:
        checks.append(Check(_STEPS[len(checks)], str(error), False))
    return checks


def describe_model(folder):
    """Say what a model is, how good it is and what it was trained on, as Markdown.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    str
        What ``README.md`` in the folder says, made again from the card.

    Raises
    ------
    ModelError
        If the card is absent or damaged.

    Examples
    --------
    >>> print(describe_model("models/mine"))   # doctest: +SKIP
    """
    folder = Path(folder)
    return model_page(_read_card(folder), folder.resolve().name)


_STEPS = (
    "card",
    "size and sha256 of the trees",
    "structure of the trees",
    "names and classes",
    "probe rows",
)


def _read_in_steps(folder):
    """Yield what each of `_STEPS` found, and return the model."""
    card = _read_card(folder)
    features = [feature["name"] for feature in card["features"]]
    yield f"format {card['format']}, {len(card['classes'])} classes, {len(features)} features"
    text = _read_trees(folder, card)
    yield f"{card['model']['bytes']:,} bytes, {card['model']['sha256'][:12]}..."
    try:
        n_trees = check_trees(text, len(card["classes"]), features)
    except ValueError as error:
        raise ModelError(f"{folder / TREES}: {error}; {_AGAIN}") from error
    yield f"{n_trees} trees"
    classifier = _restore(text, card, folder)
    yield ", ".join(card["classes"])
    worst = _compare_probes(classifier, card, folder)
    yield f"{len(card['probes']['values'])} rows, largest difference {worst:.1g}"
    return classifier, card


def _read_bytes(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}); name a folder that `ztfml train` wrote, "
            f"or {_AGAIN}"
        ) from error


def _read_card(folder):
    path = folder / CARD
    try:
        card = json.loads(_read_bytes(path), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not valid JSON ({error}); {_AGAIN}") from error
    later = isinstance(card, dict) and card.get("format")
    if isinstance(later, int) and later > FORMAT:
        raise ModelError(
            f"{path}: is of format {later}, this ztfml reads up to {FORMAT}; install a newer ztfml"
        )
    wrong = next((what for what, holds in _CARD_RULES if not _holds(holds, card)), None)
    if wrong:
        raise ModelError(f"{path}: {wrong} cannot be used; {_AGAIN}")
    return card


def _refuse_constant(name):
    raise ValueError(f"{name} is no number")


def _holds(rule, card):
    try:
        return rule(card)
    except (TypeError, KeyError, ValueError, AttributeError):
        return False


def _are_names(values):
    return all(isinstance(v, str) and v for v in values) and len(set(values)) == len(values)


_CARD_RULES = (
    # What is said when it does not hold, and what must hold.
    ("its format", lambda card: card["format"] == FORMAT),
    ("model.bytes", lambda card: card["model"]["bytes"] > 0),
    ("model.sha256", lambda card: len(bytes.fromhex(card["model"]["sha256"])) == 32),
    ("the list of classes", lambda card: _are_names(card["classes"]) and len(card["classes"]) > 1),
    # AlertClassifier keeps its classes sorted: any other order is a mistake.
    ("the order of classes", lambda card: card["classes"] == sorted(card["classes"])),
    (
        "class_prior",
        lambda card: (
            len(card["class_prior"]) == len(card["classes"])
            and min(card["class_prior"]) > 0
            and abs(sum(card["class_prior"]) - 1) < 1e-6
        ),
    ),
    ("calibration.temperature", lambda card: 0.01 < card["calibration"]["temperature"] < 100),
    (
        "the list of features",
        lambda card: (
            _are_names([feature["name"] for feature in card["features"]])
            and len(card["features"]) > 0
        ),
    ),
    ("parameters", lambda card: set(card["parameters"]) == set(AlertClassifier().get_params())),
    ("training", lambda card: isinstance(card["training"], dict)),
    ("metrics", lambda card: all(isinstance(one, dict) for one in card["metrics"])),
    ("probes", lambda card: _probe_arrays(card) is not None),
)


def _probe_arrays(card):
    """The probe rows and their expected probabilities; any fault in them is a ValueError."""
    values = np.array(card["probes"]["values"], dtype=np.float64)
    expected = np.array(
        [card["probes"]["expected"][label] for label in card["classes"]], dtype=np.float64
    ).T
    if len(values) == 0 or values.shape != (len(values), len(card["features"])):
        raise ValueError("as many values as features")
    if expected.shape != (len(values), len(card["classes"])) or not np.isfinite(expected).all():
        raise ValueError("a probability for each row and class")
    return values, expected


def _read_trees(folder, card):
    path = folder / TREES
    trees = _read_bytes(path)
    if len(trees) != card["model"]["bytes"]:
        hint = " (its line ends were changed to CRLF)" if b"\r\n" in trees else ""
        raise ModelError(
            f"{path}: has {len(trees):,} bytes, not the {card['model']['bytes']:,} of its card"
            f"{hint}; {_AGAIN}"
        )
    if hashlib.sha256(trees).hexdigest() != card["model"]["sha256"]:
        raise ModelError(f"{path}: is not the file its card was made for (sha256); {_AGAIN}")
    try:
        return trees.decode("ascii")
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: is not plain text; {_AGAIN}") from error


def _restore(text, card, folder):
    features = [feature["name"] for feature in card["features"]]
    try:
        classifier = AlertClassifier.restored(
            text,
            card["classes"],
            features,
            card["class_prior"],
            card["calibration"]["temperature"],
            card["parameters"],
        )
    except ValueError as error:
        raise ModelError(f"{folder / TREES}: {error}; {_AGAIN}") from error
    booster = classifier.booster_
    n_classes = booster.num_model_per_iteration()
    if booster.feature_name() != features or n_classes != len(card["classes"]):
        raise ModelError(
            f"{folder / TREES}: LightGBM reads other features or classes than its card names; "
            f"{_AGAIN}"
        )
    return classifier


def _compare_probes(classifier, card, folder):
    values, expected = _probe_arrays(card)
    table = pd.DataFrame(values, columns=classifier.feature_names_in_)
    worst = float(np.abs(classifier.predict_proba(table) - expected).max())
    if not worst <= _PROBE_TOLERANCE:
        raise ModelError(
            f"{folder}: the model does not give the probabilities that {CARD} expects (off by "
            f"{worst:.2g}), so {TREES} and {CARD} do not belong together; {_AGAIN}"
        )
    return worst
