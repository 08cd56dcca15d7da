"""Make alerts of observed events.

Each alert copies the quality fields of a real detection of the night with a similar depth (its
limit minus its magnitude) and a similar reference source. The fields that are known for the
event replace the copied ones.
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.astrophysics import night_of
from ztfml.injection.conditions import NO_REFERENCE_SOURCE, Conditions
from ztfml.injection.surroundings import AT_POSITION
from ztfml.lightcurves.history import order_rows
from ztfml.night import Night
from ztfml.schema import PACKET_HISTORY, PIXEL_SCALE

# Fraction of positions with an older detection (a subtraction artifact or another event) by the
# distance (arcsec) of the nearest PS1 source, from 347 young real transients: 20 % within 1
# arcsec, 9 % within 2 and 4 % beyond.
_OLD_DETECTIONS = ((1.0, 0.20), (2.0, 0.09), (np.inf, 0.04))


def in_packets(exposures: pd.DataFrame) -> pd.DataFrame:
    """Keep the exposures that alert packets contain: from 30 d before the first detection.

    Parameters
    ----------
    exposures : pandas.DataFrame
        One row per exposure of an event: ``event`` (from 0), ``jd``, ``fid``, ``limit`` (mag),
        ``magpsf``, ``sigmapsf`` (NaN where not detected) and ``detected``.

    Returns
    -------
    pandas.DataFrame
        The rows that are kept.

    Examples
    --------
    >>> exposures = pd.DataFrame(
    ...     {"event": 0, "jd": [100.0, 150.0, 160.0], "detected": [False, False, True]}
    ... )
    >>> in_packets(exposures)["jd"].tolist()
    [150.0, 160.0]
    """
    first = exposures[exposures["detected"]].groupby("event")["jd"].min()
    kept = exposures["jd"] >= exposures["event"].map(first) - PACKET_HISTORY
    return exposures[kept].reset_index(drop=True)


def last_detections(exposures: pd.DataFrame) -> pd.DataFrame:
    """Find the last detection of each event on each night; these detections become alerts.

    Parameters
    ----------
    exposures : pandas.DataFrame
        As for `in_packets`.

    Returns
    -------
    pandas.DataFrame
        Sorted by event and time, with ``ndethist`` and ``jdstarthist`` at that time.

    Examples
    --------
    >>> exposures = pd.DataFrame(
    ...     {"event": 0, "jd": [100.6, 100.7, 101.6], "detected": [True, True, True]}
    ... )
    >>> last_detections(exposures)["ndethist"].tolist()
    [2, 3]
    """
    found = exposures[exposures["detected"]].sort_values(["event", "jd"], kind="stable")
    found = found.assign(
        night=night_of(found["jd"]),
        ndethist=found.groupby("event").cumcount() + 1,
        jdstarthist=found.groupby("event")["jd"].transform("min"),
    )
    return found[~found.duplicated(["event", "night"], keep="last")].reset_index(drop=True)


def build_night(
    rng: np.random.Generator,
    conditions: Conditions,
    exposures: pd.DataFrame,
    last: pd.DataFrame,
    surroundings: dict[str, np.ndarray],
) -> Night:
    """Build a night of events: their alerts and their history.

    Parameters
    ----------
    rng : numpy.random.Generator
    conditions : Conditions
    exposures, last : pandas.DataFrame
        From `in_packets` and `last_detections`.
    surroundings : dict of str to ndarray
        For each row of `last`: ``ra``, ``dec``, and the fields of
        `surroundings.Sky.surroundings`.

    Returns
    -------
    Night
        One alert per row of `last`, with the columns of the night of the conditions.

    Examples
    --------
    >>> exposures = pd.DataFrame(
    ...     {"event": 0, "jd": [2460474.7, 2460475.7], "fid": 1, "limit": 20.5, "magpsf": 18.0,
    ...      "sigmapsf": 0.05, "detected": True}
    ... )
    >>> built = build_night(
    ...     np.random.default_rng(1), Conditions(night), exposures, last_detections(exposures), {}
    ... )
    >>> len(built), built.alerts["magpsf"].tolist()
    (2, [18.0, 18.0])
    """
    n_events = int(exposures["event"].max()) + 1
    history, object_ids = _history(exposures, n_events)
    alerts = _alerts(rng, conditions, last, surroundings)
    return Night(alerts, history, object_ids, conditions.night.name)


def _name(event):
    return pd.Series(event).map("injected{:06d}".format).astype("str")


def _history(exposures, n_events):
    rows = {
        "jd": exposures["jd"].to_numpy(),
        "fid": exposures["fid"].to_numpy(np.int8),
        "magpsf": exposures["magpsf"].to_numpy(),
        "sigmapsf": exposures["sigmapsf"].to_numpy(),
        "diffmaglim": exposures["limit"].to_numpy(),
        "isdiffpos": np.where(exposures["detected"], 1, 0).astype(np.int8),
    }
    history = order_rows(exposures["event"].to_numpy(np.int32), n_events, rows)
    return history, pa.array(_name(np.arange(n_events)), pa.string())


def _alerts(rng, conditions, last, surroundings):
    night_alerts = conditions.night.alerts
    absent = np.full(len(last), np.nan)
    distance = surroundings.get("distnr", absent)
    magnitude = surroundings.get("magnr", absent)
    reference = np.where(distance * PIXEL_SCALE < AT_POSITION, magnitude, np.nan)
    depth = (last["limit"] - last["magpsf"]).to_numpy()
    donor = conditions.donors(rng, depth, np.nan_to_num(reference, nan=NO_REFERENCE_SOURCE))
    alerts = night_alerts.iloc[donor].reset_index(drop=True)
    packet = {name: last[name].to_numpy() for name in ("jd", "fid", "magpsf", "sigmapsf")}
    packet |= {"diffmaglim": last["limit"].to_numpy(), "isdiffpos": 1}
    packet |= _apertures(alerts, packet) | surroundings | _past(rng, last, surroundings)
    packet |= {"ssdistnr": np.nan, "ssmagnr": np.nan}
    for name, values in packet.items():
        if name in alerts:
            alerts[name] = np.asarray(values).astype(alerts[name].dtype)
    brokers = [name for name in alerts if name.startswith("acai_") or name == "braai"]
    alerts[brokers] = np.nan
    alerts["objectId"] = _name(last["event"]).astype(night_alerts["objectId"].dtype)
    alerts["candid"] = 10**18 + np.arange(len(alerts))
    if "ssnamenr" in alerts:
        dtype = night_alerts["ssnamenr"].dtype
        alerts["ssnamenr"] = pd.Series([None] * len(alerts), dtype=dtype)
    return alerts


def _apertures(donor, packet):
    """Aperture magnitudes with the same offsets from the PSF magnitude as the donor's."""
    fields = {}
    for name in ("magap", "magapbig"):
        if name in donor:
            fields[name] = packet["magpsf"] + (donor[name] - donor["magpsf"]).to_numpy()
    if "magap" in fields:
        fields["magfromlim"] = packet["diffmaglim"] - fields["magap"]
    return fields


def _past(rng, last, surroundings):
    """Detections and coverage of the position since the survey began."""
    event = last["event"].to_numpy()
    n = event.max() + 1
    absent = np.full(len(last), np.inf)
    nearest = np.nan_to_num(surroundings.get("distpsnr1", absent), nan=np.inf)
    edges, fraction = np.array(_OLD_DETECTIONS).T
    has_old = rng.random(n)[event] < fraction[np.searchsorted(edges, nearest)]
    n_old = np.where(has_old, rng.geometric(0.4, n)[event], 0)
    first_old = last["jdstarthist"] - rng.uniform(40, 900, n)[event]
    coverage = np.nan_to_num(surroundings.get("ncovhist", np.zeros(len(last))))
    detections = last["ndethist"].to_numpy() + n_old
    return {
        "ndethist": detections,
        "jdstarthist": np.where(n_old > 0, first_old, last["jdstarthist"]),
        "ncovhist": np.maximum(coverage, detections),
    }
