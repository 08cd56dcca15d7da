"""The rows that a night adds to a store, and the cells of its objects."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.store.layout import Layout
from ztfml.store.merge import FORCED, HISTORY

log = logging.getLogger(__name__)


class Objects(NamedTuple):
    """The objects of a night and their positions.

    Attributes
    ----------
    names : pyarrow.StringArray, shape (n_objects,)
        Sorted.
    code, ra, dec : ndarray, shape (n_alerts,)
        Object and position (deg) of each alert that has a position.
    """

    names: pa.StringArray
    code: np.ndarray
    ra: np.ndarray
    dec: np.ndarray


def objects_of(night: Night) -> Objects:
    """Find the objects of a night and their positions.

    Parameters
    ----------
    night : Night

    Returns
    -------
    Objects

    Raises
    ------
    DataError
        If the alerts have no positions.

    Examples
    --------
    >>> len(objects_of(night).names) == night.alerts["objectId"].nunique()
    True
    """
    absent = [name for name in ("ra", "dec") if name not in night.alerts]
    if absent:
        raise DataError(
            f"{night.name}: there is no column candidate.{absent[0]}, so the objects have no place "
            "in a history store; export the alerts with ra and dec"
        )
    names, code = np.unique(night.alerts["objectId"].to_numpy(object), return_inverse=True)
    ra, dec = (night.alerts[name].to_numpy() for name in ("ra", "dec"))
    placed = np.isfinite(ra) & np.isfinite(dec)
    if not placed.any():
        raise DataError(
            f"{night.name}: candidate.ra and candidate.dec are missing in all {len(ra)} alerts; "
            "export the alerts with their positions"
        )
    n_lost = len(names) - len(np.unique(code[placed]))
    if n_lost:
        log.warning(
            "%s: %d of %d objects have no position and are left out of the history store",
            night.name, n_lost, len(names),
        )  # fmt: skip
    return Objects(pa.array(names, pa.string()), code[placed], ra[placed], dec[placed])


def history_rows(night: Night, names: pa.StringArray) -> pa.Table:
    """Return the alerts and the history of a night as rows of a store.

    Parameters
    ----------
    night : Night
    names : pyarrow.StringArray
        Sorted names of the objects; rows of others are left out.

    Returns
    -------
    pyarrow.Table
        With the schema of `HISTORY`.

    Examples
    --------
    >>> rows = history_rows(night, objects_of(night).names)
    >>> len(rows) == len(night) + len(night.history.jd)
    True
    """
    history = night.history
    code = _codes_of_rows(night.object_ids, history.start, names)
    past = pd.DataFrame(history.rows(0, len(history.jd))).assign(code=code)
    past["candid"] = 0
    alerts = night.alerts.reindex(columns=[*past.columns, "ra", "dec"])
    alerts = alerts.assign(code=_codes(night.alerts["objectId"], names))
    alerts = alerts[alerts["jd"].notna() & alerts["magpsf"].notna()]
    return _table(pd.concat([past, alerts], ignore_index=True), names, HISTORY)


def forced_rows(night: Night, names: pa.StringArray) -> pa.Table:
    """Return the forced photometry of a night as rows of a store.

    Parameters
    ----------
    night : Night
    names : pyarrow.StringArray
        As for `history_rows`.

    Returns
    -------
    pyarrow.Table
        With the schema of `FORCED`.

    Examples
    --------
    >>> len(forced_rows(night.replace(forced=None), objects_of(night).names))
    0
    """
    if night.forced is None:
        return FORCED.empty()
    *columns, start, object_ids = night.forced
    rows = dict(zip(("jd", "fid", "flux", "flux_err"), columns, strict=True))
    code = _codes_of_rows(object_ids, start, names)
    return _table(pd.DataFrame(rows).assign(code=code), names, FORCED)


def _codes_of_rows(object_ids, start, names):
    return np.repeat(_codes(object_ids, names), np.diff(start))


def _codes(values, names):
    values = pa.array(values, pa.string(), from_pandas=True)
    return pc.index_in(values, value_set=names).fill_null(-1).to_numpy(zero_copy_only=False)


def _table(rows, names, kind):
    rows = rows[rows["code"] >= 0]
    columns = [pa.DictionaryArray.from_arrays(pa.array(rows["code"], pa.int32()), names)]
    for field in list(kind.schema)[1:]:
        if field.name not in rows:
            columns.append(pa.nulls(len(rows), field.type))
            continue
        values = rows[field.name].to_numpy()
        if pa.types.is_integer(field.type):
            columns.append(pa.array(np.nan_to_num(values).astype(field.type.to_pandas_dtype())))
        else:
            columns.append(pa.array(values, field.type, from_pandas=True))
    return pa.Table.from_arrays(columns, schema=kind.schema)


def partitions_of(
    rows: pa.Table, objects: Objects, layout: Layout
) -> Iterator[tuple[int, int, pa.Table]]:
    """Divide rows into partitions.

    An object whose alerts are in several cells has its rows in each of them.

    Parameters
    ----------
    rows : pyarrow.Table
        From `history_rows` or `forced_rows`.
    objects : Objects
    layout : Layout

    Yields
    ------
    cell, block : int
    rows : pyarrow.Table

    Examples
    --------
    >>> objects = objects_of(night)
    >>> rows = history_rows(night, objects.names)
    >>> sum(len(part) for _, _, part in partitions_of(rows, objects, Layout())) >= len(rows)
    True
    """
    cell = layout.cells_of(objects.ra, objects.dec)
    pairs = np.unique(np.stack([cell, objects.code]), axis=1)
    code = rows["objectId"].combine_chunks().indices.to_numpy()
    block = layout.block_of(rows["jd"].to_numpy())
    by_object = np.lexsort([block, code])
    first, last = (np.searchsorted(code[by_object], pairs[1], side) for side in ("left", "right"))
    count = last - first
    # The rows of each pair, one after another.
    start = np.cumsum(count) - count
    take = by_object[np.repeat(first - start, count) + np.arange(count.sum())]
    cells, blocks = np.repeat(pairs[0], count), block[take]
    order = np.lexsort([blocks, cells])
    take, cells, blocks = take[order], cells[order], blocks[order]
    if not len(take):
        return
    bounds = np.flatnonzero(np.diff(cells, prepend=-1) | np.diff(blocks, prepend=-(1 << 40)))
    for begin, end in zip(bounds, [*bounds[1:], len(take)], strict=True):
        part = rows.take(pa.array(take[begin:end]))
        yield int(cells[begin]), int(blocks[begin]), _compact(part)


def _compact(rows):
    """Drop the names of the objects that have no rows."""
    codes = rows["objectId"].combine_chunks()
    used, indices = np.unique(codes.indices.to_numpy(), return_inverse=True)
    names = codes.dictionary.take(pa.array(used))
    column = pa.DictionaryArray.from_arrays(indices.astype(np.int32), names)
    return rows.set_column(0, rows.schema.field(0), column)
