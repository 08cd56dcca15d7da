"""Write avro alert packets as the parquet pair of a night.

ZTF writes one avro file per packet and distributes a night as a tar archive of about 100,000 of
them (https://ztf.uw.edu/alerts/public). Packets are read as a stream: archives are not extracted,
and memory grows only with the number of candids.
"""

from __future__ import annotations

import csv
import itertools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside, write_together
from ztfml.io.companions import history_beside
from ztfml.io.progress import track
from ztfml.io.safe_text import safe_cell
from ztfml.io.temporary import temporary_beside
from ztfml.sources.archives import ARCHIVE_SUFFIXES, contents_of, find_files
from ztfml.sources.avro_packets import (
    PacketAlert,
    RejectedPacketError,
    read_packet,
    read_records,
)
from ztfml.sources.fetched_folder import Cutouts, fetched_beside, write_cutouts
from ztfml.sources.merge_history import HistorySpill, merge_rows
from ztfml.sources.packet_tables import (
    ALERTS_SCHEMA,
    CONVERSION_ERRORS,
    HISTORY_SCHEMA,
    KNOWN_FIELDS,
    N_PARTS,
    to_tables,
)
from ztfml.sources.stamps import centre_stamp, read_stamp

log = logging.getLogger(__name__)

# Packets converted to Arrow together (each takes about 80 kB as Python objects), and rows per
# row group of the alerts' file.
_BATCH = 250
_ROW_GROUP = 5_000

_WRONG_TYPE = "not a ZTF alert: a value has the wrong type"


@dataclass(frozen=True)
class IngestSummary:
    """Numbers of packets that were read, written and skipped.

    Parameters
    ----------
    n_files : int
        Packet files and archive members that were examined.
    n_alerts : int
        Alerts written; a file may contain several packets.
    n_duplicates : int
        Packets whose candid had already been written.
    n_skipped : int
        Files, archive members and archives that are damaged or not from ZTF.
    n_history : int
        History rows written.
    n_cutouts : int
        Alerts whose image stamps were written.
    skipped_path : Path or None
        ``NIGHT.skipped.csv`` beside the output (columns ``file``, ``reason``); None if nothing
        was skipped.

    Examples
    --------
    >>> IngestSummary(1, 1, 0, 0, 12, 0, None).n_history
    12
    """

    n_files: int
    n_alerts: int
    n_duplicates: int
    n_skipped: int
    n_history: int
    n_cutouts: int
    skipped_path: Path | None


def ingest(
    paths: str | Path | Iterable[str | Path], output: str | Path, cutouts: bool = False
) -> IngestSummary:
    """Write avro packets as the parquet pair of a night.

    Each packet becomes one row of the alerts, with all fields of its candidate as
    ``candidate.<field>``. Fields that its schema does not have are null, and values are
    unchanged (including sentinels, which `Night` converts). The previous candidates of an object
    are merged over its alerts, each once. In schema 3.5 they are forced photometry, which is
    written as magnitudes and limits (Masci et al. 2023, arXiv:2305.16279: a detection from
    3 sigma, else the 5-sigma limit). The separate forced photometry of schemas 4.x
    (``fp_hists``) is not written.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Packets (``.avro``), archives of them (``.tar``, ``.tar.gz``, ``.tgz``), or folders of
        both, which are searched recursively.
    output : str or Path
        The alerts' file, ``NIGHT.parquet``. The history goes to
        ``NIGHT_prv_candidates.parquet`` beside it, and the list of skipped files to
        ``NIGHT.skipped.csv``.
    cutouts : bool
        Also write the stamps of each alert, as ``NIGHT_fetched/OBJECTID_CANDID.npz`` (about
        40 kB each).

    Returns
    -------
    IngestSummary

    Raises
    ------
    DataError
        If a path does not exist, no packet can be read, or the output cannot be written.

    Examples
    --------
    >>> ingest(["packets"], "night.csv")
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: night.csv: the output is a parquet file; name it NIGHT.parquet
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    output = Path(output)
    if output.suffix != ".parquet":
        raise DataError(f"{output}: the output is a parquet file; name it NIGHT.parquet")
    files = find_files(paths)
    reader = _PacketReader(fetched_beside(output) if cutouts else None)
    with (
        write_together(output, history_beside(output)) as (alerts_part, history_part),
        temporary_beside(output, is_folder=True) as folder,
    ):
        spill = HistorySpill(folder)
        n_alerts = _write_alerts(reader.batches(files), spill, alerts_part)
        if n_alerts == 0:
            raise DataError(_nothing_readable(paths, reader.skipped))
        n_history = _write_history(spill, history_part)
        skipped_path = _write_skipped(reader.skipped, output.with_suffix(".skipped.csv"))
    reader.log_omitted()
    return IngestSummary(
        reader.n_files,
        n_alerts,
        reader.n_duplicates,
        len(reader.skipped),
        n_history,
        reader.n_cutouts,
        skipped_path,
    )


def _nothing_readable(paths, skipped):
    names = ", ".join(map(str, paths[:3])) + (", ..." if len(paths) > 3 else "")
    found = f"the first of {len(skipped)}: {skipped[0][1]}" if skipped else "no .avro or .tar there"
    return f"{names}: no readable ZTF packet ({found}); name packets, or a folder or tar of them"


class _PacketReader:
    """Reads alerts from files, and counts what it skips."""

    def __init__(self, cutouts_folder: Path | None = None) -> None:
        self.n_files = 0
        self.n_duplicates = 0
        self.n_cutouts = 0
        self.skipped: list[tuple[str, str]] = []
        self._cutouts_folder = cutouts_folder
        self._n_without_cutouts = 0
        self._first_without_cutouts: str | None = None
        self._seen: set[int] = set()
        self._unknown_fields: set[str] = set()
        self._n_forced = 0

    def batches(self, files: list[Path]) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Yield tables of alerts and of their previous candidates, `_BATCH` packets each."""
        named_alerts = self._alerts(files)
        while batch := list(itertools.islice(named_alerts, _BATCH)):
            alerts = [alert for _, alert in batch]
            try:
                tables = to_tables(alerts)
            except CONVERSION_ERRORS:
                alerts = [alert for name, alert in batch if self._is_convertible(name, alert)]
                tables = to_tables(alerts)
            if self._cutouts_folder is not None:
                for alert in alerts:
                    self._write_cutouts(self._cutouts_folder, alert)
            yield tables

    def log_omitted(self) -> None:
        """Log which contents of the packets were not written."""
        if self._unknown_fields:
            log.warning("omitted unknown fields: %s", ", ".join(sorted(self._unknown_fields)))
        if self._n_forced:
            log.info("omitted %d rows of forced photometry (fp_hists)", self._n_forced)
        if self._n_without_cutouts:
            log.warning(
                "%d alerts have no readable stamps; the first: %s",
                self._n_without_cutouts, self._first_without_cutouts,
            )  # fmt: skip

    def _alerts(self, files: list[Path]) -> Iterator[tuple[str, PacketAlert]]:
        """Yield each alert with the name of its file; repeated candids only once."""
        total = None if any(file.name.endswith(ARCHIVE_SUFFIXES) for file in files) else len(files)
        for name, content in track(contents_of(files, self.skipped), "reading packets", total):
            self.n_files += 1
            try:
                for packet, avro_schema in read_records(content):
                    alert = read_packet(packet, avro_schema)
                    if alert.candid in self._seen:
                        self.n_duplicates += 1
                        continue
                    self._seen.add(alert.candid)
                    self._unknown_fields |= alert.candidate.keys() - KNOWN_FIELDS
                    self._n_forced += alert.n_forced
                    yield name, alert
            except RejectedPacketError as reason:
                self.skipped.append((name, str(reason)))
            except CONVERSION_ERRORS as error:
                self.skipped.append((name, f"{_WRONG_TYPE} ({error})"))

    def _write_cutouts(self, folder: Path, alert: PacketAlert) -> None:
        try:
            position = alert.candidate.get("xpos"), alert.candidate.get("ypos")
            images = (centre_stamp(read_stamp(stamp), *position) for stamp in alert.stamps)
            stamps = Cutouts(alert.candid, *images)
            write_cutouts(folder, alert.object_id, stamps)
            self.n_cutouts += 1
        except DataError as error:
            self._n_without_cutouts += 1
            if self._first_without_cutouts is None:
                self._first_without_cutouts = f"alert {alert.candid}: {error}"

    def _is_convertible(self, name: str, alert: PacketAlert) -> bool:
        try:
            to_tables([alert])
        except CONVERSION_ERRORS as error:
            self.skipped.append((name, f"{_WRONG_TYPE} ({error})"))
            return False
        return True


def _write_alerts(batches, spill, path):
    """Write the alerts, and give their previous candidates to the merge."""
    n_alerts = 0
    waiting, n_waiting = [], 0
    with pq.ParquetWriter(path, ALERTS_SCHEMA, compression="zstd") as writer:
        for alerts, rows in batches:
            spill.add(rows)
            waiting.append(alerts)
            n_alerts += len(alerts)
            n_waiting += len(alerts)
            if n_waiting >= _ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting, n_waiting = [], 0
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
    return n_alerts


def _write_history(spill, path):
    n_rows = 0
    with pq.ParquetWriter(path, HISTORY_SCHEMA, compression="zstd") as writer:
        for table in track(spill.parts(), "merging histories", N_PARTS):
            merged = merge_rows(table)
            writer.write_table(merged)
            n_rows += len(merged)
    return n_rows


def _write_skipped(skipped, path):
    if not skipped:
        path.unlink(missing_ok=True)  # Written by an earlier run.
        return None
    with write_beside(path) as part, open(part, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "reason"])
        writer.writerows([[safe_cell(cell) for cell in row] for row in skipped])
    return path
