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
    in_order, repeats = _check_order(object_code, history)
    if not in_order:
        order = _sorted_rows(object_code, n_objects, history)
        object_code = object_code[order]
        history = History(*(column[order] for column in history[:-1]), start=history.start)
        repeats = _check_order(object_code, history)[1]
    if repeats.any():
        object_code = object_code[~repeats]
        history = History(*(column[~repeats] for column in history[:-1]), start=history.start)
    start = np.searchsorted(object_code, np.arange(n_objects + 1, dtype=object_code.dtype))
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
        # Nearly all rows are later than the one before, and need no closer look.
        if object_code[k] == object_code[k - 1] and not history.jd[k] > history.jd[k - 1]:
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


# --- one alert's light curve ----------------------------------------------------------

# Repeatability of ZTF's bright-star photometry (Masci et al. 2019, PASP 131, 018003, fig. 10),
# added in quadrature so that no point and no rate is surer than the calibration.
SYSTEMATIC = 0.015
# A detection without an error, or with one of zero, is taken as one at the alert threshold of
# 5 sigma.
ERROR_AT_THRESHOLD = 2.5 / np.log(10) / 5
# A flux changes by this times itself and a small change of magnitude.
_LN_PER_MAG = 0.4 * np.log(10)
# Flux unit of the light curves, microjansky: AB magnitude 23.9.
ZERO_POINT = 23.9
# A gap between detections that ends an episode (an outburst, a season).
EPISODE_GAP = 30.0


class LightCurve(NamedTuple):
    """What one alert may see, in time order; the alert itself is the last detection.

    Detections: ``jd`` (d), ``band`` (0 g, 1 r, 2 i, -1 unknown), ``mag`` and ``err`` (mag, with
    the systematic floor), ``flux`` and ``flux_err`` (microjansky, signed), ``sign`` (+1, -1, 0
    unknown; an unknown sign is taken as positive).
    Non-detections, but for those of an exposure that also has a detection: ``limit_jd``,
    ``limit_band``, ``limit_mag``. ``now`` is the alert's jd, ``episode`` the index of the first
    detection since the last gap of 30 d.
    """

    jd: np.ndarray
    band: np.ndarray
    mag: np.ndarray
    err: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    sign: np.ndarray
    limit_jd: np.ndarray
    limit_band: np.ndarray
    limit_mag: np.ndarray
    now: float
    episode: int


@njit(cache=True)
def light_curve_of(history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos):
    """The light curve that one alert sees: history rows ``first:last``, and itself.

    Parameters
    ----------
    history : History
    first, last : int
        From `visible_rows`.
    jd, fid, magpsf, sigmapsf, isdiffpos : float
        The alert itself.

    Returns
    -------
    LightCurve

    Examples
    --------
    >>> light_curve_of(history, 0, 5, 2459000.7, 1, 18.5, 0.05, 1)   # doctest: +SKIP
    """
    h_jd, h_fid = history.jd[first:last], history.fid[first:last]
    h_mag, h_err = history.magpsf[first:last], history.sigmapsf[first:last]
    h_lim, h_sign = history.diffmaglim[first:last], history.isdiffpos[first:last]
    size = last - first + 1
    # Two blocks of memory for all the columns: asking for each would take longer than filling it.
    memory = np.empty((7, size))
    t, mag, err, flux, flux_err, limit_t, limit_mag = (
        memory[0],
        memory[1],
        memory[2],
        memory[3],
        memory[4],
        memory[5],
        memory[6],
    )
    small = np.empty((3, size), np.int8)
    band, sign, limit_band = small[0], small[1], small[2]
    n = limits = 0
    for k in range(len(h_jd)):
        if np.isnan(h_mag[k]):
            if not np.isnan(h_lim[k]) and not (
                _detected_in_exposure(h_jd, h_fid, h_mag, k, jd, fid, magpsf)
            ):
                limit_t[limits] = h_jd[k]
                limit_band[limits] = h_fid[k] - 1
                limit_mag[limits] = h_lim[k]
                limits += 1
        elif not repeats_alert(h_jd[k], h_fid[k], h_mag[k], jd, fid, magpsf):
            t[n] = h_jd[k]
            band[n] = h_fid[k] - 1
            mag[n] = h_mag[k]
            err[n] = _total_error(h_err[k])
            sign[n] = h_sign[k]
            n += 1
    if not np.isnan(magpsf):
        t[n] = jd
        band[n] = -1 if np.isnan(fid) else int(fid) - 1
        mag[n] = magpsf
        err[n] = _total_error(sigmapsf)
        sign[n] = isdiffpos
        n += 1
    episode = 0
    for k in range(n):
        size_of_flux = np.exp(-_LN_PER_MAG * (mag[k] - ZERO_POINT))
        flux[k] = size_of_flux if sign[k] >= 0 else -size_of_flux
        flux_err[k] = size_of_flux * err[k] * _LN_PER_MAG
        if k > 0 and t[k] - t[k - 1] > EPISODE_GAP:
            episode = k
    return LightCurve(
        t[:n], band[:n], mag[:n], err[:n], flux[:n], flux_err[:n], sign[:n],
        limit_t[:limits], limit_band[:limits], limit_mag[:limits], jd, episode,
    )  # fmt: skip


@njit(cache=True)
def _detected_in_exposure(h_jd, h_fid, h_mag, k, jd, fid, magpsf):
    """Whether the source was detected in the exposure of row k after all.

    The alerts of an object lie up to 1.5 arcsec apart, and each packet tells what was detected
    that close to itself: in merged histories an exposure can stand as both.
    """
    if fid == h_fid[k] and abs(jd - h_jd[k]) < SAME_EPOCH and not np.isnan(magpsf):
        return True
    for step in (-1, 1):
        other = k + step
        while 0 <= other < len(h_jd) and abs(h_jd[other] - h_jd[k]) < SAME_EPOCH:
            if h_fid[other] == h_fid[k] and not np.isnan(h_mag[other]):
                return True
            other += step
    return False


@njit(cache=True)
def _total_error(sigmapsf):
    # An error of zero is one that was not measured; as it stands it would outweigh all others.
    measured = sigmapsf if sigmapsf > 0 else ERROR_AT_THRESHOLD
    return np.sqrt(measured * measured + SYSTEMATIC * SYSTEMATIC)
