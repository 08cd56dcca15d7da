"""The simulated catalogue of galaxies: hosts, unrelated galaxies, completeness."""

import numpy as np
import pandas as pd
import pytest

from ztfml.catalogs.galaxies import GalaxyCatalog
from ztfml.catalogs.galaxy_geometry import separation
from ztfml.catalogs.galaxy_table import read_galaxies
from ztfml.io.companions import galaxies_beside, labels_beside
from ztfml.night import Night
from ztfml.simulate import write_nights
from ztfml.simulate.galaxies import COLUMNS, completeness, draw_galaxies


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_nights(tmp_path_factory.mktemp("simulated"), 500, 2, seed=3, mix="transients")


@pytest.fixture(scope="module")
def matched(paths):
    galaxies = GalaxyCatalog.from_frame(read_galaxies(galaxies_beside(paths[0])))
    alerts = galaxies.match(Night.load(paths[0])).alerts
    labels = pd.read_csv(labels_beside(paths[0])).set_index("candid")
    return alerts.assign(label=labels.loc[alerts["candid"], "label"].to_numpy())


def test_the_catalogue_has_the_columns_of_a_survey(paths):
    table = pd.read_parquet(galaxies_beside(paths[0]))
    assert tuple(table) == COLUMNS
    assert table["objname"].is_unique
    assert len(read_galaxies(galaxies_beside(paths[0]))) == (table["z_cmb"] > 0).sum()


def test_hosts_are_in_the_catalogue_and_other_sources_are_not_near_galaxies(matched):
    # A star that has many alerts on a night and is near a galaxy by chance counts once.
    objects = matched.drop_duplicates("objectId")
    near = objects["galaxy_chance"] < 0.005
    assert near[objects["label"] == "transient"].mean() > 0.2
    assert near[objects["label"].isin(["star", "sso"])].mean() < 0.05


def test_absolute_magnitudes_of_transients_are_plausible(matched):
    hosts = matched[(matched["label"] == "transient") & (matched["galaxy_chance"] < 0.002)]
    absolute = hosts["magpsf"] - hosts["galaxy_modulus"]
    assert -20.5 < absolute.median() < -15


def test_a_host_is_the_same_on_every_night(paths):
    first, second = (pd.read_parquet(galaxies_beside(path)) for path in paths)
    common = first.merge(second, on="objname")
    assert len(common) > 100
    assert (common["z_cmb_x"] == common["z_cmb_y"]).all()


def test_equal_seeds_give_equal_files(paths, tmp_path):
    again = write_nights(tmp_path, 500, 2, seed=3, mix="transients")
    for one, other in zip(paths, again, strict=True):
        assert galaxies_beside(one).read_bytes() == galaxies_beside(other).read_bytes()


def test_surface_density_is_that_of_a_redshift_survey():
    ra, dec = np.meshgrid(np.arange(150, 160, 0.5), np.arange(20, 30, 0.5))
    galaxies = draw_galaxies(1, ra.ravel(), dec.ravel(), [])
    inside = galaxies["ra"].between(151, 159) & galaxies["dec"].between(21, 29)
    area = 8 * np.degrees(np.sin(np.radians(29)) - np.sin(np.radians(21)))
    # The Sloan survey has 92 galaxies brighter than 17.77 per square degree.
    assert 50 < inside.sum() / area < 130
    assert galaxies["z_cmb"].median() == pytest.approx(0.1, abs=0.03)


def test_completeness_falls_with_magnitude():
    r = np.linspace(12, 22, 50)
    assert (np.diff(completeness(r)) <= 0).all()
    assert completeness(12.0) == pytest.approx(0.97)


def test_unrelated_galaxies_do_not_depend_on_the_other_alerts():
    ra, dec = np.array([10.0, 200.0]), np.array([0.0, 40.0])
    both, one = draw_galaxies(1, ra, dec, []), draw_galaxies(1, ra[:1], dec[:1], [])
    offset, _ = separation(both["ra"], both["dec"], 10.0, 0.0)
    near = both[offset < 3 * 3600].reset_index(drop=True)
    pd.testing.assert_frame_equal(near, one)
