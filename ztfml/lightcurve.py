"""Light curves as plain arrays: sorted once, then cut at an alert's epoch.

The functions here are compiled and know nothing of files. What an alert may see is decided
in `visible_rows`, and nowhere else.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

# Julian dates of one exposure differ by up to 5e-6 d between packets (some are rounded to
# 0.1 s); the magnitudes of one candidate agree to the last printed digit.
SAME_EPOCH = 1e-5
SAME_MAG = 1e-3


class History(NamedTuple):
    """The rows of all objects, sorted by object, then jd.

    Object k has the rows ``start[k]:start[k + 1]``. ``fid`` is 0 where unknown, ``magpsf``
    NaN where not detected, ``isdiffpos`` +1, -1 or 0 (unknown).
    """

    jd: np.ndarray
    fid: np.ndarray
    magpsf: np.ndarray
    sigmapsf: np.ndarray
    diffmaglim: np.ndarray
    isdiffpos: np.ndarray
    start: np.ndarray

    @classmethod
    def empty(cls):
        """A history without objects."""
        return cls(
            *(np.empty(0, kind) for kind in ("f8", "i1", "f8", "f8", "f8", "i1")),
            start=np.zeros(1, np.int64),
        )

    def rows(self, first, last):
        """The columns of rows ``first:last`` as a dict of arrays (views, not copies)."""
        return {name: getattr(self, name)[first:last] for name in self._fields[:-1]}


def order_rows(object_code, n_objects, rows):
    """Sort history rows by object and time, and count exact duplicates once.

    Rows of one epoch are put in the order of their values, so that the outcome does not
    depend on the order in which they came. Two candidates in one exposure both stay.

    Parameters
    ----------
    object_code : ndarray of int64, shape (n,)
        The object of each row, from 0.
    n_objects : int
    rows : dict of ndarray, each of shape (n,)
        The columns of `History` but ``start``; ``jd`` without NaN.

    Returns
    -------
    History

    Examples
    --------
    >>> order_rows(np.zeros(2, int), 1, rows).jd   # doctest: +SKIP
    array([2459000.5, 2459001.5])
    """
    history = History(*(rows[name] for name in History._fields[:-1]), start=np.empty(0, np.int64))
    in_order, repeats = _check_order(object_code, history)
    if not in_order:
        order = _sorted_rows(object_code, n_objects, history)
        object_code = object_code[order]
        history = History(*(column[order] for column in history[:-1]), start=history.start)
        repeats = _check_order(object_code, history)[1]
    if repeats.any():
        object_code = object_code[~repeats]
        history = History(*(column[~repeats] for column in history[:-1]), start=history.start)
    start = np.searchsorted(object_code, np.arange(n_objects + 1))
    return history._replace(start=start)


@njit(cache=True)
def visible_rows(object_code, jd, start, history_jd):
    """The as-of rule: each alert sees the rows of its object with ``jd < alert.jd``.

    Parameters
    ----------
    object_code : ndarray of int64, shape (n_alerts,)
        The alert's object in the history, -1 where it has none.
    jd : ndarray, shape (n_alerts,), d
        The alert's epoch; NaN sees nothing.
    start : ndarray of int64, shape (n_objects + 1,)
    history_jd : ndarray, shape (n_rows,), d

    Returns
    -------
    first, last : ndarray of int64, shape (n_alerts,)
        Alert k sees the history rows ``first[k]:last[k]``.

    Examples
    --------
    >>> visible_rows(np.array([0]), np.array([2.0]), np.array([0, 3]), np.array([1.0, 2, 3]))
    (array([0]), array([1]))
    """
    first = np.zeros(len(jd), np.int64)
    last = np.zeros(len(jd), np.int64)
    for k in range(len(jd)):
        code = object_code[k]
        if code < 0 or np.isnan(jd[k]):
            continue
        low, high = start[code], start[code + 1]
        first[k] = low
        while low < high:
            middle = (low + high) // 2
            if history_jd[middle] < jd[k]:
                low = middle + 1
            else:
                high = middle
        last[k] = low
    return first, last


@njit(cache=True)
def repeats_alert(jd, fid, magpsf, alert_jd, alert_fid, alert_magpsf):
    """Whether a history row is the alert itself, shipped again with a rounded epoch.

    >>> repeats_alert(2459000.7000001, 1, 18.5, 2459000.7, 1, 18.5)
    True
    """
    return (
        fid == alert_fid
        and abs(jd - alert_jd) < SAME_EPOCH
        and abs(magpsf - alert_magpsf) < SAME_MAG
    )


@njit(cache=True)
def _check_order(object_code, history):
    """Whether the rows are in order, and which repeat the row before to the letter."""
    repeats = np.zeros(len(object_code), np.bool_)
    for k in range(1, len(object_code)):
        if object_code[k] < object_code[k - 1]:
            return False, repeats
        if object_code[k] == object_code[k - 1]:
            order = _compare(history, k - 1, k)
            if order > 0:
                return False, repeats
            repeats[k] = order == 0
    return True, repeats


@njit(cache=True)
def _sorted_rows(object_code, n_objects, history):
    """The order of the rows by object, then by `_compare`."""
    n = len(object_code)
    start = np.zeros(n_objects + 1, np.int64)
    for code in object_code:
        start[code + 1] += 1
    start = np.cumsum(start)
    order = np.empty(n, np.int64)
    filled = start[:-1].copy()
    for k in range(n):
        order[filled[object_code[k]]] = k
        filled[object_code[k]] += 1
    for code in range(n_objects):
        part = order[start[code] : start[code + 1]]
        part[:] = part[np.argsort(history.jd[part], kind="mergesort")]
        # What is left to put in order are rows of one epoch, a handful at most.
        for k in range(1, len(part)):
            row, place = part[k], k
            while place > 0 and _compare(history, part[place - 1], row) > 0:
                part[place] = part[place - 1]
                place -= 1
            part[place] = row
    return order


@njit(cache=True)
def _compare(history, a, b):
    """Negative, 0 or positive as row a stands before, equals, or stands after row b."""
    if history.jd[a] != history.jd[b]:
        return -1 if history.jd[a] < history.jd[b] else 1
    if history.fid[a] != history.fid[b]:
        return -1 if history.fid[a] < history.fid[b] else 1
    for column in (history.magpsf, history.sigmapsf, history.diffmaglim):
        order = _compare_floats(column[a], column[b])
        if order != 0:
            return order
    return history.isdiffpos[a] - history.isdiffpos[b]


@njit(cache=True)
def _compare_floats(a, b):
    """Compare with NaN last and equal to itself."""
    if np.isnan(a) or np.isnan(b):
        return int(np.isnan(a)) - int(np.isnan(b))
    return int(a > b) - int(a < b)
