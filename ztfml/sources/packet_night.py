"""Write tables of packets as the parquet pair of a night, with bounded memory."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.atomic import write_together
from ztfml.io.companions import companion, forced_beside, history_beside
from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.io.parquet import WRITE_OPTIONS
from ztfml.io.progress import track
from ztfml.io.safe_text import safe_cell
from ztfml.io.temporary import temporary_beside
from ztfml.lightcurves.forced_table import one_row_per_exposure
from ztfml.sources.merge_history import HistorySpill, merge_rows
from ztfml.sources.packet_tables import ALERTS_SCHEMA, HISTORY_SCHEMA, N_PARTS, PacketTables

# Rows per row group of the alerts' file.
_ROW_GROUP = 5_000


class NoAlertsError(DataError):
    """There is no alert to write.

    >>> issubclass(NoAlertsError, DataError)
    True
    """


class NightRows(NamedTuple):
    """Numbers of rows in the files of a night.

    Parameters
    ----------
    alerts, history, forced : int

    Examples
    --------
    >>> NightRows(300, 9000, 0).history
    9000
    """

    alerts: int
    history: int
    forced: int


def night_files(output: Path) -> tuple[Path, Path, Path, Path]:
    """Return the paths of all files that are written or removed together.

    Parameters
    ----------
    output : Path
        The file of the alerts.

    Returns
    -------
    tuple of Path
        Alerts, history, forced photometry and the list of skipped files.

    Examples
    --------
    >>> [path.name for path in night_files(Path("a.parquet"))][2:]
    ['a_fp_hists.parquet', 'a.skipped.csv']
    """
    skipped = companion(output, ".skipped.csv")
    return output, history_beside(output), forced_beside(output), skipped


def write_packet_night(
    batches: Iterable[PacketTables], output: Path, skipped: Sequence[tuple[str, str]] = ()
) -> NightRows:
    """Write tables of packets as a night; previous candidates are merged over its alerts.

    Parameters
    ----------
    batches : iterable of PacketTables
        Each candid once. The alerts keep their order.
    output : Path
        The file of the alerts; see `night_files`.
    skipped : sequence of (str, str)
        Names of packets that were not read, with the reasons. It is used after the last batch.

    Returns
    -------
    NightRows

    Raises
    ------
    NoAlertsError
        If there are no alerts; then nothing is written.
    DataError
        If the output cannot be written.

    Examples
    --------
    >>> from ztfml.sources.packet_tables import to_tables
    >>> write_packet_night([to_tables([])], Path("empty.parquet"))
    Traceback (most recent call last):
    ...
    ztfml.sources.packet_night.NoAlertsError: empty.parquet: there are no alerts to write
    """
    with (
        write_together(*night_files(output)) as (alerts_part, history_part, forced_part, list_part),
        temporary_beside(output, is_folder=True) as folder,
    ):
        history, forced = (_spill(folder, schema) for schema in (HISTORY_SCHEMA, FORCED_SCHEMA))
        n_alerts = _write_alerts(batches, history, forced, alerts_part)
        if n_alerts == 0:
            raise NoAlertsError(f"{output}: there are no alerts to write")
        n_history = _write_rows(_merged(history, HISTORY_SCHEMA), HISTORY_SCHEMA, history_part)
        measured = (one_row_per_exposure(part) for part in _merged(forced, FORCED_SCHEMA))
        n_forced = _write_rows(measured, FORCED_SCHEMA, forced_part)
        if n_forced == 0:
            forced_part.unlink()
        _write_skipped(skipped, list_part)
    return NightRows(n_alerts, n_history, n_forced)


def _spill(folder: Path, schema: pa.Schema) -> HistorySpill:
    part = folder / ("history" if schema is HISTORY_SCHEMA else "forced")
    part.mkdir()
    return HistorySpill(part, schema)


def _write_alerts(batches, history, forced, path):
    """Write the alerts, and give their previous candidates and forced photometry to the merge."""
    n_alerts = 0
    waiting, n_waiting = [], 0
    with pq.ParquetWriter(path, ALERTS_SCHEMA, **WRITE_OPTIONS) as writer:
        for tables in batches:
            history.add(tables.history)
            forced.add(tables.forced)
            waiting.append(tables.alerts)
            n_alerts += len(tables.alerts)
            n_waiting += len(tables.alerts)
            if n_waiting >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting, n_waiting = [], 0
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
    return n_alerts


def _merged(spill: HistorySpill, schema: pa.Schema) -> Iterator[pa.Table]:
    for table in track(spill.parts(), "merging histories", N_PARTS):
        yield merge_rows(table, schema)


def _write_rows(tables, schema, path):
    n_rows = 0
    with pq.ParquetWriter(path, schema, **WRITE_OPTIONS) as writer:
        for table in tables:
            writer.write_table(table)
            n_rows += len(table)
    return n_rows


def _write_skipped(skipped, path):
    if not skipped:
        path.unlink()
        return
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "reason"])
        writer.writerows([[safe_cell(cell) for cell in row] for row in skipped])
