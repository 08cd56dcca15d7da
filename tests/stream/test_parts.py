"""Parts are complete or absent, and each packet is read once."""

import os

import numpy as np
import pyarrow as pa
import pytest

from tests.stream.dialects import CANDID, messages
from ztfml.errors import DataError
from ztfml.sources.ingest import ingest
from ztfml.sources.packet_night import night_files, write_packet_night
from ztfml.stream import parts as module
from ztfml.stream.messages import decode_messages
from ztfml.stream.parts import Parts

N = 30


def save(folder, chosen):
    parts = Parts(folder)
    for numbers in chosen:
        (batch,) = decode_messages([MESSAGES[k] for k in numbers])
        parts.save(batch.tables)
    return parts


MESSAGES = messages(N)


def night_of(parts, path):
    write_packet_night(parts.batches(), path)
    return [file.read_bytes() for file in night_files(path) if file.exists()]


@pytest.fixture(scope="module")
def ingested(tmp_path_factory):
    """The night that ingest makes of the same packets in files."""
    folder = tmp_path_factory.mktemp("ingested")
    schema = next(message.key for message in MESSAGES if message.key)
    (folder / "fink_schema.json").write_bytes(schema)
    for k, message in enumerate(MESSAGES):
        (folder / f"{k:03d}.avro").write_bytes(message.value)
    ingest(folder, folder / "night.parquet")
    return [file.read_bytes() for file in night_files(folder / "night.parquet") if file.exists()]


def test_a_night_is_identical_to_ingest(ingested, tmp_path):
    one = night_of(save(tmp_path / "a", [range(N)]), tmp_path / "a.parquet")
    assert one == ingested
    assert len(one) == 3


@pytest.mark.parametrize("seed", range(4))
def test_order_size_and_repetition_of_parts_do_not_matter(seed, ingested, tmp_path):
    rng = np.random.default_rng(seed)
    numbers = np.concatenate([rng.permutation(N), rng.integers(0, N, 15)])
    chosen = np.split(numbers, np.sort(rng.integers(1, len(numbers), 6)))
    parts = save(tmp_path / "parts", [one for one in chosen if len(one)])
    assert parts.candids == {CANDID + k for k in range(N)}
    assert night_of(parts, tmp_path / "night.parquet") == ingested


def test_parts_are_found_again_and_merged(ingested, tmp_path, monkeypatch):
    save(tmp_path / "parts", [[k] for k in range(N)])
    again = Parts(tmp_path / "parts")
    assert len(again) == N
    assert again.candids == {CANDID + k for k in range(N)}
    monkeypatch.setattr(module, "MANY_PARTS", 20)
    again.compact()
    assert len(again) == 11
    assert len(Parts(tmp_path / "parts")) == 11
    assert night_of(again, tmp_path / "night.parquet") == ingested


def test_a_kill_while_parts_are_merged_repeats_packets_only(ingested, tmp_path, monkeypatch):
    parts = save(tmp_path / "parts", [[k] for k in range(N)])
    monkeypatch.setattr(module, "MANY_PARTS", 20)
    monkeypatch.setattr(module, "_remove", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        parts.compact()
    again = Parts(tmp_path / "parts")
    assert len(again) == N + 1
    assert night_of(again, tmp_path / "night.parquet") == ingested


def test_a_part_that_was_not_finished_is_not_read(tmp_path, monkeypatch):
    def killed(*paths):
        raise KeyboardInterrupt

    parts = save(tmp_path / "parts", [[0]])
    monkeypatch.setattr(os, "rename", killed)
    (batch,) = decode_messages([MESSAGES[1]])
    with pytest.raises(KeyboardInterrupt):
        parts.save(batch.tables)
    assert Parts(tmp_path / "parts").candids == {CANDID}


def test_a_damaged_part_is_named(tmp_path):
    parts = save(tmp_path / "parts", [[0], [1]])
    file = tmp_path / "parts" / "00000001" / "history.parquet"
    content = bytearray(file.read_bytes())
    content[20] ^= 8
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"00000001/history\.parquet: not readable"):
        night_of(parts, tmp_path / "night.parquet")


def test_no_packets(tmp_path):
    (tables,) = Parts(tmp_path / "parts").batches()
    assert isinstance(tables.alerts, pa.Table)
    assert len(tables.alerts) == 0
