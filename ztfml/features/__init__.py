"""Every feature of every alert of a night, in one pass.

`compute` gives the table for a night, `compute_in_parts` the same piecewise, `of_light_curve`
the same numbers for one light curve in a notebook. `registry.FEATURES` says what each is.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd

from ztfml.compiled import kernel, say_if_compiling
from ztfml.errors import DataError
from ztfml.features import (
    broker,
    colour,
    context,
    counts,
    packet,
    rates,
    registry,
    timing,
    variability,
)
from ztfml.io.progress import track
from ztfml.lightcurves.light_curve import light_curve_of, room_for
from ztfml.lightcurves.night_means import nights_of
from ztfml.night import Night

GROUPS = (packet.GROUP, counts.GROUP, timing.GROUP, rates.GROUP, colour.GROUP,
          variability.GROUP, context.GROUP)  # fmt: skip
BROKER = broker.GROUP

registry.FEATURES = tuple(feature for group in GROUPS for feature in group.features)
registry.check_unique((*registry.FEATURES, *BROKER.features))

# One alert's features of its light curve as a record, so that the compiled functions write them by
# name; and where these stand among all features.
_ROW = np.dtype([field for group in GROUPS for field in group.fields])
_OF_LIGHT_CURVE = np.flatnonzero([feature.column is None for feature in registry.FEATURES])

# Alerts a thread takes at a time: small enough to share the work evenly.
_CHUNK = 2048
# Most features of alert columns are done in no time: a few tasks for all of them.
_COLUMN_TASKS = 8
# Alerts of a part of the table, which takes 64 MB: a night has a few, so that one is written while
# the next one is computed, and little is left to write in the end.
_PART = 40960


def compute(night, broker=False):
    """Compute the features of every alert of a night, each as of its own epoch.

    Parameters
    ----------
    night : Night
    broker : bool, default False
        Whether to add the brokers' scores (acai, braai).

    Returns
    -------
    pandas.DataFrame of float64, one row an alert in the night's order
        Columns in the order of `registry.FEATURES`; missing is NaN.

    Examples
    --------
    >>> compute(Night.load("night.parquet"))["fade_rate_r"]   # doctest: +SKIP
    """
    features = _features(broker)
    table = _empty_table(features, len(night))
    for rows, records in _parts(night):
        _compute(night, rows, features, records, table[:, rows])
    return _as_frame(table, features, night.alerts.index)


def compute_in_parts(night, broker=False):
    """Compute the same table a part at a time, so that it is never in memory as a whole.

    Parameters
    ----------
    night, broker
        As for `compute`.

    Yields
    ------
    pandas.DataFrame
        Some tens of thousands of alerts, in the night's order, indexed like ``night.alerts``.

    Examples
    --------
    >>> for part in compute_in_parts(night):   # doctest: +SKIP
    ...     write(part)
    """
    features = _features(broker)
    for rows, records in _parts(night):
        table = _empty_table(features, len(records))
        _compute(night, rows, features, records, table)
        yield _as_frame(table, features, night.alerts.index[rows])


def of_light_curve(curve, alert=None):
    """Compute the features of one light curve whose last detection is the alert.

    Parameters
    ----------
    curve : pandas.DataFrame
        Columns ``jd``, ``fid``, ``magpsf``, ``sigmapsf``, ``diffmaglim``, ``isdiffpos`` (+1,
        -1, 0), as from `Night.light_curve`, in any order.
    alert : dict, optional
        Packet fields of the alert, named without ``candidate.``, e.g. ``{"drb": 0.9}``.

    Returns
    -------
    pandas.Series
        One number a feature; those that need packet fields not given are NaN.

    Raises
    ------
    DataError
        If the light curve has no detection.

    Examples
    --------
    >>> of_light_curve(night.light_curve("ZTF18abukavn"))["fade_rate_r"]   # doctest: +SKIP
    """
    curve = curve.sort_values("jd", kind="stable").reset_index(drop=True)
    detected = curve.index[curve["magpsf"].notna()]
    if detected.empty:
        raise DataError("the light curve has no detection; features are those of a detection")
    spelt = curve.assign(isdiffpos=curve["isdiffpos"].map({1: "t", -1: "f"}), objectId="this")
    own = spelt.loc[detected[-1]].to_dict() | (alert or {})
    row = {"objectId": "this", "candid": 0}
    row |= {f"candidate.{name}": value for name, value in own.items() if name != "objectId"}
    night = Night.from_frames(pd.DataFrame([row]), spelt.drop(index=detected[-1]))
    return compute(night).iloc[0]


def _features(broker):
    return registry.FEATURES + (tuple(BROKER.features) if broker else ())


def _empty_table(features, n_alerts):
    # A row a feature: pandas holds columns so, and nothing is copied from here to a file.
    return np.empty((len(features), n_alerts))


def _as_frame(table, features, index):
    return pd.DataFrame(table.T, columns=[one.name for one in features], index=index, copy=False)


def _parts(night):
    """The parts of a night as slices, each with room for the records of its alerts."""
    # The same memory for all parts, for memory takes time when it is used for the first time.
    records = np.empty((min(len(night), _PART), len(_OF_LIGHT_CURVE)))
    for begin in range(0, len(night), _PART):
        end = min(begin + _PART, len(night))
        yield slice(begin, end), records[: end - begin]


def _compute(night, rows, features, records, table):
    """Fill in the features of some alerts of a night, given as a slice."""
    alerts = night.alerts[rows]
    with ThreadPoolExecutor(os.cpu_count()) as threads, say_if_compiling(_fill_rows):
        filling = [threads.submit(task) for task in _light_curve_work(night, rows, records)]
        others = [threads.submit(task) for task in _column_work(alerts, features, table)]
        for task in track(filling, "features"):
            task.result()
        others += [threads.submit(task) for task in _turning_work(records, table)]
        for task in others:
            task.result()


def _column_work(alerts, features, table):
    """What is to be done for the features of alert columns, some of them at a time."""
    columns = [k for k, feature in enumerate(features) if feature.column is not None]
    for k in range(_COLUMN_TASKS):
        yield partial(_fill_columns, alerts, features, columns[k::_COLUMN_TASKS], table)


def _fill_columns(alerts, features, which, table):
    """Fill in features that are functions of alert columns."""
    missing = np.full(len(alerts), np.nan)
    for k in which:
        fields = [field.rpartition(".")[2] for field in features[k].reads]
        given = (alerts[f].to_numpy() if f in alerts else missing for f in fields)
        table[k] = features[k].column(*given)


def _light_curve_work(night, rows, records):
    """What is to be done for the features of light curves, some alerts at a time."""
    first, last = night.first[rows], night.last[rows]
    alert_fields = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
    alerts = [night.alerts[field].to_numpy()[rows] for field in alert_fields]
    # Object by object: a processor that has just done a light curve does one like it faster.
    order = np.argsort(first, kind="stable")
    for some in _chunks(len(order)):
        yield partial(
            _fill_light_curves, night.history, order[some], first, last, alerts, records
        )  # fmt: skip


def _chunks(n):
    return [slice(begin, begin + _CHUNK) for begin in range(0, n, _CHUNK)]


def _fill_light_curves(history, which, first, last, alerts, records):
    room = room_for((last[which] - first[which]).max())
    rows = records.view(_ROW)[:, 0]
    _fill_rows(history, which, first, last, *alerts, room, records, rows)


@kernel
def _fill_rows(
    history, which, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, room, records, rows
):  # fmt: skip
    for k in which:
        records[k] = np.nan
        if np.isnan(jd[k]):
            continue
        curve = light_curve_of(
            history, first[k], last[k], jd[k], fid[k], magpsf[k], sigmapsf[k], isdiffpos[k], room
        )
        nights = nights_of(curve, room)
        row = rows[k]
        counts.count(curve, row)
        timing.time(curve, row)
        rates.rate(curve, nights, room, row)
        colour.colour(curve, nights, room, row)
        variability.vary(curve, room, row)


def _turning_work(records, table):
    """What is to be done to bring records into the table, some alerts at a time."""
    for some in _chunks(len(records)):
        yield partial(_turn, records[some], _OF_LIGHT_CURVE, table[:, some])


@kernel
def _turn(records, where, table):
    """Copy what was written, an alert a row, to the table, a feature a row."""
    # Eight values share a line of the cache.
    for start in range(0, len(records), 8):
        for feature in range(len(where)):
            for k in range(start, min(start + 8, len(records))):
                table[where[feature], k] = records[k, feature]
