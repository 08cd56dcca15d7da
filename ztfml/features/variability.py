"""How the source varies, per band, over all of its history.

Statistics of the signed difference flux use every detection, so that a variable star below
its reference counts as well; those in magnitudes use positive detections only. Definitions as
in light-curve (Malanchev et al. 2021, MNRAS 502, 5147) unless said otherwise.
"""

import numpy as np
from numba import njit

from ztfml.features.registry import Group

GROUP = Group("variability", "how the source varies over all of its history")

_READS = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
_FEW = "with fewer than {n} detections in the band"
_FLAT = _FEW + ", or without scatter"

GROUP.declare(
    "mag_std_band",
    "mag",
    "weighted standard deviation of the positive magnitudes in {band}, unbiased by n / (n - 1)",
    _FEW.format(n="2 positive"),
    _READS,
)
GROUP.declare(
    "mag_iqr_band",
    "mag",
    "interquartile range of the positive magnitudes in {band}",
    _FEW.format(n="4 positive"),
    _READS,
)
GROUP.declare(
    "chi2_band",
    "",
    "reduced chi-square of the difference flux in {band} against a constant",
    _FEW.format(n=2),
    _READS,
)
GROUP.declare(
    "excess_variance_band",
    "",
    "variance of the difference flux in {band} beyond the errors over its mean square: 1 when it "
    "averages to nothing (after Nandra et al. 1997, ApJ 476, 70)",
    _FEW.format(n=2),
    _READS,
)
GROUP.declare(
    "von_neumann_band",
    "",
    "mean squared successive flux difference over the variance in {band}: small when smooth",
    _FLAT.format(n=3),
    _READS,
)
GROUP.declare(
    "stetson_k_band",
    "",
    "Stetson K of the difference flux in {band}: 0.80 for Gaussian scatter, less with outliers",
    _FLAT.format(n=2),
    _READS,
)
GROUP.declare(
    "flux_skew_band", "", "skewness of the difference flux in {band}", _FLAT.format(n=3), _READS
)


@njit(cache=True)
def vary(curve, row):
    """Write the variability of one light curve into its row."""
    for b in range(3):
        mine = curve.band == b
        if mine.sum() < 2:
            continue
        _flux_statistics(curve.flux[mine], curve.flux_err[mine], b, row)
        bright = mine & (curve.sign >= 0)
        if bright.sum() >= 2:
            _magnitude_statistics(curve.mag[bright], curve.err[bright], b, row)


@njit(cache=True)
def _flux_statistics(flux, err, b, row):
    n = len(flux)
    weight = err**-2.0
    mean = (weight * flux).sum() / weight.sum()
    pull = (flux - mean) / err
    chi2 = (pull**2).sum()
    row.chi2_band[b] = chi2 / (n - 1)
    # Not chi2 > 0: the mean of equal fluxes is off by a rounding, which is no scatter.
    varies = flux.max() > flux.min()
    if varies:
        row.stetson_k_band[b] = np.abs(pull).sum() / np.sqrt(n * chi2)
    plain_mean = flux.mean()
    variance = ((flux - plain_mean) ** 2).sum() / (n - 1)
    row.excess_variance_band[b] = (variance - (err**2).mean()) / (flux**2).mean()
    if n >= 3 and varies:
        step = np.diff(flux)
        row.von_neumann_band[b] = (step**2).sum() / (n - 1) / variance
        third = ((flux - plain_mean) ** 3).sum()
        row.flux_skew_band[b] = n / ((n - 1) * (n - 2)) * third / variance**1.5


@njit(cache=True)
def _magnitude_statistics(mag, err, b, row):
    n = len(mag)
    weight = err**-2.0
    mean = (weight * mag).sum() / weight.sum()
    # The n / (n - 1) makes it the sample standard deviation where all errors are equal.
    row.mag_std_band[b] = np.sqrt((weight * (mag - mean) ** 2).sum() / weight.sum() * n / (n - 1))
    if n >= 4:
        ordered = np.sort(mag)
        row.mag_iqr_band[b] = _quantile(ordered, 0.75) - _quantile(ordered, 0.25)


@njit(cache=True)
def _quantile(ordered, part):
    """Linear interpolation between order statistics, as numpy's default."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
