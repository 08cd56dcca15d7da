"""Cells of the sky and blocks of time."""

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy_healpix import HEALPix

from tests.store.small import edge_of_cells
from ztfml.store.layout import MARGIN, Layout


def test_no_night_is_in_two_blocks():
    layout = Layout()
    night = 2458000.5 + np.arange(0, 400)
    # Palomar observes from about 1:30 to 14:00 UT.
    assert (layout.block_of(night + 0.06) == layout.block_of(night + 0.59)).all()
    assert len(np.unique(layout.block_of(night))) == 7


def test_an_object_at_an_edge_is_near_both_cells():
    layout = Layout()
    dec = np.random.default_rng(3).uniform(-1, 1, 20)
    ra = np.array([edge_of_cells(one, layout) for one in dec])
    row, cell = layout.cells_near(ra, dec)
    assert (np.bincount(row) >= 2).all()
    for shift in (-3e-4, 3e-4):
        found = layout.cells_of(ra + shift, dec)
        assert all(one in cell[row == k] for k, one in enumerate(found))


def test_cells_near_agree_with_a_cone_search():
    layout = Layout(order=6)
    healpix = HEALPix(2**6, "nested", frame="icrs")
    rng = np.random.default_rng(7)
    # Positions within a few arcseconds of corners and edges, and near the poles.
    corner = healpix.boundaries_skycoord(rng.integers(0, healpix.npix, 40), 1)
    ra = np.concatenate([corner.ra.deg.ravel()[:80] + rng.uniform(-1e-3, 1e-3, 80), [10, 200]])
    dec = np.concatenate([corner.dec.deg.ravel()[:80], [89.9999, -89.9999]])
    row, cell = layout.cells_near(ra % 360, dec)
    for k in range(len(ra)):
        place = SkyCoord(ra[k], dec[k], unit="deg")
        angles, distances = rng.uniform(0, 360, 30), rng.uniform(0, 0.9 * MARGIN, 30)
        around = place.directional_offset_by(angles * u.deg, distances * u.arcsec)
        expected = np.unique(healpix.skycoord_to_healpix(around))
        assert set(expected) <= set(cell[row == k])
