"""Forced photometry in all formats, and columns that ztfml does not use."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sources.packet_files import detection, packet, write
from tests.sources.test_avro_packets import FORCED_FIELDS, with_fp_hists
from ztfml import Night
from ztfml.errors import DataError
from ztfml.io.companions import forced_beside
from ztfml.sources.convert import convert
from ztfml.sources.forced_file import read_forced
from ztfml.sources.tables.companions import read_forced_rows
from ztfml.sources.tables.forced import forced_of_rows

JD = 2460474.7
NAME = "ZTF24abcdefg"


def row(days, flux=1000.0, error=20.0, zero_point=31.4, status="0", **more):
    return {
        "jd": JD - days, "fid": 1, "pid": int(1e6 * days), "forcediffimflux": flux,
        "forcediffimfluxunc": error, "magzpsci": zero_point, "procstatus": status, **more,
    }  # fmt: skip


ROWS = [
    row(5),
    row(4, status="56"),
    row(3, flux=-99999.0),
    row(2, zero_point=None),
    row(1, flux=-500.0),
    row(1.0001, flux=-700.0, error=40.0),  # The exposure of the row before it.
]


def document(rows, candid=2733200000015015001, name=NAME):
    candidate = {
        "jd": JD, "fid": 1, "magpsf": 18.5, "sigmapsf": 0.05, "isdiffpos": "t", "ra": 10.0,
        "dec": 20.0, "rcid": 7, "drb": 0.99,
    }  # fmt: skip
    return {
        "objectId": name, "candid": candid, "candidate": candidate, "fp_hists": rows,
        "prv_candidates": [{"jd": JD - 2, "fid": 2, "magpsf": 19.0, "sigmapsf": 0.1,
                            "isdiffpos": "t", "rcid": 8}],
        "classifications": {"acai_h": 0.9, "acai_h_version": "d1_dnn"},
        "coordinates": {"l": 120.0, "radec_str": ["00:40:00", "20:00:00"]},
        "cutoutScience": {"stampData": "H4sI"},
    }  # fmt: skip


def as_json(path):
    path.write_text(json.dumps([document(ROWS)]))


def as_fritz(path):
    path.write_text(json.dumps({"status": "success", "data": [document(ROWS)]}))


def as_nested(path):
    pq.write_table(pa.Table.from_pylist([document(ROWS)]), path)


@pytest.mark.parametrize("writer", [as_json, as_fritz, as_nested])
def test_every_format_keeps_forced_photometry(tmp_path, writer, caplog):
    writer(tmp_path / "in.dat")
    summary = convert(tmp_path / "in.dat", tmp_path / "night.parquet")
    assert summary.n_forced == 4
    assert "1 of 6 rows with a procstatus other than 0 are left out" in caplog.text
    found = read_forced(tmp_path / "night.parquet")
    assert found.index.tolist() == [NAME] * 4
    assert found["jd"].tolist() == [JD - days for days in (5, 3, 2, 1)]
    assert found["flux"].tolist() == pytest.approx([1000, float("nan"), float("nan"), -500],
                                                   nan_ok=True)  # fmt: skip
    assert found["flux_err"].tolist() == pytest.approx([20, 20, float("nan"), 20], nan_ok=True)
    assert found["forcediffimflux"].tolist() == [1000, -99999, 1000, -500]
    assert set(found["procstatus"]) == {"0"}
    pd.testing.assert_frame_equal(read_forced(tmp_path / "in.dat"), found)


def test_fluxes_of_boom_become_nanojansky(tmp_path):
    rows = [{"jd": JD - 2, "band": "r", "psfFlux": 1e5, "psfFluxErr": 1e3}]
    one = document(rows)
    one["prv_candidates"] = [{**rows[0], "jd": JD - 3, "magpsf": 18.9}]
    (tmp_path / "in.json").write_text(json.dumps([one]))
    convert(tmp_path / "in.json", tmp_path / "night.parquet")
    found = read_forced(tmp_path / "night.parquet")
    assert found[["fid", "flux", "flux_err"]].to_numpy().tolist() == [[2.0, 1e5, 1e3]]
    convert(tmp_path / "night.parquet", tmp_path / "again.parquet")
    assert len(read_forced(tmp_path / "again.parquet")) == 1


def test_packets_and_documents_give_one_file_of_forced_photometry(tmp_path):
    as_json(tmp_path / "in.json")
    made = {**row(7), "jd": JD - 7}
    one, schema = with_fp_hists([made], {**FORCED_FIELDS, "procstatus": "string"})
    write(tmp_path / "in.avro", one, schema=schema)
    convert([tmp_path / "in.json", tmp_path / "in.avro"], tmp_path / "night.parquet")
    assert len(read_forced(tmp_path / "night.parquet")) == 5


def test_the_pair_keeps_its_forced_photometry(tmp_path):
    as_json(tmp_path / "in.json")
    convert(tmp_path / "in.json", tmp_path / "night.parquet")
    convert(tmp_path / "night.parquet", tmp_path / "again.parquet")
    expected = read_forced(tmp_path / "night.parquet")
    pd.testing.assert_frame_equal(read_forced(tmp_path / "again.parquet"), expected)


def test_a_folder_of_pairs_is_a_night_with_forced_photometry(tmp_path):
    (tmp_path / "nights").mkdir()
    for k, name in enumerate((NAME, "ZTF24hijklmn")):
        (tmp_path / f"{k}.json").write_text(json.dumps([document(ROWS, 10 + k, name)]))
        convert(tmp_path / f"{k}.json", tmp_path / "nights" / f"{k}.parquet")
    convert(tmp_path / "nights", tmp_path / "night.parquet")
    assert read_forced(tmp_path / "night.parquet").index.value_counts().tolist() == [4, 4]


def test_a_file_of_an_earlier_run_is_removed(tmp_path):
    as_json(tmp_path / "in.json")
    convert(tmp_path / "in.json", tmp_path / "night.parquet")
    (tmp_path / "other.json").write_text(json.dumps([document([])]))
    convert(tmp_path / "other.json", tmp_path / "night.parquet")
    assert not forced_beside(tmp_path / "night.parquet").exists()
    assert read_forced(tmp_path / "night.parquet").empty


@pytest.mark.parametrize("writer", [as_json, as_nested])
def test_all_columns_of_the_input_are_kept(tmp_path, writer):
    writer(tmp_path / "in.dat")
    convert(tmp_path / "in.dat", tmp_path / "night.parquet")
    alerts = pq.read_table(tmp_path / "night.parquet").to_pylist()[0]
    assert alerts["candidate.rcid"] == 7
    assert alerts["classifications.acai_h_version"] == "d1_dnn"
    assert alerts["coordinates.l"] == 120.0
    assert alerts["coordinates.radec_str"] == ["00:40:00", "20:00:00"]
    assert not any("cutout" in name for name in alerts)
    history = pq.read_table(tmp_path / "night_prv_candidates.parquet").to_pylist()
    assert [(one["objectId"], one["rcid"]) for one in history] == [(NAME, 8)]


def test_columns_of_a_flat_table_are_kept(tmp_path):
    table = pd.DataFrame(
        {
            "objectId": ["ZTF24hijklmn", NAME], "candid": [7, 8], "jd": [JD + 0.01, JD + 0.02],
            "fid": 1, "magpsf": 18.5, "sigmapsf": 0.1, "isdiffpos": "t", "rcid": [3, 4],
            "comment": ["a", "b"], "d:cdsxmatch": ["Unknown", "Star"],
        }
    )  # fmt: skip
    table.to_csv(tmp_path / "in.csv", index=False)
    convert(tmp_path / "in.csv", tmp_path / "night.parquet")
    found = pq.read_table(tmp_path / "night.parquet")
    assert found["candidate.rcid"].to_pylist() == [3, 4]
    assert found["comment"].to_pylist() == ["a", "b"]
    assert found["d:cdsxmatch"].to_pylist() == ["Unknown", "Star"]
    assert Night.load(tmp_path / "night.parquet").alerts["candid"].tolist() == [7, 8]


def test_other_columns_stay_with_their_alert(tmp_path):
    documents = [document([], candid, name) for candid, name in
                 [(9, NAME), (7, "ZTF24hijklmn"), (9, NAME)]]  # fmt: skip
    for k, one in enumerate(documents):
        one["candidate"]["rcid"] = k
    (tmp_path / "in.json").write_text(json.dumps(documents))
    write(tmp_path / "in.avro", packet(5, "ZTF20zzzzzzz", [detection(2, 2)]))
    convert([tmp_path / "in.json", tmp_path / "in.avro"], tmp_path / "night.parquet")
    found = pq.read_table(tmp_path / "night.parquet", columns=["candid", "candidate.rcid"])
    assert dict(zip(*(c.to_pylist() for c in found.columns), strict=True)) == {9: 0, 7: 1, 5: None}


FLUXES = np.r_[90.0, np.full(29, 1.0)]  # uJy


def table(**columns):
    days = np.arange(30) / 2
    return pa.Table.from_pandas(
        pd.DataFrame({"objectId": NAME, "jd": JD - days, "fid": 1} | columns)
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"flux": 1000 * FLUXES, "flux_err": 6000.0},
        {"flux": FLUXES, "flux_err": 6.0},
        {"flux": FLUXES, "fluxerr": 6.0, "zp": 23.9},
        {"flux": 10**0.44 * FLUXES, "flux_unc": 10**0.44 * 6.0, "zp": 25.0},
        {"flux_uJy": FLUXES, "flux_uJy_err": 6.0},
        {"flux_njy": 1000 * FLUXES, "flux_err_njy": 6000.0},
        {"diffimflux": 9 * FLUXES, "diffimfluxunc": 54.0, "zpdiff": 23.9 + 2.5 * np.log10(9)},
        {"psfFlux": 1000 * FLUXES, "psfFluxErr": 6000.0},
    ],
    ids=" ".join,
)
def test_names_and_units_of_fluxes(columns):
    found = forced_of_rows(table(**columns), "night").to_pandas()
    assert found["flux"].to_numpy() == pytest.approx(1000 * FLUXES[::-1], rel=1e-6)
    assert found["flux_err"].to_numpy() == pytest.approx(6000, rel=1e-6)


def test_counts_without_a_zero_point_are_left_out_with_a_message(caplog):
    found = forced_of_rows(table(flux=9 * FLUXES, flux_err=54.0), "night").to_pandas()
    assert found["flux"].isna().all()
    assert "their errors (typically 54) fit neither nJy nor uJy" in caplog.text


def test_a_table_without_fluxes_is_reported(caplog):
    assert forced_of_rows(table(counts=FLUXES), "night")["flux"].null_count == 30
    assert "none of its 30 rows has a flux with an error and a zero point" in caplog.text


def test_names_that_are_not_text_are_refused(tmp_path):
    names = pa.array([b"ZTF\xff4abcdefg"] * 2, pa.binary()).view(pa.string())
    rows = {"objectId": names, "jd": [JD, JD - 1], "fid": [1, 1], "flux": [1e4, 1e4]}
    pq.write_table(pa.table(rows | {"flux_err": [5e3, 5e3]}), tmp_path / "n_fp_hists.parquet")
    with pytest.raises(DataError, match=r"n_fp_hists\.parquet: the file is damaged"):
        read_forced_rows(tmp_path / "n_fp_hists.parquet")
