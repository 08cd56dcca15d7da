"""Decode packet files to tables: by compiled code, or packet by packet in several processes."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ztfml.sources.archives import AVRO_MAGIC, PacketFile, find_schemas
from ztfml.sources.avro_files import BadAvroError, read_records
from ztfml.sources.avro_packets import PacketAlert, RejectedPacketError, read_packet
from ztfml.sources.packet_tables import CONVERSION_ERRORS, KNOWN_FIELDS, PacketTables, to_tables
from ztfml.sources.remarks import Remarks

log = logging.getLogger(__name__)

# Packets converted to Arrow together (each takes about 80 kB as Python objects).
_BATCH = 250
# For fewer packets, starting the compiled code takes longer than reading packet by packet.
_FEW = 100
# A task for a worker. Larger files are decoded in this process, batch by batch, so that the memory
# of a file with a million packets is bounded.
_TASK_BYTES = 16_000_000
# Workers take about 1 s to start, the time in which one process decodes this many bytes.
_PARALLEL_BYTES = 64_000_000
# Tasks that wait for a worker, so that reading does not fill the memory.
_WAITING_TASKS = 2

_WRONG_TYPE = "not a ZTF alert: a value has the wrong type"


@dataclass
class DecodedBatch:
    """The alerts of some packet files.

    Parameters
    ----------
    tables : PacketTables
    candids : list of int
        Of the alerts in the tables.
    stamps : list of tuple
        Object, candid, position (`xpos`, `ypos`) and the three stamps of each alert, if they are
        needed.
    n_files : int
        Packet files and archive members that were examined.
    skipped : list of (str, str)
        Name and reason of each file that is damaged or not from ZTF.
    unknown_fields : set of str
    remarks : Remarks

    Examples
    --------
    >>> next(decode([PacketFile("a.avro", b"text", ".")])).skipped
    [('a.avro', 'not an avro file')]
    """

    tables: PacketTables = field(default_factory=lambda: to_tables([]))
    candids: list[int] = field(default_factory=list)
    stamps: list[tuple] = field(default_factory=list)
    n_files: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    unknown_fields: set[str] = field(default_factory=set)
    remarks: Remarks = field(default_factory=Remarks)


def decode(files: Iterable[PacketFile], with_stamps: bool = False) -> Iterator[DecodedBatch]:
    """Decode packet files in this process.

    Parameters
    ----------
    files : iterable of PacketFile
    with_stamps : bool
        Whether to keep the image stamps.

    Yields
    ------
    DecodedBatch
        At most 250 alerts each.

    Examples
    --------
    >>> [batch.n_files for batch in decode([])]
    [0]
    """
    decoder = _Decoder(with_stamps)
    n_batches = 0
    for task in _tasks_of(files):
        batch = None if with_stamps else _decode_compiled(task)
        if batch is None:
            yield from decoder.decode(task)
            continue
        if not decoder.is_empty:
            yield decoder.finish()
        n_batches += 1
        yield batch
    if n_batches == 0 or not decoder.is_empty:
        yield decoder.finish()


def _decode_compiled(files):
    """Decode files by compiled code, which is 20 times as fast; None if it does not know them."""
    if len(files) < _FEW or any(file.content is None for file in files):
        return None
    from ztfml.sources import avro_columns

    remarks = Remarks()
    decoded = avro_columns.decode_packets([file.content for file in files], remarks)
    if decoded is None:
        return None
    tables, program = decoded
    return DecodedBatch(
        tables,
        tables.alerts["candid"].to_pylist(),
        n_files=len(files),
        unknown_fields=set(program.unknown_fields),
        remarks=remarks,
    )


def decode_in_processes(
    files: Iterable[PacketFile], jobs: int, n_bytes: int, with_stamps: bool = False
) -> Iterator[DecodedBatch]:
    """Decode packet files, with results in the order of the files.

    Compiled code in this process decodes what ZTF writes; other packets are divided among several
    processes.

    Parameters
    ----------
    files : iterable of PacketFile
    jobs : int
        Number of processes; with 1, this process does the work.
    n_bytes : int
        Size of all files; this process also does the work if they are small.
    with_stamps : bool
        Whether to keep the image stamps.

    Yields
    ------
    DecodedBatch
        The same batches for any number of processes.

    Examples
    --------
    >>> [batch.n_files for batch in decode_in_processes([], jobs=2, n_bytes=0)]
    []
    """
    with ThreadPoolExecutor(1) as reader:
        tasks = _read_ahead(_tasks_of(files), reader)
        if jobs > 1 and n_bytes > _PARALLEL_BYTES:
            yield from _decode_in_workers(tasks, jobs, with_stamps)
        else:
            for task in tasks:
                yield from decode(task, with_stamps)


def _read_ahead(tasks, reader):
    """Read the next task while one is decoded."""
    pending = reader.submit(next, tasks, None)
    while (task := pending.result()) is not None:
        pending = reader.submit(next, tasks, None)
        yield task


def _decode_in_workers(tasks, jobs, with_stamps):
    waiting = deque()
    with _Workers(jobs, with_stamps) as workers:
        for task in tasks:
            # Compiled code is faster than sending a task to a worker.
            batch = None if with_stamps else _decode_compiled(task)
            if batch is not None or _size_of(task) > _TASK_BYTES:
                while waiting:
                    yield from workers.result(*waiting.popleft())
                yield from decode(task, with_stamps) if batch is None else [batch]
                continue
            waiting.append((task, workers.submit(task)))
            if len(waiting) > jobs + _WAITING_TASKS:
                yield from workers.result(*waiting.popleft())
        while waiting:
            yield from workers.result(*waiting.popleft())


class _Workers:
    """Processes that decode packets; if one of them is killed, this process does the work."""

    def __init__(self, jobs, with_stamps):
        from joblib.externals.loky import ProcessPoolExecutor

        self._executor = ProcessPoolExecutor(jobs)
        self._with_stamps = with_stamps
        self._is_broken = False
        self._is_new = True

    def __enter__(self):
        return self

    def __exit__(self, *error):
        # After an error or Ctrl-C, unfinished work is useless.
        self._executor.shutdown(kill_workers=True)

    def submit(self, task):
        """Start a task; None if there are no workers any more."""
        from joblib.externals.loky import BrokenProcessPool

        try:
            if self._is_broken:
                return None
            with _interrupts_ignored() if self._is_new else contextlib.nullcontext():
                self._is_new = False
                return self._executor.submit(_decode_task, task, self._with_stamps)
        except BrokenProcessPool:
            return None

    def result(self, task, future):
        """Return the batches of a task."""
        from joblib.externals.loky import BrokenProcessPool

        try:
            if future is not None:
                return future.result()
        except BrokenProcessPool:
            if not self._is_broken:
                log.warning(
                    "a process that decodes packets was killed, perhaps because the memory is "
                    "full; the main process continues alone"
                )
            self._is_broken = True
        return list(decode(task, self._with_stamps))


@contextlib.contextmanager
def _interrupts_ignored():
    """Start processes that ignore Ctrl-C: it stops this process, which stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _decode_task(files, with_stamps):
    return list(decode(files, with_stamps))


def _tasks_of(files):
    """Yield lists of files for one task each; a large file is a task of its own."""
    task, n_bytes = [], 0
    for file in files:
        size = len(file.content or b"")
        if task and (len(task) == _BATCH or n_bytes + size > _TASK_BYTES):
            yield task
            task, n_bytes = [], 0
        task.append(file)
        n_bytes += size
    if task:
        yield task


def _size_of(task):
    return sum(len(file.content or b"") for file in task)


class _Decoder:
    """Collects the alerts of one batch, and notes what cannot be read."""

    def __init__(self, with_stamps):
        self.batch = DecodedBatch()
        self.alerts: list[tuple[str, PacketAlert]] = []
        self._with_stamps = with_stamps
        self._schemas: dict[str, list[bytes]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read since the last batch."""
        return not (self.alerts or self.batch.n_files or self.batch.skipped)

    def decode(self, files: Iterable[PacketFile]) -> Iterator[DecodedBatch]:
        """Read files packet by packet, and yield the batches that are full."""
        for file in files:
            if file.content is None:
                self.batch.skipped.append((file.name, file.problem))
                example = f"{file.name}: {file.problem}"
                self.batch.remarks.add("files or parts of archives cannot be read", example)
                continue
            self.batch.n_files += 1
            for alert in self.alerts_of(file):
                self.alerts.append((file.name, alert))
                if len(self.alerts) == _BATCH:
                    yield self.finish()

    def alerts_of(self, file: PacketFile) -> Iterator[PacketAlert]:
        """Yield the alerts of a file; what cannot be read is noted in the batch."""
        rejected = []
        content = file.content or b""
        try:
            for packet, avro_schema in read_records(content, self._schemas_for(file)):
                try:
                    alert = read_packet(packet, avro_schema, self.batch.remarks)
                except RejectedPacketError as reason:
                    rejected.append(str(reason))
                    continue
                except CONVERSION_ERRORS as error:
                    rejected.append(f"{_WRONG_TYPE} ({error})")
                    continue
                self.batch.unknown_fields |= alert.candidate.keys() - KNOWN_FIELDS
                yield alert
        except BadAvroError as reason:
            rejected.append(str(reason))
        if rejected:
            more = f"; and {len(rejected) - 1} more packets" if len(rejected) > 1 else ""
            self.batch.skipped.append((file.name, rejected[0] + more))

    def _schemas_for(self, file):
        """Return the schemas of a message that has none: delivered with it, or beside the file."""
        if not file.content or file.content.startswith(AVRO_MAGIC):
            return ()
        if file.schemas or not file.folder:
            return file.schemas
        if file.folder not in self._schemas:
            self._schemas[file.folder] = find_schemas(file.folder)
        return self._schemas[file.folder]

    def finish(self) -> DecodedBatch:
        """Convert the alerts to tables, and begin a new batch."""
        batch, named_alerts = self.batch, self.alerts
        self.batch, self.alerts = DecodedBatch(), []
        alerts = [alert for _, alert in named_alerts]
        try:
            batch.tables = to_tables(alerts)
        except CONVERSION_ERRORS:
            alerts = [alert for name, alert in named_alerts if _is_convertible(name, alert, batch)]
            batch.tables = to_tables(alerts)
        batch.candids = [alert.candid for alert in alerts]
        if self._with_stamps:
            batch.stamps = [_stamps_of(alert) for alert in alerts]
        return batch


def _stamps_of(alert):
    position = alert.candidate.get("xpos"), alert.candidate.get("ypos")
    return alert.object_id, alert.candid, position, alert.stamps


def _is_convertible(name, alert, batch):
    try:
        to_tables([alert])
    except CONVERSION_ERRORS as error:
        batch.skipped.append((name, f"{_WRONG_TYPE} ({error})"))
        return False
    return True
