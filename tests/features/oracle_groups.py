"""Independent implementation of the features of episodes, timescales and changes of colour."""

import math
from itertools import pairwise

import numpy as np

from tests.features.oracle_rows import BANDS, NAN, clean, episodes, night, within


def of_episodes(detections, limits, now, packet):
    names = [
        "episode_n_det", "episode_n_nights", "episode_frac_positive", "n_earlier_episodes",
        "days_between_episodes", "peak_minus_earlier", "n_det_before", "confirmed_age",
    ]  # fmt: skip
    if not detections:
        return dict.fromkeys(names, NAN)
    *earlier, current = episodes(detections, limits)
    confirmed = [run for run in earlier if len(run) > 1]
    signs = [d.sign for d in current if d.sign]
    peak, earlier_peak = brightest(current), brightest([d for run in confirmed for d in run])
    counted = within(packet.get("ndethist", NAN), 0, math.inf)
    start = clean(packet.get("jdstarthist", NAN), NAN, NAN, NAN, NAN, None).jd
    first = min(run[0].jd for run in [*confirmed, current])
    unseen = counted - len(detections)
    values = (
        len(current),
        len({night(d.jd) for d in current}),
        signs.count(1) / len(signs) if signs else NAN,
        len(confirmed),
        current[0].jd - confirmed[-1][-1].jd if confirmed else NAN,
        peak - earlier_peak,
        NAN if math.isnan(counted) else max(counted - len(current), 0),
        now - (min(start, first) if unseen >= 2 and start < first else first),
    )
    return dict(zip(names, values, strict=True))


def brightest(detections):
    return min((d.mag for d in detections if d.flux > 0), default=NAN)


def timescales(detections, limits, alert, packet):
    by_band = [[d for d in detections if d.band == band] for band in BANDS.values()]
    triples = [t for ds in by_band for t in zip(ds, ds[1:], ds[2:], strict=False)]
    pairs = [pair for ds in by_band for pair in pairwise(ds)]
    signed = [a.sign != b.sign for a, b in pairs if a.sign and b.sign]
    close = [pull(a, b) ** 2 for a, b in pairs if b.jd - a.jd <= 0.5]
    nights = [pull(a, b) ** 2 for a, b in pairs if 0.5 < b.jd - a.jd <= 6]
    return {
        "hourly_variability": mean(ratios(by_band, lambda apart: apart <= 0.5)),
        "nightly_variability": mean(ratios(by_band, lambda apart: 0.5 < apart <= 6)),
        "hourly_chi2": mean(close),
        "nightly_chi2": mean(nights),
        "deep_limits": mean(list(deep_limits(detections, limits, alert.jd))),
        "sign_changes": mean(signed),
        "turning_points": mean([turns(*triple) for triple in triples]),
        "total_amplitude": total_amplitude(detections, alert, packet),
    }


def deep_limits(detections, limits, now):
    for limit in limits:
        mine = [d for d in detections if d.band == limit.band]
        before = [d for d in mine if d.jd < limit.jd]
        after = [d for d in mine if d.jd >= limit.jd]
        if before and after and limit.band and limit.jd >= now - 30:
            yield limit.mag > max(d.mag + d.err for d in (before[-1], after[0]))


def changes(detections, packet):
    g, r = ([d for d in detections if d.band == band] for band in "gr")
    pairs = [(b, min(r, key=lambda d: abs(d.jd - b.jd))) for b in g] if r else []
    pairs = [(b, d) for b, d in pairs if abs(d.jd - b.jd) <= 0.5 and b.sign * d.sign > 0]
    names = ["change_g_r", "change_g_r_chi2", "change_g_r_minus_ps1"]
    if not pairs:
        return dict.fromkeys(names, NAN)
    colours = np.array([b.mag - d.mag for b, d in pairs])
    weights = np.array([1 / (b.err**2 + d.err**2) for b, d in pairs])
    average = np.average(colours, weights=weights)
    chi2 = (weights * (colours - average) ** 2).sum()
    sgmag, srmag = (within(packet.get(f"s{band}mag1", NAN), -5, 40) for band in "gr")
    near = within(packet.get("distpsnr1", NAN), 0, 1.5) < 1.5
    values = average, chi2 / (len(pairs) - 1) if len(pairs) > 1 else NAN, average - (sgmag - srmag)
    return dict(zip(names, values if near else (*values[:2], NAN), strict=True))


def mean(values):
    return float(np.mean(values)) if values else NAN


def pull(a, b):
    return (b.flux - a.flux) / math.hypot(a.flux_err, b.flux_err)


def turns(a, b, c):
    before, after = pull(a, b), pull(b, c)
    return min(abs(before), abs(after)) > 2.5 and (before > 0) != (after > 0)


def ratios(by_band, chosen):
    found = []
    for detections in by_band:
        flux = np.array([d.flux for d in detections])
        if len(flux) < 3 or np.ptp(flux) == 0:
            continue
        observed = np.var(flux, ddof=1)
        intrinsic = observed - np.mean([d.flux_err**2 for d in detections])
        for a, b in pairwise(detections):
            if chosen(b.jd - a.jd):
                change = (b.flux - a.flux) ** 2 - a.flux_err**2 - b.flux_err**2
                found.append(change / 2 / max(intrinsic, observed / 10))
    return found


def total_amplitude(detections, alert, packet):
    offset, mag = (
        within(packet.get("distnr", NAN), 0, 1.5),
        within(packet.get("magnr", NAN), -5, 40),
    )
    recent = [d for d in detections if alert.jd - d.jd <= 30 and d.band == BANDS.get(alert.fid)]
    if math.isnan(offset + mag) or len(recent) < 2 or math.isnan(alert.fid):
        return NAN
    reference = 10 ** ((23.9 - mag) / 2.5)
    least, most = (
        max(1 + extreme / reference, 0.1)
        for extreme in (
            min(d.flux + d.flux_err for d in recent),
            max(d.flux - d.flux_err for d in recent),
        )
    )
    return max(2.5 * math.log10(most / least), 0)
