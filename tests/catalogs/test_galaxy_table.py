"""Tables of galaxies: names and units of columns, distances, errors and sizes."""

import gzip

import numpy as np
import pandas as pd
import pytest
from astropy.cosmology import Planck18
from astropy.table import Table

from ztfml.catalogs.galaxy_table import read_galaxies, to_cmb
from ztfml.errors import DataError


@pytest.fixture
def read(tmp_path):
    def read_columns(suffix=".csv", **columns):
        path = tmp_path / f"galaxies{suffix}"
        frame = pd.DataFrame({"ra": 10.0, "dec": 20.0} | columns, index=range(_length(columns)))
        if suffix == ".parquet":
            frame.to_parquet(path)
        elif suffix == ".fits":
            Table.from_pandas(frame).write(path)
        else:
            frame.to_csv(path, index=False)
        return read_galaxies(path)

    return read_columns


def _length(columns):
    return max(len(v) if isinstance(v, list) else 1 for v in columns.values())


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".csv.gz"])
def test_a_distance_of_40_mpc_has_a_modulus_of_33_01(read, suffix):
    assert read(suffix, DistMpc=40.0)["modulus"][0] == pytest.approx(33.0103, abs=1e-4)


@pytest.mark.parametrize(
    "columns",
    [
        {"d_L": 40.0}, {"dL": 40.0}, {"Dist (Mpc)": 40.0}, {"dist_kpc": 40_000.0},
        {"distance [kpc]": 40_000.0}, {"luminosity_distance": "40.0"}, {"distmod": 33.0103},
    ],
    ids=lambda columns: next(iter(columns)),
)  # fmt: skip
def test_spellings_and_units_of_distances(read, columns):
    assert read(**columns)["modulus"][0] == pytest.approx(33.0103, abs=1e-4)


@pytest.mark.parametrize("name", ["z_cmb", "zcmb", "Z_CMB", "redshift_cmb"])
def test_a_redshift_in_the_cmb_frame_gives_the_luminosity_distance(read, name):
    expected = Planck18.distmod(0.05).value
    assert read(**{name: 0.05})["modulus"][0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    "columns", [{"z": 0.01}, {"z_helio": 0.01}, {"cz": 2997.92458}, {"redshift": 0.01}]
)
def test_heliocentric_redshifts_are_corrected_for_the_motion_of_the_sun(read, columns):
    z = to_cmb(0.01, 10.0, 20.0)
    assert abs(z - 0.01) == pytest.approx(0.00115, abs=1e-4)
    assert read(**columns)["modulus"][0] == pytest.approx(Planck18.distmod(z).value, abs=2e-3)


def test_the_solar_motion_agrees_with_the_dipole():
    assert float(to_cmb(0.0, 167.942, -6.944)) == pytest.approx(369.82 / 299792.458)
    assert float(to_cmb(0.0, 347.942, 6.944)) == pytest.approx(-369.82 / 299792.458)
    assert float(to_cmb(0.0, 167.942, 83.056)) == pytest.approx(0.0, abs=1e-9)


def test_peculiar_velocities_dominate_the_error_of_near_galaxies(read):
    near, far = (read(z_cmb=z, z_err=1e-5)["modulus_err"][0] for z in (0.005, 0.1))
    assert near == pytest.approx(5 / np.log(10) * 300 / 299792.458 / 0.005, rel=0.01)
    assert far < 0.03


def test_errors_of_distances(read):
    assert read(DistMpc=40.0, DistMpc_unc=4.0)["modulus_err"][0] == pytest.approx(0.24, abs=0.02)
    independent = read(DistMpc=4.0, DistMpc_unc=0.2, DistMpc_method="zIndependent")
    assert independent["modulus_err"][0] == pytest.approx(0.1086, abs=1e-3)
    # A redshift in other units: 300 km/s at 4 Mpc.
    assert read(DistMpc=4.0, DistMpc_unc=0.2)["modulus_err"][0] > 1


def test_photometric_redshifts_without_error_are_uncertain(read):
    assert read(z_cmb=0.1, z_tech="PHOT")["modulus_err"][0] == pytest.approx(
        0.033 / 0.1 * 2.171, rel=0.02
    )
    assert read(z_cmb=0.1, z_tech="SPEC")["modulus_err"][0] < 0.03


def test_galaxies_without_a_distance_are_omitted(read, caplog):
    caplog.set_level("INFO", "ztfml")
    found = read(z=[0.02, 0.0, -0.001, np.nan, -999.0, 1.4], objname=["a", "b", "c", "d", "e", "f"])
    assert found["name"].tolist() == ["a"]
    assert "omitted: 4 have no distance and no redshift above 0, 1 are beyond z = 1" in caplog.text


@pytest.mark.parametrize("name", ["z", "z_helio", "cz", "z_cmb"])
def test_a_redshift_of_zero_is_not_known_in_either_half_of_the_sky(read, name):
    """Corrected for the motion of the Sun, it would be that of a near galaxy."""
    known = 6000.0 if name == "cz" else 0.02
    found = read(**{name: [0.0, 0.0, known]}, ra=[168.0, 348.0, 168.0], dec=[-7.0, 7.0, -7.0])
    assert len(found) == 1


def test_a_distance_replaces_a_negative_redshift(read):
    assert read(z=-0.001, DistMpc=0.78)["modulus"][0] == pytest.approx(24.46, abs=0.01)


def test_values_that_are_not_numbers_are_reported(read, caplog):
    found = read(z=["0.02", "0,03", "0.02?", "null", ""], objname=["12", "b", "c", "d", "e"])
    assert found["name"].tolist() == ["objname 12", "b"]
    assert "column z contains 1 values that are not numbers, such as '0.02?'" in caplog.text


def test_an_unknown_unit_of_distance_is_refused(tmp_path):
    table = Table({"ra": [1.0], "dec": [2.0], "distance": [3.5]})
    table["distance"].unit = "arcmin"
    table.write(tmp_path / "separations.fits")
    with pytest.raises(DataError, match="the column distance has the unit 'arcmin'"):
        read_galaxies(tmp_path / "separations.fits")


def test_stars_and_failed_redshifts_of_desi_are_omitted(tmp_path):
    rows = {
        "TARGETID": [39627, 39628, 39629], "TARGET_RA": 10.0, "TARGET_DEC": 20.0,
        "Z": [0.1, 0.1, 0.0001], "ZERR": 1e-5, "ZWARN": [0, 4, 0],
        "SPECTYPE": ["GALAXY", "GALAXY", "STAR"],
    }  # fmt: skip
    Table(pd.DataFrame(rows).to_dict("list")).write(tmp_path / "zall.fits")
    assert read_galaxies(tmp_path / "zall.fits")["name"].tolist() == ["TARGETID 39627"]


@pytest.mark.parametrize(
    ("columns", "arcsec"),
    [
        ({"d25": 2.0}, 60 / 1.84), ({"Diam": 120.0}, 60 / 1.84), ({"logd25": 1.0}, 30 / 1.84),
        ({"petroR50_r": 7.0}, 7.0), ({"petroR90_r": 23.2}, 10.0),
        ({"d25 (arcsec)": 120.0}, 60 / 1.84),
    ],
    ids=lambda value: str(value),
)  # fmt: skip
def test_sizes_become_half_light_radii(read, columns, arcsec):
    assert read(z=0.01, **columns)["radius"][0] == pytest.approx(arcsec, rel=1e-6)


def test_axis_ratios(read):
    assert read(z=0.01, b2a=0.5)["ba"][0] == 0.5
    assert read(z=0.01, ba=2.0)["ba"][0] == 0.5
    assert read(z=0.01, logr25=0.30103)["ba"][0] == pytest.approx(0.5, abs=1e-5)


def test_sexagesimal_positions(tmp_path):
    path = tmp_path / "clu.csv"
    path.write_text("name,ra,dec,z\nA,00:40:00,+20:30:00,0.01\nB,23:59:59.9,-89 59 59,0.01\n")
    found = read_galaxies(path)
    assert found["ra"].tolist() == pytest.approx([10.0, 359.99958333])
    assert found["dec"].tolist() == pytest.approx([20.5, -89.99972222])


def test_the_text_file_of_glade(tmp_path):
    fields = ["null"] * 40
    fields[0], fields[1], fields[8], fields[9] = "1", "42", "10.5", "-3.25"
    fields[27], fields[28], fields[31], fields[32], fields[33] = "0.01", "0.0095", "1e-4", "40", "4"
    path = tmp_path / "GLADE+.txt"
    path.write_text(" ".join(fields) + "\n" + " ".join([*fields[:28], *["null"] * 12]) + "\n")
    (galaxy,) = read_galaxies(path).to_dict("records")
    assert (galaxy["name"], galaxy["ra"], galaxy["dec"]) == ("PGC 42", 10.5, -3.25)
    assert galaxy["modulus"] == pytest.approx(33.0103, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("ra,dec,mag\n1,2,3\n", "no column with a redshift, velocity or distance"),
        ("l,b,z\n1,2,0.1\n", "no columns with right ascension and declination"),
        ("ra,dec,z\n", "contain no position in 0 of 0 rows"),
        ("ra,dec,z\n1,2,-5\n", "none of its 1 rows is a galaxy"),
        ("ra,dec,dist (furlong)\n1,2,3\n", "no column with a redshift"),
        ("", "contains no table"),
    ],
)
def test_files_without_galaxies_are_refused_in_one_sentence(tmp_path, text, part):
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=part) as error:
        read_galaxies(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_truncated_files_are_refused(tmp_path):
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(b"ra,dec,z\n1,2,0.1\n" * 1000)[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        read_galaxies(path)
