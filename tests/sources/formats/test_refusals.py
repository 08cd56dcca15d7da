"""Files that are not a night of ZTF alerts: the error says what was found."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.run import one_sentence, ztfml
from tests.nights import random_frames
from tests.sources.formats import exporters
from ztfml.errors import DataError
from ztfml.sources.convert import convert
from ztfml.sources.formats import open_night

LSST = {"diaSourceId": 1, "diaObjectId": 2, "midpointMjdTai": 60000.0, "band": "g", "psfFlux": 9.0}


def text(content):
    return lambda path: path.write_text(content)


def as_json(value):
    return text(json.dumps(value))


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (text("<!DOCTYPE html><html><head><title>502 Bad Gateway</title>"), "502 Bad Gateway"),
        (text("<html><body>nginx"), "the broker answered with an error page"),
        (text("<?xml version='1.0'?><VOTABLE/>"), "XML or a VOTable"),
        (text(""), "an empty file"),
        (as_json([]), "an empty list"),
        (as_json({"data": []}), "an empty list"),
        (as_json({"status": "success", "message": "", "data": {"query_result": []}}), "empty list"),
        (as_json({"status": "error", "message": "token expired"}), "token expired"),
        (as_json({"a": 1}), "JSON with the keys ['a']"),
        (text('[{"candid": 1, "candidate": {'), "not valid JSON"),
        (as_json([LSST]), "an LSST alert (diaSourceId)"),
        (as_json([{"objectId": "1", "candid": 1, "candidate": LSST}]), "an LSST alert"),
        (text("diaSourceId,midpointMjdTai\n1,60000\n"), "an LSST alert (diaSourceId)"),
        (text("ra,dec,name\n1,2,x\n"), "a table with the columns ra, dec, name"),
        (text("objectId,jd,fid,magpsf\nZTF18abukavn,2459000.5,1,18\n"), "without candid"),
        (text("candid,jd,fid,magpsf\n1,2459000.5,1,18\n"), "without objectId"),
        (text("objectId,candid,jd,fid,magpsf\n"), "contains no rows"),
        (text("objectId,candid,jd,fid,magpsf\na,2.7e+18,2459000.5,1,18\n"), "example 2.7e+18"),
        (as_json([{"objectId": "a", "candidate": {}, "prv_candidates": "[]"}]), "list of records"),
        (as_json([{"objectId": "a", "candidate": {}, "prv_candidates": [1]}]), "list of records"),
        (text("objectId,candidate\nZTF18abukavn,\"{'jd': 1}\"\n"), "nested column candidate"),
    ],
)  # fmt: skip
def test_the_error_says_what_was_found(tmp_path, write, found):
    write(tmp_path / "night")
    line = one_sentence(ztfml("rank", tmp_path / "night", code=1), tmp_path / "night", found)
    assert "export the night again" not in line


def test_lsst_in_parquet(tmp_path):
    pq.write_table(pa.Table.from_pylist([LSST]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"an LSST alert \(diaSourceId\); ztfml reads alerts of"):
        open_night(tmp_path / "a.parquet")


@pytest.mark.parametrize("has_history", [True, False])
@pytest.mark.parametrize(
    "read", [open_night, lambda path: convert(path, path.with_name("b.parquet"))]
)
@pytest.mark.parametrize("column", ["objectId", "candid", "candidate.jd", "candidate.fid"])
def test_the_missing_column_of_a_pair_is_named(column, read, has_history, tmp_path):
    alerts, history = random_frames(1)
    alerts.drop(columns=column).to_parquet(tmp_path / "a.parquet")
    if has_history:
        history.to_parquet(tmp_path / "a_prv_candidates.parquet")
    with pytest.raises(DataError, match=rf"a\.parquet: the column {column} \(.* is missing"):
        read(tmp_path / "a.parquet")


def test_a_folder_without_alerts(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(DataError, match=r"a folder of 1 files without alerts .*notes\.txt"):
        open_night(tmp_path)


def test_a_folder_of_nothing(tmp_path):
    with pytest.raises(DataError, match="an empty folder"):
        open_night(tmp_path)


def test_other_files_in_a_folder_are_counted_in_a_warning(tmp_path, caplog):
    exporters.kowalski(*random_frames(1), tmp_path / "a.json")
    (tmp_path / "notes.txt").write_text("nothing here")
    assert len(open_night(tmp_path)) > 0
    assert "1 of 2 files are not alerts and are ignored (for example notes.txt)" in caplog.text


def test_tables_that_ztfml_wrote_into_the_folder_of_a_night_are_ignored(tmp_path, caplog):
    alerts, history = random_frames(1)
    exporters.kowalski(alerts, history, tmp_path / "a.json")
    expected = len(open_night(tmp_path))
    header = alerts[["objectId", "candid"]]
    header.assign(rank=1, score=0.5, band="g").to_csv(tmp_path / "ranked.csv")
    header.assign(jd=2459000.5, label="star").to_csv(tmp_path / "predictions.csv")
    header.assign(jd=2459000.5, magpsf=18.5, sigmapsf=0.1).to_csv(tmp_path / "features.csv")
    assert len(open_night(tmp_path)) == expected
    assert "3 of 4 files are not alerts and are ignored" in caplog.text


def test_the_name_of_an_object_is_required(tmp_path):
    detections = [{"mjd": 59000.0, "candid": "1", "fid": 1, "magpsf": 18.0, "sigmapsf": 0.1,
                   "isdiffpos": 1, "has_stamp": True}]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"detections": detections}))
    with pytest.raises(DataError, match=r"column oid .* is missing; add it, or put the name"):
        open_night(tmp_path / "a.json")
    (tmp_path / "a.json").rename(tmp_path / "ZTF18abukavn.json")
    night = open_night(tmp_path / "ZTF18abukavn.json")
    assert night.alerts["objectId"].tolist() == ["ZTF18abukavn"]


def test_lists_of_another_type_are_refused(tmp_path):
    table = pa.table({"objectId": ["a"], "candid": [1], "prv_candidates": [[1.0]]})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"prv_candidates contains list<.*>, not a list of records"):
        open_night(tmp_path / "a.parquet")


def test_two_columns_of_one_meaning_must_agree(tmp_path):
    table = pd.DataFrame({"i:objectId": ["ZTF18abukavn"], "i:jd": [2459000.5], "i:fid": [1]})
    table.assign(**{"candidate.jd": [2459001.5]}).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=r"columns i:jd and candidate\.jd have the same meaning"):
        open_night(tmp_path / "a.csv")
