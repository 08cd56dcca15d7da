"""How fast the source rises and fades, per band and in the best of them.

All of it rests on the night means of the current episode (`night_means`), positive
detections only. Rates follow BOOM (rise and fade per band with error and time base, fitted by
weighted least squares before and after the peak); the bounds from non-detections follow
ZTFReST (Andreoni et al. 2021, ApJ 918, 63).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ztfml.features.counts import night_of
from ztfml.features.registry import Group
from ztfml.lightcurve import ZERO_POINT

GROUP = Group("rates", "how fast the source rises and fades")

# Half an hour: the shortest time base from which a rate is worth giving.
MIN_BASE = 0.02
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
    """A straight line through magnitudes: mag/day, its error, and the line's anchor."""

    slope: float
    err: float
    mean_jd: float
    mean_mag: float


@njit(cache=True)
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
    n = len(curve.jd) - curve.episode
    jd = np.zeros(n)
    flux = np.zeros(n)
    weight = np.zeros(n)
    filled = -1
    night = 0.0
    for k in range(curve.episode, len(curve.jd)):
        if curve.band[k] != band or curve.sign[k] < 0:
            continue
        if filled < 0 or night_of(curve.jd[k]) != night:
            filled += 1
            night = night_of(curve.jd[k])
        w = curve.flux_err[k] ** -2
        jd[filled] += w * (curve.jd[k] - curve.now)
        flux[filled] += w * curve.flux[k]
        weight[filled] += w
    filled += 1
    weight = weight[:filled]
    jd = jd[:filled] / weight + curve.now
    flux = flux[:filled] / weight
    flux_err = weight**-0.5
    mag = ZERO_POINT - 2.5 * np.log10(flux)
    err = 2.5 / np.log(10) * flux_err / flux
    return NightMeans(jd, mag, err, flux, flux_err)


@njit(cache=True)
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
    if len(jd) < 2 or jd[-1] - jd[0] < MIN_BASE:
        return Slope(np.nan, np.nan, np.nan, np.nan)
    weight = err**-2.0
    total = weight.sum()
    # Relative to the first point: Julian dates would lose ten digits in the squares.
    t = jd - jd[0]
    mean_t = (weight * t).sum() / total
    mean_mag = (weight * mag).sum() / total
    spread = (weight * (t - mean_t) ** 2).sum()
    slope = (weight * (t - mean_t) * (mag - mean_mag)).sum() / spread
    err_of_slope = spread**-0.5
    if len(jd) > 2:
        misfit = mag - mean_mag - slope * (t - mean_t)
        chi2 = (weight * misfit**2).sum() / (len(jd) - 2)
        err_of_slope *= np.sqrt(max(1.0, chi2))
    return Slope(slope, err_of_slope, jd[0] + mean_t, mean_mag)


@njit(cache=True)
def peak_of(nights):
    """The brightest night mean: the largest flux less its error, so that noise seldom wins."""
    return np.argmax(nights.flux - nights.flux_err)


@njit(cache=True)
def rate(curve, nights, row):
    """Write the rates of one light curve into its row; ``nights`` are its night means by band."""
    for b in range(3):
        if len(nights[b].jd) > 0:
            _rate_band(curve, nights[b], b, row)
    _best_of_bands(row)


@njit(cache=True)
def _rate_band(curve, nights, b, row):
    peak = peak_of(nights)
    row.peak_mag_band[b] = nights.mag[peak]
    row.days_since_peak_band[b] = curve.now - nights.jd[peak]
    row.first_mag_band[b] = nights.mag[0]
    row.last_mag_band[b] = nights.mag[-1]
    row.above_half_band[b] = _above_half(nights, peak)
    limits = _limits_of(curve, nights, b)
    row.half_time_band[b] = _half_time(limits, nights, peak)
    row.rise_bound_band[b] = _rise_bound(limits, nights)
    row.fade_bound_band[b] = _fade_bound(limits, nights)
    n = len(nights.jd)
    if n < 2:
        return
    row.peak_significance_band[b] = _peak_significance(nights, peak)
    row.amplitude_band[b] = nights.mag.max() - nights.mag.min()
    recent = fit_slope(nights.jd[-2:], nights.mag[-2:], nights.err[-2:])
    row.recent_slope_band[b] = recent.slope
    row.recent_slope_err_band[b] = recent.err
    rise = fit_slope(nights.jd[: peak + 1], nights.mag[: peak + 1], nights.err[: peak + 1])
    if not np.isnan(rise.slope):
        row.rise_rate_band[b] = -rise.slope
        row.rise_rate_err_band[b] = rise.err
        row.rise_n_band[b] = peak + 1
        row.rise_base_band[b] = nights.jd[peak] - nights.jd[0]
    fade = fit_slope(nights.jd[peak:], nights.mag[peak:], nights.err[peak:])
    if not np.isnan(fade.slope):
        row.fade_rate_band[b] = fade.slope
        row.fade_rate_err_band[b] = fade.err
        row.fade_n_band[b] = n - peak
        row.fade_base_band[b] = nights.jd[-1] - nights.jd[peak]


@njit(cache=True)
def _peak_significance(nights, peak):
    least = np.inf
    for neighbour in (peak - 1, peak + 1):
        if 0 <= neighbour < len(nights.jd):
            excess = nights.flux[peak] - nights.flux[neighbour]
            err = np.hypot(nights.flux_err[peak], nights.flux_err[neighbour])
            least = min(least, excess / err)
    return least


@njit(cache=True)
def _edges_of_half(nights, peak):
    """First and last night of the unbroken run above half of the peak flux."""
    half = 0.5 * nights.flux[peak]
    first = peak
    while first > 0 and nights.flux[first - 1] > half:
        first -= 1
    last = peak
    while last < len(nights.jd) - 1 and nights.flux[last + 1] > half:
        last += 1
    return first, last


@njit(cache=True)
def _above_half(nights, peak):
    first, last = _edges_of_half(nights, peak)
    return nights.jd[last] - nights.jd[first]


@njit(cache=True)
def _limits_of(curve, nights, b):
    """The band's non-detections since the episode before, or none if they cannot be trusted.

    Packets carry limits of nights on which the source was bright but gave no alert that was
    shipped (another program's, or one of low quality). A limit that is deeper by 1 sigma than
    the night means before and after it shows that this is such a light curve. A limit alone is
    left out where another band saw the source half a magnitude brighter within half a day.
    """
    since = curve.jd[curve.episode - 1] if curve.episode > 0 else -np.inf
    mine = (curve.limit_band == b) & (curve.limit_jd > since) & ~_seen_in_another_band(curve, b)
    jd, mag = curve.limit_jd[mine], curve.limit_mag[mine]
    after = 0
    for k in range(len(jd)):
        while after < len(nights.jd) and nights.jd[after] < jd[k]:
            after += 1
        if 0 < after < len(nights.jd):
            faintest = max(
                nights.mag[after - 1] + nights.err[after - 1], nights.mag[after] + nights.err[after]
            )
            if mag[k] > faintest:
                return jd[:0], mag[:0]
    return jd, mag


@njit(cache=True)
def _seen_in_another_band(curve, b):
    """Which limits have a positive detection of another band close by that outshines them."""
    seen = np.zeros(len(curve.limit_jd), np.bool_)
    start = 0
    for k in range(len(seen)):
        while start < len(curve.jd) and curve.jd[start] < curve.limit_jd[k] - _SEEN_WITHIN:
            start += 1
        for d in range(start, len(curve.jd)):
            if curve.jd[d] > curve.limit_jd[k] + _SEEN_WITHIN:
                break
            other = curve.band[d] != b and curve.sign[d] >= 0
            if other and curve.mag[d] < curve.limit_mag[k] - _SEEN_BRIGHTER:
                seen[k] = True
    return seen


@njit(cache=True)
def _half_time(limits, nights, peak):
    first, last = _edges_of_half(nights, peak)
    half = 0.5 * nights.flux[peak]
    limit_jd, limit_mag = limits
    deep = limit_jd[limit_mag > nights.mag[peak] + _HALF_FLUX]
    if first > 0:
        start = _crossing(nights, first - 1, first, half)
    else:
        before = deep[deep < nights.jd[0]]
        start = 0.5 * (before[-1] + nights.jd[0]) if len(before) > 0 else np.nan
    if last < len(nights.jd) - 1:
        end = _crossing(nights, last, last + 1, half)
    else:
        after = deep[deep > nights.jd[-1]]
        end = 0.5 * (after[0] + nights.jd[-1]) if len(after) > 0 else np.nan
    return end - start


@njit(cache=True)
def _crossing(nights, a, b, flux):
    part = (flux - nights.flux[a]) / (nights.flux[b] - nights.flux[a])
    return nights.jd[a] + part * (nights.jd[b] - nights.jd[a])


@njit(cache=True)
def _rise_bound(limits, nights):
    limit_jd, limit_mag = limits
    faintest = nights.mag[0] + nights.err[0]
    tightest = np.nan
    for k in range(len(limit_jd)):
        base = nights.jd[0] - limit_jd[k]
        if base >= _MIN_LIMIT_BASE:
            tightest = _tighter(tightest, (limit_mag[k] - faintest) / base)
    return tightest


@njit(cache=True)
def _fade_bound(limits, nights):
    limit_jd, limit_mag = limits
    faintest = nights.mag[-1] + nights.err[-1]
    tightest = np.nan
    for k in range(len(limit_jd)):
        base = limit_jd[k] - nights.jd[-1]
        if base >= _MIN_LIMIT_BASE:
            tightest = _tighter(tightest, (limit_mag[k] - faintest) / base)
    return tightest


@njit(cache=True)
def _tighter(bound, rate):
    return np.fmax(bound, rate) if rate > 0 else bound


@njit(cache=True)
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
