"""Train on some objects and predict the others."""

import logging

import numpy as np
import pandas as pd
from sklearn.base import clone

from ztfml.evaluation.metrics import metrics
from ztfml.io.progress import track
from ztfml.model.classifier import probabilities
from ztfml.taxonomy import PROBABILITY_COLUMNS

log = logging.getLogger(__name__)


def out_of_part(classifier, features, y, groups, parts, weight=None, left_out=None):
    """Predict every part with a classifier that has seen neither it nor its objects.

    Parameters
    ----------
    classifier : AlertClassifier
        Not fitted; a copy is fitted for each part.
    features : DataFrame, shape (n, n_features)
    y : array of str, shape (n,)
    groups : array, shape (n,)
        The object of each row. Rows of an object that is in the part left out are not
        trained on, wherever else they stand.
    parts : array, shape (n,)
        Which part each row is in: a fold, a night, a source.
    weight : array, shape (n,), or callable, optional
        What each row weighs in training, or a function that gives the weights of the rows of a
        mask, where those depend on what else is trained on.
    left_out : sequence, optional
        The parts to predict, by default all. The others are only ever trained on.

    Returns
    -------
    pandas.DataFrame
        ``p_<label>``, NaN in rows that were not predicted: those of other parts, and of
        parts without which fewer than two classes are left to train on.

    Examples
    --------
    >>> out_of_part(AlertClassifier(), table, labels, objects, nights)   # doctest: +SKIP
    """
    y, groups, parts = np.asarray(y), np.asarray(groups), np.asarray(parts)
    weigh = _weights_of(weight, len(y))
    result = pd.DataFrame(np.nan, index=features.index, columns=list(PROBABILITY_COLUMNS))
    for part in track(
        list(pd.unique(parts) if left_out is None else left_out), "training for honest figures"
    ):
        test = parts == part
        rest = ~np.isin(groups, groups[test])
        weights = weigh(rest)
        if len(np.unique(y[rest][weights > 0])) < 2:
            log.info("%s cannot be left out: too few classes remain", part)
            continue
        fitted = clone(classifier).fit(
            features[rest], y[rest], sample_weight=weights, groups=groups[rest]
        )
        result[test] = probabilities(fitted, features[test]).to_numpy()
    return result


def _weights_of(weight, n):
    if callable(weight):
        return weight
    weight = np.ones(n) if weight is None else np.asarray(weight)
    return weight.__getitem__


def cross_validate(classifier, features, y, groups, parts, weight=None, left_out=None):
    """Score a classifier on parts that it has not seen, pooled and one by one.

    Parameters
    ----------
    classifier, features, y, groups, parts, weight, left_out
        As for `out_of_part`.

    Returns
    -------
    dict
        ``pooled``: the `metrics` of all predicted rows together; ``parts``: of each part.

    Raises
    ------
    ValueError
        If no part can be left out.

    Examples
    --------
    >>> five = object_folds(codes, objects, 5, seed=0)   # doctest: +SKIP
    >>> cross_validate(AlertClassifier(), table, labels, objects, five)["pooled"]["macro_f1"]
    ... # doctest: +SKIP
    """
    table = out_of_part(classifier, features, y, groups, parts, weight, left_out)
    y, groups, parts = np.asarray(y), np.asarray(groups), np.asarray(parts)
    done = table.notna().all(axis=1).to_numpy()
    return {
        "pooled": metrics(y[done], table[done], groups[done]),
        "parts": {
            part: metrics(y[here], table[here], groups[here])
            for part in pd.unique(parts[done])
            for here in [done & (parts == part)]
        },
    }
