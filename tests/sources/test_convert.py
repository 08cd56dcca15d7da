"""Converting alerts in any format to the parquet pair."""

import pandas as pd
import pytest

from tests.cli.run import one_sentence, ztfml
from tests.nights import random_frames
from tests.sources.formats import exporters
from tests.sources.packet_files import detection, packet, write
from ztfml import Night
from ztfml.errors import DataError
from ztfml.sources.convert import convert


def ten_objects():
    """One alert per object, without rows that are later than it."""
    alerts, history = random_frames(3, n_objects=10)
    alerts = alerts.drop_duplicates("objectId", keep="last").reset_index(drop=True)
    time = history["objectId"].map(alerts.set_index("objectId")["candidate.jd"])
    history = history[history["jd"] < time - 0.01].drop_duplicates(["objectId", "jd", "fid"])
    history["sigmapsf"] = history["sigmapsf"].where(history["magpsf"].notna())
    return alerts, history[["objectId", *exporters.HISTORY]].reset_index(drop=True)


def test_documents_become_a_pair(tmp_path):
    tables = ten_objects()
    path = exporters.kowalski(*tables, tmp_path / "a.json")
    summary = convert(path, tmp_path / "night.parquet")
    night, expected = Night.load(tmp_path / "night.parquet"), Night.from_frames(*tables)
    assert (summary.n_alerts, summary.n_history) == (10, len(expected.history.jd))
    pd.testing.assert_frame_equal(night.alerts, expected.alerts, check_like=True)


def test_inputs_of_several_kinds_are_merged(tmp_path):
    alerts, history = ten_objects()
    inputs = [
        exporters.kowalski(alerts[:4], history, tmp_path / "a.json"),
        exporters.fink_csv(alerts[2:7], history, tmp_path / "b.csv"),
        exporters.spark_folder(alerts[6:], history, tmp_path / "c"),
        write(tmp_path / "d.avro", packet(5, "ZTF20zzzzzzz", [detection(2, 2)])),
    ]
    summary = convert(inputs, tmp_path / "night.parquet")
    night, expected = Night.load(tmp_path / "night.parquet"), Night.from_frames(alerts, history)
    assert summary.n_alerts == 11
    assert set(night.alerts["candid"]) == {5, *alerts["candid"]}
    for name in alerts["objectId"]:
        curve, wanted = night.light_curve(name), expected.light_curve(name)
        assert curve["jd"].tolist() == wanted["jd"].tolist()
    assert len(night.light_curve("ZTF20zzzzzzz")) == 2


def test_the_command_converts_a_folder_of_documents(tmp_path):
    tables = ten_objects()
    exporters.alerce_folder(*tables, tmp_path / "alerce")
    result = ztfml("ingest", tmp_path / "alerce", "-o", tmp_path / "night.parquet")
    assert result.stdout.startswith("10 alerts and ")
    assert len(Night.load(tmp_path / "night.parquet")) == 10


def test_an_output_that_is_an_input_is_refused(tmp_path):
    ten_objects()[0].to_parquet(tmp_path / "night.parquet")
    before = (tmp_path / "night.parquet").read_bytes()
    result = ztfml("ingest", tmp_path / "night.parquet", "-o", tmp_path / "night.parquet", code=1)
    one_sentence(result, "night.parquet", "this output is also an input")
    assert (tmp_path / "night.parquet").read_bytes() == before


def test_an_output_in_an_input_folder_is_refused(tmp_path):
    folder = exporters.spark_folder(*ten_objects(), tmp_path / "parts")
    with pytest.raises(DataError, match="this output is in the input folder"):
        convert(folder, folder / "night.parquet")


def test_only_packets_have_cutouts(tmp_path):
    path = exporters.kowalski(*ten_objects(), tmp_path / "a.json")
    result = ztfml("ingest", path, "--cutouts", "-o", tmp_path / "night.parquet", code=1)
    one_sentence(result, "a.json", "contains no cutouts")


@pytest.mark.parametrize("name", ["absent.json", "absent.avro"])
def test_an_absent_input_is_an_error(tmp_path, name):
    result = ztfml("ingest", tmp_path / name, "-o", tmp_path / "night.parquet", code=1)
    one_sentence(result, name, "there is no such file")
