"""Extend a model with new labels, without the data with which it was trained.

A few small trees are added to those of the model. They are trained on the new labels and on
simulated alerts, for which the probabilities of the model are the target. The simulated alerts keep
the model as it is wherever the new labels say nothing.
"""

import base64
import logging
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy.special import softmax

from ztfml.errors import LabelError, ModelError
from ztfml.features import FEATURES, Group
from ztfml.features.own import own_features
from ztfml.io.folder_writing import check_place
from ztfml.model.classifier import MAX_BIN, AlertClassifier
from ztfml.model.folder import save_model
from ztfml.model.folds import object_folds
from ztfml.model.model import Model
from ztfml.simulate import write_nights
from ztfml.training.dataset import BOGUS_EVIDENCE, CONFIDENCE_WEIGHT, read_training_set
from ztfml.training.train import count_evidence
from ztfml.training.trained_objects import pack_objects

N_ROUNDS = 30
"""Boosting rounds of an extension; each adds one tree per class."""

BALLAST_WEIGHT = 500.0
"""Total weight of the simulated alerts; a new label of high confidence has the weight 1.

It is a compromise between 200 and 1000, which were compared with one seed only."""

_PARAMETERS = {
    "objective": "multiclass",
    "num_leaves": 4,
    "learning_rate": 0.1,
    "min_data_in_leaf": 5,
    "feature_fraction": 0.3,
    "lambda_l2": 10.0,
    "max_bin": MAX_BIN,
    "deterministic": True,
    "force_col_wise": True,
    "feature_pre_filter": False,
    "verbosity": -1,
}
_BALLAST = ((2458400.5, 901), (2460300.5, 902))
"""Night and seed of the simulated alerts: before ZTF had drb, and with it."""
_N_BALLAST = 1500
_SMALLEST_SHARE = 0.005
_N_FOLDS = 5


def extend(
    nights: Sequence[str | Path],
    base: Model,
    folder: str | Path,
    labels: Sequence[str | Path] | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> str:
    """Extend a model with labels of new alerts and write it as a model folder.

    Parameters
    ----------
    nights : sequence of str or Path
        Alert files.
    base : Model
        The model to extend. Its folder stays as it is.
    folder : str or Path
        The model folder to write.
    labels : sequence of str or Path, optional
        Label files, each for any of the nights; by default ``NAME_labels.csv`` beside each night.
        Tens of labels are enough.
    seed : int
    overwrite : bool
        Replace an older model in the folder when the new one is complete.

    Returns
    -------
    str
        How many of the new labels the model and its extension predict. For the extension, each
        object is predicted by trees that were not trained on it.

    Raises
    ------
    DataError, LabelError
        If a night or a label file cannot be used, or a label is of a class that the model lacks.
    ModelError
        If the model uses features that cannot be computed from a night, or the folder cannot be
        written.

    Examples
    --------
    Skipped, because it simulates nights:

    >>> report = extend(["night.parquet"], Model.load(), "extended")   # doctest: +SKIP
    >>> # skipped: takes half a minute
    """
    check_place(Path(folder), overwrite=overwrite)
    classifier = _with_trees(base)
    _check_features(base)
    read = read_training_set(nights, labels, augment=True, own=base.own)
    data = _without_derived_labels(read)
    classes = list(base.card["classes"])
    unknown = sorted(set(data.y) - set(classes))
    if unknown:
        raise LabelError(
            f"{', '.join(map(str, nights))}: labels of class {', '.join(unknown)}, which the model "
            f"{base.folder.name} does not have; remove them or extend a model with this class"
        )
    names = list(classifier.feature_names_in_)
    ballast = simulated_ballast(classifier, names, base.own)
    everything = Extension(classifier, data, names, ballast, seed)
    extended = everything.fit(np.ones(len(data.y), bool))
    probes = pd.DataFrame(np.array(base.card["probes"]["values"], dtype=float), columns=names)
    report, summary = _report(everything, data, classes, seed)
    save_model(extended, folder, _card(base, data, summary), probes, overwrite, base.own)
    return report


def _with_trees(base):
    if not isinstance(base.classifier, AlertClassifier):
        raise ModelError(
            f"{base.folder}: {base.card['estimator']['name']} cannot be extended; train it again "
            "with all labels, or extend a model of ztfml train"
        )
    return base.classifier


def _check_features(base):
    base.check_versions()
    computed = {feature.name for feature in (*FEATURES, *own_features(base.own))}
    others = [one["name"] for one in base.card["features"] if one["name"] not in computed]
    if others:
        raise ModelError(
            f"{base.folder}: uses features that training does not compute ({others[0]}); "
            "name the Python file of own features with --trust, or extend another model"
        )


def _without_derived_labels(data):
    """Drop labels that the user did not give: alerts with a low drb."""
    kept = (data.labels["evidence"] != BOGUS_EVIDENCE) & (data.labels["copy"] != "low drb")
    if not kept.any():
        raise LabelError(
            "all labelled alerts have a drb below 0.1, and count as artifacts anyway; label others"
        )
    return data.subset(kept.to_numpy())


def simulated_ballast(
    classifier: AlertClassifier, names: list[str], own: Sequence[Group] = ()
) -> tuple[pd.DataFrame, np.ndarray]:
    """Compute features of simulated alerts, and the probabilities of a classifier for them.

    Parameters
    ----------
    classifier : AlertClassifier
    names : list of str
        The features of the classifier.
    own : sequence of Group
        The own features of the classifier.

    Returns
    -------
    table : DataFrame
        The last row has no values.
    probabilities : ndarray, shape (n, n_classes)
        From the raw scores, before the temperature.

    Examples
    --------
    Skipped, because it simulates nights:

    >>> ballast = simulated_ballast(model.classifier, names)   # doctest: +SKIP
    """
    with tempfile.TemporaryDirectory() as place, _silent():
        paths = []
        for start_jd, seed in _BALLAST:
            paths += write_nights(place, _N_BALLAST, seed=seed, mix="balanced", start_jd=start_jd)
        table = read_training_set(paths, augment=True, own=own).table[names]
    # An alert without any value: otherwise the trees would take missing values for 0.
    table.loc[len(table)] = np.nan
    scores = classifier.booster_.predict(table.to_numpy(), raw_score=True)
    return table, softmax(scores, axis=1)


@contextmanager
def _silent():
    """Suppress remarks about simulated alerts, which are not files of the user."""
    logger = logging.getLogger("ztfml")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


class Extension:
    """Train the additional trees of a model on labelled alerts.

    Parameters
    ----------
    base : AlertClassifier
        The classifier to extend.
    data : TrainingSet
        Labelled alerts and their degraded copies.
    names : list of str
        The features of the classifier.
    ballast : tuple of (DataFrame, ndarray)
        Features of simulated alerts, and the probabilities of the classifier for them, in the
        order of its classes; see `simulated_ballast`.
    seed : int

    Examples
    --------
    Skipped, because it simulates nights:

    >>> extension = Extension(classifier, data, names, ballast, 0)   # doctest: +SKIP
    """

    def __init__(self, base, data, names, ballast, seed):
        self.base, self.seed = base, seed
        self.table = data.table[names]
        self.code = pd.Index(base.classes_).get_indexer(data.y)
        confidence = data.labels["confidence"].map(CONFIDENCE_WEIGHT).to_numpy(float)
        copies = data.labels.groupby("candid")["candid"].transform("size").to_numpy()
        self.weight = confidence / copies
        self.ballast, p = ballast
        # One row for each class that an alert may have, with its probability as weight.
        self.row, self.row_code = np.nonzero(p > _SMALLEST_SHARE)
        self.row_weight = p[self.row, self.row_code] * BALLAST_WEIGHT / len(p)

    def fit(self, rows: np.ndarray) -> AlertClassifier:
        """Return the extended classifier, trained on the rows of a mask."""
        values = np.vstack([self.table[rows], self.ballast.to_numpy()[self.row]])
        data = lgb.Dataset(
            values,
            np.r_[self.code[rows], self.row_code],
            weight=np.r_[self.weight[rows], self.row_weight],
            feature_name=list(self.table.columns),
            free_raw_data=False,
        )
        base = self.base
        parameters = {
            **_PARAMETERS,
            "num_class": len(base.classes_),
            "seed": self.seed,
            "num_threads": 1,
        }
        booster = lgb.train(parameters, data, N_ROUNDS, init_model=base.booster_)
        return AlertClassifier.restored(
            booster.model_to_string(),
            base.classes_,
            base.feature_names_in_,
            base.class_prior_,
            base.temperature_,
            base.get_params(),
        )


def _report(extension, data, classes, seed):
    """Compare the model with extensions that were not trained on the objects they predict."""
    original = data.is_original
    before = extension.base.predict(extension.table[original])
    y, n = data.y[original], int(original.sum())
    lines = [f"The model predicts {(before == y).sum()} of {n} new labels."]
    n_objects = len(np.unique(data.objects))
    if n_objects >= 2 * _N_FOLDS:
        after = np.empty(len(data.y), dtype=object)
        folds = object_folds(extension.code, data.objects, _N_FOLDS, seed)
        for fold in np.unique(folds):
            fitted = extension.fit(folds != fold)
            after[folds == fold] = fitted.predict(extension.table[folds == fold])
        right = int((after[original] == y).sum())
        lines.append(
            f"Extensions that were not trained on the object predict {right} of {n} "
            f"({_N_FOLDS} folds of objects)."
        )
    return "\n".join(lines), " ".join(lines)


def _card(base, data, summary):
    old = base.card["training"]
    new_labels = count_evidence(data.labels[data.is_original])
    n = int(data.is_original.sum())
    return {
        **{key: base.card.get(key) for key in ("importance", "features", "distributions")},
        "metrics": [_before(one) for one in base.card["metrics"]],
        "training": {
            "nights": [*old.get("nights", []), *data.nights],
            "labels": [*old.get("labels", []), *new_labels],
            "rules": [
                *old.get("rules", []),
                f"The model (sha256 {base.card['model']['sha256'][:12]}) was extended with {n} "
                f"labels of {', '.join(night['name'] for night in data.nights)}. {summary}",
            ],
            "objects": _join_objects(old.get("objects", ""), pack_objects(data.objects)),
        },
    }


_BEFORE = "Before the extension"


def _before(metrics):
    title = metrics.get("title", "Metrics")
    return metrics if title.startswith(_BEFORE) else {**metrics, "title": f"{_BEFORE}: {title}"}


def _join_objects(*packed):
    hashes = np.concatenate([np.frombuffer(base64.b64decode(one), "<u4") for one in packed])
    return base64.b64encode(np.unique(hashes).astype("<u4").tobytes()).decode()
