"""Compiled code reads packets exactly as fastavro does, or leaves them to it."""

import json
import random

import pandas as pd
import pytest

from tests.sources.packet_files import avro, avro_schema, detection, packet
from ztfml.sources import avro_columns
from ztfml.sources import decode as decoding
from ztfml.sources.archives import PacketFile, contents_of, find_files
from ztfml.sources.avro_columns import decode_packets
from ztfml.sources.avro_program import program_of
from ztfml.sources.remarks import Remarks


def batch_of(contents, monkeypatch, compiled):
    """Decode the packets in one way."""
    with monkeypatch.context() as patch:
        if not compiled:
            patch.setattr(avro_columns, "decode_packets", lambda *arguments: None)
        patch.setattr(decoding, "_FEW", 1)
        files = [PacketFile(f"{k}.avro", content, "") for k, content in enumerate(contents)]
        (batch,) = decoding.decode(files)
    return batch


def assert_same(one, other):
    for a, b in zip(one.tables, other.tables, strict=True):
        assert a.schema == b.schema
        assert [column.null_count for column in a.columns] == [c.null_count for c in b.columns]
        pd.testing.assert_frame_equal(a.to_pandas(), b.to_pandas(), rtol=0, atol=0)
    for name in ("candids", "n_files", "skipped", "unknown_fields"):
        assert getattr(one, name) == getattr(other, name)
    assert one.remarks.sentences() == other.remarks.sentences()


@pytest.fixture(scope="module")
def real_packets(shared_data):
    """Real packets that the compiled code knows, of all schemas."""
    files = contents_of(find_files([shared_data / "packets"]))
    known = [file.content for file in files if file.content]
    return [content for content in known if decode_packets([content], Remarks())]


def test_real_packets_have_the_same_tables(real_packets, monkeypatch):
    # Of schemas 3.0 to 4.02, with histories and forced photometry.
    assert len(real_packets) > 100
    for content in real_packets[::2]:
        pair = (batch_of([content], monkeypatch, compiled) for compiled in (True, False))
        assert_same(*pair)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_packets_are_the_same_or_left_to_the_other_reader(real_packets, monkeypatch, seed):
    rng = random.Random(seed)
    n_decoded = 0
    for _ in range(60):
        content = bytearray(rng.choice(real_packets))
        body = content.find(b"ZTF", 20_000)
        at = rng.randrange(max(body - 60, 0), min(len(content), body + 5000))
        kind = rng.randrange(4)
        if kind == 0:
            content[at] = rng.randrange(256)
        elif kind == 1:
            del content[at : at + rng.randrange(1, 9)]
        elif kind == 2:
            content[at:at] = rng.randbytes(rng.randrange(1, 9))
        else:
            content[at : at + 10] = b"\xff" * 10
        if decode_packets([bytes(content)], Remarks()) is None:
            continue
        n_decoded += 1
        pair = (batch_of([bytes(content)], monkeypatch, compiled) for compiled in (True, False))
        assert_same(*pair)
    assert n_decoded > 3


def test_batches_of_one_schema(real_packets, monkeypatch):
    head = real_packets[0][:10_000]
    contents = [content for content in real_packets if content.startswith(head)]
    assert len(contents) > 1
    assert decode_packets(contents, Remarks())[0].alerts.num_rows == len(contents)
    assert_same(*(batch_of(contents, monkeypatch, compiled) for compiled in (True, False)))
    # Packets of several schemas are left to the other reader.
    others = [content for content in real_packets if not content.startswith(head)]
    assert decode_packets([contents[0], others[0]], Remarks()) is None


def test_the_order_of_packets_is_kept(real_packets, monkeypatch):
    monkeypatch.setattr(decoding, "_FEW", 8)
    head = real_packets[0][:10_000]
    many = [content for content in real_packets if content.startswith(head)] * 3
    text = [PacketFile("text", b"text", ".")]
    files = [PacketFile(str(k), content, "") for k, content in enumerate(many)]
    batches = list(decoding.decode([*files, *text, *files]))
    assert [batch.n_files for batch in batches] == [2 * len(many) + 1]
    expected = [
        decode_packets([content], Remarks())[0].alerts["candid"][0].as_py() for content in many
    ]
    assert batches[0].candids == expected * 2
    assert [name for name, _ in batches[0].skipped] == ["text"]


@pytest.mark.parametrize(
    "change",
    [
        {"magpsf": None}, {"isdiffpos": "perhaps"}, {"object_id": "LSST123"}, {"candid": 0},
        {"object_id": None}, {"jd": None}, {"previous": [{**detection(1, 5), "isdiffpos": "?"}]},
    ],
)  # fmt: skip
def test_what_needs_a_decision_is_left_to_the_other_reader(change):
    assert decode_packets([avro(packet())], Remarks()) is not None
    assert decode_packets([avro(packet()), avro(packet(**change))], Remarks()) is None


def test_values_of_hand_written_packets(monkeypatch):
    rows = [detection(2, 5, fid=2), detection(1, 6, magpsf=None)]
    contents = [
        avro(packet(previous=rows, ssnamenr=None)),
        avro(packet(5, "ZTF20aaaaaab", magpsf=17.25, isdiffpos="0", ssnamenr="Größe", drb=1e-9)),
        avro(packet(6, "ZTF20aaaaaac", isdiffpos="null", diffmaglim=float("nan"))),
    ]
    batch = batch_of(contents, monkeypatch, compiled=True)
    assert_same(batch, batch_of(contents, monkeypatch, compiled=False))
    alerts, history = batch.tables.alerts.to_pydict(), batch.tables.history.to_pydict()
    assert alerts["candidate.isdiffpos"] == ["t", "f", None]
    assert alerts["candidate.magpsf"] == [18.5, 17.25, 18.5]
    assert alerts["candidate.ssnamenr"] == [None, "Größe", "null"]
    assert (history["alert"], history["pid"], history["fid"]) == ([0, 0], [5, 6], [2, 1])
    assert history["magpsf"] == [19.0, None]


def test_other_files_are_left_to_the_other_reader():
    good = avro(packet())
    for other in (
        avro(packet(), packet(5)), avro(packet(), codec="deflate"), good + good, good[:-1],
        good + b"x", b"Obj\x01", good[:200], b"",
    ):  # fmt: skip
        assert decode_packets([other], Remarks()) is None
        assert decode_packets([good, other], Remarks()) is None
    assert decode_packets([], Remarks()) is None


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ("candidate", {"name": "psfFlux", "type": ["null", "float"]}),
        ("candidate", {"name": "band", "type": ["null", "string"]}),
        (
            "candidate",
            {"name": "when", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        ),
        ("candidate", {"name": "kind", "type": {"type": "enum", "name": "k", "symbols": ["a"]}}),
        ("candidate", {"name": "jd", "type": "double"}),
        ("prv_candidates", {"name": "procstatus", "type": ["null", "string"]}),
        ("", {"name": "prv_nondetections", "type": ["null", "int"]}),
        ("", {"name": "numbers", "type": {"type": "array", "items": "int"}}),
        ("", {"name": "numbers", "type": {"type": "map", "values": "int"}}),
        ("", {"name": "number", "type": ["null", "int", "string"]}),
    ],
)
def test_schemas_of_others_have_no_program(record, field):
    schema = avro_schema()
    fields = {one["name"]: one for one in schema["fields"]}
    if record == "prv_candidates":
        target = fields[record]["type"][1]["items"]["fields"]
    else:
        target = fields[record]["type"]["fields"] if record else schema["fields"]
    assert program_of(json.dumps(schema).encode()) is not None
    target.append(field)
    assert program_of(json.dumps(schema).encode()) is None


def test_a_damaged_schema_has_no_program():
    for text in (b"", b"{", b"[]", b'"int"', b'{"type": "record", "name": "a", "fields": 3}'):
        assert program_of(text) is None
