"""Make alerts of what was measured, with packets of the night's own make.

Each alert takes the quality fields of a real detection of the night that is as bright against
its limit and against what lies under it; what is known of the event itself replaces the rest.
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.astrophysics import night_of
from ztfml.injection.conditions import NOTHING_UNDER
from ztfml.injection.surroundings import UNDER
from ztfml.lightcurves.history import order_rows
from ztfml.night import Night
from ztfml.schema import PACKET_HISTORY, PIXEL_SCALE

# How often a place had a detection long before, a fault of the subtraction or an older event, by
# the distance (arcsec) of the nearest PS1 source: of 347 young real transients 20 % within 1,
# 9 % within 2 and 4 % beyond.
_OLD_DETECTIONS = ((1.0, 0.20), (2.0, 0.09), (np.inf, 0.04))


def as_shipped(looks):
    """Keep what packets ship: 30 d before the first detection, and everything since.

    Parameters
    ----------
    looks : pandas.DataFrame
        One row an exposure of an event: ``event`` (from 0), ``jd``, ``fid``, ``limit`` (mag),
        ``magpsf``, ``sigmapsf`` (NaN where not detected) and ``detected``.

    Returns
    -------
    pandas.DataFrame
        Fewer rows.

    Examples
    --------
    >>> as_shipped(looks)   # doctest: +SKIP
    """
    first = looks[looks["detected"]].groupby("event")["jd"].min()
    return looks[looks["jd"] >= looks["event"].map(first) - PACKET_HISTORY].reset_index(drop=True)


def last_of_nights(looks):
    """The last detection of each event on each of its nights: what becomes an alert.

    Parameters
    ----------
    looks : pandas.DataFrame
        As for `as_shipped`.

    Returns
    -------
    pandas.DataFrame
        Sorted by event and time, with ``ndethist`` and ``jdstarthist`` as of then.

    Examples
    --------
    >>> last_of_nights(looks)["ndethist"]   # doctest: +SKIP
    """
    found = looks[looks["detected"]].sort_values(["event", "jd"], kind="stable")
    found = found.assign(
        night=night_of(found["jd"]),
        ndethist=found.groupby("event").cumcount() + 1,
        jdstarthist=found.groupby("event")["jd"].transform("min"),
    )
    return found[~found.duplicated(["event", "night"], keep="last")].reset_index(drop=True)


def make_night(rng, conditions, looks, last, around):
    """Make a night of events: their alerts with packets, and their history.

    Parameters
    ----------
    rng : numpy.random.Generator
    conditions : Conditions
    looks, last : pandas.DataFrame
        As of `as_shipped` and `last_of_nights`.
    around : dict of ndarray
        Of each row of `last`: ``ra``, ``dec``, and the fields of its surroundings (see
        `surroundings.Sky.around`).

    Returns
    -------
    Night
        An alert for each row of `last`, with the columns of the night of the conditions.

    Examples
    --------
    >>> make_night(rng, conditions, looks, last_of_nights(looks), around)   # doctest: +SKIP
    """
    n_events = int(looks["event"].max()) + 1
    history, object_ids = _history(looks, n_events)
    alerts = _alerts(rng, conditions, last, around)
    return Night(alerts, history, object_ids, conditions.night.name)


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


def _alerts(rng, conditions, last, around):
    own = conditions.night.alerts
    absent = np.full(len(last), np.nan)
    distance, magnitude = around.get("distnr", absent), around.get("magnr", absent)
    under = np.where(distance * PIXEL_SCALE < UNDER, magnitude, np.nan)
    depth = (last["limit"] - last["magpsf"]).to_numpy()
    donor = conditions.donors(rng, depth, np.nan_to_num(under, nan=NOTHING_UNDER))
    alerts = own.iloc[donor].reset_index(drop=True)
    packet = {name: last[name].to_numpy() for name in ("jd", "fid", "magpsf", "sigmapsf")}
    packet |= {"diffmaglim": last["limit"].to_numpy(), "isdiffpos": 1}
    packet |= _apertures(alerts, packet) | around | _known_since(rng, last, around)
    packet |= {"ssdistnr": np.nan, "ssmagnr": np.nan}
    for name, values in packet.items():
        if name in alerts:
            alerts[name] = np.asarray(values).astype(alerts[name].dtype)
    brokers = [name for name in alerts if name.startswith("acai_") or name == "braai"]
    alerts[brokers] = np.nan
    alerts["objectId"] = _name(last["event"]).astype(own["objectId"].dtype)
    alerts["candid"] = 10**18 + np.arange(len(alerts))
    if "ssnamenr" in alerts:
        alerts["ssnamenr"] = pd.Series([None] * len(alerts), dtype=own["ssnamenr"].dtype)
    return alerts


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
    near = np.nan_to_num(around.get("distpsnr1", np.full(len(last), np.inf)), nan=np.inf)
    edges, odds = np.array(_OLD_DETECTIONS).T
    had = rng.random(n)[event] < odds[np.searchsorted(edges, near)]
    before = np.where(had, rng.geometric(0.4, n)[event], 0)
    long_ago = last["jdstarthist"] - rng.uniform(40, 900, n)[event]
    covered = np.nan_to_num(around.get("ncovhist", np.zeros(len(last))))
    detections = last["ndethist"].to_numpy() + before
    return {
        "ndethist": detections,
        "jdstarthist": np.where(before > 0, long_ago, last["jdstarthist"]),
        "ncovhist": np.maximum(covered, detections),
    }
