"""The quantities of the ranking, calculated by hand."""

import numpy as np
import pytest

from tests.ranking.rows import quantity


def test_min_fade_rate_is_the_largest_rate_minus_its_error():
    one = {"fade_rate_g": 0.5, "fade_rate_err_g": 0.1}
    assert quantity("min_fade_rate", **one) == pytest.approx(0.4)
    # A pair minutes apart has a large error and does not change the result.
    pair = {"fade_rate_r": 3.0, "fade_rate_err_r": 9.0}
    assert quantity("min_fade_rate", **pair) == pytest.approx(-6.0)
    assert quantity("min_fade_rate", **one, **pair) == pytest.approx(0.4)
    common = {"fade_rate": 0.55, "fade_rate_err": 0.05}
    assert quantity("min_fade_rate", **one, **common) == pytest.approx(0.5)
    tonight = {"recent_slope_i": 0.9, "recent_slope_err_i": 0.2}
    assert quantity("min_fade_rate", **one, **tonight) == pytest.approx(0.7)
    assert quantity("min_fade_rate", **one, fade_bound_r=0.8) == 0.8
    assert np.isnan(quantity("min_fade_rate"))


def test_rise_rates():
    known = {"rise_rate_g": 0.5, "rise_rate_err_g": 0.1, "rise_rate": 0.6, "rise_rate_err": 0.05}
    assert quantity("min_rise_rate", **known) == pytest.approx(0.55)
    assert quantity("first_rise_rate", rise_bound_g=0.2, rise_bound_r=0.7) == 0.7
    assert np.isnan(quantity("first_rise_rate"))


def test_fade_significance_is_relative_to_a_plateau():
    known = {"fade_rate_g": 0.35, "fade_rate_err_g": 0.1, "fade_rate": 0.1, "fade_rate_err": 0.1}
    assert quantity("fade_significance", **known) == pytest.approx(3.0)
    plateau = {"fade_rate_r": 0.02, "fade_rate_err_r": 0.001}
    assert quantity("fade_significance", **plateau) < 0


def test_time_to_peak_starts_at_the_last_non_detection():
    known = {"age": 6.0, "days_since_peak": 4.0}
    assert quantity("time_to_peak", **known, limit_gap=1.0) == 3.0
    # Gaps count at most 30 d; without a non-detection 10 d are assumed.
    assert quantity("time_to_peak", **known, limit_gap=180.0) == 32.0
    assert quantity("time_to_peak", **known) == 12.0


def test_a_measured_half_time_is_used_as_it_is():
    assert quantity("shortest_half_time", half_time_g=7.0, half_time_r=9.0) == 7.0
    assert np.isnan(quantity("shortest_half_time"))


def test_half_time_is_estimated_from_rise_and_fade():
    half = 2.5 * np.log10(2)
    # It rose by more than half its flux at 0.5 mag/day, and fades by 0.3 +- 0.1.
    seen = {"first_mag_g": 19.0, "peak_mag_g": 18.0, "rise_rate_g": 0.5, "above_half_g": 2.0}
    fades = {"fade_rate_g": 0.3, "fade_rate_err_g": 0.1}
    assert quantity("shortest_half_time", **seen, **fades) == pytest.approx(half / 0.5 + half / 0.2)
    # The time already seen above half is a lower limit.
    longer = seen | fades | {"above_half_g": 9.0}
    assert quantity("shortest_half_time", **longer) == 9.0
    # First detected at peak; a non-detection requires a rise of at least 1 mag/day.
    peak = {"first_mag_g": 18.0, "peak_mag_g": 18.0, "rise_bound_g": 1.0}
    assert quantity("shortest_half_time", **peak, **fades) == pytest.approx(half + half / 0.2)
    # Without a fade the half-time is long.
    assert quantity("shortest_half_time", **peak) > 70


def test_chance_alignment_follows_galaxy_counts():
    # Bloom et al. 2002, eq. 1: 10^(0.33 (m - 24) - 2.44) / (0.33 ln 10) a square arcsecond.
    density = 10 ** (0.33 * (20 - 24) - 2.44) / (0.33 * np.log(10))
    chance = quantity("chance_alignment", host_offset=2.0, host_mag=20.0)
    assert chance == pytest.approx(1 - np.exp(-np.pi * 4 * density))
    assert quantity("chance_alignment", host_offset=25.0, host_mag=22.0) > 0.8
    assert quantity("chance_alignment") == 1


def test_underlying_star_from_ps1_scores():
    assert quantity("underlying_star", sgscore1=0.8, distpsnr1=0.5) == pytest.approx(0.8)
    assert quantity("underlying_star", sgscore1=0.1, distpsnr1=0.5, star_offset=1.2) == 1
    assert quantity("underlying_star", sgscore1=0.9, distpsnr1=1.6, star_offset=1.6) == 0
    assert quantity("underlying_star", distpsnr1=0.3) == 0.5
    assert quantity("underlying_star") == 0


def test_total_age_ignores_a_single_old_detection():
    assert quantity("total_age", age=3.0, age_hist=400.0, confirmed_age=5.0) == 5.0


def test_half_time_between_bounds():
    bounds = {"peak_mag_g": 18.0, "above_half_g": 2.0, "half_time_max_g": 8.0}
    assert quantity("shortest_half_time", **bounds) == 5.0
