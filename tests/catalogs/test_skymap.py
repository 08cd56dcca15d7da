"""Sky maps of localised events: formats, orderings, credible levels, distances and dates."""

import gzip
import shutil

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy_healpix import HEALPix
from astropy_healpix.core import nested_to_ring

from tests.nights import random_night
from ztfml import features
from ztfml.catalogs.skymap import SkyMap
from ztfml.errors import DataError

NSIDE = 16
CENTRE = SkyCoord(210.0, 30.0, unit="deg")
META = {"DATE-OBS": "2023-05-18T12:59:08.167", "OBJECT": "S230518h", "COORDSYS": "C"}
RNG = np.random.default_rng(1)
RA, DEC = RNG.uniform(0, 360, 300), np.degrees(np.arcsin(RNG.uniform(-1, 1, 300)))


def blob(nside=NSIDE, frame="icrs"):
    """Probabilities of the nested cells: a Gaussian of 12 degrees."""
    cells = HEALPix(nside, order="nested", frame=frame)
    centres = cells.healpix_to_skycoord(np.arange(cells.npix))
    density = np.exp(-0.5 * (centres.separation(CENTRE).deg / 12) ** 2)
    return density / density.sum()


def multi_order(p, nside=NSIDE, **columns):
    order = int(np.log2(nside))
    uniq = np.arange(len(p)) + 4 * 4**order
    table = Table({"UNIQ": uniq, "PROBDENSITY": p * len(p) / (4 * np.pi)} | columns)
    table["PROBDENSITY"].unit = u.sr**-1
    table.meta.update(META | {"ORDERING": "NUNIQ", "MOCORDER": order})
    return table


def flat(p, ordering="NESTED", name="PROB", **meta):
    if ordering == "RING":
        ring = np.empty(len(p))
        ring[nested_to_ring(np.arange(len(p)), NSIDE)] = p
        p = ring
    table = Table({name: p})
    table.meta.update(META | {"ORDERING": ordering, "NSIDE": NSIDE, "INDXSCHM": "IMPLICIT"} | meta)
    return table


@pytest.fixture
def load(tmp_path):
    def load_table(table, name="map.fits"):
        table.write(tmp_path / "plain.fits", overwrite=True)
        if name.endswith(".gz"):
            with (
                open(tmp_path / "plain.fits", "rb") as plain,
                gzip.open(tmp_path / name, "wb") as out,
            ):
                shutil.copyfileobj(plain, out)
        else:
            shutil.copy(tmp_path / "plain.fits", tmp_path / name)
        return SkyMap.load(tmp_path / name)

    return load_table


def expected_levels():
    p = blob()
    order = np.argsort(-p)
    level = np.empty(len(p))
    level[order] = np.cumsum(p[order])
    cells = HEALPix(NSIDE, order="nested", frame="icrs")
    return level[cells.skycoord_to_healpix(SkyCoord(RA, DEC, unit="deg"))]


@pytest.mark.parametrize("name", ["map.fits", "map.fits.gz"])
@pytest.mark.parametrize(
    "table",
    [
        multi_order(blob()), flat(blob()), flat(blob(), "RING"), flat(blob(), name="PROBABILITY"),
        flat(blob(), "NESTED", "T"), flat(blob().astype(">f4")), flat(blob().reshape(-1, 1024)),
        flat(blob() * 3), flat(blob(frame="galactic"), COORDSYS="G"),
    ],
    ids=["uniq", "nested", "ring", "probability", "t", "f4", "rows", "sum of 3", "galactic"],
)  # fmt: skip
def test_levels_agree_in_all_formats(load, table, name, request):
    sky_map = load(table, name)
    # The cells of a galactic map are other ones, and 4 degrees large.
    tolerance = {"galactic": 0.2, "f4": 1e-2}.get(request.node.callspec.id.split("-")[0], 2e-6)
    assert sky_map.level(RA, DEC) == pytest.approx(expected_levels(), abs=tolerance)
    assert sky_map.name == "S230518h"
    assert sky_map.jd == pytest.approx(2460083.041066, abs=1e-6)


def test_cells_of_several_orders():
    """One cell of order 0 and the four cells of order 1 in another."""
    order, number = np.array([0, 1, 1, 1, 1]), np.array([4, 20, 21, 22, 23])
    sky_map = SkyMap("x", np.nan, order, number, np.array([1.0, 4.0, 0.0, 0.0, 0.0]))
    # The small cell has half of the probability and the highest density.
    cells = HEALPix(2, order="nested", frame="icrs").healpix_to_skycoord(np.array([20, 21, 16]))
    assert sky_map.level(cells.ra.deg, cells.dec.deg) == pytest.approx([0.5, 1.0, 1.0])


def test_a_uniform_map_has_level_1_everywhere(load):
    p = np.full(12 * NSIDE**2, 1 / (12 * NSIDE**2))
    assert (load(multi_order(p)).level(RA, DEC) == 1).all()


def test_outside_of_a_partial_map_the_level_is_1(load):
    p = blob()
    keep = np.flatnonzero(p > 1e-4)
    table = flat(p[keep], INDXSCHM="EXPLICIT")
    table["PIXEL"] = keep
    level = load(table).level(RA, DEC)
    assert level[0] == pytest.approx(expected_levels()[0], abs=0.01) or level[0] == 1
    assert (level == 1).mean() > 0.3


def test_poles_wrap_and_missing_positions(load):
    sky_map = load(multi_order(blob()))
    level = sky_map.level(np.array([0.0, 360.0, 123.0, np.nan]), np.array([90, 90, -90, 10.0]))
    assert level[0] == level[1]
    assert np.isnan(level).tolist() == [False, False, False, True]


def test_distances(load):
    n = 12 * NSIDE**2
    mu, sigma = np.full(n, 100.0), np.full(n, 10.0)
    mu[: n // 2] = np.inf
    modulus, error = load(multi_order(blob(), DISTMU=mu, DISTSIGMA=sigma)).modulus(RA, DEC)
    # The mean of r^2 N(r | 100, 10) is 101.98 Mpc, and its standard deviation 9.90.
    known = np.isfinite(modulus)
    assert 0.3 < known.mean() < 0.7
    assert modulus[known] == pytest.approx(5 * np.log10(101.98) + 25, abs=1e-4)
    assert error[known] == pytest.approx(5 / np.log(10) * 9.90 / 101.98, abs=1e-3)


def test_the_mean_distance_of_the_header_and_none(load):
    table = flat(blob())
    assert np.isnan(load(table).modulus(RA, DEC)[0]).all()
    table.meta |= {"DISTMEAN": 40.0, "DISTSTD": 4.0}
    assert load(table).modulus(RA, DEC)[0] == pytest.approx(33.0103, abs=1e-4)


def test_a_map_without_date_has_a_warning(load, caplog):
    table = flat(blob())
    del table.meta["DATE-OBS"]
    assert np.isnan(load(table).jd)
    assert "has no date of the event" in caplog.text
    table.meta["MJD-OBS"] = 60082.5
    assert load(table).jd == 2460083.0


def test_features_of_a_matched_night(load):
    night = random_night(3, n_objects=3)
    sky_map = load(multi_order(blob()))
    table = features.compute(sky_map.match(night))
    alerts = night.alerts
    assert table["skymap_level"].to_numpy() == pytest.approx(
        sky_map.level(alerts["ra"].to_numpy(), alerts["dec"].to_numpy())
    )
    days = alerts["jd"] - 2460083.041066
    assert table["days_since_event"].to_numpy() == pytest.approx(days.to_numpy(), abs=1e-5)
    assert "skymap_level" not in features.compute(night)


@pytest.mark.parametrize(
    ("days", "message"),
    [(2.0, ""), (99.0, ""), (400.0, "was 400 days before"), (-5.0, "all alerts of the night are")],
)
def test_an_event_of_another_time_is_reported(days, message, caplog):
    night = random_night(3, n_objects=3)
    alerts = night.alerts.assign(jd=2460083.0 + days)
    event = SkyMap("S230518h", 2460083.0, np.array([0]), np.array([4]), np.array([1.0]))
    event.match(night.replace(alerts=alerts))
    assert message in caplog.text
    assert bool(message) == ("S230518h" in caplog.text)


@pytest.mark.parametrize(
    ("table", "part"),
    [
        (Table({"UNIQ": [1, 2], "PROBDENSITY": [1.0, 1.0]}), "contains numbers below 4"),
        (Table({"UNIQ": [4, 16], "PROBDENSITY": [1.0, 1.0]}), "overlap"),
        (Table({"UNIQ": [4, 5]}), "no column with a probability"),
        (Table({"ra": [4.0], "dec": [5.0]}), "no column with a probability"),
        (flat(blob()[:-1]), "is not a HEALPix map"),
        (flat(0 * blob()), "all probabilities of the sky map are 0"),
        (flat(np.full(12 * NSIDE**2, np.nan)), "all probabilities of the sky map are 0"),
        (flat(blob(), ordering="CUBE"), "not NESTED, RING or NUNIQ"),
    ],
)
def test_wrong_maps_are_refused_in_one_sentence(load, table, part):
    with pytest.raises(DataError, match=part) as error:
        load(table)
    assert "map.fits: " in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no FITS", b"SIMPLE  =                    T"])
def test_other_files_are_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "map.fits"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"map\.fits"):
        SkyMap.load(path)
    with pytest.raises(DataError, match="there is no such file"):
        SkyMap.load(tmp_path / "absent.fits")
    multi_order(blob()).write(path, overwrite=True)
    path.write_bytes(path.read_bytes()[:-30_000])
    with pytest.raises(DataError, match=r"map\.fits"):
        SkyMap.load(path)
