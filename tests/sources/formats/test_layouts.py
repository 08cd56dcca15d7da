"""Variations in the layout of tables and documents."""

import json

import pandas as pd
import pytest

from tests.sources.formats import exporters
from ztfml.sources.formats import open_alerts, open_night


def open_json(value, folder):
    (folder / "night.json").write_text(json.dumps(value))
    return open_night(folder / "night.json")


def assert_same_size(night, expected):
    assert sorted(night.alerts["candid"]) == sorted(expected.alerts["candid"])
    assert len(night.history.jd) == len(expected.history.jd)


LAYOUTS = {
    "by object": lambda docs: {one["objectId"]: one for one in docs},
    "by candid": lambda docs: {str(one["candid"]): one for one in docs},
    "query result": lambda docs: {"result_data": {"query_result": docs}},
    "list of lists": lambda docs: [docs[:5], docs[5:]],
    "without candid at the top": lambda docs: [
        {key: one for key, one in doc.items() if key != "candid"} for doc in docs
    ],
    "flattened candidate": lambda docs: [
        {
            **{key: one for key, one in doc.items() if key != "candidate"},
            **{f"candidate.{key}": one for key, one in doc["candidate"].items()},
        }
        for doc in docs
    ],
    "other documents": lambda docs: [*docs, {"comment": "nothing"}],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_of_documents(tables, expected, layout, tmp_path):
    assert_same_size(open_json(layout(exporters.documents(*tables)), tmp_path), expected)


def test_a_single_document(tables, tmp_path):
    document = exporters.documents(*tables)[-1]
    night = open_json(document, tmp_path)
    assert night.alerts["candid"].tolist() == [document["candid"]]


def test_auxiliary_documents_give_the_latest_detection(tables, tmp_path):
    """ZTF_alerts_aux of Kowalski has the history of each object, without alerts."""
    documents = [
        {"_id": one["objectId"], "prv_candidates": [{**one["candidate"]}, *one["prv_candidates"]]}
        for one in exporters.documents(*tables)
    ]
    night = open_json(documents, tmp_path)
    assert sorted(night.alerts["candid"]) == sorted(tables[0]["candid"])


def test_several_documents_of_one_object_are_several_alerts(tables, tmp_path):
    document = next(one for one in exporters.documents(*tables) if one["prv_candidates"])
    later = {**document["candidate"], "jd": document["candidate"]["jd"] + 0.1, "candid": 7}
    night = open_json([document, {**document, "candid": 7, "candidate": later}], tmp_path)
    assert night.alerts["candid"].tolist() == [document["candid"], 7]
    # The later alert sees the earlier one, although prv_candidates does not contain it.
    seen = night.last - night.first
    assert seen[1] == seen[0] + 1


@pytest.mark.parametrize("orient", ["columns", "index", "split", "records"])
def test_layouts_of_tables_in_json(tables, expected, orient, tmp_path):
    rows = pd.DataFrame(exporters.fink_rows(*tables))
    rows["i:candid"] = rows["i:candid"].astype(str)
    value = json.loads(rows.to_json(orient=orient, double_precision=15))
    assert_same_size(open_json(value, tmp_path), expected)


def test_fink_tables_without_prefixes(tables, expected, tmp_path):
    rows = [
        {key.partition(":")[2]: one for key, one in row.items()}
        for row in exporters.fink_rows(*tables)
    ]
    assert_same_size(open_json(rows, tmp_path), expected)


def test_a_flat_night_with_an_object_twice_keeps_both_alerts(tables, tmp_path):
    flat = exporters.bare(tables[0])
    later = flat.assign(jd=flat["jd"] + 0.05, candid=flat["candid"] + 1)
    pd.concat([flat, later]).to_csv(tmp_path / "night.csv", index=False)
    night = open_night(tmp_path / "night.csv")
    assert len(night) == 24
    # Each second alert sees the first one.
    assert (night.last - night.first).tolist() == [0] * 12 + [1] * 12


@pytest.mark.parametrize("rename", [str.upper, str.title, lambda name: f" {name} "])
def test_spelling_of_column_names(tables, rename, tmp_path):
    exporters.bare(tables[0]).rename(columns=rename).to_csv(tmp_path / "night.csv", index=False)
    night = open_night(tmp_path / "night.csv")
    assert night.alerts["candid"].tolist() == tables[0]["candid"].tolist()
    assert night.alerts["sgscore1"].tolist() == tables[0]["candidate.sgscore1"].tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_and_comments(tables, encoding, tmp_path):
    text = "# exported on 2024-06-01\n\n" + exporters.bare(tables[0]).to_csv(index=False)
    (tmp_path / "night.csv").write_text(text, encoding=encoding)
    assert len(open_night(tmp_path / "night.csv")) == 12


def test_rows_with_another_number_of_fields_are_counted(tables, tmp_path, caplog):
    lines = exporters.bare(tables[0]).to_csv(index=False).splitlines()
    (tmp_path / "night.csv").write_text("\n".join([*lines, "cut,off"]))
    assert len(open_night(tmp_path / "night.csv")) == 12
    assert "1 rows do not have" in caplog.text
    assert "'cut,off'" in caplog.text


def test_a_history_in_another_format(tables, expected, tmp_path):
    alerts, history = tables
    alerts.to_parquet(tmp_path / "a.parquet")
    history.to_csv(tmp_path / "h.csv", index=False)
    assert_same_size(open_night(tmp_path / "a.parquet", tmp_path / "h.csv"), expected)
    exporters.flat_csv(alerts, history[:0], tmp_path / "b.csv")
    assert_same_size(open_night(tmp_path / "b.csv", tmp_path / "h.csv"), expected)


@pytest.mark.parametrize("layout", ["parts in a folder", "CSV"])
def test_the_history_of_a_pair_in_another_layout(tables, expected, layout, tmp_path, caplog):
    alerts, history = tables
    alerts.to_parquet(tmp_path / "night.parquet")
    if layout == "CSV":
        history.to_csv(tmp_path / "night_prv_candidates.csv", index=False)
    else:
        # As Spark and Dask write a table.
        folder = tmp_path / "night_prv_candidates.parquet"
        folder.mkdir()
        half = len(history) // 2
        history[:half].to_parquet(folder / "part-0.parquet")
        history[half:].to_parquet(folder / "part-1.parquet")
    night = open_night(tmp_path / "night.parquet")
    assert_same_size(night, expected)
    assert "no history" not in caplog.text


def test_open_alerts_reads_every_format(tables, tmp_path):
    assert len(open_alerts(exporters.fink_csv(*tables, tmp_path / "fink.csv"))) == 12


def test_corrected_magnitudes_of_alerce_are_not_difference_magnitudes(tables, tmp_path):
    path = exporters.alerce_list(*tables, tmp_path / "a.json")
    answers = json.loads(path.read_text())
    for answer in answers:
        for row in answer["detections"]:
            row["mag_corr"] = row["magpsf_corr"] = 12.0
    night = open_json(answers, tmp_path)
    assert night.alerts["magpsf"].min() > 12.0


def test_empty_columns_of_fluxes_are_not_mentioned(tables, tmp_path, caplog):
    alerts = tables[0].rename(columns=lambda name: name.removeprefix("candidate."))
    alerts = alerts.assign(psfFlux=float("nan"), psfFluxErr=float("nan"))
    alerts.to_csv(tmp_path / "night.csv", index=False)
    night = open_night(tmp_path / "night.csv")
    assert sorted(night.alerts["candid"]) == sorted(tables[0]["candid"])
    assert "psfFlux" not in caplog.text
