"""Constants, black body, cosmology and the night of a Julian date."""

import subprocess
import sys

import numpy as np
import pytest
from astropy.cosmology import Planck18
from numba import njit
from numpy.testing import assert_allclose

from ztfml import astrophysics
from ztfml.astrophysics import (
    blackbody_magnitude,
    comoving_volume,
    distance_modulus,
    kpc_per_arcsec,
    night_of,
    redshift_of,
    redshift_of_volume,
)
from ztfml.compiled import sources_of
from ztfml.lightcurves.night_means import night_means_of

REDSHIFTS = np.array([3e-4, 0.0123, 0.1, 0.77, 3.3])


def test_the_sun_has_its_magnitude():
    # Willmer 2018, ApJS 236, 47: PS1 g 5.14, r 4.53 (AB); a black body agrees to 0.2 mag.
    radius = astrophysics.SUN_RADIUS
    assert blackbody_magnitude(radius, 5772.0, 4866e-8) == pytest.approx(5.14, abs=0.25)
    assert blackbody_magnitude(radius, 5772.0, 6215e-8) == pytest.approx(4.65, abs=0.15)


def test_constants_are_in_cgs():
    assert pytest.approx(2.99792458e10) == astrophysics.SPEED_OF_LIGHT
    assert pytest.approx(5.6704e-5, rel=1e-4) == astrophysics.STEFAN_BOLTZMANN
    assert pytest.approx(1.988e33, rel=1e-3) == astrophysics.SUN_MASS
    with pytest.raises(AttributeError, match="no attribute 'SPEED_OF_SOUND'"):
        astrophysics.SPEED_OF_SOUND  # noqa: B018


def test_astropy_is_loaded_on_first_use():
    code = "import sys, ztfml.astrophysics; sys.exit('astropy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_distances_agree_with_astropy():
    assert_allclose(distance_modulus(REDSHIFTS), Planck18.distmod(REDSHIFTS).value, atol=1e-4)
    assert_allclose(
        kpc_per_arcsec(REDSHIFTS), Planck18.kpc_proper_per_arcmin(REDSHIFTS).value / 60, rtol=1e-4
    )
    volume = Planck18.comoving_volume(REDSHIFTS).value / 1e9
    assert_allclose(comoving_volume(REDSHIFTS), volume, rtol=1e-3)


def test_inverse_functions():
    assert_allclose(redshift_of(distance_modulus(REDSHIFTS)), REDSHIFTS, rtol=1e-9)
    assert_allclose(redshift_of_volume(comoving_volume(REDSHIFTS)), REDSHIFTS, rtol=1e-9)


@pytest.mark.parametrize(
    ("jd", "night"), [(2460474.5, 2460474.5), (2460474.99, 2460474.5), (2460475.49, 2460474.5)]
)
def test_a_night_lasts_from_midnight_to_midnight_ut(jd, night):
    assert night_of(jd) == night
    assert njit(lambda value: night_of(value))(jd) == night


def test_the_cache_of_compiled_functions_depends_on_this_file():
    files, _ = sources_of(night_means_of)
    assert astrophysics.__file__ in files
