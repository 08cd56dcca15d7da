"""Keep a night up to date: receive packets, rank them every few minutes, announce objects."""

from __future__ import annotations

import csv
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.io.safe_text import safe_cell
from ztfml.nights.manifest import locked
from ztfml.sources.packet_tables import PacketTables
from ztfml.stream.announce import Thresholds, announce
from ztfml.stream.messages import Message, decode_messages
from ztfml.stream.outbox import Outbox
from ztfml.stream.parts import Parts
from ztfml.stream.rounds import NIGHT, PAGE, SKIPPED, Ranker, run_round

log = logging.getLogger(__name__)

PARTS = "parts"
# Packets are stored, and their positions committed, after this many or this many seconds.
_PART_MESSAGES, _PART_SECONDS = 2_000, 10.0
_POLL_MESSAGES, _POLL_SECONDS = 500, 0.5
# Pause of the loop that ranks and sends, and time for announcements that wait at the end.
_PAUSE_SECONDS, _FINISH_SECONDS = 0.2, 60.0
# Seconds between progress lines.
_PROGRESS_SECONDS = 60.0
# Messages that are not avro are kept; a wrong topic must not fill the disk.
_MAX_KEPT = 1_000


class Stream(Protocol):
    """Where messages come from; see `ztfml.stream.kafka.KafkaStream`."""

    def poll(self, n_max: int, seconds: float) -> list[Message]:
        """Return the messages that arrive within some time."""

    def commit(self) -> None:
        """Commit the positions after all messages that `poll` returned."""

    def lag(self) -> dict[str, int]:
        """Return the number of messages that wait in each partition."""


class Schedule(NamedTuple):
    """When a night is ranked, and when it ends.

    Parameters
    ----------
    every : float, s
        Time from the start of a round to the next one.
    is_over : callable
        Returns whether the night is over.
    idle : float, s
        The night is also over if no message arrives for this time.

    Examples
    --------
    >>> Schedule(300.0, lambda: True).is_over()
    True
    """

    every: float
    is_over: Callable[[], bool]
    idle: float = math.inf


class Counts(NamedTuple):
    """What was received in a night.

    Parameters
    ----------
    received : int
        Messages since the start.
    stored : int
        Packets of the night, each once.
    repeated : int
        Messages since the start whose packet was there already.
    skipped : int
        Messages that cannot be decoded, since the start.

    Examples
    --------
    >>> Counts(3, 2, 1, 0).stored
    2
    """

    received: int
    stored: int
    repeated: int
    skipped: int


def watch(
    stream: Stream,
    folder: Path,
    ranker: Ranker,
    schedule: Schedule,
    outbox: Outbox,
    thresholds: Thresholds,
) -> Counts:
    """Receive packets until the night is over, and keep its list and page up to date.

    Parameters
    ----------
    stream : Stream
    folder : Path
        The output folder. A run that was interrupted is continued.
    ranker : Ranker
    schedule : Schedule
    outbox : Outbox
        Receives the objects above the thresholds.
    thresholds : Thresholds

    Returns
    -------
    Counts

    Raises
    ------
    BrokerError
        If the broker refuses the consumer.
    DataError
        If another process writes to the folder, or the disk is full.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from ztfml.ranking import FastTransientScorer, Selection
    >>> empty_stream = SimpleNamespace(
    ...     poll=lambda n_max, seconds: [], commit=lambda: None, lag=dict
    ... )
    >>> ranker = Ranker(model, FastTransientScorer(), Selection(), lambda night: night)
    >>> schedule = Schedule(300.0, lambda: True)
    >>> outbox = Outbox(Path("outbox"), [])
    >>> folder = Path("live")
    >>> folder.mkdir()
    >>> watch(empty_stream, folder, ranker, schedule, outbox, Thresholds(0.1))
    Counts(received=0, stored=0, repeated=0, skipped=0)
    """
    with locked(folder):
        receiver = Receiver(stream, folder)
        receiver.start()
        try:
            _rank_until_over(receiver, stream, folder, ranker, schedule, outbox, thresholds)
        finally:
            receiver.stop()
        _finish(outbox)
        return receiver.counts()


def _rank_until_over(receiver, stream, folder, ranker, schedule, outbox, thresholds):
    n_ranked, next_round, next_line = 0, 0.0, time.monotonic() + _PROGRESS_SECONDS
    is_over = False
    while not is_over:
        is_over = schedule.is_over() or receiver.idle_seconds() > schedule.idle
        if is_over:
            receiver.stop()
        receiver.check()
        now = time.monotonic()
        if receiver.n_packets > n_ranked and (now >= next_round or is_over):
            next_round = now + schedule.every
            receiver.ask_to_store()
            n_ranked = len(receiver.parts.candids)
            if n_ranked:
                try:
                    _round(receiver.parts, folder, ranker, outbox, thresholds)
                except DataError as error:
                    if is_over:
                        raise
                    # Perhaps there are few packets yet, or the disk is full for a moment.
                    log.warning("not ranked: %s; trying again with the next packets", error)
        outbox.deliver()
        if now >= next_line:
            next_line = now + _PROGRESS_SECONDS
            log.info("%s", _progress(receiver, stream.lag()))
        if not is_over:
            time.sleep(_PAUSE_SECONDS)


def _round(parts, folder, ranker, outbox, thresholds):
    begin = time.monotonic()
    done = run_round(parts, folder, ranker)
    n_new = announce(done.night, done.ranked, outbox, thresholds, folder / PAGE)
    parts.compact()
    log.info(
        "%s: %d alerts ranked in %.1f s, %d new announcements",
        folder / NIGHT, len(done.night), time.monotonic() - begin, n_new,
    )  # fmt: skip


def _finish(outbox):
    """Try for a short time to send what still waits."""
    end = time.monotonic() + _FINISH_SECONDS
    while n_waiting := outbox.deliver():
        if time.monotonic() > end:
            log.warning(
                "%s: %d announcements are not sent; the next watch of this folder sends them",
                outbox.folder, n_waiting,
            )  # fmt: skip
            return
        time.sleep(_PAUSE_SECONDS)


def _progress(receiver, lags):
    counts = receiver.counts()
    waiting = ", ".join(f"{place} {lag}" for place, lag in lags.items() if lag)
    return (
        f"{counts.stored:,} packets stored, {counts.repeated:,} repeated, {counts.skipped:,} "
        f"skipped; waiting: {waiting or 'none'}"
    )


class Receiver:
    """Receives messages in a thread, and stores their packets in parts.

    Only this thread polls, stores and commits, so that no position is committed before its
    packets are stored.

    Parameters
    ----------
    stream : Stream
    folder : Path
        The output folder.

    Attributes
    ----------
    parts : Parts
        The packets that are stored.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> stream = SimpleNamespace(poll=lambda n_max, seconds: [], commit=lambda: None, lag=dict)
    >>> receiver = Receiver(stream, Path("received"))
    >>> receiver.start()
    >>> receiver.stop()
    >>> receiver.n_packets
    0
    """

    def __init__(self, stream: Stream, folder: Path) -> None:
        self.parts = Parts(folder / PARTS)
        self._stream = stream
        self._skipped_folder = folder / SKIPPED
        self._tables: list[PacketTables] = []
        self._candids: set[int] = set()
        self._n_received = self._n_repeated = self._n_skipped = self._n_waiting = 0
        self._received_at = self._stored_at = time.monotonic()
        self._error: BaseException | None = None
        self._is_over, self._is_asked, self._is_stored = (threading.Event() for _ in range(3))
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def n_packets(self) -> int:
        """Number of packets, stored or not."""
        return len(self.parts.candids) + len(self._candids)

    def idle_seconds(self) -> float:
        """Return the time since the last message."""
        return time.monotonic() - self._received_at

    def start(self) -> None:
        """Start to receive."""
        self._thread.start()

    def stop(self) -> None:
        """Store what was received, and end."""
        self._is_over.set()
        self._thread.join()

    def check(self) -> None:
        """Raise the error that ended the thread."""
        if self._error is not None:
            raise self._error

    def ask_to_store(self) -> None:
        """Store what was received, and wait for it."""
        self._is_stored.clear()
        self._is_asked.set()
        while self._thread.is_alive() and not self._is_stored.wait(_PAUSE_SECONDS):
            pass
        self.check()

    def counts(self) -> Counts:
        """Return what was received so far."""
        return Counts(self._n_received, len(self.parts.candids), self._n_repeated, self._n_skipped)

    def _run(self) -> None:
        try:
            while not self._is_over.is_set():
                self.receive()
                if self._is_asked.is_set():
                    self._is_asked.clear()
                    self.store()
                    self._is_stored.set()
            self.store()
        except BaseException as error:
            self._error = error

    def receive(self) -> None:
        """Receive messages, and store them if there are enough."""
        messages = self._stream.poll(_POLL_MESSAGES, _POLL_SECONDS)
        if messages:
            self._received_at = time.monotonic()
        self._n_received += len(messages)
        self._n_waiting += len(messages)
        by_name = {message.name: message for message in messages}
        for batch in decode_messages(messages) if messages else ():
            for name, reason in batch.skipped:
                self._keep(by_name[name], reason)
            new = [k for k, candid in enumerate(batch.candids) if self._is_new(candid)]
            if new:
                self._tables.append(batch.tables.select(new))
        is_late = time.monotonic() > self._stored_at + _PART_SECONDS
        if self._n_waiting >= _PART_MESSAGES or (self._n_waiting and is_late):
            self.store()

    def store(self) -> None:
        """Write the received packets as a part, then commit their positions."""
        if self._tables:
            self.parts.save(_concatenated(self._tables))
        if self._n_waiting:
            self._stream.commit()
        self._tables, self._candids, self._n_waiting = [], set(), 0
        self._stored_at = time.monotonic()

    def _is_new(self, candid: int) -> bool:
        if candid in self.parts.candids or candid in self._candids:
            self._n_repeated += 1
            return False
        self._candids.add(candid)
        return True

    def _keep(self, message: Message, reason: str) -> None:
        """Keep a message that cannot be decoded, with the reason."""
        self._n_skipped += 1
        log.warning("%s: not decoded (%s)", message.name, reason)
        if self._n_skipped > _MAX_KEPT:
            return
        self._skipped_folder.mkdir(exist_ok=True)
        path = self._skipped_folder / f"{message.topic}-{message.partition}-{message.offset}"
        with write_beside(path.with_name(path.name + ".avro")) as part:
            part.write_bytes(message.value or b"")
        with (
            write_beside(path.with_name(path.name + ".csv")) as part,
            open(part, "w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerow([message.name, safe_cell(reason)])


def _concatenated(tables: Sequence[PacketTables]) -> PacketTables:
    # The column `alert` is a position in one of the tables, and is not used any more.
    return PacketTables(*(pa.concat_tables(kind) for kind in zip(*tables, strict=True)))
