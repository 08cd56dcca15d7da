"""Variability statistics per band over the whole history.

Statistics of the signed difference flux use all detections, including those fainter than the
reference image, as variable stars have. Statistics of magnitudes use positive detections only.
Unless another source is given, definitions are those of the package light-curve (Malanchev et al.
2021, MNRAS 502, 5147).
"""

import numpy as np

from ztfml.compiled import kernel
from ztfml.features.registry import Group

GROUP = Group("variability", "variability over the whole history")

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
    "variance of the difference flux in {band} in excess of the errors, divided by the mean square "
    "flux; 1 if the mean flux is zero (after Nandra et al. 1997, ApJ 476, 70)",
    _FEW.format(n=2),
    _READS,
)
GROUP.declare(
    "von_neumann_band",
    "",
    "mean squared difference of successive fluxes in {band}, divided by the variance; small for "
    "smooth variation",
    _FLAT.format(n=3),
    _READS,
)
GROUP.declare(
    "stetson_k_band",
    "",
    "Stetson K of the difference flux in {band}; 0.80 for Gaussian scatter, smaller with outliers",
    _FLAT.format(n=2),
    _READS,
)
GROUP.declare(
    "cusum_range_band",
    "",
    "range of the cumulative sum of the mean-subtracted difference flux in {band}; large for slow "
    "variation (Ellaway 1978; Kim et al. 2011, ApJ 735, 68)",
    _FLAT.format(n=2),
    _READS,
)
GROUP.declare(
    "flux_skew_band", "", "skewness of the difference flux in {band}", _FLAT.format(n=3), _READS
)


@kernel
def write(curve, means, packet, workspace, row):
    """Write the variability statistics of one light curve to its row."""
    _write_band(curve.g, workspace.scratch[0], 0, row)
    _write_band(curve.r, workspace.scratch[0], 1, row)
    _write_band(curve.i, workspace.scratch[0], 2, row)


@kernel
def _write_band(band, scratch, b, row):
    if len(band.jd) >= 2:
        _flux_statistics(band.flux, band.flux_err, b, row)
        _magnitude_statistics(band, scratch, b, row)


@kernel
def _flux_statistics(flux, err, b, row):
    n = len(flux)
    total = weighted = flux_sum = square = error_sum = 0.0
    for k in range(n):
        weight = 1.0 / (err[k] * err[k])
        total += weight
        weighted += weight * flux[k]
        flux_sum += flux[k]
        square += flux[k] * flux[k]
        error_sum += err[k] * err[k]
    weighted_mean, mean = weighted / total, flux_sum / n
    chi2 = pulls = second = third = step_sum = 0.0
    faintest = brightest = flux[0]
    cumulative = lowest = highest = 0.0
    for k in range(n):
        pull = abs(flux[k] - weighted_mean) / err[k]
        chi2 += pull * pull
        pulls += pull
        offset = flux[k] - mean
        second += offset * offset
        third += offset * offset * offset
        # Start from zero, which is also the last value of the cumulative sum.
        cumulative += offset
        lowest, highest = min(lowest, cumulative), max(highest, cumulative)
        faintest, brightest = min(faintest, flux[k]), max(brightest, flux[k])
        if k > 0:
            step_sum += (flux[k] - flux[k - 1]) ** 2
    row.chi2_band[b] = chi2 / (n - 1)
    variance = second / (n - 1)
    row.excess_variance_band[b] = (variance - error_sum / n) / (square / n)
    # Do not test chi2 > 0: rounding of the mean gives equal fluxes a tiny chi-square.
    if brightest == faintest:
        return
    row.stetson_k_band[b] = pulls / np.sqrt(n * chi2)
    row.cusum_range_band[b] = (highest - lowest) / (n * np.sqrt(variance))
    if n >= 3:
        row.von_neumann_band[b] = step_sum / (n - 1) / variance
        row.flux_skew_band[b] = n / ((n - 1) * (n - 2)) * third / (variance * np.sqrt(variance))


@kernel
def _magnitude_statistics(band, mag, b, row):
    n = 0
    total = mean = 0.0
    for k in range(len(band.mag)):
        if band.sign[k] >= 0:
            mag[n] = band.mag[k]
            weight = 1.0 / (band.err[k] * band.err[k])
            total += weight
            mean += weight * (mag[n] - mag[0])
            n += 1
    if n < 2:
        return
    mean = mag[0] + mean / total
    scatter = 0.0
    for k in range(len(band.mag)):
        if band.sign[k] >= 0:
            scatter += ((band.mag[k] - mean) / band.err[k]) ** 2
    # With n / (n - 1), it is the sample standard deviation if all errors are equal.
    row.mag_std_band[b] = np.sqrt(scatter / total * n / (n - 1))
    if n >= 4:
        _sort(mag[:n])
        row.mag_iqr_band[b] = _quantile(mag[:n], 0.75) - _quantile(mag[:n], 0.25)


@kernel
def _sort(values):
    """Sort in place with Shell's method and Knuth's gaps; numba's sort would allocate memory."""
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
def _quantile(ordered, fraction):
    """Quantile of sorted values with linear interpolation, as NumPy's default."""
    place = fraction * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
