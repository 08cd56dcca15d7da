"""Previous candidates of many alerts, merged per object with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from ztfml.sources.packet_tables import N_PARTS, with_origin

# Number of rows that are kept in memory before they are written to disk.
_SPILL_ROWS = 200_000


class HistorySpill:
    """History rows on disk, in parts that contain all rows of their objects.

    Successive alerts of an object repeat the same rows, perhaps hours apart in the stream, and
    the rows of a night do not fit into memory. A hash of the objectId assigns each row to one
    of a fixed number of files, which are then merged one at a time.

    Parameters
    ----------
    folder : str or Path
        An existing folder for temporary files.
    schema : pyarrow.Schema
        Columns of the rows, without their origin.

    Examples
    --------
    >>> from ztfml.sources.packet_tables import HISTORY_SCHEMA
    >>> spill = HistorySpill(".", HISTORY_SCHEMA)
    >>> list(spill.parts())
    []
    """

    def __init__(self, folder: str | Path, schema: pa.Schema) -> None:
        self._folder = Path(folder)
        self._schema = with_origin(schema)
        self._files = {}
        self._waiting = []
        self._n_waiting = 0

    def add(self, rows: pa.Table) -> None:
        """Add rows with the columns of the schema and their origin."""
        self._waiting.append(rows)
        self._n_waiting += len(rows)
        if self._n_waiting >= _SPILL_ROWS:
            self._flush()

    def parts(self) -> Iterator[pa.Table]:
        """Yield the rows of each part, and delete its file."""
        self._flush()
        for file in self._files.values():
            file.close()
        for part in sorted(self._files):
            path = self._path(part)
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                yield stream.read_all()
            path.unlink()

    def _flush(self):
        if not self._n_waiting:
            return
        rows = pa.concat_tables(self._waiting)
        part = rows["part"].to_numpy()
        order = np.argsort(part, kind="stable")
        rows = rows.take(pa.array(order))
        bounds = np.searchsorted(part[order], np.arange(N_PARTS + 1))
        for k in range(N_PARTS):
            if bounds[k + 1] > bounds[k]:
                self._file(k).write_table(rows.slice(bounds[k], bounds[k + 1] - bounds[k]))
        self._waiting, self._n_waiting = [], 0

    def _file(self, part):
        if part not in self._files:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._files[part] = pa.ipc.new_stream(
                str(self._path(part)), self._schema, options=options
            )
        return self._files[part]

    def _path(self, part):
        return self._folder / f"{part}.arrow"


def merge_rows(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Keep one row for each object, exposure and candidate, sorted by object and time.

    If several alerts contain a row, that of the earliest alert is kept, so that a later alert
    does not change the history of an earlier one. Non-detections have no candid: one is kept
    for each exposure (pid). Two candidates in one exposure are both kept; without a candid, as
    in the stream of Babamul, their magnitudes differ.

    Parameters
    ----------
    rows : pyarrow.Table
        Columns of ``with_origin(schema)``, with all rows of the objects in it.
    schema : pyarrow.Schema
        Columns of the result; `jd`, `pid` and, if there is one, `candid` identify a row.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> from ztfml.sources.packet_tables import HISTORY_SCHEMA
    >>> row = {"objectId": "ZTF18abukavn", "jd": 2459000.5, "pid": 7}
    >>> earlier = row | {"alert_jd": 2459001.5, "rb": 0.25}
    >>> later = row | {"alert_jd": 2459003.5, "rb": 0.75}
    >>> rows = pa.Table.from_pylist([later, earlier], schema=with_origin(HISTORY_SCHEMA))
    >>> merge_rows(rows, HISTORY_SCHEMA)["rb"].to_pylist()
    [0.25]
    """
    encoded = rows["objectId"].combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_numpy(zero_copy_only=False)
    object_code = np.argsort(np.argsort(names))[encoded.indices.to_numpy()]
    jd = rows["jd"].to_numpy()
    pid = rows["pid"].fill_null(0).to_numpy()
    # Without a pid, the start of the exposure identifies the exposure.
    exposure = np.where(pid == 0, jd.view(np.int64), pid)
    has_candid = "candid" in rows.column_names  # Forced photometry has none.
    candid = rows["candid"].fill_null(0).to_numpy() if has_candid else np.zeros(len(rows), int)
    if has_candid:
        magpsf = rows["magpsf"].cast(pa.float64()).fill_null(0.0).to_numpy()
        candid = np.where(candid == 0, magpsf.view(np.int64), candid)
    order = np.lexsort((rows["alert_jd"].to_numpy(), candid, exposure, object_code))
    key = np.stack([object_code, exposure, candid])[:, order]
    first = np.concatenate([[True], (key[:, 1:] != key[:, :-1]).any(axis=0)])
    keep = order[first]
    keep = keep[np.lexsort((candid[keep], exposure[keep], jd[keep], object_code[keep]))]
    return rows.select(schema.names).take(pa.array(keep)).cast(schema)
