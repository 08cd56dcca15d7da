"""Independent implementation of all light-curve features in slow, plain Python.

`of_night` takes the two tables of a parquet pair as they are. It applies the
no-look-ahead rule itself, shares no code with ztfml, and uses other algorithms where possible:
design matrices for lines, textbook forms for moments, sorting and searching instead of sums.
"""

import math
import sys
from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tests.features.oracle_groups import changes, of_episodes, timescales
from tests.features.oracle_rows import (
    BANDS,
    NAN,
    Limit,
    around,
    average,
    clean,
    detection,
    episodes,
    measurements,
    night,
    night_means,
    runs,
    within,
)
from tests.features.oracle_tonight import tonight

SHORTEST_BASE = 0.02
HALF_A_DAY = 0.5


class Line(NamedTuple):
    """A straight line's slope, the slope's error, and the reduced chi-square."""

    slope: float
    err: float
    chi2: float


UNKNOWN = Line(NAN, NAN, NAN)


def of_night(alerts, history):
    """The light-curve features of each alert as a list of dicts, in the order of the alerts.

    Parameters
    ----------
    alerts : pandas.DataFrame
        With ``objectId`` and ``candidate.<field>``.
    history : pandas.DataFrame
        With ``objectId``, ``jd``, ``fid``, ``magpsf``, ``sigmapsf``, ``diffmaglim``, ``isdiffpos``.
    """
    by_object = defaultdict(set)  # a set: exact duplicates count once
    fields = ["jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos"]
    for object_id, *values in history[["objectId", *fields]].itertuples(index=False):
        row = clean(*values)
        if not math.isnan(row.jd):
            by_object[object_id].add(row)
    values = []
    for packet in alerts.to_dict("records"):
        packet = {name.removeprefix("candidate."): value for name, value in packet.items()}
        alert = clean(*(packet[f] if f != "diffmaglim" else NAN for f in fields))
        values.append(of_alert(alert, by_object[packet["objectId"]], packet))
    return values


def of_alert(alert, rows, packet):
    """All features of one alert, given all rows of its object in any order, and its packet.

    Without a time nothing is known of it.
    """
    if math.isnan(alert.jd):
        timeless = of_alert(alert._replace(jd=2459000.5), set(), {})
        return dict.fromkeys(timeless, NAN)
    past = measurements([row for row in rows if row.jd < alert.jd], alert)
    detections = [detection(row) for row in [*past, alert] if not math.isnan(row.mag)]
    limits = [
        Limit(row.jd, BANDS.get(row.fid), row.limit)
        for row in past
        if math.isnan(row.mag) and not math.isnan(row.limit)
    ]
    return (
        counts(detections, limits, alert.jd)
        | timing(detections, limits, alert.jd)
        | of_episodes(detections, limits, alert.jd, packet)
        | rates(detections, limits, alert.jd)
        | tonight(detections, limits, alert.jd, common_slope)
        | colours(detections, limits, alert.jd)
        | variability(detections)
        | changes(detections, packet)
        | timescales(detections, limits, alert, packet)
    )


# --- counts and timing ------------------------------------------------------------------


def counts(detections, limits, now):
    recent = [limit for limit in limits if now - limit.jd <= 30]
    signs = [d.sign for d in detections if d.sign != 0]
    nights = [night(d.jd) for d in detections]
    values = {
        "n_det": len(detections),
        "n_limit": len(recent),
        "n_nights": len(set(nights)),
        "frac_positive": signs.count(1) / len(signs) if signs else NAN,
        "n_det_tonight": nights.count(night(now)),
        "max_separation": detections[-1].jd - detections[0].jd if len(detections) > 1 else NAN,
    }
    for band in BANDS.values():
        values[f"n_det_{band}"] = sum(d.band == band for d in detections)
        values[f"n_limit_{band}"] = sum(limit.band == band for limit in recent)
    return values


def timing(detections, limits, now):
    current = episodes(detections, limits)[-1] if detections else []
    start = current[0].jd if current else NAN
    before = [limit.jd for limit in limits if limit.jd < start]
    gaps = [b.jd - a.jd for a, b in pairwise(detections)]
    seen_on = {night(d.jd) for d in current}
    looked_on = seen_on | {night(limit.jd) for limit in limits if limit.jd >= start}
    return {
        "age": now - start,
        "limit_gap": start - max(before) if before else NAN,
        "days_since_limit": now - max(limit.jd for limit in limits) if limits else NAN,
        "days_since_detection": gaps[-1] if gaps else NAN,
        "n_episodes": len(runs(detections)),
        "longest_gap": max(gaps, default=NAN),
        "duty": len(seen_on) / len(looked_on) if current else NAN,
    }


# --- rates ------------------------------------------------------------------------------


def line(jd, mag, err):
    """A straight line through the points of one band."""
    return common_slope([(jd, mag, err)])


def common_slope(bands):
    """One slope for all bands, with one level per band, by weighted least squares.

    The error of the slope is increased if the lines fit badly. Bands without a slope
    do not count.
    """
    bands = [band for band in bands if has_slope(band[0])]
    if not bands:
        return UNKNOWN
    bands = [[np.array(column) for column in band] for band in bands]
    # One column of ones for each band's level, and the days from the band's middle.
    size = [len(jd) for jd, _, _ in bands]
    level = np.repeat(np.eye(len(bands)), size, axis=0)
    days = np.concatenate([jd - jd.mean() for jd, _, _ in bands])
    weight = 1 / np.concatenate([err for _, _, err in bands])
    mag = np.concatenate([mag for _, mag, _ in bands])
    model = np.column_stack([level, days])
    solution = np.linalg.lstsq(model * weight[:, None], mag * weight)[0]
    chi2 = np.sum((weight * (mag - model @ solution)) ** 2)
    freedom = len(days) - len(bands) - 1
    reduced = chi2 / freedom if freedom > 0 else NAN
    misfit = max(1, reduced) if freedom > 0 else 1
    spread = sum(map(spread_of, bands))
    return Line(solution[-1], math.sqrt(misfit / spread), reduced)


def spread_of(band):
    """The weighted sum of squared days from their mean."""
    jd, _, err = band
    days = jd - jd.mean()
    return np.sum((days - average(days, err**-2)) ** 2 / err**2)


def has_slope(jd):
    return len(jd) > 1 and max(jd) - min(jd) >= SHORTEST_BASE


def brightest(means):
    """The position of the largest flux less its error."""
    return max(range(len(means)), key=lambda k: means[k].flux - means[k].flux_err)


def rates(detections, limits, now):
    by_band = {band: night_means(detections, limits, band) for band in BANDS.values()}
    values = {}
    for band, means in by_band.items():
        band_limits = trusted_limits(detections, limits, means, band)
        values |= {
            f"{name}_{band}": value for name, value in rates_of(means, band_limits, now).items()
        }
    for way, sign in (("rise", -1), ("fade", +1)):
        parts = [part_of(way, means) for means in by_band.values()]
        values |= combined(way, parts, sign)
        fits = [(values[f"{way}_rate_{b}"], values[f"{way}_rate_err_{b}"]) for b in by_band]
        known = [fit for fit in fits if not math.isnan(fit[0])]
        best = max(known, key=lambda fit: fit[0] - fit[1], default=(NAN, NAN))
        values[f"best_{way}_rate"], values[f"best_{way}_rate_err"] = best
    peaks = [
        (values[f"peak_mag_{b}"], values[f"days_since_peak_{b}"]) for b in by_band if by_band[b]
    ]
    # Of equal peaks that of the bluest band counts.
    brightest_of_all = min(peaks, key=lambda peak: peak[0], default=(NAN, NAN))
    values["peak_mag"], values["days_since_peak"] = brightest_of_all
    return values


def rates_of(means, limits, now):
    names = ["peak_mag", "days_since_peak", "first_mag", "last_mag", "above_half"]
    values = dict.fromkeys(names, NAN)
    peak = brightest(means) if means else None
    if means:
        first, last = above_half(means, peak)
        values["peak_mag"] = means[peak].mag
        values["days_since_peak"] = now - means[peak].jd
        values["first_mag"] = means[0].mag
        values["last_mag"] = means[-1].mag
        values["above_half"] = means[last].jd - means[first].jd
    values["peak_significance"] = significance(means, peak)
    several = len(means) > 1
    values["amplitude"] = np.ptp([m.mag for m in means]) if several else NAN
    values |= combined("rise", [part_of("rise", means)], -1)
    values |= combined("fade", [part_of("fade", means)], +1)
    values["recent_slope"], values["recent_slope_err"], _ = line(*columns(means[-2:]))
    values["rise_bound"] = bound(means[:1], [m for m in limits if means and m.jd < means[0].jd])
    values["fade_bound"] = bound(means[-1:], [m for m in limits if means and m.jd > means[-1].jd])
    values["half_time"], values["half_time_max"] = (
        half_times(means, peak, limits) if means else (NAN, NAN)
    )
    values["rebrightening"] = rebrightening(means)
    return values


def columns(means):
    return [m.jd for m in means], [m.mag for m in means], [m.err for m in means]


def part_of(way, means):
    """The night means up to the peak, or from it."""
    if not means:
        return []
    peak = brightest(means)
    return means[: peak + 1] if way == "rise" else means[peak:]


def combined(way, parts, sign):
    """The rate that the night means of one or several bands have in common."""
    slope, err, chi2 = common_slope([columns(means) for means in parts])
    fitted = [means for means in parts if has_slope([mean.jd for mean in means])]
    return {
        f"{way}_rate": sign * slope,
        f"{way}_rate_err": err,
        f"{way}_n": sum(map(len, fitted)) or NAN,
        f"{way}_base": max((means[-1].jd - means[0].jd for means in fitted), default=NAN),
        f"{way}_chi2": chi2,
    }


def significance(means, peak):
    if len(means) < 2:
        return NAN
    neighbours = [means[k] for k in (peak - 1, peak + 1) if 0 <= k < len(means)]
    return min(
        (means[peak].flux - other.flux) / math.hypot(means[peak].flux_err, other.flux_err)
        for other in neighbours
    )


def above_half(means, peak):
    """First and last of the unbroken run of nights around the peak above half of its flux."""
    half = means[peak].flux / 2
    first = last = peak
    while first > 0 and means[first - 1].flux >= half:
        first -= 1
    while last < len(means) - 1 and means[last + 1].flux >= half:
        last += 1
    return first, last


def trusted_limits(detections, limits, means, band):
    """Limits of a band since the previous episode; empty if night means around one contradict it.

    A single limit is omitted if another band was half a magnitude brighter within half a day.
    """
    before = episodes(detections, limits)[:-1]
    since = before[-1][-1].jd if before else -math.inf
    of_band = [
        limit
        for limit in limits
        if limit.band == band
        and limit.jd > since
        and not any(
            d.band != band and d.sign >= 0 and d.mag < limit.mag - 0.5
            for d in around(limit.jd, 0.5, detections)
        )
    ]
    for limit in of_band:
        for a, b in pairwise(means):
            if a.jd < limit.jd < b.jd and limit.mag > max(a.mag + a.err, b.mag + b.err):
                return []
    return of_band


def bound(means, limits):
    """The largest rate towards the limits of other nights that is positive."""
    found = [
        (limit.mag - mean.mag - mean.err) / abs(limit.jd - mean.jd)
        for mean in means
        for limit in limits
        if abs(limit.jd - mean.jd) >= HALF_A_DAY
    ]
    return max((rate for rate in found if rate > 0), default=NAN)


def half_times(means, peak, limits):
    """The sum of rise and fade time if nights below half are known on both sides; its maximum."""
    half = means[peak].flux / 2
    first, last = above_half(means, peak)
    deep = [m.jd for m in limits if 10 ** ((23.9 - m.mag) / 2.5) < half]
    before = [jd for jd in deep if jd < means[first].jd] + [m.jd for m in means[:first]]
    after = [jd for jd in deep if jd > means[last].jd] + [m.jd for m in means[last + 1 :]]
    longest = min(after) - max(before) if before and after else NAN
    if first == 0 or last == len(means) - 1:
        return NAN, longest
    faint = [m for m in limits if 10 ** ((23.9 - m.mag) / 2.5) < half]
    points = [(m.jd, 10 ** ((23.9 - m.mag) / 2.5)) for m in faint]
    earlier = [p for p in points if means[first - 1].jd < p[0] < means[first].jd]
    later = [p for p in points if means[last].jd < p[0] < means[last + 1].jd]
    before = max([(means[first - 1].jd, means[first - 1].flux), *earlier], key=lambda p: p[0])
    after = min([(means[last + 1].jd, means[last + 1].flux), *later], key=lambda p: p[0])
    start = crossing(before, (means[first].jd, means[first].flux), half)
    return crossing((means[last].jd, means[last].flux), after, half) - start, longest


def rebrightening(means):
    """The deepest minimum between two maxima: the smaller of the two magnitude differences."""
    if len(means) < 3:
        return NAN
    faint, bright = [m.mag - 2 * m.err for m in means], [m.mag + 2 * m.err for m in means]
    depths = [
        min(faint[k] - min(bright[:k]), faint[k] - min(bright[k + 1 :]))
        for k in range(1, len(means) - 1)
    ]
    return max(0, *depths)


def crossing(a, b, flux):
    jd, level = zip(*sorted([a, b], key=lambda point: point[1]), strict=True)
    return np.interp(flux, level, jd)


# --- colour -----------------------------------------------------------------------------


def colours(detections, limits, now):
    g, r, i = (night_means(detections, limits, band) for band in "gri")
    pairs = pairs_of(g, r)
    values = dict.fromkeys(["g_r", "g_r_err", "g_r_age", "g_r_peak", "r_i", "r_i_err"], NAN)
    if pairs:
        jd, values["g_r"], values["g_r_err"] = pairs[-1]
        values["g_r_age"] = now - jd
        peaks = [means[brightest(means)] for means in (g, r, i) if means]
        at_peak = min(peaks, key=lambda mean: mean.mag).jd
        values["g_r_peak"] = min(pairs, key=lambda pair: abs(pair[0] - at_peak))[1]
    slope = line(*zip(*pairs, strict=True)) if pairs else UNKNOWN
    values["g_r_slope"], values["g_r_slope_err"], _ = slope
    red = pairs_of(r, i)
    if red:
        _, values["r_i"], values["r_i_err"] = red[-1]
    return values


def pairs_of(blue, red):
    """Epoch, colour and error of each blue night with its closest red one."""
    pairs = []
    for b in blue:
        close = [r for r in red if abs(r.jd - b.jd) <= HALF_A_DAY]
        if close:
            r = min(close, key=lambda r: abs(r.jd - b.jd))
            pairs.append(((b.jd + r.jd) / 2, b.mag - r.mag, math.hypot(b.err, r.err)))
    return pairs


# --- variability ------------------------------------------------------------------------


def variability(detections):
    values = {}
    for band in BANDS.values():
        in_band = [d for d in detections if d.band == band]
        bright = [d for d in in_band if d.flux > 0]
        of_band = of_flux([d.flux for d in in_band], [d.flux_err for d in in_band])
        of_band |= of_magnitudes([d.mag for d in bright], [d.err for d in bright])
        values |= {f"{name}_{band}": value for name, value in of_band.items()}
    return values


def of_flux(flux, err):
    names = ["chi2", "excess_variance", "von_neumann", "stetson_k", "flux_skew", "cusum_range"]
    values = dict.fromkeys(names, NAN)
    flux, err = np.array(flux), np.array(err)
    n = len(flux)
    if n >= 2:
        residual = (flux - average(flux, err**-2)) / err
        variance = np.var(flux, ddof=1)
        values["chi2"] = np.sum(residual**2) / (n - 1)
        values["excess_variance"] = (variance - np.mean(err**2)) / np.mean(flux**2)
        if np.ptp(flux) > 0:
            values["stetson_k"] = np.mean(np.abs(residual)) / np.sqrt(np.mean(residual**2))
            sums = [np.sum(flux[: k + 1] - np.mean(flux)) for k in range(n)]
            values["cusum_range"] = np.ptp(sums) / (n * np.sqrt(variance))
    if n >= 3 and np.ptp(flux) > 0:
        values["von_neumann"] = np.sum(np.diff(flux) ** 2) / (n - 1) / variance
        deviation = flux - np.mean(flux)
        moment = n / (n - 1) / (n - 2) * np.sum(deviation**3)
        values["flux_skew"] = moment / variance**1.5
    return values


def of_magnitudes(mag, err):
    mag, weight = np.array(mag), np.array(err) ** -2.0
    n = len(mag)
    values = {"mag_std": NAN, "mag_iqr": NAN}
    if n >= 2:
        mean = average(mag, weight)
        variance = average((mag - mean) ** 2, weight)
        values["mag_std"] = np.sqrt(variance * n / (n - 1))
    if n >= 4:
        values["mag_iqr"] = np.subtract(*np.percentile(mag, [75, 25]))
    return values


# --- neighbours -------------------------------------------------------------------------


def of_packets(alerts):
    """PS1 sources near each alert, as a list of dicts; columns as in `of_night`."""
    return [neighbours(alert) for alert in alerts.to_dict("records")]


def neighbours(alert):
    values = {}
    sources = [source(alert, rank) for rank in (1, 2, 3)]
    known = [s for s in sources if not math.isnan(s["offset"])]
    for kind, is_kind in (
        ("star", lambda score: score > 0.5),
        ("host", lambda score: score < 0.5),
    ):
        of_kind = [s for s in known if is_kind(s["score"])]
        # Of two sources at the same distance, the first in the packet.
        closest = min(of_kind, key=lambda s: s["offset"], default=dict.fromkeys(sources[0], NAN))
        values |= {f"{kind}_{name}": closest[name] for name in ("offset", "mag", "g_r")}
    return values


def source(alert, rank):
    def field(name, low, high):
        return within(alert.get(f"candidate.{name}{rank}"), low, high)

    red = field("srmag", -5, 40)
    return {
        "score": field("sgscore", 0, 1),
        "offset": field("distpsnr", 0, sys.float_info.max),
        "mag": red,
        "g_r": field("sgmag", -5, 40) - red,
    }
