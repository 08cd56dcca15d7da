"""Positions, proper motions and their units in the notations of catalogues."""

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from ztfml.catalogs.columns import plain_name
from ztfml.catalogs.positions import moved
from ztfml.catalogs.read import read_catalog, read_places
from ztfml.errors import DataError
from ztfml.io.tables import open_table


@pytest.fixture
def places(tmp_path):
    """Return a function that writes a text as a table and reads its positions."""

    def places(text, name="c.csv"):
        (tmp_path / name).write_text(text)
        return read_places(open_table(tmp_path / name))

    return places


@pytest.mark.parametrize(
    ("ra", "dec", "expected"),
    [
        ("10 01 00", "-00 30.45", (150.25, -0.5075)),
        ("10:01.0", "-00:30.45", (150.25, -0.5075)),
        ("10 01 00", "−00 30 27", (150.25, -0.5075)),
        ("10 01 00.0", "- 00 30 27.0", (150.25, -0.5075)),
        ("10h01m00s", "-00d30m27s", (150.25, -0.5075)),
        ("10h01m", "-00d30.45m", (150.25, -0.5075)),
        ("10h 01m 00.00s", "-0° 30′ 27″", (150.25, -0.5075)),
        ("10h1m0s", "-0°30'27\"", (150.25, -0.5075)),
        ("10.0166666667h", "-0.5075d", (150.25, -0.5075)),
        ("150d15m00s", "+41d16m09s", (150.25, 41.2691666667)),
        ("150.25", "-00:30:27", (150.25, -0.5075)),
        ("00 42 44.3", "+41 16 09", (10.6845833333, 41.2691666667)),
        ("12 34.5", "-89 59.5", (188.625, -89.9916666667)),
        ("12 34 60.0", "+05 60 00", (188.75, 6.0)),
        ("150,25", "-0,5075", (150.25, -0.5075)),
        ("-30.0", "+5", (330.0, 5.0)),
        ("1.5025e2", "-5.075e-1", (150.25, -0.5075)),
    ],
)
def test_one_position_in_many_notations(ra, dec, expected, places):
    found = places(f'ra;dec\n"{ra}";"{dec}"\n' if '"' not in dec else f"ra;dec\n{ra};{dec}\n")
    np.testing.assert_allclose(found.to_numpy()[0], expected, atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    ra=st.integers(0, 24 * 3600 * 10 - 1),
    dec=st.integers(-90 * 3600 + 1, 90 * 3600 - 1),
    style=st.sampled_from(["colons", "spaces", "letters", "minutes", "whole minutes"]),
)
def test_all_notations_give_back_the_position(ra, dec, style, tmp_path_factory):
    seconds, sign = ra / 10, "-" if dec < 0 else "+"
    if style == "whole minutes":
        seconds, dec = 60 * (seconds // 60), int(dec / 60) * 60
    hours, degrees = int(seconds // 3600), abs(dec) // 3600
    minute, second = int(seconds % 3600 // 60), seconds % 60
    arcmin, arcsec = abs(dec) % 3600 // 60, abs(dec) % 60
    row = {
        "colons": f"{hours:02}:{minute:02}:{second:04.1f},{sign}{degrees:02}:{arcmin:02}:{arcsec}",
        "spaces": f"{hours} {minute} {second:.1f},{sign}{degrees} {arcmin} {arcsec}",
        "letters": f"{hours}h{minute}m{second:.1f}s,{sign}{degrees}d{arcmin}m{arcsec}s",
        "minutes": f"{hours} {seconds % 3600 / 60:.7f},{sign}{degrees} {abs(dec) % 3600 / 60:.7f}",
        "whole minutes": f"{hours:02} {minute:02},{sign}{degrees:02} {arcmin:02}",
    }[style]
    path = tmp_path_factory.mktemp("style") / "c.csv"
    path.write_text(f"RA,DEC\n{row}\n")
    found = read_places(open_table(path)).to_numpy()[0]
    np.testing.assert_allclose(found, [seconds / 240, dec / 3600], atol=1e-6)


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ("25 00 00", "+10 00 00"),
        ("-01 00 00", "+10 00 00"),
        ("10 61 00", "+10 00 00"),
        ("10 00 61", "+10 00 00"),
        ("10 00 00", "+91 00 00"),
        ("10 00 00", "+10h00m00s"),
        ("10.5", "+10 00 00"),
        ("10 00.5 30", "+10 00 00"),
        ("ten", "+10 00 00"),
        ("10 00 00 00", "+10 00 00"),
    ],
)
def test_unreadable_positions_are_omitted_with_count_and_example(ra, dec, places, caplog):
    good = "\n".join(["10 00 00,+10 00 00"] * 3)
    with caplog.at_level("WARNING", "ztfml"):
        found = places(f"ra,dec\n{good}\n{ra},{dec}\n,\n")
    assert len(found) == 3
    assert (
        "omitted 2 rows without a position (1 are blank, 1 cannot be read, such as" in caplog.text
    )
    assert f"{ra} {dec}'" in caplog.text


def test_mostly_unreadable_positions_are_refused(places):
    message = "ra and dec contain no position in 2 of 3 rows, such as '187:30:00 10:00:00'"
    with pytest.raises(DataError, match=message):
        places("ra,dec\n187:30:00,10:00:00\n12:00:00,10:00:00\n200:30:00,10:00:00\n")


@pytest.mark.parametrize(
    "text",
    [
        "RA (deg),Dec (deg)\n150.25,-0.5\n",
        "RA (J2000),Dec (J2000)\n150.25,-0.5\n",
        "ra_deg,dec_deg\n150.25,-0.5\n",
        "RA_d,DEC_d\n150.25,-0.5\n",
        "ra_rad,dec_rad\n2.6223572013,-0.0087266463\n",
        "RA [rad],Dec [rad]\n2.6223572013,-0.0087266463\n",
        "ra_hours,dec_deg\n10.0166666667,-0.5\n",
        "RA (hours),Dec (deg)\n10.0166666667,-0.5\n",
        "RA,Dec\nrad,rad\n2.6223572013,-0.0087266463\n",
        "RA,Dec\nhours,degrees\n10.0166666667,-0.5\n",
        "RA,Dec\n[deg],[deg]\n150.25,-0.5\n",
        '#comment\n_RAJ2000\t_DEJ2000\n"h:m:s"\t"d:m:s"\n---\t---\n10 01 00\t-00 30 00\n',
        "_RAJ2000\t_DEJ2000\ndeg\tdeg\n---\t---\n150.25\t-0.5\n",
        "name,Coords\nX,10 01 00.0 -00 30 00\n",
        "name;coordinates\nX;150.25, -0.5\n",
        "# ra,dec\n150.25,-0.5\n",
        "#|id|typ|coord1 (ICRS,J2000/2000)\n--|---|---|-----\n1|X|RR*|10 01 00.0 -00 30 00\n",
        "ra,dec,equinox\n150.25,-0.5,J2000\n",
        "\ufeffra,dec\r\n150.25,-0.5\r\n",
        "RA,Declination\n150.25,-0.5\n",
    ],
)
def test_names_and_units_of_positions(text, places):
    np.testing.assert_allclose(places(text)[["ra", "dec"]].to_numpy(), [[150.25, -0.5]], atol=1e-8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RAB1950,DEB1950\n1,2\n", r"positions \(RAB1950, DEB1950\) are for an old equinox"),
        ("RA_1950,Dec_1950\n1,2\n", "are for an old equinox; convert them to J2000"),
        ("ra,dec,equinox\n1,2,B1950\n", "1 positions have the equinox 'B1950'"),
        ("ra,dec,Equinox\n1,2,1950.0\n", "have the equinox '1950.0'"),
        ("e_ra,e_dec\n1,2\n", "no columns with right ascension"),
        ("ra,ra_error\n1,2\n", "no columns with right ascension"),
    ],
)
def test_positions_that_are_not_j2000_are_refused(text, message, places):
    with pytest.raises(DataError, match=message):
        places(text)


def all_sky(n=200):
    rng = np.random.default_rng(1)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


@pytest.mark.parametrize(
    ("per_ra", "per_dec", "unit"),
    [(np.pi / 180, np.pi / 180, "radians"), (1 / 15, 1, "hours")],
)
def test_other_units_without_a_name_are_refused(per_ra, per_dec, unit, places):
    ra, dec = all_sky()
    table = pd.DataFrame({"ra": ra * per_ra, "dec": dec * per_dec})
    with pytest.raises(DataError, match=f"ra and dec look like {unit}"):
        places(table.to_csv(index=False))
    explicit = places(table.rename(columns={"ra": "RAdeg", "dec": "DEdeg"}).to_csv(index=False))
    np.testing.assert_allclose(explicit["ra"], ra * per_ra)


def test_degrees_of_the_whole_sky_and_of_a_field_are_accepted(places):
    ra, dec = all_sky()
    for factor in (1.0, 0.01):
        table = pd.DataFrame({"ra": ra * factor, "dec": dec * factor})
        assert len(places(table.to_csv(index=False))) == 200


@pytest.mark.parametrize("suffix", ["fits", "vot", "ecsv"])
def test_units_of_table_formats(suffix, tmp_path):
    table = Table({"ra": [2.6223572013], "dec": [-0.0087266463]}, units=["rad", "rad"])
    table["pmra"], table["pmdec"] = [1.0], [-2.0]
    table["pmra"].unit = table["pmdec"].unit = "arcsec / yr"
    formats = {"fits": "fits", "vot": "votable", "ecsv": "ascii.ecsv"}
    table.write(tmp_path / f"c.{suffix}", format=formats[suffix])
    found = read_places(open_table(tmp_path / f"c.{suffix}"))
    np.testing.assert_allclose(found.to_numpy()[0], [150.25, -0.5, 1.0, -2.0, 2000.0], atol=1e-8)


def test_sexagesimal_columns_in_parts(places):
    header = "RAh,RAm,RAs,DE-,DEd,DEm,DEs"
    found = places(f"{header}\n10,01,00.0,-,00,30,27\n10,01,30,+,05,30.45,\n")
    np.testing.assert_allclose(found, [[150.25, -0.5075], [150.375, 5.5075]])


# --- proper motion -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("ra,dec,pmra,pmdec,ref_epoch", "1,2,1500,-500,2015.5", [1.5, -0.5, 2015.5]),
        ("ra,dec,pmra,pmdec", "1,2,1500,-500", [1.5, -0.5, 2016.0]),
        ("RA_ICRS,DE_ICRS,e_pmRA,pmRA,pmDE", "1,2,9,1500,-500", [1.5, -0.5, 2016.0]),
        ("RAJ2000,DEJ2000,pmRA,pmDE", "1,2,1500,-500", [1.5, -0.5, 2000.0]),
        ("ra,dec,pm_ra_cosdec,pm_dec,ref_epoch", "1,2,1500,-500,J2016.0", [1.5, -0.5, 2016.0]),
        ("ra,dec,pmRA [arcsec/yr],pmDE [arcsec/yr]", "1,2,1.5,-.5", [1.5, -0.5, 2016.0]),
        ("ra,dec,pmra,pmdec,ref_epoch", "1,2,1500,-500,2457389.0", [1.5, -0.5, 2016.0]),
        ("ra,dec,pmra,pmdec,ref_epoch", "1,2,1500,-500,57388.5", [1.5, -0.5, 2016.0]),
        ("ra,dec,pmra,pmdec,ref_epoch", "1,2,,,2016.0", [0.0, 0.0, 2016.0]),
        ("ra,dec,pmra,pmdec", "1,2,-9999,-9999", [0.0, 0.0, 2016.0]),
        # The epoch of VSX is the time of a maximum.
        ("ra,dec,pmra,pmdec,Epoch", "1,2,1500,-500,2451000.5", [1.5, -0.5, 2016.0]),
    ],
)
def test_proper_motions_of_gaia(header, row, expected, tmp_path):
    (tmp_path / "gaia.csv").write_text(f"{header},class\n{row},RR\n")
    motions = read_catalog("gaia", tmp_path / "gaia.csv").motions
    np.testing.assert_allclose(motions.to_numpy()[0], expected, atol=2e-3)


def test_a_row_of_units_gives_the_unit_of_motions(places):
    found = places("ra,dec,pmra,pmdec\ndeg,deg,arcsec/yr,arcsec/yr\n1,2,1.5,-0.5\n")
    np.testing.assert_allclose(found.to_numpy()[0], [1, 2, 1.5, -0.5, 2000])


@pytest.mark.parametrize("name", ["e_pmRA", "pmra_error", "pmra_pmdec_corr", "RUWE"])
def test_errors_are_not_motions(name, places):
    assert list(places(f"ra,dec,{name},e_pmDE\n1,2,3,4\n")) == ["ra", "dec"]


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("ra,dec,pmra,pmdec,ref_epoch", "1,2,3,4,B1950.0", "the Besselian epoch 'b1950.0'"),
        ("ra,dec,pmra,pmdec,ref_epoch", "1,2,3,4,16", "contains '16' .* is not an epoch"),
    ],
)
def test_epochs_that_cannot_be_interpreted_are_refused(header, row, message, places):
    with pytest.raises(DataError, match=message):
        places(f"{header}\n{row}\n")


def test_impossible_motions_are_reported(places, caplog):
    with caplog.at_level("WARNING", "ztfml"):
        places("ra,dec,pmra,pmdec\n1,2,99999,0\n1,3,10000,0\n")
    assert "ignored 1 proper motions faster than any star, such as 99.999 arcsec/yr" in caplog.text


def test_motion_along_great_circles():
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from astropy.time import Time

    rng = np.random.default_rng(2)
    ra, dec = all_sky(50)
    dec[:2] = 89.9999, -89.9999
    pm_ra, pm_dec = rng.normal(0, 3, (2, 50))
    motion = {"pm_ra_cosdec": pm_ra * u.arcsec / u.yr, "pm_dec": pm_dec * u.arcsec / u.yr}
    start = SkyCoord(ra, dec, unit="deg", obstime=Time(2016.0, format="jyear"), **motion)
    with pytest.warns(match="distance"):
        end = start.apply_space_motion(Time(2023.8, format="jyear"))
    ours = SkyCoord(*moved(ra, dec, pm_ra, pm_dec, 7.8), unit="deg")
    assert ours.separation(end).mas.max() < 0.01


def test_names_keep_their_meaning():
    assert plain_name("ra (error)") == "ra(error)"
    assert plain_name("RA (J2000)") == "ra"
