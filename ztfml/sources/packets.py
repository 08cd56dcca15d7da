"""Alert packets in avro, and archives of them, into the parquet pair of a night.

ZTF writes one avro file a packet and distributes a night as a tar archive of some 10^5 of
them (https://ztf.uw.edu/alerts/public). Everything here streams: archives are not extracted,
and memory does not grow with the number of packets but for their candids.
"""

import csv
import gzip
import io
import itertools
import logging
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ztfml import schema
from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.io.progress import track
from ztfml.night import history_beside
from ztfml.schema import INDEXED_BY_OBJECT
from ztfml.sources.fetched_folder import Cutouts, fetched_beside, write_cutouts
from ztfml.sources.forced import forced_magnitude
from ztfml.sources.stamps import centre_stamp, read_stamp

log = logging.getLogger(__name__)

_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_AVRO_MAGIC = b"Obj\x01"
_GZIP_MAGIC = b"\x1f\x8b"

# Packets turned into Arrow at once (some 80 kB each as Python objects), rows of the alerts'
# row groups, and history rows kept before they go to disk.
_BATCH = 250
_ROW_GROUP = 5_000
_SPILL_ROWS = 200_000

# A large night has 10 million history rows, so that a part has some 150,000.
_N_PARTS = 64

# The fields of a candidate in schemas 1.3 to 4.02, in the packet's order, with its types
# (https://zwickytransientfacility.github.io/ztf-avro-alert/schema.html). fastavro can drop
# the fields that are not wanted while it reads (a reader's schema), but that costs more than
# it saves: 1.4 ms a packet without the cutouts, 0.8 ms with them.
_CANDIDATE_FIELDS = """
    jd:double fid:int pid:long diffmaglim:float pdiffimfilename:string programpi:string
    programid:int candid:long isdiffpos:string tblid:long nid:int rcid:int field:int
    xpos:float ypos:float ra:double dec:double magpsf:float sigmapsf:float chipsf:float
    magap:float sigmagap:float distnr:float magnr:float sigmagnr:float chinr:float
    sharpnr:float sky:float magdiff:float fwhm:float classtar:float mindtoedge:float
    magfromlim:float seeratio:float aimage:float bimage:float aimagerat:float
    bimagerat:float elong:float nneg:int nbad:int rb:float ssdistnr:float ssmagnr:float
    ssnamenr:string sumrat:float magapbig:float sigmagapbig:float ranr:double decnr:double
    sgmag1:float srmag1:float simag1:float szmag1:float sgscore1:float distpsnr1:float
    ndethist:int ncovhist:int jdstarthist:double jdendhist:double scorr:double tooflag:int
    objectidps1:long objectidps2:long sgmag2:float srmag2:float simag2:float szmag2:float
    sgscore2:float distpsnr2:float objectidps3:long sgmag3:float srmag3:float simag3:float
    szmag3:float sgscore3:float distpsnr3:float nmtchps:int rfid:long jdstartref:double
    jdendref:double nframesref:int rbversion:string dsnrms:float ssnrms:float dsdiff:float
    magzpsci:float magzpsciunc:float magzpscirms:float nmatches:int clrcoeff:float
    clrcounc:float zpclrcov:float zpmed:float clrmed:float clrrms:float neargaia:float
    neargaiabright:float maggaia:float maggaiabright:float exptime:float drb:float
    drbversion:string
"""
_HISTORY_FIELDS = """
    jd fid pid diffmaglim programid candid isdiffpos nid rcid field ra dec magpsf sigmapsf
    chipsf magap sigmagap distnr magnr sigmagnr chinr sharpnr sky magdiff fwhm classtar
    mindtoedge magfromlim seeratio aimage bimage aimagerat bimagerat elong nneg nbad rb
    ssdistnr ssmagnr ssnamenr sumrat magapbig sigmagapbig ranr decnr scorr magzpsci
    magzpsciunc magzpscirms
"""

_ARROW = {
    "double": pa.float64(),
    "float": pa.float32(),
    "int": pa.int32(),
    "long": pa.int64(),
    "string": pa.string(),
}
_CANDIDATE = pa.struct(
    [
        (name, _ARROW[kind])
        for name, kind in (field.split(":") for field in _CANDIDATE_FIELDS.split())
    ]
)
_PREVIOUS = pa.struct([_CANDIDATE.field(name) for name in _HISTORY_FIELDS.split()])
_KNOWN = set(_CANDIDATE.names)

_TOP_LEVEL = pa.schema(
    [("objectId", "string"), ("candid", "int64"), ("schemavsn", "string"), ("publisher", "string")]
)
_ALERTS_SCHEMA = pa.schema(
    [*_TOP_LEVEL, *(field.with_name(f"candidate.{field.name}") for field in _CANDIDATE)]
)
_HISTORY_SCHEMA = pa.schema([("objectId", "string"), *_PREVIOUS], metadata=INDEXED_BY_OBJECT)

# Which part of the merge a row goes to, and when the alert was that it came with.
_SPILL_SCHEMA = pa.schema([*_HISTORY_SCHEMA, ("part", "int32"), ("alert_jd", "float64")])

# Schemas before 1.7 held one PS1 match, named without the 1.
_NEW_NAME = {
    alias.removeprefix(column.prefix): column.name
    for column in schema.ALERT_COLUMNS
    for alias in column.aliases
}

_CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")

# True == 1 and False == 0 as keys, so that this covers booleans and numbers as well.
_SIGN = {"t": "t", "1": "t", 1: "t", "f": "f", "0": "f", 0: "f", None: None}


@dataclass(frozen=True)
class IngestSummary:
    """What became of the packets.

    Attributes
    ----------
    n_files : int
        Packet files and archive members looked at.
    n_alerts : int
        Rows written; a file may hold several packets.
    n_duplicates : int
        Packets whose candid was already written.
    n_skipped : int
        Unreadable or foreign files, members and archives.
    n_history : int
        History rows written.
    n_cutouts : int
        Alerts whose stamps were kept, of those of which stamps were wanted.
    skipped_path : Path or None
        ``NIGHT.skipped.csv`` beside the output (columns ``file``, ``reason``); None when
        nothing was skipped.
    """

    n_files: int
    n_alerts: int
    n_duplicates: int
    n_skipped: int
    n_history: int
    n_cutouts: int
    skipped_path: Path | None


def ingest(paths, output, cutouts=False):
    """Write avro packets as a night's parquet pair.

    Each packet is a row of the alerts, with all fields of its candidate as
    ``candidate.<field>``; fields that its schema does not have yet are null, and values are
    those of the packet (sentinels too: `Night` cleans them). The previous candidates of an
    object are merged over its alerts, each once. In schema 3.5 they are forced photometry,
    which is written as magnitudes and limits (Masci et al. 2023, arXiv:2305.16279: a
    detection from 3 sigma on, else the 5-sigma limit); in schemas 4.x forced photometry
    (``fp_hists``) comes beside them and is not written.

    Parameters
    ----------
    paths : str, Path or list of them
        Packets (``.avro``), archives of them (``.tar``, ``.tar.gz``, ``.tgz``), or folders
        of both, which are searched all the way down.
    output : str or Path
        The alerts' file, ``NIGHT.parquet``; the history goes to
        ``NIGHT_prv_candidates.parquet`` and what was passed over to ``NIGHT.skipped.csv``
        beside it.
    cutouts : bool
        Keep the stamps of each alert, too, as ``NIGHT_fetched/OBJECTID_CANDID.npz`` (some
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
    >>> ingest(["ztf_public_20240610.tar.gz"], "ztf_20240610.parquet")   # doctest: +SKIP
    IngestSummary(n_files=153489, n_alerts=153489, ...)
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    output = Path(output)
    if output.suffix != ".parquet":
        raise DataError(f"{output}: the output is a parquet file; name it NIGHT.parquet")
    files = _find_files(paths)
    reader = _PacketReader(fetched_beside(output) if cutouts else None)
    with (
        write_beside(output) as alerts_part,
        write_beside(history_beside(output)) as history_part,
        tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as folder,
    ):
        spill = _Spill(folder)
        n_alerts = _write_alerts(reader.batches(files), spill, alerts_part)
        if n_alerts == 0:
            raise DataError(_nothing_readable(paths, reader.skipped))
        n_history = _write_history(spill, history_part)
        skipped_path = _write_skipped(reader.skipped, output.with_suffix(".skipped.csv"))
    reader.log_left_out()
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


# --- from paths to avro files ----------------------------------------------------------


def _find_files(paths):
    files = []
    for path in map(Path, paths):
        if path.is_dir():
            files += sorted(file for file in path.rglob("*") if _is_input(file))
        elif path.is_file():
            files.append(path)
        else:
            raise DataError(
                f"{path}: there is no such file or folder; name avro packets, tar archives of "
                "them, or folders"
            )
    return files


def _is_input(path):
    wanted = path.name.endswith((".avro", *_ARCHIVES)) and not path.name.startswith(".")
    return wanted and path.is_file()


def _contents(files, skipped):
    """Yield the name and the bytes of each avro file and archive member."""
    for path in files:
        try:
            if path.name.endswith(_ARCHIVES):
                yield from _members(path)
            else:
                yield str(path), path.read_bytes()
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            reason = "cannot be read to its end, what comes before is kept"
            skipped.append((str(path), f"{reason} ({error})"))


def _members(path):
    # gzip.open notices that a file was cut anywhere; tarfile's own reader of compressed
    # streams takes a cut between two members for the end.
    opener = gzip.open if _is_gzipped(path) else open
    with opener(path, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # it remembers every member otherwise
            if member.isfile() and not Path(member.name).name.startswith("."):
                yield f"{path}/{member.name}", archive.extractfile(member).read()
        while stream.read(1 << 20):  # gzip checks its sum at the end of the file
            pass


def _is_gzipped(path):
    # The name does not tell: some download tools unpack a .tar.gz and keep its name.
    with open(path, "rb") as file:
        return file.read(2) == _GZIP_MAGIC


# --- from avro files to alerts ---------------------------------------------------------


class _Refused(Exception):
    """Why a file is passed over, in words."""


class _Alert(NamedTuple):
    """What is kept of a packet."""

    object_id: str
    candid: int
    schemavsn: str
    publisher: str
    candidate: dict
    previous: list
    stamps: list


class _PacketReader:
    """Reads alerts from files, and keeps account of what it passes over."""

    def __init__(self, cutouts_folder=None):
        self.n_files = 0
        self.n_duplicates = 0
        self.n_cutouts = 0
        self.skipped = []
        self._cutouts_folder = cutouts_folder
        self._n_without_cutouts = 0
        self._why_without = None
        self._seen = set()
        self._unknown = set()
        self._n_forced = 0

    def batches(self, files):
        """Yield tables of alerts and of their previous candidates, `_BATCH` packets each."""
        alerts = self._alerts(files)
        while batch := list(itertools.islice(alerts, _BATCH)):
            fit = [alert for _, alert in batch]
            try:
                tables = _tables(fit)
            except _UNFIT:
                fit = [alert for name, alert in batch if self._is_fit(name, alert)]
                tables = _tables(fit)
            if self._cutouts_folder is not None:
                for alert in fit:
                    self._keep_cutouts(alert)
            yield tables

    def log_left_out(self):
        """Say what the packets hold that is not written."""
        if self._unknown:
            log.warning("left out fields unknown here: %s", ", ".join(sorted(self._unknown)))
        if self._n_forced:
            log.info("left out %d rows of forced photometry (fp_hists)", self._n_forced)
        if self._n_without_cutouts:
            log.warning(
                "%d alerts have no stamps to keep; the first: %s",
                self._n_without_cutouts, self._why_without,
            )  # fmt: skip

    def _alerts(self, files):
        """Yield each alert with the name of its file, the first time it is met."""
        total = None if any(file.name.endswith(_ARCHIVES) for file in files) else len(files)
        for name, content in track(_contents(files, self.skipped), "reading packets", total):
            self.n_files += 1
            try:
                for packet, written_with in _read_avro(content):
                    alert = _read_packet(packet, written_with)
                    if alert.candid in self._seen:
                        self.n_duplicates += 1
                        continue
                    self._seen.add(alert.candid)
                    self._unknown |= alert.candidate.keys() - _KNOWN
                    self._n_forced += len(packet.get("fp_hists") or ())
                    yield name, alert
            except _Refused as reason:
                self.skipped.append((name, str(reason)))
            except _UNFIT as error:
                self.skipped.append((name, f"{_WRONG_TYPE} ({error})"))

    def _keep_cutouts(self, alert):
        try:
            place = alert.candidate.get("xpos"), alert.candidate.get("ypos")
            images = (centre_stamp(read_stamp(stamp), *place) for stamp in alert.stamps)
            stamps = Cutouts(alert.candid, *images)
            write_cutouts(self._cutouts_folder, alert.object_id, stamps)
            self.n_cutouts += 1
        except DataError as error:
            self._n_without_cutouts += 1
            self._why_without = self._why_without or f"alert {alert.candid}: {error}"

    def _is_fit(self, name, alert):
        try:
            _tables([alert])
        except _UNFIT as error:
            self.skipped.append((name, f"{_WRONG_TYPE} ({error})"))
            return False
        return True


def _read_avro(content):
    """Yield the records of an avro file, each with the schema it was written with."""
    if not content:
        raise _Refused("empty file")
    if not content.startswith(_AVRO_MAGIC):
        raise _Refused("not an avro file")
    # What fastavro raises on damaged bytes is of many kinds: IndexError, EOFError,
    # struct.error, UnicodeDecodeError, OverflowError, ...
    try:
        reader = fastavro.block_reader(io.BytesIO(content))
        blocks = list(reader)
    except Exception as error:
        raise _Refused(f"avro file cut short or damaged ({error})") from error
    if not blocks:
        raise _Refused("no packet in it")
    for block in blocks:
        records = iter(block)
        while True:
            try:
                record = next(records)
            except StopIteration:
                break
            except Exception as error:
                raise _Refused(f"avro record damaged ({error})") from error
            yield record, reader.writer_schema


def _read_packet(packet, written_with):
    candidate = packet.get("candidate") if isinstance(packet, dict) else None
    if not isinstance(candidate, dict):
        raise _Refused(f"no ZTF alert: {_record_name(written_with)} has no candidate record")
    object_id = _object_id(packet)
    for field in ("jd", "fid", "magpsf"):
        if candidate.get(field) is None:
            raise _Refused(f"no ZTF alert: the candidate has no {field}")
    # ALeRCE writes the candid in the candidate only. Before 2017 candids are negative:
    # they begin with the number of nights since 2017-01-01, and are unique all the same.
    candid = packet.get("candid") or candidate.get("candid")
    if not isinstance(candid, int):
        raise _Refused("no ZTF alert: it has no candid")
    _harmonise(candidate)
    candidate["candid"] = candid
    version = packet.get("schemavsn") or written_with.get("version")
    return _Alert(
        object_id,
        candid,
        version,
        packet.get("publisher"),
        candidate,
        [_previous(row) for row in packet.get("prv_candidates") or ()],
        [_stamp(packet.get(cutout)) for cutout in _CUTOUTS],
    )


def _stamp(cutout):
    # Some brokers write the bytes themselves in place of ZTF's record of them.
    return cutout.get("stampData") if isinstance(cutout, dict) else cutout


def _record_name(avro_schema):
    return f"record {avro_schema['name']}" if "name" in avro_schema else "it"


def _object_id(packet):
    # Schemas before 1.3 know no objects: each alert is one of its own.
    object_id = packet.get("objectId") or packet.get("alertId")
    if object_id is None:
        raise _Refused("no ZTF alert: it has no objectId")
    if "objectId" in packet and not str(object_id).startswith("ZTF"):
        raise _Refused(f"no ZTF alert: object {object_id} belongs to another survey")
    return str(object_id)


def _harmonise(candidate):
    """Give a candidate the names and spellings of the newest schema."""
    candidate["isdiffpos"] = _SIGN.get(candidate.get("isdiffpos"))
    for old, new in _NEW_NAME.items():
        if old in candidate:
            candidate.setdefault(new, candidate.pop(old))


def _previous(row):
    if "forcediffimflux" in row:
        flux, error = row["forcediffimflux"], row.get("forcediffimfluxunc")
        # A flux that could not be measured leaves the exposure with the limit of its image.
        row.update(forced_magnitude(flux, error, row.get("magzpsci")))
    row["isdiffpos"] = _SIGN.get(row.get("isdiffpos"))
    return row


# --- from alerts to Arrow ----------------------------------------------------------------

# What values of another type than ZTF's raise here and in Arrow.
_UNFIT = (pa.ArrowException, ValueError, TypeError, AttributeError, OverflowError)
_WRONG_TYPE = "no ZTF alert: a value is of the wrong type"


def _tables(alerts):
    object_id = pa.array([alert.object_id for alert in alerts], pa.string())
    candidates = pa.array([alert.candidate for alert in alerts], _CANDIDATE)
    rows = pa.array([alert.previous for alert in alerts], pa.list_(_PREVIOUS))
    part = pa.array([_part(alert.object_id) for alert in alerts], pa.int32())
    parent = pc.list_parent_indices(rows)
    alerts_table = pa.table(
        [
            object_id,
            pa.array([alert.candid for alert in alerts], pa.int64()),
            pa.array([alert.schemavsn for alert in alerts], pa.string()),
            pa.array([alert.publisher for alert in alerts], pa.string()),
            *candidates.flatten(),
        ],
        schema=_ALERTS_SCHEMA,
    )
    history_table = pa.table(
        [
            object_id.take(parent),
            *rows.flatten().flatten(),
            part.take(parent),
            candidates.field("jd").take(parent),
        ],
        schema=_SPILL_SCHEMA,
    )
    return alerts_table, history_table


def _part(object_id):
    return zlib.crc32(object_id.encode()) % _N_PARTS


# --- from Arrow to files -----------------------------------------------------------------


def _write_alerts(batches, spill, path):
    """Write the alerts, and put their previous candidates on disk to be merged."""
    n_alerts = 0
    waiting, n_waiting = [], 0
    with pq.ParquetWriter(path, _ALERTS_SCHEMA, compression="zstd") as writer:
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
    with pq.ParquetWriter(path, _HISTORY_SCHEMA, compression="zstd") as writer:
        for table in track(spill.parts(), "merging histories", _N_PARTS):
            merged = _merge(table)
            writer.write_table(merged)
            n_rows += len(merged)
    return n_rows


class _Spill:
    """History rows on disk, in parts that hold all rows of their objects.

    Consecutive alerts of an object ship the same rows again, perhaps hours apart in the
    stream, and a night's rows do not fit into memory. So they are dealt by a hash of the
    objectId into a fixed number of files, which are then merged one at a time.
    """

    def __init__(self, folder):
        self._folder = Path(folder)
        self._files = {}
        self._waiting = []
        self._n_waiting = 0

    def add(self, rows):
        self._waiting.append(rows)
        self._n_waiting += len(rows)
        if self._n_waiting >= _SPILL_ROWS:
            self._flush()

    def parts(self):
        """Yield the rows of each part."""
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
        bounds = np.searchsorted(part[order], np.arange(_N_PARTS + 1))
        for k in range(_N_PARTS):
            if bounds[k + 1] > bounds[k]:
                self._file(k).write_table(rows.slice(bounds[k], bounds[k + 1] - bounds[k]))
        self._waiting, self._n_waiting = [], 0

    def _file(self, part):
        if part not in self._files:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            self._files[part] = pa.ipc.new_stream(
                str(self._path(part)), _SPILL_SCHEMA, options=options
            )
        return self._files[part]

    def _path(self, part):
        return self._folder / f"{part}.arrow"


def _merge(rows):
    """Keep one row for each object, exposure and candidate, sorted by object and time.

    Of several rows the one that came with the earliest alert stays: a later alert can
    change nothing in what an earlier one has seen. Non-detections have no candid and are
    one for each exposure (pid); two candidates in one exposure both stay.
    """
    encoded = rows["objectId"].combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_numpy(zero_copy_only=False)
    object_code = np.argsort(np.argsort(names))[encoded.indices.to_numpy()]
    jd = rows["jd"].to_numpy()
    pid = rows["pid"].fill_null(0).to_numpy()
    # Without a pid the start of the exposure has to tell exposures apart.
    exposure = np.where(pid == 0, jd.view(np.int64), pid)
    candid = rows["candid"].fill_null(0).to_numpy()
    order = np.lexsort((rows["alert_jd"].to_numpy(), candid, exposure, object_code))
    key = np.stack([object_code, exposure, candid])[:, order]
    first = np.concatenate([[True], (key[:, 1:] != key[:, :-1]).any(axis=0)])
    keep = order[first]
    keep = keep[np.lexsort((candid[keep], exposure[keep], jd[keep], object_code[keep]))]
    return rows.select(_HISTORY_SCHEMA.names).take(pa.array(keep)).cast(_HISTORY_SCHEMA)


def _write_skipped(skipped, path):
    if not skipped:
        path.unlink(missing_ok=True)  # of an earlier run
        return None
    with write_beside(path) as part, open(part, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "reason"])
        writer.writerows(skipped)
    return path
