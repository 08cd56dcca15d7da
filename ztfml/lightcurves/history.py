"""The history of all objects as arrays, and the rows that each alert may see."""

from typing import NamedTuple

import numpy as np

from ztfml.compiled import cached, kernel

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
    object_code : ndarray of int32, shape (n,)
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
    in_order, n_repeats, start = _scan(object_code, n_objects, history)
    if not in_order:
        order = _sorted_rows(object_code, n_objects, history)
        object_code = object_code[order]
        history = History(*(column[order] for column in history[:-1]), start=history.start)
        _, n_repeats, start = _scan(object_code, n_objects, history)
    if n_repeats:
        first = _first_of_each(object_code, history)
        object_code = object_code[first]
        history = History(*(column[first] for column in history[:-1]), start=history.start)
        _, _, start = _scan(object_code, n_objects, history)
    return history._replace(start=start)


@cached
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
        # Most alerts are later than all rows, which is known without a search.
        if low < high and history_jd[high - 1] < jd[k]:
            low = high
        while low < high:
            middle = (low + high) // 2
            if history_jd[middle] < jd[k]:
                low = middle + 1
            else:
                high = middle
        last[k] = low
    return first, last


@kernel
def repeats_alert(jd, fid, magpsf, alert_jd, alert_fid, alert_magpsf):
    """Whether a history row is the alert itself, shipped again with a rounded epoch.

    >>> repeats_alert(2459000.7000001, 1, 18.5, 2459000.7, 1, 18.5)
    True
    """
    return (
        abs(jd - alert_jd) < SAME_EPOCH
        and fid == alert_fid
        and abs(magpsf - alert_magpsf) < SAME_MAG
    )


@cached
def _scan(object_code, n_objects, history):
    """Whether the rows are in order, and how many repeat the row before to the letter.

    Third is where each object begins, if they are in order.
    """
    start = np.empty(n_objects + 1, np.int64)
    begun = repeats = 0
    for k in range(len(object_code)):
        code = object_code[k]
        if k == 0 or code != object_code[k - 1]:
            if code < begun:
                return False, repeats, start
            start[begun : code + 1] = k
            begun = code + 1
        # Nearly all rows are later than the one before, and need no closer look.
        elif not history.jd[k] > history.jd[k - 1]:
            order = _compare(history, k - 1, k)
            if order > 0:
                return False, repeats, start
            repeats += order == 0
    start[begun:] = len(object_code)
    return True, repeats, start


@cached
def _first_of_each(object_code, history):
    """Which rows, in order, do not repeat the row before."""
    first = np.ones(len(object_code), np.bool_)
    for k in range(1, len(object_code)):
        first[k] = object_code[k] != object_code[k - 1] or _compare(history, k - 1, k) != 0
    return first


@cached
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


@cached
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


@cached
def _compare_floats(a, b):
    """Compare with NaN last and equal to itself."""
    if np.isnan(a) or np.isnan(b):
        return int(np.isnan(a)) - int(np.isnan(b))
    return int(a > b) - int(a < b)
