"""Files of sky maps in the notations of missions and programs, with the levels of all of them."""

import gzip

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy_healpix import HEALPix

from ztfml.catalogs.skymap import SkyMap
from ztfml.errors import DataError

NSIDE = 16
N = 12 * NSIDE**2
CENTRE = SkyCoord(197.45, -23.38, unit="deg")
HEADER = {
    "ORDERING": "RING", "NSIDE": NSIDE, "INDXSCHM": "IMPLICIT", "COORDSYS": "C",
    "DATE-OBS": "2023-05-18T12:59:08",
}  # fmt: skip


def centres(frame="icrs", order="ring"):
    return HEALPix(NSIDE, order=order, frame=frame).healpix_to_skycoord(np.arange(N)).icrs


def blob(places):
    """A Gaussian of 12 degrees."""
    density = np.exp(-0.5 * (places.separation(CENTRE).deg / 12) ** 2)
    return density / density.sum()


P = blob(centres())


def level(p):
    """Sum of the probabilities of all cells that are at least as probable."""
    order = np.argsort(-p, kind="stable")
    found = np.empty(len(p))
    found[order] = np.cumsum(p[order])
    return found


@pytest.fixture
def load(tmp_path):
    def write(columns, tables=(), **header):
        arrays = [
            fits.Column(name, "K" if np.asarray(v).dtype.kind == "i" else "D", array=v, unit=unit)
            for (name, unit), v in (
                ((key if isinstance(key, tuple) else (key, None)), v) for key, v in columns.items()
            )
        ]
        table = fits.BinTableHDU.from_columns(arrays)
        table.header.update({k: v for k, v in (HEADER | header).items() if v is not None})
        fits.HDUList([fits.PrimaryHDU(), *tables, table]).writeto(
            tmp_path / "map.fits", overwrite=True
        )
        return SkyMap.load(tmp_path / "map.fits")

    return write


def agrees(sky_map, p=P, places=None):
    places = centres() if places is None else places
    found = sky_map.level(places.ra.deg, places.dec.deg)
    return found == pytest.approx(level(p), abs=1e-4)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("C", "icrs"), ("equatorial", "icrs"), ("ICRS", "icrs"), (None, "icrs"),
        ("G", "galactic"), ("Galactic", "galactic"),
        ("E", "barycentricmeanecliptic"), ("ECLIPTIC", "barycentricmeanecliptic"),
    ],
)  # fmt: skip
def test_coordinates(load, text, frame):
    places = centres(frame)
    p = blob(places)
    assert agrees(load({"PROB": p}, COORDSYS=text), p, places)


def test_other_coordinates_are_refused(load):
    with pytest.raises(DataError, match=r"the COORDSYS in its header is SUPERGALACTIC, not C"):
        load({"PROB": P}, COORDSYS="SUPERGALACTIC")


@pytest.mark.parametrize(
    "name", ["PROB", "Probability", "PROBDENSITY", "PROB_SR", "TEMPERATURE", "I_STOKES", "T"]
)
def test_names_of_flat_maps(load, name):
    assert agrees(load({name: P}))


@pytest.mark.parametrize(
    ("columns", "density"),
    [
        ({("PROBDENSITY", "sr-1"): P}, True), ({("CONTENTS", None): P}, False),
        ({("CONTENTS", "1 / sr"): P}, True), ({("PROB", "pix-1"): P}, False),
        ({("PROB", "deg-2"): P}, True),
    ],
    ids=lambda value: " ".join(map(str, *value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_probabilities_and_densities_of_multi_order_maps(load, columns, density):
    """Half of the sky has cells of the next smaller order."""
    order = int(np.log2(NSIDE))
    p = blob(centres(order="nested"))
    low, high = np.arange(N // 2), np.arange(N // 2 * 4, N * 4)
    unique = np.concatenate([low + 4 * 4**order, high + 4 * 4 ** (order + 1)])
    parts = np.concatenate([p[: N // 2], np.repeat(p[N // 2 :], 4) / (1 if density else 4)])
    ((key, _),) = columns.items()
    sky_map = load({"UNIQ": unique, key: parts}, ORDERING="NUNIQ", INDXSCHM="EXPLICIT")
    assert agrees(sky_map, p, centres(order="nested"))


@pytest.mark.parametrize("name", ["PIXEL", "PIX", "IPIX", "HPXPIXEL", "NUMBER_OF_CELL"])
@pytest.mark.parametrize("least", [0.0, 1e-4], ids=["complete", "partial"])
def test_numbers_of_cells_in_any_order(load, name, least):
    cells = np.flatnonzero(least <= P)[::-1]
    sky_map = load({name: cells, "PROB": P[cells]}, INDXSCHM="EXPLICIT")
    kept = np.where(least <= P, P, 0.0)
    found = sky_map.level(centres().ra.deg, centres().dec.deg)
    assert found == pytest.approx(np.where(kept > 0, level(kept / kept.sum()), 1.0), abs=1e-4)


def test_explicit_maps_without_numbers_of_cells_are_refused(load):
    with pytest.raises(DataError, match="its first column has no numbers of cells"):
        load({"PROB": P}, INDXSCHM="EXPLICIT")


@pytest.mark.parametrize("empty", [-1.6375e30, np.nan, -1e-12])
def test_cells_without_data_have_level_1(load, empty):
    assert agrees(load({"PROB": np.where(P < 1e-9, empty, P)}), np.where(P < 1e-9, 0.0, P))


def test_logarithms_are_refused_and_likelihoods_are_reported(load, caplog):
    with pytest.raises(DataError, match="the column PROB has 3,072 values below 0, such as"):
        load({"PROB": np.log(P)})
    assert not caplog.text
    assert agrees(load({"T": P * 100}))
    assert "the column T has a sum of 100 instead of 1" in caplog.text


def test_a_map_behind_another_table(load):
    events = fits.BinTableHDU.from_columns([fits.Column("TIME", "D", array=[1.0, 2.0])])
    assert agrees(load({"PROB": P}, tables=[events]))


def test_a_compressed_map_without_suffix(load, tmp_path):
    load({"PROB": P})
    path = tmp_path / "map.fits"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert agrees(SkyMap.load(path))


@pytest.mark.parametrize(
    "header",
    [
        {"DATE-OBS": "2023-05-18T12:59:08Z"}, {"DATE_OBS": "2023-05-18 12:59:08"},
        {"MJD-OBS": "60082.5410648"}, {"EVENTMJD": 60082.5410648},
        # Fermi: seconds since 2001-01-01 UTC; five leap seconds until 2023.
        {"TRIGTIME": 706107553.0, "MJDREFI": 51910, "MJDREFF": 7.428703703703703e-4},
    ],
    ids=lambda header: next(iter(header)),
)  # fmt: skip
def test_dates(load, header):
    sky_map = load({"PROB": P}, **({"DATE-OBS": None} | header))
    assert sky_map.jd == pytest.approx(2460083.0410648, abs=2e-7)


def test_a_date_without_time_is_reported(load, caplog):
    assert load({"PROB": P}, **{"DATE-OBS": "2023-05-18"}).jd == 2460082.5
    assert "(2023-05-18) has no time, so ages can be wrong by a day" in caplog.text
