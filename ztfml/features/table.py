"""The feature table of a night, computed in parallel threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ztfml.compiled import kernel, say_if_compiling
from ztfml.cpus import cpu_count
from ztfml.errors import DataError
from ztfml.features import forced
from ztfml.features.groups import BROKER, FEATURES, GROUPS, MATCHED, write_features
from ztfml.features.packet import packet_fields, packet_of
from ztfml.features.registry import Feature
from ztfml.io.progress import track
from ztfml.lightcurves.light_curve import light_curve_of, make_workspace
from ztfml.lightcurves.night_means import night_means_of
from ztfml.night import Night
from ztfml.schema import SPELLING_OF_SIGN

# A record with one field per feature of light curves, so that compiled functions write features by
# name; and the positions of these features in the table.
RECORD = np.dtype([field for group in GROUPS for field in group.fields])
RECORD_POSITIONS = np.flatnonzero([feature.column is None for feature in FEATURES])

# Number of alerts per task: small enough to keep all threads busy until the end.
_CHUNK = 2048
# Features of alert columns are fast, so a few tasks are enough.
_COLUMN_TASKS = 8
# Number of alerts per part of the table (40 MB). A night has several parts, so one is written to
# disk while the next is computed, and the last write is short.
_PART = 20480


def compute(night: Night, broker: bool = False) -> pd.DataFrame:
    """Compute the features of every alert, each from data taken up to that alert.

    Parameters
    ----------
    night : Night
    broker : bool, default False
        Whether to add the scores of the brokers (acai, braai).

    Returns
    -------
    pandas.DataFrame of float64
        One row per alert in the order and with the index of ``night.alerts``; columns in the
        order of `FEATURES`; missing values are NaN. Nights that were matched with a galaxy
        catalogue or a sky map, or have forced photometry, also have the features of that group.

    Examples
    --------
    >>> table = compute(night)
    >>> len(table) == len(night), "fade_rate_r" in table
    (True, True)
    """
    features = _features(night, broker)
    table = _empty_table(features, len(night))
    for rows, records in _parts(night):
        _compute(night, rows, features, records, table[:, rows])
    return _as_frame(table, features, night.alerts.index)


def compute_in_parts(night: Night, broker: bool = False) -> Iterator[pd.DataFrame]:
    """Compute the table of `compute` in parts, so that it is never in memory as a whole.

    Parameters
    ----------
    night, broker
        As for `compute`.

    Yields
    ------
    pandas.DataFrame
        The next tens of thousands of alerts, indexed like ``night.alerts``.

    Examples
    --------
    >>> sum(len(part) for part in compute_in_parts(night)) == len(night)
    True
    """
    features = _features(night, broker)
    for rows, records in _parts(night):
        table = _empty_table(features, len(records))
        _compute(night, rows, features, records, table)
        yield _as_frame(table, features, night.alerts.index[rows])


def of_light_curve(curve: pd.DataFrame, alert: dict[str, Any] | None = None) -> pd.Series:
    """Compute the features of one light curve; its last detection is the alert.

    Parameters
    ----------
    curve : pandas.DataFrame
        Columns ``jd``, ``fid``, ``magpsf``, ``sigmapsf``, ``diffmaglim``, ``isdiffpos`` (+1, -1,
        0), in any row order, as returned by `Night.light_curve`.
    alert : dict, optional
        Packet fields of the alert, without the prefix ``candidate.``, e.g. ``{"drb": 0.9}``.

    Returns
    -------
    pandas.Series
        One value per feature, NaN where a packet field is missing.

    Raises
    ------
    DataError
        If the light curve has no detection.

    Examples
    --------
    >>> values = of_light_curve(night.light_curve(object_id), {"drb": 0.9})
    >>> float(values["drb"])
    0.9
    """
    curve = curve.sort_values("jd", kind="stable").reset_index(drop=True)
    detected = curve.index[curve["magpsf"].notna()]
    if detected.empty:
        raise DataError(
            "the light curve has no detection, so there is no alert to compute features for; give "
            "at least one row with magpsf"
        )
    rows = curve.assign(isdiffpos=curve["isdiffpos"].map(SPELLING_OF_SIGN), objectId="this")
    packet = rows.loc[detected[-1]].to_dict() | (alert or {})
    row = {"objectId": "this", "candid": 0}
    row |= {f"candidate.{name}": value for name, value in packet.items() if name != "objectId"}
    night = Night.from_frames(pd.DataFrame([row]), rows.drop(index=detected[-1]))
    return compute(night).iloc[0]


def _features(night, broker):
    matched = tuple(one for group in MATCHED for one in group.features if _has_match(night, group))
    with_forced = tuple(forced.GROUP.features) if night.forced is not None else ()
    return FEATURES + (tuple(BROKER.features) if broker else ()) + matched + with_forced


def _has_match(night, group):
    """Whether the night has the columns that the first feature of a group reads."""
    return all(field.rpartition(".")[2] in night.alerts for field in group.features[0].reads)


def _empty_table(features, n_alerts):
    # One row per feature: pandas stores columns like this and writes them without a copy.
    return np.empty((len(features), n_alerts))


def _as_frame(table, features, index):
    return pd.DataFrame(table.T, columns=[one.name for one in features], index=index, copy=False)


def _parts(night: Night) -> Iterator[tuple[slice, np.ndarray]]:
    """Split a night into slices, each with memory for the records of its alerts."""
    # All parts share the memory, because the first use of new memory is slow.
    records = np.empty((min(len(night), _PART), len(RECORD_POSITIONS)))
    for begin in range(0, len(night), _PART):
        end = min(begin + _PART, len(night))
        yield slice(begin, end), records[: end - begin]


def _compute(night, rows, features, records, table):
    """Fill the table for a slice of the alerts."""
    alerts = night.alerts[rows]
    with ThreadPoolExecutor(cpu_count()) as threads, say_if_compiling(_fill_records):
        light_curves = [threads.submit(task) for task in _light_curve_tasks(night, rows, records)]
        others = [threads.submit(task) for task in _column_tasks(alerts, features, table)]
        if night.forced is not None:
            others.append(threads.submit(forced.fill, night, rows, features, table))
        for task in track(light_curves, "features"):
            task.result()
        others += [threads.submit(task) for task in _transpose_tasks(records, table)]
        for task in others:
            task.result()


def _column_tasks(
    alerts: pd.DataFrame, features: tuple[Feature, ...], table: np.ndarray
) -> Iterator[Callable[[], None]]:
    """Divide the features of alert columns among tasks."""
    columns = [k for k, feature in enumerate(features) if feature.column is not None]
    for k in range(_COLUMN_TASKS):
        yield partial(_fill_columns, alerts, features, columns[k::_COLUMN_TASKS], table)


def _fill_columns(alerts, features, positions, table):
    """Compute features that are functions of alert columns."""
    missing = np.full(len(alerts), np.nan)
    for k in positions:
        fields = [field.rpartition(".")[2] for field in features[k].reads]
        values = (alerts[f].to_numpy() if f in alerts else missing for f in fields)
        table[k] = features[k].column(*values)


def _light_curve_tasks(
    night: Night, rows: slice, records: np.ndarray
) -> Iterator[Callable[[], None]]:
    """Divide the features of light curves among tasks, by alerts."""
    first, last = night.first[rows], night.last[rows]
    alert_fields = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
    alerts = [night.alerts[field].to_numpy()[rows] for field in alert_fields]
    fields = packet_fields(night.alerts[rows])
    # Object by object, because successive alerts of one object share their rows in the cache.
    order = np.argsort(first, kind="stable")
    for chunk in _chunks(len(order)):
        yield partial(
            _fill_light_curves, night.history, order[chunk], first, last, alerts, fields, records
        )  # fmt: skip


def _chunks(n):
    return [slice(begin, begin + _CHUNK) for begin in range(0, n, _CHUNK)]


def _fill_light_curves(history, positions, first, last, alerts, fields, records):
    workspace = make_workspace((last[positions] - first[positions]).max())
    rows = records.view(RECORD)[:, 0]
    _fill_records(history, positions, first, last, *alerts, fields, workspace, records, rows)


@kernel
def _fill_records(
    history, positions, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, fields, workspace,
    records, rows,
):  # fmt: skip
    for k in positions:
        records[k] = np.nan
        if np.isnan(jd[k]):
            continue
        curve = light_curve_of(
            history, first[k], last[k], jd[k], fid[k], magpsf[k], sigmapsf[k], isdiffpos[k],
            workspace,
        )  # fmt: skip
        means = night_means_of(curve, workspace)
        write_features(curve, means, packet_of(fields, k), workspace, rows[k])


def _transpose_tasks(records: np.ndarray, table: np.ndarray) -> Iterator[Callable[[], None]]:
    """Divide the copying of records into the table among tasks."""
    for chunk in _chunks(len(records)):
        yield partial(_transpose, records[chunk], RECORD_POSITIONS, table[:, chunk])


@kernel
def _transpose(records, positions, table):
    """Copy records (one row per alert) to the table (one row per feature)."""
    # Eight values share a cache line.
    for start in range(0, len(records), 8):
        for feature in range(len(positions)):
            for k in range(start, min(start + 8, len(records))):
                table[positions[feature], k] = records[k, feature]
