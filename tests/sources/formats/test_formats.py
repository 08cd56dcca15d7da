"""Recognising file formats by content, and opening a night in any of them."""

import gzip
import io
import json

import fastavro
import numpy as np
import pandas as pd
import pytest

from tests.sources.packet_files import avro, avro_schema, detection, packet, tar, write
from ztfml.errors import DataError
from ztfml.io.companions import history_beside
from ztfml.night import Night
from ztfml.sources.formats import FORMATS, format_of, open_alerts, open_night
from ztfml.sources.ingest import ingest


@pytest.fixture
def parquet_pair(tmp_path):
    write(tmp_path / "a.avro", packet(1, previous=[detection(2, 2)]), packet(2, drb=0.75))
    ingest(tmp_path / "a.avro", tmp_path / "pair.parquet")
    return tmp_path / "pair.parquet"


def packet_inputs(folder):
    content = avro(packet(1, previous=[detection(2, 2)]), packet(2, drb=0.75))
    (folder / "loose").write_bytes(content)
    (folder / "gzipped").write_bytes(gzip.compress(content))
    (folder / "folder").mkdir()
    (folder / "folder" / "a.avro").write_bytes(content)
    tar(folder / "tarball", {"a.avro": content}, "w")
    tar(folder / "tarball_gz", {"a.avro": content}, "w:gz")
    return [folder / name for name in ("loose", "gzipped", "folder", "tarball", "tarball_gz")]


def test_packets_are_recognised_by_content_not_by_suffix(tmp_path):
    for path in packet_inputs(tmp_path):
        assert format_of(path).name == "avro", path.name


def test_packets_give_the_same_night_as_their_parquet_pair(tmp_path, parquet_pair):
    expected = Night.load(parquet_pair)
    (tmp_path / "in").mkdir()
    for path in packet_inputs(tmp_path / "in"):
        night = open_night(path)
        assert night.name == str(path)
        pd.testing.assert_frame_equal(night.alerts, expected.alerts)
        for found, column in zip(night.history, expected.history, strict=True):
            np.testing.assert_array_equal(found, column)
        np.testing.assert_array_equal(night.last - night.first, [1, 1])


def test_real_packets_give_the_same_night_as_their_parquet_pair(shared_data, tmp_path):
    path = shared_data / "packets" / "recent_alerts.tar.gz"
    ingest(path, tmp_path / "night.parquet")
    night, expected = open_night(path), Night.load(tmp_path / "night.parquet")
    pd.testing.assert_frame_equal(night.alerts, expected.alerts)
    for found, column in zip(night.history, expected.history, strict=True):
        np.testing.assert_array_equal(found, column)


def test_packets_that_are_skipped_are_counted_in_a_warning(tmp_path, caplog):
    write(tmp_path / "a.avro", packet(1))
    (tmp_path / "b.avro").touch()
    assert len(open_night(tmp_path)) == 1
    assert "skipped 1 files that are not readable ZTF packets" in caplog.text


def test_the_parquet_pair_is_recognised_without_its_suffix(parquet_pair):
    renamed = parquet_pair.rename(parquet_pair.with_suffix(".night"))
    assert format_of(renamed).name == "parquet"
    assert len(open_night(renamed)) == 2


def test_a_damaged_parquet_file_is_reported_by_the_parquet_reader(tmp_path):
    (tmp_path / "night.parquet").write_text("objectId,candid")
    with pytest.raises(DataError, match="not a readable parquet file"):
        open_night(tmp_path / "night.parquet")


def test_a_separate_history_file(tmp_path, parquet_pair):
    moved = history_beside(parquet_pair).rename(tmp_path / "elsewhere.parquet")
    assert len(open_night(parquet_pair).history.jd) == 0
    assert len(open_night(parquet_pair, moved).history.jd) == 1


def test_a_separate_history_is_refused_for_packets(tmp_path, parquet_pair):
    with pytest.raises(DataError, match=r"this format \(avro\) already contains the history"):
        open_night(tmp_path / "a.avro", history_beside(parquet_pair))


def test_open_alerts_skips_the_history_of_a_parquet_pair(parquet_pair):
    night = open_alerts(parquet_pair)
    assert (len(night), len(night.history.jd)) == (2, 0)


def test_open_alerts_reads_packets(tmp_path):
    assert len(open_alerts(write(tmp_path / "a.avro", packet(1)))) == 1


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", gzip.compress(b"text", mtime=0), b"\x1f\x8bcut"]
)
def test_an_unknown_format_is_an_error_that_lists_all_formats(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(
        DataError, match=r"file: unknown file format \(.*\); a table needs"
    ) as caught:
        open_night(tmp_path / "file")
    assert "objectId, candid, jd, fid, magpsf, sigmapsf, isdiffpos" in str(caught.value)
    for name in FORMATS:
        assert name in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


def test_an_empty_folder_has_no_format(tmp_path):
    with pytest.raises(DataError, match="unknown file format"):
        open_night(tmp_path)


def test_an_absent_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"absent\.parquet: there is no such file"):
        open_night(tmp_path / "absent.parquet")


def test_a_message_without_schema_is_recognised_by_the_schema_beside_it(tmp_path):
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, avro_schema(), packet(5))
    path = tmp_path / "1.avro"
    path.write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="unknown file format"):
        open_night(path)
    (tmp_path / "alert.avsc").write_text(json.dumps(avro_schema()))
    assert open_night(path).alerts["candid"].tolist() == [5]
