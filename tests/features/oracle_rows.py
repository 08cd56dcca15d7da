"""What an alert sees, in plain Python: clean rows, and one measurement per exposure."""

import bisect
import math
from itertools import groupby, pairwise
from typing import NamedTuple

NAN = math.nan
BANDS = {1: "g", 2: "r", 3: "i"}
SIGNS = {
    "t": 1, "true": 1, "1": 1, "1.0": 1,
    "f": -1, "false": -1, "0": -1, "0.0": -1, "-1": -1, "-1.0": -1,
}  # fmt: skip
DURATION = 2e-4 + 1e-9  # with room for the rounding of Julian dates


class Row(NamedTuple):
    """One row of a history, or an alert, with everything that is not meant made NaN."""

    jd: float
    fid: float
    mag: float
    sigma: float
    limit: float
    sign: int


class Detection(NamedTuple):
    """Flux in microjansky, signed; errors with the systematic floor."""

    jd: float
    band: str
    mag: float
    err: float
    sign: int
    flux: float
    flux_err: float


class Limit(NamedTuple):
    """A non-detection."""

    jd: float
    band: str
    mag: float


def clean(jd, fid, mag, sigma, limit, sign):
    mag, sigma, limit = within(mag, 8, 25), within(sigma, 0, 10), within(limit, 10, 24)
    if not sigma > 0 and abs(mag - limit) < 1e-5:
        mag = NAN  # a limit written as a detection
    if math.isnan(mag):
        sigma = NAN
    if 40000 <= jd <= 88069:
        jd += 2400000.5  # a modified Julian date
    return Row(
        within(jd, 2415020.5, 2488069.5),
        float(fid) if fid in BANDS else NAN,
        mag,
        sigma,
        limit,
        SIGNS.get(str(sign).strip().lower(), 0),
    )


# One NaN object, so that equal rows with NaN are equal in a set.
def within(value, low, high):
    return float(value) if value is not None and low <= value <= high else NAN


def measurements(rows, alert):
    """One row per exposure, in time order: an exposure lasts 2e-4 d from its first row."""
    if not math.isnan(alert.mag):
        rows = [row for row in rows if not (alert.jd - row.jd < DURATION and same_band(row, alert))]
    exposures, latest = [], {}
    for row in sorted(rows, key=order):
        mine = latest.get(BANDS.get(row.fid))
        if mine and row.jd - mine[0].jd < DURATION:
            mine.append(row)
        else:
            exposures.append([row])
            latest[BANDS.get(row.fid)] = exposures[-1]
    return sorted((min(group, key=badness) for group in exposures), key=order)


def same_band(row, other):
    return BANDS.get(row.fid) == BANDS.get(other.fid)


def badness(row):
    """Detections are better than limits, then small errors, then bright ones, then known signs."""
    if math.isnan(row.mag):
        return (1, math.inf if math.isnan(row.limit) else row.limit)
    return (0, row.sigma if row.sigma > 0 else math.inf, row.mag, row.sign == 0)


def around(jd, days, detections):
    """The detections within some days of an epoch."""
    first = bisect.bisect_left(detections, jd - days, key=lambda d: d.jd)
    last = bisect.bisect_right(detections, jd + days, key=lambda d: d.jd)
    return detections[first:last]


def order(row):
    """By time; rows of one epoch by filter, unknown first, then by their values, with NaN last."""
    row = row._replace(fid=0 if math.isnan(row.fid) else row.fid)
    return tuple((math.isnan(value), value) for value in row)


def detection(row):
    # Without an error, or with one of zero: the alert threshold of 5 sigma.
    sigma = row.sigma if row.sigma > 0 else 2.5 / math.log(10) / 5
    err = math.hypot(sigma, 0.015)
    size = 10 ** ((23.9 - row.mag) / 2.5)
    flux_err = size * err * math.log(10) / 2.5
    sign = -1 if row.sign < 0 else 1
    return Detection(row.jd, BANDS.get(row.fid), row.mag, err, row.sign, sign * size, flux_err)


class NightMean(NamedTuple):
    """One band's detections of one night."""

    jd: float
    mag: float
    err: float
    flux: float
    flux_err: float


def night(jd):
    """The UT date, within which a night at Palomar lies."""
    return math.floor(jd + 0.5)


def night_means(detections, limits, band):
    """The night means of a band's positive detections in the current episode."""
    current = episodes(detections, limits)[-1] if detections else []
    chosen = [d for d in current if d.band == band and d.flux > 0]
    means = [mean_of(list(group)) for _, group in groupby(chosen, lambda d: night(d.jd))]
    k = 0
    while k < len(means):
        if discrepant(means, k, detections, band):
            del means[k]
        else:
            k += 1
    return means


def discrepant(means, k, detections, band):
    """Whether a night is a single bright point on a plateau."""
    point, around = means[k], means[max(k - 2, 0) : k] + means[k + 1 : k + 3]
    if not 0 < k < len(means) - 1 or len(around) < 3:
        return False
    if max(point.jd - means[k - 1].jd, means[k + 1].jd - point.jd) > 10:
        return False
    plateau = [mean.mag for mean in around]
    excess = min(plateau) - point.mag
    noise = math.hypot(point.err, max(mean.err for mean in around))
    if excess < 0.75 or excess < 5 * noise or max(plateau) - min(plateau) > 0.35 * excess:
        return False
    bright = [d for d in detections if d.sign >= 0 and d.mag <= min(plateau) - excess / 2]
    others = [d for d in bright if d.band != band and abs(d.jd - point.jd) <= 0.5]
    return not others and sum(d.band == band and night(d.jd) == night(point.jd) for d in bright) < 2


def mean_of(detections):
    weight = [d.flux_err**-2 for d in detections]
    flux = average([d.flux for d in detections], weight)
    jd = detections[0].jd
    jd += average([d.jd - jd for d in detections], weight)
    flux_err = math.fsum(weight) ** -0.5
    mag = 23.9 - 2.5 * math.log10(flux)
    return NightMean(jd, mag, 2.5 / math.log(10) * flux_err / flux, flux, flux_err)


def average(values, weight):
    # Relative to one of the values, so that the average of equal values is exact.
    reference = min(values, key=abs)
    excess = math.fsum(w * (v - reference) for w, v in zip(weight, values, strict=True))
    return reference + excess / math.fsum(weight)


EPISODE_GAP = 30.0


def runs(detections):
    """Runs of detections without a gap over 30 d."""
    found = [detections[:1]] if detections else []
    for before, after in pairwise(detections):
        if after.jd - before.jd > EPISODE_GAP:
            found.append([])
        found[-1].append(after)
    return found


def episodes(detections, limits):
    """Runs of detections, joined where the source had the same level before and after the gap."""
    found = []
    for run in runs(detections):
        if found and not faded([d for part in found for d in part], run, detections, limits):
            found[-1].extend(run)
        else:
            found.append(list(run))
    return found


def faded(earlier, later, detections, limits):
    before, after = earlier[-1].jd, later[0].jd
    if after - before > 300:
        return True
    joined = False
    for band in BANDS.values():
        edge = [d for d in earlier if d.band == band and before - d.jd <= 30]
        first = next((d for d in detections if d.band == band and d.jd >= after), None)
        if not edge or first is None or first.jd - after > 30:
            continue
        last = edge[-1]
        others = [d for d in edge if night(d.jd) != night(last.jd) and alike(d, last)]
        if not others or not alike(first, last):
            continue
        faintest = max(first.mag + first.err, last.mag + last.err)
        in_gap = [m for m in limits if m.band == band and before < m.jd < after]
        if any(limit.mag > faintest for limit in in_gap):
            return True
        joined = True
    return not joined


def alike(a, b):
    return (a.sign < 0) == (b.sign < 0) and abs(a.mag - b.mag) <= 0.75
