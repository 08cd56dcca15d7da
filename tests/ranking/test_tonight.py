"""Changes within the night: quantities, term, and reasons in words."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import JD
from tests.ranking.rows import INSTRUMENT, features, probabilities, quantity, term
from ztfml.features import of_light_curve
from ztfml.ranking import best_rates
from ztfml.ranking.quantities import Columns
from ztfml.ranking.reasons import reasons

_FADES = {"tonight_slope": 10.0, "tonight_slope_err": 1.25, "tonight_base": 0.08}


def reason(**known):
    row = features(**({"age": 0.08, "magpsf": 19.1, "positive": 1.0, "n_det": 2.0} | known))
    return reasons(row, probabilities(), best_rates(row))[0]


def test_min_tonight_rate_is_beyond_three_errors():
    assert quantity("min_tonight_rate", **_FADES) == pytest.approx(10 - 3.75)
    rises = {"tonight_slope_g": -20.0, "tonight_slope_err_g": 2.0}
    assert quantity("min_tonight_rate", **_FADES, **rises) == pytest.approx(14)
    noise = {"tonight_slope_g": -20.0, "tonight_slope_err_g": 15.0}
    assert quantity("min_tonight_rate", **noise) < 0
    bound = {"tonight_rise_bound_r": 9.0}
    assert quantity("min_tonight_rate", **bound, max_separation=0.03) == 9
    assert np.isnan(quantity("min_tonight_rate", **bound, max_separation=0.01)), "it may move"
    assert np.isnan(quantity("min_tonight_rate", **bound)), "it may move"
    assert np.isnan(quantity("min_tonight_rate"))
    assert quantity("measured_tonight_rate", **_FADES) == pytest.approx(10 - 3.75)
    assert np.isnan(quantity("measured_tonight_rate", **bound, max_separation=0.03))


def test_a_red_star_is_near_and_red():
    assert quantity("red_star", star_offset=0.3, star_g_r=1.4) == 1
    assert quantity("red_star", star_offset=0.3, star_g_r=0.4) == 0
    assert quantity("red_star", star_offset=0.3) == 0.5
    assert quantity("red_star", star_offset=3.0, star_g_r=1.4) == 0
    assert quantity("red_star") == 0


def test_a_source_redder_than_galaxies_is_a_red_star_whatever_its_score():
    for colour in ({"ps1_r_i": 1.3}, {"gaia_minus_ps1": -1.1}):
        galaxy = {"distpsnr1": 0.3, "sgscore1": 0.1, "host_offset": 0.3} | colour
        assert quantity("red_star", **galaxy) == 1
        assert quantity("underlying_star", **galaxy) == 1
        assert quantity("red_star", **galaxy | {"distpsnr1": 1.6}) == 0
        assert term("tonight", **_FADES, **galaxy) == 0
    blue = {"distpsnr1": 0.3, "sgscore1": 0.1, "ps1_r_i": 0.7, "gaia_minus_ps1": -0.6}
    assert quantity("red_star", **blue) == 0
    assert quantity("underlying_star", **blue) == pytest.approx(0.1)


def test_the_term_is_high_for_afterglows_and_low_for_stars():
    assert term("tonight", **_FADES) == 1
    assert term("tonight") == 0
    slow = {"tonight_slope": 0.5, "tonight_slope_err": 0.1, "tonight_base": 0.2}
    assert term("tonight", **slow) == 0
    assert term("tonight", **_FADES, star_offset=0.3, star_g_r=1.4) == 0
    assert term("tonight", **_FADES, earlier_nights_chi2=5.0) == pytest.approx(0.5)
    assert term("tonight", **_FADES, earlier_nights_chi2=50.0) < 0.01


def test_a_change_within_the_night_is_a_reason():
    assert reason(**_FADES).startswith("fading 0.8 ± 0.1 mag in 1.9 h; 0.1 d old;")
    rises = _FADES | {"tonight_slope": -10.0, "tonight_slope_err": 0.25}
    assert reason(**rises).startswith("rising 0.80 ± 0.02 mag in 1.9 h;")
    noise = _FADES | {"tonight_slope_err": 4.0}
    assert reason(**noise).startswith("no rate yet;")
    assert reason(tonight_rise_bound_g=24.0).startswith("no rate yet;")
    bound = reason(tonight_rise_bound_g=24.0, max_separation=0.03)
    assert bound.startswith("rising at least 1.0 mag per hour tonight (from a non-detection);")


def test_a_rate_of_earlier_nights_follows():
    nights = {"fade_rate_r": 0.3, "fade_rate_err_r": 0.02, "fade_base_r": 6.0}
    assert reason(**_FADES, **nights).startswith(
        "fading 0.8 ± 0.1 mag in 1.9 h; fading 0.30 ± 0.02 mag/day in r over 6.0 d;"
    )


def test_a_star_that_changes_every_night_gets_a_warning():
    text = "also changed within earlier nights: may be a pulsating or eclipsing star"
    assert text in reason(**_FADES, earlier_nights_chi2=8.0)
    assert text not in reason(**_FADES, earlier_nights_chi2=2.0)


def test_the_best_rate_of_a_source_seen_on_one_night():
    """1.6 mag in two hours in r, 0.1 mag in g."""
    curve = pd.DataFrame(
        {
            "jd": JD + 0.2 + np.array([0, 0.5, 1.5, 2]) / 24,
            "fid": [2, 1, 1, 2],
            "magpsf": [18.0, 18.5, 18.6, 19.6],
            "sigmapsf": 0.1,
            "isdiffpos": 1,
            "diffmaglim": 20.5,
        }
    )
    row = pd.DataFrame([of_light_curve(curve)])
    best = best_rates(row).iloc[0]
    assert (best["direction"], best["band"], best["is_tonight"]) == ("fade", "r", True)
    assert best["best_rate"] == pytest.approx(1.6 * 12)
    assert best["rate_err"] == pytest.approx(np.hypot(0.1, 0.015) * 2**0.5 * 12)
    # A rate of nights is preferred, as it is not that of a flare or a pulsation.
    nights = row.assign(rise_rate_g=0.4, rise_rate_err_g=0.1, rise_base_g=3.0)
    assert best_rates(nights)["best_rate"].iloc[0] == 0.4


def test_forced_photometry_bounds_rise_and_fade():
    assert quantity("first_rise_rate", rise_bound_r=0.5) == 0.5
    row = features(rise_bound_r=0.5, fade_bound_g=0.1)
    forced = row.assign(forced_rise_bound_g=1.5, forced_fade_bound_r=0.4)
    columns = Columns(forced, probabilities(), INSTRUMENT, None)
    assert columns["first_rise_rate"][0] == 1.5
    assert columns["min_fade_rate"][0] == 0.4
