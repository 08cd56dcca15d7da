"""Data augmentation: degraded copies of alerts for training.

A copy lacks what other surveys, brokers or schema versions lack, or shows the object at an earlier
detection. With such copies a model does not depend on any single field, and learns what young
objects of each class look like.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ztfml.lightcurves.exposures import SAME_EXPOSURE, measurements
from ztfml.night import Night
from ztfml.schema import PACKET_HISTORY
from ztfml.simulate.populations.asteroids import asteroid_mags
from ztfml.taxonomy import LABELS
from ztfml.training.missing_fields import (
    EXPORTS,
    FIELD_GROUPS,
    fields_outside,
    without_fields,
    without_random_fields,
    without_random_groups,
)
from ztfml.training.stray import with_stray_detection

__all__ = ["DEGRADATIONS", "at_earlier_detection", "degraded_copies", "earlier_detections"]

BOGUS_DRB, BOGUS_RB = 0.1, 0.15
"""An alert with a lower drb (or rb, if it has no drb) is an artifact, whatever is at its
position."""

COPY_FRACTIONS = {
    "no drb": 0.25,
    "no history": 0.25,
    "no history and no drb": 0.15,
    "30 days of history": 0.2,
    "no Gaia": 0.1,
    "random fields missing": 0.6,
    "random groups missing": 0.4,
    "random groups and no history": 0.2,
    "low drb": 0.05,
    "unknown asteroid": 1.0,
    "earlier detection": 0.5,
    "old stray detection": 0.3,
    "asteroid nearby": 0.2,
    "as in BTSbot": 0.5,
    "as in ALeRCE": 0.5,
    "as in summer school": 0.3,
    "first night": 1.0,
}
"""The fraction of the training alerts that get a copy of each kind.

On sources that were left out, the copies as in exports and of the first night, and a copy of every
asteroid without its ephemeris, raised macro-F1 with the columns of BTSbot from 0.908 to 0.920, with
those of ALeRCE from 0.872 to 0.886 and without ephemeris from 0.905 to 0.919, and recall of
supernovae on their first night from 0.943 to 0.960. With all columns macro-F1 stayed at 0.945.
"""

SIMULATED_COPIES = 0.35
"""Copies of simulated alerts, relative to those of real ones; those with a low drb are not reduced.

An alert shares its weight with its copies, and most of the weight of simulated alerts should be on
complete ones: on sources that were left out this lowered the cross-entropy by 0.01."""

COPIED_CLASSES = {
    "unknown asteroid": ("sso",),
    "earlier detection": ("star", "agn", "transient"),
    "old stray detection": ("transient",),
    "asteroid nearby": ("star", "agn", "transient"),
    "first night": ("star", "agn", "transient"),
}
"""Kinds of copies that only some classes get. An asteroid has no earlier detection, because the
history of its alert belongs to other objects at that position."""

_SEED = 20180320  # the first light of the public ZTF survey


def degraded_copies(
    night: Night, y: np.ndarray, simulated: np.ndarray | None = None
) -> Iterator[tuple[str, np.ndarray, Night]]:
    """Make degraded copies of randomly chosen alerts; the same ones in every run.

    Parameters
    ----------
    night : Night
    y : array of str, shape (n_alerts,)
        The label of each alert.
    simulated : ndarray of bool, shape (n_alerts,), optional
        Simulated alerts, which get fewer copies; by default none.

    Yields
    ------
    name : str
        The kind of copy, one of `COPY_FRACTIONS`.
    rows : ndarray of int
        The positions in the night of the alerts that were copied.
    copies : Night

    Examples
    --------
    >>> names = [name for name, _, _ in degraded_copies(night, predictions["label"])]
    >>> names[:2]
    ['no drb', 'no history']
    """
    rng = np.random.default_rng(_SEED)
    fewer = 1.0 if simulated is None else np.where(simulated, SIMULATED_COPIES, 1.0)
    for name, fraction in COPY_FRACTIONS.items():
        drawn = rng.random(len(night)) < fraction * (1.0 if name == "low drb" else fewer)
        rows = np.flatnonzero(drawn & np.isin(y, COPIED_CLASSES.get(name, LABELS)))
        if name == "earlier detection":
            rows, copies = _at_random_earlier_detection(night, rows, rng)
        elif name == "first night":
            rows, copies = _on_first_night(night, rows)
        else:
            if name == "asteroid nearby":
                rows = rows[_seen_on_earlier_night(night)[rows]]
            copies = DEGRADATIONS[name](night.subset(rows), rng)
        if len(rows):
            yield name, rows, copies


# --- removing information ----------------------------------------------------------------


def _without_drb(night, rng):
    return without_fields(night, FIELD_GROUPS["drb"])


def _without_history(night, rng):
    return night.replace(history_days=0)


def _without_history_and_drb(night, rng):
    return _without_drb(_without_history(night, rng), rng)


def _with_packet_history(night, rng):
    return night.replace(history_days=PACKET_HISTORY)


def _without_gaia(night, rng):
    return without_fields(night, FIELD_GROUPS["Gaia"])


def _without_groups_and_history(night, rng):
    return without_random_groups(_without_history(night, rng), rng)


def _as_in_export(name):
    fields = fields_outside(name)
    return lambda night, rng: without_fields(night, fields)


def _unknown_asteroid(night, rng):
    """Remove the match with a known asteroid."""
    return without_fields(night, FIELD_GROUPS["ephemeris"])


def _with_asteroid_nearby(night, rng):
    """Put a known asteroid between 3 and 30 arcseconds from each alert, as in fields near the
    ecliptic.

    The positions of known asteroids are accurate to about an arcsecond, so it is not the source of
    the alert.
    """
    n = len(night)
    nearest, farthest = _ASTEROID_DISTANCE
    distance = np.sqrt(rng.uniform(nearest**2, farthest**2, n))
    faintest = night.alerts["magpsf"].to_numpy() + _FAINTER_ASTEROID
    mag = np.minimum(asteroid_mags(rng, n, faintest=22.0), faintest)
    return _with_columns(night, ssdistnr=np.floor(distance), ssmagnr=np.round(mag, 1))


_ASTEROID_DISTANCE = (3.0, 30.0)  # arcsec; packets name no asteroid farther away
_FAINTER_ASTEROID = 4.0  # mag


def _seen_on_earlier_night(night):
    first = night.alerts.get("jdstarthist", pd.Series(np.nan, night.alerts.index)).to_numpy(float)
    return night.alerts["jd"].to_numpy() - first > 0.5


def _low_drb(night, rng):
    """Give alerts the drb (or rb) of an artifact."""
    n = len(night)
    drb = night.alerts.get("drb", pd.Series(np.nan, night.alerts.index)).to_numpy(float)
    scores = {"drb": np.where(np.isnan(drb), np.nan, rng.uniform(0, BOGUS_DRB, n))}
    if "rb" in night.alerts:
        rb = night.alerts["rb"].to_numpy(float)
        scores["rb"] = np.where(np.isnan(drb), rng.uniform(0, BOGUS_RB, n), rb)
    return _with_columns(night, **scores)


DEGRADATIONS = {
    "no drb": _without_drb,
    "no history": _without_history,
    "no history and no drb": _without_history_and_drb,
    "30 days of history": _with_packet_history,
    "no Gaia": _without_gaia,
    "random fields missing": without_random_fields,
    "random groups missing": without_random_groups,
    "random groups and no history": _without_groups_and_history,
    "low drb": _low_drb,
    "unknown asteroid": _unknown_asteroid,
    "old stray detection": with_stray_detection,
    "asteroid nearby": _with_asteroid_nearby,
    **{f"as in {name}": _as_in_export(name) for name in EXPORTS},
}
"""Functions of a night and a random generator that degrade all alerts of the night."""


def _with_columns(night, **columns):
    return night.replace(alerts=night.alerts.assign(**columns))


# --- earlier detections ------------------------------------------------------------------


def earlier_detections(night: Night) -> tuple[np.ndarray, np.ndarray]:
    """Find the earlier detections of each alert that can replace it.

    Only positive detections in the band of the alert are used, so that the packet fields about
    the reference image and the neighbours remain valid.

    Parameters
    ----------
    night : Night

    Returns
    -------
    alert, row : ndarray of int64
        The position of the alert in the night, and of the detection in ``night.history``; sorted
        by alert, then time.

    Examples
    --------
    >>> alert, row = earlier_detections(night)
    >>> bool((night.history.jd[row] < night.alerts["jd"].to_numpy()[alert]).all())
    True
    """
    alert, row = _visible_rows(night)
    history = night.history
    fid, jd = (night.alerts[name].to_numpy()[alert] for name in ("fid", "jd"))
    usable = (
        np.isfinite(history.magpsf[row])
        & (history.isdiffpos[row] > 0)
        & (history.fid[row] == fid)
        & (history.jd[row] < jd - SAME_EXPOSURE)
        & measurements(history)[row]
    )
    return alert[usable], row[usable]


def _visible_rows(night):
    """Every history row that each alert sees, as pairs of positions."""
    count = night.last - night.first
    alert = np.repeat(np.arange(len(night)), count)
    within = np.arange(len(alert)) - np.repeat(np.cumsum(count) - count, count)
    return alert, np.repeat(night.first, count) + within


def at_earlier_detection(night: Night, alert: np.ndarray, row: np.ndarray) -> Night:
    """Move alerts back to an earlier detection of their object.

    Time, brightness, its error, the limiting magnitude, the numbers of past detections and
    exposures, and the history become those of the earlier detection. Neighbours, drb and shape
    remain those of the alert.

    Parameters
    ----------
    night : Night
    alert, row : ndarray of int64
        Pairs from `earlier_detections`.

    Returns
    -------
    Night
        One alert per pair.

    Examples
    --------
    >>> alert, row = earlier_detections(night)
    >>> earlier = at_earlier_detection(night, alert, row)
    >>> bool((earlier.alerts["jd"].to_numpy() == night.history.jd[row]).all())
    True
    """
    later, history = night.subset(alert), night.history
    then = {name: getattr(history, name)[row] for name in history._fields[:-1]}
    now = later.alerts
    fainter = then["magpsf"] - now["magpsf"].to_numpy()
    limit = then["diffmaglim"]
    limit_now = now.get("diffmaglim", pd.Series(np.nan, now.index)).to_numpy()
    n_detections, n_exposures = _count_since(later, then["jd"])
    changed = {name: then[name] for name in ("jd", "magpsf", "sigmapsf", "isdiffpos")}
    derived = {
        "diffmaglim": lambda old: np.where(np.isnan(limit), old, limit),
        "magap": lambda old: old + fainter,
        "magapbig": lambda old: old + fainter,
        "magfromlim": lambda old: old - fainter + np.nan_to_num(limit - limit_now),
        "scorr": lambda old: old * now["sigmapsf"] / then["sigmapsf"],
        "jdstarthist": lambda old: np.minimum(old, then["jd"]),
        "ndethist": lambda old: np.maximum(old - n_detections - 1, 1),
        "ncovhist": lambda old: np.maximum(old - n_exposures - 1, 1),
    }
    changed |= {name: change(now[name]) for name, change in derived.items() if name in now}
    return later.replace(alerts=now.assign(**changed))


def _count_since(night, jd):
    """The numbers of detections and of exposures between each epoch and the alert."""
    alert, row = _visible_rows(night)
    after = (night.history.jd[row] > jd[alert] + SAME_EXPOSURE) & measurements(night.history)[row]
    detected = after & np.isfinite(night.history.magpsf[row])
    n_alerts = len(jd)
    return (
        np.bincount(alert[detected], minlength=n_alerts),
        np.bincount(alert[after], minlength=n_alerts),
    )


def _at_random_earlier_detection(night, rows, rng):
    """Move alerts back to a random earlier detection; early ones are more likely."""
    alert, row = earlier_detections(night)
    rows, start, count = _runs(alert, rows)
    chosen = start + (count * rng.random(len(rows)) ** 2).astype(int)
    return rows, at_earlier_detection(night, rows, row[chosen])


def _on_first_night(night, rows):
    """Move alerts back to the last detection of the first night of their history."""
    alert, row = earlier_detections(night)
    seen, seen_row = _visible_rows(night)
    detected = np.isfinite(night.history.magpsf[seen_row])
    first = np.full(len(night), np.inf)
    np.minimum.at(first, seen[detected], night.history.jd[seen_row[detected]])
    on_first = night.history.jd[row] < first[alert] + 0.5
    alert, row = alert[on_first], row[on_first]
    rows, start, count = _runs(alert, rows)
    return rows, at_earlier_detection(night, rows, row[start + count - 1])


def _runs(alert, rows):
    """The rows that are in a sorted array, and the start and length of their runs there."""
    start = np.searchsorted(alert, rows)
    count = np.searchsorted(alert, rows, side="right") - start
    return rows[count > 0], start[count > 0], count[count > 0]
