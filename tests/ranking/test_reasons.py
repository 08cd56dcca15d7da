"""Reasons in words, and warnings about what else the source may be."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import JD
from tests.ranking.rows import features, probabilities, probabilities_of
from ztfml.features import compute
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer, best_rates
from ztfml.ranking.reasons import reasons

_SEEN = {
    "age": 2.0,
    "confirmed_age": 2.0,
    "magpsf": 19.13,
    "positive": 1.0,
    "n_det": 3.0,
    "drb": 0.99,
}


def reason(p=None, **known):
    row = features(**(_SEEN | known))
    return reasons(row, probabilities(**(p or {})), best_rates(row))[0]


def test_best_rate_prefers_a_significantly_fast_rate():
    slow = {"fade_rate_g": 0.2, "fade_rate_err_g": 0.01, "fade_base_g": 5.0}
    fast = {"rise_rate_r": 0.9, "rise_rate_err_r": 0.1, "rise_base_r": 2.0}
    best = best_rates(features(**slow, **fast)).iloc[0]
    assert (best["direction"], best["band"], best["best_rate"]) == ("rise", "r", 0.9)
    bound = best_rates(features(**slow, fade_bound_i=1.5)).iloc[0]
    assert (bound["direction"], bound["band"], bound["best_rate"]) == ("fade", "i", 1.5)
    assert bound["is_bound"]
    assert np.isnan(bound["rate_err"])
    nothing = best_rates(features()).iloc[0]
    assert nothing["direction"] == ""
    assert np.isnan(nothing["best_rate"])


def test_a_rise_that_ended_weeks_ago_is_not_mentioned():
    fade = {"fade_rate_g": 0.1, "fade_rate_err_g": 0.02, "fade_base_g": 20.0}
    rise = {"rise_rate_g": 0.9, "rise_rate_err_g": 0.1, "rise_base_g": 2.0, "rise_bound_g": 3.0}
    then = best_rates(features(**fade, **rise, age=2.0, days_since_peak_g=0.0)).iloc[0]
    assert then["direction"] == "rise"
    now = best_rates(features(**fade, **rise, age=24.0, days_since_peak_g=20.0)).iloc[0]
    assert (now["direction"], now["best_rate"]) == ("fade", 0.1)


def test_reasons_of_a_night_read_as_a_sentence():
    history = pd.DataFrame(
        {
            "objectId": "ZTF20a",
            "jd": [JD + 0.2, JD + 2.2, JD + 4.2, JD + 4.25],
            "fid": [2, 2, 2, 1],
            "magpsf": [18.0, 18.6, 19.2, 19.1],
            "sigmapsf": 0.05,
            "isdiffpos": "t",
        }
    )
    alert = {"objectId": "ZTF20a", "candid": 1, "candidate.jd": JD + 6.2, "candidate.fid": 2}
    alert |= {"candidate.magpsf": 19.8, "candidate.sigmapsf": 0.1, "candidate.isdiffpos": "t"}
    alert |= {"candidate.sgscore1": 0.01, "candidate.distpsnr1": 8.4}
    night = Night.from_frames(pd.DataFrame([alert]), history)
    p = probabilities_of(night) * 0.1
    ranked = FastTransientScorer().rank(night, compute(night), p)
    assert ranked["reasons"][0].startswith(
        "fading 0.30 ± 0.02 mag/day in r over 6.0 d; 6.0 d old; g − r = −0.10 ± 0.07; "
        "8.4″ from a galaxy; 19.8 mag; "
    )
    assert "against it: " in ranked["reasons"][0]


def test_short_time_bases_are_in_hours_and_limits_are_marked():
    hours = {"fade_rate_g": 2.4, "fade_rate_err_g": 0.61, "fade_base_g": 0.1}
    assert reason(**hours).startswith("fading 2.40 ± 0.61 mag/day in g over 2.4 h; 2.0 d old;")
    noise = {"fade_rate_g": -0.01, "fade_rate_err_g": 0.11, "fade_base_g": 2.0}
    assert reason(**noise).startswith(
        "no significant change: −0.01 ± 0.11 mag/day in g over 2.0 d;"
    )
    bound = reason(rise_bound_r=1.25, days_since_peak_r=0.0)
    assert bound.startswith("rising at least 1.25 mag/day in r (from a non-detection);")
    bound = reason(rise_bound_r=1.25, days_since_peak_r=2.0)
    assert bound.startswith("rose at least 1.25 mag/day in r (from a non-detection); 2.0 d old")
    fades = {"fade_rate_g": 0.15, "fade_rate_err_g": 0.02, "rise_bound_r": 1.25}
    bound = reason(**fades, days_since_peak_r=2.0)
    assert "(from a non-detection); fading 0.15 ± 0.02 mag/day in g since then; 2.0 d old" in bound
    assert reason(age=0.0, nmtchps=0.0).startswith(
        "no rate yet; first detection; no PS1 source within 30″; 19.1"
    )
    # Without PS1 columns, nothing is known about PS1 sources.
    assert reason(age=0.0).startswith("no rate yet; first detection; 19.1")
    assert "fainter than the reference" in reason(positive=0.0)


@pytest.mark.parametrize(
    ("known", "warning"),
    [
        ({"star_offset": 0.4, "star_g_r": 1.4}, "0.4″ from a red star: may be a flare"),
        ({"distpsnr1": 0.3, "sgscore1": 0.1, "ps1_r_i": 1.4, "host_offset": 0.3},
         "0.3″ from a red star: may be a flare"),
        ({"star_offset": 0.4, "star_g_r": 0.1},
         "0.4″ from a star: may be a cataclysmic variable"),
        ({"host_offset": 0.3}, "at the centre of a galaxy: may be an AGN"),
        ({"abs_gal_lat": 7.2},
         "no galaxy nearby and 7° from the Galactic plane: may be a dwarf nova or a nova"),
        ({"confirmed_age": 1463.0}, "also detected here 4.0 yr earlier"),
        ({"confirmed_age": 202.0}, "also detected here 200 d earlier"),
        ({"ssdistnr": 2.3}, "2.3″ from a known asteroid"),
        ({"n_det": 1.0, "abs_ecl_lat": 4.8},
         "only one detection, 5° from the ecliptic: may be an asteroid"),
        ({"drb": 0.2}, "low real-bogus score: may be a bad subtraction"),
        ({"drb": np.nan, "rb": 0.2}, "low real-bogus score: may be a bad subtraction"),
    ],
)  # fmt: skip
def test_warnings(known, warning):
    assert reason(**known).endswith(warning)
    assert warning not in reason()


def test_another_probable_class_is_a_warning():
    assert reason({"p_star": 0.35, "p_agn": 0.1}).endswith("35% star according to the classifier")
    assert "according to the classifier" not in reason({"p_star": 0.1})


def test_a_missing_magnitude_is_not_shown_as_nan():
    text = reason(magpsf=np.nan, g_r=0.2, g_r_err=np.nan)
    assert "no magnitude" in text
    assert "g − r = 0.20" in text
    assert "nan" not in text
