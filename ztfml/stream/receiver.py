"""Receive packets in a thread, and store them in parts."""

from __future__ import annotations

import csv
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from ztfml.io.atomic import write_beside
from ztfml.io.safe_text import file_name, safe_cell
from ztfml.sources.decode import DecodedBatch
from ztfml.sources.packet_tables import PacketTables
from ztfml.sources.remarks import Remarks
from ztfml.stream.messages import Message, decode_messages
from ztfml.stream.parts import Parts
from ztfml.stream.rounds import SKIPPED

log = logging.getLogger(__name__)

PARTS = "parts"
"""Name of the folder of parts."""

# Packets are stored, and their positions committed, after this many or this many seconds.
_PART_MESSAGES, _PART_SECONDS = 2_000, 10.0
_POLL_MESSAGES, _POLL_SECONDS = 500, 0.5
_WAIT_SECONDS = 0.2
# A wrong topic must fill neither the disk nor the log.
_MAX_KEPT, _MAX_LOGGED = 1_000, 20


class Stream(Protocol):
    """Where messages come from; see `ztfml.stream.kafka.KafkaStream`."""

    def poll(self, n_max: int, seconds: float) -> list[Message]:
        """Return the messages that arrive within some time."""

    def commit(self) -> None:
        """Commit the positions after all messages that `poll` returned."""

    def lag(self) -> dict[str, int]:
        """Return the number of messages that wait in each partition."""


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
        self._unknown_fields: set[str] = set()
        self._schemas: set[str] = set()
        self._remarks = Remarks()
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
        while self._thread.is_alive() and not self._is_stored.wait(_WAIT_SECONDS):
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
                # Counted when it is kept: a round that sees the count lists the message.
                self._n_skipped += 1
            self._report_changes(batch)
            new = [k for k, candid in enumerate(batch.candids) if self._is_new(candid)]
            if new:
                self._tables.append(batch.tables.select(new))
        is_late = time.monotonic() > self._stored_at + _PART_SECONDS
        if self._n_waiting >= _PART_MESSAGES or (self._n_waiting and is_late):
            self.store()

    def store(self) -> None:
        """Write the received packets as a part, then commit their positions."""
        if self._tables:
            self.parts.save(joined(self._tables))
        if self._n_waiting:
            self._stream.commit()
        self._tables, self._candids, self._n_waiting = [], set(), 0
        self._stored_at = time.monotonic()

    def _report_changes(self, batch: DecodedBatch) -> None:
        """Log what is new in the content of the packets, for example another schema, once."""
        schemas = set(batch.tables.alerts["schemavsn"].to_pylist()) - {None}
        if new := sorted(schemas - self._schemas):
            also = "also " if self._schemas else ""
            log.info("packets %shave schema %s", also, ", ".join(new))
        if unknown := sorted(batch.unknown_fields - self._unknown_fields):
            log.warning("omitted unknown fields: %s", ", ".join(unknown))
        for sentence in self._remarks.update(batch.remarks):
            log.warning("packets: %s; more are not reported", sentence)
        self._schemas |= schemas
        self._unknown_fields |= batch.unknown_fields

    def _is_new(self, candid: int) -> bool:
        if candid in self.parts.candids or candid in self._candids:
            self._n_repeated += 1
            return False
        self._candids.add(candid)
        return True

    def _keep(self, message: Message, reason: str) -> None:
        """Keep a message that cannot be decoded, with the reason."""
        n_skipped = self._n_skipped + 1
        if n_skipped <= _MAX_LOGGED:
            more = "; more are only counted" if n_skipped == _MAX_LOGGED else ""
            log.warning("%s: not decoded (%s)%s", message.name, reason, more)
        if n_skipped > _MAX_KEPT:
            return
        self._skipped_folder.mkdir(exist_ok=True)
        path = self._skipped_folder / file_name(message.name.replace("/", "-"))
        with write_beside(path.with_name(path.name + ".avro")) as part:
            part.write_bytes(message.value or b"")
        with (
            write_beside(path.with_name(path.name + ".csv")) as part,
            open(part, "w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerow([message.name, safe_cell(reason)])


def joined(tables: Sequence[PacketTables]) -> PacketTables:
    """Join tables of packets to those of one part.

    Parameters
    ----------
    tables : sequence of PacketTables

    Returns
    -------
    PacketTables
        Its column `alert` is the position in the joined table of alerts.

    Examples
    --------
    >>> from ztfml.sources.packet_tables import to_tables
    >>> len(joined([to_tables([]), to_tables([])]).alerts)
    0
    """
    starts = np.cumsum([0, *(len(one.alerts) for one in tables)])
    moved = [
        PacketTables(one.alerts, *(_moved(rows, start) for rows in (one.history, one.forced)))
        for one, start in zip(tables, starts, strict=False)
    ]
    return PacketTables(*(pa.concat_tables(kind) for kind in zip(*moved, strict=True)))


def _moved(rows: pa.Table, start: int) -> pa.Table:
    k = rows.schema.get_field_index("alert")
    return rows.set_column(k, "alert", pa.array(rows["alert"].to_numpy() + start))
