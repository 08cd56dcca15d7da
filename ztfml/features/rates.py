"""How fast the source rises and fades, per band and in the best of them.

All of it rests on the night means of the current episode (`nights.night_means`), positive
detections only. Rates follow BOOM (rise and fade per band with error and time base, fitted by
weighted least squares before and after the peak); the bounds from non-detections follow
ZTFReST (Andreoni et al. 2021, ApJ 918, 63).
"""

import numpy as np

from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.night_means import peak_mag_of, peak_of
from ztfml.lightcurves.slopes import common_slope, fit_slope

GROUP = Group("rates", "how fast the source rises and fades")

# Half of the flux, in magnitudes.
_HALF_FLUX = 2.5 * np.log10(2)
# A limit of the same night bounds nothing: two exposures an hour apart differ by their noise.
_MIN_LIMIT_BASE = 0.5
# Colours of transients differ by less than this within half a day of each other.
_SEEN_WITHIN = 0.5
_SEEN_BRIGHTER = 0.5

_READS = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
_WITH_LIMITS = (*_READS, "diffmaglim")
_NONE = "without a positive detection in the current episode"
_RISE = "without two points before or at the peak, 0.02 d apart"
_FADE = "without two points at or after the peak, 0.02 d apart"
_RECENT = "without two nights 0.02 d apart"

GROUP.declare(
    "peak_mag_band",
    "mag",
    "peak in {band}: the night mean of the largest flux less its error",
    _NONE,
    _READS,
)
GROUP.declare("days_since_peak_band", "d", "days since the peak in {band}", _NONE, _READS)
GROUP.declare(
    "peak_significance_band",
    "",
    "flux of the peak in {band} less that of the night before or after over the error of the "
    "difference, the smaller of the two: below 3 the peak is within the noise",
    "with one night",
    _READS,
)
GROUP.declare("first_mag_band", "mag", "first night mean in {band}", _NONE, _READS)
GROUP.declare("last_mag_band", "mag", "latest night mean in {band}", _NONE, _READS)
GROUP.declare(
    "amplitude_band",
    "mag",
    "largest minus smallest night mean of the magnitude in {band}",
    "with one night",
    _READS,
)
for _way, _missing, _when in (("rise", _RISE, "up to"), ("fade", _FADE, "from")):
    GROUP.declare(
        f"{_way}_rate_band",
        "mag / d",
        f"{_way} rate in {{band}}, fitted to the night means {_when} the peak",
        _missing,
        _READS,
    )
    GROUP.declare(
        f"{_way}_rate_err_band", "mag / d", f"1-sigma error of the {_way} rate in {{band}}",
        _missing, _READS,
    )  # fmt: skip
    GROUP.declare(
        f"{_way}_n_band", "", f"night means in the fit of the {_way} in {{band}}", _missing, _READS
    )
    GROUP.declare(
        f"{_way}_base_band", "d", f"time base of the fit of the {_way} in {{band}}", _missing,
        _READS,
    )  # fmt: skip
    GROUP.declare(
        f"{_way}_chi2_band",
        "",
        f"reduced chi-square of the fit of the {_way} in {{band}}",
        "with fewer than three points in the fit",
        _READS,
    )
    GROUP.declare(
        f"{_way}_rate",
        "mag / d",
        f"{_way} rate common to all bands, each with a zero point of its own",
        _missing + " in any band",
        _READS,
    )
    GROUP.declare(
        f"{_way}_rate_err", "mag / d", f"1-sigma error of the common {_way} rate",
        _missing + " in any band", _READS,
    )  # fmt: skip
    GROUP.declare(
        f"{_way}_n", "", f"night means in the common fit of the {_way}",
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
    "change over the last two nights in {band}, positive as it fades",
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
    "least rise rate in {band} that a non-detection half a day or more before the first night "
    "allows, that night's mean being 1 sigma fainter",
    "without a deeper non-detection before it, or where non-detections contradict detections",
    _WITH_LIMITS,
)
GROUP.declare(
    "fade_bound_band",
    "mag / d",
    "least fade rate in {band} that a non-detection half a day or more after the last night "
    "allows, that night's mean being 1 sigma fainter",
    "without a deeper non-detection after it, or where non-detections contradict detections",
    _WITH_LIMITS,
)
GROUP.declare(
    "half_time_band",
    "d",
    "time above half of the peak flux in {band}, interpolated linearly in flux; an open end lies "
    "midway to the closest non-detection below half",
    "while either end is open",
    _WITH_LIMITS,
)
GROUP.declare(
    "above_half_band", "d", "time from the first to the last night above half of the peak flux "
    "in {band}: what the half-time is at least", _NONE, _READS,
)  # fmt: skip
GROUP.declare(
    "best_rise_rate",
    "mag / d",
    "rise rate of the band in which the rate less its error is largest",
    _RISE,
    _READS,
)
GROUP.declare("best_rise_rate_err", "mag / d", "1-sigma error of the best rise rate", _RISE, _READS)
GROUP.declare(
    "best_fade_rate",
    "mag / d",
    "fade rate of the band in which the rate less its error is largest",
    _FADE,
    _READS,
)
GROUP.declare("best_fade_rate_err", "mag / d", "1-sigma error of the best fade rate", _FADE, _READS)
GROUP.declare("peak_mag", "mag", "smallest peak magnitude of all bands", _NONE, _READS)
GROUP.declare(
    "days_since_peak",
    "d",
    "days since the peak of the band with the smallest peak magnitude",
    _NONE,
    _READS,
)


@kernel
def rate(curve, nights, room, row):
    """Write the rates of one light curve into its row; ``nights`` are its night means by band."""
    fits = (
        _rate_band(curve, curve.g, nights[0], 0, room, row),
        _rate_band(curve, curve.r, nights[1], 1, room, row),
        _rate_band(curve, curve.i, nights[2], 2, room, row),
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
def _rate_band(curve, own, nights, b, room, row):
    """Write one band's rates, and return the lines of its rise and its fade."""
    n = len(nights.jd)
    if n == 0:
        none = fit_slope(nights.jd, nights.mag, nights.err)
        return none, none
    peak = peak_of(nights)
    row.peak_mag_band[b] = peak_mag_of(nights, peak)
    row.days_since_peak_band[b] = curve.now - nights.jd[peak]
    row.first_mag_band[b] = nights.mag[0]
    row.last_mag_band[b] = nights.mag[-1]
    first, last = _edges_of_half(nights, peak)
    row.above_half_band[b] = nights.jd[last] - nights.jd[first]
    limit_jd, limit_mag = _limits_of(curve, own, nights, b, room.spare)
    row.half_time_band[b] = _half_time(limit_jd, limit_mag, nights, peak, first, last)
    row.rise_bound_band[b], row.fade_bound_band[b] = _bounds(limit_jd, limit_mag, nights)
    rise = fit_slope(nights.jd[: peak + 1], nights.mag[: peak + 1], nights.err[: peak + 1])
    fade = fit_slope(nights.jd[peak:], nights.mag[peak:], nights.err[peak:])
    if n > 1:
        row.peak_significance_band[b] = _peak_significance(nights, peak)
        row.amplitude_band[b] = _range(nights.mag)
        recent = fit_slope(nights.jd[-2:], nights.mag[-2:], nights.err[-2:])
        row.recent_slope_band[b] = recent.slope
        row.recent_slope_err_band[b] = recent.err
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
def _peak_significance(nights, peak):
    least = np.inf
    for neighbour in (peak - 1, peak + 1):
        if 0 <= neighbour < len(nights.jd):
            excess = nights.flux[peak] - nights.flux[neighbour]
            err = np.sqrt(nights.flux_err[peak] ** 2 + nights.flux_err[neighbour] ** 2)
            least = min(least, excess / err)
    return least


@kernel
def _edges_of_half(nights, peak):
    """First and last night of the unbroken run above half of the peak flux."""
    flux = nights.flux
    half = 0.5 * flux[peak]
    first = peak
    while first > 0 and flux[first - 1] > half:
        first -= 1
    last = peak
    while last < len(flux) - 1 and flux[last + 1] > half:
        last += 1
    return first, last


@kernel
def _limits_of(curve, own, nights, b, memory):
    """The band's non-detections since the episode before, or none if they cannot be trusted.

    Packets carry limits of nights on which the source was bright but gave no alert that was
    shipped (another program's, or one of low quality). A limit that is deeper by 1 sigma than
    the night means before and after it shows that this is such a light curve. A limit alone is
    left out where another band saw the source half a magnitude brighter within half a day.
    """
    since = curve.jd[curve.episode - 1] if curve.episode > 0 else -np.inf
    all_jd, all_mag = own.limit_jd, own.limit_mag
    jd, mag = memory[0], memory[1]
    n = start = after = 0
    for k in range(len(all_jd)):
        if all_jd[k] <= since:
            continue
        while start < len(curve.jd) and curve.jd[start] < all_jd[k] - _SEEN_WITHIN:
            start += 1
        if _seen_in_another_band(curve, start, b, all_jd[k], all_mag[k]):
            continue
        while after < len(nights.jd) and nights.jd[after] < all_jd[k]:
            after += 1
        if 0 < after < len(nights.jd):
            faintest = max(
                nights.mag[after - 1] + nights.err[after - 1], nights.mag[after] + nights.err[after]
            )
            if all_mag[k] > faintest:
                return jd[:0], mag[:0]
        jd[n], mag[n] = all_jd[k], all_mag[k]
        n += 1
    return jd[:n], mag[:n]


@kernel
def _seen_in_another_band(curve, start, b, limit_jd, limit_mag):
    """Whether a limit has a positive detection of another band close by that outshines it."""
    for d in range(start, len(curve.jd)):
        if curve.jd[d] > limit_jd + _SEEN_WITHIN:
            return False
        other = curve.band[d] != b and curve.sign[d] >= 0
        if other and curve.mag[d] < limit_mag - _SEEN_BRIGHTER:
            return True
    return False


@kernel
def _half_time(limit_jd, limit_mag, nights, peak, first, last):
    """The time above half of the peak flux, the run above which is ``first`` to ``last``."""
    half = 0.5 * nights.flux[peak]
    begin = end = np.nan
    if first > 0:
        begin = _crossing(nights, first - 1, first, half)
    if last < len(nights.jd) - 1:
        end = _crossing(nights, last, last + 1, half)
    for k in range(len(limit_jd)):
        if limit_mag[k] > nights.mag[peak] + _HALF_FLUX:
            if first == 0 and limit_jd[k] < nights.jd[0]:
                begin = 0.5 * (limit_jd[k] + nights.jd[0])
            if np.isnan(end) and limit_jd[k] > nights.jd[-1]:
                end = 0.5 * (limit_jd[k] + nights.jd[-1])
    return end - begin


@kernel
def _crossing(nights, a, b, flux):
    part = (flux - nights.flux[a]) / (nights.flux[b] - nights.flux[a])
    return nights.jd[a] + part * (nights.jd[b] - nights.jd[a])


@kernel
def _bounds(limit_jd, limit_mag, nights):
    """The least rise and fade rates that non-detections before and after the nights allow."""
    rise = fade = np.nan
    for k in range(len(limit_jd)):
        before = nights.jd[0] - limit_jd[k]
        if before >= _MIN_LIMIT_BASE:
            rise = _tighter(rise, (limit_mag[k] - nights.mag[0] - nights.err[0]) / before)
        after = limit_jd[k] - nights.jd[-1]
        if after >= _MIN_LIMIT_BASE:
            fade = _tighter(fade, (limit_mag[k] - nights.mag[-1] - nights.err[-1]) / after)
    return rise, fade


@kernel
def _tighter(bound, rate):
    return rate if rate > 0 and not rate <= bound else bound


@kernel
def _best_of_bands(row):
    surest_rise = surest_fade = -np.inf
    for b in range(3):
        if row.rise_rate_band[b] - row.rise_rate_err_band[b] > surest_rise:
            surest_rise = row.rise_rate_band[b] - row.rise_rate_err_band[b]
            row.best_rise_rate = row.rise_rate_band[b]
            row.best_rise_rate_err = row.rise_rate_err_band[b]
        if row.fade_rate_band[b] - row.fade_rate_err_band[b] > surest_fade:
            surest_fade = row.fade_rate_band[b] - row.fade_rate_err_band[b]
            row.best_fade_rate = row.fade_rate_band[b]
            row.best_fade_rate_err = row.fade_rate_err_band[b]
        if not row.peak_mag_band[b] >= row.peak_mag and not np.isnan(row.peak_mag_band[b]):
            row.peak_mag = row.peak_mag_band[b]
            row.days_since_peak = row.days_since_peak_band[b]
