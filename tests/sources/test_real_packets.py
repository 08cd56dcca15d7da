"""Real packets of all schemas and brokers, compared with their manifest."""

import tarfile

import fastavro
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.sources.packet_files import (
    alerts_of,
    history_of,
    skipped_of,
)
from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.sources.fetched_folder import cutouts, fetched_beside
from ztfml.sources.ingest import ingest

# What can be read but is no packet of ZTF: another survey's, or without a candidate.
FOREIGN = {
    "fink-alert-schemas__alert_mjd60673.2244_obj1198_src2396011.avro",
    "fink-client__fink-broker-sample-alert-2.avro",
}
# An archive of which somebody kept the first packets and no end marker.
INCOMPLETE = "ztf_public_20180819_mod1000.tar.gz"
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


def test_all_real_packets_agree_with_the_manifest(ingested, manifest):
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
    n_refused = TARBALLS["ztf_20200106_programid2_zuds.tar.gz"][0]
    assert "no end marker" in reasons.pop(INCOMPLETE)
    assert summary.n_skipped == len(unreadable) + n_refused + 1
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
    assert summary.n_skipped == (name == INCOMPLETE)
    assert summary.n_duplicates == 0
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
