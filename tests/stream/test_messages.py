"""All dialects of the streams give the same alerts as files."""

import io
import json

import fastavro

from tests.sources.packet_files import CANDIDATE_FIELDS, JD, avro, avro_schema, packet
from tests.stream.dialects import CANDID, contents, messages
from ztfml.stream.messages import Message, decode_messages


def test_three_dialects():
    (batch,) = decode_messages(messages(9))
    assert batch.skipped == []
    assert batch.candids == [CANDID + k for k in range(9)]
    assert batch.tables.alerts["candidate.jd"].to_pylist() == [JD + 0.001 * k for k in range(9)]
    rows = batch.tables.history["alert"].to_pylist()
    # Three previous candidates of ZTF, six of BOOM, two of Fink.
    assert [rows.count(k) for k in range(9)] == [3, 6, 2] * 3


def test_a_record_of_fink_needs_the_schema_in_its_key():
    key, value = contents(3)[2]
    (batch,) = decode_messages(
        [
            Message("fink", 0, 1, key, value),
            Message("fink", 0, 2, b"1.0", value),
            Message("fink", 0, 3, None, value),
            Message("fink", 0, 4, b"{" * 100_000, value),
            Message("fink", 0, 5, b'{"type": ' * 100_000, value),
        ]
    )
    assert batch.candids == [CANDID + 2]
    assert [name for name, _ in batch.skipped] == [f"fink/0/{k}" for k in (2, 3, 4, 5)]


def test_a_record_of_fink_with_another_schema_in_the_same_night():
    key, value = contents(3)[2]
    newer = avro_schema(candidate={**CANDIDATE_FIELDS, "scorr": "double"}, version="4.02")
    made = packet(9, jd=JD, scorr=7.5) | {"schemavsn": "4.02"}
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(newer), made)
    both = [
        Message("fink", 0, 1, key, value),
        Message("fink", 0, 2, json.dumps(newer).encode(), stream.getvalue()),
        Message("fink", 0, 3, key, contents(6)[5][1]),
    ]
    (batch,) = decode_messages(both)
    assert batch.skipped == []
    assert batch.candids == [CANDID + 2, 9, CANDID + 5]
    assert batch.tables.alerts["schemavsn"].to_pylist() == ["3.3", "4.02", "3.3"]
    assert batch.tables.alerts["candidate.scorr"].to_pylist() == [None, 7.5, None]


def test_a_recursive_schema_is_refused():
    field = {"name": "next", "type": ["null", "alert"]}
    key = json.dumps({"type": "record", "name": "alert", "fields": [field]}).encode()
    (batch,) = decode_messages([Message("fink", 0, 1, key, b"\x02" * 100_000)])
    assert batch.candids == []
    assert len(batch.skipped) == 1


def test_other_surveys_and_damaged_messages_are_named():
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, avro_schema(), packet(5))
    damaged = avro(packet(6))[:-30]
    (batch,) = decode_messages(
        [
            Message("a", 0, 1, None, avro(packet(1, "LSST25abc"))),
            Message("a", 0, 2, None, damaged),
            Message("a", 0, 3, None, None),
            Message("a", 0, 4, b"key", avro(packet(4))),
        ]
    )
    assert batch.candids == [4]
    reasons = dict(batch.skipped)
    assert "another survey" in reasons["a/0/1"]
    assert "avro" in reasons["a/0/2"]
    assert reasons["a/0/3"] == "empty file"
