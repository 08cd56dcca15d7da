"""Night means of a light curve and straight lines through them: what rates and colours rest on."""

from typing import NamedTuple

import numpy as np
from numba import njit

from ztfml.lightcurve import ZERO_POINT

# Half an hour: the shortest time base from which a rate is worth giving.
MIN_BASE = 0.02


class NightMeans(NamedTuple):
    """Inverse-variance flux means of one band's detections within each night.

    ``jd`` (d) is weighted like the flux; ``mag`` and ``err`` in mag; ``flux`` and
    ``flux_err`` in microjansky. The systematic floor is in each detection's error, and averages
    down with it.
    """

    jd: np.ndarray
    mag: np.ndarray
    err: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray


class Slope(NamedTuple):
    """A straight line through magnitudes: mag/day with error, fit, extent, and its anchor.

    ``chi2`` is reduced, NaN without a degree of freedom; ``n`` points over ``base`` days;
    ``spread`` is the weighted sum of squared times about ``mean_jd``.
    """

    slope: float
    err: float
    chi2: float
    n: int
    base: float
    spread: float
    mean_jd: float
    mean_mag: float


@njit(cache=True, forceinline=True)
def night_of(jd):
    """The night a Julian date belongs to: a Palomar night lies within one UT date."""
    return np.floor(jd - 0.5)


@njit(cache=True, forceinline=True)
def night_means(curve, band):
    """Average the positive detections of a band within each night of the current episode.

    Parameters
    ----------
    curve : LightCurve
    band : int
        0 g, 1 r, 2 i.

    Returns
    -------
    NightMeans
        In time order, empty where the band has no positive detection.

    Examples
    --------
    >>> night_means(curve, 1).mag   # doctest: +SKIP
    """
    all_jd, all_band, all_sign = curve.jd, curve.band, curve.sign
    all_flux, all_err = curve.flux, curve.flux_err
    memory = np.empty((5, len(all_jd) - curve.episode))
    jd, mag, err, flux, flux_err = memory[0], memory[1], memory[2], memory[3], memory[4]
    n = 0
    night = np.nan
    weight = 0.0
    for k in range(curve.episode, len(all_jd)):
        if all_band[k] != band or all_sign[k] < 0:
            continue
        if night_of(all_jd[k]) != night:
            night = night_of(all_jd[k])
            jd[n] = flux[n] = weight = 0.0
            n += 1
        w = 1.0 / (all_err[k] * all_err[k])
        # Relative to now, for Julian dates would lose digits.
        jd[n - 1] = _mean_of_two(jd[n - 1], weight, all_jd[k] - curve.now, w)
        flux[n - 1] = _mean_of_two(flux[n - 1], weight, all_flux[k], w)
        weight += w
        flux_err[n - 1] = 1.0 / np.sqrt(weight)
    for k in range(n):
        jd[k] += curve.now
        mag[k] = ZERO_POINT - 2.5 * np.log10(flux[k])
        err[k] = 2.5 / np.log(10) * flux_err[k] / flux[k]
    return NightMeans(jd[:n], mag[:n], err[:n], flux[:n], flux_err[:n])


@njit(cache=True, forceinline=True)
def _mean_of_two(a, weight_a, b, weight_b):
    """The weighted mean, reckoned from the value that weighs more.

    Equal values have exactly themselves as mean, so that equal peaks in two bands stay equal,
    and values many magnitudes apart lose no digits.
    """
    total = weight_a + weight_b
    if weight_a >= weight_b:
        return a + weight_b / total * (b - a)
    return b + weight_a / total * (a - b)


@njit(cache=True, forceinline=True)
def peak_of(nights):
    """The brightest night mean: the largest flux less its error, so that noise seldom wins."""
    flux, flux_err = nights.flux, nights.flux_err
    peak = 0
    for k in range(1, len(flux)):
        if flux[k] - flux_err[k] > flux[peak] - flux_err[peak]:
            peak = k
    return peak


@njit(cache=True, forceinline=True)
def fit_slope(jd, mag, err):
    """Weighted least-squares slope of magnitudes over time.

    Parameters
    ----------
    jd, mag, err : ndarray, shape (n,), d and mag

    Returns
    -------
    Slope
        NaN throughout with fewer than two points or a time base under 0.02 d. Where the line
        fits worse than the errors allow, its error is enlarged by the root of the reduced
        chi-square, as for a source that is not on a line: no rate is surer than its fit.

    Examples
    --------
    >>> fit_slope(np.array([0.0, 2.0]), np.array([18.0, 19.0]), np.array([0.1, 0.1])).slope
    0.5
    """
    n = len(jd)
    if n < 2 or jd[-1] - jd[0] < MIN_BASE:
        return Slope(np.nan, np.nan, np.nan, 0, np.nan, np.nan, np.nan, np.nan)
    # Relative to the first point: Julian dates would lose ten digits in the squares.
    total = mean_t = mean_mag = 0.0
    for k in range(n):
        w = 1.0 / (err[k] * err[k])
        total += w
        mean_t += w * (jd[k] - jd[0])
        mean_mag += w * (mag[k] - mag[0])
    mean_t /= total
    mean_mag = mag[0] + mean_mag / total
    spread = together = 0.0
    for k in range(n):
        w = 1.0 / (err[k] * err[k])
        t = jd[k] - jd[0] - mean_t
        spread += w * t * t
        together += w * t * (mag[k] - mean_mag)
    slope = together / spread
    chi2 = np.nan
    if n > 2:
        misfit = 0.0
        for k in range(n):
            pull = (mag[k] - mean_mag - slope * (jd[k] - jd[0] - mean_t)) / err[k]
            misfit += pull * pull
        chi2 = misfit / (n - 2)
    return Slope(
        slope, _error_of(spread, chi2), chi2, n, jd[-1] - jd[0], spread, jd[0] + mean_t, mean_mag
    )


@njit(cache=True, forceinline=True)
def common_slope(fits):
    """One slope for lines of several bands, each of which keeps its own zero point.

    Parameters
    ----------
    fits : tuple of Slope
        Those that are NaN do not count.

    Returns
    -------
    Slope
        The weighted least-squares slope through the points of all of them; ``chi2`` is that of
        the common slope, ``base`` the longest one, and there is no anchor.

    Examples
    --------
    >>> common_slope((fit_slope(*g), fit_slope(*r))).slope   # doctest: +SKIP
    """
    together = spread = base = 0.0
    n = bands = 0
    for fit in fits:
        if fit.n > 0:
            together += fit.spread * fit.slope
            spread += fit.spread
            base = max(base, fit.base)
            n += fit.n
            bands += 1
    if bands == 0:
        return Slope(np.nan, np.nan, np.nan, 0, np.nan, np.nan, np.nan, np.nan)
    slope = together / spread
    chi2 = np.nan
    free = n - bands - 1
    if free > 0:
        misfit = 0.0
        for fit in fits:
            if fit.n > 0:
                misfit += fit.spread * (fit.slope - slope) * (fit.slope - slope)
            if fit.n > 2:
                misfit += fit.chi2 * (fit.n - 2)
        chi2 = misfit / free
    return Slope(slope, _error_of(spread, chi2), chi2, n, base, spread, np.nan, np.nan)


@njit(cache=True, forceinline=True)
def _error_of(spread, chi2):
    return np.sqrt((chi2 if chi2 > 1 else 1.0) / spread)
