"""Write the tables of any format as the files of a night, with all columns of the input."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml import schema
from ztfml.io.alert_table import alerts_to_arrow, spell_signs, with_prefixes
from ztfml.io.atomic import write_together
from ztfml.io.columns import select_columns
from ztfml.io.parquet import WRITE_OPTIONS
from ztfml.night import Night
from ztfml.sources.tables.night_tables import NightTables


def write_pair(tables: NightTables, *files: str | Path) -> tuple[Night, int]:
    """Write alerts, history and forced photometry as the parquet files of a night.

    The columns that ztfml uses are written as `Night` reads them: in one unit, and with null for
    missing values. All other columns of the tables are written unchanged.

    Parameters
    ----------
    tables : NightTables
        Resolved and complete.
    *files : str or Path
        The files of alerts, history and forced photometry, which are replaced in one step. The
        last one, and any others, are removed if there is nothing to write.

    Returns
    -------
    night : Night
    n_history : int
        History rows written.

    Raises
    ------
    DataError
        If a required column is absent or invalid, or a file cannot be written.

    Examples
    --------
    >>> alerts = pa.Table.from_pandas(night.alerts).append_column("note", pa.nulls(300))
    >>> files = ("copy.parquet", "copy_prv_candidates.parquet", "copy_fp_hists.parquet")
    >>> write_pair(NightTables("night", alerts=alerts), *files)[1]
    0
    >>> "note" in pq.read_schema("copy.parquet").names
    True
    """
    name = tables.name
    alerts = with_prefixes(tables.alerts)
    is_flat = not any(one.startswith("candidate.") for one in tables.alerts.column_names)
    columns = select_columns(alerts, schema.ALERT_INPUTS, name, is_flat)
    candid = columns["candid"]
    rows = None
    if len(tables.history):
        rows = select_columns(tables.history, schema.HISTORY_COLUMNS, f"{name} (history)")
    night = Night.from_columns(columns, rows, name, f"{name} (history)")
    _, first = np.unique(candid, return_index=True)
    alerts = _with_others(
        alerts_to_arrow(night.alerts), alerts.take(pa.array(np.sort(first))), _ALERT_NAMES
    )
    history = _history_table(rows, tables.history) if rows else _NO_HISTORY
    forced = tables.forced if len(tables.forced) else None
    with write_together(*files) as parts:
        for part, table in itertools.zip_longest(parts, (alerts, history, forced)):
            if table is None:
                part.unlink()
            else:
                pq.write_table(table, part, **WRITE_OPTIONS)
    return night, len(history)


_ALERT_NAMES = {column.in_file for column in schema.ALERT_COLUMNS}
_HISTORY_NAMES = tuple(column.name for column in schema.HISTORY_COLUMNS)
_NO_HISTORY = pa.schema(
    [("objectId", "string"), ("jd", "float64"), ("fid", "int8"), ("magpsf", "float64"),
     ("sigmapsf", "float64"), ("diffmaglim", "float64"), ("isdiffpos", "string")],
    metadata=schema.INDEXED_BY_OBJECT,
).empty_table()  # fmt: skip


def _with_others(table, source, read):
    """Append the columns of the input that were not read."""
    for name, column in zip(source.column_names, source.columns, strict=True):
        if name not in read and name not in table.column_names:
            table = table.append_column(name, column)
    return table


def _history_table(rows: dict[str, Any], source: pa.Table) -> pa.Table:
    """Return the history sorted by object and time, each row once, with all its columns."""
    codes, values = rows["objectId"]
    names = values.to_numpy(zero_copy_only=False).astype(object)
    rank = np.argsort(np.argsort(names))[codes] if len(names) else codes
    n_rows = len(codes)
    used = {name: rows.get(name, np.full(n_rows, np.nan)) for name in _HISTORY_NAMES[1:]}
    sign = rows.get("isdiffpos", np.zeros(n_rows, np.int8))
    table = pa.table(
        {
            "objectId": pa.DictionaryArray.from_arrays(pa.array(codes), values),
            "jd": used["jd"],
            "fid": pa.array(used["fid"], mask=used["fid"] == 0),
            **{name: pa.array(used[name], from_pandas=True) for name in _MAGNITUDES},
            "isdiffpos": spell_signs(sign),
        }
    )
    table = _with_others(table, source, set(_HISTORY_NAMES))
    keys = np.stack([rank, used["jd"], used["fid"], sign, *(used[name] for name in _MAGNITUDES)])
    keys = np.nan_to_num(keys, nan=-1.0)
    order = np.lexsort(keys[::-1])
    is_new = np.ones(n_rows, bool)
    is_new[1:] = (np.diff(keys[:, order], axis=1) != 0).any(axis=0)
    keep = order[is_new & np.isfinite(used["jd"][order])]
    return table.take(pa.array(keep)).replace_schema_metadata(schema.INDEXED_BY_OBJECT)


_MAGNITUDES = ("magpsf", "sigmapsf", "diffmaglim")
