"""Packets of a live night on disk, in parts that are complete or absent.

A part is a folder with the alerts, previous candidates and forced photometry of some packets. It
is written under a temporary name, stored on the disk, and renamed. Positions in the stream are
committed only after that, so a process that is killed at any moment receives the packets of an
unfinished part again. Packets that were received twice are removed when parts are read.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.atomic import name_full_disk
from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.io.parquet import READ_OPTIONS, WRITE_OPTIONS
from ztfml.io.switch import sync
from ztfml.io.temporary import temporary_beside
from ztfml.sources.packet_tables import (
    ALERTS_SCHEMA,
    HISTORY_SCHEMA,
    PacketTables,
    to_tables,
    with_origin,
)

log = logging.getLogger(__name__)

_SCHEMAS = {
    "alerts": ALERTS_SCHEMA,
    "history": with_origin(HISTORY_SCHEMA),
    "forced": with_origin(FORCED_SCHEMA),
}
_NAME = re.compile(r"\d{8}")
# Reading a part takes some milliseconds, so many small parts are merged. Large ones are not, so
# that memory is bounded: a packet has about 30 history rows, or 20 kB.
MANY_PARTS = 100
_SMALL = 1_000


class Parts:
    """The parts of a night, in one folder.

    Parameters
    ----------
    folder : Path
        Created if it does not exist. Only one process may write to it, in one thread; another
        thread may read and merge.

    Attributes
    ----------
    candids : set of int
        The packets in all parts.

    Raises
    ------
    DataError
        If a part is damaged or the folder cannot be written.

    Examples
    --------
    >>> from ztfml.sources.avro_packets import PacketAlert
    >>> parts = Parts(Path("parts"))
    >>> alert = PacketAlert("ZTF18abukavn", 7, "3.3", "ZTF", {"jd": 2460000.5}, [], [], [])
    >>> parts.save(to_tables([alert]))
    >>> Parts(Path("parts")).candids
    {7}
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._paths = sorted(p for p in self.folder.iterdir() if _NAME.fullmatch(p.name))
        self._lock = threading.RLock()
        self._next = int(self._paths[-1].name) + 1 if self._paths else 0
        self.candids: set[int] = set()
        for path in self._paths:
            self.candids.update(_read(path, "alerts", ["candid"])["candid"].to_pylist())

    def __len__(self) -> int:
        return len(self._paths)

    def save(self, tables: PacketTables) -> None:
        """Write packets as a part.

        Parameters
        ----------
        tables : PacketTables

        Raises
        ------
        DataError
            If the disk is full or not writable.
        """
        with self._lock:
            self._write(tables, self.folder / f"{self._next:08d}")
            self._next += 1

    def _write(self, tables: PacketTables, path: Path) -> None:
        with name_full_disk(path), temporary_beside(path, is_folder=True) as part:
            for kind in _SCHEMAS:
                pq.write_table(getattr(tables, kind), part / f"{kind}.parquet", **WRITE_OPTIONS)
                sync(part / f"{kind}.parquet")
            sync(part)
            os.rename(part, path)
            sync(self.folder)
        self._paths.append(path)
        self.candids.update(tables.alerts["candid"].to_pylist())

    def batches(self) -> Iterator[PacketTables]:
        """Yield the packets: first all alerts, each once, by time; then the rows of each part.

        Yields
        ------
        PacketTables
            For `ztfml.sources.packet_night.write_packet_night`.
        """
        paths = list(self._paths)
        alerts = pa.concat_tables([_read(path, "alerts") for path in paths] or [_empty().alerts])
        candid = alerts["candid"].to_numpy()
        jd = alerts["candidate.jd"].to_numpy()
        order = np.lexsort((candid, jd))
        _, first = np.unique(candid[order], return_index=True)
        yield _empty()._replace(alerts=alerts.take(pa.array(order[np.sort(first)])))
        for path in paths:
            rows = (_read(path, "history"), _read(path, "forced"))
            yield PacketTables(_empty().alerts, *rows)

    def compact(self) -> None:
        """Merge small parts into one, if there are many.

        A process that is killed in between leaves packets in two parts, which does no harm.

        Raises
        ------
        DataError
            If the disk is full or not writable.
        """
        with self._lock:
            self._merge_small()

    def _merge_small(self) -> None:
        small = [path for path in self._paths if _n_alerts(path) < _SMALL][:MANY_PARTS]
        if len(small) < MANY_PARTS:
            return
        self.save(
            PacketTables(
                *(pa.concat_tables([_read(path, kind) for path in small]) for kind in _SCHEMAS)
            )
        )
        for path in small:
            _remove(path)
            self._paths.remove(path)


def _n_alerts(path: Path) -> int:
    return pq.read_metadata(path / "alerts.parquet").num_rows


def _remove(path: Path) -> None:
    # Renamed first, so that a kill does not leave half a part.
    with temporary_beside(path, is_folder=True) as bin_folder:
        os.rename(path, bin_folder / path.name)


def _empty() -> PacketTables:
    return to_tables([])


def _read(path: Path, kind: str, columns: list[str] | None = None) -> pa.Table:
    file = path / f"{kind}.parquet"
    try:
        table = pq.ParquetFile(file, **READ_OPTIONS).read(columns)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{file}: not readable ({' '.join(str(error).split())[:100]}); move the folder "
            f"{path.name} away and consume its packets again with another group"
        ) from error
    return table.cast(_SCHEMAS[kind]) if columns is None else table
