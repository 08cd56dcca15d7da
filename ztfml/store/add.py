"""Add nights to a store."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ztfml.io.companions import companion, forced_beside, history_beside
from ztfml.nights.fingerprints import files_digest
from ztfml.sources.formats import open_night
from ztfml.store.merge import FORCED, HISTORY
from ztfml.store.partitions import add_rows
from ztfml.store.rows import forced_rows, history_rows, objects_of, partitions_of
from ztfml.store.store import Store

# Threads mostly wait for the disk: 350 files take 2 s with 8 threads, and 12 s with one.
_N_THREADS = 8


@dataclass(frozen=True)
class Added:
    """The result of adding a night.

    Parameters
    ----------
    is_new : bool
        False if the same files had been added before.
    n_objects, n_rows, n_forced : int
        Objects, exposures and forced photometry that the night has; most of them may already be
        in the store.
    n_partitions, n_changed : int
        Files that the rows belong to, and those that were replaced.

    Examples
    --------
    >>> Added(False).n_rows
    0
    """

    is_new: bool
    n_objects: int = 0
    n_rows: int = 0
    n_forced: int = 0
    n_partitions: int = 0
    n_changed: int = 0


def add_night(
    store: Store, path: str | Path, again: bool = False, name: str | None = None
) -> Added:
    """Add the alerts, the history and the forced photometry of a night to a store.

    Adding a night twice, or several nights in any order, gives the same store. If the process is
    killed, add the night again.

    Parameters
    ----------
    store : Store
    path : str or Path
        The night, in any format.
    again : bool
        Add also a night that was added before.
    name : str, optional
        The name of the night in the list of nights; by default its path.

    Returns
    -------
    Added

    Raises
    ------
    DataError
        If the night cannot be read or has no positions, or the store cannot be written.

    Examples
    --------
    >>> store = Store.create("added_nights")
    >>> add_night(store, "night.parquet").is_new, add_night(store, "night.parquet").is_new
    (True, False)
    """
    path = Path(path)
    digest = files_digest([path, history_beside(path), forced_beside(path)])
    key = f"{companion(path, '').name}-{digest[:12]}"
    if not again and store.record(key) is not None:
        return Added(False)
    night = open_night(path)
    objects = objects_of(night)
    tables = {
        HISTORY: history_rows(night, objects.names),
        FORCED: forced_rows(night, objects.names),
    }
    changed = list(_at_once(add_rows, _parts(store, tables, objects)))
    n_rows, n_forced = (len(rows) for rows in tables.values())
    added = Added(True, len(objects.names), n_rows, n_forced, len(changed), sum(changed))
    jd = night.alerts["jd"]
    record = {
        "night": name or str(path.resolve()),
        "alerts": len(night),
        "objects": added.n_objects,
        "rows": n_rows,
        "forced": n_forced,
        "first_jd": float(jd.min()),
        "last_jd": float(jd.max()),
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("ztfml"),
    }
    store.write_record(key, record)
    return added


def _parts(store, tables, objects):
    for kind, rows in tables.items():
        for cell, block, part in partitions_of(rows, objects, store.layout):
            yield store.place, store.layout.folder(kind.name, cell, block), part, kind


def _at_once(function: Callable, arguments: Iterable[tuple]) -> Iterator[Any]:
    """Call a function in several threads, with few arguments in memory at a time."""
    with ThreadPoolExecutor(_N_THREADS) as pool:
        waiting: deque = deque()
        try:
            for one in arguments:
                waiting.append(pool.submit(function, *one))
                if len(waiting) > 2 * _N_THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
