"""Independent implementation of the changes within a night in slow, plain Python."""

import math

from tests.features.oracle_rows import BANDS, NAN, average, episodes, night, night_means

SHORTEST_BASE = 0.02


def tonight(detections, limits, now, common_slope):
    """The features of the group ``tonight``; the fit of a common slope is that of the oracle."""
    current = [d for d in detections if night(d.jd) == night(now)]
    earlier = [d for d in detections if night(d.jd) != night(now)]
    bright = {b: [d for d in current if d.band == b and d.flux > 0] for b in BANDS.values()}
    values = {}
    for band, points in bright.items():
        values |= {f"{name}_{band}": value for name, value in slope([points], common_slope).items()}
        del values[f"tonight_slope_chi2_{band}"]
        values[f"tonight_change_{band}"] = change([d for d in current if d.band == band])
        values[f"tonight_rise_bound_{band}"] = rise_bound(
            points,
            [m for m in limits if m.band == band and night(m.jd) == night(now)],
            detections,
            episodes(detections, limits)[-1] if detections else [],
        )
    values |= slope(list(bright.values()), common_slope)
    values["tonight_change"] = max(
        (values[f"tonight_change_{band}"] for band in bright),
        key=lambda value: -1 if math.isnan(value) else abs(value),
    )
    last_two = [night_means(detections, limits, band)[-2:] for band in bright]
    nights = common_slope([columns(means) for means in last_two])
    values["tonight_excess"] = (abs(values["tonight_slope"]) - abs(nights.slope)) / math.hypot(
        values["tonight_slope_err"], nights.err
    )
    values["tonight_chi2"] = scatter(current)
    values["earlier_nights_chi2"] = scatter(earlier)
    return values


def columns(points):
    return [p.jd for p in points], [p.mag for p in points], [p.err for p in points]


def slope(bands, common_slope):
    """The slope that the points of one or several bands have in common."""
    fit = common_slope([columns(points) for points in bands])
    used = [points for points in bands if is_long(points)]
    return {
        "tonight_slope": fit.slope,
        "tonight_slope_err": fit.err,
        "tonight_slope_chi2": fit.chi2,
        "tonight_n": sum(map(len, used)) or NAN,
        "tonight_base": max((points[-1].jd - points[0].jd for points in used), default=NAN),
    }


def is_long(points):
    return len(points) > 1 and points[-1].jd - points[0].jd >= SHORTEST_BASE


def change(points):
    if not is_long(points):
        return NAN
    first, last = points[0], points[-1]
    return (first.flux - last.flux) / math.hypot(first.flux_err, last.flux_err)


def rise_bound(points, limits, detections, current):
    """The largest rate from a limit of the night, unless the source was brighter before it."""
    if not points:
        return NAN
    rates = []
    for limit in limits:
        before = [d for d in detections if d.jd <= limit.jd and d.sign >= 0]
        brighter = before and before[-1] in current and before[-1].mag < limit.mag - 0.5
        if points[0].jd - limit.jd >= SHORTEST_BASE and not brighter:
            rise = limit.mag - points[0].mag - points[0].err
            rates.append(rise / (points[0].jd - limit.jd))
    return max((rate for rate in rates if rate > 0), default=NAN)


def scatter(detections):
    groups = {}
    for d in detections:
        if d.band:
            groups.setdefault((d.band, night(d.jd)), []).append(d)
    chi2 = freedom = 0
    for group in groups.values():
        mean = average([d.flux for d in group], [d.flux_err**-2 for d in group])
        chi2 += sum(((d.flux - mean) / d.flux_err) ** 2 for d in group)
        freedom += len(group) - 1
    return chi2 / freedom if freedom else NAN
