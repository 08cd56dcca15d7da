"""How the source varies, per band, over all of its history.

Statistics of the signed difference flux use every detection, so that a variable star below
its reference counts as well; those in magnitudes use positive detections only. Definitions as
in light-curve (Malanchev et al. 2021, MNRAS 502, 5147) unless said otherwise.
"""

import numpy as np

from ztfml.compiled import kernel
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


@kernel
def vary(curve, room, row):
    """Write the variability of one light curve into its row."""
    _vary_band(curve.g, room.spare[0], 0, row)
    _vary_band(curve.r, room.spare[0], 1, row)
    _vary_band(curve.i, room.spare[0], 2, row)


@kernel
def _vary_band(own, memory, b, row):
    if len(own.jd) >= 2:
        _flux_statistics(own.flux, own.flux_err, b, row)
        _magnitude_statistics(own, memory, b, row)


@kernel
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
    faintest = brightest = flux[0]
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
        faintest, brightest = min(faintest, flux[k]), max(brightest, flux[k])
        if k > 0:
            steps += (flux[k] - flux[k - 1]) ** 2
    row.chi2_band[b] = chi2 / (n - 1)
    variance = second / (n - 1)
    row.excess_variance_band[b] = (variance - noise / n) / (square / n)
    # Not chi2 > 0: the mean of equal fluxes is off by a rounding, which is no scatter.
    if brightest == faintest:
        return
    row.stetson_k_band[b] = pulls / np.sqrt(n * chi2)
    row.cusum_range_band[b] = (highest - lowest) / (n * np.sqrt(variance))
    if n >= 3:
        row.von_neumann_band[b] = steps / (n - 1) / variance
        row.flux_skew_band[b] = n / ((n - 1) * (n - 2)) * third / (variance * np.sqrt(variance))


@kernel
def _magnitude_statistics(own, mag, b, row):
    n = 0
    total = mean = 0.0
    for k in range(len(own.mag)):
        if own.sign[k] >= 0:
            mag[n] = own.mag[k]
            weight = 1.0 / (own.err[k] * own.err[k])
            total += weight
            mean += weight * (mag[n] - mag[0])
            n += 1
    if n < 2:
        return
    mean = mag[0] + mean / total
    scatter = 0.0
    for k in range(len(own.mag)):
        if own.sign[k] >= 0:
            scatter += ((own.mag[k] - mean) / own.err[k]) ** 2
    # The n / (n - 1) makes it the sample standard deviation where all errors are equal.
    row.mag_std_band[b] = np.sqrt(scatter / total * n / (n - 1))
    if n >= 4:
        _sort(mag[:n])
        row.mag_iqr_band[b] = _quantile(mag[:n], 0.75) - _quantile(mag[:n], 0.25)


@kernel
def _sort(values):
    """Shell's method with Knuth's gaps, for numba's own sort asks for memory each time."""
    gap = 1
    while gap < len(values) // 9:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, len(values)):
            value, place = values[k], k
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap //= 3


@kernel
def _quantile(ordered, part):
    """Linear interpolation between order statistics, as numpy's default."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
