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
    "cusum_range_band",
    "",
    "range of the cumulative sum of the difference flux in {band} about its mean: large when slow "
    "(Ellaway 1978; Kim et al. 2011, ApJ 735, 68)",
    _FLAT.format(n=2),
    _READS,
)
GROUP.declare(
    "flux_skew_band", "", "skewness of the difference flux in {band}", _FLAT.format(n=3), _READS
)


@njit(cache=True, forceinline=True)
def vary(curve, row):
    """Write the variability of one light curve into its row."""
    n = len(curve.jd)
    memory = np.empty((4, n))
    flux, flux_err, mag, err = memory[0], memory[1], memory[2], memory[3]
    for b in range(3):
        own = positive = 0
        for k in range(n):
            if curve.band[k] == b:
                flux[own], flux_err[own] = curve.flux[k], curve.flux_err[k]
                own += 1
                if curve.sign[k] >= 0:
                    mag[positive], err[positive] = curve.mag[k], curve.err[k]
                    positive += 1
        if own >= 2:
            _flux_statistics(flux[:own], flux_err[:own], b, row)
        if positive >= 2:
            _magnitude_statistics(mag[:positive], err[:positive], b, row)


@njit(cache=True, forceinline=True)
def _flux_statistics(flux, err, b, row):
    n = len(flux)
    total = weighted = plain = square = noise = 0.0
    for k in range(n):
        weight = 1.0 / (err[k] * err[k])
        total += weight
        weighted += weight * flux[k]
        plain += flux[k]
        square += flux[k] * flux[k]
        noise += err[k] * err[k]
    weighted_mean, mean = weighted / total, plain / n
    chi2 = pulls = second = third = steps = 0.0
    summed = lowest = highest = 0.0
    for k in range(n):
        pull = abs(flux[k] - weighted_mean) / err[k]
        chi2 += pull * pull
        pulls += pull
        off = flux[k] - mean
        second += off * off
        third += off * off * off
        # The last sum is zero by definition, which is where these begin.
        summed += off
        lowest, highest = min(lowest, summed), max(highest, summed)
        if k > 0:
            steps += (flux[k] - flux[k - 1]) ** 2
    row.chi2_band[b] = chi2 / (n - 1)
    variance = second / (n - 1)
    row.excess_variance_band[b] = (variance - noise / n) / (square / n)
    # Not chi2 > 0: the mean of equal fluxes is off by a rounding, which is no scatter.
    if flux.max() == flux.min():
        return
    row.stetson_k_band[b] = pulls / np.sqrt(n * chi2)
    row.cusum_range_band[b] = (highest - lowest) / (n * np.sqrt(variance))
    if n >= 3:
        row.von_neumann_band[b] = steps / (n - 1) / variance
        row.flux_skew_band[b] = n / ((n - 1) * (n - 2)) * third / (variance * np.sqrt(variance))


@njit(cache=True, forceinline=True)
def _magnitude_statistics(mag, err, b, row):
    n = len(mag)
    total = mean = 0.0
    for k in range(n):
        weight = 1.0 / (err[k] * err[k])
        total += weight
        mean += weight * (mag[k] - mag[0])
    mean = mag[0] + mean / total
    scatter = 0.0
    for k in range(n):
        scatter += ((mag[k] - mean) / err[k]) ** 2
    # The n / (n - 1) makes it the sample standard deviation where all errors are equal.
    row.mag_std_band[b] = np.sqrt(scatter / total * n / (n - 1))
    if n >= 4:
        mag.sort()
        row.mag_iqr_band[b] = _quantile(mag, 0.75) - _quantile(mag, 0.25)


@njit(cache=True, forceinline=True)
def _quantile(ordered, part):
    """Linear interpolation between order statistics, as numpy's default."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
