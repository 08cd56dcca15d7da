"""Fit the temperatures that calibrate probabilities.

There is a second temperature for alerts without drb, for which the trees are too certain: on
sources that were not used in training it had to be larger by half.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

FEWEST_WITHOUT = 100
"""With fewer held-out rows without drb, these get the temperature of the other rows."""


def fit_temperature(scores: np.ndarray, code: np.ndarray, weight: np.ndarray) -> float:
    """Fit the temperature for which softmax(scores / temperature) is best calibrated.

    It minimizes the weighted cross-entropy (Guo et al. 2017, arXiv:1706.04599). Vector scaling,
    with two parameters per class, overfits the few held-out objects of rare classes (real
    alerts, five folds of objects: cross-entropy 0.133 instead of 0.114).

    Parameters
    ----------
    scores : ndarray, shape (n, n_classes)
        Raw scores of rows that were not used in training.
    code : ndarray of int, shape (n,)
        The class of each row.
    weight : ndarray, shape (n,)

    Returns
    -------
    float
        Above 1 if the probabilities were too close to 0 and 1.

    Examples
    --------
    >>> scores = np.array([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    >>> round(fit_temperature(scores, np.array([0, 0, 1]), np.ones(3)), 3)
    2.885
    """
    rows = np.arange(len(code))

    def cross_entropy(log_temperature):
        return -weight @ log_softmax(scores / np.exp(log_temperature), axis=1)[rows, code]

    return float(np.exp(minimize_scalar(cross_entropy, bounds=(-2.5, 2.5), method="bounded").x))


def fit_temperatures(
    scores: np.ndarray, code: np.ndarray, weight: np.ndarray, without: np.ndarray
) -> tuple[float, float]:
    """Fit one temperature for alerts with drb and one for alerts without it.

    Parameters
    ----------
    scores, code, weight
        As for `fit_temperature`.
    without : ndarray of bool, shape (n,)
        Rows without drb.

    Returns
    -------
    with_drb, without_drb : float
        Equal if one of them has fewer than `FEWEST_WITHOUT` rows.

    Examples
    --------
    >>> scores = np.tile([2.0, 0.0], (400, 1))
    >>> code = (np.arange(400) % 4 == 0).astype(int)
    >>> without = np.arange(400) >= 200
    >>> code[without] = np.arange(200) % 3 == 0
    >>> [round(one, 1) for one in fit_temperatures(scores, code, np.ones(400), without)]
    [1.8, 2.9]
    """
    if min(without.sum(), (~without).sum()) < FEWEST_WITHOUT:
        temperature = fit_temperature(scores, code, weight)
        return temperature, temperature
    with_drb, without_drb = (
        fit_temperature(scores[rows], code[rows], weight[rows]) for rows in (~without, without)
    )
    return with_drb, without_drb
