"""Histories of all objects as flat arrays, and the rows of the history that each alert may see."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.compiled import cached


class History(NamedTuple):
    """History rows of all objects, sorted by object, then by time.

    Attributes
    ----------
    jd : ndarray of float64, shape (n_rows,), d
    fid : ndarray of int8, shape (n_rows,)
        Filter: 1 (g), 2 (r), 3 (i), or 0 if unknown.
    magpsf, sigmapsf : ndarray of float64, shape (n_rows,), mag
        Difference magnitude and its error, NaN for a non-detection.
    diffmaglim : ndarray of float64, shape (n_rows,), mag
        Limiting magnitude, NaN if unknown.
    isdiffpos : ndarray of int8, shape (n_rows,)
        +1 brighter than the reference, -1 fainter, 0 unknown.
    start : ndarray of int64, shape (n_objects + 1,)
        Object k has the rows ``start[k]:start[k + 1]``.
    """

    jd: np.ndarray
    fid: np.ndarray
    magpsf: np.ndarray
    sigmapsf: np.ndarray
    diffmaglim: np.ndarray
    isdiffpos: np.ndarray
    start: np.ndarray

    @classmethod
    def empty(cls) -> "History":
        """Make a history without objects."""
        return cls(
            *(np.empty(0, kind) for kind in ("f8", "i1", "f8", "f8", "f8", "i1")),
            start=np.zeros(1, np.int64),
        )

    def rows(self, first: int, last: int) -> dict[str, np.ndarray]:
        """Return rows ``first:last`` as a dict of column arrays (views, not copies)."""
        return {name: getattr(self, name)[first:last] for name in self._fields[:-1]}

    def of_objects(self, code: np.ndarray) -> "History":
        """Select the rows of some objects.

        Parameters
        ----------
        code : ndarray of int
            Positions of the objects, in the order of the result.

        Returns
        -------
        History

        Examples
        --------
        >>> len(night.history.of_objects(np.array([0, 2])).start)
        3
        """
        start, take = rows_of_objects(self.start, code)
        return History(*(column[take] for column in self[:-1]), start=start)


def rows_of_objects(start: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows of some objects in a table that is sorted by object.

    Parameters
    ----------
    start : ndarray of int64, shape (n_objects + 1,)
        Object k has the rows ``start[k]:start[k + 1]``.
    code : ndarray of int
        Positions of the objects, in increasing order.

    Returns
    -------
    new_start : ndarray of int64
        First row of each object after the selection.
    take : ndarray of int64
        The rows.

    Examples
    --------
    >>> rows_of_objects(np.array([0, 2, 3, 5]), np.array([0, 2]))
    (array([0, 2, 4]), array([0, 1, 3, 4]))
    """
    count = start[code + 1] - start[code]
    new_start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return new_start, np.repeat(start[code] - new_start[:-1], count) + np.arange(new_start[-1])


def find_objects(names: Any, object_ids: pa.StringArray) -> np.ndarray:
    """Find objects in the list of the objects of a history.

    Parameters
    ----------
    names : pandas.Series of str
    object_ids : pyarrow.StringArray

    Returns
    -------
    ndarray of int64
        The position of each name in `object_ids`, or -1.

    Examples
    --------
    >>> find_objects(pd.Series(["b", "c"]), pa.array(["a", "b"]))
    array([ 1, -1])
    """
    if len(object_ids) == 0:
        return np.full(len(names), -1, np.int64)
    wanted = pa.array(names, pa.string(), from_pandas=True)
    found = pc.index_in(wanted, value_set=object_ids)
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def order_rows(object_code: np.ndarray, n_objects: int, rows: dict[str, np.ndarray]) -> History:
    """Sort history rows by object and time, and remove exact duplicates.

    Rows with equal times are sorted by their other values, so the result does not depend on the
    order of the input. Different candidates of one exposure are all kept.

    Parameters
    ----------
    object_code : ndarray of int32, shape (n,)
        Index of the object of each row, from 0.
    n_objects : int
        Number of objects.
    rows : dict of ndarray, each of shape (n,)
        The columns of `History` except ``start``. ``jd`` must not contain NaN.

    Returns
    -------
    History

    Examples
    --------
    >>> rows = night.history.rows(0, 3)
    >>> latest_first = {name: column[::-1] for name, column in rows.items()}
    >>> history = order_rows(np.zeros(3, np.int32), 1, latest_first)
    >>> bool(np.all(history.jd == rows["jd"]))
    True
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
def visible_rows(
    object_code: np.ndarray, jd: np.ndarray, start: np.ndarray, history_jd: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the history rows that each alert may see: those of its object before the alert.

    Parameters
    ----------
    object_code : ndarray of int64, shape (n_alerts,)
        Index of the alert's object in the history, -1 if it has none.
    jd : ndarray, shape (n_alerts,), d
        Time of the alert. An alert without a time (NaN) sees no rows.
    start : ndarray of int64, shape (n_objects + 1,)
        First row of each object, as in `History`.
    history_jd : ndarray, shape (n_rows,), d
        Times of the history rows, as in `History`.

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
        # Most alerts are later than all their rows and need no search.
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


@cached
def _scan(object_code, n_objects, history):
    """Check the order of the rows, count exact duplicates, and find the start of each object.

    Returns whether the rows are in order, the number of rows equal to the row before, and the
    first row of each object (valid only if the rows are in order).
    """
    start = np.empty(n_objects + 1, np.int64)
    next_code = repeats = 0
    for k in range(len(object_code)):
        code = object_code[k]
        if k == 0 or code != object_code[k - 1]:
            if code < next_code:
                return False, repeats, start
            start[next_code : code + 1] = k
            next_code = code + 1
        # Nearly all rows are later than the one before and need no comparison of other values.
        elif not history.jd[k] > history.jd[k - 1]:
            order = _compare(history, k - 1, k)
            if order > 0:
                return False, repeats, start
            repeats += order == 0
    start[next_code:] = len(object_code)
    return True, repeats, start


@cached
def _first_of_each(object_code, history):
    """Mark the rows that differ from the row before."""
    first = np.ones(len(object_code), np.bool_)
    for k in range(1, len(object_code)):
        first[k] = object_code[k] != object_code[k - 1] or _compare(history, k - 1, k) != 0
    return first


@cached
def _sorted_rows(object_code, n_objects, history):
    """Return the row indices that sort by object, then by `_compare`."""
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
        begin = 0
        for k in range(1, len(part) + 1):
            if k == len(part) or history.jd[part[k]] != history.jd[part[begin]]:
                if k - begin > 1:
                    _heap_sort(history, part[begin:k])
                begin = k
    return order


@cached
def _heap_sort(history, rows):
    """Sort rows with equal times by their other values, in place.

    An object may have thousands of rows at one time, for which insertion would take minutes.
    """
    for root in range(len(rows) // 2 - 1, -1, -1):
        _sift_down(history, rows, root, len(rows))
    for size in range(len(rows) - 1, 0, -1):
        rows[0], rows[size] = rows[size], rows[0]
        _sift_down(history, rows, 0, size)


@cached
def _sift_down(history, rows, root, size):
    """Move a row down until no row below it sorts after it."""
    while 2 * root + 1 < size:
        child = 2 * root + 1
        if child + 1 < size and _compare(history, rows[child], rows[child + 1]) < 0:
            child += 1
        if _compare(history, rows[root], rows[child]) >= 0:
            return
        rows[root], rows[child] = rows[child], rows[root]
        root = child


@cached
def _compare(history, a, b):
    """Return a negative number, 0 or a positive number if row a sorts before, with or after b."""
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
    """Compare two numbers; NaN sorts last and equals NaN."""
    if np.isnan(a) or np.isnan(b):
        return int(np.isnan(a)) - int(np.isnan(b))
    return int(a > b) - int(a < b)
