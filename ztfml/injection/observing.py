"""Observe injected events as the night would have: its epochs, limits, noise and packets.

An event stands where an object of the night stands (its carrier), and is looked at whenever
that was, down to the same limits. Its errors follow those that the night's detections have at
their distance from the limit, and the quality fields of each of its alerts are those of a real
detection of the night that is as bright against its limit and against what lies under it.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ztfml.astrophysics import (
    BAND_WAVELENGTH,
    FAST_RATE,
    comoving_volume,
    night_of,
    redshift_of_volume,
)
from ztfml.errors import DataError
from ztfml.injection.alerts import as_shipped, last_of_nights, make_night
from ztfml.injection.conditions import column_of
from ztfml.injection.physics import REDDENING, observe
from ztfml.injection.populations import KINDS
from ztfml.injection.surroundings import Hosts, draw_hosts
from ztfml.io.progress import track
from ztfml.lightcurves.exposures import measurements
from ztfml.lightcurves.history import History
from ztfml.night import Night
from ztfml.schema import PACKET_HISTORY

FAST_HALF_TIME = 12.0
"""An event is also fast if its g flux is above half of the peak for fewer days (Ho et al. 2023)."""

_SNR = 5.0
_MOST_TRIALS = 4_000_000
_AT_ONCE = 3000


class Injected(NamedTuple):
    """Injected events and what the survey made of them.

    Attributes
    ----------
    night : Night
        An alert for each event and each night of its life with a detection (the last of that
        night), with its history.
    event : ndarray of int, shape (n_alerts,)
        The row in `events` of each alert.
    events : pandas.DataFrame
        One row an event: ``kind``, ``z``, ``age`` (d since its beginning), ``peak_mag``
        (brightest detection so far), ``rate`` (mag/day, the larger of the true changes in g
        and r over the day before the last detection), ``half_time`` (d), ``n_nights`` (with a
        detection), ``n_det``, ``last_mag``, ``days_since_discovery``, ``latitude`` (deg, its
        absolute value), ``host_offset`` (arcsec), ``host_mag``, ``host_under`` (see `Hosts`).
    expected : dict of str to float
        Events of each kind that all of the sky would hold on such a night.
    """

    night: Night
    event: np.ndarray
    events: pd.DataFrame
    expected: dict


# --- events --------------------------------------------------------------------------------


class _Trials(NamedTuple):
    """Events that might be seen, and every look at them."""

    z: np.ndarray
    hosts: Hosts
    carrier: np.ndarray
    begin: np.ndarray
    latitude: np.ndarray
    row: np.ndarray
    jd: np.ndarray
    fid: np.ndarray
    limit: np.ndarray
    seen: np.ndarray
    sigma: np.ndarray
    detected: np.ndarray


def inject(conditions, counts, seed):
    """Draw events that the night detects, and observe all of their nights so far.

    Parameters
    ----------
    conditions : Conditions
    counts : dict of str to int
        How many events of each kind of `kinds.KINDS`.
    seed : int

    Returns
    -------
    Injected

    Raises
    ------
    DataError
        If events of a kind are never detected in such a night.

    Examples
    --------
    >>> inject(Conditions(night), {"kilonova": 5}, seed=1).events["z"]   # doctest: +SKIP
    """
    parts, expected = [], {}
    for name in track([name for name in KINDS if counts.get(name, 0)], "injecting"):
        key = list(KINDS).index(name)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key,)))
        part, expected[name] = _detected_events(rng, conditions, KINDS[name], counts[name])
        parts += part
    return _as_night(conditions, parts, seed, expected)


def _detected_events(rng, conditions, kind, wanted):
    """Draw trials until as many as wanted are detected tonight while they are fast."""
    parts, found, tried = [], 0, 0
    while found < wanted:
        if tried >= _MOST_TRIALS:
            raise DataError(
                f"{conditions.night.name}: of {tried} events of the kind {kind.name!r} it would "
                f"detect {found}; name a night with deeper limits or more nights of history"
            )
        z = _redshifts(rng, _AT_ONCE, kind)
        absolute = kind.draw(rng, _AT_ONCE)
        trials = _look(rng, conditions, kind, z, absolute)
        tried += _AT_ONCE
        events = _worth_finding(trials, absolute)
        found += len(events)
        parts.append((kind, trials, events))
    surplus = found - wanted
    if surplus:
        kind, trials, events = parts[-1]
        parts[-1] = (kind, trials, events.iloc[: len(events) - surplus])
    return parts, _number_of(kind) * found / tried


def _number_of(kind):
    """How many events of a kind begin within its volume in the days that it lasts."""
    z = redshift_of_volume(np.linspace(0, 1, 1001) * comoving_volume(kind.farthest))
    growth = np.mean((1 + z) ** (kind.evolution - 1))
    return kind.rate * growth * comoving_volume(kind.farthest) * kind.lasts / 365.25


def _redshifts(rng, n, kind):
    """Redshifts by volume, rate and time dilation (rejection sampling)."""
    z = np.empty(0)
    most = (1 + kind.farthest) ** max(kind.evolution - 1, 0)
    while len(z) < n:
        trial = redshift_of_volume(rng.random(2 * n) * comoving_volume(kind.farthest))
        keep = rng.random(2 * n) * most < (1 + trial) ** (kind.evolution - 1)
        z = np.append(z, trial[keep])
    return np.maximum(z[:n], 1e-4)


def _look(rng, conditions, kind, z, absolute):
    """Look at each event whenever its carrier was looked at."""
    night = conditions.night
    at = rng.choice(len(conditions.carriers), len(z), p=conditions.weight)
    carrier = conditions.carriers[at]
    latitude = conditions.latitude[carrier]
    now = night.alerts["jd"].to_numpy()[carrier]
    begin = now - kind.lasts * rng.random(len(z))
    row, jd, fid, limit = _exposures(night, carrier, begin - PACKET_HISTORY)
    band = fid - 1
    magnitude = observe(
        lambda days, wavelength: absolute(row, days, wavelength),
        z[row], jd - begin[row], BAND_WAVELENGTH[band],
    ) + REDDENING[band] * _reddening(latitude)[row]  # fmt: skip
    flux = 10 ** (-0.4 * magnitude)
    # The host's light is as noisy as the event's own.
    hosts = draw_hosts(rng, z, kind.host)
    light = flux + 10 ** (-0.4 * hosts.under[row])
    sigma = conditions.error_of_flux(-2.5 * np.log10(light), limit)
    seen = flux + sigma * rng.normal(size=len(row))
    with np.errstate(invalid="ignore", divide="ignore"):
        detected = (seen > _SNR * sigma) & (-2.5 * np.log10(seen) < limit)
    return _Trials(z, hosts, carrier, begin, latitude, row, jd, fid, limit, seen, sigma, detected)


def _reddening(latitude):
    """E(B - V) of a plane-parallel layer of dust, 0.03 at the pole."""
    sine = np.sin(np.radians(np.nan_to_num(latitude, nan=45.0)))
    return 0.03 / np.maximum(sine, 0.02)


def _exposures(night, carrier, since):
    """Every exposure of the carriers' places up to their alerts: trial, jd, fid, limit."""
    history = night.history
    first, last = night.first[carrier], night.last[carrier]
    count = last - first
    row = np.repeat(np.arange(len(carrier)), count)
    take = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[row]
    alerts = night.alerts
    row = np.concatenate([row, np.arange(len(carrier))])
    jd = np.concatenate([history.jd[take], alerts["jd"].to_numpy()[carrier]])
    own_fid = np.nan_to_num(alerts["fid"].to_numpy()[carrier])
    fid = np.concatenate([history.fid[take], own_fid]).astype(int)
    own_limit = column_of(alerts, "diffmaglim").to_numpy()[carrier]
    limit = np.concatenate([history.diffmaglim[take], own_limit])
    use = (jd >= since[row]) & (fid >= 1) & ~np.isnan(limit)
    row, jd, fid, limit = row[use], jd[use], fid[use], limit[use]
    order = np.lexsort([fid, jd, row])
    row, jd, fid, limit = row[order], jd[order], fid[order], limit[order]
    # One exposure may have several rows.
    start = np.searchsorted(row, np.arange(len(carrier) + 1))
    unknown, sign = np.full(len(jd), np.nan), np.zeros(len(jd), np.int8)
    once = measurements(History(jd, fid.astype(np.int8), unknown, unknown, limit, sign, start))
    return row[once], jd[once], fid[once], limit[once]


def _worth_finding(trials, absolute):
    """The trials detected tonight while they are fast, as a table indexed by trial."""
    alerts_night = night_of(trials.jd)
    last = np.full(len(trials.z), -1)
    last[trials.row[trials.detected]] = np.flatnonzero(trials.detected)  # rows are in time order
    tonight = np.zeros(len(trials.z))
    np.maximum.at(tonight, trials.row, alerts_night)
    found = np.flatnonzero(last >= 0)
    found = found[alerts_night[last[found]] == tonight[found]]
    if len(found) == 0:
        return pd.DataFrame()
    z, now = trials.z[found], trials.jd[last[found]]
    age = now - trials.begin[found]
    rate, half_time = _pace(absolute, found, z, age)
    fast = (np.abs(rate) > FAST_RATE) | (half_time < FAST_HALF_TIME)
    keep = np.isin(trials.row, found[fast]) & trials.detected
    magnitude = -2.5 * np.log10(np.where(trials.seen > 0, trials.seen, np.nan))
    looks = pd.DataFrame(
        {"row": trials.row[keep], "jd": trials.jd[keep], "mag": magnitude[keep],
         "night": alerts_night[keep]}
    ).groupby("row")  # fmt: skip
    events = pd.DataFrame(
        {
            "z": z[fast], "age": age[fast], "rate": rate[fast], "half_time": half_time[fast],
            "latitude": trials.latitude[found[fast]],
        },
        index=found[fast],
    )  # fmt: skip
    return events.assign(
        peak_mag=looks["mag"].min(),
        last_mag=looks["mag"].last(),
        n_nights=looks["night"].nunique(),
        n_det=looks.size(),
        days_since_discovery=looks["jd"].max() - looks["jd"].min(),
    )


def _pace(absolute, row, z, age):
    """True rate over the last day (mag/d, positive as it fades), days above half of the g peak."""

    def magnitude(days, band):
        length = np.full(len(row), BAND_WAVELENGTH[band])
        return observe(lambda rest, wave: absolute(row, rest, wave), z, days, length)

    before = np.maximum(age - 1.0, age / 2)
    rates = np.array(
        [(magnitude(age, band) - magnitude(before, band)) / (age - before) for band in (0, 1)]
    )
    rate = rates[np.abs(rates).argmax(axis=0), np.arange(len(row))]
    days = np.geomspace(0.02, 90.0, 140)
    flux = 10 ** (-0.4 * np.array([magnitude(np.full(len(row), t), 0) for t in days]))
    return rate, np.trapezoid((flux > flux.max(axis=0) / 2).astype(float), days, axis=0)


# --- alerts --------------------------------------------------------------------------------


def _as_night(conditions, parts, seed, expected):
    """Put the chosen events of all kinds together as a night of alerts."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(len(KINDS),)))
    tables, looks, begun = [], [], 0
    for kind, trials, events in parts:
        if len(events) == 0:
            continue
        number = np.full(len(trials.z), -1)
        number[events.index] = begun + np.arange(len(events))
        looks.append(_looks(trials, number))
        tables.append(
            events.assign(
                kind=kind.name, host_mag=trials.hosts.magnitude[events.index],
                host_offset=trials.hosts.offset[events.index],
                host_under=trials.hosts.under[events.index],
                carrier=trials.carrier[events.index],
            )
        )  # fmt: skip
        begun += len(events)
    events = pd.concat(tables, ignore_index=True)
    looks = as_shipped(_as_measured(rng, pd.concat(looks, ignore_index=True)))
    last = last_of_nights(looks)
    around = _around(rng, conditions, events, last)
    night = make_night(rng, conditions, looks, last, around)
    return Injected(night, last["event"].to_numpy(), events.drop(columns="carrier"), expected)


def _looks(trials, number):
    """Every look at the trials that have a number, as a table."""
    use = number[trials.row] >= 0
    columns = ("jd", "fid", "limit", "seen", "sigma", "detected")
    return pd.DataFrame(
        {"event": number[trials.row[use]]} | {name: getattr(trials, name)[use] for name in columns}
    )


def _as_measured(rng, looks):
    """Magnitudes and their errors; errors scatter by a twentieth, as those of packets do."""
    with np.errstate(invalid="ignore", divide="ignore"):
        magpsf = -2.5 * np.log10(looks["seen"])
        sigmapsf = 1.0857 * looks["sigma"] / looks["seen"]
    sigmapsf = sigmapsf * np.exp(0.05 * rng.normal(size=len(looks)))
    return looks.assign(
        magpsf=magpsf.where(looks["detected"]), sigmapsf=sigmapsf.where(looks["detected"])
    )


def _around(rng, conditions, events, last):
    """The surroundings of each event in the bands of its alerts, the same in all of them."""
    hosts = Hosts(*(events[f"host_{name}"].to_numpy() for name in ("mag", "offset", "under")))
    latitude = events["latitude"].to_numpy()
    seed = int(rng.integers(2**63))
    by_band = {
        fid: conditions.sky.around(
            np.random.default_rng(seed), latitude, np.full(len(events), fid), hosts
        )
        for fid in (1, 2, 3)
    }
    event, fid = last["event"].to_numpy(), last["fid"].to_numpy()
    fields = {
        name: np.choose(fid - 1, [by_band[band][name][event] for band in (1, 2, 3)])
        for name in by_band[1]
    }
    carrier = conditions.night.alerts.iloc[events["carrier"].to_numpy()[event]]
    return fields | {name: carrier[name].to_numpy() for name in ("ra", "dec") if name in carrier}
