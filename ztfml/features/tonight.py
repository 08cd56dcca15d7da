"""Changes within the night of the alert.

The fastest sources change by more than a magnitude in hours: afterglows, kilonovae, flares,
eclipses, pulsating stars. Rates of night means (`ztfml.features.rates`) do not show this.

Slopes are fits to the positive detections of the night, like those of night means. All errors
include the systematic floor of `ztfml.lightcurves.light_curve`. It is large enough: of 6,754 pairs
of detections of supernovae in one night, 68 % differ by less than 0.6 errors and 0.7 % by more
than 3.
"""

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.slopes import MIN_BASE, common_slope, fit_slope

GROUP = Group("tonight", "changes within the night of the alert")

# A limit is ignored if the source was brighter than the limit by this much (mag) before it.
_BRIGHTER_BEFORE = 0.5

_READS = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
_NO_SLOPE = "without two positive detections in this night, at least 0.02 d apart"
_IN_ANY_BAND = _NO_SLOPE + " in any band"

GROUP.declare(
    "tonight_slope_band",
    "mag / d",
    "slope within the night of the alert in {band}, positive when the source fades",
    _NO_SLOPE,
    _READS,
)
GROUP.declare(
    "tonight_slope_err_band",
    "mag / d",
    "1-sigma error of the slope within the night in {band}",
    _NO_SLOPE,
    _READS,
)
GROUP.declare(
    "tonight_n_band",
    "",
    "number of detections in the fit of the slope within the night in {band}",
    _NO_SLOPE,
    _READS,
)
GROUP.declare(
    "tonight_base_band",
    "d",
    "time base of the slope within the night in {band}",
    _NO_SLOPE,
    _READS,
)
GROUP.declare(
    "tonight_slope",
    "mag / d",
    "slope within the night common to all bands, with a separate zero point for each band",
    _IN_ANY_BAND,
    _READS,
)
GROUP.declare(
    "tonight_slope_err",
    "mag / d",
    "1-sigma error of the common slope within the night",
    _IN_ANY_BAND,
    _READS,
)
GROUP.declare(
    "tonight_n",
    "",
    "number of detections in the common fit of the slope within the night",
    _IN_ANY_BAND,
    _READS,
)
GROUP.declare(
    "tonight_base",
    "d",
    "longest time base in the common fit of the slope within the night",
    _IN_ANY_BAND,
    _READS,
)
GROUP.declare(
    "tonight_slope_chi2",
    "",
    "reduced chi-square of the common fit of the slope within the night",
    "without a degree of freedom in the fit",
    _READS,
)
GROUP.declare(
    "tonight_excess",
    "",
    "absolute slope within the night minus that between the last two night means (both common to "
    "all bands), in units of the error of the difference",
    _IN_ANY_BAND + ", or without two night means of a band",
    _READS,
    version=2,
)
GROUP.declare(
    "tonight_change_band",
    "",
    "flux of the first detection in the night of the alert minus that of the last in {band}, "
    "divided by the error of the difference; positive when the source fades, also below the "
    "reference",
    "without two detections in this night, at least 0.02 d apart",
    _READS,
)
GROUP.declare(
    "tonight_change",
    "",
    "change of flux within the night, in errors, in the band in which it is most significant",
    "without two detections in this night, at least 0.02 d apart in any band",
    _READS,
)
GROUP.declare(
    "tonight_rise_bound_band",
    "mag / d",
    "lower bound on the rise rate within the night in {band}, from a non-detection at least 0.02 d "
    "before the first positive detection of the night, taken as 1 sigma fainter",
    "without a deeper non-detection before it, or if the source was 0.5 mag brighter than the "
    "non-detection at the last detection before it",
    (*_READS, "diffmaglim"),
    version=2,
)
GROUP.declare(
    "tonight_chi2",
    "",
    "reduced chi-square of the fluxes in the night of the alert about their mean in each band",
    "without two detections of a band in this night",
    _READS,
)
GROUP.declare(
    "earlier_nights_chi2",
    "",
    "reduced chi-square of the fluxes of all earlier nights about the mean of their band and "
    "night: above 1 for stars that change within hours",
    "without two detections of a band in an earlier night",
    _READS,
)


@kernel
def write(curve, means, packet, workspace, row):
    """Write the changes within the night of one light curve to its row."""
    fits = (
        _write_band(curve, curve.g, 0, workspace.scratch, row),
        _write_band(curve, curve.r, 1, workspace.scratch, row),
        _write_band(curve, curve.i, 2, workspace.scratch, row),
    )
    slope = common_slope(fits)
    if slope.n > 0:
        row.tonight_slope = slope.slope
        row.tonight_slope_err = slope.err
        row.tonight_n = slope.n
        row.tonight_base = slope.base
        row.tonight_slope_chi2 = slope.chi2
        nights = common_slope((_last_two(means[0]), _last_two(means[1]), _last_two(means[2])))
        error = np.sqrt(slope.err * slope.err + nights.err * nights.err)
        row.tonight_excess = (abs(slope.slope) - abs(nights.slope)) / error
    for b in range(3):
        change = row.tonight_change_band[b]
        if np.isnan(row.tonight_change) or abs(change) > abs(row.tonight_change):
            row.tonight_change = change
    _write_scatter(curve, row)


@kernel
def _write_band(curve, band, b, scratch, row):
    """Write the changes of one band within the night and return the fit of its slope."""
    begin = _begin_of_night(band.jd, curve.now)
    jd, mag, err = scratch[0], scratch[1], scratch[2]
    n = 0
    for k in range(begin, len(band.jd)):
        if band.sign[k] >= 0:
            jd[n], mag[n], err[n] = band.jd[k], band.mag[k], band.err[k]
            n += 1
    slope = fit_slope(jd[:n], mag[:n], err[:n])
    if slope.n > 0:
        row.tonight_slope_band[b] = slope.slope
        row.tonight_slope_err_band[b] = slope.err
        row.tonight_n_band[b] = slope.n
        row.tonight_base_band[b] = slope.base
    if n > 0:
        row.tonight_rise_bound_band[b] = _rise_bound(curve, band, jd[0], mag[0] + err[0])
    if begin < len(band.jd) and band.jd[-1] - band.jd[begin] >= MIN_BASE:
        error = np.sqrt(band.flux_err[begin] ** 2 + band.flux_err[-1] ** 2)
        row.tonight_change_band[b] = (band.flux[begin] - band.flux[-1]) / error
    return slope


@kernel
def _begin_of_night(jd, now):
    """Find the first of the times (in increasing order) that is in the night of the alert."""
    begin = len(jd)
    while begin > 0 and night_of(jd[begin - 1]) == night_of(now):
        begin -= 1
    return begin


@kernel
def _rise_bound(curve, band, first_jd, faintest):
    """Lower bound on the rise rate from the night's non-detections before a detection."""
    bound = np.nan
    before = len(curve.jd) - 1
    for k in range(len(band.limit_jd) - 1, -1, -1):
        limit_jd, limit_mag = band.limit_jd[k], band.limit_mag[k]
        if night_of(limit_jd) != night_of(curve.now):
            return bound
        while before >= 0 and (curve.jd[before] > limit_jd or curve.sign[before] < 0):
            before -= 1
        seen = before >= curve.episode and curve.mag[before] < limit_mag - _BRIGHTER_BEFORE
        if first_jd - limit_jd >= MIN_BASE and not seen:
            rate = (limit_mag - faintest) / (first_jd - limit_jd)
            if rate > 0 and not rate <= bound:
                bound = rate
    return bound


@kernel
def _last_two(means):
    return fit_slope(means.jd[-2:], means.mag[-2:], means.err[-2:])


@kernel
def _write_scatter(curve, row):
    """Write how much the fluxes scatter about the mean of their band and night."""
    chi2 = earlier_chi2 = 0.0
    freedom = earlier_freedom = 0
    for band in (curve.g, curve.r, curve.i):
        begin = _begin_of_night(band.jd, curve.now)
        in_band, n = _scatter(band, 0, begin)
        earlier_chi2 += in_band
        earlier_freedom += n
        in_band, n = _scatter(band, begin, len(band.jd))
        chi2 += in_band
        freedom += n
    if freedom > 0:
        row.tonight_chi2 = chi2 / freedom
    if earlier_freedom > 0:
        row.earlier_nights_chi2 = earlier_chi2 / earlier_freedom


@kernel
def _scatter(band, first, last):
    """Chi-square and degrees of freedom of some detections about the means of their nights."""
    chi2 = mean = weight = 0.0
    freedom = 0
    night = np.nan
    for k in range(first, last):
        flux, w = band.flux[k], 1.0 / (band.flux_err[k] * band.flux_err[k])
        if night_of(band.jd[k]) != night:
            night, mean, weight = night_of(band.jd[k]), flux, w
            continue
        # Welford's update: the difference of large sums would lose digits.
        weight += w
        excess = flux - mean
        mean += w / weight * excess
        chi2 += w * excess * (flux - mean)
        freedom += 1
    return chi2, freedom
