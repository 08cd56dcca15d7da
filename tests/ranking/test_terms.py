"""The terms of the ranking, calculated by hand and as properties."""

import numpy as np
import pytest

from tests.nights import random_night
from tests.ranking.rows import INSTRUMENT, probabilities_of, term
from ztfml.features import compute
from ztfml.ranking import TERMS, FastTransientScorer


def test_transient_follows_the_odds():
    assert term("transient", p_transient=0.5) == pytest.approx(0.5)
    assert term("transient", p_transient=1 / (1 + np.exp(-1.5))) == pytest.approx(0.75)
    assert term("transient", p_transient=0.99) == 1
    assert term("transient", p_transient=0.0) == 0
    assert term("transient", p_transient=1.0) == 1


def test_fading_subtracts_one_error():
    assert term("fading", fade_rate_r=0.35, fade_rate_err_r=0.05) == pytest.approx(1.0)
    assert term("fading", fade_rate_r=0.20, fade_rate_err_r=0.05) == pytest.approx(0.5)
    assert term("fading", fade_rate_r=3.0, fade_rate_err_r=9.0) == 0
    assert term("fading", fade_bound_g=0.4) == 1
    assert term("fading") == 0


def test_rising_declines_within_weeks():
    now = term("rising", rise_bound_g=2.0, age=0.0)
    assert now == pytest.approx(1.0)
    assert term("rising", rise_bound_g=2.0, age=7.0) == pytest.approx(0.5)
    assert term("rising", rise_bound_g=2.0, age=28.0) < 0.06
    measured = {"rise_rate_r": 2.1, "rise_rate_err_r": 0.1}
    assert term("rising", **measured, age=30.0, days_since_peak=0.0) == pytest.approx(1.0)
    assert term("rising", **measured, age=30.0, days_since_peak=28.0) < 0.06
    # A pair minutes apart has no effect.
    assert term("rising", rise_rate_r=5.0, rise_rate_err_r=9.0, days_since_peak=0.0) == 0
    assert term("rising") == 0


def test_past_peak_and_half_time():
    young = {"age": 5.0, "days_since_peak": 3.0, "limit_gap": 1.0}
    fades = {"fade_rate_g": 0.225, "fade_rate_err_g": 0.1}  # 1.75 errors above 0.05 mag/day
    # Three days to its peak.
    assert term("past_peak", **fades, **young) == pytest.approx(0.5 / (1 + (3 / 7) ** 4))
    # The same fade after a month is a supernova past its peak.
    old = {"age": 30.0, "days_since_peak": 5.0, "limit_gap": 3.0}
    assert term("past_peak", **fades, **old) < 0.01
    assert term("half_time", half_time_g=9.0, days_since_peak=0.0) == pytest.approx(0.5)
    assert term("half_time", half_time_g=3.0, days_since_peak=30.0) < 0.03
    assert term("half_time") == 0


def test_ages():
    assert term("time_above_half", above_half_g=10.0) == 0.5
    assert term("time_above_half") == 0.5
    assert term("young", confirmed_age=12.0) == pytest.approx(0.5)
    assert term("young", confirmed_age=1500.0) < 0.001


def test_blue_at_peak():
    assert term("blue", g_r_peak=-0.2) == pytest.approx(0.5)
    assert term("blue", g_r_peak=-0.4) > 0.9
    assert term("blue", g_r_peak=0.2) < 0.01
    assert term("blue") == 0.05


def test_stars_and_hosts():
    assert term("not_stellar", sgscore1=1.0, distpsnr1=0.3, star_offset=0.3) == 0
    assert term("not_stellar", sgscore1=0.02, distpsnr1=0.5) == pytest.approx(0.98)
    assert term("not_stellar") == 1
    assert term("hosted") == 0
    assert term("hosted", host_offset=2.0, host_mag=18.0) > 0.99
    assert term("off_plane", abs_gal_lat=10.0) == pytest.approx(0.5)
    assert term("off_plane", abs_gal_lat=90.0) > 0.98


def test_a_single_detection_may_be_an_asteroid():
    once = {"n_det": 1.0, "n_nights": 1.0, "abs_ecl_lat": 3.0, "max_separation": np.nan}
    assert term("stationary", **once) == pytest.approx(0.05)
    assert term("stationary", **once | {"abs_ecl_lat": 60.0}) == 1
    assert term("stationary", **once | {"max_separation": 0.04}) == 1
    # Half an hour is enough, minutes are not.
    assert term("stationary", **once | {"max_separation": 0.002}) == pytest.approx(0.1)
    assert term("stationary", **once | {"max_separation": 0.04, "ssdistnr": 2.0}) == 0
    assert term("stationary", n_nights=3.0, max_separation=5.0, ssdistnr=2.0) == 1


def test_bright_and_real():
    limit = INSTRUMENT.limiting_magnitude
    assert term("bright", magpsf=limit, positive=1.0) == 0.5
    assert term("bright", magpsf=limit - 3, positive=0.0) == 0
    assert term("bright") == 0.5
    assert term("real", drb=0.9, rb=0.1, frac_positive=1.0, positive=1.0) == pytest.approx(0.9)
    assert term("real", rb=0.6, frac_positive=0.5, positive=1.0) == pytest.approx(0.3)
    assert term("real", drb=0.9, frac_positive=0.5, positive=0.0) == 0


@pytest.mark.filterwarnings("ignore")
def test_all_terms_are_between_0_and_1_and_never_nan():
    for seed in range(30):
        night = random_night(seed)
        terms = FastTransientScorer().terms(compute(night), probabilities_of(night, seed))
        assert list(terms.columns) == list(TERMS)
        assert terms.to_numpy().min() >= 0
        assert terms.to_numpy().max() <= 1


def test_each_term_declares_its_plot():
    for name, term_ in TERMS.items():
        assert term_.x in term_.function.__code__.co_varnames, name
        assert term_.x_range[0] < term_.x_range[1]
        assert term_.meaning.endswith(".")
