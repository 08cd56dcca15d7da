"""Files of forced photometry that other programs wrote: times, units, states and repetitions."""

import numpy as np
import pandas as pd
import pytest

from ztfml.errors import DataError
from ztfml.lightcurves.forced import load_forced, load_forced_beside

JD = 2460474.7
ROWS = pd.DataFrame(
    {"objectId": "ZTF24abcdefg", "jd": JD - np.arange(30) / 2, "fid": 1, "flux": 9e4,
     "flux_err": 6000.0}
)  # fmt: skip


@pytest.fixture
def load(tmp_path):
    def write(**columns):
        ROWS.assign(**columns).to_parquet(tmp_path / "n_fp_hists.parquet")
        return load_forced(tmp_path / "n_fp_hists.parquet")

    return write


def test_fluxes_in_nanojansky(load):
    assert load().flux.tolist() == [90.0] * 30


def test_modified_julian_dates_are_refused(load):
    """All rows would be before the alert, also those of later exposures."""
    with pytest.raises(DataError, match=r"no Julian dates in 30 of 30 rows \(for example 60474\.2"):
        load(jd=ROWS["jd"] - 2400000.5)


@pytest.mark.parametrize("per_nanojansky", [1e-3, 9e-3, 1e6])
def test_fluxes_in_another_unit_are_refused(load, per_nanojansky):
    with pytest.raises(DataError, match=r"the errors in flux_err \(typically .*ztfml ingest"):
        load(flux=90_000 * per_nanojansky, flux_err=6000 * per_nanojansky)


@pytest.mark.parametrize("good", ["0", 0, None])
def test_rows_with_a_bad_status_or_without_flux_are_left_out(load, good, caplog):
    status = pd.Series([good] * 29 + ["56" if good == "0" else 56])
    found = load(procstatus=status, flux=np.r_[-99999.0, np.full(29, 9e4)])
    assert found.flux.tolist() == [90.0] * 28
    assert "2 of 30 rows without a flux or with a procstatus other than 0" in caplog.text


def test_repeated_exposures_count_once(tmp_path, caplog):
    again = ROWS.head(3).assign(jd=ROWS["jd"].head(3) + 1e-5, flux=5e4, flux_err=5000.0)
    other_band = ROWS.head(3).assign(fid=2, jd=ROWS["jd"].head(3) + 0.02)
    pd.concat([ROWS, again, other_band]).to_parquet(tmp_path / "n_fp_hists.parquet")
    found = load_forced(tmp_path / "n_fp_hists.parquet")
    assert sorted(found.flux.tolist()) == [50.0] * 3 + [90.0] * 30
    assert "3 exposures are repeated; each is used once" in caplog.text


def test_two_objects_in_one_exposure_are_kept(tmp_path, caplog):
    pd.concat([ROWS.head(1), ROWS.head(1).assign(objectId="b")]).to_parquet(
        tmp_path / "n_fp_hists.parquet"
    )
    assert len(load_forced(tmp_path / "n_fp_hists.parquet").jd) == 2
    assert not caplog.text


def test_other_formats_beside_a_night_are_reported(tmp_path, caplog):
    ROWS.to_csv(tmp_path / "n_fp_hists.csv", index=False)
    assert load_forced_beside(tmp_path / "n.parquet") is None
    assert "n_fp_hists.csv is not read; run ztfml ingest" in caplog.text
