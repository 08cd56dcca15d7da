"""Metrics of subsets of a night, and ROC and precision-recall curves."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from ztfml.evaluation.metrics import metrics
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS

__all__ = ["assess", "curves"]

N_POINTS = 101
"""Maximum number of points of a curve, evenly spaced along it."""

_MAGNITUDES = (-np.inf, 17.0, 18.0, 19.0, 20.0, np.inf)
_MAGNITUDE_NAMES = ("up to 17", "17 to 18", "18 to 19", "19 to 20", "over 20")
_DETECTIONS = (0, 1, 3, 10, 30, np.inf)
_DETECTION_NAMES = ("1", "2 to 3", "4 to 10", "11 to 30", "over 30")


def assess(
    y_true: ArrayLike,
    predicted: pd.DataFrame,
    alerts: pd.DataFrame,
    packet_only: pd.DataFrame | None = None,
    seed: int = 0,
) -> dict:
    """Compute metrics of all alerts and of subsets, and the curves of each class.

    Parameters
    ----------
    y_true : array of str, shape (n,)
    predicted : DataFrame, shape (n, 5)
        Columns ``p_<label>``.
    alerts : DataFrame, n rows
        ``objectId``, ``magpsf`` (mag), ``n_det`` (detections up to the alert), ``circular``
        (bool: the label was derived from a field that is also a feature) and ``has_history``
        (bool).
    packet_only : DataFrame, shape (n, 5), optional
        Predictions for the same alerts without their history.
    seed : int

    Returns
    -------
    dict
        The result of `ztfml.evaluation.metrics.metrics`, with ``curves`` (see `curves`) and
        ``slices``: ``labels``, ``magnitude``, ``detections`` and ``history``, each a dict of name
        to the metrics of those alerts; subsets without alerts are absent.

    Examples
    --------
    >>> columns = night.alerts[["objectId", "magpsf"]]
    >>> columns = columns.assign(n_det=table["n_det"], circular=False, has_history=True)
    >>> labels = predictions["label"].to_numpy(str)
    >>> found = assess(labels, predictions[list(PROBABILITY_COLUMNS)], columns)
    >>> found["slices"]["magnitude"]["19 to 20"]["accuracy"]
    1.0
    """
    y_true, objects = np.asarray(y_true, dtype=str), alerts["objectId"].to_numpy()

    def score(rows, table=predicted):
        return metrics(y_true[rows], table[rows], objects[rows], seed=seed)

    slices = {
        name: {part: score(of_part == part) for part in of_part.categories if part in set(of_part)}
        for name, of_part in _parts(alerts).items()
    }
    past = alerts["has_history"].to_numpy()
    if packet_only is not None and past.any():
        slices["history"] = {"with history": score(past), "packet alone": score(past, packet_only)}
    return {
        **score(np.ones(len(y_true), bool)),
        "curves": curves(y_true, predicted),
        "slices": slices,
    }


def _parts(alerts):
    kinds = ["not circular", "circular"]
    return {
        "labels": pd.Categorical(np.where(alerts["circular"], *kinds[::-1]), kinds),
        "magnitude": pd.cut(
            alerts["magpsf"].to_numpy(), _MAGNITUDES, labels=list(_MAGNITUDE_NAMES)
        ),
        "detections": pd.cut(
            alerts["n_det"].to_numpy(), _DETECTIONS, labels=list(_DETECTION_NAMES)
        ),
    }


def curves(y_true: ArrayLike, probability_table: pd.DataFrame) -> dict:
    """Compute the ROC and precision-recall curves of each class against all others.

    Parameters
    ----------
    y_true : array of str, shape (n,)
    probability_table : DataFrame with the columns ``p_<label>``

    Returns
    -------
    dict
        Label to ``roc`` (``auc``, ``false_positive_rate``, ``true_positive_rate``) and
        ``precision_recall`` (``average_precision``, ``threshold`` on ``p_<label>``,
        ``precision``, ``recall`` in increasing order), each of at most 101 points; the
        areas are those of the full curves. None if no alert or every alert has this class.

    Examples
    --------
    >>> labels = predictions["label"].to_numpy(str)
    >>> found = curves(labels, predictions[list(PROBABILITY_COLUMNS)])
    >>> found["star"]["roc"]["auc"] > 0.99
    True
    """
    y_true = np.asarray(y_true, dtype=str)
    return {
        label: _curves_of(y_true == label, probability_table[column].to_numpy())
        for label, column in zip(LABELS, PROBABILITY_COLUMNS, strict=True)
    }


def _curves_of(is_label, score):
    if is_label.all() or not is_label.any():
        return None
    false, true, _ = roc_curve(is_label, score)
    precision, recall, threshold = precision_recall_curve(is_label, score)
    # Without the last point of scikit-learn, which has no threshold; high thresholds first.
    precision, recall, threshold = precision[-2::-1], recall[-2::-1], threshold[::-1]
    on_roc, on_recall = _evenly(false + true), _evenly(recall)
    return {
        "roc": {
            "auc": float(roc_auc_score(is_label, score)),
            "false_positive_rate": _compact(false[on_roc]),
            "true_positive_rate": _compact(true[on_roc]),
        },
        "precision_recall": {
            "average_precision": float(average_precision_score(is_label, score)),
            "threshold": _compact(threshold[on_recall]),
            "precision": _compact(precision[on_recall]),
            "recall": _compact(recall[on_recall]),
        },
    }


def _evenly(way):
    """Positions that are spread evenly over a rising array, its ends among them."""
    wanted = np.linspace(way[0], way[-1], N_POINTS)
    return np.unique(np.searchsorted(way, wanted))


def _compact(values):
    return values.round(5).tolist()
