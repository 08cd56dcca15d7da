"""Merge rows of light curves so that each exposure has one row, in whatever order they come.

The rows of an object and band belong to one exposure if each is at most `SAME_EXPOSURE` after the
one before. The best of them represents the exposure, with the times of its first and last row.
With these times, merging merged rows gives the same as merging all rows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.compiled import cached
from ztfml.lightcurves.exposures import SAME_EXPOSURE

Columns = dict[str, np.ndarray]

_OBJECT = pa.dictionary(pa.int32(), pa.string())
_TIMES = [("jd_first", pa.float64()), ("jd_last", pa.float64())]


@dataclass(frozen=True)
class Kind:
    """A kind of rows that a store contains.

    Parameters
    ----------
    name : str
        Name of its folder.
    schema : pyarrow.Schema
        ``objectId``, ``jd``, ``fid``, values, and the times of the first and last row of the
        exposure (``jd_first`` and ``jd_last``; null if both are ``jd``).
    preference : callable
        Takes the columns, and returns arrays that sort the rows of an exposure, the best first.
        The first array counts most. Rows that it does not distinguish are equal.
    """

    name: str
    schema: pa.Schema
    preference: Callable[[Columns], list[np.ndarray]]

    def empty(self) -> pa.Table:
        """Return a table without rows."""
        return self.schema.empty_table()


def _best_measurement(rows):
    """The rule of `ztfml.lightcurves.exposures`, and then an order of rows that it ties."""
    is_limit = np.isnan(rows["magpsf"])
    known = rows["sigmapsf"] > 0  # An error of zero means not measured.
    error = np.where(known & ~is_limit, rows["sigmapsf"], np.inf)
    limit = np.nan_to_num(rows["diffmaglim"], nan=np.inf)
    sign = rows["isdiffpos"]
    return [
        is_limit,
        error,
        np.where(is_limit, 0.0, rows["magpsf"]),
        ~is_limit & (sign == 0),
        np.where(is_limit, limit, 0.0),
        rows["jd"],
        limit,
        -sign,
        np.nan_to_num(rows["sigmapsf"], nan=np.inf),
        # Of equal rows, that of the alert, which has a position.
        rows["candid"] == 0,
        rows["candid"],
        np.nan_to_num(rows["ra"], nan=np.inf),
        np.nan_to_num(rows["dec"], nan=np.inf),
    ]


def _best_flux(rows):
    return [rows["flux_err"], -rows["flux"], rows["jd"]]


HISTORY = Kind(
    "history",
    pa.schema(
        [
            ("objectId", _OBJECT), ("jd", pa.float64()), ("fid", pa.int8()),
            ("magpsf", pa.float64()), ("sigmapsf", pa.float64()), ("diffmaglim", pa.float64()),
            ("isdiffpos", pa.int8()), ("candid", pa.int64()), ("ra", pa.float64()),
            ("dec", pa.float64()), *_TIMES,
        ]
    ),
    _best_measurement,
)  # fmt: skip
"""Detections and non-detections, with the values of `ztfml.lightcurves.history.History`.

An alert also has its number and position; other rows have ``candid`` 0 and no position.
"""

FORCED = Kind(
    "forced",
    pa.schema(
        [
            ("objectId", _OBJECT), ("jd", pa.float64()), ("fid", pa.int8()),
            ("flux", pa.float64()), ("flux_err", pa.float64()), *_TIMES,
        ]
    ),
    _best_flux,
)  # fmt: skip
"""Forced photometry, with the values of `ztfml.lightcurves.forced.Forced` (microjansky)."""

KINDS = (HISTORY, FORCED)


def merge(tables: Sequence[pa.Table], kind: Kind) -> pa.Table:
    """Merge rows, so that each exposure of an object and band has one row.

    Parameters
    ----------
    tables : sequence of pyarrow.Table
        Columns of the schema of the kind, in any order.
    kind : Kind

    Returns
    -------
    pyarrow.Table
        Sorted by object, time and band. The result depends neither on the order of the rows, nor
        on whether some of them were merged before.

    Examples
    --------
    >>> row = {"objectId": "ZTF18abukavn", "fid": 1, "flux": 5.0, "flux_err": 2.0}
    >>> rows = [row | {"jd": 2459000.5}, row | {"jd": 2459000.50004, "flux_err": 1.0}]
    >>> once = merge([pa.Table.from_pylist(rows, schema=FORCED.schema)], FORCED)
    >>> once.select(["jd", "jd_first", "flux_err"]).to_pylist()
    [{'jd': 2459000.50004, 'jd_first': 2459000.5, 'flux_err': 1.0}]
    """
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    if not len(table):
        return kind.empty()
    names, rows = _to_columns(table)
    rows = _in_order(rows, [rows["jd_first"], rows["fid"], rows["code"]])
    exposure = _number_exposures(rows["code"], rows["fid"], rows["jd_first"], rows["jd_last"])
    if exposure[-1] + 1 < len(exposure):
        rows = _best_of_each(rows, exposure, kind)
    rows = _in_order(rows, [rows["fid"], rows["jd"], rows["code"]])
    return _to_table(rows, names, kind.schema)


def _best_of_each(rows, exposure, kind):
    start = np.flatnonzero(np.diff(exposure, prepend=-1))
    first = rows["jd_first"][start]
    last = np.maximum.reduceat(rows["jd_last"], start)
    # Most exposures have one row, or rows that are all equal.
    size = np.diff(start, append=len(exposure))
    repeated = np.flatnonzero(np.repeat(size > 1, size))
    some = {name: column[repeated] for name, column in rows.items()}
    order = np.lexsort([*kind.preference(some)[::-1], exposure[repeated]])
    is_best = np.diff(exposure[repeated][order], prepend=-1) != 0
    best = start.copy()
    best[size > 1] = repeated[order[is_best]]
    rows = {name: column[best] for name, column in rows.items()}
    return rows | {"jd_first": first, "jd_last": last}


def _to_columns(table):
    """Return the sorted names of the objects, and the columns with a code for each object."""
    objects = table["objectId"].combine_chunks()
    order = pc.sort_indices(objects.dictionary)
    rank = np.empty(len(order), np.int32)
    rank[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    rows = {"code": rank[objects.indices.to_numpy()]}
    for name in table.column_names[1:]:
        rows[name] = table[name].to_numpy()
    for name in ("jd_first", "jd_last"):
        rows[name] = np.where(np.isnan(rows[name]), rows["jd"], rows[name])
    return objects.dictionary.take(order), rows


def _to_table(rows, names, schema):
    moved = {name: rows[name] != rows["jd"] for name in ("jd_first", "jd_last")}
    used, codes = np.unique(rows["code"], return_inverse=True)
    columns = [pa.DictionaryArray.from_arrays(codes.astype(np.int32), names.take(pa.array(used)))]
    for field in list(schema)[1:]:
        values = rows[field.name]
        if field.name in moved:
            columns.append(pa.array(values, field.type, mask=~moved[field.name]))
        else:
            columns.append(pa.array(values, field.type, from_pandas=field.type == pa.float64()))
    return pa.Table.from_arrays(columns, schema=schema)


def _in_order(rows, keys):
    order = np.lexsort(keys)
    return {name: column[order] for name, column in rows.items()}


@cached(nogil=True)
def _number_exposures(code, fid, first, last):
    """Number the exposures of rows that are sorted by object, band and first time."""
    exposure = np.zeros(len(code), np.int64)
    end = last[0]
    for k in range(1, len(code)):
        same = code[k] == code[k - 1] and fid[k] == fid[k - 1] and first[k] - end <= SAME_EXPOSURE
        exposure[k] = exposure[k - 1] + (not same)
        end = max(end, last[k]) if same else last[k]
    return exposure
