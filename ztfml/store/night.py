"""Give a night the history that a store has of its objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.errors import DataError
from ztfml.lightcurves.forced import Forced, forced_to_arrow
from ztfml.lightcurves.history import History
from ztfml.lightcurves.history_table import history_to_arrow
from ztfml.night import Night
from ztfml.sources.formats import format_of
from ztfml.sources.ingest import night_files
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.night_tables import NightTables
from ztfml.sources.tables.write_pair import write_pair
from ztfml.store.merge import FORCED, HISTORY, Kind, merge
from ztfml.store.partitions import read_rows
from ztfml.store.rows import Objects, forced_rows, history_rows, objects_of
from ztfml.store.store import Store

DAYS_PER_MONTH = 365.25 / 12


def with_store(night: Night, store: Store, months: float = 6.0) -> Night:
    """Return a night with the history that a store has of its objects.

    The history of the night itself is merged with that of the store, each exposure once. So the
    result is the same before and after the night is added to the store.

    Parameters
    ----------
    night : Night
    store : Store
    months : float
        Length of the history before the first alert of each object.

    Returns
    -------
    Night
        Rows at or after the last alert of an object are left out: the store may have later nights.

    Raises
    ------
    DataError
        If the alerts have no positions, or a file of the store is damaged.

    Examples
    --------
    >>> from ztfml.store.add import add_night
    >>> store = Store.create("a_store")
    >>> _ = add_night(store, "night.parquet")
    >>> long = with_store(night, store, months=24)
    >>> jd = night.alerts.loc[night.alerts["objectId"] == object_id, "jd"].max()
    >>> long.light_curve(object_id, jd).equals(night.light_curve(object_id, jd))
    True
    """
    objects = objects_of(night)
    jd = night.alerts["jd"].to_numpy()
    if not np.isfinite(jd).any():
        raise DataError(f"{night.name}: no alert has a time; export the alerts with candidate.jd")
    days = months * DAYS_PER_MONTH
    window = _windows(night, objects.names, days)
    blocks = store.layout.block_of(np.array([np.nanmin(jd) - days, np.nanmax(jd)]))
    tables = {}
    for kind, own in ((HISTORY, history_rows), (FORCED, forced_rows)):
        found = _stored(store, kind, objects, blocks)
        rows = merge([own(night, objects.names), *found], kind)
        tables[kind] = _within(rows, objects.names, *window)
    history, names = to_history(tables[HISTORY])
    return Night(night.alerts, history, names, night.name, forced=to_forced(tables[FORCED]))


def write_night_with_history(
    store: Store, path: str | Path, output: str | Path, months: float = 6.0
) -> Night:
    """Write a night with the history that a store has of its objects.

    Parameters
    ----------
    store : Store
    path : str or Path
        The night, in any format.
    output : str or Path
        The file of the alerts, ``NIGHT.parquet``, with all columns of the input; the history and
        the forced photometry go to files beside it, as with `ztfml ingest`.
    months : float
        As for `with_store`.

    Returns
    -------
    Night
        As it was written.

    Raises
    ------
    DataError
        As `with_store`, and if the night cannot be read or the output cannot be written.

    Examples
    --------
    >>> store = Store.create("a_store")
    >>> len(write_night_with_history(store, "night.parquet", "long.parquet"))
    300
    """
    output = Path(output)
    if output.suffix != ".parquet":
        raise DataError(f"{output}: the output is a parquet file; name it NIGHT.parquet")
    content = Content(Path(path), all_columns=True)
    tables = format_of(path).read_tables(content).resolve().complete()
    night = with_store(tables.to_night(), store, months)
    long = NightTables(
        str(path),
        alerts=tables.alerts,
        history=history_to_arrow(night.history, night.object_ids),
        forced=NightTables("").forced if night.forced is None else forced_to_arrow(night.forced),
    )
    return write_pair(long.complete(), *night_files(output))[0]


def _stored(store: Store, kind: Kind, objects: Objects, blocks: np.ndarray) -> Iterator[pa.Table]:
    """Yield the rows of the objects from all partitions of the cells near their alerts."""
    row, cell = store.layout.cells_near(objects.ra, objects.dec)
    by_cell = np.argsort(cell, kind="stable")
    cells, start = np.unique(cell[by_cell], return_index=True)
    for one, rows in zip(cells, np.split(row[by_cell], start[1:]), strict=True):
        names = objects.names.take(pa.array(np.unique(objects.code[rows])))
        for folder in store.place.folders(store.layout.cell_folder(kind.name, one)):
            block = int(folder.partition("=")[2])
            if blocks[0] <= block <= blocks[1]:
                yield read_rows(
                    store.place, store.layout.folder(kind.name, one, block), kind, names
                )


def _windows(night, names, days):
    """Return the first and last time of the history of each object."""
    by_object = night.alerts.groupby("objectId", sort=True)["jd"]
    first, last = by_object.min().reindex(names), by_object.max().reindex(names)
    return first.to_numpy() - days, last.to_numpy()


def _within(rows, names, first, last):
    codes = rows["objectId"].combine_chunks()
    place = pc.index_in(codes.dictionary, value_set=names).to_numpy()[codes.indices.to_numpy()]
    jd = rows["jd"].to_numpy()
    return rows.filter(pa.array((jd >= first[place]) & (jd < last[place])))


def _starts(rows):
    """Return the names of the objects of sorted rows, and where the rows of each begin."""
    codes = rows["objectId"].combine_chunks()
    used, code = np.unique(codes.indices.to_numpy(), return_inverse=True)
    start = np.searchsorted(code, np.arange(len(used) + 1)).astype(np.int64)
    return codes.dictionary.take(pa.array(used)).cast(pa.string()), start


def to_history(rows: pa.Table) -> tuple[History, pa.StringArray]:
    """Make a history of sorted rows of a store.

    Parameters
    ----------
    rows : pyarrow.Table
        With the schema of `HISTORY`.

    Returns
    -------
    history : History
    object_ids : pyarrow.StringArray
        The name of each object.

    Examples
    --------
    >>> len(to_history(HISTORY.empty())[1])
    0
    """
    names, start = _starts(rows)
    values = [rows[name].to_numpy() for name in History._fields[:-1]]
    return History(*values, start=start), names


def to_forced(rows: pa.Table) -> Forced | None:
    """Make forced photometry of sorted rows of a store.

    Parameters
    ----------
    rows : pyarrow.Table
        With the schema of `FORCED`.

    Returns
    -------
    Forced or None
        None without rows.

    Examples
    --------
    >>> to_forced(FORCED.empty())
    """
    if not len(rows):
        return None
    names, start = _starts(rows)
    jd, fid, flux, err = (rows[name].to_numpy() for name in ("jd", "fid", "flux", "flux_err"))
    return Forced(jd, fid, flux, err, start, names)
