import csv
import gzip
import io
import logging
import tarfile

import fastavro
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.sources.answers import fits_gz, image
from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.sources.fetched_folder import cutouts, fetched_beside
from ztfml.sources.packets import IngestSummary, ingest

JD = 2459000.75


def field(name, kind):
    return {"name": name, "type": ["null", kind], "default": None}


PREVIOUS_FIELDS = {
    "jd": "double",
    "fid": "int",
    "pid": "long",
    "diffmaglim": "float",
    "candid": "long",
    "isdiffpos": "string",
    "magpsf": "float",
    "sigmapsf": "float",
    "rb": "float",
    "pdiffimfilename": "string",
}
CANDIDATE_FIELDS = {
    "jd": "double",
    "fid": "int",
    "pid": "long",
    "candid": "long",
    "isdiffpos": "string",
    "magpsf": "float",
    "sigmapsf": "float",
    "diffmaglim": "float",
    "ssdistnr": "float",
    "ssnamenr": "string",
    "objectidps1": "long",
    "drb": "float",
}
TOP_FIELDS = {
    "schemavsn": "string",
    "publisher": "string",
    "objectId": "string",
    "candid": "long",
    "cutoutScience": "bytes",
}


def avro_schema(top=TOP_FIELDS, candidate=CANDIDATE_FIELDS, previous=PREVIOUS_FIELDS, **extra):
    """A packet's schema; version 3.3 in small, unless told otherwise."""
    fields = [field(*item) for item in top.items()]
    record = {
        "type": "record",
        "name": "candidate",
        "fields": [field(*item) for item in candidate.items()],
    }
    fields.append({"name": "candidate", "type": record})
    if previous:
        items = {
            "type": "record",
            "name": "prv_candidate",
            "fields": [field(*item) for item in previous.items()],
        }
        fields.append(field("prv_candidates", {"type": "array", "items": items}))
    return {"type": "record", "name": "alert", "namespace": "ztf", "fields": fields, **extra}


def limit(days, pid, diffmaglim=20.5, fid=1):
    return {"jd": JD - days, "fid": fid, "pid": pid, "diffmaglim": diffmaglim}


def detection(days, pid, magpsf=19.0, candid=None, fid=1, rb=0.5):
    return {
        **limit(days, pid, fid=fid),
        "candid": candid if candid is not None else pid * 1000,
        "isdiffpos": "t",
        "magpsf": magpsf,
        "sigmapsf": 0.1,
        "rb": rb,
    }


def packet(candid=1234567890123456789, object_id="ZTF20aaaaaaa", previous=(), **candidate):
    return {
        "schemavsn": "3.3",
        "publisher": "ZTF",
        "objectId": object_id,
        "candid": candid,
        "cutoutScience": b"image",
        "candidate": {
            "jd": JD,
            "fid": 2,
            "pid": 7,
            "candid": candid,
            "isdiffpos": "t",
            "magpsf": 18.5,
            "sigmapsf": 0.1,
            "diffmaglim": 20.5,
            "ssdistnr": -999.0,
            "ssnamenr": "null",
            **candidate,
        },
        "prv_candidates": list(previous) or None,
    }


def avro(*packets, schema=None, codec="null"):
    buffer = io.BytesIO()
    fastavro.writer(buffer, schema or avro_schema(), packets, codec=codec)
    return buffer.getvalue()


def write(path, *packets, **options):
    path.write_bytes(avro(*packets, **options))
    return path


def tar(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def output(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "night.parquet"


def alerts_of(output):
    return pq.read_table(output).to_pylist()


def history_of(output):
    path = output.with_name(f"{output.stem}_prv_candidates.parquet")
    return pq.read_table(path).to_pylist()


def skipped_of(summary):
    with open(summary.skipped_path, newline="") as file:
        return {row["file"].rsplit("/", 1)[1]: row["reason"] for row in csv.DictReader(file)}


def values(rows, name):
    return [row[name] for row in rows]


# --- what is written --------------------------------------------------------------------


def test_a_packet_becomes_a_row_with_the_packets_values(tmp_path, output):
    path = write(tmp_path / "a.avro", packet(objectidps1=-999, drb=None))
    summary = ingest([path], output)
    assert summary == IngestSummary(1, 1, 0, 0, 0, 0, None)
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


# --- merging histories ------------------------------------------------------------------


def test_rows_shipped_by_two_alerts_count_once(tmp_path, output):
    early = packet(1, previous=[limit(5, 1), detection(2, 2)], jd=JD)
    late = packet(2, previous=[detection(2, 2), limit(5, 1), detection(0, 7)], jd=JD + 1)
    ingest([write(tmp_path / "a.avro", early), write(tmp_path / "b.avro", late)], output)
    rows = history_of(output)
    assert values(rows, "pid") == [1, 2, 7]
    assert values(rows, "jd") == sorted(values(rows, "jd"))


def test_two_candidates_of_one_exposure_both_stay(tmp_path, output):
    previous = [detection(2, 2, candid=20), detection(2, 2, candid=21)]
    ingest([write(tmp_path / "a.avro", packet(previous=previous))], output)
    assert values(history_of(output), "candid") == [20, 21]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_row_that_came_first_stays_when_a_later_alert_ships_it_changed(tmp_path, output, names):
    early, late = (tmp_path / f"{name}.avro" for name in names)
    write(early, packet(1, previous=[detection(2, 2, rb=0.25)], jd=JD))
    write(late, packet(2, previous=[detection(2.000004, 2, rb=0.75)], jd=JD + 1))
    ingest([tmp_path], output)
    (row,) = history_of(output)
    assert (row["rb"], row["jd"]) == (0.25, JD - 2)


def test_the_same_exposure_of_two_objects_stays_with_both(tmp_path, output):
    one = packet(1, "ZTF20aaaaaaa", previous=[limit(5, 1)])
    two = packet(2, "ZTF20aaaaaab", previous=[limit(5, 1)])
    ingest([write(tmp_path / "a.avro", one, two)], output)
    assert sorted(values(history_of(output), "objectId")) == ["ZTF20aaaaaaa", "ZTF20aaaaaab"]


def test_exposures_without_pid_are_told_apart_by_their_time(tmp_path, output):
    previous = [limit(5, None), limit(4, None), limit(4, None)]
    ingest([write(tmp_path / "a.avro", packet(previous=previous))], output)
    assert values(history_of(output), "jd") == [JD - 5, JD - 4]


def test_many_objects_over_many_spills_merge_as_pandas_would(tmp_path, output, monkeypatch):
    monkeypatch.setattr("ztfml.sources.packets._SPILL_ROWS", 40)
    monkeypatch.setattr("ztfml.sources.packets._BATCH", 7)
    monkeypatch.setattr("ztfml.sources.packets._ROW_GROUP", 10)
    random = np.random.default_rng(1)
    packets, shipped = [], []
    for candid in range(1, 91):
        object_id = f"ZTF20aaaaaa{'abcdefghijklm'[random.integers(13)]}"
        pids = random.integers(1, 40, random.integers(0, 20))
        rows = [limit(50 - pid, int(pid)) for pid in pids]
        packets.append(packet(candid, object_id, rows, jd=JD + candid))
        shipped += [(object_id, row["jd"], row["pid"]) for row in rows]
    summary = ingest([write(tmp_path / "a.avro", *packets)], output)
    wanted = sorted(set(shipped))
    rows = history_of(output)
    assert summary.n_history == len(rows) == len(wanted)
    assert sorted((row["objectId"], row["jd"], row["pid"]) for row in rows) == wanted
    assert values(alerts_of(output), "candid") == list(range(1, 91))
    for object_id in set(values(rows, "objectId")):
        own = [k for k, row in enumerate(rows) if row["objectId"] == object_id]
        assert own == list(range(own[0], own[-1] + 1))  # rows of an object stand together
    assert [path.name for path in output.parent.iterdir() if path.name.startswith(".")] == []


# --- schemas, spellings, brokers --------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "spelling", "written"),
    [
        ("string", "t", "t"),
        ("string", "f", "f"),
        ("string", "1", "t"),
        ("string", "0", "f"),
        ("int", 1, "t"),
        ("int", 0, "f"),
        ("boolean", True, "t"),
        ("boolean", False, "f"),
        ("string", None, None),
    ],
)
def test_isdiffpos_is_written_in_one_spelling(tmp_path, output, kind, spelling, written):
    schema = avro_schema(
        candidate={**CANDIDATE_FIELDS, "isdiffpos": kind},
        previous={**PREVIOUS_FIELDS, "isdiffpos": kind},
    )
    row = {**detection(2, 2), "isdiffpos": spelling}
    path = write(tmp_path / "a.avro", packet(previous=[row], isdiffpos=spelling), schema=schema)
    ingest([path], output)
    assert alerts_of(output)[0]["candidate.isdiffpos"] == written
    assert history_of(output)[0]["isdiffpos"] == written


def test_names_of_schema_1_are_written_under_the_new_ones(tmp_path, output):
    old = {"sgscore": "float", "distpsnr": "float", "sgmag": "float", "szmag": "float"}
    schema = avro_schema(candidate={**CANDIDATE_FIELDS, **old}, version="1.3")
    row = packet(sgscore=0.75, distpsnr=1.5, sgmag=-999.0, szmag=17.25)
    del row["schemavsn"]
    ingest([write(tmp_path / "a.avro", row, schema=schema)], output)
    (alert,) = alerts_of(output)
    assert alert["candidate.sgscore1"] == 0.75
    assert alert["candidate.distpsnr1"] == 1.5
    assert alert["candidate.sgmag1"] == -999.0
    assert alert["candidate.szmag1"] == 17.25
    assert alert["schemavsn"] == "1.3"
    assert "candidate.sgscore" not in alert


def test_an_alert_of_the_oldest_schemas_is_an_object_of_its_own(tmp_path, output):
    top = {"alertId": "long", "candid": "long"}
    row = {"alertId": 87704463155000, **packet(-87704463155000)}
    path = write(tmp_path / "a.avro", row, schema=avro_schema(top=top))
    ingest([path], output)
    (alert,) = alerts_of(output)
    assert alert["objectId"] == "87704463155000"
    assert alert["candid"] == -87704463155000


def test_packets_of_several_schemas_make_one_table(tmp_path, output):
    with_gaia = avro_schema(candidate={**CANDIDATE_FIELDS, "neargaia": "float"})
    without_drb = {name: kind for name, kind in CANDIDATE_FIELDS.items() if name != "drb"}
    write(tmp_path / "a.avro", packet(1, neargaia=2.5, drb=0.5), schema=with_gaia)
    write(tmp_path / "b.avro", packet(2), schema=avro_schema(candidate=without_drb))
    ingest([tmp_path], output)
    alerts = alerts_of(output)
    assert values(alerts, "candidate.neargaia") == [2.5, None]
    assert values(alerts, "candidate.drb") == [0.5, None]


def test_unknown_fields_are_named_once(tmp_path, output, caplog):
    schema = avro_schema(candidate={**CANDIDATE_FIELDS, "novelty": "float"})
    write(tmp_path / "a.avro", packet(1, novelty=1.0), packet(2, novelty=2.0), schema=schema)
    ingest([tmp_path], output)
    assert [r.getMessage() for r in caplog.records if "novelty" in r.getMessage()] == [
        "left out fields unknown here: novelty"
    ]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_codecs(tmp_path, output, codec):
    assert ingest([write(tmp_path / "a.avro", packet(), codec=codec)], output).n_alerts == 1


def test_a_file_may_hold_many_packets(tmp_path, output):
    path = write(tmp_path / "part.avro", *(packet(k) for k in range(1, 6)))
    summary = ingest([path], output)
    assert (summary.n_files, summary.n_alerts) == (1, 5)


@pytest.mark.parametrize("absent", ["top", "candidate"])
def test_the_candid_may_stand_in_one_place_only(tmp_path, output, absent):
    row = packet(1234567890123456789)
    if absent == "top":
        row["candid"] = None
    else:
        row["candidate"]["candid"] = None
    ingest([write(tmp_path / "a.avro", row)], output)
    (alert,) = alerts_of(output)
    assert alert["candid"] == alert["candidate.candid"] == 1234567890123456789


# --- forced photometry ------------------------------------------------------------------

FORCED_FIELDS = {
    "jd": "double",
    "fid": "int",
    "pid": "long",
    "diffmaglim": "float",
    "magzpsci": "float",
    "forcediffimflux": "float",
    "forcediffimfluxunc": "float",
}


def forced(flux, error=10.0, zero_point=26.0):
    return {
        **limit(2, 2, 20.5),
        "forcediffimflux": flux,
        "forcediffimfluxunc": error,
        "magzpsci": zero_point,
    }


def ingest_forced(tmp_path, output, row):
    schema = avro_schema(previous=FORCED_FIELDS)
    ingest([write(tmp_path / "a.avro", packet(previous=[row]), schema=schema)], output)
    return history_of(output)[0]


@pytest.mark.parametrize(("flux", "sign"), [(1000.0, "t"), (-1000.0, "f")])
def test_forced_flux_becomes_a_magnitude(tmp_path, output, flux, sign):
    row = ingest_forced(tmp_path, output, forced(flux))
    assert row["magpsf"] == pytest.approx(26.0 - 2.5 * 3)
    assert row["sigmapsf"] == pytest.approx(1.0857 / 100, rel=1e-4)
    assert row["isdiffpos"] == sign
    assert row["diffmaglim"] == 20.5


@pytest.mark.parametrize("flux", [29.9, -29.9, 0.0])
def test_below_three_sigma_it_is_a_five_sigma_limit(tmp_path, output, flux):
    row = ingest_forced(tmp_path, output, forced(flux, error=20.0))
    assert row["magpsf"] is None
    assert row["isdiffpos"] is None
    assert row["diffmaglim"] == pytest.approx(26.0 - 2.5 * 2)


def test_three_sigma_is_a_detection(tmp_path, output):
    assert ingest_forced(tmp_path, output, forced(30.0))["magpsf"] is not None


@pytest.mark.parametrize(
    "row",
    [forced(None), forced(100.0, None), forced(-99999.0), forced(100.0, -99999.0), forced(9.0, 0)],
)
def test_a_failed_flux_leaves_the_limit_of_the_image(tmp_path, output, row):
    row = ingest_forced(tmp_path, output, row)
    assert row["magpsf"] is None
    assert row["diffmaglim"] == 20.5


def test_forced_photometry_beside_the_history_is_counted_not_written(tmp_path, output, caplog):
    schema = avro_schema()
    record = {"type": "record", "name": "fp_hist", "fields": [field("jd", "double")]}
    schema["fields"].append(field("fp_hists", {"type": "array", "items": record}))
    row = {**packet(previous=[detection(2, 2)]), "fp_hists": [{"jd": JD - 2}, {"jd": JD - 1}]}
    with caplog.at_level(logging.INFO, "ztfml"):
        summary = ingest([write(tmp_path / "a.avro", row, schema=schema)], output)
    assert summary.n_history == 1
    assert "left out 2 rows of forced photometry" in caplog.text


# --- folders and archives ---------------------------------------------------------------


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


def test_nothing_of_an_archive_is_extracted(tmp_path, output):
    tar(tmp_path / "a.tar", {"1.avro": avro(packet(1))}, "w")
    ingest([tmp_path / "a.tar"], output)
    assert {path.name for path in output.parent.iterdir()} == {
        "night.parquet",
        "night_prv_candidates.parquet",
    }


# --- duplicates and bad input -----------------------------------------------------------


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


def test_what_cannot_be_read_is_named_with_a_reason(tmp_path, output):
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
def test_of_an_archive_cut_short_the_beginning_is_kept(tmp_path, output, compressed):
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
    assert "cannot be read to its end" in skipped_of(summary)["a.tar"]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_an_archive_that_is_none_is_named(tmp_path, output, name):
    write(tmp_path / "b.avro", packet(1))
    (tmp_path / name).write_text("not found" * 200)
    summary = ingest([tmp_path], output)
    assert summary.n_alerts == 1
    assert "cannot be read" in skipped_of(summary)[name]


def test_a_damaged_gzip_stream_is_named(tmp_path, output):
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


def test_an_old_list_of_skipped_files_goes(tmp_path, output):
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


# --- stamps -----------------------------------------------------------------------------

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


def test_stamps_are_kept_on_request(tmp_path, output):
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


def test_alerts_without_stamps_are_alerts_all_the_same(tmp_path, output, caplog):
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
    assert "5 alerts have no stamps to keep; the first: alert " in caplog.text
    assert [path.name for path in fetched_beside(output).iterdir()] == ["ZTF20aaaaaaa_5.npz"]
    assert not list(tmp_path.parent.rglob("*evil*"))


# --- real packets -----------------------------------------------------------------------

# What can be read but is no packet of ZTF: another survey's, or without a candidate.
FOREIGN = {
    "fink-alert-schemas__alert_mjd60673.2244_obj1198_src2396011.avro",
    "fink-client__fink-broker-sample-alert-2.avro",
}
# Packets of each archive, and whether they are ZTF's.
TARBALLS = {
    "ztf_public_20180819_mod1000.tar.gz": (30, True),
    "recent_alerts.tar.gz": (22, True),
    "alerts_2021720_programid1.tar.gz": (100, True),
    "ztf_20200106_programid2_zuds.tar.gz": (16, False),
}


@pytest.fixture(scope="module")
def packets(shared_data):
    return shared_data / "packets"


@pytest.fixture(scope="module")
def manifest(packets):
    return pd.read_csv(packets / "MANIFEST.csv", dtype={"readable": str})


@pytest.fixture(scope="module")
def ingested(packets, tmp_path_factory):
    output = tmp_path_factory.mktemp("real") / "all.parquet"
    return ingest([packets], output, cutouts=True), output


def test_all_real_packets_as_the_manifest_says(ingested, manifest):
    summary, output = ingested
    loose = manifest[manifest["readable"] != "tarball"]
    readable = loose[(loose["readable"] == "True") & ~loose["file"].isin(FOREIGN)]
    in_tarballs = sum(n for n, is_ztf in TARBALLS.values() if is_ztf)
    assert len(manifest) == 119
    assert summary.n_files == len(loose) + sum(n for n, _ in TARBALLS.values())
    assert summary.n_alerts + summary.n_duplicates == readable["n_records"].sum() + in_tarballs
    assert summary.n_duplicates == 6  # counted by hand: other versions of the same alert
    unreadable = set(loose["file"]) - set(readable["file"])
    reasons = skipped_of(summary)
    assert {name for name in reasons if name in set(loose["file"])} == unreadable
    assert summary.n_skipped == len(unreadable) + TARBALLS["ztf_20200106_programid2_zuds.tar.gz"][0]
    assert len(pq.read_table(output)) == summary.n_alerts


def test_the_stamps_of_all_real_packets(ingested):
    summary, output = ingested
    # The tarball of schema 3.5 ships none, those of 2017 and before are JPEG pictures.
    assert summary.n_cutouts == 200
    night = Night.load(output)
    shapes = [
        cutouts(fetched_beside(output), name, candid).science.shape
        for name, candid in zip(night.alerts["objectId"], night.alerts["candid"], strict=True)
        if cutouts(fetched_beside(output), name, candid)
    ]
    assert shapes == [(63, 63)] * 200
    # Of this one 51 rows are shipped, with the source in the twentieth: y is 20 of 3080.
    stamps = cutouts(fetched_beside(output), "ZTF18abnwopm", 595277915515015000)
    assert np.isnan(stamps.difference[:12]).all()
    assert np.nanargmax(stamps.difference) == 31 * 63 + 31


def test_all_real_packets_load_as_a_night(ingested):
    summary, output = ingested
    night = Night.load(output)
    assert len(night) == summary.n_alerts
    # Night takes candidates with the same magnitudes in one exposure for one.
    assert summary.n_history - 10 <= len(night.history.jd) <= summary.n_history
    assert night.alerts["objectId"].str.startswith("ZTF").sum() == len(night) - 6
    assert set(night.alerts["isdiffpos"]) == {1, -1}


@pytest.mark.parametrize("name", [name for name, (_, is_ztf) in TARBALLS.items() if is_ztf])
def test_real_tarballs(packets, output, name):
    summary = ingest([packets / name], output)
    assert summary.n_alerts == summary.n_files == TARBALLS[name][0]
    assert summary.n_skipped == summary.n_duplicates == 0
    night = Night.load(output)
    with tarfile.open(packets / name) as archive:
        names = [member.name for member in archive if member.isfile()]
    # Members are named by their candid.
    assert sorted(f"{candid}.avro" for candid in night.alerts["candid"]) == sorted(names)


def test_the_real_tarball_of_another_survey_is_refused(packets, output):
    with pytest.raises(DataError, match="belongs to another survey"):
        ingest([packets / "ztf_20200106_programid2_zuds.tar.gz"], output)


def test_history_counts_are_those_of_the_manifest(packets, manifest, output):
    counted = manifest[
        (manifest["writer"] == "ztf.alert") & (manifest["n_records"] == 1) & (manifest["n_prv"] > 0)
    ]
    sample = counted.iloc[::9]
    assert len(sample) >= 7
    for row in sample.itertuples():
        assert ingest([packets / row.file], output).n_history == row.n_prv, row.file


def test_a_real_packet_value_by_value(packets, output):
    """boom__2475433850415015006.avro (schema 4.01), read by eye."""
    summary = ingest([packets / "boom__2475433850415015006.avro"], output)
    assert (summary.n_alerts, summary.n_history) == (1, 20)
    (alert,) = alerts_of(output)
    assert alert["objectId"] == "ZTF18acgbhmc"
    assert alert["candid"] == alert["candidate.candid"] == 2475433850415015006
    assert alert["schemavsn"] == "4.01"
    assert alert["publisher"] == "ZTF (www.ztf.caltech.edu)"
    wanted = {"jd": 2460229.9338542, "fid": 1, "isdiffpos": "t", "programid": 1}
    assert {name: alert[f"candidate.{name}"] for name in wanted} == wanted
    assert alert["candidate.magpsf"] == pytest.approx(18.07482147216797, abs=1e-9)
    assert alert["candidate.sigmapsf"] == pytest.approx(0.13747231662273407, abs=1e-9)
    assert alert["candidate.diffmaglim"] == pytest.approx(20.151403427124023, abs=1e-9)
    first, second, *_ = history_of(output)
    assert (first["jd"], first["fid"], first["nid"]) == (2460201.9403125, 2, 2447)
    assert first["magpsf"] is None
    assert first["diffmaglim"] == pytest.approx(20.52899932861328, abs=1e-9)
    assert (second["jd"], second["fid"], second["isdiffpos"]) == (2460201.9865046, 1, "t")
    assert second["candid"] == 2447486500415015005
    assert second["magpsf"] == pytest.approx(17.51129913330078, abs=1e-9)
    assert second["sigmapsf"] == pytest.approx(0.13783200085163116, abs=1e-9)
    assert (second["field"], second["rcid"], second["nneg"]) == (505, 4, 11)
    assert (second["ra"], second["dec"]) == (45.4719647, 9.4927632)
    assert second["scorr"] == 5.57095


def test_every_field_of_real_packets_arrives_unchanged(packets, output):
    """Every candidate field of every packet in an archive, against a plain read by fastavro."""
    archive_path = packets / "ztf_public_20180819_mod1000.tar.gz"
    ingest([archive_path], output)
    written = {row["candid"]: row for row in alerts_of(output)}
    with tarfile.open(archive_path) as archive:
        for member in archive:
            (alert,) = fastavro.reader(archive.extractfile(member))
            row = written[alert["candid"]]
            for name, value in alert["candidate"].items():
                np.testing.assert_equal(row[f"candidate.{name}"], value)


def test_a_real_forced_photometry_packet(packets, output):
    """ztf-avro-alert__forcedphot_test (schema 3.5): SNR -24.4, -2.58, ... by hand."""
    ingest([packets / "ztf-avro-alert__forcedphot_test_1660293514215020000.avro"], output)
    rows = {row["pid"]: row for row in history_of(output)}
    assert len(rows) == 18
    bright = rows[1660270044215]
    assert bright["isdiffpos"] == "f"
    assert bright["magpsf"] == pytest.approx(18.3314, abs=1e-4)
    assert bright["sigmapsf"] == pytest.approx(0.04454, abs=1e-5)
    faint = rows[1657294784215]
    assert faint["magpsf"] is None
    assert faint["diffmaglim"] == pytest.approx(20.39366, abs=1e-5)
