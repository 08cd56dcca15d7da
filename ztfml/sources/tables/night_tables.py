"""Alerts and history from the tables of a broker."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.errors import DataError
from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.lightcurves.forced import make_forced
from ztfml.lightcurves.forced_table import one_row_per_exposure
from ztfml.night import Night
from ztfml.schema import MAGNITUDES, SPELLING_OF_SIGN
from ztfml.sources.flux import find_zero_point, magnitudes_of_fluxes
from ztfml.sources.tables.names import HISTORY_NAMES, numbers, times, without_prefix

log = logging.getLogger(__name__)

_NO_CANDID = ("", "-1", "0", "-999", "nan", "none", "null", "<na>")
_NO_ROWS = pa.table({})


def _no_rows():
    return _NO_ROWS


@dataclass(frozen=True)
class NightTables:
    """Tables of a night before cleaning, with the column names of packets without prefix.

    Parameters
    ----------
    name : str
        Used in messages.
    alerts : pyarrow.Table
        One row per alert.
    history : pyarrow.Table
        Earlier detections and non-detections, with ``objectId``.
    rows : pyarrow.Table
        Rows of light curves: detections, of which some are alerts, and non-detections.
    forced : pyarrow.Table
        Forced photometry, with the columns of `FORCED_SCHEMA`.
    one_alert_per_object : bool
        Whether only the latest detection of each object in `rows` is an alert, even if all rows
        are detections of several nights.
    alerts_are_history : bool
        Whether earlier alerts of an object may be absent from `history`, and are added to it.

    Examples
    --------
    >>> row = {"objectId": "ZTF18abukavn", "fid": 1, "sigmapsf": 0.1, "isdiffpos": "t"}
    >>> rows = [row | {"candid": k, "jd": 2459000.5 + k, "magpsf": 18.5} for k in (1, 2)]
    >>> NightTables("lc", rows=pa.Table.from_pylist(rows), one_alert_per_object=True).to_night()
    <Night lc: 1 alerts, 1 history rows>
    """

    name: str
    alerts: pa.Table = field(default_factory=_no_rows)
    history: pa.Table = field(default_factory=_no_rows)
    rows: pa.Table = field(default_factory=_no_rows)
    forced: pa.Table = field(default_factory=FORCED_SCHEMA.empty_table)
    one_alert_per_object: bool = False
    alerts_are_history: bool = False

    def to_night(self) -> Night:
        """Return the night.

        Raises
        ------
        DataError
            If there are no alerts, or a required column is absent or invalid.
        """
        tables = self.resolve().complete()
        history = tables.history if len(tables.history) else None
        night = Night.from_tables(tables.alerts, history, self.name)
        return night.replace(forced=make_forced(tables.forced))

    def resolve(self) -> NightTables:
        """Convert fluxes to magnitudes, and divide light curves into alerts and history.

        Raises
        ------
        DataError
            If no row is an alert.
        """
        return self._with_magnitudes()._split_rows()

    def complete(self) -> NightTables:
        """Add earlier alerts and required columns to the history of resolved tables.

        Raises
        ------
        DataError
            If there are no alerts, or the history has detections without magnitudes.
        """
        if not len(self.alerts):
            raise DataError(f"{self.name}: contains no rows; use a file with at least one alert")
        earlier = _repeated(self.alerts) if self.alerts_are_history else _NO_ROWS
        history = stack([self.history, earlier])
        return replace(self, history=_complete(history, self.name) if len(history) else history)

    def _with_magnitudes(self) -> NightTables:
        tables = [self.alerts, self.history, self.rows]
        if not any("psfFluxErr" in table.column_names for table in tables[1:]):
            return self
        values = [
            np.concatenate([_numbers_or_nan(table, name) for table in tables])
            for name in ("psfFlux", "magpsf", "psfFluxErr")
        ]
        if not np.isfinite(values[2]).any():
            return self
        zero_point = find_zero_point(*values)
        if zero_point is None:
            log.warning(
                "%s: psfFlux is not converted to magnitudes, because its unit is unknown: neither "
                "magnitudes nor limits of ZTF fit it", self.name,
            )  # fmt: skip
            return self
        return replace(
            self,
            history=with_magnitudes(self.history, zero_point),
            rows=with_magnitudes(self.rows, zero_point),
        )

    def _split_rows(self) -> NightTables:
        if not len(self.rows):
            return self
        rows = self.rows
        if "tag" in rows.column_names:
            rows = _without_limits_as_magnitudes(rows)
        _require_candid(rows, self.name)
        is_alert = _is_alert(rows, self.name)
        if not is_alert.any() and not len(self.alerts):
            raise DataError(
                f"{self.name}: none of the {len(rows)} rows is a detection with a candid; export "
                "the detections of the alerts, too"
            )
        objects = rows["objectId"].cast(pa.string()).to_pandas()
        jd = times(rows["jd"], self.name)
        in_alerts = jd[is_alert]
        several_nights = len(in_alerts) > 0 and np.ptp(in_alerts) >= 1
        if not is_alert.all() or (self.one_alert_per_object and several_nights):
            is_alert = _latest(objects, jd, is_alert)
        log.info(
            "%s: %d alerts of %d objects; %d other rows are history",
            self.name, is_alert.sum(), objects.nunique(), (~is_alert).sum(),
        )  # fmt: skip
        alerts, others = rows.filter(pa.array(is_alert)), rows.filter(pa.array(~is_alert))
        if not len(others) and not len(self.history):
            log.warning(
                "%s: all %d rows are detections of one night, so they are alerts without history",
                self.name, len(alerts),
            )  # fmt: skip
        return replace(
            self,
            alerts=stack([self.alerts, alerts]),
            history=stack([self.history, without_prefix(others)]),
            rows=_NO_ROWS,
            alerts_are_history=True,
        )


def _require_candid(rows, name):
    for needed, what in (("objectId", "name of the object"), ("jd", "time"), ("magpsf", "")):
        if needed not in rows.column_names:
            raise DataError(
                f"{name}: a light-curve table without {needed}{f' ({what})' if what else ''}; add "
                "this column"
            )
    if "candid" not in rows.column_names:
        raise DataError(
            f"{name}: a light-curve table without candid, the 19-digit number of each alert; "
            "export the detections with it"
        )
    if pa.types.is_string(rows["candid"].type):
        text = rows["candid"].to_pandas()
        is_float = text.str.contains(r"\d[eE]\+?\d", na=False)
        if is_float.any():
            raise DataError(
                f"{name}: the column candid was written as a floating-point number in "
                f"{is_float.sum()} rows (for example {text[is_float].iloc[0]}), which is too short "
                "for 19 digits; export it as an integer or as text"
            )


def _is_alert(rows, name):
    magnitude = numbers(rows["magpsf"])
    is_alert = _has_candid(rows["candid"]) & np.isfinite(times(rows["jd"], name))
    is_alert &= (magnitude >= MAGNITUDES[0]) & (magnitude <= MAGNITUDES[1])
    if "tag" in rows.column_names:
        tag = rows["tag"].cast(pa.string()).to_pandas().str.lower()
        is_alert &= (tag.isna() | (tag == "valid")).to_numpy(bool)
    if "has_stamp" in rows.column_names:
        flag = rows["has_stamp"].cast(pa.string()).to_pandas().str.lower()
        has_stamp = flag.isin(["true", "t", "1", "1.0"]).to_numpy(bool)
        # Detections without stamps come from the history in a packet.
        if (is_alert & has_stamp).any():
            is_alert &= has_stamp
    return is_alert


def _has_candid(candid):
    if pa.types.is_integer(candid.type):
        # Null and the marks may not fit into the type.
        values = candid.to_pandas().astype("Float64").fillna(-1.0).to_numpy(np.float64)
        return ~np.isin(values, (-1, 0, -999))
    if pa.types.is_null(candid.type):
        return np.zeros(len(candid), bool)
    text = candid.cast(pa.string()).to_pandas().fillna("").str.strip().str.lower()
    return ~text.str.removesuffix(".0").isin(_NO_CANDID).to_numpy(bool)


def _latest(objects, jd, is_alert):
    """Return a mask of the latest alert of each object."""
    places = np.flatnonzero(is_alert)
    order = places[np.argsort(jd[places], kind="stable")]
    last = ~objects.iloc[order].duplicated(keep="last").to_numpy()
    mask = np.zeros(len(objects), bool)
    mask[order[last]] = True
    return mask


def _without_limits_as_magnitudes(rows):
    """Remove the magnitudes of rows that Fink marks as upper limits."""
    is_limit = pc.equal(pc.utf8_lower(rows["tag"].cast(pa.string())), "upperlim").fill_null(False)
    for name in ("magpsf", "sigmapsf"):
        if name in rows.column_names:
            null = pa.scalar(None, rows[name].type)
            rows = _set(rows, name, pc.if_else(is_limit, null, rows[name]))
    return rows


def _repeated(alerts):
    """Return the alerts of objects that have several alerts, as history rows."""
    if not len(alerts) or "objectId" not in alerts.column_names:
        return _NO_ROWS
    objects = alerts["objectId"].cast(pa.string()).to_pandas()
    repeated = objects.duplicated(keep=False).to_numpy()
    return without_prefix(alerts.filter(pa.array(repeated))) if repeated.any() else _NO_ROWS


def select_history(table: pa.Table, all_columns: bool = False) -> pa.Table:
    """Select the columns of a history, and fluxes from which magnitudes follow.

    Parameters
    ----------
    table : pyarrow.Table
    all_columns : bool
        Whether to keep also columns that ztfml does not use.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> select_history(pa.table({"objectId": ["a"], "jd": [2459000.5], "rb": [0.5]})).column_names
    ['objectId', 'jd']
    """
    if all_columns:
        return without_prefix(table)
    names = (*HISTORY_NAMES, "psfFlux", "psfFluxErr")
    return table.select([name for name in names if name in table.column_names])


def _complete(history, name):
    """Add the required columns that a history of non-detections does not have."""
    if "magpsf" not in history.column_names:
        for column in ("sigmapsf", "isdiffpos"):
            if column in history.column_names and history[column].null_count < len(history):
                raise DataError(
                    f"{name} (history): the column magpsf is missing, although {column} has "
                    "values; add it to the export"
                )
        log.warning(
            "%s (history): there is no magpsf; all %d rows count as non-detections",
            name, len(history),
        )  # fmt: skip
    for column in ("magpsf", "sigmapsf"):
        if column not in history.column_names:
            history = history.append_column(column, pa.nulls(len(history), pa.float64()))
    return history


def with_magnitudes(table: pa.Table, zero_point: float) -> pa.Table:
    """Fill absent magnitudes, signs and limits from fluxes (``psfFlux``, ``psfFluxErr``).

    Parameters
    ----------
    table : pyarrow.Table
    zero_point : float, mag
        From `ztfml.sources.flux.find_zero_point`.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> table = pa.table({"psfFlux": [-1e5], "psfFluxErr": [1e3]})
    >>> with_magnitudes(table, 31.4).select(["magpsf", "isdiffpos"]).to_pylist()
    [{'magpsf': 18.9, 'isdiffpos': 'f'}]
    """
    if "psfFluxErr" not in table.column_names:
        return table
    flux, error = (_numbers_or_nan(table, name) for name in ("psfFlux", "psfFluxErr"))
    found = magnitudes_of_fluxes(flux, error, zero_point)._asdict()
    has_magnitude = np.isfinite(_numbers_or_nan(table, "magpsf"))
    for name in ("magpsf", "sigmapsf", "diffmaglim"):
        old = _numbers_or_nan(table, name)
        keep = np.isfinite(old) | (has_magnitude & (name != "diffmaglim"))
        values = np.where(keep, old, found[name])
        table = _set(table, name, pa.array(values, from_pandas=True))
    signs = pa.array([SPELLING_OF_SIGN[int(sign)] for sign in found["sign"]], pa.string())
    if "isdiffpos" in table.column_names:
        signs = pc.coalesce(table["isdiffpos"].cast(pa.string()), signs)
    return _set(table, "isdiffpos", signs)


def _numbers_or_nan(table, name):
    if name not in table.column_names:
        return np.full(len(table), np.nan)
    return numbers(table[name])


def _set(table, name, column):
    if name not in table.column_names:
        return table.append_column(name, column)
    return table.set_column(table.column_names.index(name), name, column)


def stack(tables: Sequence[pa.Table]) -> pa.Table:
    """Put tables below each other; absent columns are null, and types are reconciled.

    Parameters
    ----------
    tables : sequence of pyarrow.Table

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> stack([pa.table({"fid": [1]}), pa.table({"fid": ["g"], "jd": [2459000.5]})]).to_pylist()
    [{'fid': '1', 'jd': None}, {'fid': 'g', 'jd': 2459000.5}]
    """
    tables = [table for table in tables if len(table)]
    if len(tables) < 2:
        return tables[0] if tables else _NO_ROWS
    names = dict.fromkeys(name for table in tables for name in table.column_names)
    columns = {}
    for name in names:
        parts = [t[name] if name in t.column_names else pa.nulls(len(t)) for t in tables]
        kind = _common_type({part.type for part in parts if not pa.types.is_null(part.type)})
        parts = [_cast(part, kind) for part in parts]
        chunks = [c for p in parts for c in (p.chunks if isinstance(p, pa.ChunkedArray) else [p])]
        columns[name] = pa.chunked_array(chunks, kind)
    return pa.table(columns)


def _cast(column, kind):
    if pa.types.is_nested(column.type) and column.type != kind:
        # Lists of one file and numbers of another, in a column that ztfml does not use.
        return pa.array([None if v is None else json.dumps(v, default=str)
                         for v in column.to_pylist()], kind)  # fmt: skip
    return column.cast(kind, safe=False)


def _common_type(types):
    if not types:
        return pa.null()
    if len(types) == 1 and not pa.types.is_dictionary(next(iter(types))):
        return next(iter(types))
    if all(pa.types.is_integer(kind) for kind in types):
        return pa.int64()
    if all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in types):
        return pa.float64()
    return pa.string()


def combine(parts: Sequence[NightTables], name: str) -> NightTables:
    """Combine the tables of several files.

    Parameters
    ----------
    parts : sequence of NightTables
    name : str
        Used in messages.

    Returns
    -------
    NightTables
        The first of the alerts with equal candid is kept.

    Examples
    --------
    >>> part = NightTables("a", alerts=pa.table({"candid": ["7"]}))
    >>> combine([part, part], "both").alerts.to_pylist()
    [{'candid': '7'}]
    """
    parts = rows_of_alerts_as_history(parts)
    alerts = stack([part.alerts for part in parts])
    if len(alerts) and "candid" in alerts.column_names:
        candid = alerts["candid"].to_pandas().astype(str)
        repeated = candid.duplicated().to_numpy()
        if repeated.any():
            log.info("%s: %d alerts are in several files; one is used", name, repeated.sum())
            alerts = alerts.filter(pa.array(~repeated))
    return NightTables(
        name,
        alerts=alerts,
        history=stack([part.history for part in parts]),
        rows=stack([part.rows for part in parts]),
        forced=concat_forced([part.forced for part in parts]),
        one_alert_per_object=any(part.one_alert_per_object for part in parts),
        alerts_are_history=any(part.alerts_are_history for part in parts),
    )


def rows_of_alerts_as_history(parts: Sequence[NightTables]) -> list[NightTables]:
    """Use light curves of objects that have an alert in another file as history.

    The auxiliary collections of Kowalski and BOOM are such light curves.

    Parameters
    ----------
    parts : sequence of NightTables

    Returns
    -------
    list of NightTables

    Examples
    --------
    >>> alerts = NightTables("a", alerts=pa.table({"objectId": ["x"], "candid": [7]}))
    >>> rows = NightTables("b", rows=pa.table({"objectId": ["x", "y"]}), one_alert_per_object=True)
    >>> [(len(one.rows), len(one.history)) for one in rows_of_alerts_as_history([alerts, rows])]
    [(0, 0), (1, 1)]
    """
    named = [part.alerts for part in parts if "objectId" in part.alerts.column_names]
    if not named:
        return list(parts)
    with_alert = pc.unique(stack([t.select(["objectId"]) for t in named])["objectId"])
    with_alert = with_alert.cast(pa.string())
    return [_with_known_rows_as_history(part, with_alert) for part in parts]


def _with_known_rows_as_history(part, objects):
    if not part.one_alert_per_object or "objectId" not in part.rows.column_names:
        return part
    is_known = pc.is_in(part.rows["objectId"].cast(pa.string()), objects)
    known = without_prefix(part.rows.filter(is_known))
    rows = part.rows.filter(pc.invert(is_known))
    return replace(part, rows=rows, history=stack([part.history, known]))


def concat_forced(tables: Sequence[pa.Table]) -> pa.Table:
    """Combine forced photometry of several files, each exposure once.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
        Columns of `FORCED_SCHEMA`.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> len(concat_forced([]))
    0
    """
    tables = [table for table in tables if len(table)]
    if len(tables) < 2:
        return tables[0] if tables else FORCED_SCHEMA.empty_table()
    return one_row_per_exposure(pa.concat_tables(tables))
