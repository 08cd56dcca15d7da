"""Convert the history of a night from and to tables of files, and report what it covers."""

import logging
from typing import Any

import numpy as np
import pyarrow as pa

from ztfml import schema
from ztfml.io.alert_table import spell_signs
from ztfml.io.detections import drop_limits_given_as_magnitudes
from ztfml.io.values import utc_date
from ztfml.lightcurves.history import History, order_rows

log = logging.getLogger(__name__)

# Values of optional columns that a history does not have.
_MISSING = {"diffmaglim": np.nan, "isdiffpos": np.int8(0)}

_EFFECT_OF_ABSENCE = {
    "diffmaglim": "features that need limits are NaN",
    "isdiffpos": "earlier detections count as brighter than the reference image",
}

# A history of fewer objects is probably not that of the night.
_FEW_OBJECTS = 0.1


def make_history(columns: dict[str, Any] | None, name: str) -> tuple[History, pa.Array]:
    """Make a history from the clean columns of a table.

    Parameters
    ----------
    columns : dict or None
        Returned by `ztfml.io.columns.read_columns`; None without a history.
    name : str
        Used in messages.

    Returns
    -------
    history : History
    object_ids : pyarrow.StringArray
        The name of each object.

    Examples
    --------
    >>> history, object_ids = make_history(None, "night")
    >>> len(history.jd), len(object_ids)
    (0, 0)
    """
    if columns is None:
        return History.empty(), pa.array([], pa.string())
    object_code, object_ids = columns["objectId"]
    n = len(object_code)
    rows = {
        field: columns[field] if field in columns else np.full(n, _MISSING[field])
        for field in History._fields[:-1]
    }
    drop_limits_given_as_magnitudes(rows, name, is_history=True)
    _warn_of_absent_columns(columns, rows, name)
    # The minimum is NaN if any value is NaN; this check needs no temporary array.
    if n and np.isnan(rows["jd"].min()):
        timed = ~np.isnan(rows["jd"])
        log.warning("%s: %d rows without a valid jd are ignored", name, n - timed.sum())
        rows = {field: column[timed] for field, column in rows.items()}
        object_code = object_code[timed]
    return order_rows(object_code, len(object_ids), rows), object_ids


def _warn_of_absent_columns(columns, rows, name):
    """Report columns that are absent, or isdiffpos without a value for any detection."""
    for field, effect in _EFFECT_OF_ABSENCE.items():
        if field not in columns:
            log.warning("%s: there is no %s; %s", name, field, effect)
        elif field == "isdiffpos" and not rows[field].any() and np.isfinite(rows["magpsf"]).any():
            log.warning("%s: the column %s has no values; %s", name, field, effect)


def history_to_arrow(history: History, object_ids: pa.Array) -> pa.Table:
    """Convert a history to the layout of a file.

    Parameters
    ----------
    history : History
    object_ids : pyarrow.StringArray
        The name of each object.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> history_to_arrow(night.history, night.object_ids).column_names[:3]
    ['objectId', 'jd', 'fid']
    """
    code = np.repeat(np.arange(len(history.start) - 1, dtype=np.int32), np.diff(history.start))
    return pa.table(
        {
            "objectId": pa.DictionaryArray.from_arrays(pa.array(code), object_ids),
            "jd": history.jd,
            "fid": pa.array(history.fid, mask=history.fid == 0),
            "magpsf": pa.array(history.magpsf, from_pandas=True),
            "sigmapsf": pa.array(history.sigmapsf, from_pandas=True),
            "diffmaglim": pa.array(history.diffmaglim, from_pandas=True),
            "isdiffpos": spell_signs(history.isdiffpos),
        }
    ).replace_schema_metadata(schema.INDEXED_BY_OBJECT)


def report_coverage(night: Any, name: str) -> None:
    """Log how many objects of a night have a history, and from when to when.

    A warning is logged if they are few, or if all rows are later than the alerts.

    Parameters
    ----------
    night : Night
    name : str
        Name of the history in messages.

    Examples
    --------
    >>> report_coverage(night, "night_prv_candidates.parquet")
    """
    history, code = night.history, night.object_code
    if len(history.jd) == 0:
        return
    is_covered = np.zeros(len(history.start) - 1, bool)
    is_covered[code[code >= 0]] = True
    n_covered = int(is_covered.sum())
    # Only the objects without history are counted by name, which is slower.
    n_objects = n_covered + night.alerts["objectId"][code < 0].nunique()
    has_rows = np.diff(history.start) > 0
    begin = utc_date(history.jd[history.start[:-1][has_rows]].min())
    end = utc_date(history.jd[history.start[1:][has_rows] - 1].max())
    covered = f"{name}: history for {n_covered} of {n_objects} objects, from {begin} to {end}"
    if not (night.last > night.first).any():
        log.warning("%s; no row is before the alert of its object, so no alert has a past", covered)
    elif n_covered < _FEW_OBJECTS * n_objects:
        log.warning("%s; these are few: use the history of the same night", covered)
    else:
        log.info("%s", covered)
