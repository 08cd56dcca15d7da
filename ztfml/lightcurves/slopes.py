"""Weighted straight-line fits of magnitude against time, from which all rates are computed."""

from typing import NamedTuple

import numpy as np

from ztfml.compiled import kernel

MIN_BASE = 0.02
"""Shortest time base of a rate in days (half an hour)."""


class Slope(NamedTuple):
    """A straight line fitted to magnitudes.

    Attributes
    ----------
    slope, err : float, mag/d
        Slope and its 1-sigma error; positive when the source fades.
    chi2 : float
        Reduced chi-square, NaN without a degree of freedom.
    n : int
        Number of points.
    base : float, d
        Time between the first and the last point.
    spread : float, d^2/mag^2
        Weighted sum of the squared times about ``mean_jd``.
    mean_jd, mean_mag : float, d and mag
        Weighted means, through which the line passes.
    """

    slope: float
    err: float
    chi2: float
    n: int
    base: float
    spread: float
    mean_jd: float
    mean_mag: float


@kernel
def fit_slope(jd: np.ndarray, mag: np.ndarray, err: np.ndarray) -> Slope:
    """Fit a straight line to magnitudes by weighted least squares.

    Parameters
    ----------
    jd : ndarray, shape (n,), d
        Times in increasing order.
    mag, err : ndarray, shape (n,), mag
        Magnitudes and their errors.

    Returns
    -------
    Slope
        All NaN (with ``n`` = 0) for fewer than two points or a time base below `MIN_BASE`. If
        the reduced chi-square exceeds 1, the error of the slope is multiplied by its square
        root.

    Examples
    --------
    >>> fit_slope(np.array([0.0, 2.0]), np.array([18.0, 19.0]), np.array([0.1, 0.1])).slope
    0.5
    """
    n = len(jd)
    if n < 2 or jd[-1] - jd[0] < MIN_BASE:
        return Slope(np.nan, np.nan, np.nan, 0, np.nan, np.nan, np.nan, np.nan)
    # Relative to the first point, because squares of Julian dates would lose ten digits.
    total = mean_t = mean_mag = 0.0
    for k in range(n):
        w = 1.0 / (err[k] * err[k])
        total += w
        mean_t += w * (jd[k] - jd[0])
        mean_mag += w * (mag[k] - mag[0])
    mean_t /= total
    mean_mag = mag[0] + mean_mag / total
    spread = product = 0.0
    for k in range(n):
        w = 1.0 / (err[k] * err[k])
        t = jd[k] - jd[0] - mean_t
        spread += w * t * t
        product += w * t * (mag[k] - mean_mag)
    slope = product / spread
    chi2 = np.nan
    if n > 2:
        chi2_sum = 0.0
        for k in range(n):
            pull = (mag[k] - mean_mag - slope * (jd[k] - jd[0] - mean_t)) / err[k]
            chi2_sum += pull * pull
        chi2 = chi2_sum / (n - 2)
    return Slope(
        slope, _error_of(spread, chi2), chi2, n, jd[-1] - jd[0], spread, jd[0] + mean_t, mean_mag
    )


@kernel
def common_slope(fits: tuple[Slope, ...]) -> Slope:
    """Combine the fits of several bands into one slope, with a separate zero point per band.

    Parameters
    ----------
    fits : tuple of Slope
        Fits with ``n`` = 0 are ignored.

    Returns
    -------
    Slope
        The weighted least-squares slope of all points. ``chi2`` is that of the common slope,
        ``base`` is the longest time base, and ``mean_jd`` and ``mean_mag`` are NaN.

    Examples
    --------
    >>> jd, err = np.array([0.0, 2.0]), np.array([0.1, 0.1])
    >>> g = fit_slope(jd, np.array([18.0, 19.0]), err)
    >>> r = fit_slope(jd, np.array([17.0, 17.5]), err)
    >>> round(common_slope((g, r)).slope, 3)
    0.375
    """
    product = spread = base = 0.0
    n = bands = 0
    for fit in fits:
        if fit.n > 0:
            product += fit.spread * fit.slope
            spread += fit.spread
            base = max(base, fit.base)
            n += fit.n
            bands += 1
    if bands == 0:
        return Slope(np.nan, np.nan, np.nan, 0, np.nan, np.nan, np.nan, np.nan)
    slope = product / spread
    chi2 = np.nan
    freedom = n - bands - 1
    if freedom > 0:
        chi2_sum = 0.0
        for fit in fits:
            if fit.n > 0:
                chi2_sum += fit.spread * (fit.slope - slope) * (fit.slope - slope)
            if fit.n > 2:
                chi2_sum += fit.chi2 * (fit.n - 2)
        chi2 = chi2_sum / freedom
    return Slope(slope, _error_of(spread, chi2), chi2, n, base, spread, np.nan, np.nan)


@kernel
def _error_of(spread, chi2):
    return np.sqrt((chi2 if chi2 > 1 else 1.0) / spread)
