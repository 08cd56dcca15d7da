"""Straight lines through magnitudes over time: what every rate is."""

from typing import NamedTuple

import numpy as np

from ztfml.compiled import kernel

# Half an hour: the shortest time base from which a rate is worth giving.
MIN_BASE = 0.02


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


@kernel
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


@kernel
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


@kernel
def _error_of(spread, chi2):
    return np.sqrt((chi2 if chi2 > 1 else 1.0) / spread)
