"""Layouts of published catalogues: the distance and size of NGC 4993 in each of them."""

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from ztfml.catalogs.galaxy_table import read_galaxies, to_cmb
from ztfml.errors import DataError

RNG = np.random.default_rng(3)
RA = np.r_[197.44879, RNG.uniform(0, 360, 40)]
DEC = np.r_[-23.38381, np.degrees(np.arcsin(RNG.uniform(-1, 1, 40)))]
Z = np.r_[0.009727, RNG.uniform(0.011, 0.05, 40)]
MPC = np.r_[40.7, 4280.0 * to_cmb(Z[1:], RA[1:], DEC[1:])]
FROM_DISTANCE, FROM_REDSHIFT = 33.048, 33.412
CZ = Z * 299792.458
PLACE = {"name": "NGC 4993", "ra": RA, "dec": DEC}
LEDA = {"objname": "NGC 4993", "al2000": RA / 15, "de2000": DEC, "logd25": 1.1, "logr25": 0.07}
SDSS = {"u": 18.1, "g": 17.0, "r": 16.3, "i": 15.9, "z": 15.6 + Z}


def read(path, columns, **options):
    pd.DataFrame(columns).to_csv(path, index=False, **options)
    return read_galaxies(path)


def first(galaxies):
    """NGC 4993."""
    (row,) = galaxies[np.hypot(galaxies["ra"] - RA[0], galaxies["dec"] - DEC[0]) < 0.01].to_dict(
        "records"
    )
    return row


@pytest.mark.parametrize(
    ("columns", "modulus"),
    [
        (LEDA | {"v": CZ, "modz": 5 * np.log10(MPC) + 25}, FROM_DISTANCE),
        (LEDA | {"v": CZ, "mod0": np.r_[33.048, np.full(40, np.nan)]}, FROM_DISTANCE),
        (LEDA | {"v3k": 299792.458 * to_cmb(Z, RA, DEC)}, FROM_REDSHIFT),
        (PLACE | {"R1": 0.63, "V": CZ, "D": MPC, "DMETHOD": "N"}, FROM_DISTANCE),
        (PLACE | {"v_h": CZ, "bestdist": MPC}, FROM_DISTANCE),
        (PLACE | {"Z": Z, "ZDIST": to_cmb(Z, RA, DEC)}, FROM_REDSHIFT),
        (PLACE | {"z_phot_median": Z, "z_phot_std": 0.02, "z_spec": -99.0}, FROM_REDSHIFT),
        (PLACE | {"zPhoto": 0.3, "zSpec": Z}, FROM_REDSHIFT),
        (PLACE | {"rvz_redshift": Z}, FROM_REDSHIFT),
        (PLACE | {"z (km/s)": CZ}, FROM_REDSHIFT),
        (PLACE | SDSS | {"zspec": Z}, FROM_REDSHIFT),
        (PLACE | {"B": 14.1, "V": 13.2, "redshift": Z}, FROM_REDSHIFT),
        (PLACE | {"z": Z, "DistMpc": np.r_[1e20, MPC[1:]]}, FROM_REDSHIFT),
        (PLACE | {"z": Z, "DistMpc": np.r_[999999, MPC[1:]]}, FROM_REDSHIFT),
        (PLACE | {"z": np.r_[-1, Z[1:]], "v": CZ}, FROM_REDSHIFT),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_distances_of_published_layouts(tmp_path, columns, modulus):
    galaxy = first(read(tmp_path / "a.csv", columns))
    assert galaxy["modulus"] == pytest.approx(modulus, abs=2e-3)
    assert galaxy["name"] == "NGC 4993"


@pytest.mark.parametrize(
    ("columns", "arcsec"),
    [
        (LEDA, 20.53), ({"R1": 0.63, "D": MPC, "DMETHOD": "N"}, 20.54),
        ({"ELPETRO_TH50_R": 12.0}, 12.0), ({"SERSIC_TH50": 11.0}, 11.0),
        ({"D25": 78.0}, 21.2), ({"D25": 1.3}, 21.2),
        ({"DIAM": 1.3, "D26": 1.3}, 21.2), ({"diam (deg)": 1.3 / 60}, 21.2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_sizes_of_published_layouts(tmp_path, columns, arcsec):
    place = {} if "al2000" in columns else PLACE
    found = read(tmp_path / "a.csv", place | columns | {"z": Z})
    assert first(found)["radius"] == pytest.approx(arcsec, abs=0.02)


def test_logarithmic_diameters_of_rc3_from_vizier(tmp_path):
    (tmp_path / "rc3.tsv").write_text(
        "RAJ2000\tDEJ2000\tD25\tcz\ndeg\tdeg\t[0.1arcmin]\tkm/s\n---\t---\t---\t---\n"
        "197.44879\t-23.38381\t1.1\t2916\n"
    )
    assert first(read_galaxies(tmp_path / "rc3.tsv"))["radius"] == pytest.approx(20.53, abs=0.01)


@pytest.mark.parametrize(("per_mpc", "unit"), [(1e3, "kpc"), (1e6, "pc"), (1e-3, "Gpc")])
@pytest.mark.parametrize("other", ["redshift", "distance_modulus"])
def test_distances_in_another_unit_are_converted_if_others_show_it(
    tmp_path, caplog, per_mpc, unit, other
):
    values = {"redshift": Z, "distance_modulus": 5 * np.log10(MPC) + 25}[other]
    found = read(tmp_path / "a.csv", PLACE | {"distance": MPC * per_mpc, other: values})
    assert first(found)["modulus"] == pytest.approx(FROM_DISTANCE, abs=1e-3)
    assert f"the column distance is in {unit}, as" in caplog.text


@pytest.mark.parametrize(
    ("distance", "part"),
    [
        (5 * np.log10(MPC) + 25, "times those from redshifts (41 rows)"),
        (np.log10(MPC), "typically 0.015 times those from redshifts (41 rows)"),
        (np.linspace(1.0, 9.0, 41), "times those from redshifts (41 rows)"),
    ],
    ids=["modulus", "logarithm", "separation in arcmin"],
)
def test_columns_that_are_no_distances_in_mpc_are_refused(tmp_path, distance, part):
    with pytest.raises(DataError, match="the distances of the column dist are") as error:
        read(tmp_path / "a.csv", PLACE | {"dist": distance, "z": Z})
    assert part in str(error.value)


def test_distances_in_mpc_per_h_are_reported(tmp_path, caplog):
    read(tmp_path / "a.csv", PLACE | {"dist": 0.7 * MPC, "z": Z})
    assert "column dist are typically 0.66 times those from redshifts" in caplog.text
    caplog.clear()
    read(tmp_path / "b.csv", PLACE | {"dist": MPC, "z": Z})
    assert "typically" not in caplog.text


@pytest.mark.parametrize(
    ("column", "other"),
    [("class", "STAR"), ("Type", "*"), ("Type", "SN"), ("objtype", "S"), ("otype", "PN")],
)
def test_objects_that_are_not_galaxies_are_omitted(tmp_path, column, other):
    kinds = np.where(np.arange(41) % 2, other, "G")
    assert len(read(tmp_path / "a.csv", PLACE | {"z": Z, column: kinds})) == 21


def test_photometric_redshifts_of_point_sources_are_omitted(tmp_path):
    columns = PLACE | {"z_phot_median": Z, "z_phot_std": 0.002, "type": ["PSF"] * 20 + ["EXP"] * 21}
    found = read(tmp_path / "a.csv", columns)
    assert len(found) == 21
    assert found["modulus_err"].median() == pytest.approx(
        5 / np.log(10) * np.hypot(0.002, 0.001) / found["z"].median(), rel=0.05
    )


@pytest.mark.parametrize(
    "columns",
    [{"parallax": 1.0, "radial_velocity": 20.0}, {"B": 14.0, "V": 13.0}, {"g": 19.0, "z": 18.0}],
    ids=lambda columns: next(iter(columns)),
)
def test_tables_of_stars_are_refused(tmp_path, columns):
    with pytest.raises(DataError, match=r"with redshifts above 0|no column with a redshift"):
        read(tmp_path / "a.csv", PLACE | columns)


def test_desi_rows_without_an_epoch_of_proper_motion(tmp_path):
    columns = {"TARGETID": 39627, "TARGET_RA": RA, "TARGET_DEC": DEC, "Z": Z, "PMRA": 0.0}
    found = read(tmp_path / "a.csv", columns | {"PMDEC": 0.0, "REF_EPOCH": 0.0})
    assert first(found)["modulus"] == pytest.approx(FROM_REDSHIFT, abs=2e-3)


def test_units_that_only_astropy_knows(tmp_path):
    for unit, per_mpc in [("cm", 3.0856776e24), ("10+6pc", 1.0), ("lyr", 3.2615638e6)]:
        distance = fits.Column("dist", "D", unit=unit, array=MPC * per_mpc)
        place = [fits.Column(name, "D", array=PLACE[name]) for name in ("ra", "dec")]
        hdu = fits.BinTableHDU.from_columns([*place, distance])
        hdu.writeto(tmp_path / "a.fits", overwrite=True)
        found = first(read_galaxies(tmp_path / "a.fits"))
        assert found["modulus"] == pytest.approx(FROM_DISTANCE, abs=1e-3)


def test_masked_integers_of_fits_are_missing(tmp_path):
    place = [fits.Column(name, "D", array=PLACE[name]) for name in ("ra", "dec")]
    velocity = fits.Column("cz", "J", null=99999, array=np.r_[2916, np.full(40, 99999)])
    fits.BinTableHDU.from_columns([*place, velocity]).writeto(tmp_path / "a.fits")
    assert len(read_galaxies(tmp_path / "a.fits")) == 1


@pytest.mark.parametrize("suffix", ["parquet", "ecsv", "vot", "tbl"])
def test_units_and_masks_of_astropy_tables(tmp_path, suffix):
    table = Table(PLACE | {"name": ["NGC 4993"] * 41, "distance": MPC * 1000})
    table["diam"] = 1.3
    table["distance"].unit, table["diam"].unit = "kpc", "arcmin"
    form = {"vot": "votable", "tbl": "ascii.ipac"}.get(suffix)
    table.write(tmp_path / f"a.{suffix}", format=form)
    galaxy = first(read_galaxies(tmp_path / f"a.{suffix}"))
    assert galaxy["modulus"] == pytest.approx(FROM_DISTANCE, abs=1e-3)
    assert galaxy["radius"] == pytest.approx(21.2, abs=0.01)


@pytest.mark.parametrize("header", ["name ra dec z\n", "# made by hand\n# name ra  dec z\n"])
def test_text_with_spaces_between_columns(tmp_path, header):
    rows = '"NGC 4993" 197.44879   -23.38381 0.009727\nX 1 2 0.1\n'
    (tmp_path / "a.txt").write_text(header + rows)
    galaxy = first(read_galaxies(tmp_path / "a.txt"))
    assert galaxy["modulus"] == pytest.approx(FROM_REDSHIFT, abs=2e-3)
    assert galaxy["name"] == "NGC 4993"


def test_spaces_in_names_without_quotes_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("name ra dec z\nNGC 4993 197.4 -23.4 0.0097\nX 1 2 0.1\n")
    with pytest.raises(DataError, match="between 4 and 5 fields separated by spaces, the header 4"):
        read_galaxies(tmp_path / "a.txt")


def test_the_text_file_of_glade_2(tmp_path):
    fields = ["45657", "NGC4993", "NGC4993", "null", "null", "G", "197.44879", "-23.38381", "40.7"]
    (tmp_path / "GLADE_2.3.txt").write_text(" ".join([*fields, "2.0", "0.0097"] + ["null"] * 11))
    galaxy = first(read_galaxies(tmp_path / "GLADE_2.3.txt"))
    assert galaxy["modulus"] == pytest.approx(FROM_DISTANCE, abs=1e-3)
    assert galaxy["name"] == "PGC 45657"


@pytest.mark.parametrize("z", [0.0001, -0.0001])
def test_redshifts_of_stars_are_no_distances_in_either_half_of_the_sky(tmp_path, z):
    columns = {"ra": [168.0, 348.0, 10.0], "dec": [-7.0, 7.0, 0.0], "z": [z, z, 0.02]}
    assert len(read(tmp_path / "a.csv", columns)) == 1
    assert len(read(tmp_path / "b.csv", columns | {"DistMpc": [3.6, 3.3, 80.0]})) == 3


def test_names_that_python_wrote_as_bytes(tmp_path):
    columns = {"ra": [1.0, 2.0], "dec": 3.0, "z": 0.01, "name": ["b'NGC 4993'", "b'---'"]}
    assert read(tmp_path / "a.csv", columns)["name"].tolist() == ["NGC 4993", ""]


def test_stars_at_less_than_300_kpc_are_omitted(tmp_path, caplog):
    """CLU has 6dFgs gJ0001313-055904 at 0.056 Mpc, and M31 at 0.78 Mpc."""
    caplog.set_level("INFO", "ztfml")
    found = read(tmp_path / "a.csv", {"ra": [0.4, 10.7], "dec": 1.0, "distmpc": [0.0557, 0.78]})
    assert found["modulus"].tolist() == pytest.approx([24.46], abs=0.01)
    assert "1 galaxies (omitted: 1 are nearer than 0.3 Mpc)" in caplog.text


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_a_galaxy_with_several_spectra_counts_once(tmp_path, order, caplog):
    caplog.set_level("INFO", "ztfml")
    spectra = pd.DataFrame(
        {"TARGET_RA": [10.0, 10.0, 10.0, 11.0], "TARGET_DEC": 5.0, "Z": [0.1, 0.1001, 0.1002, 0.2],
         "ZERR": [3e-3, 1e-3, 2e-3, 1e-3]}
    )  # fmt: skip
    found = read(tmp_path / "a.csv", spectra.iloc[order]).sort_values("ra")
    assert found["z"].tolist() == pytest.approx(to_cmb([0.1001, 0.2], [10, 11], [5, 5]), abs=1e-5)
    assert "2 rows repeat the galaxy of another row" in caplog.text


@pytest.mark.parametrize("name", ["apjs1_mrt.txt", "table1.dat"])
@pytest.mark.parametrize("place", ["degrees", "components"])
def test_machine_readable_tables_of_journals(tmp_path, name, place):
    table = Table({"Name": ["NGC 4993"] * 41, "cz": np.round(CZ).astype(int)})
    table["cz"].unit = "km/s"
    if place == "degrees":
        table["RAdeg"], table["DEdeg"] = RA.round(5) * u.deg, DEC.round(5) * u.deg
    else:
        table["coord"] = SkyCoord(RA.round(5), DEC.round(5), unit="deg")
    table.write(tmp_path / name, format="ascii.mrt")
    assert first(read_galaxies(tmp_path / name))["modulus"] == pytest.approx(
        FROM_REDSHIFT, abs=2e-3
    )
