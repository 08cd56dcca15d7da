"""Read a store cell by cell, as nights of which the alerts are those that were added."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.night import Night
from ztfml.store.merge import FORCED, HISTORY, KINDS, merge
from ztfml.store.night import to_forced, to_history
from ztfml.store.partitions import read_rows
from ztfml.store.store import Store

_OF_ALERT = ["objectId", "candid", "jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos"]


def nights_of_cells(store: Store) -> Iterator[tuple[int, Night]]:
    """Read each cell of a store.

    Parameters
    ----------
    store : Store

    Yields
    ------
    cell : int
    night : Night
        The alerts of all nights with the fields that a store has, and all exposures as history.

    Raises
    ------
    DataError
        If a file is damaged.

    Examples
    --------
    >>> list(nights_of_cells(Store.create("empty_store")))
    []
    """
    for folder in store.place.folders(store.layout.order_folder(HISTORY.name)):
        cell = int(folder.partition("=")[2])
        history, forced = (_of_cell(store, kind, cell) for kind in KINDS)
        history, forced = _with_neighbours(store, cell, history, forced)
        frame = history.select([*_OF_ALERT, "ra", "dec"]).to_pandas()
        alerts = frame[frame["candid"] != 0].reset_index(drop=True)
        alerts["objectId"] = alerts["objectId"].astype("str")
        rows, names = to_history(history)
        yield cell, Night(alerts, rows, names, f"{store}, cell {cell}", forced=to_forced(forced))


def _of_cell(store, kind, cell, names=None):
    top = store.layout.cell_folder(kind.name, cell)
    blocks = store.place.folders(top)
    found = [read_rows(store.place, f"{top}/{block}", kind, names) for block in blocks]
    return merge([kind.empty(), *found], kind)


def _with_neighbours(store, cell, history, forced):
    """Add the rows that objects at the edge of a cell have in other cells."""
    places = history.select(["objectId", "ra", "dec"]).to_pandas().dropna()
    places = places.drop_duplicates()
    row, near = store.layout.cells_near(places["ra"].to_numpy(), places["dec"].to_numpy())
    for other in np.unique(near[near != cell]):
        names = pa.array(pd.unique(places["objectId"].iloc[row[near == other]].astype("str")))
        history = merge([history, _of_cell(store, HISTORY, other, names)], HISTORY)
        forced = merge([forced, _of_cell(store, FORCED, other, names)], FORCED)
    return history, forced
