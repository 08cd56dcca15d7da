"""Files as brokers and their clients write them, with the same alerts in other layouts."""

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.formats import exporters
from tests.sources.formats.test_layouts import assert_same_size, open_json
from ztfml.errors import DataError
from ztfml.sources.convert import convert
from ztfml.sources.formats import format_of, open_night


@pytest.fixture(scope="module")
def documents(tables):
    return [{k: one for k, one in d.items() if k != "_id"} for d in exporters.documents(*tables)]


def to_snake(value):
    if isinstance(value, list):
        return [to_snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {re.sub("([a-z])([A-Z])", r"\1_\2", k).lower(): to_snake(v) for k, v in value.items()}


def to_camel(value):
    names = {"prv_candidates": "prvCandidates", "fp_hists": "fpHists"}
    return {names.get(key, key): one for key, one in value.items()}


@pytest.mark.parametrize("rename", [to_snake, to_camel])
@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_names_in_snake_case_and_camel_case(documents, expected, rename, suffix, tmp_path):
    renamed = [rename(one) for one in documents]
    if suffix == ".json":
        assert_same_size(open_json(renamed, tmp_path), expected)
    else:
        pq.write_table(pa.Table.from_pylist(renamed), tmp_path / "night.parquet")
        assert_same_size(open_night(tmp_path / "night.parquet"), expected)


def test_lists_that_are_all_empty_have_no_type_in_parquet(documents, expected, tmp_path):
    fresh = [one | {"prv_candidates": [], "fp_hists": []} for one in documents]
    table = pa.Table.from_pylist(fresh)
    assert table.schema.field("fp_hists").type == pa.list_(pa.null())
    pq.write_table(table, tmp_path / "night.parquet")
    night = open_night(tmp_path / "night.parquet")
    assert sorted(night.alerts["candid"]) == sorted(expected.alerts["candid"])
    assert len(night.history.jd) == 0


def test_the_key_of_a_document_of_boom_is_the_candid(documents, expected, tmp_path):
    keyed = []
    for one in documents:
        candidate = {key: value for key, value in one["candidate"].items() if key != "candid"}
        keyed.append({"_id": one["candid"], **one, "candidate": candidate})
        del keyed[-1]["candid"]
    assert_same_size(open_json(keyed, tmp_path), expected)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_nested_columns_as_json_text(documents, expected, suffix, tmp_path):
    frame = pd.DataFrame(documents)
    for name in ("candidate", "prv_candidates", "fp_hists", "coordinates"):
        frame[name] = frame[name].map(json.dumps)
    path = tmp_path / f"night{suffix}"
    frame.to_csv(path) if suffix == ".csv" else frame.to_parquet(path)
    assert format_of(path).name == "nested"
    assert_same_size(open_night(path), expected)


def test_nested_columns_as_text_of_python_are_refused(documents, tmp_path):
    pd.DataFrame(documents).to_csv(tmp_path / "night.csv")
    with pytest.raises(DataError, match="nested column candidate is text, but not JSON"):
        open_night(tmp_path / "night.csv")


def test_documents_in_a_frame_written_as_json_by_columns(documents, expected, tmp_path):
    pd.DataFrame(documents).to_json(tmp_path / "night.json", double_precision=15)
    assert_same_size(open_night(tmp_path / "night.json"), expected)


def test_a_flattened_candidate_beside_a_nested_history(documents, expected, tmp_path):
    pd.json_normalize(documents).to_parquet(tmp_path / "night.parquet")
    assert_same_size(open_night(tmp_path / "night.parquet"), expected)


@pytest.mark.parametrize("with_candid", [False, True])
def test_the_auxiliary_collection_in_a_file_of_its_own(documents, expected, with_candid, tmp_path):
    alerts = [{k: v for k, v in one.items() if k != "prv_candidates"} for one in documents]
    histories = [
        {
            "_id": one["objectId"],
            "prv_candidates": [
                row | ({"candid": one["candid"] - k - 1} if with_candid and row["magpsf"] else {})
                for k, row in enumerate(one["prv_candidates"])
            ],
        }
        for one in documents
    ]
    folder = tmp_path / "night"
    folder.mkdir()
    (folder / "ZTF_alerts.json").write_text(json.dumps(alerts))
    (folder / "ZTF_alerts_aux.json").write_text(json.dumps(histories))
    assert_same_size(open_night(folder), expected)
    convert(sorted(folder.iterdir()), tmp_path / "pair.parquet")
    assert_same_size(open_night(tmp_path / "pair.parquet"), expected)


def antares_rows(tables):
    """Rows of the client: properties of ZTF with a prefix, and ids that say what the row is."""
    for name, candid, candidate, earlier in exporters.objects_of(*tables):
        for k, row in enumerate([candidate, *earlier]):
            kind = "candidate" if row["magpsf"] is not None else "upper_limit"
            row = {f"ztf_{field}": value for field, value in row.items() if field != "candid"}
            row |= {"alert_id": f"ztf_{kind}:{candid - k}", "ztf_object_id": name}
            yield row | {"ant_mjd": row["ztf_jd"] - exporters.MJD, "ant_mag": row["ztf_magpsf"]}


def test_light_curves_of_antares(tables, expected, tmp_path):
    pd.DataFrame(list(antares_rows(tables))).to_csv(tmp_path / "antares.csv", index=False)
    assert format_of(tmp_path / "antares.csv").name == "antares"
    assert_same_size(open_night(tmp_path / "antares.csv"), expected)


def test_loci_of_antares(tables, expected, tmp_path):
    loci = [{"locus_id": "ANT2020x", "alerts": [{"alert_id": row["alert_id"], "properties": row}]}
            for row in antares_rows(tables)]  # fmt: skip
    assert_same_size(open_json(loci, tmp_path), expected)


def test_a_history_with_the_name_of_the_list_in_its_columns(tables, expected, tmp_path):
    alerts, history = tables
    names = {name: f"candidate_{name.partition('.')[2]}" for name in alerts if "." in name}
    alerts.rename(columns=names).to_csv(tmp_path / "night.csv", index=False)
    history = history.add_prefix("prv_candidates_")
    history = history.rename(columns={"prv_candidates_objectId": "objectId"})
    history.to_csv(tmp_path / "night_prv_candidates.csv", index=False)
    assert_same_size(open_night(tmp_path / "night.csv"), expected)


def test_photometry_of_skyportal_as_history(tables, expected, tmp_path, caplog):
    alerts, history = tables
    alerts.to_parquet(tmp_path / "night.parquet")
    photometry = pd.DataFrame(
        {
            "obj_id": history["objectId"],
            "mjd": history["jd"] - exporters.MJD,
            "filter": "ztf" + history["fid"].map({1: "g", 2: "r", 3: "i"}),
            "mag": history["magpsf"],
            "magerr": history["sigmapsf"],
            "limiting_mag": history["diffmaglim"],
        }
    )
    photometry.to_csv(tmp_path / "night_prv_candidates.csv", index=False)
    night = open_night(tmp_path / "night.parquet")
    assert_same_size(night, expected)
    assert "there is no isdiffpos; earlier detections count as brighter" in caplog.text


def test_alerts_alone_are_reported_as_alerts_without_history(tables, tmp_path, caplog):
    exporters.bare(tables[0]).to_csv(tmp_path / "night.csv", index=False)
    open_night(tmp_path / "night.csv")
    assert "all 12 rows are detections of one night" in caplog.text


def test_the_error_of_a_candid_shows_the_text_that_is_not_a_number(tables, tmp_path):
    flat = exporters.bare(tables[0]).astype({"candid": str})
    flat.loc[3, "candid"] = "248111x"
    flat.to_csv(tmp_path / "night.csv", index=False)
    with pytest.raises(DataError, match="for example '248111x'"):
        open_night(tmp_path / "night.csv")


def test_documents_with_jd_and_documents_with_mjd(documents, expected, tmp_path):
    mixed = []
    for k, one in enumerate(documents):
        candidate = dict(one["candidate"])
        if k % 2:
            candidate["mjd"] = candidate.pop("jd") - exporters.MJD
        mixed.append(one | {"candidate": candidate})
    night = open_json(mixed, tmp_path)
    assert_same_size(night, expected)
    assert night.alerts["jd"].notna().all()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("prefix", ["i:", ""])
def test_dates_in_light_curves_select_the_same_alerts(tables, expected, prefix, suffix, tmp_path):
    """Two alerts of an object in one night stay two alerts, with times as dates."""
    flat = exporters.bare(tables[0])
    rows = pd.concat([flat, flat.assign(jd=flat["jd"] + 0.02, candid=flat["candid"] + 1)])
    rows["jd"] = pd.to_datetime((rows["jd"] - 2440587.5) * 86400e9).dt.round("us")
    rows = rows.add_prefix(prefix)
    path = tmp_path / f"night{suffix}"
    rows.to_csv(path, index=False) if suffix == ".csv" else rows.to_parquet(path)
    night = open_night(path)
    assert len(night) == 24
    assert (night.last - night.first).tolist() == [0] * 12 + [1] * 12
    np.testing.assert_allclose(night.alerts["jd"][:12], tables[0]["candidate.jd"], atol=1e-9)
