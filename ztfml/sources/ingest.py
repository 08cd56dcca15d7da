"""Write avro alert packets as the parquet pair of a night.

ZTF writes one avro file per packet and distributes a night as a tar archive of about 100,000 of
them (https://ztf.uw.edu/alerts/public). Packets are read as a stream: archives are not extracted,
and memory grows only with the number of candids.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import joblib

from ztfml.errors import DataError
from ztfml.io.progress import track
from ztfml.sources.archives import ARCHIVE_SUFFIXES, contents_of, find_files
from ztfml.sources.decode import decode_in_processes
from ztfml.sources.packet_night import NoAlertsError, night_files, write_packet_night
from ztfml.sources.packet_tables import PacketTables
from ztfml.sources.remarks import Remarks

log = logging.getLogger(__name__)


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
        Files and parts of archives that are damaged or not from ZTF.
    n_history : int
        History rows written.
    n_cutouts : int
        Alerts whose image stamps were written.
    skipped_path : Path or None
        ``NIGHT.skipped.csv`` beside the output (columns ``file``, ``reason``); None if nothing
        was skipped.
    n_forced : int
        Rows of forced photometry written.

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
    n_forced: int = 0


def ingest(
    paths: str | Path | Iterable[str | Path],
    output: str | Path,
    cutouts: bool = False,
    jobs: int | None = None,
) -> IngestSummary:
    """Write avro packets as the parquet pair of a night.

    Each packet becomes one row of the alerts, with all fields of its candidate as
    ``candidate.<field>``. Fields that its schema does not have are null, and values are
    unchanged (including sentinels, which `Night` converts). The previous candidates of an object
    are merged over its alerts, each once. Fluxes become magnitudes and limits: those of BOOM and
    Babamul, and in schema 3.5, whose previous candidates are forced photometry (Masci et al.
    2023, arXiv:2305.16279: a detection from 3 sigma, else the 5-sigma limit). The separate
    forced photometry of schemas 4.x and of BOOM (``fp_hists``) becomes a file of its own, with
    differences in nJy. Rows with a processing status other than 0 are left out.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Packets (``.avro``, ``.avro.gz``), archives of them (``.tar``, ``.tar.gz``, ``.tgz``), or
        folders of both, which are searched recursively. Messages without a schema are read
        with a schema in the same folder (``*.avsc``, ``*schema*.json``).
    output : str or Path
        The alerts' file, ``NIGHT.parquet``. The history goes to
        ``NIGHT_prv_candidates.parquet`` beside it, forced photometry, if there is any, to
        ``NIGHT_fp_hists.parquet``, and the list of skipped files to ``NIGHT.skipped.csv``.
    cutouts : bool
        Also write the stamps of each alert, as ``NIGHT_fetched/OBJECTID_CANDID.npz`` (about
        40 kB each).
    jobs : int, optional
        Number of processes that decode packets; by default the number of cores. The result does
        not depend on it.

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
    reader = _PacketReader(output if cutouts else None)
    tables = reader.tables(files, joblib.cpu_count() if jobs is None else jobs)
    try:
        rows = write_packet_night(tables, output, reader.skipped)
    except NoAlertsError as error:
        raise DataError(_nothing_readable(paths, reader.skipped)) from error
    reader.log_remarks(str(paths[0]) if len(paths) == 1 else f"{paths[0]}, ...")
    return IngestSummary(
        reader.n_files,
        rows.alerts,
        reader.n_duplicates,
        len(reader.skipped),
        rows.history,
        reader.n_cutouts,
        night_files(output)[3] if reader.skipped else None,
        rows.forced,
    )


def _nothing_readable(paths, skipped):
    names = ", ".join(map(str, paths[:3])) + (", ..." if len(paths) > 3 else "")
    found = f"the first of {len(skipped)}: {skipped[0][1]}" if skipped else "no .avro or .tar there"
    return f"{names}: no readable ZTF packet ({found}); name packets, or a folder or tar of them"


class _PacketReader:
    """Reads alerts from files, and counts what it skips."""

    def __init__(self, cutouts_of: Path | None = None) -> None:
        self.n_files = 0
        self.n_duplicates = 0
        self.n_cutouts = 0
        self.skipped: list[tuple[str, str]] = []
        self._cutouts_of = cutouts_of
        self._seen: set[int] = set()
        self._unknown_fields: set[str] = set()
        self._remarks = Remarks()

    def tables(self, files: list[Path], jobs: int) -> Iterator[PacketTables]:
        """Yield the alerts of all files, each candid once."""
        total = None if any(file.name.endswith(ARCHIVE_SUFFIXES) for file in files) else len(files)
        contents = track(contents_of(files), "reading packets", total)
        n_bytes = sum(file.stat().st_size for file in files)
        with_stamps = self._cutouts_of is not None
        for batch in decode_in_processes(contents, jobs, n_bytes, with_stamps):
            self.n_files += batch.n_files
            self.skipped += batch.skipped
            self._unknown_fields |= batch.unknown_fields
            self._remarks.update(batch.remarks)
            rows = [k for k, candid in enumerate(batch.candids) if self._is_new(candid)]
            for k in rows if batch.stamps else ():
                self._write_cutouts(*batch.stamps[k])
            yield batch.tables if len(rows) == len(batch.candids) else batch.tables.select(rows)

    def log_remarks(self, name: str) -> None:
        """Log what was left out, converted or unreadable.

        Parameters
        ----------
        name : str
            What was read.
        """
        if self._unknown_fields:
            log.warning("omitted unknown fields: %s", ", ".join(sorted(self._unknown_fields)))
        self._remarks.log(log, name)

    def _is_new(self, candid):
        if candid in self._seen:
            self.n_duplicates += 1
            return False
        self._seen.add(candid)
        return True

    def _write_cutouts(self, object_id, candid, position, stamps):
        # Imported here because pandas and numba take a second, and cutouts are rarely written.
        from ztfml.sources.fetched_folder import Cutouts, fetched_beside, write_cutouts
        from ztfml.sources.stamps import centre_stamp, read_stamp

        try:
            images = (centre_stamp(read_stamp(stamp), *position) for stamp in stamps)
            write_cutouts(fetched_beside(self._cutouts_of), object_id, Cutouts(candid, *images))
            self.n_cutouts += 1
        except DataError as error:
            self._remarks.add("alerts have no readable stamps", f"alert {candid}: {error}")
