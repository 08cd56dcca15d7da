"""Add one old stray detection to light curves.

Years before a transient, a bad subtraction or a passing asteroid may be detected at its position.
The position then has an old first detection, and all-time features no longer describe the event.
"""

import numpy as np

from ztfml.lightcurves.history import History
from ztfml.night import Night

AGE = (40.0, 1500.0)
"""Days between the stray detection and the first real one."""

_EARLIEST = 2458040.5  # JD of the first detections of the survey


def with_stray_detection(night: Night, rng: np.random.Generator) -> Night:
    """Add to each object one detection that is much older than all others.

    It has either sign, is up to 1.5 mag brighter than the limit, and has the large error of a bad
    subtraction. ``jdstarthist`` and ``ndethist`` of the alerts follow. Objects without history get
    only these two fields, as in a packet, which has the history of 30 days.

    Parameters
    ----------
    night : Night
    rng : numpy.random.Generator

    Returns
    -------
    Night

    Examples
    --------
    >>> stray = with_stray_detection(night, np.random.default_rng(1))
    >>> bool((stray.alerts["jdstarthist"] < night.alerts["jdstarthist"]).all())
    True
    """
    alerts = night.alerts
    code, n_objects = _object_numbers(night)
    jd = alerts["jd"].to_numpy()
    first = np.full(n_objects, np.inf)
    np.minimum.at(first, code, jd)
    if "jdstarthist" in alerts:
        np.fmin.at(first, code, alerts["jdstarthist"].to_numpy())
    np.minimum.at(first, *_history_detections(night))
    age = np.exp(rng.uniform(np.log(AGE[0]), np.log(AGE[1]), n_objects))
    stray_jd = np.maximum(first - age, np.minimum(_EARLIEST, first - AGE[0]))
    night = _insert(night, stray_jd[: len(night.object_ids)], rng)
    changed = {}
    if "jdstarthist" in alerts:
        changed["jdstarthist"] = stray_jd[code]
    if "ndethist" in alerts:
        changed["ndethist"] = alerts["ndethist"] + 1
    if "ncovhist" in alerts:
        changed["ncovhist"] = np.maximum(alerts["ncovhist"], changed.get("ndethist", 0))
    return night.replace(alerts=alerts.assign(**changed))


def _object_numbers(night):
    """A number for each alert's object: first those with history, in their order."""
    code = night.object_code.copy()
    without = code < 0
    names = night.alerts["objectId"].to_numpy(str)[without]
    unique, number = np.unique(names, return_inverse=True)
    code[without] = len(night.object_ids) + number
    return code, len(night.object_ids) + len(unique)


def _history_detections(night):
    """The object and the time of each detection in the history."""
    history = night.history
    count = np.diff(history.start)
    detected = np.isfinite(history.magpsf)
    return np.repeat(np.arange(len(count)), count)[detected], history.jd[detected]


def _insert(night, stray_jd, rng):
    """Add one row to the history of each object, in the order of time."""
    history, n = night.history, len(stray_jd)
    count = np.diff(history.start)
    limit = rng.normal(20.2, 0.5, n)
    stray = {
        "jd": stray_jd,
        "fid": rng.integers(1, 3, n),
        "magpsf": limit - rng.uniform(0.0, 1.5, n),
        "sigmapsf": rng.uniform(0.1, 0.21, n),
        "diffmaglim": limit,
        "isdiffpos": np.where(rng.random(n) < 0.5, 1, -1),
    }
    number = np.concatenate([np.repeat(np.arange(n), count), np.arange(n)])
    order = np.lexsort([np.concatenate([history.jd, stray_jd]), number])
    columns = {}
    for name in history._fields[:-1]:
        old = getattr(history, name)
        new = np.asarray(stray[name]).astype(old.dtype)
        columns[name] = np.concatenate([old, new])[order]
    start = history.start + np.arange(n + 1)
    return night.replace(history=History(**columns, start=start.astype(history.start.dtype)))
