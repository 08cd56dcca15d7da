"""What `ingest` writes, and what it does with duplicates and unreadable files."""

import gzip
import io

import fastavro
import numpy as np
import pandas as pd
import pytest

from tests.sources.answers import fits_gz, image
from tests.sources.packet_files import (
    CANDIDATE_FIELDS,
    JD,
    PREVIOUS_FIELDS,
    TOP_FIELDS,
    alerts_of,
    avro,
    avro_schema,
    detection,
    field,
    history_of,
    limit,
    packet,
    skipped_of,
    tar,
    values,
    write,
)
from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.sources.fetched_folder import cutouts, fetched_beside
from ztfml.sources.ingest import IngestSummary, ingest


def test_a_packet_becomes_a_row_with_the_packets_values(tmp_path, output):
    path = write(tmp_path / "a.avro", packet(objectidps1=-999, drb=None))
    summary = ingest([path], output)
    assert summary == IngestSummary(1, 1, 0, 0, 0, 0, None, 0)
    (row,) = alerts_of(output)
    assert row["objectId"] == "ZTF20aaaaaaa"
    assert row["candid"] == row["candidate.candid"] == 1234567890123456789
    assert row["schemavsn"] == "3.3"
    assert row["publisher"] == "ZTF"
    assert row["candidate.jd"] == JD
    assert row["candidate.fid"] == 2
    assert row["candidate.isdiffpos"] == "t"
    assert row["candidate.ssdistnr"] == -999.0
    assert row["candidate.objectidps1"] == -999
    assert row["candidate.ssnamenr"] == "null"
    assert row["candidate.drb"] is None
    assert row["candidate.neargaia"] is None  # absent in this schema
    assert not any("cutout" in name for name in row)


def test_a_single_path_needs_no_list(tmp_path, output):
    assert ingest(str(write(tmp_path / "a.avro", packet())), output).n_alerts == 1


def test_history_rows_are_those_of_the_packet(tmp_path, output):
    previous = [limit(5, 1, 20.25), detection(2, 2, magpsf=19.25, candid=2345678901234567890)]
    summary = ingest([write(tmp_path / "a.avro", packet(previous=previous))], output)
    assert summary.n_history == 2
    first, second = history_of(output)
    assert (first["objectId"], first["jd"], first["pid"]) == ("ZTF20aaaaaaa", JD - 5, 1)
    assert first["magpsf"] is None
    assert first["diffmaglim"] == 20.25
    assert second["magpsf"] == 19.25
    assert second["candid"] == 2345678901234567890
    assert "pdiffimfilename" not in first


def test_history_is_indexed_by_object_for_pandas(tmp_path, output):
    ingest([write(tmp_path / "a.avro", packet(previous=[detection(2, 2)]))], output)
    frame = pd.read_parquet(output.with_name("night_prv_candidates.parquet"))
    assert frame.index.name == "objectId"
    assert list(frame.index) == ["ZTF20aaaaaaa"]


def test_the_night_loads(tmp_path, output):
    previous = [limit(5, 1), detection(2, 2)]
    ingest([write(tmp_path / "a.avro", packet(previous=previous))], output)
    night = Night.load(output)
    assert len(night) == 1
    assert night.alerts["candid"][0] == 1234567890123456789
    assert np.isnan(night.alerts["ssdistnr"][0])
    assert night.last[0] - night.first[0] == 2


def test_alerts_without_history_load(tmp_path, output, caplog):
    summary = ingest([write(tmp_path / "a.avro", packet())], output)
    assert summary.n_history == 0
    night = Night.load(output)
    assert night.last[0] == night.first[0]


def test_the_same_packet_twice_counts_once(tmp_path, output):
    write(tmp_path / "a.avro", packet(1, magpsf=18.0))
    write(tmp_path / "b.avro", packet(1, magpsf=19.0), packet(2))
    summary = ingest([tmp_path], output)
    assert (summary.n_alerts, summary.n_duplicates, summary.n_skipped) == (2, 1, 0)
    assert values(alerts_of(output), "candidate.magpsf") == [18.0, 18.5]


ELASTICC = {
    "type": "record",
    "name": "alert",
    "namespace": "elasticc.v0_9",
    "fields": [{"name": "alertId", "type": "long"}],
}


def bad_files(folder):
    """Every kind of file that cannot be read, and a word of the reason given for each."""
    whole = avro(packet(9))
    other = {**packet(9), "objectId": "ZUDS20x"}
    no_candid = packet(None)
    text_mag = avro_schema(candidate={**CANDIDATE_FIELDS, "magpsf": "string"})
    text_rows = avro_schema(previous={**PREVIOUS_FIELDS, "jd": "string"})
    contents = {
        "cut.avro": (whole[: len(whole) // 2 + 700], "cut short"),
        "cut_in_header.avro": (whole[:100], "cut short"),
        "header_only.avro": (avro(), "no packet"),
        "no_sync.avro": (whole[:-1] + bytes([whole[-1] ^ 255]), "sync marker"),
        "empty.avro": (b"", "empty"),
        "text.avro": (b"objectId,candid\n", "not an avro file"),
        "elasticc.avro": (avro({"alertId": 1}, schema=ELASTICC), "no candidate"),
        "number.avro": (avro(7, schema={"type": "long"}), "no candidate"),
        "zuds.avro": (avro(other), "another survey"),
        "no_candid.avro": (avro(no_candid), "no candid"),
        "no_mag.avro": (avro(packet(9, magpsf=None)), "no magpsf"),
        "no_jd.avro": (avro(packet(9, jd=None)), "no jd"),
        "no_object.avro": (avro({**packet(9), "objectId": None}), "no objectId"),
        "text_mag.avro": (avro(packet(8, magpsf="bright"), schema=text_mag), "wrong type"),
        "text_rows.avro": (
            avro(packet(7, previous=[{**limit(2, 2), "jd": "soon"}]), schema=text_rows),
            "wrong type",
        ),
    }
    for name, (content, _) in contents.items():
        (folder / name).write_bytes(content)
    return {name: word for name, (_, word) in contents.items()}


def test_unreadable_files_are_listed_with_a_reason(tmp_path, output):
    write(tmp_path / "good.avro", packet(1))
    write(tmp_path / "zgood.avro", packet(2))
    words = bad_files(tmp_path)
    summary = ingest([tmp_path], output)
    assert (summary.n_alerts, summary.n_skipped) == (2, len(words))
    assert summary.skipped_path == output.parent / "night.skipped.csv"
    reasons = skipped_of(summary)
    assert reasons.keys() == words.keys()
    for name, word in words.items():
        assert word in reasons[name], name
    assert values(alerts_of(output), "candid") == [1, 2]


@pytest.mark.parametrize("cut", range(40, 1000, 97))
def test_a_packet_cut_anywhere_is_refused(tmp_path, output, cut):
    content = avro(packet(9, previous=[detection(2, 2)]))
    write(tmp_path / "a.avro", packet(1))
    (tmp_path / "b.avro").write_bytes(content[:-cut])
    summary = ingest([tmp_path], output)
    assert (summary.n_alerts, summary.n_skipped) == (1, 1)


def test_packets_before_a_damaged_record_are_kept(tmp_path, output):
    buffer = io.BytesIO()
    first, second = packet(1), packet(2, ssnamenr="namenamename")
    fastavro.writer(buffer, avro_schema(), [first, second])
    damaged = buffer.getvalue().replace(b"namenamename", b"\xff" * 12)
    (tmp_path / "a.avro").write_bytes(damaged)
    summary = ingest([tmp_path / "a.avro"], output)
    assert (summary.n_alerts, summary.n_skipped) == (1, 1)
    assert "damaged" in skipped_of(summary)["a.avro"]


def test_a_damaged_member_does_not_stop_the_archive(tmp_path, output):
    members = {"1.avro": avro(packet(1)), "2.avro": b"Obj\x01rubbish", "3.avro": avro(packet(3))}
    summary = ingest([tar(tmp_path / "a.tar.gz", members)], output)
    assert (summary.n_files, summary.n_alerts, summary.n_skipped) == (3, 2, 1)
    assert list(skipped_of(summary)) == ["2.avro"]


@pytest.mark.parametrize("compressed", [True, False])
def test_the_beginning_of_an_incomplete_archive_is_kept(tmp_path, output, compressed):
    random = np.random.default_rng(0)
    members = {
        f"{k}.avro": avro({**packet(k), "cutoutScience": random.bytes(4000)}) for k in range(1, 9)
    }
    path = tar(tmp_path / "a.tar", members, "w")
    content = path.read_bytes()
    content = gzip.compress(content) if compressed else content
    path.write_bytes(content[: len(content) // 2])
    summary = ingest([path], output)
    assert 1 <= summary.n_alerts <= 5
    reason = "cannot be read to its end" if compressed else "no end marker after byte"
    assert reason in skipped_of(summary)["a.tar"]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_a_file_that_is_not_an_archive_is_listed(tmp_path, output, name):
    write(tmp_path / "b.avro", packet(1))
    (tmp_path / name).write_text("not found" * 200)
    summary = ingest([tmp_path], output)
    assert summary.n_alerts == 1
    assert "cannot be read" in skipped_of(summary)[name]


def test_a_damaged_gzip_stream_is_listed(tmp_path, output):
    random = np.random.default_rng(0)
    members = {
        f"{k}.avro": avro({**packet(k), "cutoutScience": random.bytes(40_000)}) for k in range(1, 9)
    }
    path = tar(tmp_path / "a.tar.gz", members)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    summary = ingest([path], output)
    assert 1 <= summary.n_alerts < 8
    assert "a.tar.gz" in skipped_of(summary)


def test_an_old_list_of_skipped_files_is_deleted(tmp_path, output):
    write(tmp_path / "a.avro", packet(1))
    (tmp_path / "b.avro").touch()
    assert ingest([tmp_path], output).skipped_path.exists()
    (tmp_path / "b.avro").unlink()
    assert ingest([tmp_path], output).skipped_path is None
    assert not (output.parent / "night.skipped.csv").exists()


def test_nothing_readable_is_an_error_and_nothing_is_written(tmp_path, output):
    bad_files(tmp_path)
    with pytest.raises(DataError, match=r"no readable ZTF packet \(the first of 15: "):
        ingest([tmp_path], output)
    assert list(output.parent.iterdir()) == []


def test_an_empty_folder_is_an_error(tmp_path, output):
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match=r"in: no readable ZTF packet \(no \.avro"):
        ingest([tmp_path / "in"], output)
    assert list(output.parent.iterdir()) == []


def test_a_failure_leaves_the_earlier_night(tmp_path, output):
    write(tmp_path / "a.avro", packet(1))
    ingest([tmp_path / "a.avro"], output)
    before = output.read_bytes()
    (tmp_path / "b.avro").touch()
    with pytest.raises(DataError):
        ingest([tmp_path / "b.avro"], output)
    assert output.read_bytes() == before
    assert len(list(output.parent.iterdir())) == 2


def test_a_path_that_does_not_exist_is_an_error(tmp_path, output):
    with pytest.raises(DataError, match=r"absent\.avro: there is no such file or folder"):
        ingest([tmp_path / "absent.avro"], output)
    assert list(output.parent.iterdir()) == []


def test_an_output_folder_that_does_not_exist_is_an_error(tmp_path):
    path = write(tmp_path / "a.avro", packet())
    with pytest.raises(DataError, match=r"night\.parquet: cannot be written"):
        ingest([path], tmp_path / "absent" / "night.parquet")


def test_the_output_is_a_parquet_file(tmp_path):
    path = write(tmp_path / "a.avro", packet())
    with pytest.raises(DataError, match=r"night_2460474\.5: the output is a parquet file"):
        ingest([path], tmp_path / "night_2460474.5")


CUTOUT = {
    "type": "record",
    "name": "cutout",
    "namespace": "ztf.alert",
    "fields": [field("fileName", "string"), field("stampData", "bytes")],
}


def with_stamps(science, template, difference, **options):
    """A packet with stamps, and its schema."""
    schema = avro_schema({name: kind for name, kind in TOP_FIELDS.items() if name[:3] != "cut"})
    for k, name in enumerate(("cutoutScience", "cutoutTemplate", "cutoutDifference")):
        kind = CUTOUT if k == 0 else "ztf.alert.cutout"
        schema["fields"].append({"name": name, "type": ["null", kind], "default": None})
    stamps = {
        "cutoutScience": {"fileName": "sci.fits.gz", "stampData": science},
        "cutoutTemplate": template and {"fileName": "ref.fits.gz", "stampData": template},
        "cutoutDifference": {"fileName": "scimref.fits.gz", "stampData": difference},
    }
    return packet(**options) | stamps, schema


def test_stamps_are_written_on_request(tmp_path, output):
    stamps = [fits_gz(image((63, 48), low)) for low in (0.0, 1e4, 2e4)]
    made, schema = with_stamps(*stamps)
    path = write(tmp_path / "a.avro", made, schema=schema)
    assert ingest([path], output).n_cutouts == 0
    assert not fetched_beside(output).exists()
    assert ingest([path], output, cutouts=True).n_cutouts == 1
    back = cutouts(fetched_beside(output), "ZTF20aaaaaaa")
    assert back.candid == 1234567890123456789
    np.testing.assert_array_equal(back.science, image((63, 48)))
    np.testing.assert_array_equal(back.reference, image((63, 48), 1e4))
    np.testing.assert_array_equal(back.difference, image((63, 48), 2e4))


def test_alerts_without_stamps_are_kept(tmp_path, output, caplog):
    good = fits_gz(image())
    made = {
        "jpeg": with_stamps(b"\xff\xd8\xff\xe0JFIF", good, good, candid=1),
        "absent": with_stamps(good, None, good, candid=2),
        "cut": with_stamps(good, good, good[:100], candid=3),
        "hostile": with_stamps(good, good, good, candid=4, object_id="ZTF/../../../evil"),
        "good": with_stamps(good, good, good, candid=5),
        "twice": with_stamps(good, good, good, candid=5),
    }
    for name, (one, schema) in made.items():
        write(tmp_path / f"{name}.avro", one, schema=schema)
    write(tmp_path / "bytes.avro", packet(candid=6))
    summary = ingest([tmp_path], output, cutouts=True)
    assert (summary.n_alerts, summary.n_cutouts, summary.n_skipped) == (6, 1, 0)
    assert "5 alerts have no readable stamps (for example alert " in caplog.text
    assert [path.name for path in fetched_beside(output).iterdir()] == ["ZTF20aaaaaaa_5.npz"]
    assert not list(tmp_path.parent.rglob("*evil*"))
