"""Observe injected events as the night would have: its epochs, limits, noise and packets.

An event stands where an object of the night stands (its carrier), and is looked at whenever
that was, down to the same limits. Its errors follow those that the night's detections have at
their distance from the limit, and the quality fields of each of its alerts are those of a real
detection of the night that is as bright against its limit and against what lies under it.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.spatial import cKDTree

from ztfml.errors import DataError
from ztfml.features import context
from ztfml.injection.kinds import KINDS
from ztfml.injection.physics import (
    BAND_WAVELENGTH,
    REDDENING,
    comoving_volume,
    observe,
    redshift_of_volume,
)
from ztfml.injection.surroundings import PIXEL, UNDER, Hosts, Sky, draw_hosts
from ztfml.lightcurve import SAME_EPOCH, order_rows
from ztfml.night import Night
from ztfml.progress import track

FAST_RATE = 0.3
FAST_HALF_TIME = 12.0
"""What counts as fast: mag/day in g or r, or days above half of the peak in g (Ho et al. 2023)."""

_PACKET_WINDOW = 30.0  # d of history before an object's first alert
_SNR = 5.0
_DEEPEST = 6.0  # mag above the limit up to which errors are measured
_BIN = 0.25
_FEWEST = 10
_MOST_TRIALS = 4_000_000
_AT_ONCE = 3000
_SIMILAR = 12
# Whether a place had a detection once before: a fault of the subtraction, an older event.
_OLD_DETECTION = 0.06


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
        detection), ``n_det``, ``last_mag``, ``days_since_discovery``, ``latitude``,
        ``host_offset`` (arcsec), ``host_mag``.
    expected : dict of str to float
        Events of each kind that one such night of the whole sky above its horizon holds.
    """

    night: Night
    event: np.ndarray
    events: pd.DataFrame
    expected: dict


class Conditions:
    """How a night observed: epochs and limits at its places, errors, packets.

    Parameters
    ----------
    night : Night

    Raises
    ------
    DataError
        If no object of the night has a history to take epochs and limits from.

    Examples
    --------
    >>> conditions = Conditions(night)   # doctest: +SKIP
    """

    def __init__(self, night):
        self.night = night
        alerts = night.alerts
        self.latitude = _latitude(alerts)
        self.good = _is_real(alerts)
        depth = (_column(alerts, "diffmaglim") - alerts["magpsf"]).to_numpy()
        self._measure_errors(depth, alerts["sigmapsf"].to_numpy())
        self.sky = Sky(alerts, self.latitude, self.good)
        self._find_donors(depth)
        self.carriers = self._find_carriers()
        self.weight = _even_on_the_sky(alerts, self.carriers)

    def _find_carriers(self):
        night = self.night
        latest = _latest_alerts(night.alerts)
        limits = night.history.diffmaglim
        usable = np.concatenate([[0], np.cumsum(~np.isnan(limits))])
        has = usable[night.last[latest]] > usable[night.first[latest]]
        has &= ~np.isnan(_column(night.alerts, "diffmaglim").to_numpy()[latest])
        if not has.any():
            raise DataError(
                f"{night.name}: no object has a history with diffmaglim, from which injected "
                "events take their epochs and limits; name a night with its previous candidates"
            )
        return latest[has]

    def _measure_errors(self, depth, sigma):
        """Median error by magnitudes above the limit, of real detections."""
        edges = np.arange(0, _DEEPEST + _BIN, _BIN)
        self._depths = edges[:-1] + _BIN / 2
        fit = 0.17 * 10 ** (-0.4 * self._depths)
        self._errors = np.hypot(fit, 0.02)
        use = self.good & (depth >= 0) & (depth < _DEEPEST) & ~np.isnan(sigma)
        at = (depth[use] / _BIN).astype(int)
        for bin_, values in pd.Series(sigma[use]).groupby(at):
            if len(values) >= _FEWEST:
                self._errors[bin_] = values.median()

    def error_of_flux(self, magnitude, limit):
        """1-sigma error of the flux, in units in which magnitude 0 has flux 1."""
        depth = np.clip(limit - magnitude, self._depths[0], None)
        of_magnitude = np.interp(depth, self._depths, self._errors)
        brightest = np.minimum(magnitude, limit - self._depths[0])
        return of_magnitude / 1.0857 * 10 ** (-0.4 * brightest)

    def _find_donors(self, depth):
        alerts = self.night.alerts
        clear = ~(_column(alerts, "distnr") * PIXEL < UNDER).to_numpy()
        under = np.where(clear, _NOTHING_UNDER, _column(alerts, "magnr").to_numpy())
        known = self.good & ~np.isnan(depth) & ~np.isnan(under)
        # No stars: over them events are not looked for, and their residuals look otherwise.
        starry = (_column(alerts, "distpsnr1") < UNDER) & (_column(alerts, "sgscore1") > 0.5)
        rows = np.flatnonzero(known & ~starry.to_numpy())
        rows = rows if len(rows) else np.flatnonzero(known)
        if len(rows) == 0:
            raise DataError(
                f"{self.night.name}: no alert is a real detection by drb or rb, from which "
                "injected events take the quality of their packets; name another night"
            )
        self._donors = rows
        self._donor_tree = cKDTree(np.column_stack([depth[rows] / 0.25, under[rows]]))

    def donors(self, rng, depth, under):
        """Rows of the night's alerts that are as bright against limit and reference."""
        number = min(_SIMILAR, len(self._donors))
        wanted = np.column_stack([depth / 0.25, under])
        _, near = self._donor_tree.query(wanted, k=number)
        near = near.reshape(len(depth), number)
        return self._donors[near[np.arange(len(depth)), rng.integers(0, number, len(depth))]]


_NOTHING_UNDER = 23.0


def _column(alerts, name):
    return alerts[name] if name in alerts else pd.Series(np.nan, index=alerts.index)


def _latitude(alerts):
    if "ra" not in alerts or "dec" not in alerts:
        return np.full(len(alerts), np.nan)
    return context.abs_gal_lat(alerts["ra"].to_numpy(), alerts["dec"].to_numpy())


def _is_real(alerts):
    """Detections that the survey's own score calls real, brighter than the reference."""
    drb, rb = _column(alerts, "drb"), _column(alerts, "rb")
    score = drb.where(drb.notna(), rb)
    return ((alerts["isdiffpos"] > 0) & ~(score < 0.5)).to_numpy()


def _latest_alerts(alerts):
    """The last alert of each object."""
    order = np.lexsort([alerts["candid"], alerts["jd"]])
    latest = ~alerts["objectId"].iloc[order].duplicated(keep="last").to_numpy()
    return np.sort(order[latest])


def _even_on_the_sky(alerts, rows):
    """Weights with which every square degree of the night's sky counts the same."""
    if "ra" not in alerts or "dec" not in alerts:
        return np.full(len(rows), 1 / len(rows))
    ra, dec = alerts["ra"].to_numpy()[rows], alerts["dec"].to_numpy()[rows]
    ring = np.floor(dec)
    step = np.floor(ra * np.cos(np.radians(ring + 0.5)))
    known = ~np.isnan(ring + step)
    cell = pd.MultiIndex.from_arrays([ring[known], step[known]]).factorize()[0]
    weight = np.zeros(len(rows))
    weight[known] = 1 / np.bincount(cell)[cell]
    weight = weight if known.any() else np.ones(len(rows))
    return weight / weight.sum()


# --- events --------------------------------------------------------------------------------


class _Trials(NamedTuple):
    """Events that might be seen, and every look at them."""

    z: np.ndarray
    carrier: np.ndarray
    begin: np.ndarray
    latitude: np.ndarray
    row: np.ndarray
    jd: np.ndarray
    fid: np.ndarray
    limit: np.ndarray
    magnitude: np.ndarray
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
    row, jd, fid, limit = _exposures(night, carrier, begin - _PACKET_WINDOW)
    band = fid - 1
    magnitude = observe(
        lambda days, wavelength: absolute(row, days, wavelength),
        z[row], jd - begin[row], BAND_WAVELENGTH[band],
    ) + REDDENING[band] * _reddening(latitude)[row]  # fmt: skip
    sigma = conditions.error_of_flux(magnitude, limit)
    seen = 10 ** (-0.4 * magnitude) + sigma * rng.normal(size=len(row))
    with np.errstate(invalid="ignore", divide="ignore"):
        detected = (seen > _SNR * sigma) & (-2.5 * np.log10(seen) < limit)
    return _Trials(
        z, carrier, begin, latitude, row, jd, fid, limit, magnitude, seen, sigma, detected
    )


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
    own_limit = _column(alerts, "diffmaglim").to_numpy()[carrier]
    limit = np.concatenate([history.diffmaglim[take], own_limit])
    use = (jd >= since[row]) & (fid >= 1) & ~np.isnan(limit)
    row, jd, fid, limit = row[use], jd[use], fid[use], limit[use]
    order = np.lexsort([fid, jd, row])
    row, jd, fid, limit = row[order], jd[order], fid[order], limit[order]
    # One exposure may stand there as several candidates.
    again = (np.diff(row) == 0) & (np.diff(jd) < SAME_EPOCH) & (np.diff(fid) == 0)
    once = np.concatenate([[True], ~again])
    return row[once], jd[once], fid[once], limit[once]


def _worth_finding(trials, absolute):
    """The trials detected tonight while they are fast, as a table indexed by trial."""
    alerts_night = np.floor(trials.jd - 0.5)
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
        hosts = draw_hosts(rng, events["z"].to_numpy(), kind.host)
        number = np.full(len(trials.z), -1)
        number[events.index] = begun + np.arange(len(events))
        use = number[trials.row] >= 0
        looks.append(
            pd.DataFrame(
                {"event": number[trials.row[use]]}
                | {name: getattr(trials, name)[use]
                   for name in ("jd", "fid", "limit", "seen", "sigma", "detected")}
            )
        )  # fmt: skip
        tables.append(
            events.assign(
                kind=kind.name, host_mag=hosts.magnitude, host_offset=hosts.offset,
                carrier=trials.carrier[events.index],
            )
        )  # fmt: skip
        begun += len(events)
    events = pd.concat(tables, ignore_index=True)
    looks = pd.concat(looks, ignore_index=True)
    looks["night"] = np.floor(looks["jd"] - 0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        looks["magpsf"] = -2.5 * np.log10(looks["seen"])
        scatter = np.exp(0.05 * rng.normal(size=len(looks)))
        looks["sigmapsf"] = 1.0857 * looks["sigma"] / looks["seen"] * scatter
    undetected = ~looks["detected"].to_numpy()
    looks.loc[undetected, ["magpsf", "sigmapsf"]] = np.nan
    looks = _as_shipped(looks)
    alerts, event = _alerts(rng, conditions, events, looks)
    history, object_ids = _history(looks, len(events))
    night = Night(alerts, history, object_ids, conditions.night.name)
    return Injected(night, event, events.drop(columns="carrier"), expected)


def _as_shipped(looks):
    """What packets ship: 30 d before the first detection, and everything since."""
    first = looks[looks["detected"]].groupby("event")["jd"].min()
    return looks[looks["jd"] >= looks["event"].map(first) - _PACKET_WINDOW].reset_index(drop=True)


def _name(event):
    return pd.Series(event).map("injected{:06d}".format).astype("str")


def _history(looks, n_events):
    rows = {
        "jd": looks["jd"].to_numpy(),
        "fid": looks["fid"].to_numpy(np.int8),
        "magpsf": looks["magpsf"].to_numpy(),
        "sigmapsf": looks["sigmapsf"].to_numpy(),
        "diffmaglim": looks["limit"].to_numpy(),
        "isdiffpos": np.where(looks["detected"], 1, 0).astype(np.int8),
    }
    history = order_rows(looks["event"].to_numpy(np.int32), n_events, rows)
    return history, pa.array(_name(np.arange(n_events)), pa.string())


def _alerts(rng, conditions, events, looks):
    """The last detection of each event on each night as an alert of the night's own make."""
    found = looks[looks["detected"]].sort_values(["event", "jd"], kind="stable")
    found = found.assign(
        ndethist=found.groupby("event").cumcount() + 1,
        jdstarthist=found.groupby("event")["jd"].transform("min"),
    )
    last = found[~found.duplicated(["event", "night"], keep="last")].reset_index(drop=True)
    event = last["event"].to_numpy()
    own = conditions.night.alerts
    around = _around(rng, conditions, events, last)
    under = np.where(around["distnr"] * PIXEL < UNDER, around["magnr"], _NOTHING_UNDER)
    donor = conditions.donors(
        rng, (last["limit"] - last["magpsf"]).to_numpy(), np.nan_to_num(under, nan=_NOTHING_UNDER)
    )
    alerts = own.iloc[donor].reset_index(drop=True)
    packet = {name: last[name].to_numpy() for name in ("jd", "fid", "magpsf", "sigmapsf")}
    packet |= {"diffmaglim": last["limit"].to_numpy(), "isdiffpos": 1}
    packet |= _apertures(alerts, packet) | around | _known_since(rng, last, around)
    packet |= {"ssdistnr": np.nan, "ssmagnr": np.nan}
    carrier = own.iloc[events["carrier"].to_numpy()[event]]
    packet |= {name: carrier[name].to_numpy() for name in ("ra", "dec") if name in own}
    for name, values in packet.items():
        if name in alerts:
            alerts[name] = np.asarray(values).astype(alerts[name].dtype)
    brokers = [name for name in alerts if name.startswith("acai_") or name == "braai"]
    alerts[brokers] = np.nan
    alerts["objectId"] = _name(event).astype(own["objectId"].dtype)
    alerts["candid"] = 10**18 + np.arange(len(alerts))
    if "ssnamenr" in alerts:
        alerts["ssnamenr"] = pd.Series([None] * len(alerts), dtype=own["ssnamenr"].dtype)
    return alerts, event


def _around(rng, conditions, events, last):
    """The surroundings of each event in the bands of its alerts, the same in all of them."""
    hosts = Hosts(events["host_mag"].to_numpy(), events["host_offset"].to_numpy())
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
    absent = np.full(len(last), np.nan)
    return {"distnr": absent, "magnr": absent} | fields


def _apertures(donor, packet):
    """Aperture magnitudes that are off the PSF's by what they are for the donor."""
    fields = {}
    for name in ("magap", "magapbig"):
        if name in donor:
            fields[name] = packet["magpsf"] + (donor[name] - donor["magpsf"]).to_numpy()
    if "magap" in fields:
        fields["magfromlim"] = packet["diffmaglim"] - fields["magap"]
    return fields


def _known_since(rng, last, around):
    """Detections and coverage of the place since the survey began."""
    event = last["event"].to_numpy()
    n = event.max() + 1
    before = np.where(rng.random(n) < _OLD_DETECTION, rng.geometric(0.4, n), 0)[event]
    long_ago = last["jdstarthist"] - rng.uniform(40, 900, n)[event]
    covered = np.nan_to_num(around.get("ncovhist", np.zeros(len(last))))
    detections = last["ndethist"].to_numpy() + before
    return {
        "ndethist": detections,
        "jdstarthist": np.where(before > 0, long_ago, last["jdstarthist"]),
        "ncovhist": np.maximum(covered, detections),
    }
