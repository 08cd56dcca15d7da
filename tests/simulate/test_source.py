"""Conversion of flux and magnitude, and the catalogued magnitudes of variable sources."""

import numpy as np
import pytest

from ztfml.simulate.neighbourhood import draw_neighbours
from ztfml.simulate.source import flux_of, mag_of, variable_source

N = 400


def source_of(change, mag=18.0):
    return variable_source(
        np.random.default_rng(1), np.zeros(N), np.zeros(N), np.full((N, 4), mag), change
    )


def test_flux_and_magnitude():
    assert float(mag_of(100.0)) == 20.0
    assert float(flux_of(20.0)) == 100.0


def test_ps1_gaia_and_the_reference_image_show_a_source_at_their_epochs():
    """A source that faded by 1 mag before Gaia, and by 1 mag more before ZTF."""
    found = source_of(lambda row, jd, fid: 1.0 * (jd > 2456850) + 1.0 * (jd > 2458000))
    assert found.counterpart.mag == pytest.approx(np.full((N, 4), 18.0))
    assert found.counterpart.since_ps1 == pytest.approx(np.ones(N))
    assert mag_of(found.reference_flux) == pytest.approx(np.full((N, 3), 20.0))
    fields = draw_neighbours(np.random.default_rng(2), found.counterpart, np.full(N, 60.0))
    near = (fields["neargaia"] < 1.5) & (fields["distpsnr1"] < 1.5)
    # G is 0.12 mag brighter than r at g - r = 0.
    change = np.median((fields["maggaia"] - fields["srmag1"])[near])
    assert near.mean() > 0.8
    assert change == pytest.approx(1.0 - 0.12, abs=0.02)


def test_ps1_magnitudes_are_medians():
    """A source that is bright in a tenth of the time is faint in PS1."""
    found = source_of(lambda row, jd, fid: -1.0 * (np.modf(jd * 1.37)[0] < 0.1))
    assert np.mean(np.isclose(found.counterpart.mag, 18.0)) > 0.97


def test_the_frames_of_a_reference_image_are_from_a_few_nights():
    """A source that is bright every third night: the four nights differ between sources."""
    found = source_of(lambda row, jd, fid: -1.0 * (np.floor(jd) % 3 == 0))
    levels = np.unique(found.reference_flux.round(6))
    assert 5 <= len(levels) < 40
