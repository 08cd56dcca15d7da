"""Difference fluxes as magnitudes, and the zero point of a file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ztfml.sources.flux import find_zero_point, magnitudes_of_fluxes


@pytest.mark.parametrize("zero_point", [31.4, 23.9, 46.4])
def test_magnitude_error_sign_and_limit(zero_point):
    flux = 10 ** (0.4 * (zero_point - 18.0))
    found = magnitudes_of_fluxes([flux, -flux], [flux / 20] * 2, zero_point)
    assert found.magpsf == pytest.approx([18.0, 18.0])
    assert found.sigmapsf == pytest.approx([1.0857 / 20] * 2, rel=1e-4)
    assert found.sign.tolist() == [1, -1]
    assert found.diffmaglim == pytest.approx([18.0 + 2.5 * np.log10(4)] * 2)


@pytest.mark.parametrize(
    ("flux", "error", "has_magnitude", "has_limit"),
    [
        (np.nan, 100.0, False, True),
        (0.0, 100.0, False, True),
        (np.inf, 100.0, False, True),
        (299.0, 100.0, False, True),
        (300.0, 100.0, True, True),
        (1e5, 0.0, False, False),
        (1e5, -5.0, False, False),
        (1e5, np.nan, False, False),
    ],
)
def test_fluxes_without_a_magnitude_or_limit(flux, error, has_magnitude, has_limit):
    found = magnitudes_of_fluxes([flux], [error], min_snr=3)
    assert np.isfinite(found.magpsf[0]) == has_magnitude
    assert np.isfinite(found.diffmaglim[0]) == has_limit
    assert (found.sign[0] != 0) == has_magnitude


@pytest.mark.filterwarnings("error")
def test_a_tiny_error_has_no_warning():
    found = magnitudes_of_fluxes([1e300, 1e5], [1e-300, 1e-320], min_snr=3)
    assert (found.sign == 1).all()
    assert (found.sigmapsf == 0).all()


def test_a_flux_without_an_error_has_a_magnitude_without_an_error():
    found = magnitudes_of_fluxes([1e5], [np.nan])
    assert found.magpsf[0] == pytest.approx(18.9)
    assert np.isnan(found.sigmapsf[0])


@given(
    st.floats(9, 24),
    st.floats(14, 22),
    st.sampled_from([31.4, 23.9, 46.4]),
    st.sampled_from([1, -1]),
)
def test_the_zero_point_is_found_from_a_magnitude_or_from_the_errors(mag, limit, zero, sign):
    flux = sign * 10 ** (0.4 * (zero - mag))
    assert find_zero_point([np.nan, flux], [18.0, mag]) == zero
    error = 10 ** (0.4 * (zero - limit)) / 5
    if 15.75 <= limit < 23:
        assert find_zero_point([], [], [np.nan, error]) == zero


def test_fluxes_that_contradict_the_magnitudes_have_no_zero_point():
    assert find_zero_point([1e5, 1e5, 1e5], [15.0, 15.1, 14.9], [5e3]) is None
    assert find_zero_point([], [], [np.nan, 0.0]) is None
