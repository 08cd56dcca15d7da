"""Light curves as plain arrays: sorted once, then cut at an alert's epoch.

The functions here are compiled and know nothing of files. What an alert may see is decided
in `visible_rows`, and nowhere else.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ztfml.compiled import kernel

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


@njit(cache=True)
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


@njit(cache=True)
def _first_of_each(object_code, history):
    """Which rows, in order, do not repeat the row before."""
    first = np.ones(len(object_code), np.bool_)
    for k in range(1, len(object_code)):
        first[k] = object_code[k] != object_code[k - 1] or _compare(history, k - 1, k) != 0
    return first


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


class Band(NamedTuple):
    """What one alert may see in one band, in time order.

    Detections: ``jd`` (d), ``mag`` and ``err`` (mag, with the systematic floor), ``flux`` and
    ``flux_err`` (microjansky, signed), ``sign`` (+1, -1, 0 unknown; an unknown sign is taken as
    positive); ``episode`` is the index of the first one of the current episode. Non-detections:
    ``limit_jd`` and ``limit_mag``.
    """

    jd: np.ndarray
    mag: np.ndarray
    err: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    sign: np.ndarray
    episode: int
    limit_jd: np.ndarray
    limit_mag: np.ndarray


class LightCurve(NamedTuple):
    """What one alert may see, in time order; the alert itself is the last detection.

    Detections of all bands: ``jd`` (d), ``band`` (0 g, 1 r, 2 i, -1 unknown), ``mag`` and ``err``
    (mag, with the systematic floor), ``sign`` (+1, -1, 0 unknown); ``episode`` is the index of the
    first one since the last gap of 30 d. ``limit_jd``: the non-detections, but for those of an
    exposure that also has a detection. The same by band: ``g``, ``r``, ``i``. ``now`` is the
    alert's jd.
    """

    jd: np.ndarray
    band: np.ndarray
    mag: np.ndarray
    err: np.ndarray
    sign: np.ndarray
    episode: int
    limit_jd: np.ndarray
    g: Band
    r: Band
    i: Band
    now: float


class Room(NamedTuple):
    """Memory for one light curve at a time, and for what is made of it.

    Asking for memory for each would take longer than filling it. ``spare`` is for functions that
    work on the light curve one after the other, and remember nothing.
    """

    rows: np.ndarray
    small: np.ndarray
    detections: np.ndarray
    signs: np.ndarray
    limits: np.ndarray
    count: np.ndarray
    nights: np.ndarray
    spare: np.ndarray


def room_for(n_rows):
    """Make room for the light curve of an alert that sees so many rows of the history.

    Parameters
    ----------
    n_rows : int

    Returns
    -------
    Room

    Examples
    --------
    >>> room_for(30).rows.shape
    (5, 32)
    """
    # The alert itself, and one place more, for what turns out not to belong there.
    size = n_rows + 2
    return Room(
        rows=np.empty((5, size)),
        small=np.empty((3, size), np.int8),
        # By band, the last of which is the unknown one: index -1.
        detections=np.empty((4, 5, size)),
        signs=np.empty((4, size), np.int8),
        limits=np.empty((4, 2, size)),
        count=np.empty((4, 3), np.int64),
        nights=np.empty((3, 5, size)),
        spare=np.empty((3, size)),
    )


@kernel
def light_curve_of(history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, room):
    """The light curve that one alert sees: history rows ``first:last``, and itself.

    Parameters
    ----------
    history : History
    first, last : int
        From `visible_rows`.
    jd, fid, magpsf, sigmapsf, isdiffpos : float
        The alert itself.
    room : Room
        Where it is kept until the next one is asked for.

    Returns
    -------
    LightCurve

    Examples
    --------
    >>> room = room_for(5)
    >>> light_curve_of(history, 0, 5, 2459000.7, 1, 18.5, 0.05, 1, room)   # doctest: +SKIP
    """
    h_jd, h_fid = history.jd[first:last], history.fid[first:last]
    h_mag, h_err = history.magpsf[first:last], history.sigmapsf[first:last]
    h_lim, h_sign = history.diffmaglim[first:last], history.isdiffpos[first:last]
    t, mag, err, limit_t, limit_mag = (
        room.rows[0],
        room.rows[1],
        room.rows[2],
        room.rows[3],
        room.rows[4],
    )
    band, sign, limit_band = room.small[0], room.small[1], room.small[2]
    n = limits = 0
    for k in range(len(h_jd)):
        detected = h_mag[k] == h_mag[k]
        limited = (not detected) & (h_lim[k] == h_lim[k])
        if _has_neighbour(h_jd, k, jd):
            detected &= not repeats_alert(h_jd[k], h_fid[k], h_mag[k], jd, fid, magpsf)
            limited &= not _detected_in_exposure(h_jd, h_fid, h_mag, k, jd, fid, magpsf)
        # Without a branch on what the row is, which no processor foresees: it is written as both,
        # and what it is not is written over.
        t[n] = limit_t[limits] = h_jd[k]
        band[n] = limit_band[limits] = h_fid[k] - 1
        mag[n] = h_mag[k]
        err[n] = h_err[k]
        sign[n] = h_sign[k]
        limit_mag[limits] = h_lim[k]
        n += detected
        limits += limited
    if not np.isnan(magpsf):
        t[n] = jd
        band[n] = -1 if np.isnan(fid) else int(fid) - 1
        mag[n] = magpsf
        err[n] = sigmapsf
        sign[n] = isdiffpos
        n += 1
    episode = 0
    for k in range(n):
        err[k] = _total_error(err[k])
        if k > 0 and t[k] - t[k - 1] > EPISODE_GAP:
            episode = k
    _deal_to_bands(room, n, limits, episode)
    return LightCurve(
        t[:n], band[:n], mag[:n], err[:n], sign[:n], episode, limit_t[:limits],
        _band(room, 0), _band(room, 1), _band(room, 2), jd,
    )  # fmt: skip


@kernel
def _deal_to_bands(room, n, limits, episode):
    """Copy detections and non-detections to the places of their bands, in order."""
    jd, mag, err = room.rows[0], room.rows[1], room.rows[2]
    limit_jd, limit_mag = room.rows[3], room.rows[4]
    band, sign, limit_band = room.small[0], room.small[1], room.small[2]
    room.count[:] = 0
    for k in range(n):
        b = band[k]
        at = room.count[b, 0]
        room.count[b, 0] += 1
        room.count[b, 1] += k < episode
        flux = np.exp(-_LN_PER_MAG * (mag[k] - ZERO_POINT))
        room.detections[b, 0, at] = jd[k]
        room.detections[b, 1, at] = mag[k]
        room.detections[b, 2, at] = err[k]
        room.detections[b, 3, at] = flux if sign[k] >= 0 else -flux
        room.detections[b, 4, at] = flux * err[k] * _LN_PER_MAG
        room.signs[b, at] = sign[k]
    for k in range(limits):
        b = limit_band[k]
        at = room.count[b, 2]
        room.count[b, 2] += 1
        room.limits[b, 0, at] = limit_jd[k]
        room.limits[b, 1, at] = limit_mag[k]


@kernel
def _band(room, b):
    n, episode, limits = room.count[b, 0], room.count[b, 1], room.count[b, 2]
    own, limit = room.detections[b], room.limits[b]
    return Band(
        own[0, :n], own[1, :n], own[2, :n], own[3, :n], own[4, :n], room.signs[b, :n], episode,
        limit[0, :limits], limit[1, :limits],
    )  # fmt: skip


@kernel
def _has_neighbour(h_jd, k, jd):
    """Whether another row, or the alert, is of the epoch of row k; hardly any has, so ask first."""
    return (
        jd - h_jd[k] < SAME_EPOCH
        or (k > 0 and h_jd[k] - h_jd[k - 1] < SAME_EPOCH)
        or (k + 1 < len(h_jd) and h_jd[k + 1] - h_jd[k] < SAME_EPOCH)
    )


@kernel
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


@kernel
def _total_error(sigmapsf):
    # An error of zero is one that was not measured; as it stands it would outweigh all others.
    measured = sigmapsf if sigmapsf > 0 else ERROR_AT_THRESHOLD
    return np.sqrt(measured * measured + SYSTEMATIC * SYSTEMATIC)
