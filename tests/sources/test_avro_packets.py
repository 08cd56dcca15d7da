"""Packets of all schemas and brokers, and forced photometry."""

import numpy as np
import pytest

from tests.sources.packet_files import (
    CANDIDATE_FIELDS,
    JD,
    PREVIOUS_FIELDS,
    TOP_FIELDS,
    alerts_of,
    avro_schema,
    detection,
    field,
    history_of,
    limit,
    packet,
    skipped_of,
    values,
    write,
)
from ztfml.io.companions import forced_beside
from ztfml.night import Night
from ztfml.sources.forced_file import read_forced
from ztfml.sources.ingest import ingest


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
        ("int", -1, "f"),
        ("double", 1.0, "t"),
        ("double", -1.0, "f"),
        ("string", "True", "t"),
        ("string", "False", "f"),
        ("bytes", b"t", "t"),
        ("bytes", b"f", "f"),
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


def test_each_alert_of_the_oldest_schemas_is_an_object(tmp_path, output):
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
        "omitted unknown fields: novelty"
    ]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_codecs(tmp_path, output, codec):
    assert ingest([write(tmp_path / "a.avro", packet(), codec=codec)], output).n_alerts == 1


def test_a_file_can_contain_many_packets(tmp_path, output):
    path = write(tmp_path / "part.avro", *(packet(k) for k in range(1, 6)))
    summary = ingest([path], output)
    assert (summary.n_files, summary.n_alerts) == (1, 5)


@pytest.mark.parametrize("absent", ["top", "candidate"])
def test_the_candid_may_be_in_one_of_two_fields(tmp_path, output, absent):
    row = packet(1234567890123456789)
    if absent == "top":
        row["candid"] = None
    else:
        row["candidate"]["candid"] = None
    ingest([write(tmp_path / "a.avro", row)], output)
    (alert,) = alerts_of(output)
    assert alert["candid"] == alert["candidate.candid"] == 1234567890123456789


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


def test_rows_with_a_processing_warning_are_left_out(tmp_path, output, caplog):
    schema = avro_schema(previous={**FORCED_FIELDS, "procstatus": "string"})
    statuses = ["0", "56", "0.0", "56,57", "255", None]
    rows = [
        {**forced(1000.0), "jd": JD - k, "pid": k, "procstatus": status}
        for k, status in enumerate(statuses, start=1)
    ]
    summary = ingest([write(tmp_path / "a.avro", packet(previous=rows), schema=schema)], output)
    assert summary.n_history == 2
    assert values(history_of(output), "pid") == [3, 1]
    assert (
        "4 rows of forced photometry with a procstatus other than 0 are left out "
        "(for example procstatus 56)" in caplog.text
    )


def with_fp_hists(rows, kinds):
    """A packet with forced photometry beside its history, and its schema."""
    schema = avro_schema()
    fields = [field(*item) for item in kinds.items()]
    record = {"type": "record", "name": "fp_hist", "fields": fields}
    schema["fields"].append(field("fp_hists", {"type": "array", "items": record}))
    return {**packet(previous=[detection(2, 2)]), "fp_hists": rows}, schema


@pytest.mark.parametrize(("kind", "good", "bad"), [("string", "0", "56"), ("double", 0.0, 61.0)])
def test_forced_photometry_beside_the_history_has_a_file_of_its_own(
    tmp_path, output, kind, good, bad
):
    rows = [
        {**forced(-1000.0, 10.0, 26.4), "jd": JD - 2, "procstatus": good},
        {**forced(-99999.0, 10.0, 26.4), "jd": JD - 1.5, "pid": 3, "procstatus": good},
        {**forced(100.0, 10.0, -99999.0), "jd": JD - 1.2, "pid": 4, "procstatus": good},
        {**forced(9e5, 10.0, 26.4), "jd": JD - 1, "pid": 5, "procstatus": bad},
    ]
    one, schema = with_fp_hists(rows, {**FORCED_FIELDS, "procstatus": kind})
    summary = ingest([write(tmp_path / "a.avro", one, schema=schema)], output)
    assert (summary.n_history, summary.n_forced) == (1, 3)
    found = read_forced(output)
    assert found.index.unique().tolist() == ["ZTF20aaaaaaa"]
    assert found["jd"].tolist() == [JD - 2, JD - 1.5, JD - 1.2]
    assert found["flux"].tolist() == pytest.approx([-1e5, np.nan, np.nan], nan_ok=True)
    assert found["flux_err"].tolist() == pytest.approx([1e3, 1e3, np.nan], nan_ok=True)
    assert found["diffmaglim"].tolist() == [20.5] * 3
    # Light curves do not contain it.
    assert len(Night.load(output).history.jd) == 1


def test_a_night_without_forced_photometry_removes_that_of_an_earlier_run(tmp_path, output):
    one, schema = with_fp_hists([forced(100.0)], FORCED_FIELDS)
    ingest([write(tmp_path / "a.avro", one, schema=schema)], output)
    assert forced_beside(output).is_file()
    ingest([write(tmp_path / "a.avro", packet())], output)
    assert not forced_beside(output).exists()
    assert read_forced(output).empty


@pytest.mark.parametrize("spelling", ["maybe", "2", "tt"])
def test_unreadable_signs_are_reported(tmp_path, output, caplog, spelling):
    rows = [{**detection(2, 2), "isdiffpos": spelling}, {**detection(1, 3), "isdiffpos": "null"}]
    ingest([write(tmp_path / "a.avro", packet(previous=rows))], output)
    assert values(history_of(output), "isdiffpos") == [None, None]
    message = "1 values of isdiffpos are unreadable and count as unknown"
    assert f"{message} (for example {spelling!r})" in caplog.text


def test_a_rejected_packet_does_not_end_the_file(tmp_path, output):
    good, bad = packet(1), packet(2, magpsf=None)
    summary = ingest([write(tmp_path / "a.avro", good, bad, bad, packet(3))], output)
    assert values(alerts_of(output), "candid") == [1, 3]
    assert summary.n_skipped == 1
    assert skipped_of(summary)["a.avro"] == (
        "not a ZTF alert: the candidate has no magpsf; and 1 more packets"
    )


@pytest.mark.parametrize(
    ("candid", "is_read"), [("1234567890123456789", True), ("ZTF", False), ("1e18", False)]
)
def test_a_candid_may_be_text(tmp_path, output, candid, is_read):
    schema = avro_schema(
        top={**TOP_FIELDS, "candid": "string"},
        candidate={**CANDIDATE_FIELDS, "candid": "string"},
    )
    write(tmp_path / "a.avro", packet(candid), schema=schema)
    write(tmp_path / "b.avro", packet(7))
    ingest([tmp_path], output)
    assert values(alerts_of(output), "candid") == ([1234567890123456789, 7] if is_read else [7])


@pytest.mark.parametrize(("spelling", "fid"), [("g", 1), ("ztfr", 2), ("3", 3), ("ZTF_i", 3)])
def test_a_band_may_be_text(tmp_path, output, spelling, fid):
    schema = avro_schema(
        candidate={**CANDIDATE_FIELDS, "fid": "string"},
        previous={**PREVIOUS_FIELDS, "fid": "string"},
    )
    one = packet(previous=[{**detection(2, 2), "fid": spelling}], fid=spelling)
    ingest([write(tmp_path / "a.avro", one, schema=schema)], output)
    assert alerts_of(output)[0]["candidate.fid"] == history_of(output)[0]["fid"] == fid
