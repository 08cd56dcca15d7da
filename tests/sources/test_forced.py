"""Forced photometry: its status codes, and fluxes that could not be measured."""

import numpy as np
import pytest

from ztfml.sources.forced import forced_magnitude, is_good_status


@pytest.mark.parametrize("status", ["0", 0, 0.0, "0.0", b"0", " 0 ", "[0]", "0,0", np.int32(0)])
def test_zero_in_any_spelling_is_good(status):
    assert is_good_status(status)


@pytest.mark.parametrize(
    "status", ["56", 56, 56.0, b"56", "56,57", "0,56", "255", "", None, "nan", np.nan, "ok", False]
)
def test_other_codes_are_not_good(status):
    assert not is_good_status(status)


BAD = [None, np.nan, np.inf, -99999.0]


@pytest.mark.parametrize(
    "row",
    [
        *((bad, 10.0, 26.0) for bad in BAD),
        *((100.0, bad, 26.0) for bad in [*BAD, 0.0, -1.0]),
        *((100.0, 10.0, bad) for bad in [*BAD, 0.0, -999.0, 99.0]),
    ],
)
def test_a_flux_that_was_not_measured_gives_nothing(row):
    assert forced_magnitude(*row) == {}
