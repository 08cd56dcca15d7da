"""Names of columns that differ from those of the summer school, and values that are absent."""

import bz2
import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from tests.sources.formats import exporters
from tests.sources.formats.test_layouts import assert_same_size
from tests.sources.formats.test_same_night import simulated
from ztfml import Night
from ztfml.errors import DataError
from ztfml.sources.formats import open_alerts, open_night


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("night"))


def save(alerts, history, folder):
    alerts.to_parquet(folder / "night.parquet")
    history.to_parquet(folder / "night_prv_candidates.parquet")
    return folder / "night.parquet"


@pytest.mark.parametrize(
    ("in_alerts", "in_history"),
    [
        ({"candidate.jd": "candidate.jd [d]", "candidate.drb": "candidate.drb ()"}, {}),
        ({"candidate.drb": "candidate.DRB", "candidate.ra": "candidate_ra"}, {}),
        ({"candid": "candidate.candid"}, {}),
        ({}, {"objectId": "oid", "magpsf": "magpsf (mag)"}),
        ({"objectId": "ztf_name"}, {"objectId": "ZTFID", "sigmapsf": "mag_err"}),
        ({"candidate.fid": "candidate.filter", "candidate.magpsf": "candidate.mag"}, {}),
    ],
)
def test_other_names_of_some_columns(tables, in_alerts, in_history, tmp_path):
    alerts, history = tables
    alerts = alerts.drop(columns="candidate.candid", errors="ignore")
    renamed = alerts.rename(columns=in_alerts), history.rename(columns=in_history)
    path = save(*renamed, tmp_path)
    assert_same_size(open_night(path), Night.from_frames(*tables))
    for night in (open_night(path), open_alerts(path)):
        np.testing.assert_array_equal(night.alerts["drb"], tables[0]["candidate.drb"])
        np.testing.assert_array_equal(night.alerts["ra"], tables[0]["candidate.ra"])


def test_an_absent_name_is_not_confused_with_the_number_of_a_star(tables, tmp_path):
    alerts = tables[0].rename(columns={"objectId": "source"}).assign(**{"candidate.objectidps3": 1})
    with pytest.raises(DataError, match=r"column objectId .* is missing") as error:
        open_night(save(alerts, tables[1], tmp_path))
    assert "rename" not in str(error.value)


def test_empty_values_of_required_columns_are_counted(tables, tmp_path, caplog):
    alerts = tables[0].copy()
    alerts.loc[3, "candidate.jd"] = np.nan
    open_night(save(alerts, tables[1], tmp_path))
    assert "the column candidate.jd is empty in 1 of 12 rows" in caplog.text


def test_compressed_files_that_are_not_read_are_named(tables, tmp_path):
    text = tables[0].to_csv(index=False).encode()
    (tmp_path / "night.csv.bz2").write_bytes(bz2.compress(text))
    with pytest.raises(DataError, match="compressed with bzip2"):
        open_night(tmp_path / "night.csv.bz2")
    path = save(*tables, tmp_path)
    (tmp_path / "night.parquet.gz").write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(DataError, match="a gzipped parquet file"):
        open_night(tmp_path / "night.parquet.gz")


def test_a_table_with_an_unknown_delimiter_is_described_briefly(tables, tmp_path):
    tables[0].to_csv(tmp_path / "night.csv", sep="~", index=False)
    with pytest.raises(DataError) as error:
        open_night(tmp_path / "night.csv")
    assert str(error.value).index("; a table needs") < 200


@pytest.mark.parametrize("layout", ["ascii.ecsv", "ascii.fixed_width"])
def test_text_tables_of_astropy(tables, layout, tmp_path):
    """With spaces between columns, and with spaces that align columns."""
    paths = [tmp_path / "night.txt", tmp_path / "night_prv_candidates.csv"]
    for frame, path in zip((exporters.bare(tables[0]), tables[1]), paths, strict=True):
        Table.from_pandas(frame).write(path, format=layout)
    night = open_night(*paths)
    assert_same_size(night, Night.from_frames(*tables))
    # Names have no spaces, so each object has its history.
    assert night.last.max() > night.first.max()
    assert sorted(night.alerts["objectId"]) == sorted(tables[0]["objectId"])


def test_a_band_with_its_name(tables, tmp_path):
    alerts, history = tables
    names = {1: "ZTF g-band", 2: "ztf::r", 3: "i_band"}
    alerts = alerts.assign(**{"candidate.fid": alerts["candidate.fid"].map(names)})
    night = open_night(save(alerts, history, tmp_path))
    np.testing.assert_array_equal(night.alerts["fid"], tables[0]["candidate.fid"])
    assert pd.api.types.is_float_dtype(night.alerts["fid"])


def test_alerts_of_several_nights_are_reported(tables, tmp_path, caplog):
    caplog.set_level("INFO", "ztfml")
    alerts, history = tables
    open_night(save(alerts, history, tmp_path))
    assert "the alerts are of" not in caplog.text
    later = alerts.assign(**{"candidate.jd": alerts["candidate.jd"] + 2}).assign(
        candid=alerts["candid"] + 1
    )
    open_night(save(pd.concat([alerts, later]), history, tmp_path))
    assert "the alerts are of 2 nights, from 20" in caplog.text


def test_a_history_without_magnitudes_is_refused_unless_it_has_limits_only(
    tables, tmp_path, caplog
):
    alerts, history = tables
    alerts.to_parquet(tmp_path / "night.parquet")
    path = tmp_path / "night_prv_candidates.csv"
    history.rename(columns={"magpsf": "magnitude"}).to_csv(path, index=False)
    with pytest.raises(DataError, match="the column magpsf is missing, although sigmapsf has"):
        open_night(tmp_path / "night.parquet")
    history[["objectId", "jd", "fid", "diffmaglim"]].to_csv(path, index=False)
    open_night(tmp_path / "night.parquet")
    assert f"there is no magpsf; all {len(history)} rows count as non-detections" in caplog.text


def test_a_history_of_fluxes_beside_a_parquet_file(tables, tmp_path):
    alerts, history = tables
    sign = history["isdiffpos"].map({"t": 1, "1": 1, "f": -1, "0": -1}).astype(float)
    flux = 10 ** (0.4 * (31.4 - history["magpsf"])) * sign
    error = np.where(
        flux.notna(),
        np.abs(flux) * history["sigmapsf"] / 1.0857362,
        10 ** (0.4 * (31.4 - history["diffmaglim"])) / 5,
    )
    fluxes = history[["objectId", "jd", "fid"]].assign(psfFlux=flux, psfFluxErr=error)
    night = open_night(save(alerts, fluxes, tmp_path))
    expected = Night.from_frames(alerts, history)
    for name in alerts["objectId"]:
        curve, wanted = night.light_curve(name), expected.light_curve(name)
        np.testing.assert_allclose(curve["magpsf"], wanted["magpsf"], rtol=1e-6)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_columns_with_one_name_are_read_if_they_are_equal(tables, suffix, tmp_path, caplog):
    flat = exporters.bare(tables[0])
    twice = pd.concat([flat, flat[["candid"]]], axis=1)
    if suffix == "csv":
        twice.to_csv(tmp_path / "night.csv", index=False)
    else:
        columns = [pa.array(twice.iloc[:, k]) for k in range(twice.shape[1])]
        pq.write_table(pa.table(columns, names=[*twice.columns]), tmp_path / "night.parquet")
    night = open_night(tmp_path / f"night.{suffix}")
    assert night.alerts["candid"].tolist() == tables[0]["candid"].tolist()
    assert "the columns candid and candid are equal; one is used" in caplog.text


def test_different_columns_with_one_name_are_refused(tables, tmp_path):
    flat = exporters.bare(tables[0])
    pd.concat([flat, flat[["candid"]] + 1], axis=1).to_csv(tmp_path / "night.csv", index=False)
    with pytest.raises(DataError, match="candid and candid have the same meaning and different"):
        open_night(tmp_path / "night.csv")
