"""Night means of a light curve, from which rates and colours are computed."""

from typing import Any, NamedTuple

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.lightcurves.discrepant import leave_out_discrepant
from ztfml.lightcurves.light_curve import (
    ZERO_POINT,
    LightCurve,
    Workspace,
    light_curve_of,
    make_workspace,
)
from ztfml.schema import BANDS


class NightMeans(NamedTuple):
    """Inverse-variance weighted mean fluxes of one band, one per night.

    The systematic floor is part of each detection's error and decreases with their number.

    Attributes
    ----------
    jd : ndarray, d
        Mean time, weighted like the flux.
    mag, err : ndarray, mag
        Magnitude of the mean flux and its error.
    flux, flux_err : ndarray, microjansky
        Mean flux and its error.
    """

    jd: np.ndarray
    mag: np.ndarray
    err: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray


@kernel
def night_means_of(
    curve: LightCurve, workspace: Workspace
) -> tuple[NightMeans, NightMeans, NightMeans]:
    """Average the positive detections of each night of the current episode, per band.

    A single bright point on a plateau is left out (`ztfml.lightcurves.discrepant`).

    A kernel: it can be called only from another kernel. Use `night_means_as_of` in a notebook.

    Parameters
    ----------
    curve : LightCurve
    workspace : Workspace
        The workspace of the light curve, which also stores the means.

    Returns
    -------
    g, r, i : NightMeans
        In time order; empty for a band without a positive detection.
    """
    return (
        _reliable_means(curve, curve.g, 0, workspace.means[0]),
        _reliable_means(curve, curve.r, 1, workspace.means[1]),
        _reliable_means(curve, curve.i, 2, workspace.means[2]),
    )


def night_means_as_of(night: Any, alert: int) -> dict[str, NightMeans]:
    """Compute the night means from which an alert's rates are computed.

    Parameters
    ----------
    night : Night
    alert : int
        Position of the alert in the night.

    Returns
    -------
    dict of str to NightMeans
        Night means by band: g, r, i.

    Examples
    --------
    >>> sorted(night_means_as_of(night, 0))
    ['g', 'i', 'r']
    """
    first, last = night.first[alert], night.last[alert]
    fields = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
    values = (float(night.alerts[field].iloc[alert]) for field in fields)
    workspace = make_workspace(last - first)
    count = np.zeros(len(BANDS), np.int64)
    _fill_means(night.history, first, last, *values, workspace, count)
    return {band: NightMeans(*workspace.means[b, :, : count[b]]) for b, band in enumerate(BANDS)}


@kernel
def _fill_means(
    history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, workspace, count
):  # fmt: skip
    curve = light_curve_of(history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, workspace)
    g, r, i = night_means_of(curve, workspace)
    count[0], count[1], count[2] = len(g.jd), len(r.jd), len(i.jd)


@kernel
def _reliable_means(curve, band, b, out):
    n = leave_out_discrepant(curve, b, out[:, : _night_means(band, curve.now, out)])
    return NightMeans(out[0, :n], out[1, :n], out[2, :n], out[3, :n], out[4, :n])


@kernel
def _night_means(band, now, out):
    """Write the means of all nights and return their number."""
    jd, mag, err, flux, flux_err = out[0], out[1], out[2], out[3], out[4]
    n = 0
    night = np.nan
    weight = 0.0
    for k in range(band.episode, len(band.jd)):
        if band.sign[k] < 0:
            continue
        w = 1.0 / (band.flux_err[k] * band.flux_err[k])
        # Relative to the alert, because means of Julian dates would lose digits.
        offset = band.jd[k] - now
        if night_of(band.jd[k]) != night:
            # Most nights have one detection, and their mean is exactly that detection.
            night = night_of(band.jd[k])
            jd[n], mag[n], err[n] = offset, band.mag[k], band.err[k]
            flux[n], flux_err[n] = band.flux[k], band.flux_err[k]
            weight = w
            n += 1
            continue
        jd[n - 1] = _mean_of_two(jd[n - 1], weight, offset, w)
        flux[n - 1] = _mean_of_two(flux[n - 1], weight, band.flux[k], w)
        mag[n - 1] = _magnitude(flux[n - 1])
        weight += w
        flux_err[n - 1] = 1.0 / np.sqrt(weight)
        err[n - 1] = 2.5 / np.log(10) * flux_err[n - 1] / flux[n - 1]
    for k in range(n):
        jd[k] += now
    return n


@kernel
def _mean_of_two(a, weight_a, b, weight_b):
    """Weighted mean of two values, computed as a correction to the one with more weight.

    The mean of equal values is exactly that value, so equal peaks of two bands stay equal. Values
    that differ by many magnitudes lose no digits.
    """
    total = weight_a + weight_b
    if weight_a >= weight_b:
        return a + weight_b / total * (b - a)
    return b + weight_a / total * (a - b)


@kernel
def peak_index(means: NightMeans) -> int:
    """Find the peak: the night with the largest flux minus its error.

    Subtracting the error prevents that a single noisy point becomes the peak.

    Parameters
    ----------
    means : NightMeans
        With at least one night.

    Returns
    -------
    int
        Index of the peak.

    Examples
    --------
    >>> flux, flux_err = np.array([100.0, 130.0, 120.0]), np.array([5.0, 50.0, 5.0])
    >>> peak_index(NightMeans(flux, flux, flux, flux, flux_err))
    2
    """
    flux, flux_err = means.flux, means.flux_err
    peak = 0
    for k in range(1, len(flux)):
        if flux[k] - flux_err[k] > flux[peak] - flux_err[peak]:
            peak = k
    return peak


@kernel
def peak_magnitude(means: NightMeans, peak: int) -> float:
    """Magnitude of the peak.

    It is computed from the flux even for a night with one detection, so that equal peaks of two
    bands are equal whatever the number of detections.

    Parameters
    ----------
    means : NightMeans
    peak : int
        Index of the peak, from `peak_index`.

    Returns
    -------
    float, mag

    Examples
    --------
    >>> flux = np.array([100.0])
    >>> peak_magnitude(NightMeans(flux, flux, flux, flux, flux), 0)
    18.9
    """
    return _magnitude(means.flux[peak])


@kernel
def _magnitude(flux):
    return ZERO_POINT - 2.5 * np.log10(flux)
