"""Positions of alerts in the ranked list of a night, from scores alone."""

import numpy as np


class GroupPositions:
    """Positions of alerts that are added to the objects of a night in groups.

    Parameters
    ----------
    night_scores : ndarray, shape (n_objects,)
        Scores of the objects of the night, sorted.
    score : ndarray, shape (n,)
        Scores of the alerts; minus infinity means not in the list.
    group : ndarray of int, shape (n,)
        Alerts of one group are in the list together.

    Attributes
    ----------
    above, equal : ndarray of int, shape (n,)
        Number of rows with a higher score, and with the same score (including the alert).
    listed : ndarray of bool, shape (n,)

    Examples
    --------
    >>> scores = np.array([0.1, 0.9])
    >>> GroupPositions(scores, np.array([0.5, 0.9]), np.array([0, 0])).probability(2)
    array([0., 1.])
    """

    def __init__(self, night_scores: np.ndarray, score: np.ndarray, group: np.ndarray):
        self.listed = score > -np.inf
        self.above, self.equal = count_above(night_scores, score), count_equal(night_scores, score)
        for one in np.unique(group):
            rows = group == one
            together = np.sort(score[rows])
            self.above[rows] += count_above(together, score[rows])
            self.equal[rows] += count_equal(together, score[rows])

    def probability(self, top: int) -> np.ndarray:
        """Probability of each alert to be in the first rows, with equal scores in random order.

        Parameters
        ----------
        top : int
            The number of rows.

        Returns
        -------
        ndarray, shape (n,)
        """
        return np.where(self.listed, probability_in_top(top, self.above, self.equal), 0.0)

    def rank(self) -> np.ndarray:
        """Rank of each alert, the mean rank for equal scores; NaN if it is not in the list.

        Returns
        -------
        ndarray, shape (n,)
        """
        return np.where(self.listed, self.above + (self.equal + 1) / 2, np.nan)


class SinglePositions(GroupPositions):
    """Positions of alerts that are added to the objects of a night one at a time.

    Parameters
    ----------
    night_scores, score : ndarray
        As for `GroupPositions`.

    Examples
    --------
    >>> SinglePositions(np.array([0.1, 0.9]), np.array([0.5, 0.9])).probability(1)
    array([0. , 0.5])
    """

    def __init__(self, night_scores: np.ndarray, score: np.ndarray):
        self.listed = score > -np.inf
        self.above = count_above(night_scores, score)
        self.equal = count_equal(night_scores, score) + 1


def probability_in_top(top: int, above: np.ndarray, equal: np.ndarray) -> np.ndarray:
    """Probability to be in the first rows, given the numbers of higher and equal scores.

    Parameters
    ----------
    top : int
    above, equal : ndarray of int
        As in `GroupPositions`.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> probability_in_top(12, np.array([11, 11, 12]), np.array([1, 2, 1]))
    array([1. , 0.5, 0. ])
    """
    return np.clip((top - above) / equal, 0.0, 1.0)


def count_above(scores: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Count the sorted scores that are higher than each value.

    Parameters
    ----------
    scores : ndarray, sorted
    score : ndarray

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> count_above(np.array([0.1, 0.5, 0.5]), np.array([0.2, 0.5]))
    array([2, 0])
    """
    return len(scores) - np.searchsorted(scores, score, side="right")


def count_equal(scores: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Count the sorted scores that are equal to each value.

    Parameters
    ----------
    scores : ndarray, sorted
    score : ndarray

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> count_equal(np.array([0.1, 0.5, 0.5]), np.array([0.2, 0.5]))
    array([0, 2])
    """
    return np.searchsorted(scores, score, side="right") - np.searchsorted(
        scores, score, side="left"
    )
