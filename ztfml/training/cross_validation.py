"""Train on some objects and predict the others."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.base import clone

from ztfml.evaluation.metrics import metrics
from ztfml.io.progress import track
from ztfml.model.classifier import AlertClassifier
from ztfml.model.probabilities import probabilities
from ztfml.taxonomy import PROBABILITY_COLUMNS

log = logging.getLogger(__name__)


def predict_held_out(
    classifier: AlertClassifier,
    features: pd.DataFrame,
    y: np.ndarray,
    groups: np.ndarray,
    folds: np.ndarray,
    weight: np.ndarray | Callable[[np.ndarray], np.ndarray] | None = None,
    held_out: Sequence | None = None,
) -> pd.DataFrame:
    """Predict each fold with a classifier that was trained without it and without its objects.

    Parameters
    ----------
    classifier : AlertClassifier
        Not fitted; a copy is fitted for each fold.
    features : DataFrame, shape (n, n_features)
    y : array of str, shape (n,)
        The label of each row.
    groups : array, shape (n,)
        The object of each row. If an object is in the held-out fold, none of its rows is used in
        training.
    folds : array, shape (n,)
        The fold of each row: a random fold, a night, a source.
    weight : array, shape (n,), or callable, optional
        The weight of each row in training, or a function that returns the weights of the rows
        of a mask.
    held_out : sequence, optional
        The folds to predict, by default all. The others are used in training only.

    Returns
    -------
    pandas.DataFrame
        ``p_<label>``. Rows that were not predicted are NaN: those of other folds, and of folds
        without which fewer than two classes remain.

    Examples
    --------
    >>> classifier = AlertClassifier(n_estimators=2)
    >>> halves = (predictions["objectId"] > object_id).to_numpy()
    >>> p = predict_held_out(
    ...     classifier, table, predictions["label"], predictions["objectId"], halves
    ... )
    >>> bool(p.notna().all(axis=None))
    True
    """
    y, groups, folds = np.asarray(y), np.asarray(groups), np.asarray(folds)
    weights_of = _weight_function(weight, len(y))
    result = pd.DataFrame(np.nan, index=features.index, columns=list(PROBABILITY_COLUMNS))
    to_predict = list(pd.unique(folds) if held_out is None else held_out)
    for fold in track(to_predict, "cross-validation"):
        test = folds == fold
        rest = ~np.isin(groups, groups[test])
        weights = weights_of(rest)
        if len(np.unique(y[rest][weights > 0])) < 2:
            log.info("%s cannot be held out: fewer than two classes remain", fold)
            continue
        fitted = clone(classifier).fit(
            features[rest], y[rest], sample_weight=weights, groups=groups[rest]
        )
        result[test] = probabilities(fitted, features[test]).to_numpy()
    return result


def _weight_function(weight, n):
    if callable(weight):
        return weight
    weight = np.ones(n) if weight is None else np.asarray(weight)
    return weight.__getitem__


def cross_validate(
    classifier: AlertClassifier,
    features: pd.DataFrame,
    y: np.ndarray,
    groups: np.ndarray,
    folds: np.ndarray,
    weight: np.ndarray | Callable[[np.ndarray], np.ndarray] | None = None,
    held_out: Sequence | None = None,
) -> dict:
    """Compute metrics on folds that were not used in training, together and one by one.

    Parameters
    ----------
    classifier, features, y, groups, folds, weight, held_out
        As for `predict_held_out`.

    Returns
    -------
    dict
        ``pooled``: the `ztfml.evaluation.metrics.metrics` of all predicted rows; ``folds``:
        those of each fold.

    Raises
    ------
    ValueError
        If no fold can be held out.

    Examples
    --------
    >>> classifier = AlertClassifier(n_estimators=2)
    >>> halves = (predictions["objectId"] > object_id).to_numpy()
    >>> found = cross_validate(
    ...     classifier, table, predictions["label"], predictions["objectId"], halves
    ... )
    >>> found["pooled"]["n"] == len(night)
    True
    """
    table = predict_held_out(classifier, features, y, groups, folds, weight, held_out)
    y, groups, folds = np.asarray(y), np.asarray(groups), np.asarray(folds)
    predicted = table.notna().all(axis=1).to_numpy()
    return {
        "pooled": metrics(y[predicted], table[predicted], groups[predicted]),
        "folds": {
            fold: metrics(y[rows], table[rows], groups[rows])
            for fold in pd.unique(folds[predicted])
            for rows in [predicted & (folds == fold)]
        },
    }
