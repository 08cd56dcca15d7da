"""Packets in folders and tar archives."""

import pytest

from tests.sources.packet_files import alerts_of, avro, packet, tar, values, write
from ztfml.sources.ingest import ingest


def test_folders_are_searched_all_the_way_down_in_order(tmp_path, output):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    write(tmp_path / "in" / "b.avro", packet(2))
    write(tmp_path / "in" / "deep" / "c.avro", packet(3))
    tar(tmp_path / "in" / "a.tar.gz", {"x/1.avro": avro(packet(1))})
    (tmp_path / "in" / "README.txt").write_text("no packet")
    (tmp_path / "in" / "._b.avro").write_text("a shadow file")
    summary = ingest([tmp_path / "in"], output)
    assert values(alerts_of(output), "candid") == [1, 2, 3]
    assert (summary.n_files, summary.n_skipped) == (3, 0)


@pytest.mark.parametrize(
    ("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz")]
)
def test_archives(tmp_path, output, name, mode):
    members = {f"night/{k}.avro": avro(packet(k)) for k in (1, 2, 3)}
    summary = ingest([tar(tmp_path / name, {**members, "night/._1.avro": b"shadow"}, mode)], output)
    assert (summary.n_files, summary.n_alerts, summary.n_skipped) == (3, 3, 0)


def test_an_archive_unpacked_by_the_download_tool_is_read(tmp_path, output):
    path = tar(tmp_path / "a.tar.gz", {"1.avro": avro(packet(1))}, "w")
    assert ingest([path], output).n_alerts == 1


def test_archives_are_not_extracted(tmp_path, output):
    tar(tmp_path / "a.tar", {"1.avro": avro(packet(1))}, "w")
    ingest([tmp_path / "a.tar"], output)
    assert {path.name for path in output.parent.iterdir()} == {
        "night.parquet",
        "night_prv_candidates.parquet",
    }
