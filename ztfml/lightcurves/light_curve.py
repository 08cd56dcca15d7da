"""Light curves as plain arrays: sorted once, then cut at an alert's epoch.

The functions here are compiled and know nothing of files. What an alert may see is decided
in `visible_rows`, and nowhere else.
"""

from typing import NamedTuple

import numpy as np

from ztfml.compiled import kernel
from ztfml.lightcurves.history import SAME_EPOCH, repeats_alert

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
