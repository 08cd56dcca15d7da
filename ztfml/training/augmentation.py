"""An alert as it would look to others: without what their era or broker lacks, or at an
earlier detection.

Such copies stand beside the alerts of a training set, so that a model leans on no single field
and has met every class when it was young.
"""

import numpy as np
import pandas as pd

from ztfml.lightcurves.history import SAME_EPOCH
from ztfml.schema import PACKET_HISTORY
from ztfml.taxonomy import LABELS

__all__ = ["VARIANTS", "copies", "earlier_detections", "seen_at"]

BOGUS_DRB, BOGUS_RB = 0.1, 0.15
"""Below, an alert is bogus whatever stands at its place: drb, and rb where there is none."""

RATES = {
    "no drb": 0.25,
    "no history": 0.25,
    "no history, no drb": 0.15,
    "30 days": 0.2,
    "no Gaia": 0.1,
    "bogus": 0.05,
    "not in the ephemerides": 0.3,
    "earlier": 0.5,
}
"""Which fraction of the alerts stands there again, and how."""

ONLY = {"not in the ephemerides": ("sso",), "earlier": ("star", "agn", "transient")}
"""Copies that only some classes have. The history is of what stands at a place: an asteroid passes
over other things, and was not there before."""

_SEED = 20180320  # The copies are the same in every run: the first light of ZTF's public survey.


def copies(night, y):
    """Yield copies of some alerts at the rates `RATES`, the same ones in every run.

    Parameters
    ----------
    night : Night
    y : array of str, shape (n_alerts,)
        The label of each alert.

    Yields
    ------
    name : str
    alert : ndarray of int
        The position in the night of each alert that is copied.
    copied : Night

    Examples
    --------
    >>> [name for name, _, _ in copies(night, y)]   # doctest: +SKIP
    ['no drb', 'no history', ...]
    """
    rng = np.random.default_rng(_SEED)
    for name, rate in RATES.items():
        drawn = rng.random(len(night)) < rate
        some = np.flatnonzero(drawn & np.isin(y, ONLY.get(name, LABELS)))
        if name == "earlier":
            some, copied = _earlier(night, some, rng)
        else:
            copied = VARIANTS[name](night.subset(some), rng)
        if len(some):
            yield name, some, copied


# --- what alerts lack --------------------------------------------------------------------


def _no_drb(night, rng):
    return _changed(night, drb=np.nan)


def _no_history(night, rng):
    return night.replace(history_days=0)


def _no_history_no_drb(night, rng):
    return _no_drb(_no_history(night, rng), rng)


def _30_days(night, rng):
    return night.replace(history_days=PACKET_HISTORY)


def _no_gaia(night, rng):
    fields = ("neargaia", "maggaia", "neargaiabright", "maggaiabright")
    return _changed(night, **dict.fromkeys(fields, np.nan))


def _not_in_the_ephemerides(night, rng):
    """An asteroid that nobody knows yet."""
    return _changed(night, ssdistnr=np.nan, ssmagnr=np.nan)


def _bogus(night, rng):
    """The scores of a bogus alert, whatever else it looks like."""
    n = len(night)
    drb = night.alerts.get("drb", pd.Series(np.nan, night.alerts.index)).to_numpy(float)
    scores = {"drb": np.where(np.isnan(drb), np.nan, rng.uniform(0, BOGUS_DRB, n))}
    if "rb" in night.alerts:
        rb = night.alerts["rb"].to_numpy(float)
        scores["rb"] = np.where(np.isnan(drb), rng.uniform(0, BOGUS_RB, n), rb)
    return _changed(night, **scores)


VARIANTS = {
    "no drb": _no_drb,
    "no history": _no_history,
    "no history, no drb": _no_history_no_drb,
    "30 days": _30_days,
    "no Gaia": _no_gaia,
    "bogus": _bogus,
    "not in the ephemerides": _not_in_the_ephemerides,
}
"""What is done to all alerts of a night, by name."""


def _changed(night, **columns):
    return night.replace(alerts=night.alerts.assign(**columns))


# --- at an earlier detection -------------------------------------------------------------


def earlier_detections(night):
    """Find the earlier detections at which alerts could have been seen.

    They are positive ones of the alert's own band, so that what the packet says of the
    reference image and of the neighbours holds for them, too.

    Parameters
    ----------
    night : Night

    Returns
    -------
    alert, row : ndarray of int64
        Position of the alert in the night, and of the detection in ``night.history``; sorted
        by alert, then time.

    Examples
    --------
    >>> alert, row = earlier_detections(night)   # doctest: +SKIP
    """
    alert, row = _visible(night)
    history = night.history
    fid, jd = (night.alerts[name].to_numpy()[alert] for name in ("fid", "jd"))
    good = (
        np.isfinite(history.magpsf[row])
        & (history.isdiffpos[row] > 0)
        & (history.fid[row] == fid)
        & (history.jd[row] < jd - SAME_EPOCH)
    )
    return alert[good], row[good]


def _visible(night):
    """Every history row that each alert sees, as pairs of positions."""
    count = night.last - night.first
    alert = np.repeat(np.arange(len(night)), count)
    within = np.arange(len(alert)) - np.repeat(np.cumsum(count) - count, count)
    return alert, np.repeat(night.first, count) + within


def seen_at(night, alert, row):
    """Show alerts as they would have looked at an earlier detection.

    Time, brightness and its error, limit and the counts of the past are those of that
    detection, and so is the history; the neighbours, the scores and the shape are the alert's.

    Parameters
    ----------
    night : Night
    alert, row : ndarray of int64
        Some pairs of `earlier_detections`.

    Returns
    -------
    Night
        One alert a pair.

    Examples
    --------
    >>> alert, row = earlier_detections(night)   # doctest: +SKIP
    >>> first = np.unique(alert, return_index=True)[1]   # doctest: +SKIP
    >>> seen_at(night, alert[first], row[first])   # doctest: +SKIP
    """
    later, history = night.subset(alert), night.history
    then = {name: getattr(history, name)[row] for name in history._fields[:-1]}
    now = later.alerts
    fainter = then["magpsf"] - now["magpsf"].to_numpy()
    limit = then["diffmaglim"]
    was_limit = now.get("diffmaglim", pd.Series(np.nan, now.index)).to_numpy()
    since = _seen_since(later, then["jd"])
    changed = {name: then[name] for name in ("jd", "magpsf", "sigmapsf", "isdiffpos")}
    derived = {
        "diffmaglim": lambda old: np.where(np.isnan(limit), old, limit),
        "magap": lambda old: old + fainter,
        "magapbig": lambda old: old + fainter,
        "magfromlim": lambda old: old - fainter + np.nan_to_num(limit - was_limit),
        "scorr": lambda old: old * now["sigmapsf"] / then["sigmapsf"],
        "jdstarthist": lambda old: np.minimum(old, then["jd"]),
        "ndethist": lambda old: np.maximum(old - since[0] - 1, 1),
        "ncovhist": lambda old: np.maximum(old - since[1] - 1, 1),
    }
    changed |= {name: change(now[name]) for name, change in derived.items() if name in now}
    return later.replace(alerts=now.assign(**changed))


def _seen_since(night, jd):
    """How many detections, and how many exposures, lie between each epoch and the alert."""
    alert, row = _visible(night)
    after = night.history.jd[row] > jd[alert] + SAME_EPOCH
    detected = after & np.isfinite(night.history.magpsf[row])
    return np.bincount(alert[detected], minlength=len(jd)), np.bincount(
        alert[after], minlength=len(jd)
    )


def _earlier(night, some, rng):
    """Show some alerts at one of their earlier detections, the first ones preferred."""
    alert, row = earlier_detections(night)
    start = np.searchsorted(alert, some)
    count = np.searchsorted(alert, some, side="right") - start
    some, start, count = (values[count > 0] for values in (some, start, count))
    chosen = start + (count * rng.random(len(some)) ** 2).astype(int)
    return some, seen_at(night, some, row[chosen])
