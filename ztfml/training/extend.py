"""Extend a model with new labels, without the data with which it was trained.

A few small trees are added to those of the model. They are trained on the new labels and on
simulated alerts, for which the probabilities of the model are the target. The simulated alerts keep
the model as it is wherever the new labels say nothing. Cross-validation over the objects chooses
the number of trees; if they do not improve the predictions, none is added.
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
from scipy.special import log_softmax, softmax

from ztfml.errors import LabelError, ModelError
from ztfml.features import FEATURES, Group
from ztfml.features.own import own_features
from ztfml.io.folder_writing import check_place
from ztfml.model.classifier import MAX_BIN, AlertClassifier
from ztfml.model.folds import object_folds
from ztfml.model.model import Model
from ztfml.model.save import save_model
from ztfml.simulate import write_nights
from ztfml.training.dataset import BOGUS_EVIDENCE, CONFIDENCE_WEIGHT, read_training_set
from ztfml.training.train import count_evidence
from ztfml.training.trained_objects import pack_objects

ROUNDS = (5, 10, 20, 30, 60)
"""Boosting rounds from which cross-validation chooses; each adds one tree per class."""

UNTESTED_ROUNDS = 30
"""Boosting rounds if there are too few objects for cross-validation."""

BALLAST_WEIGHT = 2000.0
"""Total weight of the simulated alerts; a new label of high confidence has the weight 1.

On six real sources with two or three seeds, this and an L2 penalty of 40 kept the macro-F1 of other
sources within 0.005 with 300 labels; with 500 and 10 it fell by 0.007. Other methods were worse:
with a logistic correction of the scores it fell by 0.004 to 0.006, with new leaf values for the old
trees by 0.005 to 0.008, with a correction of the class fractions alone by 0.012 to 0.016.
"""

_PARAMETERS = {
    "objective": "multiclass",
    "num_leaves": 4,
    "learning_rate": 0.1,
    "min_data_in_leaf": 5,
    "feature_fraction": 0.3,
    "lambda_l2": 40.0,
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
        How many of the new labels the model and its extension predict, and whether trees were
        added. For the extension, each object is predicted by trees that were not trained on it.

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
    extension = Extension(classifier, data, names, ballast, seed)
    rounds, lines = _chosen_rounds(extension, data)
    extended = extension.fit(rounds)
    probes = pd.DataFrame(np.array(base.card["probes"]["values"], dtype=float), columns=names)
    save_model(extended, folder, _card(base, data, " ".join(lines)), probes, overwrite, base.own)
    return "\n".join(lines)


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
        self.table, self.objects = data.table[names], data.objects
        self.is_original = data.is_original
        self.code = pd.Index(base.classes_).get_indexer(data.y)
        confidence = data.labels["confidence"].map(CONFIDENCE_WEIGHT).to_numpy(float)
        copies = data.labels.groupby("candid")["candid"].transform("size").to_numpy()
        self.weight = confidence / copies
        self.ballast, p = ballast
        # One row for each class that an alert may have, with its probability as weight.
        self.row, self.row_code = np.nonzero(p > _SMALLEST_SHARE)
        self.row_weight = p[self.row, self.row_code] * BALLAST_WEIGHT / len(p)

    def fit(self, rounds: int) -> AlertClassifier:
        """Return the classifier with this number of boosting rounds more."""
        base = self.base
        if not rounds:
            return base
        data = self._dataset()
        booster = lgb.train(self._parameters(), data, rounds, init_model=base.booster_)
        return AlertClassifier.restored(
            booster.model_to_string(),
            base.classes_,
            base.feature_names_in_,
            base.class_prior_,
            (base.temperature_, base.temperature_without_drb_),
            base.get_params(),
        )

    def cross_validate(self) -> tuple[int, np.ndarray]:
        """Choose the number of rounds by predicting objects that were not trained on.

        Returns
        -------
        rounds : int
            0 if the mean cross-entropy of the objects does not fall by more than its error.
        right : ndarray of int
            How many labelled alerts are predicted with 0 rounds and with each of `ROUNDS`.
        """
        base_scores = self._base_scores(self.table)
        scores = np.repeat(base_scores[None], len(ROUNDS) + 1, axis=0)
        # The scores of the model and the bins of the features are computed once for all folds.
        given = np.vstack([base_scores, self._base_scores(self.ballast)[self.row]])
        whole = self._dataset(init_score=given)
        folds = object_folds(self.code, self.objects, _N_FOLDS, self.seed)
        for fold in np.unique(folds):
            rows = folds == fold
            used = np.flatnonzero(np.r_[~rows, np.ones(len(self.row), bool)])
            added = lgb.train(self._parameters(), whole.subset(used), max(ROUNDS))
            held_out = self.table[rows].to_numpy()
            for k, rounds in enumerate(ROUNDS, start=1):
                scores[k, rows] += added.predict(held_out, raw_score=True, num_iteration=rounds)
        scores, code = scores[:, self.is_original], self.code[self.is_original]
        temperatures = self.base.temperatures(self.table[self.is_original].to_numpy(float))
        loss = -log_softmax(scores / temperatures, axis=2)[:, np.arange(len(code)), code]
        of_object = pd.DataFrame(loss.T).groupby(self.objects[self.is_original]).mean().to_numpy()
        gain = of_object[:, :1] - of_object
        best = int(gain.mean(axis=0).argmax())
        error = gain[:, best].std(ddof=1) / np.sqrt(len(gain))
        right = (scores.argmax(axis=2) == code).sum(axis=1)
        return ((0, *ROUNDS)[best] if gain[:, best].mean() > error else 0), right

    def _base_scores(self, table):
        return self.base.booster_.predict(table.to_numpy(), raw_score=True, num_threads=1)

    def _dataset(self, init_score=None):
        """The new labels and the simulated alerts."""
        return lgb.Dataset(
            np.vstack([self.table, self.ballast.to_numpy()[self.row]]),
            np.r_[self.code, self.row_code],
            weight=np.r_[self.weight, self.row_weight],
            init_score=init_score,
            feature_name=list(self.table.columns),
            params=self._parameters(),
            free_raw_data=False,
        )

    def _parameters(self):
        n_classes = len(self.base.classes_)
        return {**_PARAMETERS, "num_class": n_classes, "seed": self.seed, "num_threads": 1}


def _chosen_rounds(extension, data):
    """The number of rounds to add, and sentences about the predictions of new labels."""
    n = int(data.is_original.sum())
    if len(np.unique(data.objects)) < 2 * _N_FOLDS:
        before = extension.base.predict(extension.table[data.is_original])
        n_right = (before == data.y[data.is_original]).sum()
        return UNTESTED_ROUNDS, [
            f"The model predicts {n_right} of {n} new labels.",
            f"They are of fewer than {2 * _N_FOLDS} objects, too few to test the extension.",
        ]
    rounds, right = extension.cross_validate()
    lines = [f"The model predicts {right[0]} of {n} new labels."]
    if not rounds:
        return 0, [
            *lines,
            "Additional trees do not improve the probabilities of objects on which they were not "
            f"trained ({_N_FOLDS} folds of objects), so no trees were added.",
        ]
    n_right = right[1 + ROUNDS.index(rounds)]
    return rounds, [
        *lines,
        f"Extensions that were not trained on the object predict {n_right} of {n} "
        f"({_N_FOLDS} folds of objects; {rounds} boosting rounds were added).",
    ]


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
