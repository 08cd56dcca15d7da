"""One exposure is one measurement: choose one row of each exposure in a light curve.

Histories repeat exposures. Times are rounded differently by packets and brokers, the alert may be
among its own previous candidates, and one exposure can contain two candidates of a source, or a
candidate and a non-detection. Counted twice, such rows would make errors too small.
"""

import numpy as np
import pandas as pd

from ztfml.compiled import cached, kernel
from ztfml.lightcurves.history import History

SAME_EXPOSURE = 2e-4 + 1e-9
"""Rows of one object and band that are at most this far apart (days) belong to one exposure.

Rounding moves times by up to 2e-4 d; exposures of ZTF are at least 38 s (4.4e-4 d) apart. The
small addition allows for the resolution of Julian dates in float64, 5e-10 d.
"""

# The filters of a history: 0 (unknown) to 3.
_N_FILTERS = 4


@kernel
def has_close_row(jd: np.ndarray, k: int, alert_jd: float) -> bool:
    """Check whether the next row, or the alert, is close in time to row k.

    A quick test that is rarely true.

    Parameters
    ----------
    jd : ndarray, d
        Times of the rows of one object, in increasing order.
    k : int
    alert_jd : float, d
        Time of the alert, or NaN.

    Returns
    -------
    bool

    Examples
    --------
    >>> has_close_row(np.array([2459000.7, 2459000.7001]), 0, np.nan)
    True
    """
    return alert_jd - jd[k] <= SAME_EXPOSURE or (
        k + 1 < len(jd) and jd[k + 1] - jd[k] <= SAME_EXPOSURE
    )


@kernel
def choose_rows(
    rows: History, begin: int, alert_jd: float, alert_fid: int, keep: np.ndarray
) -> int:
    """Decide which of the rows close in time to row ``begin`` are measurements.

    Rows in the exposure of the alert are left out. The others are grouped by band; an exposure
    starts at its first row and contains the rows within `SAME_EXPOSURE` of that row. Of each
    exposure, the best row is kept: a detection rather than a non-detection, then the smaller
    error, then the brighter one.

    Parameters
    ----------
    rows : History
        The rows of one object, in time order.
    begin : int
        The first row to decide on.
    alert_jd, alert_fid : float, int
        Time (d) and filter of the alert; -1 as filter if it is not a detection.
    keep : ndarray of bool, shape (n_rows,)
        The decisions are written here.

    Returns
    -------
    int
        Rows before this one have been decided on.

    Examples
    --------
    >>> rows, keep = night.history.rows(0, 1), np.zeros(1, np.bool_)
    >>> choose_rows(History(**rows, start=np.array([0, 1])), 0, np.nan, -1, keep), keep
    (1, array([ True]))
    """
    jd = rows.jd
    end = begin + 1
    while end < len(jd) and jd[end] - jd[end - 1] <= SAME_EXPOSURE:
        end += 1
    for k in range(begin, end):
        keep[k] = False
    # One pass per filter needs no memory and stays linear, however many rows an exposure has.
    for fid in range(_N_FILTERS):
        best = -1
        start = np.nan
        for k in range(begin, end):
            if rows.fid[k] != fid or (fid == alert_fid and alert_jd - jd[k] <= SAME_EXPOSURE):
                continue
            if not jd[k] - start <= SAME_EXPOSURE:
                start, best = jd[k], k
                keep[k] = True
            elif _is_better(rows, k, best):
                keep[best] = False
                keep[k] = True
                best = k
    return end


@kernel
def _is_better(rows, k, other):
    """Check whether row k is a better measurement of an exposure than an earlier row."""
    mag, other_mag = rows.magpsf[k], rows.magpsf[other]
    if np.isnan(mag) != np.isnan(other_mag):
        return np.isnan(other_mag)
    if np.isnan(mag):
        # The brighter limit promises less. A row without a limit is the worst.
        return rows.diffmaglim[k] < rows.diffmaglim[other] or (
            np.isnan(rows.diffmaglim[other]) and not np.isnan(rows.diffmaglim[k])
        )
    # An error of zero means not measured.
    err = rows.sigmapsf[k] if rows.sigmapsf[k] > 0 else np.inf
    other_err = rows.sigmapsf[other] if rows.sigmapsf[other] > 0 else np.inf
    if err != other_err:
        return err < other_err
    if mag != other_mag:
        return mag < other_mag
    return rows.isdiffpos[k] != 0 and rows.isdiffpos[other] == 0


@cached
def measurements(history: History) -> np.ndarray:
    """Choose one row of each exposure, for all objects.

    The features of an alert apply the same rule to the rows that the alert may see.

    Parameters
    ----------
    history : History

    Returns
    -------
    ndarray of bool, shape (n_rows,)
        True for the rows that are kept.

    Examples
    --------
    >>> bool(measurements(night.history).any())
    True
    """
    keep = np.ones(len(history.jd), np.bool_)
    for code in range(len(history.start) - 1):
        first, last = history.start[code], history.start[code + 1]
        rows = History(
            history.jd[first:last],
            history.fid[first:last],
            history.magpsf[first:last],
            history.sigmapsf[first:last],
            history.diffmaglim[first:last],
            history.isdiffpos[first:last],
            history.start,
        )
        decided = 0
        for k in range(last - first):
            if k >= decided and has_close_row(rows.jd, k, np.nan):
                decided = choose_rows(rows, k, np.nan, -1, keep[first:last])
    return keep


def one_per_exposure(curve: pd.DataFrame) -> pd.DataFrame:
    """Keep one row of each exposure of a light curve.

    Parameters
    ----------
    curve : pandas.DataFrame
        Rows of one object in any order, with the columns of `History`.

    Returns
    -------
    pandas.DataFrame
        The rows that `measurements` keeps, in the order of `curve`.

    Examples
    --------
    >>> curve = night.light_curve(object_id)
    >>> len(one_per_exposure(pd.concat([curve, curve]))) == len(curve)
    True
    """
    columns = [curve[name].to_numpy(float) for name in History._fields[:-1]]
    order = np.lexsort(columns[::-1])
    kinds = (np.float64, np.int8, np.float64, np.float64, np.float64, np.int8)
    columns = [
        np.nan_to_num(values[order]).astype(kind) if kind is np.int8 else values[order]
        for values, kind in zip(columns, kinds, strict=True)
    ]
    kept = np.empty(len(curve), bool)
    kept[order] = measurements(History(*columns, start=np.array([0, len(curve)])))
    return curve[kept]


def in_exposures_of(
    jd: np.ndarray, fid: np.ndarray, other_jd: np.ndarray, other_fid: np.ndarray
) -> np.ndarray:
    """Find the rows that belong to an exposure of other rows of the same object.

    Parameters
    ----------
    jd, fid : ndarray, shape (n,)
        Times (d) and filters of the rows, in any order.
    other_jd, other_fid : ndarray, shape (m,)
        The same of the other rows.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> jd, fid = np.array([2459000.7, 2459000.8]), np.array([1, 1])
    >>> in_exposures_of(jd, fid, np.array([2459000.7001]), np.array([1]))
    array([ True, False])
    """
    jd, other_jd = np.asarray(jd, float), np.asarray(other_jd, float)
    fid, other_fid = (np.nan_to_num(np.asarray(values, float)) for values in (fid, other_fid))
    found = np.zeros(len(jd), bool)
    for number in range(_N_FILTERS):
        rows = np.flatnonzero(fid == number)
        times = np.sort(other_jd[other_fid == number])
        first = np.searchsorted(times, jd[rows] - SAME_EXPOSURE, side="left")
        last = np.searchsorted(times, jd[rows] + SAME_EXPOSURE, side="right")
        found[rows] = first < last
    return found
