"""The light curve of one alert as plain arrays, in total and per band.

All functions are compiled. `ztfml.lightcurves.history.visible_rows` alone decides which history
rows an alert may see.
"""

from typing import NamedTuple

import numpy as np

from ztfml.compiled import kernel
from ztfml.lightcurves.exposures import choose_rows, has_close_row
from ztfml.lightcurves.gaps import faded_between
from ztfml.lightcurves.history import History

SYSTEMATIC = 0.015
"""Error floor in mag, added in quadrature to each error.

The repeatability of ZTF photometry of bright stars (Masci et al. 2019, PASP 131, 018003, fig. 10).
"""

ERROR_AT_THRESHOLD = 2.5 / np.log(10) / 5
"""Error in mag of a 5-sigma detection, used where the error is missing or zero."""

ZERO_POINT = 23.9
"""AB magnitude of 1 microjansky, the unit of flux."""

EPISODE_GAP = 30.0
"""A longer gap between detections (days) starts a new episode (an outburst), unless the source has
the same level before and after the gap (`ztfml.lightcurves.gaps.faded_between`)."""

# Relative change of flux per magnitude.
_LN_PER_MAG = 0.4 * np.log(10)


class Band(NamedTuple):
    """The photometry of one band that an alert may see, in time order.

    Attributes
    ----------
    jd : ndarray, d
        Times of the detections.
    mag, err : ndarray, mag
        Magnitudes, and errors that include the systematic floor.
    flux, flux_err : ndarray, microjansky
        Signed difference flux (an unknown sign counts as positive) and its error.
    sign : ndarray of int8
        +1 brighter than the reference, -1 fainter, 0 unknown.
    episode : int
        Index of the first detection of the current episode.
    limit_jd, limit_mag : ndarray, d and mag
        Times and limiting magnitudes of the non-detections.
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
    """All photometry that an alert may see, in time order; the last detection is the alert.

    Attributes
    ----------
    jd : ndarray, d
        Times of the detections.
    band : ndarray of int8
        Band of each detection: 0 (g), 1 (r), 2 (i), -1 (unknown).
    mag, err : ndarray, mag
        Magnitudes, and errors that include the systematic floor.
    sign : ndarray of int8
        +1 brighter than the reference, -1 fainter, 0 unknown.
    episode : int
        Index of the first detection of the current episode: the one after the last gap longer
        than `EPISODE_GAP` in which the source faded.
    limit_jd : ndarray, d
        Times of the non-detections, except in exposures that also have a detection.
    g, r, i : Band
        The same photometry by band.
    now : float, d
        Time of the alert.
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


class Workspace(NamedTuple):
    """Reusable memory for one light curve and its night means.

    Allocating memory for each alert would take longer than the computation. All arrays of a
    `LightCurve` are views of its workspace and are overwritten by the next light curve.

    Attributes
    ----------
    rows : ndarray, shape (5, n)
        jd, mag and err of the detections; jd and magnitude of the non-detections.
    codes : ndarray of int8, shape (3, n)
        Band and sign of the detections; band of the non-detections.
    detections : ndarray, shape (4, 5, n)
        By band (the last one for unknown bands): jd, mag, err, flux, flux_err.
    signs : ndarray of int8, shape (4, n)
        Signs of the detections by band.
    limits : ndarray, shape (4, 2, n)
        By band: jd and magnitude of the non-detections.
    count : ndarray of int64, shape (4, 3)
        By band: number of detections, of detections before the current episode, of
        non-detections.
    means : ndarray, shape (3, 5, n)
        The night means by band: jd, mag, err, flux, flux_err.
    scratch : ndarray, shape (3, n)
        Memory for intermediate results of one function.
    keep : ndarray of bool, shape (n,)
        Which of the rows that are close in time to others are measurements.
    """

    rows: np.ndarray
    codes: np.ndarray
    detections: np.ndarray
    signs: np.ndarray
    limits: np.ndarray
    count: np.ndarray  # type: ignore[assignment]  # hides tuple.count
    means: np.ndarray
    scratch: np.ndarray
    keep: np.ndarray


def make_workspace(n_rows: int) -> Workspace:
    """Allocate memory for the light curves of alerts with up to ``n_rows`` history rows.

    Parameters
    ----------
    n_rows : int
        The largest number of history rows that any of the alerts may see.

    Returns
    -------
    Workspace

    Examples
    --------
    >>> make_workspace(30).rows.shape
    (5, 32)
    """
    # One more for the alert, and one more because `light_curve_of` writes each row before it
    # knows whether the row counts.
    size = n_rows + 2
    return Workspace(
        rows=np.empty((5, size)),
        codes=np.empty((3, size), np.int8),
        detections=np.empty((4, 5, size)),
        signs=np.empty((4, size), np.int8),
        limits=np.empty((4, 2, size)),
        count=np.empty((4, 3), np.int64),
        means=np.empty((3, 5, size)),
        scratch=np.empty((3, size)),
        keep=np.empty(size, np.bool_),
    )


@kernel
def light_curve_of(
    history: History,
    first: int,
    last: int,
    jd: float,
    fid: float,
    magpsf: float,
    sigmapsf: float,
    isdiffpos: float,
    workspace: Workspace,
) -> LightCurve:
    """Assemble the light curve of one alert from its history rows and the alert itself.

    A kernel: it can be called only from another kernel.

    Parameters
    ----------
    history : History
        Histories of all objects.
    first, last : int
        The alert sees the rows ``first:last`` (see `visible_rows`).
    jd, fid, magpsf, sigmapsf, isdiffpos : float
        The alert itself: time (d), filter, magnitude and error (mag), sign.
    workspace : Workspace
        Memory for the light curve.

    Returns
    -------
    LightCurve
        Views of the workspace, valid until its next use.
    """
    rows = History(
        history.jd[first:last], history.fid[first:last], history.magpsf[first:last],
        history.sigmapsf[first:last], history.diffmaglim[first:last],
        history.isdiffpos[first:last], history.start,
    )  # fmt: skip
    alert_fid = 0 if np.isnan(fid) else int(fid)
    if np.isnan(magpsf):
        alert_fid = -1
    t, mag, err, limit_t, limit_mag = (
        workspace.rows[0],
        workspace.rows[1],
        workspace.rows[2],
        workspace.rows[3],
        workspace.rows[4],
    )
    band, sign, limit_band = workspace.codes[0], workspace.codes[1], workspace.codes[2]
    keep = workspace.keep
    n = limits = decided = 0
    for k in range(len(rows.jd)):
        detected = rows.magpsf[k] == rows.magpsf[k]
        limited = (not detected) & (rows.diffmaglim[k] == rows.diffmaglim[k])
        if k >= decided and has_close_row(rows.jd, k, jd):
            decided = choose_rows(rows, k, jd, alert_fid, keep)
        if k < decided:
            detected &= keep[k]
            limited &= keep[k]
        # Write the row as a detection and as a non-detection; the next row overwrites the wrong
        # one. A branch would be slower, because the processor cannot predict it.
        t[n] = limit_t[limits] = rows.jd[k]
        band[n] = limit_band[limits] = rows.fid[k] - 1
        mag[n] = rows.magpsf[k]
        err[n] = rows.sigmapsf[k]
        sign[n] = rows.isdiffpos[k]
        limit_mag[limits] = rows.diffmaglim[k]
        n += detected
        limits += limited
    if not np.isnan(magpsf):
        t[n] = jd
        band[n] = alert_fid - 1
        mag[n] = magpsf
        err[n] = sigmapsf
        sign[n] = isdiffpos
        n += 1
    gap = 0
    for k in range(n):
        err[k] = _total_error(err[k])
        if k > 0 and t[k] - t[k - 1] > EPISODE_GAP:
            gap = k
    _assign_to_bands(workspace, n, limits)
    episode = _current_episode(workspace, t, gap) if gap > 0 else 0
    return LightCurve(
        t[:n], band[:n], mag[:n], err[:n], sign[:n], episode, limit_t[:limits],
        _band(workspace, 0), _band(workspace, 1), _band(workspace, 2), jd,
    )  # fmt: skip


@kernel
def _current_episode(workspace, jd, gap):
    """Find the first detection of the current episode and count those before it, per band."""
    bands = (_band(workspace, 0), _band(workspace, 1), _band(workspace, 2))
    for k in range(gap, 0, -1):
        if jd[k] - jd[k - 1] > EPISODE_GAP and faded_between(bands, jd[k - 1], jd[k]):
            for b in range(4):
                n = workspace.count[b, 0]
                workspace.count[b, 1] = np.searchsorted(workspace.detections[b, 0, :n], jd[k])
            return k
    return 0


@kernel
def _assign_to_bands(workspace, n, limits):
    """Copy detections and non-detections to the arrays of their bands, in time order."""
    jd, mag, err = workspace.rows[0], workspace.rows[1], workspace.rows[2]
    limit_jd, limit_mag = workspace.rows[3], workspace.rows[4]
    band, sign, limit_band = workspace.codes[0], workspace.codes[1], workspace.codes[2]
    workspace.count[:] = 0
    for k in range(n):
        b = band[k]
        at = workspace.count[b, 0]
        workspace.count[b, 0] += 1
        flux = np.exp(-_LN_PER_MAG * (mag[k] - ZERO_POINT))
        workspace.detections[b, 0, at] = jd[k]
        workspace.detections[b, 1, at] = mag[k]
        workspace.detections[b, 2, at] = err[k]
        workspace.detections[b, 3, at] = flux if sign[k] >= 0 else -flux
        workspace.detections[b, 4, at] = flux * err[k] * _LN_PER_MAG
        workspace.signs[b, at] = sign[k]
    for k in range(limits):
        b = limit_band[k]
        at = workspace.count[b, 2]
        workspace.count[b, 2] += 1
        workspace.limits[b, 0, at] = limit_jd[k]
        workspace.limits[b, 1, at] = limit_mag[k]


@kernel
def _band(workspace, b):
    n, episode, limits = workspace.count[b, 0], workspace.count[b, 1], workspace.count[b, 2]
    columns, limit = workspace.detections[b], workspace.limits[b]
    return Band(
        columns[0, :n], columns[1, :n], columns[2, :n], columns[3, :n], columns[4, :n],
        workspace.signs[b, :n], episode, limit[0, :limits], limit[1, :limits],
    )  # fmt: skip


@kernel
def _total_error(sigmapsf):
    # An error of zero means not measured; unchanged, it would outweigh all other points.
    measured = sigmapsf if sigmapsf > 0 else ERROR_AT_THRESHOLD
    return np.sqrt(measured * measured + SYSTEMATIC * SYSTEMATIC)
