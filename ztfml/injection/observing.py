"""Draw events and observe them under the conditions of a night.

Each event is at the position of an object of the night and has the epochs and limits of that
object. Its errors are those of the night's detections at the same depth (limit minus magnitude).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ztfml.astrophysics import (
    BAND_WAVELENGTH,
    EXTINCTION,
    FAST_RATE,
    comoving_volume,
    night_of,
    redshift_of_volume,
)
from ztfml.errors import DataError
from ztfml.injection.alerts import build_night, in_packets, last_detections
from ztfml.injection.conditions import Conditions, column_of
from ztfml.injection.forced import forced_of
from ztfml.injection.physics import apparent_magnitude
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
_MAX_TRIALS = 4_000_000
_BATCH = 3000


class Injected(NamedTuple):
    """Injected events and their alerts.

    Attributes
    ----------
    night : Night
        One alert for each event and each night on which it was detected (the last detection of
        that night), with its history.
    event : ndarray of int, shape (n_alerts,)
        The row in `events` of each alert.
    events : pandas.DataFrame
        One row per event: ``kind``, ``z``, ``age`` (d since the explosion), ``peak_mag``
        (brightest detection so far), ``rate`` (mag/day, the larger of the true changes in g
        and r over the day before the last detection), ``half_time`` (d), ``n_nights`` (with a
        detection), ``n_det``, ``last_mag``, ``days_since_discovery``, ``latitude`` (deg,
        absolute galactic latitude), ``host_offset`` (arcsec), ``host_mag``, ``host_at_event``,
        ``host_total`` and ``host_radius`` (see `Hosts`).
    expected : dict of str to float
        Expected number of events of each kind on such a night, over the whole sky.
    """

    night: Night
    event: np.ndarray
    events: pd.DataFrame
    expected: dict


# --- events --------------------------------------------------------------------------------


class _Trials(NamedTuple):
    """Trial events and all their exposures."""

    z: np.ndarray
    hosts: Hosts
    position: np.ndarray
    begin: np.ndarray
    latitude: np.ndarray
    row: np.ndarray
    jd: np.ndarray
    fid: np.ndarray
    limit: np.ndarray
    true_flux: np.ndarray
    flux: np.ndarray
    sigma: np.ndarray
    detected: np.ndarray


def inject(conditions: Conditions, counts: dict[str, int], seed: int) -> Injected:
    """Draw events that are detected on the night, and make their alerts up to this night.

    Parameters
    ----------
    conditions : Conditions
    counts : dict of str to int
        Number of events of each kind of `populations.KINDS`.
    seed : int

    Returns
    -------
    Injected

    Raises
    ------
    DataError
        If the night detects too few events of a kind.

    Examples
    --------
    >>> injected = inject(Conditions(night), {"kilonova": 5}, seed=1)
    >>> len(injected.events), bool((injected.events["z"] < 0.12).all())
    (5, True)
    """
    parts, expected = [], {}
    for name in track([name for name in KINDS if counts.get(name, 0)], "injecting"):
        key = list(KINDS).index(name)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key,)))
        part, expected[name] = _detected_events(rng, conditions, KINDS[name], counts[name])
        parts += part
    return _as_night(conditions, parts, seed, expected)


def _detected_events(rng, conditions, kind, n_events):
    """Draw trials until enough of them are detected on the night while they are fast."""
    parts, found, tried = [], 0, 0
    while found < n_events:
        if tried >= _MAX_TRIALS:
            raise DataError(
                f"{conditions.night.name}: {found} of {tried} simulated events of the kind "
                f"{kind.name!r} are detected, which is too few; name a night with deeper limits "
                "or a longer history"
            )
        z = _redshifts(rng, _BATCH, kind)
        absolute = kind.draw(rng, _BATCH)
        trials = _observe(rng, conditions, kind, z, absolute)
        tried += _BATCH
        events = _fast_and_detected(trials, absolute)
        found += len(events)
        parts.append((kind, trials, events))
    surplus = found - n_events
    if surplus:
        kind, trials, events = parts[-1]
        parts[-1] = (kind, trials, events.iloc[: len(events) - surplus])
    return parts, _n_active(kind) * found / tried


def _n_active(kind):
    """Expected number of events of a kind that began in the last `kind.duration` days."""
    volume = comoving_volume(kind.max_redshift)
    z = redshift_of_volume(np.linspace(0, 1, 1001) * volume)
    evolution = np.mean((1 + z) ** (kind.evolution - 1))
    return kind.rate * evolution * volume * kind.duration / 365.25


def _redshifts(rng, n, kind):
    """Redshifts by volume, rate and time dilation (rejection sampling)."""
    z = np.empty(0)
    maximum = (1 + kind.max_redshift) ** max(kind.evolution - 1, 0)
    while len(z) < n:
        trial = redshift_of_volume(rng.random(2 * n) * comoving_volume(kind.max_redshift))
        keep = rng.random(2 * n) * maximum < (1 + trial) ** (kind.evolution - 1)
        z = np.append(z, trial[keep])
    return np.maximum(z[:n], 1e-4)


def _observe(rng, conditions, kind, z, absolute):
    """Observe each event in the exposures of a random position of the night."""
    night = conditions.night
    index = rng.choice(len(conditions.positions), len(z), p=conditions.weight)
    position = conditions.positions[index]
    latitude = conditions.latitude[position]
    now = night.alerts["jd"].to_numpy()[position]
    begin = now - kind.duration * rng.random(len(z))
    row, jd, fid, limit = _exposures(night, position, begin - PACKET_HISTORY)
    band = fid - 1
    magnitude = apparent_magnitude(
        lambda days, wavelength: absolute(row, days, wavelength),
        z[row], jd - begin[row], BAND_WAVELENGTH[band],
    ) + EXTINCTION[band] * _reddening(latitude)[row]  # fmt: skip
    true_flux = 10 ** (-0.4 * magnitude)
    # The light of the host adds noise like that of the event.
    hosts = draw_hosts(rng, z, kind.host)
    total = true_flux + 10 ** (-0.4 * hosts.at_event[row])
    sigma = conditions.error_of_flux(-2.5 * np.log10(total), limit)
    flux = true_flux + sigma * rng.normal(size=len(row))
    with np.errstate(invalid="ignore", divide="ignore"):
        detected = (flux > _SNR * sigma) & (-2.5 * np.log10(flux) < limit)
    return _Trials(
        z, hosts, position, begin, latitude, row, jd, fid, limit, true_flux, flux, sigma, detected
    )


def _reddening(latitude):
    """E(B - V) of a plane-parallel layer of dust with 0.03 at the galactic pole."""
    sine = np.sin(np.radians(np.nan_to_num(latitude, nan=45.0)))
    return 0.03 / np.maximum(sine, 0.02)


def _exposures(night, position, since):
    """Exposures of the positions up to their alerts, as arrays: row, jd, fid, limit."""
    history = night.history
    first, last = night.first[position], night.last[position]
    count = last - first
    row = np.repeat(np.arange(len(position)), count)
    take = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[row]
    alerts = night.alerts
    row = np.concatenate([row, np.arange(len(position))])
    jd = np.concatenate([history.jd[take], alerts["jd"].to_numpy()[position]])
    alert_fid = np.nan_to_num(alerts["fid"].to_numpy()[position])
    fid = np.concatenate([history.fid[take], alert_fid]).astype(int)
    alert_limit = column_of(alerts, "diffmaglim").to_numpy()[position]
    limit = np.concatenate([history.diffmaglim[take], alert_limit])
    use = (jd >= since[row]) & (fid >= 1) & ~np.isnan(limit)
    row, jd, fid, limit = row[use], jd[use], fid[use], limit[use]
    order = np.lexsort([fid, jd, row])
    row, jd, fid, limit = row[order], jd[order], fid[order], limit[order]
    # An exposure can have several rows; keep one of them.
    start = np.searchsorted(row, np.arange(len(position) + 1))
    unknown, sign = np.full(len(jd), np.nan), np.zeros(len(jd), np.int8)
    keep = measurements(History(jd, fid.astype(np.int8), unknown, unknown, limit, sign, start))
    return row[keep], jd[keep], fid[keep], limit[keep]


def _fast_and_detected(trials, absolute):
    """Table of the trials that are detected on the night while they are fast, by trial."""
    exposure_night = night_of(trials.jd)
    last = np.full(len(trials.z), -1)
    last[trials.row[trials.detected]] = np.flatnonzero(trials.detected)  # rows are in time order
    tonight = np.zeros(len(trials.z))
    np.maximum.at(tonight, trials.row, exposure_night)
    found = np.flatnonzero(last >= 0)
    found = found[exposure_night[last[found]] == tonight[found]]
    if len(found) == 0:
        return pd.DataFrame()
    z, now = trials.z[found], trials.jd[last[found]]
    age = now - trials.begin[found]
    rate, half_time = _speed(absolute, found, z, age)
    fast = (np.abs(rate) > FAST_RATE) | (half_time < FAST_HALF_TIME)
    keep = np.isin(trials.row, found[fast]) & trials.detected
    magnitude = -2.5 * np.log10(np.where(trials.flux > 0, trials.flux, np.nan))
    detections = pd.DataFrame(
        {"row": trials.row[keep], "jd": trials.jd[keep], "mag": magnitude[keep],
         "night": exposure_night[keep]}
    ).groupby("row")  # fmt: skip
    events = pd.DataFrame(
        {
            "z": z[fast], "age": age[fast], "rate": rate[fast], "half_time": half_time[fast],
            "latitude": trials.latitude[found[fast]],
        },
        index=found[fast],
    )  # fmt: skip
    return events.assign(
        peak_mag=detections["mag"].min(),
        last_mag=detections["mag"].last(),
        n_nights=detections["night"].nunique(),
        n_det=detections.size(),
        days_since_discovery=detections["jd"].max() - detections["jd"].min(),
    )


def _speed(absolute, row, z, age):
    """True rate over the last day (mag/day, positive for a fade), and days above half g peak."""

    def magnitude(days, band):
        wavelength = np.full(len(row), BAND_WAVELENGTH[band])
        return apparent_magnitude(
            lambda rest_days, rest_wavelength: absolute(row, rest_days, rest_wavelength),
            z, days, wavelength,
        )  # fmt: skip

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
    """Join the selected events of all kinds in one night of alerts."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(len(KINDS),)))
    tables, exposures, n_events = [], [], 0
    for kind, trials, events in parts:
        if len(events) == 0:
            continue
        number = np.full(len(trials.z), -1)
        number[events.index] = n_events + np.arange(len(events))
        exposures.append(_exposure_table(trials, number))
        tables.append(
            events.assign(
                kind=kind.name, host_mag=trials.hosts.magnitude[events.index],
                host_offset=trials.hosts.offset[events.index],
                host_at_event=trials.hosts.at_event[events.index],
                host_total=trials.hosts.total[events.index],
                host_radius=trials.hosts.radius[events.index],
                position=trials.position[events.index],
            )
        )  # fmt: skip
        n_events += len(events)
    events = pd.concat(tables, ignore_index=True)
    exposures = in_packets(_magnitudes(rng, pd.concat(exposures, ignore_index=True)))
    last = last_detections(exposures)
    surroundings = _surroundings(rng, conditions, events, last)
    night = build_night(rng, conditions, exposures, last, surroundings)
    if conditions.night.forced is not None:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(len(KINDS) + 1,)))
        host_flux = 10 ** (-0.4 * events["host_at_event"].to_numpy())
        names = night.object_ids.to_numpy(zero_copy_only=False)
        night = night.replace(forced=forced_of(rng, exposures, host_flux, names))
    return Injected(night, last["event"].to_numpy(), events.drop(columns="position"), expected)


def _exposure_table(trials, number):
    """All exposures of the trials that have a number, as a table."""
    use = number[trials.row] >= 0
    columns = ("jd", "fid", "limit", "true_flux", "flux", "sigma", "detected")
    return pd.DataFrame(
        {"event": number[trials.row[use]]} | {name: getattr(trials, name)[use] for name in columns}
    )


def _magnitudes(rng, exposures):
    """Add magnitudes and their errors; the errors scatter by 5 %, like those of packets."""
    with np.errstate(invalid="ignore", divide="ignore"):
        magpsf = -2.5 * np.log10(exposures["flux"])
        sigmapsf = 1.0857 * exposures["sigma"] / exposures["flux"]
    sigmapsf = sigmapsf * np.exp(0.05 * rng.normal(size=len(exposures)))
    detected = exposures["detected"]
    return exposures.assign(magpsf=magpsf.where(detected), sigmapsf=sigmapsf.where(detected))


def _surroundings(rng, conditions, events, last):
    """Surroundings of each event in the bands of its alerts, the same for all its alerts."""
    hosts = Hosts(*(events[f"host_{name}"].to_numpy() for name in ("mag", "offset", "at_event")))
    latitude = events["latitude"].to_numpy()
    seed = int(rng.integers(2**63))
    by_band = {
        fid: conditions.sky.surroundings(
            np.random.default_rng(seed), latitude, np.full(len(events), fid), hosts
        )
        for fid in (1, 2, 3)
    }
    event, fid = last["event"].to_numpy(), last["fid"].to_numpy()
    fields = {
        name: np.choose(fid - 1, [by_band[band][name][event] for band in (1, 2, 3)])
        for name in by_band[1]
    }
    alerts = conditions.night.alerts.iloc[events["position"].to_numpy()[event]]
    return fields | {name: alerts[name].to_numpy() for name in ("ra", "dec") if name in alerts}
