"""Avro files that are damaged, hostile, concatenated or without a schema."""

import bz2
import gzip
import io
import json
import zlib

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.packet_files import alerts_of, avro, avro_schema, packet, skipped_of, values
from ztfml.sources.avro_files import BadAvroError, read_records
from ztfml.sources.avro_schemas import BadSchemaError, parse_schema
from ztfml.sources.ingest import ingest

SYNC = bytes(range(16))


def number(value):
    """An avro integer."""
    value = (value << 1) ^ (value >> 63)
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def container(schema, *blocks, codec="null"):
    """An avro file of blocks (declared number of records, declared size or None, data)."""
    text = json.dumps(schema).encode()
    head = b"Obj\x01" + number(2)
    for key, value in ((b"avro.schema", text), (b"avro.codec", codec.encode())):
        head += number(len(key)) + key + number(len(value)) + value
    content = head + number(0) + SYNC
    for count, size, data in blocks:
        content += number(count) + number(len(data) if size is None else size) + data + SYNC
    return content


def candids(content, schemas=()):
    return [record["candid"] for record, _ in read_records(content, schemas)]


def record_bytes(candid):
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, avro_schema(), packet(candid))
    return stream.getvalue()


def read_until_damage(content):
    """Candids of the readable records, and the reason why there are no more."""
    found = []
    try:
        for one, _ in read_records(content):
            found.append(one.get("candid"))
    except BadAvroError as error:
        return found, str(error)
    return found, ""


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ((0, None, b""), "it declares 0 records"),
        ((-1, None, record_bytes(2)), "it declares -1 records"),
        ((0, None, record_bytes(2)), "it declares 0 records"),
        ((2**40, None, record_bytes(2)), f"it declares {2**40} records"),
        ((1, None, record_bytes(2) + b"more"), "4 bytes follow"),
        ((1, None, record_bytes(2)[:-9]), "record damaged"),
        ((1, 2**40, record_bytes(2)), "more than 4,000,000 bytes"),
        ((1, -5, record_bytes(2)), "a block of -5 bytes"),
    ],
)
def test_a_damaged_block_is_reported_and_the_others_are_read(block, reason):
    content = container(
        avro_schema(), (1, None, record_bytes(1)), block, (1, None, record_bytes(3))
    )
    found, problem = read_until_damage(content)
    assert [candid for candid in found if candid != 2] == [1, 3]
    assert reason in problem


def test_files_that_follow_each_other_are_read():
    assert candids(avro(packet(1)) + avro(packet(2), packet(3), codec="deflate")) == [1, 2, 3]


def test_many_blocks_are_read(tmp_path):
    stream = io.BytesIO()
    fastavro.writer(stream, avro_schema(), [packet(k) for k in range(1, 200)], sync_interval=100)
    assert candids(stream.getvalue()) == list(range(1, 200))


@pytest.mark.parametrize("codec", ["deflate", "bzip2", "xz", "snappy"])
def test_a_block_of_compressed_zeros_is_refused(codec):
    zeros = bytes(200_000_000)
    compressed = {
        "deflate": lambda: zlib.compress(zeros, wbits=-15),
        "bzip2": lambda: bz2.compress(zeros),
        "xz": lambda: __import__("lzma").compress(zeros, preset=0),
        "snappy": lambda: (
            bytes(__import__("cramjam").snappy.compress_raw(zeros))[:3_000_000] + bytes(4)
        ),
    }[codec]()
    content = container(avro_schema(), (1, None, compressed), codec=codec)
    found, problem = read_until_damage(content)
    assert found == []
    assert "larger than 4,000,000 bytes after decompression" in problem


def record(*fields, name="r"):
    return {"type": "record", "name": name, "fields": list(fields)}


def nested(depth):
    kind = "int"
    for k in range(depth):
        kind = record({"name": "inner", "type": kind}, name=f"r{k}")
    return kind


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (record({"name": "self", "type": "r"}), "contains itself"),
        (record({"name": "self", "type": ["null", "r"]}), "contains itself"),
        (record({"name": "self", "type": {"type": "array", "items": "r"}}), "contains itself"),
        (record({"name": "self", "type": {"type": "map", "values": "n.r"}}, name="n.r"), "itself"),
        (nested(40), "more than 32 levels"),
        ({"type": "array", "items": "null"}, "items have no bytes"),
        ({"type": "array", "items": record()}, "items have no bytes"),
        ({"type": "array", "items": {"type": "fixed", "name": "f", "size": 0}}, "have no bytes"),
        ({"type": "array", "items": record({"name": "a", "type": "int"},
                                            {"name": "b", "type": "null"})}, "have no bytes"),
        ({"type": "fixed", "name": "f", "size": 2**40}, f"values of {2**40} bytes"),
        ({"type": "fixed", "name": "f", "size": -1}, "values of -1 bytes"),
        ({"type": "unknown"}, "damaged"),
        ({"type": "record", "name": "r"}, "without fields"),
        ({"type": "record", "fields": []}, "without a name"),
        ({}, "not an avro schema"),
        (7, "not an avro schema"),
        (record({"name": "a"}), "damaged|not an avro"),
    ],
)  # fmt: skip
def test_unsafe_schemas_are_refused(schema, reason):
    with pytest.raises(BadSchemaError, match=reason):
        parse_schema(json.dumps(schema).encode())


@pytest.mark.parametrize("text", [b"", b"[" * 100_000, b"\xff\xfe", b"null", bytes(2_000_000)])
def test_schemas_that_are_no_schema_are_refused(text):
    with pytest.raises(BadSchemaError, match="schema"):
        parse_schema(text)


def test_a_small_file_of_countless_nulls_is_refused():
    schema = {"type": "record", "name": "alert", "fields": [
        {"name": "candid", "type": {"type": "array", "items": "null"}}
    ]}  # fmt: skip
    content = container(schema, (1, None, number(2**40) + number(0)))
    assert len(content) < 473
    with pytest.raises(BadAvroError, match="items have no bytes"):
        list(read_records(content))


def test_a_recursive_schema_does_not_stop_the_other_packets(tmp_path, output):
    recursive = record({"name": "self", "type": ["null", "r"]})
    data = b"\x02" * 200_000 + b"\x00"
    (tmp_path / "a.avro").write_bytes(container(recursive, (1, None, data)))
    (tmp_path / "b.avro").write_bytes(avro(packet(7)))
    summary = ingest([tmp_path], output)
    assert values(alerts_of(output), "candid") == [7]
    assert skipped_of(summary) == {"a.avro": "avro file damaged (the schema contains itself (r))"}


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_byte_gives_records_or_one_sentence(data):
    content = bytearray(avro(packet(1), packet(2)))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    found, problem = read_until_damage(bytes(content))
    assert len(found) <= 2
    assert "\n" not in problem


# Messages of live streams, whose schema comes separately.


@pytest.mark.parametrize("schema_name", ["alert.avsc", "avro_schema_ftransfer_ztf_2026.json"])
@pytest.mark.parametrize("prefix", [b"", b"\0\0\0\0\7"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_message_is_read_with_the_schema_beside_it(
    tmp_path, output, schema_name, prefix, compressed
):
    (tmp_path / schema_name).write_text(json.dumps(fastavro.parse_schema(avro_schema())))
    (tmp_path / "other.avsc").write_text(json.dumps(record({"name": "a", "type": "int"})))
    content = prefix + record_bytes(5)
    name = "1.avro.gz" if compressed else "1.avro"
    (tmp_path / name).write_bytes(gzip.compress(content) if compressed else content)
    summary = ingest([tmp_path], output)
    assert (summary.n_alerts, summary.n_skipped) == (1, 0)
    assert values(alerts_of(output), "candid") == [5]


def test_messages_that_follow_each_other_are_read():
    schema = json.dumps(avro_schema()).encode()
    assert candids(record_bytes(1) + record_bytes(2), [schema]) == [1, 2]


def test_a_message_that_fits_no_schema_is_refused(tmp_path, output):
    (tmp_path / "alert.avsc").write_text(json.dumps(avro_schema()))
    (tmp_path / "1.avro").write_bytes(record_bytes(5)[:-3])
    (tmp_path / "2.avro").write_bytes(avro(packet(7)))
    summary = ingest([tmp_path], output)
    assert values(alerts_of(output), "candid") == [7]
    assert "none of 1 schemas beside it fits" in skipped_of(summary)["1.avro"]
