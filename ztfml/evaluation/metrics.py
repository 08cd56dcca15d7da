"""Classification metrics with bootstrap intervals, and the calibration of probabilities."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS

__all__ = [
    "calibration_error",
    "labels_from",
    "metrics",
    "metrics_by",
    "reliability",
]


N_DRAWS = 200
INTERVAL = (0.05, 0.95)
"""Intervals contain 90% of the bootstrap samples."""

N_BINS = 10
"""Bins of confidence with equal numbers of alerts, because most probabilities are close to 1
(Nixon et al. 2019)."""


def metrics(
    y_true: ArrayLike,
    predicted: ArrayLike | pd.DataFrame,
    groups: ArrayLike | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> dict:
    """Compare predictions with labels.

    Parameters
    ----------
    y_true : array of str, shape (n,)
        Labels of `taxonomy.LABELS`.
    predicted : array of str, shape (n,), or DataFrame with the columns ``p_<label>``
        Predicted labels, or probabilities; the most probable class is the prediction.
    groups : array, shape (n,), optional
        The object of each row. Alerts of one object are correlated, so the bootstrap draws
        objects, not alerts, with replacement (Efron & Tibshirani 1993, ch. 8).
    n_draws : int
        Number of bootstrap samples.
    seed : int

    Returns
    -------
    dict
        ``macro_f1`` (mean F1 of the classes among the labels), ``accuracy``, ``per_class``
        (label to ``precision``, ``recall``, ``f1``, ``support``; None where undefined),
        ``confusion`` (rows are labels, columns predictions, both in the order ``labels``),
        ``n``, ``n_objects``, ``intervals`` (the 5% and 95% quantiles of ``macro_f1`` and
        ``accuracy``, and by class of ``precision``, ``recall`` and ``f1``) and, from
        probabilities, ``calibration_error``, ``calibration_noise`` (the mean
        calibration error of a perfectly calibrated classifier on these objects) and ``reliability``
        (the columns of `reliability`); None from labels.

    Raises
    ------
    ValueError
        If there are no rows or a label is unknown.

    Examples
    --------
    >>> metrics(["agn", "star"], ["agn", "agn"])["accuracy"]
    0.5
    """
    y_true = np.asarray(y_true, dtype=str)
    guess = labels_from(predicted) if hasattr(predicted, "columns") else predicted
    cell = len(LABELS) * _codes(y_true) + _codes(np.asarray(guess, dtype=str))
    if len(cell) == 0:
        raise ValueError("there are no labels to compare with")
    groups = np.arange(len(cell)) if groups is None else np.asarray(groups)
    object_code, objects = pd.factorize(groups)
    counts = _confusions(cell, [None])
    scores = _scores(counts)
    draws = _scores(_confusions(cell, _draws(object_code, len(objects), n_draws, seed)))
    return {
        "macro_f1": scores["macro_f1"][0].item(),
        "accuracy": scores["accuracy"][0].item(),
        "per_class": {
            label: {
                **{name: _plain(scores[name][0, k]) for name in ("precision", "recall", "f1")},
                "support": int(counts[0, k].sum()),
            }
            for k, label in enumerate(LABELS)
        },
        "labels": list(LABELS),
        "confusion": counts[0].astype(int).tolist(),
        "n": len(cell),
        "n_objects": len(objects),
        "intervals": {
            "macro_f1": _interval(draws["macro_f1"]),
            "accuracy": _interval(draws["accuracy"]),
            **{
                name: {label: _interval(draws[name][:, k]) for k, label in enumerate(LABELS)}
                for name in ("precision", "recall", "f1")
            },
        },
        **_calibration(y_true, predicted, object_code, n_draws, seed),
    }


def _calibration(y_true, predicted, object_code, n_draws, seed):
    if not hasattr(predicted, "columns"):
        return dict.fromkeys(("calibration_error", "calibration_noise", "reliability"))
    curve = reliability(y_true, predicted)
    return {
        "calibration_error": _mean_gap(curve),
        "calibration_noise": _calibration_noise(predicted, object_code, n_draws, seed),
        "reliability": curve.to_dict("list"),
    }


def metrics_by(
    y_true: ArrayLike, predicted: ArrayLike | pd.DataFrame, groups: ArrayLike, parts: ArrayLike
) -> dict:
    """Compute the main metrics separately for each night, source or other part.

    Parameters
    ----------
    y_true, predicted, groups
        As for `metrics`.
    parts : array of str, shape (n,)
        The part of each row.

    Returns
    -------
    dict
        Name of the part to ``macro_f1``, ``accuracy``, ``labels``, ``confusion``, ``n``,
        ``n_objects`` as in `metrics`; the largest part first.

    Examples
    --------
    >>> metrics_by(["agn", "star"], pd.Series(["agn", "agn"]), [1, 2], ["a", "b"])["b"]["n"]
    1
    """
    y_true, groups, parts = np.asarray(y_true), np.asarray(groups), np.asarray(parts, dtype=str)
    main = ("macro_f1", "accuracy", "labels", "confusion", "n", "n_objects")
    scores = {
        part: metrics(y_true[parts == part], predicted[parts == part], groups[parts == part])
        for part in pd.Series(parts).value_counts().index
    }
    return {part: {name: one[name] for name in main} for part, one in scores.items()}


def labels_from(probability_table: pd.DataFrame) -> np.ndarray:
    """Return the most probable class of each row.

    Parameters
    ----------
    probability_table : DataFrame with the columns ``p_<label>``

    Returns
    -------
    ndarray of str, shape (n,)

    Examples
    --------
    >>> bool((labels_from(predictions) == predictions["label"]).all())
    True
    """
    best = probability_table[list(PROBABILITY_COLUMNS)].to_numpy().argmax(axis=1)
    return np.array(LABELS)[best]


def _codes(labels):
    codes = pd.Index(LABELS).get_indexer(labels)
    if (codes < 0).any():
        raise ValueError(f"{str(labels[codes < 0][0])!r} is none of {', '.join(LABELS)}")
    return codes


def _confusions(cell, weights):
    """Confusion matrices, shape (n_weights, 5, 5), one for each set of row weights."""
    n = len(LABELS)
    return np.array([np.bincount(cell, row, n * n) for row in weights]).reshape(-1, n, n)


def _draws(object_code, n_objects, n_draws, seed):
    """The number of times that each row is drawn if objects are drawn with replacement."""
    rng = np.random.default_rng(seed)
    for _ in range(n_draws):
        drawn = rng.integers(0, n_objects, n_objects)
        yield np.bincount(drawn, minlength=n_objects)[object_code]


def _scores(confusion):
    right = np.diagonal(confusion, axis1=1, axis2=2)
    support, guessed = confusion.sum(axis=2), confusion.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = right / support
        precision = right / guessed
        f1 = np.where(support > 0, 2 * right / (support + guessed), np.nan)
    return {
        "recall": recall,
        # As in scikit-learn, the precision is 0 if a class has labels but no prediction.
        "precision": np.where((guessed == 0) & (support > 0), 0.0, precision),
        "f1": f1,
        "macro_f1": np.nanmean(f1, axis=1),
        "accuracy": right.sum(axis=1) / confusion.sum(axis=(1, 2)),
    }


def _plain(value):
    return None if np.isnan(value) else float(value)


def _interval(draws):
    draws = draws[~np.isnan(draws)]
    return [None, None] if len(draws) == 0 else np.quantile(draws, INTERVAL).tolist()


def reliability(
    y_true: ArrayLike, probability_table: pd.DataFrame, n_bins: int = N_BINS
) -> pd.DataFrame:
    """Compare the probability of the predicted class with the fraction of correct predictions.

    Parameters
    ----------
    y_true : array of str, shape (n,)
    probability_table : DataFrame with the columns ``p_<label>``
    n_bins : int
        Number of bins with equal numbers of alerts; alerts with the same probability are in
        the same bin.

    Returns
    -------
    pandas.DataFrame
        ``confidence`` (mean probability of the predicted class), ``fraction_right`` and
        ``n``, one row per bin that is not empty.

    Examples
    --------
    >>> labels = pd.read_csv("night_labels.csv")["label"]
    >>> int(reliability(labels, predictions)["n"].sum()) == len(night)
    True
    """
    confidence = _confidence(probability_table)
    right = labels_from(probability_table) == np.asarray(y_true, dtype=str)
    in_bin = _bins_of_equal_mass(confidence, n_bins)
    n = np.bincount(in_bin)
    return pd.DataFrame(
        {
            "confidence": np.bincount(in_bin, confidence) / n,
            "fraction_right": np.bincount(in_bin, right) / n,
            "n": n,
        }
    )


def _confidence(probability_table):
    return probability_table[list(PROBABILITY_COLUMNS)].to_numpy().max(axis=1)


def _bins_of_equal_mass(values, n_bins):
    """The bin of each value, numbered from 0 without gaps."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1], method="lower"))
    return np.unique(np.searchsorted(edges, values), return_inverse=True)[1]


def calibration_error(
    y_true: ArrayLike, probability_table: pd.DataFrame, n_bins: int = N_BINS
) -> float:
    """Compute the expected calibration error (Naeini et al. 2015).

    Parameters
    ----------
    y_true : array of str, shape (n,)
    probability_table : DataFrame with the columns ``p_<label>``
    n_bins : int
        As for `reliability`.

    Returns
    -------
    float
        Mean over the alerts of abs(confidence - fraction right).

    Examples
    --------
    >>> labels = pd.read_csv("night_labels.csv")["label"]
    >>> 0 < calibration_error(labels, predictions) < 0.1
    True
    """
    return _mean_gap(reliability(y_true, probability_table, n_bins))


def _mean_gap(curve):
    gap = (curve["confidence"] - curve["fraction_right"]).abs()
    return float((gap * curve["n"]).sum() / curve["n"].sum())


def _calibration_noise(probability_table, object_code, n_draws, seed):
    """The mean calibration error if all probabilities are correct (Bröcker & Smith 2007).

    All alerts of an object are assumed to be right or wrong together, which is the worst case.
    """
    confidence = _confidence(probability_table)
    in_bin = _bins_of_equal_mass(confidence, N_BINS)
    claimed = np.bincount(in_bin, confidence)
    rng = np.random.default_rng(seed)
    gaps = [
        np.abs(np.bincount(in_bin, rng.random(object_code.max() + 1)[object_code] < confidence)
               - claimed).sum()
        for _ in range(n_draws)
    ]  # fmt: skip
    return float(np.mean(gaps) / len(confidence))
