"""`Night`: the alerts of a night and the light curves of their objects.

No look-ahead: results for an alert use only data taken up to that alert. `Night` enforces
this rule: an alert sees the history rows of its object with ``jd < alert.jd``, and itself.
"""

import logging
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ztfml import schema
from ztfml.errors import DataError
from ztfml.io.alert_table import alerts_to_arrow, make_alerts, with_prefixes
from ztfml.io.atomic import write_together
from ztfml.io.columns import read_columns, select_columns
from ztfml.io.companions import forced_beside, history_beside
from ztfml.io.frames import frame_to_table
from ztfml.io.nested import as_table, unnest
from ztfml.io.output_paths import refuse_source
from ztfml.io.parquet import WRITE_OPTIONS
from ztfml.io.similar import similar_object
from ztfml.io.switch import finish_switch, read_unchanged
from ztfml.lightcurves.exposures import in_exposures_of, one_per_exposure
from ztfml.lightcurves.forced import Forced, load_forced_beside, make_forced, write_forced
from ztfml.lightcurves.history import History, find_objects, visible_rows
from ztfml.lightcurves.history_table import history_to_arrow, make_history, report_coverage

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class Night:
    """The alerts of a night and their light curves.

    A night is immutable: `replace` and `subset` return new nights that share memory with the
    old one. Use `Night.load` to read files and `Night.from_frames` to convert tables; the
    constructor expects tables that are already clean.

    Parameters
    ----------
    alerts : pandas.DataFrame
        One row per alert, in the order of the file, with the columns of
        `schema.ALERT_COLUMNS` that the night has. The names have no ``candidate.`` prefix;
        missing values are NaN. Do not modify the table in place; use `replace`.
    history : History
        Detections and non-detections of all objects as arrays, sorted by object and time.
    object_ids : pyarrow.StringArray, shape (n_objects,)
        Object k has the history rows ``history.start[k]:history.start[k + 1]``.
    name : str
        Used in messages, e.g. the path of the file.
    history_days : float, default infinity, d
        Alerts do not see history rows or forced photometry older than this.
    forced : Forced, optional
        Forced photometry, also of exposures without a detection.

    Attributes
    ----------
    first, last : ndarray of int64, shape (n_alerts,)
        Alert k sees the history rows ``first[k]:last[k]``, and itself.
    object_code : ndarray of int64, shape (n_alerts,)
        Position of the object of each alert in `object_ids`, or -1 without history.

    Examples
    --------
    >>> len(night), night.alerts["jd"].dtype
    (300, dtype('float64'))
    >>> bool((night.last >= night.first).all())
    True
    """

    alerts: pd.DataFrame
    history: History
    object_ids: pa.StringArray
    name: str = "night"
    history_days: float = np.inf
    forced: Forced | None = None
    object_code: np.ndarray = field(init=False)
    first: np.ndarray = field(init=False)
    last: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        code = find_objects(self.alerts["objectId"], self.object_ids)
        first, last = self._visible(code, self.history)
        # A frozen dataclass sets its derived fields this way.
        for name, value in {"object_code": code, "first": first, "last": last}.items():
            object.__setattr__(self, name, value)

    def _visible(self, code, rows):
        jd = self.alerts["jd"].to_numpy()
        first, last = visible_rows(code, jd, rows.start, rows.jd)
        if np.isfinite(self.history_days):
            _, first = visible_rows(code, jd - self.history_days, rows.start, rows.jd)
        return first, last

    @cached_property
    def visible_forced(self) -> tuple[np.ndarray, np.ndarray]:
        """The forced photometry that each alert may see: that of its object before the alert.

        Two ndarray of int64, ``first`` and ``last``: alert k sees the rows ``first[k]:last[k]`` of
        ``forced``.
        """
        if self.forced is None:
            return np.zeros(len(self), np.int64), np.zeros(len(self), np.int64)
        code = find_objects(self.alerts["objectId"], self.forced.object_ids)
        return self._visible(code, self.forced)

    def __len__(self) -> int:
        return len(self.alerts)

    def __repr__(self) -> str:
        return f"<Night {self.name}: {len(self)} alerts, {len(self.history.jd)} history rows>"

    @classmethod
    def load(cls, path: str | Path, history: str | Path | None = None) -> "Night":
        """Read a night from a pair of parquet files.

        Parameters
        ----------
        path : str or Path
            The file of the alerts, ``NAME.parquet``.
        history : str or Path, optional
            The file of previous candidates; by default ``NAME_prv_candidates.parquet`` in the
            same folder. If this file does not exist, the alerts have no history and a warning
            is logged.

        Returns
        -------
        Night

        Raises
        ------
        DataError
            If a file is unreadable, a required column is absent or of the wrong type, the
            night is empty, or the history contains none of its objects.

        Examples
        --------
        >>> len(Night.load("night.parquet"))
        300
        """
        path = Path(path)
        return read_unchanged(path, lambda: cls._load_pair(path, history))

    @classmethod
    def _load_pair(cls, path, history):
        alerts = read_columns(path, schema.ALERT_INPUTS)
        history_path = Path(history) if history is not None else history_beside(path)
        if history is None and not history_path.is_file():
            log.warning("%s: %s not found; the alerts have no history", path, history_path.name)
            rows = None
        else:
            rows = read_columns(history_path, schema.HISTORY_COLUMNS)
        night = cls.from_columns(alerts, rows, str(path), str(history_path))
        forced = load_forced_beside(path)
        return night if forced is None else night.replace(forced=forced)

    @classmethod
    def load_alerts(cls, path: str | Path) -> "Night":
        """Read the alerts of a night without their history.

        This is faster than `Night.load` for work that needs no light curves.

        Parameters
        ----------
        path : str or Path
            As for `Night.load`.

        Returns
        -------
        Night

        Examples
        --------
        >>> Night.load_alerts("night.parquet")
        <Night night.parquet: 300 alerts, 0 history rows>
        """
        finish_switch(path)
        return cls.from_columns(read_columns(path, schema.ALERT_INPUTS), None, str(path), "")

    @classmethod
    def from_frames(
        cls, alerts: pd.DataFrame, history: pd.DataFrame | None = None, name: str = "night"
    ) -> "Night":
        """Make a night from two DataFrames.

        Parameters
        ----------
        alerts : pandas.DataFrame
            Columns as in the file (``objectId``, ``candid``, ``candidate.jd``, ...) or as in
            `Night.alerts` (``objectId``, ``candid``, ``jd``, ...). ``objectId`` and ``candid``
            may be in the index. Columns that ztfml does not use may contain anything.
        history : pandas.DataFrame, optional
            ``objectId`` as index or column, and ``jd``, ``fid``, ``magpsf``, ... as in the file
            and in `Night.history_frame`.
        name : str
            Used in messages.

        Returns
        -------
        Night

        Raises
        ------
        DataError
            As `Night.load`, and if two different columns have the same name.

        Examples
        --------
        >>> Night.from_frames(night.alerts, night.history_frame(), name="again")
        <Night again: 300 alerts, ...>
        """
        rows = None
        if history is not None:
            rows = frame_to_table(history, schema.HISTORY_COLUMNS, f"{name} (history)")
        return cls.from_tables(frame_to_table(alerts, schema.ALERT_INPUTS, name), rows, name)

    @classmethod
    def from_tables(
        cls, alerts: pa.Table, history: pa.Table | None = None, name: str = "night"
    ) -> "Night":
        """Make a night from two Arrow tables.

        Parameters
        ----------
        alerts, history : pyarrow.Table
            As for `Night.from_frames`; here ``objectId`` is a column.
        name : str
            Used in messages.

        Returns
        -------
        Night

        Examples
        --------
        >>> alerts = pa.Table.from_pandas(night.alerts)
        >>> Night.from_tables(alerts)
        <Night night: 300 alerts, 0 history rows>
        """
        history_name = f"{name} (history)"
        is_flat = not any(one.startswith("candidate.") for one in alerts.column_names)
        columns = select_columns(with_prefixes(alerts), schema.ALERT_INPUTS, name, is_flat)
        rows = None
        if history is not None:
            rows = select_columns(history, schema.HISTORY_COLUMNS, history_name)
        return cls.from_columns(columns, rows, name, history_name)

    @classmethod
    def from_nested(cls, table: pa.Table | pd.DataFrame, name: str = "night") -> "Night":
        """Make a night from a table with one object per row, as `ztfml export` writes it.

        Parameters
        ----------
        table : pyarrow.Table or pandas.DataFrame
            ``objectId``, and the nested columns ``alerts``, ``lc`` and ``forced``.
        name : str
            Used in messages.

        Returns
        -------
        Night

        Examples
        --------
        >>> from ztfml.store.nested import nested_objects
        >>> Night.from_nested(nested_objects(night))
        <Night night: 300 alerts, ...>
        """
        table = as_table(table)
        night = cls.from_tables(unnest(table, "alerts"), unnest(table, "lc"), name)
        return night.replace(forced=make_forced(unnest(table, "forced")))

    @classmethod
    def from_columns(
        cls, columns: dict[str, Any], rows: dict[str, Any] | None, name: str, history_name: str
    ) -> "Night":
        """Make a night from clean columns.

        Parameters
        ----------
        columns, rows : dict
            Columns of the alerts and of the history, returned by `ztfml.io.columns`.
        name, history_name : str
            Used in messages.

        Returns
        -------
        Night

        Examples
        --------
        >>> columns = read_columns("night.parquet", schema.ALERT_INPUTS)
        >>> Night.from_columns(columns, None, "night", "")
        <Night night: 300 alerts, 0 history rows>
        """
        alerts = make_alerts(columns, name)
        history, object_ids = make_history(rows, history_name)
        night = cls(alerts, history, object_ids, name)
        if len(history.jd) and (night.object_code < 0).all():
            raise DataError(
                f"{history_name}: column objectId contains none of the objects of {name}; "
                "use the history of the same night"
            )
        report_coverage(night, history_name)
        return night

    def replace(
        self,
        *,
        alerts: pd.DataFrame | None = None,
        history: History | None = None,
        history_days: float | None = None,
        forced: Forced | None = None,
    ) -> "Night":
        """Return a new night with some parts replaced; the others are shared, not copied.

        Parameters
        ----------
        alerts : pandas.DataFrame, optional
            In the layout of `Night.alerts`. The history rows that each alert sees are
            determined from its ``objectId`` and ``jd``.
        history : History, optional
            With the same objects in the same order.
        history_days : float, optional, d
            Hide history rows and forced photometry older than this; 0 hides all.
        forced : Forced, optional
            From `ztfml.lightcurves.forced.make_forced`.

        Returns
        -------
        Night

        Examples
        --------
        >>> night.replace(alerts=night.alerts.assign(drb=np.nan)).alerts["drb"].notna().sum()
        np.int64(0)
        >>> recent = night.replace(history_days=30)
        >>> bool((recent.first >= night.first).all())
        True
        """
        return Night(
            self.alerts if alerts is None else alerts,
            self.history if history is None else history,
            self.object_ids,
            self.name,
            self.history_days if history_days is None else history_days,
            self.forced if forced is None else forced,
        )

    def subset(self, rows: np.ndarray | pd.Series | list) -> "Night":
        """Select alerts, together with the history of their objects.

        Parameters
        ----------
        rows : array of bool (n_alerts,) or of int
            A mask over the alerts, or positions in the desired order.

        Returns
        -------
        Night

        Examples
        --------
        >>> bright = night.subset(night.alerts["magpsf"] < 18)
        >>> bool(bright.alerts["magpsf"].max() < 18)
        True
        """
        rows = np.asarray(rows)
        rows = rows if rows.size else rows.astype(np.int64)  # NumPy makes [] a float array
        alerts = self.alerts[rows] if rows.dtype == bool else self.alerts.iloc[rows]
        code = self.object_code[rows]
        keep = np.unique(code[code >= 0])
        history, object_ids = self.history.of_objects(keep), self.object_ids.take(pa.array(keep))
        alerts = alerts.reset_index(drop=True)
        forced = self.forced and self.forced.of_objects(alerts["objectId"])
        return Night(alerts, history, object_ids, self.name, self.history_days, forced)

    def light_curve(self, object_id: str, as_of: float | None = None) -> pd.DataFrame:
        """Return the light curve of one object, sorted by time, with one row per exposure.

        Parameters
        ----------
        object_id : str
            ZTF name, e.g. ``"ZTF18abukavn"``.
        as_of : float, optional
            A Julian date: only history rows before this date and the alert at this date, which
            is what an alert at this date sees. By default all rows.

        Returns
        -------
        pandas.DataFrame
            Columns ``jd``, ``fid``, ``band``, ``magpsf``, ``sigmapsf`` (NaN for
            non-detections), ``diffmaglim``, ``isdiffpos`` (+1, -1, 0 unknown) and ``is_alert``.

        Raises
        ------
        DataError
            If neither the alerts nor the history contain the object.

        Examples
        --------
        >>> curve = night.light_curve(object_id)
        >>> bool(curve["is_alert"].any())
        True
        """
        code = pc.index(self.object_ids, object_id).as_py()
        # Comparing names takes longer.
        is_object = self.object_code == code if code >= 0 else self.alerts["objectId"] == object_id
        rows = np.flatnonzero(is_object)
        if code < 0 and len(rows) == 0:
            absent = f"object {object_id!r} is neither in the alerts nor in the history"
            remedy = similar_object(object_id, self.alerts["objectId"]) or "check its name"
            raise DataError(f"{self.name}: {absent}; {remedy}")
        first, last = self.history.start[code : code + 2] if code >= 0 else (0, 0)
        past = pd.DataFrame(self.history.rows(first, last)).assign(is_alert=False)
        # Rows of all columns take longer to copy.
        names = [name for name in past.columns if name in self.alerts]
        alerts = pd.DataFrame({name: self.alerts[name].iloc[rows] for name in names})
        alerts = alerts.reindex(columns=past.columns).assign(is_alert=True)
        if as_of is not None:
            past = past[past["jd"].between(as_of - self.history_days, as_of, inclusive="left")]
            alerts = alerts[alerts["jd"] == as_of]
        seen = alerts[alerts["magpsf"].notna()]
        past = past[~in_exposures_of(past["jd"], past["fid"], seen["jd"], seen["fid"])]
        past = one_per_exposure(past)
        curve = pd.concat([part for part in (past, alerts) if len(part)] or [past])
        curve = curve.sort_values(["jd", "fid", "magpsf"], ignore_index=True)
        curve.insert(2, "band", curve["fid"].map(schema.BAND_OF_FID))
        return curve

    def history_frame(self) -> pd.DataFrame:
        """Return the history as a DataFrame in the layout of the file.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``objectId``; columns ``jd``, ``fid``, ``magpsf``, ``sigmapsf``,
            ``diffmaglim`` and ``isdiffpos`` (``'t'``, ``'f'`` or missing).

        Examples
        --------
        >>> history = night.history_frame()
        >>> history.index.name, len(history) == len(night.history.jd)
        ('objectId', True)
        """
        return history_to_arrow(self.history, self.object_ids).to_pandas()

    def save(self, path: str | Path) -> None:
        """Write the night as a pair of parquet files, which `Night.load` can read.

        Parameters
        ----------
        path : str or Path
            The file of the alerts; the history is written to ``NAME_prv_candidates.parquet`` and
            forced photometry to ``NAME_fp_hists.parquet`` in the same folder.

        Raises
        ------
        DataError
            If the folder is not writable, or if it is the file from which the night was read,
            because only the columns that ztfml uses would remain.

        Examples
        --------
        >>> night.subset(range(10)).save("ten.parquet")
        >>> len(Night.load("ten.parquet"))
        10
        """
        refuse_source(path, self.name)
        files = (path, history_beside(path), forced_beside(path))
        with write_together(*files) as (alerts, history, forced):
            self.write_tables(alerts, history)
            write_forced(self.forced, forced)

    def write_tables(self, alerts_path: Path, history_path: Path) -> None:
        """Write the two tables of the night to new files.

        Use `save`, unless the files are switched together with others.

        Parameters
        ----------
        alerts_path, history_path : Path

        Examples
        --------
        >>> night.write_tables(Path("a.parquet"), Path("a_prv_candidates.parquet"))
        >>> len(Night.load("a.parquet"))
        300
        """
        history = history_to_arrow(self.history, self.object_ids)
        pq.write_table(history, history_path, **WRITE_OPTIONS)
        pq.write_table(alerts_to_arrow(self.alerts), alerts_path, **WRITE_OPTIONS)
