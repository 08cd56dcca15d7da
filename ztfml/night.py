"""A night of alerts with the light curves they came from.

`Night` enforces the one law of the package: an alert sees the history rows of its object
with ``jd < alert.jd``, and itself. Everything before it makes a Night, everything after it
reads one.
"""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ztfml import schema
from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.io.columns import read_columns, select_columns
from ztfml.lightcurves.history import History, order_rows, repeats_alert, visible_rows

log = logging.getLogger(__name__)

# What makes pandas read objectId as the index of a history file.
INDEXED_BY_OBJECT = {
    "pandas": json.dumps(
        {
            "index_columns": ["objectId"],
            "column_indexes": [],
            "columns": [
                {
                    "name": "objectId",
                    "field_name": "objectId",
                    "pandas_type": "unicode",
                    "numpy_type": "str",
                    "metadata": None,
                }
            ],
        }
    )
}


class Night:
    """Alerts of a night, and the history each of them may see.

    Make one with `Night.load` from files or `Night.from_frames` from tables.

    Attributes
    ----------
    alerts : pandas.DataFrame, one row an alert
        The columns of `schema.ALERT_COLUMNS` that the night has, named without
        ``candidate.``; missing is NaN. Row order is that of the file.
    history : History
        The detections and non-detections of all objects as arrays, sorted by object and jd.
    first, last : ndarray of int64, shape (n_alerts,)
        Alert k sees the rows ``first[k]:last[k]`` of the history, and itself.
    name : str
        How messages call the night: the file's path, or what `from_frames` was told.
    """

    def __init__(self, alerts, history, object_ids, name):
        self.alerts = alerts
        self.history = history
        self.name = name
        self._object_ids = object_ids
        code = _codes_of(alerts["objectId"], object_ids)
        self._object_code = code
        self.first, self.last = visible_rows(
            code, alerts["jd"].to_numpy(), history.start, history.jd
        )

    def __len__(self):
        return len(self.alerts)

    def __repr__(self):
        return f"<Night {self.name}: {len(self)} alerts, {len(self.history.jd)} history rows>"

    @classmethod
    def load(cls, path, history=None):
        """Read a night from its pair of parquet files.

        Parameters
        ----------
        path : str or Path
            The alerts' file, ``NAME.parquet``.
        history : str or Path, optional
            The file of previous candidates; by default ``NAME_prv_candidates.parquet``
            beside the alerts. Without it each alert is alone, which is logged.

        Returns
        -------
        Night

        Raises
        ------
        DataError
            If a file is unreadable, a required column absent or of the wrong type, the
            night empty, or the history that of other objects.

        Examples
        --------
        >>> night = Night.load("ztf_alerts_2460474.5.parquet")   # doctest: +SKIP
        """
        path = Path(path)
        alerts = read_columns(path, schema.ALERT_COLUMNS)
        history_path = Path(history) if history is not None else history_beside(path)
        if history is None and not history_path.is_file():
            log.warning(
                "%s: no %s beside it; working from the alerts alone", path, history_path.name
            )
            rows = None
        else:
            rows = read_columns(history_path, schema.HISTORY_COLUMNS)
        return cls._from_tables(alerts, rows, str(path), str(history_path))

    @classmethod
    def load_alerts(cls, path):
        """Read the alerts of a night alone, where their history is of no concern.

        Parameters
        ----------
        path : str or Path
            The alerts' file, ``NAME.parquet``.

        Returns
        -------
        Night

        Raises
        ------
        DataError
            As `Night.load`.

        Examples
        --------
        >>> night = Night.load_alerts("ztf_alerts_2460474.5.parquet")   # doctest: +SKIP
        """
        return cls._from_tables(read_columns(path, schema.ALERT_COLUMNS), None, str(path), "")

    @classmethod
    def from_frames(cls, alerts, history=None, name="night"):
        """Make a night from two DataFrames in the layout of the parquet pair.

        Parameters
        ----------
        alerts : pandas.DataFrame
            Columns as in the file: ``objectId``, ``candid``, ``candidate.jd``, ...
        history : pandas.DataFrame, optional
            ``objectId`` as index or column, ``jd``, ``fid``, ``magpsf``, ...
        name : str
            How messages call the night.

        Returns
        -------
        Night

        Raises
        ------
        DataError
            As `Night.load`.

        Examples
        --------
        >>> night = Night.from_frames(alerts, history)   # doctest: +SKIP
        """
        history_name = f"{name} (history)"
        alerts = select_columns(alerts, schema.ALERT_COLUMNS, name)
        if history is not None:
            if history.index.name == "objectId":
                history = history.reset_index()
            history = select_columns(history, schema.HISTORY_COLUMNS, history_name)
        return cls._from_tables(alerts, history, name, history_name)

    @classmethod
    def _from_tables(cls, alerts, rows, name, history_name):
        alerts = _clean_alerts(alerts, name)
        history, object_ids = _clean_history(rows, history_name)
        night = cls(alerts, history, object_ids, name)
        if len(history.jd) and (night._object_code < 0).all():
            raise DataError(
                f"{history_name}: column objectId holds none of the objects of {name}; "
                "name the history of the same night"
            )
        return night

    def subset(self, rows):
        """Keep some alerts, and the history of their objects.

        Parameters
        ----------
        rows : array of bool (n_alerts,) or of int
            A mask over the alerts, or their positions in the wanted order.

        Returns
        -------
        Night

        Examples
        --------
        >>> bright = night.subset(night.alerts["magpsf"] < 18)   # doctest: +SKIP
        """
        rows = np.asarray(rows)
        rows = rows if rows.size else rows.astype(np.int64)  # [] is of floats
        alerts = self.alerts[rows] if rows.dtype == bool else self.alerts.iloc[rows]
        code = self._object_code[rows]
        keep = np.unique(code[code >= 0])
        start = self.history.start
        count = start[keep + 1] - start[keep]
        offset = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        take = np.repeat(start[keep] - offset[:-1], count) + np.arange(offset[-1])
        history = History(*(column[take] for column in self.history[:-1]), start=offset)
        return Night(
            alerts.reset_index(drop=True), history, self._object_ids.take(pa.array(keep)), self.name
        )

    def with_alerts(self, alerts):
        """Keep the history, and let other alerts see what they may of it.

        Parameters
        ----------
        alerts : pandas.DataFrame
            In the layout of ``Night.alerts``.

        Returns
        -------
        Night

        Examples
        --------
        >>> a_week_before = night.with_alerts(   # doctest: +SKIP
        ...     night.alerts.assign(jd=night.alerts["jd"] - 7)
        ... )
        """
        return Night(alerts, self.history, self._object_ids, self.name)

    def without_history(self):
        """Keep all alerts as if each were known by its packet alone.

        Returns
        -------
        Night

        Examples
        --------
        >>> features.compute(night.without_history())   # doctest: +SKIP
        """
        return Night(self.alerts, History.empty(), pa.array([], pa.string()), self.name)

    def light_curve(self, object_id, as_of=None):
        """One object's light curve as a table, sorted by time.

        Parameters
        ----------
        object_id : str
        as_of : float, optional
            A Julian date: what an alert of that epoch sees is given, history rows before it
            and the alert itself. By default everything.

        Returns
        -------
        pandas.DataFrame
            Columns ``jd``, ``fid``, ``band``, ``magpsf``, ``sigmapsf`` (NaN where not
            detected), ``diffmaglim``, ``isdiffpos`` (+1, -1, 0 unknown) and ``is_alert``.

        Raises
        ------
        DataError
            If neither alerts nor history know the object.

        Examples
        --------
        >>> night.light_curve("ZTF18abukavn", as_of=2458373.7)   # doctest: +SKIP
        """
        code = _codes_of(pd.Series([object_id], dtype="str"), self._object_ids)[0]
        own = self.alerts[self.alerts["objectId"] == object_id]
        if code < 0 and own.empty:
            raise DataError(
                f"{self.name}: no object {object_id!r} among the alerts and the history; "
                "check the name, or name the night that has it"
            )
        first, last = self.history.start[code : code + 2] if code >= 0 else (0, 0)
        past = pd.DataFrame(self.history.rows(first, last)).assign(is_alert=False)
        now = own.reindex(columns=past.columns).assign(is_alert=True)
        if as_of is not None:
            past = past[past["jd"] < as_of]
            now = now[now["jd"] == as_of]
        past = past[~_repeats(past, now)]
        curve = pd.concat([part for part in (past, now) if len(part)] or [past])
        curve = curve.sort_values(["jd", "fid", "magpsf"], ignore_index=True)
        curve.insert(2, "band", curve["fid"].map(schema.BAND_OF_FID))
        return curve

    def save(self, path):
        """Write the night as a pair of parquet files in the layout it is read from.

        Parameters
        ----------
        path : str or Path
            The alerts' file; the history goes to ``NAME_prv_candidates.parquet`` beside it.

        Raises
        ------
        DataError
            If the folder cannot be written to.

        Examples
        --------
        >>> night.save("night.parquet")   # doctest: +SKIP
        """
        columns = {
            schema.ALERT_BY_NAME[name].in_file: _for_file(self.alerts[name]) for name in self.alerts
        }
        with write_beside(history_beside(path)) as part:
            pq.write_table(self._history_table(), part, compression="zstd")
        with write_beside(path) as part:
            pq.write_table(pa.table(columns), part, compression="zstd")

    def _history_table(self):
        history = self.history
        code = np.repeat(np.arange(len(history.start) - 1, dtype=np.int32), np.diff(history.start))
        object_id = pa.DictionaryArray.from_arrays(pa.array(code), self._object_ids)
        return pa.table(
            {
                "objectId": object_id,
                "jd": history.jd,
                "fid": history.fid,
                "magpsf": pa.array(history.magpsf, from_pandas=True),
                "sigmapsf": pa.array(history.sigmapsf, from_pandas=True),
                "diffmaglim": pa.array(history.diffmaglim, from_pandas=True),
                "isdiffpos": _spelt(history.isdiffpos),
            }
        ).replace_schema_metadata(INDEXED_BY_OBJECT)


def _repeats(past, alerts):
    """Which history rows are one of the alerts, shipped again."""
    alerts = list(alerts.itertuples())
    repeats = [
        any(
            repeats_alert(row.jd, row.fid, row.magpsf, alert.jd, alert.fid, alert.magpsf)
            for alert in alerts
        )
        for row in past.itertuples()
    ]
    return np.array(repeats, bool)


def history_beside(path):
    """The history file that belongs to an alerts file: ``NAME_prv_candidates.parquet``.

    >>> history_beside("nights/a.parquet").name
    'a_prv_candidates.parquet'
    """
    path = Path(path)
    return path.with_name(path.stem + schema.HISTORY_SUFFIX + path.suffix)


def labels_beside(path):
    """The label file that belongs to an alerts file: ``NAME_labels.csv``.

    >>> labels_beside("nights/a.parquet").name
    'a_labels.csv'
    """
    path = Path(path)
    return path.with_name(path.stem + schema.LABELS_SUFFIX + ".csv")


# --- clean tables ----------------------------------------------------------------------


def _clean_alerts(values, name):
    if len(values["candid"]) == 0:
        raise DataError(f"{name}: the night is empty; name a file with at least one alert")
    alerts = pd.DataFrame(values, copy=False)
    repeated = alerts["candid"].duplicated()
    if repeated.any():
        log.warning(
            "%s: %d alerts stand there twice (same candid); the first counts", name, repeated.sum()
        )
        alerts = alerts[~repeated].reset_index(drop=True)
    _tell_stand_ins(alerts, name)
    return alerts


def _tell_stand_ins(alerts, name):
    absent = [
        column.name
        for column in schema.ALERT_COLUMNS
        if column.name not in alerts and column.prefix == "candidate."
    ]
    no_drb = "drb" not in alerts or alerts["drb"].isna().all()
    if no_drb and "rb" in alerts:
        log.warning("%s: no candidate.drb, rb stands in", name)
        absent = [field for field in absent if field != "drb"]
    if absent:
        log.warning(
            "%s: no %s; features that need them are NaN",
            name,
            _some([f"candidate.{field}" for field in absent]),
        )


def _some(names, most=6):
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


# What all rows hold of a column that a history lacks.
_WITHOUT = {"diffmaglim": np.nan, "isdiffpos": np.int8(0)}


def _clean_history(values, name):
    if values is None:
        return History.empty(), pa.array([], pa.string())
    object_code, object_ids = values["objectId"]
    n = len(object_code)
    rows = {
        field: values[field] if field in values else np.full(n, _WITHOUT[field])
        for field in History._fields[:-1]
    }
    # The smallest is NaN if any is, and no memory is asked for to know.
    if n and np.isnan(rows["jd"].min()):
        timed = ~np.isnan(rows["jd"])
        log.warning("%s: %d rows without a usable jd are left out", name, n - timed.sum())
        rows = {field: column[timed] for field, column in rows.items()}
        object_code = object_code[timed]
    return order_rows(object_code, len(object_ids), rows), object_ids


def _codes_of(object_ids, dictionary):
    if len(dictionary) == 0:
        return np.full(len(object_ids), -1, np.int64)
    wanted = pa.array(object_ids, pa.string(), from_pandas=True)
    found = pc.index_in(wanted, value_set=dictionary)
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def _for_file(series):
    if series.name == "isdiffpos":
        return _spelt(series.to_numpy())
    return pa.array(series, from_pandas=True)


def _spelt(sign):
    """Signs as packets spell them: 't', 'f', or null where unknown."""
    positive = pa.array(np.where(sign > 0, 1, 0), mask=sign == 0)
    return pc.take(pa.array(["f", "t"]), positive)
