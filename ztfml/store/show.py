"""What a store contains: its nights, and the light curve of an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from ztfml.errors import DataError
from ztfml.schema import BAND_OF_FID
from ztfml.store.merge import FORCED, HISTORY, KINDS, Kind, merge
from ztfml.store.partitions import count_rows, read_rows
from ztfml.store.store import Store

_COLUMNS = [
    "jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos", "flux", "flux_err",
]  # fmt: skip


class Contents(NamedTuple):
    """Numbers of a store.

    Attributes
    ----------
    n_cells : int
        Cells of the sky that have rows.
    n_files, n_bytes : int
    n_rows, n_forced : int
        Rows of exposures and of forced photometry.
    """

    n_cells: int
    n_files: int
    n_bytes: int
    n_rows: int
    n_forced: int


def contents(store: Store) -> Contents:
    """Count the files and rows of a store.

    Parameters
    ----------
    store : Store

    Returns
    -------
    Contents

    Examples
    --------
    >>> contents(Store.create("empty_store")).n_files
    0
    """
    cells, totals, n_rows = set(), [0, 0], {}
    for kind in KINDS:
        n_rows[kind] = 0
        for cell, folder in _partitions(store, kind):
            cells.add(cell)
            for rows, size in count_rows(store.place, folder):
                n_rows[kind] += rows
                totals[0] += 1
                totals[1] += size
    return Contents(len(cells), *totals, *n_rows.values())


def nights(store: Store) -> pd.DataFrame:
    """List the nights that were added.

    Parameters
    ----------
    store : Store

    Returns
    -------
    pandas.DataFrame
        One row per night, in the order of their dates.

    Examples
    --------
    >>> len(nights(Store.create("empty_store")))
    0
    """
    columns = ["night", "first_jd", "last_jd", "alerts", "objects", "rows", "forced", "added"]
    return pd.DataFrame(store.records(), columns=columns)


def light_curve(store: Store, object_id: str) -> pd.DataFrame:
    """Read the light curve of an object, with all its nights.

    All cells are searched, because the name of an object does not contain its position.

    Parameters
    ----------
    store : Store
    object_id : str

    Returns
    -------
    pandas.DataFrame
        One row per exposure: ``jd``, ``band``, ``magpsf``, ``sigmapsf``, ``diffmaglim`` (mag),
        ``isdiffpos`` (+1, -1, 0 unknown), and for forced photometry ``flux`` and ``flux_err``
        (microjansky).

    Raises
    ------
    DataError
        If the store does not contain the object.

    Examples
    --------
    >>> light_curve(Store.create("a_store"), "ZTF18abukavn")
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: a_store: contains no object 'ZTF18abukavn'; check its name, or add ...
    """
    wanted = pa.array([object_id], pa.string())
    frames = []
    for kind in (HISTORY, FORCED):
        found = [
            read_rows(store.place, folder, kind, wanted) for _, folder in _partitions(store, kind)
        ]
        rows = merge([kind.empty(), *found], kind)
        frames.append(rows.to_pandas())
    curve = pd.concat([frame for frame in frames if len(frame)] or frames[:1])
    if curve.empty:
        raise DataError(
            f"{store}: contains no object {object_id!r}; check its name, or add the nights that "
            "contain it"
        )
    curve = curve.reindex(columns=_COLUMNS)
    curve = curve.sort_values(["jd", "fid"], ignore_index=True, kind="stable")
    curve.insert(1, "band", curve.pop("fid").map(BAND_OF_FID))
    return curve


def _partitions(store: Store, kind: Kind) -> Iterator[tuple[str, str]]:
    top = store.layout.order_folder(kind.name)
    for cell in store.place.folders(top):
        for block in store.place.folders(f"{top}/{cell}"):
            yield cell, f"{top}/{cell}/{block}"
