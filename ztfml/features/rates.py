"""Peak, rise and fade of the source, per band and for all bands.

All features use night means of positive detections of the current episode
(`ztfml.lightcurves.night_means`). Rise and fade rates follow BOOM: weighted least-squares fits
before and after the peak, per band, with error and time base. Bounds from non-detections follow
ZTFReST (Andreoni et al. 2021, ApJ 918, 63).
"""

import numpy as np

from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.light_curve import ZERO_POINT
from ztfml.lightcurves.night_means import peak_index, peak_magnitude
from ztfml.lightcurves.slopes import common_slope, fit_slope

GROUP = Group("rates", "peak, rise and fade of the source", version=2)

# Difference in magnitude of a factor of two in flux.
_HALF_FLUX = 2.5 * np.log10(2)
# Shortest time (days) between a non-detection and the night mean for a bound. Within a night,
# the difference is mostly noise.
_MIN_LIMIT_BASE = 0.5
# A non-detection is ignored if another band has a detection this much brighter (mag) within this
# time (days): transients have smaller colours than that.
_OTHER_BAND_WITHIN = 0.5
_OTHER_BAND_BRIGHTER = 0.5
# A minimum counts if it is fainter than the maxima by this many errors of each of both points.
_MIN_SIGMA = 2.0

_READS = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
_WITH_LIMITS = (*_READS, "diffmaglim")
_NONE = "without a positive detection in the current episode"
_RISE = "without two night means up to the peak, at least 0.02 d apart"
_FADE = "without two night means from the peak on, at least 0.02 d apart"
_RECENT = "without two night means at least 0.02 d apart"

GROUP.declare(
    "peak_mag_band",
    "mag",
    "peak magnitude in {band}: the night mean with the largest flux minus its error",
    _NONE,
    _READS,
)
GROUP.declare("days_since_peak_band", "d", "days since the peak in {band}", _NONE, _READS)
GROUP.declare(
    "peak_significance_band",
    "",
    "flux of the peak in {band} minus that of the previous or next night mean, divided by the "
    "error of the difference; the smaller of the two (below 3, the peak is within the noise)",
    "with a single night mean",
    _READS,
)
GROUP.declare("first_mag_band", "mag", "magnitude of the first night mean in {band}", _NONE, _READS)
GROUP.declare("last_mag_band", "mag", "magnitude of the latest night mean in {band}", _NONE, _READS)
GROUP.declare(
    "amplitude_band",
    "mag",
    "faintest minus brightest night mean in {band}",
    "with a single night mean",
    _READS,
)
for _way, _missing, _when in (
    ("rise", _RISE, "up to the peak"),
    ("fade", _FADE, "from the peak on"),
):
    GROUP.declare(
        f"{_way}_rate_band",
        "mag / d",
        f"{_way} rate in {{band}}, fitted to the night means {_when}",
        _missing,
        _READS,
    )
    GROUP.declare(
        f"{_way}_rate_err_band", "mag / d", f"1-sigma error of the {_way} rate in {{band}}",
        _missing, _READS,
    )  # fmt: skip
    GROUP.declare(
        f"{_way}_n_band",
        "",
        f"number of night means in the fit of the {_way} in {{band}}",
        _missing,
        _READS,
    )
    GROUP.declare(
        f"{_way}_base_band", "d", f"time base of the fit of the {_way} in {{band}}", _missing,
        _READS,
    )  # fmt: skip
    GROUP.declare(
        f"{_way}_chi2_band",
        "",
        f"reduced chi-square of the fit of the {_way} in {{band}}",
        "with fewer than three night means in the fit",
        _READS,
    )
    GROUP.declare(
        f"{_way}_rate",
        "mag / d",
        f"{_way} rate common to all bands, with a separate zero point for each band",
        _missing + " in any band",
        _READS,
    )
    GROUP.declare(
        f"{_way}_rate_err", "mag / d", f"1-sigma error of the common {_way} rate",
        _missing + " in any band", _READS,
    )  # fmt: skip
    GROUP.declare(
        f"{_way}_n", "", f"number of night means in the common fit of the {_way}",
        _missing + " in any band", _READS,
    )  # fmt: skip
    GROUP.declare(
        f"{_way}_base", "d", f"longest time base in the common fit of the {_way}",
        _missing + " in any band", _READS,
    )  # fmt: skip
    GROUP.declare(
        f"{_way}_chi2",
        "",
        f"reduced chi-square of the common fit of the {_way}",
        "without a degree of freedom in the fit",
        _READS,
    )
GROUP.declare(
    "recent_slope_band",
    "mag / d",
    "slope between the last two night means in {band}, positive when the source fades",
    _RECENT,
    _READS,
)
GROUP.declare(
    "recent_slope_err_band", "mag / d", "1-sigma error of the recent slope in {band}",
    _RECENT, _READS,
)  # fmt: skip
GROUP.declare(
    "rise_bound_band",
    "mag / d",
    "lower bound on the rise rate in {band}, from a non-detection at least half a day before the "
    "first night mean, taken as 1 sigma fainter",
    "without a deeper non-detection before it, or if non-detections contradict detections",
    _WITH_LIMITS,
)
GROUP.declare(
    "fade_bound_band",
    "mag / d",
    "lower bound on the fade rate in {band}, from a non-detection at least half a day after the "
    "last night mean, taken as 1 sigma fainter",
    "without a deeper non-detection after it, or if non-detections contradict detections",
    _WITH_LIMITS,
)
GROUP.declare(
    "half_time_band",
    "d",
    "time above half of the peak flux in {band}: the sum of rise and fade time, each interpolated "
    "linearly in flux between the two night means around half; a non-detection below half between "
    "them replaces the fainter one",
    "without a night mean below half both before and after the peak; above_half and half_time_max "
    "are bounds then",
    _READS,
)
GROUP.declare(
    "above_half_band", "d", "time between the first and the last night mean above half of "
    "the peak flux in {band}: a lower bound on the half-time", _NONE, _READS,
)  # fmt: skip
GROUP.declare(
    "half_time_max_band",
    "d",
    "time between the last night mean or non-detection below half of the peak flux in {band} "
    "before the peak and the first one after it: an upper bound on the half-time",
    "without such a night mean or non-detection on both sides",
    _WITH_LIMITS,
    version=1,
)
GROUP.declare(
    "rebrightening_band",
    "mag",
    "depth of the deepest minimum between two maxima in {band}: the smaller of the fade before and "
    "the rise after it, each less 2 sigma of both night means; 0 if there is none",
    "with fewer than three night means",
    _READS,
    version=1,
)
GROUP.declare(
    "best_rise_rate",
    "mag / d",
    "rise rate of the band with the largest rate minus error",
    _RISE,
    _READS,
)
GROUP.declare("best_rise_rate_err", "mag / d", "1-sigma error of the best rise rate", _RISE, _READS)
GROUP.declare(
    "best_fade_rate",
    "mag / d",
    "fade rate of the band with the largest rate minus error",
    _FADE,
    _READS,
)
GROUP.declare("best_fade_rate_err", "mag / d", "1-sigma error of the best fade rate", _FADE, _READS)
GROUP.declare("peak_mag", "mag", "brightest peak magnitude of all bands", _NONE, _READS)
GROUP.declare(
    "days_since_peak",
    "d",
    "days since the peak of the band with the brightest peak",
    _NONE,
    _READS,
)


@kernel
def write(curve, means, packet, workspace, row):
    """Write the rates of one light curve to its row."""
    fits = (
        _write_band(curve, curve.g, means[0], 0, workspace, row),
        _write_band(curve, curve.r, means[1], 1, workspace, row),
        _write_band(curve, curve.i, means[2], 2, workspace, row),
    )
    rise = common_slope((fits[0][0], fits[1][0], fits[2][0]))
    if rise.n > 0:
        row.rise_rate = -rise.slope
        row.rise_rate_err = rise.err
        row.rise_n = rise.n
        row.rise_base = rise.base
        row.rise_chi2 = rise.chi2
    fade = common_slope((fits[0][1], fits[1][1], fits[2][1]))
    if fade.n > 0:
        row.fade_rate = fade.slope
        row.fade_rate_err = fade.err
        row.fade_n = fade.n
        row.fade_base = fade.base
        row.fade_chi2 = fade.chi2
    _best_of_bands(row)


@kernel
def _write_band(curve, band, means, b, workspace, row):
    """Write the rates of one band and return the fits of its rise and its fade."""
    n = len(means.jd)
    if n == 0:
        no_fit = fit_slope(means.jd, means.mag, means.err)
        return no_fit, no_fit
    peak = peak_index(means)
    row.peak_mag_band[b] = peak_magnitude(means, peak)
    row.days_since_peak_band[b] = curve.now - means.jd[peak]
    row.first_mag_band[b] = means.mag[0]
    row.last_mag_band[b] = means.mag[-1]
    first, last = _edges_of_half(means, peak)
    row.above_half_band[b] = means.jd[last] - means.jd[first]
    limit_jd, limit_mag = _usable_limits(curve, band, means, b, workspace.scratch)
    row.half_time_band[b] = _half_time(limit_jd, limit_mag, means, peak, first, last)
    row.half_time_max_band[b] = _longest_half_time(limit_jd, limit_mag, means, peak, first, last)
    row.rise_bound_band[b], row.fade_bound_band[b] = _bounds(limit_jd, limit_mag, means)
    rise = fit_slope(means.jd[: peak + 1], means.mag[: peak + 1], means.err[: peak + 1])
    fade = fit_slope(means.jd[peak:], means.mag[peak:], means.err[peak:])
    if n > 1:
        row.peak_significance_band[b] = _peak_significance(means, peak)
        row.amplitude_band[b] = _range(means.mag)
        recent = fit_slope(means.jd[-2:], means.mag[-2:], means.err[-2:])
        row.recent_slope_band[b] = recent.slope
        row.recent_slope_err_band[b] = recent.err
    if n > 2:
        row.rebrightening_band[b] = _rebrightening(means, workspace.scratch[0])
    if rise.n > 0:
        row.rise_rate_band[b] = -rise.slope
        row.rise_rate_err_band[b] = rise.err
        row.rise_n_band[b] = rise.n
        row.rise_base_band[b] = rise.base
        row.rise_chi2_band[b] = rise.chi2
    if fade.n > 0:
        row.fade_rate_band[b] = fade.slope
        row.fade_rate_err_band[b] = fade.err
        row.fade_n_band[b] = fade.n
        row.fade_base_band[b] = fade.base
        row.fade_chi2_band[b] = fade.chi2
    return rise, fade


@kernel
def _range(mag):
    brightest = faintest = mag[0]
    for k in range(1, len(mag)):
        brightest, faintest = min(brightest, mag[k]), max(faintest, mag[k])
    return faintest - brightest


@kernel
def _peak_significance(means, peak):
    least = np.inf
    for neighbour in (peak - 1, peak + 1):
        if 0 <= neighbour < len(means.jd):
            excess = means.flux[peak] - means.flux[neighbour]
            err = np.sqrt(means.flux_err[peak] ** 2 + means.flux_err[neighbour] ** 2)
            least = min(least, excess / err)
    return least


@kernel
def _edges_of_half(means, peak):
    """First and last night mean of the continuous run around the peak above half of its flux."""
    flux = means.flux
    half = 0.5 * flux[peak]
    first = peak
    while first > 0 and flux[first - 1] > half:
        first -= 1
    last = peak
    while last < len(flux) - 1 and flux[last + 1] > half:
        last += 1
    return first, last


@kernel
def _usable_limits(curve, band, means, b, scratch):
    """Select the band's non-detections since the previous episode that can be trusted.

    Packets list a non-detection for an exposure whose alert was not distributed (of another
    program, or of low quality), even if the source was bright. If a limit is deeper by 1 sigma
    than the night means before and after it, none of the limits of this light curve is used. A
    single limit is ignored if another band has a brighter detection close in time.
    """
    since = curve.jd[curve.episode - 1] if curve.episode > 0 else -np.inf
    all_jd, all_mag = band.limit_jd, band.limit_mag
    jd, mag = scratch[0], scratch[1]
    n = start = after = 0
    for k in range(len(all_jd)):
        if all_jd[k] <= since:
            continue
        while start < len(curve.jd) and curve.jd[start] < all_jd[k] - _OTHER_BAND_WITHIN:
            start += 1
        if _contradicted_by_another_band(curve, start, b, all_jd[k], all_mag[k]):
            continue
        while after < len(means.jd) and means.jd[after] < all_jd[k]:
            after += 1
        if 0 < after < len(means.jd):
            faintest = max(
                means.mag[after - 1] + means.err[after - 1], means.mag[after] + means.err[after]
            )
            if all_mag[k] > faintest:
                return jd[:0], mag[:0]
        jd[n], mag[n] = all_jd[k], all_mag[k]
        n += 1
    return jd[:n], mag[:n]


@kernel
def _contradicted_by_another_band(curve, start, b, limit_jd, limit_mag):
    """Check whether another band has a brighter positive detection close in time to a limit."""
    for d in range(start, len(curve.jd)):
        if curve.jd[d] > limit_jd + _OTHER_BAND_WITHIN:
            return False
        other = curve.band[d] != b and curve.sign[d] >= 0
        if other and curve.mag[d] < limit_mag - _OTHER_BAND_BRIGHTER:
            return True
    return False


@kernel
def _half_time(limit_jd, limit_mag, means, peak, first, last):
    """Time above half of the peak flux; night means ``first`` to ``last`` are above it."""
    jd, flux = means.jd, means.flux
    if first == 0 or last == len(jd) - 1:
        return np.nan
    half = 0.5 * flux[peak]
    before_jd, before_flux = jd[first - 1], flux[first - 1]
    after_jd, after_flux = jd[last + 1], flux[last + 1]
    for k in range(len(limit_jd)):
        if limit_mag[k] > means.mag[peak] + _HALF_FLUX:
            limit = 10 ** (-0.4 * (limit_mag[k] - ZERO_POINT))
            if before_jd < limit_jd[k] < jd[first]:
                before_jd, before_flux = limit_jd[k], limit
            elif jd[last] < limit_jd[k] < after_jd:
                after_jd, after_flux = limit_jd[k], limit
    begin = _crossing(before_jd, before_flux, jd[first], flux[first], half)
    return _crossing(jd[last], flux[last], after_jd, after_flux, half) - begin


@kernel
def _longest_half_time(limit_jd, limit_mag, means, peak, first, last):
    """Time between the closest night means or non-detections below half of the peak flux."""
    begin = means.jd[first - 1] if first > 0 else -np.inf
    end = means.jd[last + 1] if last < len(means.jd) - 1 else np.inf
    for k in range(len(limit_jd)):
        if limit_mag[k] > means.mag[peak] + _HALF_FLUX:
            if limit_jd[k] < means.jd[first]:
                begin = max(begin, limit_jd[k])
            elif limit_jd[k] > means.jd[last]:
                end = min(end, limit_jd[k])
    return end - begin if np.isfinite(end - begin) else np.nan


@kernel
def _rebrightening(means, rise_after):
    """Depth of the deepest minimum, at least 0."""
    mag, err = means.mag, means.err
    n = len(mag)
    brightest = np.inf
    for k in range(n - 1, -1, -1):
        rise_after[k] = mag[k] - _MIN_SIGMA * err[k] - brightest
        brightest = min(brightest, mag[k] + _MIN_SIGMA * err[k])
    deepest = 0.0
    brightest = np.inf
    for k in range(n):
        fade_before = mag[k] - _MIN_SIGMA * err[k] - brightest
        deepest = max(deepest, min(fade_before, rise_after[k]))
        brightest = min(brightest, mag[k] + _MIN_SIGMA * err[k])
    return deepest


@kernel
def _crossing(jd_a, flux_a, jd_b, flux_b, flux):
    """Interpolate the time at which the flux between two points has a given value."""
    return jd_a + (flux - flux_a) / (flux_b - flux_a) * (jd_b - jd_a)


@kernel
def _bounds(limit_jd, limit_mag, means):
    """Lower bounds on rise and fade rate from non-detections before and after the night means."""
    rise = fade = np.nan
    for k in range(len(limit_jd)):
        before = means.jd[0] - limit_jd[k]
        if before >= _MIN_LIMIT_BASE:
            rise = _tighter(rise, (limit_mag[k] - means.mag[0] - means.err[0]) / before)
        after = limit_jd[k] - means.jd[-1]
        if after >= _MIN_LIMIT_BASE:
            fade = _tighter(fade, (limit_mag[k] - means.mag[-1] - means.err[-1]) / after)
    return rise, fade


@kernel
def _tighter(bound, rate):
    return rate if rate > 0 and not rate <= bound else bound


@kernel
def _best_of_bands(row):
    """Write the rates and the peak of the best band."""
    highest_rise = highest_fade = -np.inf
    for b in range(3):
        if row.rise_rate_band[b] - row.rise_rate_err_band[b] > highest_rise:
            highest_rise = row.rise_rate_band[b] - row.rise_rate_err_band[b]
            row.best_rise_rate = row.rise_rate_band[b]
            row.best_rise_rate_err = row.rise_rate_err_band[b]
        if row.fade_rate_band[b] - row.fade_rate_err_band[b] > highest_fade:
            highest_fade = row.fade_rate_band[b] - row.fade_rate_err_band[b]
            row.best_fade_rate = row.fade_rate_band[b]
            row.best_fade_rate_err = row.fade_rate_err_band[b]
        if not row.peak_mag_band[b] >= row.peak_mag and not np.isnan(row.peak_mag_band[b]):
            row.peak_mag = row.peak_mag_band[b]
            row.days_since_peak = row.days_since_peak_band[b]
