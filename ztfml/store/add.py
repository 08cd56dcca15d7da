"""Add nights to a store."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ztfml.io.companions import companion, forced_beside, history_beside
from ztfml.nights.fingerprints import files_digest
from ztfml.sources.formats import open_night
from ztfml.store.merge import FORCED, HISTORY
from ztfml.store.partitions import add_rows
from ztfml.store.rows import forced_rows, history_rows, objects_of, partitions_of
from ztfml.store.store import Store

log = logging.getLogger(__name__)


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


def add_night(store: Store, path: str | Path, again: bool = False) -> Added:
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

    Returns
    -------
    Added

    Raises
    ------
    DataError
        If the night cannot be read or has no positions, or the store cannot be written.

    Examples
    --------
    >>> store = Store.create("a_store")
    >>> add_night(store, "night.parquet").is_new, add_night(store, "night.parquet").is_new
    (True, False)
    """
    path = Path(path)
    digest = files_digest([path, history_beside(path), forced_beside(path)])
    name = f"{companion(path, '').name}-{digest[:12]}"
    if not again and store.record(name) is not None:
        return Added(False)
    night = open_night(path)
    objects = objects_of(night)
    tables = {HISTORY: history_rows(night, objects.names), FORCED: forced_rows(night, objects.names)}
    changed = []
    for kind, rows in tables.items():
        for cell, block, part in partitions_of(rows, objects, store.layout):
            folder = store.layout.folder(kind.name, cell, block)
            changed.append(add_rows(store.place, folder, part, kind))
    n_rows, n_forced = (len(rows) for rows in tables.values())
    added = Added(True, len(objects.names), n_rows, n_forced, len(changed), sum(changed))
    jd = night.alerts["jd"]
    record = {
        "night": str(path.resolve()),
        "alerts": len(night),
        "objects": added.n_objects,
        "rows": n_rows,
        "forced": n_forced,
        "first_jd": float(jd.min()),
        "last_jd": float(jd.max()),
        "added": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("ztfml"),
    }
    store.write_record(name, record)
    return added
