"""Write a fitted classifier as a model folder."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ztfml.errors import ModelError
from ztfml.features import FEATURES, OPTIONAL
from ztfml.features.own import function_of, own_features, source_hash
from ztfml.io import folder_writing
from ztfml.io.lightgbm_text import trees_only
from ztfml.io.verified_folder import CARD, ESTIMATOR, FORMAT, N_PROBES, README, TREES
from ztfml.model.card_page import model_page
from ztfml.model.classifier import AlertClassifier
from ztfml.model.estimator import as_stored, own_groups, to_bytes
from ztfml.model.folder import read_model

if TYPE_CHECKING:
    from ztfml.features import Group

_MAX_TEXT = 10_000


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
        Own features (see `ztfml.features.own`). A pipeline that begins with `AlertFeatures` has
        those of this step, so they can be left out.

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
    own = own or own_groups(classifier)
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
            "temperature_without_drb": classifier.temperature_without_drb_,
        },
        # The number of threads belongs to the computer, not to the model.
        "parameters": {**classifier.get_params(), "n_jobs": None},
        "rounds": classifier.n_rounds_,
    }
    return TREES, trees_only(classifier.booster_.model_to_string()).encode("ascii"), special


def _estimator_of(classifier, card):
    """The content of ``classifier.skops``, what the card says about it, and the classifier."""
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
