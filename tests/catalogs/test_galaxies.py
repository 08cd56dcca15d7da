"""Hosts of alerts in a catalogue of galaxies: offsets, luminosities, chance, and the cache."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.nights import random_night
from ztfml import features
from ztfml.astrophysics import kpc_per_arcsec
from ztfml.catalogs import galaxies as module
from ztfml.catalogs.galaxies import GalaxyCatalog, nearest_galaxies
from ztfml.catalogs.galaxy_cache import cache_folder
from ztfml.catalogs.galaxy_geometry import separation
from ztfml.schema import GALAXY_COLUMNS


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch, request):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if "random_positions" not in request.node.name:
        monkeypatch.setattr(module, "_N_RANDOM", 100)


def catalog(ra, dec, modulus, **others):
    frame = pd.DataFrame({"ra": ra, "dec": dec, "modulus": modulus}, dtype=float)
    defaults = {"modulus_err": 0.1, "radius": np.nan, "ba": np.nan, "pa": np.nan, "ebv": np.nan}
    frame = frame.assign(**(defaults | others))
    frame["z"] = others.get("z", 0.009)
    frame["name"] = [f"G{k}" for k in range(len(frame))]
    return GalaxyCatalog.from_frame(frame)


def at(found, ra, dec):
    return found.hosts(np.array([ra]), np.array([dec])).iloc[0]


def test_offset_in_kpc():
    host = at(catalog([10.0], [0.0], [33.0], z=0.009), 10.0, 10 / 3600)
    assert host["offset"] == pytest.approx(10.0, abs=1e-6)
    # 10 arcsec at 40 Mpc (z = 0.009) are 1.9 kpc.
    assert host["offset_kpc"] == pytest.approx(10 * kpc_per_arcsec(0.009), rel=1e-9)
    assert host["offset_kpc"] == pytest.approx(1.9, abs=0.05)


@pytest.mark.parametrize(
    ("galaxy", "alert"),
    [
        ((359.999, 0.0), (0.001, 0.0)), ((0.001, 0.0), (359.999, 0.0)),
        ((0.0, 90.0), (123.0, 89.998)), ((10.0, 89.999), (190.0, 89.999)),
        ((10.0, -89.999), (190.0, -89.999)), ((77.0, -90.0), (200.0, -89.998)),
    ],
)  # fmt: skip
def test_galaxies_across_the_poles_and_the_origin_of_right_ascension(galaxy, alert):
    host = at(catalog([galaxy[0]], [galaxy[1]], [33.0]), *alert)
    assert host["galaxy"] == 0
    assert host["offset"] == pytest.approx(7.2, abs=0.01)


def test_a_galaxy_at_the_position_of_the_alert():
    host = at(catalog([10.0], [20.0], [33.0], radius=5.0, ba=0.5, pa=30.0), 10.0, 20.0)
    assert (host["offset"], host["offset_kpc"], host["offset_radii"]) == (0.0, 0.0, 0.0)
    assert 0 < host["chance"] < 1e-6


@pytest.mark.parametrize(("angle", "radii"), [(0.0, 1.0), (90.0, 2.0), (180.0, 1.0)])
def test_the_light_radius_depends_on_the_direction(angle, radii):
    found = catalog([10.0], [0.0], [33.0], radius=20.0, ba=0.5, pa=0.0)
    step = 20 / 3600
    ra, dec = 10 + step * np.sin(np.radians(angle)), step * np.cos(np.radians(angle))
    assert at(found, ra, dec)["offset_radii"] == pytest.approx(radii, rel=1e-4)


def test_positions_without_a_galaxy():
    found = catalog([10.0], [20.0], [33.0])
    hosts = found.hosts(np.array([10.0, np.nan, 50.0]), np.array([20.0, 20.0, np.nan]))
    assert hosts["galaxy"].tolist() == [0, -1, -1]
    assert hosts["chance"].isna().tolist() == [False, True, True]
    # 60 kpc at z = 0.009 are 313 arcsec.
    assert at(found, 10.0, 20.0 + 320 / 3600)["galaxy"] == -1
    assert at(found, 10.0, 20.0 + 300 / 3600)["galaxy"] == 0


def test_the_less_probable_coincidence_is_the_host():
    # A galaxy 100 arcsec away at 40 Mpc against one of many distant ones 5 arcsec away.
    n = 5000
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(8, 12, n), rng.uniform(-2, 2, n)
    ra = np.append(ra, [10.0, 10.0])
    dec = np.append(dec, [100 / 3600, -5 / 3600])
    modulus = np.append(np.full(n, 41.0), [33.0, 41.0])
    z = np.append(np.full(n, 0.3), [0.009, 0.3])
    pairs = list(nearest_galaxies(catalog(ra, dec, modulus, z=z), 10.0, 0.0, most=2))
    assert [pair["name"] for pair in pairs] == [f"G{n}", f"G{n + 1}"]
    assert pairs[0]["chance"] < 0.01 < pairs[1]["chance"] * 10
    assert pairs[0]["distance"] == pytest.approx(39.8, abs=0.1)


def test_chance_at_random_positions_means_what_it_says():
    rng = np.random.default_rng(3)
    n = 60_000
    # A flat universe within 20 degrees of the equator.
    z = 0.15 * rng.random(n) ** (1 / 3)
    modulus = 5 * np.log10(z * 299792 / 67.7) + 25
    found = catalog(rng.uniform(0, 60, n), rng.uniform(-10, 10, n), modulus, z=z)
    chance = found.hosts(rng.uniform(1, 59, 20_000), rng.uniform(-9, 9, 20_000))["chance"]
    for level in (0.003, 0.01, 0.02):
        assert np.mean(chance < level) == pytest.approx(level, rel=0.3)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10**6), place=st.sampled_from(["anywhere", "pole", "wrap"]))
def test_the_search_finds_every_galaxy_within_60_kpc(seed, place):
    rng = np.random.default_rng(seed)
    n = 200
    z = 10 ** rng.uniform(-4, -0.2, n)
    if place == "anywhere":
        ra0, dec0 = rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1)))
    else:
        ra0, dec0 = (rng.uniform(0, 360), 90.0) if place == "pole" else (0.0, rng.uniform(-60, 60))
    limit = np.clip(60 / kpc_per_arcsec(z), 10.0, 7200.0)
    away, angle = limit * rng.uniform(0.5, 1.3, n) / 3600, rng.uniform(0, 2 * np.pi, n)
    dec = np.clip(dec0 + away * np.cos(angle), -90, 90)
    ra = (ra0 + away * np.sin(angle) / max(np.cos(np.radians(dec0)), 0.02)) % 360
    found = catalog(ra, dec, 5 * np.log10(z) + 43, z=z)
    pairs = found.candidates(np.array([ra0]), np.array([dec0]))
    offset, _ = separation(ra, dec, ra0, dec0)
    names = found.table["name"].take(pairs["galaxy"].to_numpy()).to_pylist()
    assert sorted(names) == sorted(f"G{k}" for k in np.flatnonzero(offset <= limit))


def test_hosts_do_not_depend_on_the_order_or_the_other_alerts():
    rng = np.random.default_rng(5)
    found = catalog(rng.uniform(0, 3, 900), rng.uniform(0, 3, 900), rng.uniform(33, 40, 900))
    ra, dec = rng.uniform(0, 3, 300), rng.uniform(0, 3, 300)
    whole = found.hosts(ra, dec)
    order = rng.permutation(300)[:70]
    part = found.hosts(ra[order], dec[order])
    pd.testing.assert_frame_equal(part, whole.iloc[order].reset_index(drop=True), check_exact=True)


def test_hosts_do_not_depend_on_the_order_of_the_catalogue():
    rng = np.random.default_rng(6)
    ra, dec, modulus = rng.uniform(0, 3, 900), rng.uniform(0, 3, 900), rng.integers(33, 40, 900)
    order = rng.permutation(900)
    places = rng.uniform(0, 3, (2, 300))
    one, other = (catalog(ra[k], dec[k], modulus[k]).hosts(*places) for k in (slice(None), order))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


# --- features ------------------------------------------------------------------------------


def test_absolute_magnitude_and_its_error():
    night = random_night(3, n_objects=1, max_alerts=1)
    alerts = night.alerts.assign(
        ra=10.0, dec=20.0, magpsf=17.0, sigmapsf=0.3, isdiffpos=np.int8(1), fid=1.0
    )
    night = night.replace(alerts=alerts)
    plain = catalog([10.0], [20.0], [33.0], modulus_err=0.4).match(night)
    table = features.compute(plain)
    assert table["abs_mag"][0] == pytest.approx(-16.0)
    assert table["abs_mag_err"][0] == pytest.approx(0.5)
    assert plain.alerts["galaxy_name"][0] == "G0"
    dusty = catalog([10.0], [20.0], [33.0], ebv=0.1).match(night)
    assert features.compute(dusty)["abs_mag"][0] == pytest.approx(-16.3172)
    fainter = night.replace(alerts=alerts.assign(isdiffpos=np.int8(-1)))
    table = features.compute(catalog([10.0], [20.0], [33.0]).match(fainter))
    assert table[["abs_mag", "abs_mag_err"]].isna().all(axis=None)


def test_host_features_are_there_only_with_a_catalogue():
    night = random_night(3, n_objects=4)
    assert "abs_mag" not in features.compute(night)
    far = catalog([10.0], [-89.0], [33.0]).match(night)
    table = features.compute(far)
    pd.testing.assert_frame_equal(table[features.compute(night).columns], features.compute(night))
    names = [feature.name for feature in features.MATCHED[0].features]
    assert table[names].isna().all(axis=None)
    assert far.alerts["galaxy_name"].isna().all()


def test_a_night_without_positions_has_no_hosts():
    night = random_night(3, n_objects=4)
    night = night.replace(alerts=night.alerts.drop(columns=["ra", "dec"], errors="ignore"))
    matched = catalog([10.0], [20.0], [33.0]).match(night)
    assert matched.alerts[[one.name for one in GALAXY_COLUMNS]].isna().all(axis=None)


# --- cache -----------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(1)
    rows = {"ra": rng.uniform(0, 360, 3000), "dec": rng.uniform(-90, 90, 3000), "z": 0.02}
    pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def test_the_second_use_reads_the_sorted_copy(path, monkeypatch):
    first = GalaxyCatalog.load(path)
    monkeypatch.setattr(module, "read_galaxies", lambda path: pytest.fail("reads the file again"))
    begin = time.process_time()
    second = GalaxyCatalog.load(path)
    assert time.process_time() - begin < 0.3
    pd.testing.assert_frame_equal(second.table.to_pandas(), first.table.to_pandas())
    assert (second.calibration == first.calibration).all()
    pd.testing.assert_frame_equal(
        first.hosts(np.arange(360.0), np.zeros(360)), second.hosts(np.arange(360.0), np.zeros(360))
    )


def test_a_changed_catalogue_is_read_again(path):
    assert len(GalaxyCatalog.load(path)) == 3000
    path.write_text("ra,dec,z\n1,2,0.02\n")
    assert len(GalaxyCatalog.load(path)) == 1


def test_a_damaged_copy_is_replaced(path):
    GalaxyCatalog.load(path)
    (copy,) = cache_folder().glob("*.arrow")
    copy.write_bytes(copy.read_bytes()[:1000])
    assert len(GalaxyCatalog.load(path)) == 3000
    assert copy.stat().st_size > 1000


def test_without_a_writable_cache_folder_there_is_a_warning(path, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(GalaxyCatalog.load(path)) == 3000
    assert "the sorted copy cannot be stored" in caplog.text


def test_old_copies_are_deleted(path, tmp_path):
    for k in range(9):
        path.write_text(f"ra,dec,z\n{k},2,0.02\n")
        GalaxyCatalog.load(path)
    assert len(list(cache_folder().glob("*.arrow"))) == 6


def test_memory_per_galaxy(path):
    """70 bytes and the name: 10 million galaxies have 1 GB, mapped and not read as a whole."""
    catalog = GalaxyCatalog.load(path)
    assert catalog.table.nbytes / len(catalog) < 80


def test_a_catalogue_of_another_part_of_the_sky_is_reported(caplog):
    night = random_night(3, n_objects=3)
    ra, dec = (night.alerts[name].to_numpy() for name in ("ra", "dec"))
    catalog([(ra[0] + 180) % 360], [-dec[0]], 35.0).match(night)
    assert f"none of the {len(night)} alerts has a galaxy within 60 kpc" in caplog.text
    caplog.clear()
    catalog([ra[0]], [dec[0]], 35.0).match(night)
    assert "within 60 kpc" not in caplog.text
