"""The quantities behind the terms, by hand."""

import numpy as np
import pytest

from tests.ranking.rows import quantity


def test_the_least_fade_is_a_rate_less_its_error():
    one = {"fade_rate_g": 0.5, "fade_rate_err_g": 0.1}
    assert quantity("least_fade", **one) == pytest.approx(0.4)
    # A pair minutes apart has a huge error, and takes nothing away.
    pair = {"fade_rate_r": 3.0, "fade_rate_err_r": 9.0}
    assert quantity("least_fade", **pair) == pytest.approx(-6.0)
    assert quantity("least_fade", **one, **pair) == pytest.approx(0.4)
    common = {"fade_rate": 0.55, "fade_rate_err": 0.05}
    assert quantity("least_fade", **one, **common) == pytest.approx(0.5)
    tonight = {"recent_slope_i": 0.9, "recent_slope_err_i": 0.2}
    assert quantity("least_fade", **one, **tonight) == pytest.approx(0.7)
    assert quantity("least_fade", **one, fade_bound_r=0.8) == 0.8
    assert np.isnan(quantity("least_fade"))


def test_the_least_rise_and_the_first_rise():
    known = {"rise_rate_g": 0.5, "rise_rate_err_g": 0.1, "rise_rate": 0.6, "rise_rate_err": 0.05}
    assert quantity("least_rise", **known) == pytest.approx(0.55)
    assert quantity("first_rise", rise_bound_g=0.2, rise_bound_r=0.7) == 0.7
    assert np.isnan(quantity("first_rise"))


def test_fade_beyond_a_plateau_in_units_of_its_error():
    known = {"fade_rate_g": 0.35, "fade_rate_err_g": 0.1, "fade_rate": 0.1, "fade_rate_err": 0.1}
    assert quantity("fade_sigmas", **known) == pytest.approx(3.0)
    plateau = {"fade_rate_r": 0.02, "fade_rate_err_r": 0.001}
    assert quantity("fade_sigmas", **plateau) < 0


def test_the_peak_came_within_days_of_the_last_non_detection():
    known = {"age": 6.0, "days_since_peak": 4.0}
    assert quantity("time_to_peak", **known, limit_gap=1.0) == 3.0
    # A limit half a year before says no more than one a month before; none says little.
    assert quantity("time_to_peak", **known, limit_gap=180.0) == 32.0
    assert quantity("time_to_peak", **known) == 12.0


def test_half_time_is_measured_where_it_can_be():
    assert quantity("half_time", half_time_g=7.0, half_time_r=9.0) == 7.0
    assert np.isnan(quantity("half_time"))


def test_half_time_is_foreseen_from_rise_and_fade():
    half = 2.5 * np.log10(2)
    # It rose by more than half its flux at 0.5 mag/day, and fades by 0.3 +- 0.1.
    seen = {"first_mag_g": 19.0, "peak_mag_g": 18.0, "rise_rate_g": 0.5, "above_half_g": 2.0}
    fades = {"fade_rate_g": 0.3, "fade_rate_err_g": 0.1}
    assert quantity("half_time", **seen, **fades) == pytest.approx(half / 0.5 + half / 0.2)
    # What was above half for longer than that is believed.
    longer = seen | fades | {"above_half_g": 9.0}
    assert quantity("half_time", **longer) == 9.0
    # It was first seen at its peak; a limit says that it rose by 1 mag/day or more before.
    peak = {"first_mag_g": 18.0, "peak_mag_g": 18.0, "rise_bound_g": 1.0}
    assert quantity("half_time", **peak, **fades) == pytest.approx(half + half / 0.2)
    # Without any fade the end is far.
    assert quantity("half_time", **peak) > 70


def test_a_galaxy_near_by_is_not_there_by_chance():
    # Bloom et al. 2002, eq. 1: 10^(0.33 (m - 24) - 2.44) / (0.33 ln 10) a square arcsecond.
    density = 10 ** (0.33 * (20 - 24) - 2.44) / (0.33 * np.log(10))
    chance = quantity("host_chance", host_offset=2.0, host_mag=20.0)
    assert chance == pytest.approx(1 - np.exp(-np.pi * 4 * density))
    assert quantity("host_chance", host_offset=25.0, host_mag=22.0) > 0.8
    assert quantity("host_chance") == 1


def test_a_star_below():
    assert quantity("star_below", sgscore1=0.8, distpsnr1=0.5) == pytest.approx(0.8)
    assert quantity("star_below", sgscore1=0.1, distpsnr1=0.5, star_offset=1.2) == 1
    assert quantity("star_below", sgscore1=0.9, distpsnr1=1.6, star_offset=1.6) == 0
    assert quantity("star_below", distpsnr1=0.3) == 0.5
    assert quantity("star_below") == 0


def test_known_for_is_the_longer_of_both_ages():
    assert quantity("known_for", age=3.0, age_hist=400.0) == 400.0
    assert quantity("known_for", age=3.0) == 3.0
