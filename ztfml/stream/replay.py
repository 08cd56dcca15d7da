"""Publish the packets of a night in time order, for tests, demonstrations and drills."""

from __future__ import annotations

import io
import logging
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ztfml import schema
from ztfml.astrophysics import DAY
from ztfml.errors import BrokerError
from ztfml.io.progress import track
from ztfml.night import Night
from ztfml.sources.archives import contents_of, find_files
from ztfml.sources.avro_files import BadAvroError, read_records
from ztfml.stream.kafka import require_confluent_kafka

log = logging.getLogger(__name__)

# Longest waits for the answer of the broker, and for the last packets to be accepted.
_ANSWER_SECONDS, _SEND_SECONDS = 10.0, 60.0


class Packet(NamedTuple):
    """A packet to publish.

    Parameters
    ----------
    jd : float
    object_id : str
        The key of the message, so that the packets of an object stay in order.
    content : bytes
        An avro file.

    Examples
    --------
    >>> Packet(2460000.5, "ZTF18abukavn", b"Obj").jd
    2460000.5
    """

    jd: float
    object_id: str
    content: bytes


def packets_of_files(paths: Sequence[Path]) -> Iterator[Packet]:
    """Read avro packets, without changes of their content.

    They are copied to a temporary file first, because the packets of a night do not fit into
    memory, and archives are not sorted by time.

    Parameters
    ----------
    paths : sequence of Path
        Packets, archives of them, or folders.

    Yields
    ------
    Packet
        By time. Damaged files are left out.

    Examples
    --------
    >>> list(packets_of_files([Path(".")]))
    []
    """
    index: list[tuple[float, str, int, int]] = []
    with tempfile.TemporaryFile() as spool:
        for file in track(contents_of(find_files(paths)), "reading packets", None):
            content = file.content or b""
            try:
                record: Any = next(read_records(content))[0]
                place = float(record["candidate"]["jd"]), str(record["objectId"])
            except (BadAvroError, StopIteration, KeyError, TypeError, ValueError):
                log.warning("%s: not published, because it is not a packet", file.name)
                continue
            index.append((*place, spool.tell(), len(content)))
            spool.write(content)
        for jd, object_id, start, size in sorted(index):
            spool.seek(start)
            yield Packet(jd, object_id, spool.read(size))


def packets_of_night(night: Night) -> Iterator[Packet]:
    """Build avro packets from a night.

    Parameters
    ----------
    night : Night

    Yields
    ------
    Packet
        By time, with the fields that the night has and the history that each alert sees.

    Examples
    --------
    >>> packet = next(packets_of_night(night))
    >>> packet.content[:4]
    b'Obj\\x01'
    """
    import fastavro

    columns = [name for name in night.alerts.columns if name in _TYPES]
    avro = fastavro.parse_schema(_schema(columns))
    for k in np.argsort(night.alerts["jd"].to_numpy(), kind="stable"):
        row = night.alerts.iloc[k]
        record = {
            "schemavsn": "3.3",
            "publisher": "ztfml",
            "objectId": str(row["objectId"]),
            "candid": int(row["candid"]),
            "candidate": _values(row, columns),
            "prv_candidates": _history(night, int(k)),
        }
        file = io.BytesIO()
        fastavro.writer(file, avro, [record])
        yield Packet(float(row["jd"]), str(row["objectId"]), file.getvalue())


# Types of the fields of a candidate that a night keeps.
_TEXT = {"isdiffpos", "ssnamenr", "rbversion", "drbversion"}
_WHOLE = {"fid", "pid", "candid", "programid", "nid", "rcid", "field", "nmtchps", "rfid",
          "objectidps1", "objectidps2", "objectidps3", "ndethist", "ncovhist", "tooflag",
          "nframesref", "nneg", "nbad", "nmatches"}  # fmt: skip
_TYPES = {
    column.name: "string" if column.name in _TEXT else "long" if column.name in _WHOLE else "double"
    for column in schema.ALERT_COLUMNS
    # Not the scores of brokers, which are outside the candidate of a packet.
    if column.prefix == "candidate." or column.name == "candid"
}
_PREVIOUS = ("jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos")


def _schema(columns: list[str]) -> dict[str, Any]:
    def record(name, names):
        fields = [{"name": one, "type": ["null", _TYPES.get(one, "double")]} for one in names]
        return {"type": "record", "name": name, "fields": fields}

    previous = {"type": "array", "items": record("prv_candidate", _PREVIOUS)}
    return {
        "type": "record",
        "namespace": "ztf",
        "name": "alert",
        "version": "3.3",
        "fields": [
            {"name": "schemavsn", "type": "string"},
            {"name": "publisher", "type": "string"},
            {"name": "objectId", "type": "string"},
            {"name": "candid", "type": "long"},
            {"name": "candidate", "type": record("candidate", columns)},
            {"name": "prv_candidates", "type": ["null", previous]},
        ],
    }


def _values(row, columns):
    return {name: _value(name, row[name]) for name in columns}


def _value(name, value):
    if name == "isdiffpos":
        return schema.SPELLING_OF_SIGN[int(value)] if value in (-1, 0, 1) else value
    if value is None or value != value:
        return None
    kind = _TYPES.get(name, "double")
    return str(value) if kind == "string" else int(value) if kind == "long" else float(value)


def _history(night: Night, k: int) -> list[dict[str, Any]]:
    columns = night.history.rows(int(night.first[k]), int(night.last[k]))
    return [
        {name: _value(name, value) for name, value in zip(_PREVIOUS, row, strict=True)}
        for row in zip(*(columns[name].tolist() for name in _PREVIOUS), strict=True)
    ]


def publish(
    packets: Iterable[Packet],
    servers: str,
    topic: str,
    speed: float = 0.0,
    n_packets: int | None = None,
) -> int:
    """Publish packets in time order, with the pauses between them.

    Parameters
    ----------
    packets : iterable of Packet
        By time.
    servers : str
        ``HOST:PORT``.
    topic : str
        Created if it does not exist.
    speed : float
        Factor by which time runs faster than on the sky; 0 for no pauses.
    n_packets : int, optional
        Their number, to show progress.

    Returns
    -------
    int
        Number of packets that the broker has confirmed.

    Raises
    ------
    BrokerError
        If confluent-kafka is not installed, or the broker cannot be reached or refuses packets.

    Examples
    --------
    It needs a broker:

    >>> publish(packets_of_night(night), "localhost:9092", "ztf", 60.0)   # doctest: +SKIP
    300
    """
    require_confluent_kafka()
    from confluent_kafka import KafkaException, Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
    try:
        if topic not in admin.list_topics(timeout=_ANSWER_SECONDS).topics:
            created = admin.create_topics([NewTopic(topic, num_partitions=4, replication_factor=1)])
            created[topic].result(_SEND_SECONDS)
    except KafkaException as error:
        raise BrokerError(f"{servers}: {error.args[0].str()}; check --server") from error
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "log_level": 0})
    failed: list[str] = []

    def confirm(error, message):
        if error is not None:
            failed.append(error.str())

    begin, start, n_sent = time.monotonic(), None, 0
    for packet in track(packets, "publishing packets", n_packets):
        start = packet.jd if start is None else start
        if speed > 0:
            due = begin + (packet.jd - start) * DAY / speed
            while (wait := due - time.monotonic()) > 0:
                producer.poll(min(wait, 0.5))
        while True:
            try:
                producer.produce(topic, packet.content, key=packet.object_id, on_delivery=confirm)
                break
            except BufferError:  # The queue is full.
                producer.poll(0.5)
        n_sent += 1
        producer.poll(0)
    n_left = producer.flush(_SEND_SECONDS)
    if failed or n_left:
        raise BrokerError(
            f"{servers}: {len(failed) + n_left} of {n_sent} packets were not accepted "
            f"({failed[0] if failed else 'no answer'}); publish them again"
        )
    return n_sent
