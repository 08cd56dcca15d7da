"""The ranking: terms by hand, one row an object, the same score in any company."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tests.nights import JD, random_night
from ztfml.errors import DataError
from ztfml.features import compute
from ztfml.features.registry import FEATURES
from ztfml.night import Night
from ztfml.ranking import (
    DEFAULT_FILE,
    TERMS,
    FastTransientScorer,
    best_rates,
    read_settings,
)
from ztfml.taxonomy import PROBABILITY_COLUMNS


def features(**known):
    row = dict.fromkeys((feature.name for feature in FEATURES), np.nan)
    return pd.DataFrame([row | known])


def term(name, p_transient=0.5, **known):
    probabilities = pd.DataFrame([dict.fromkeys(PROBABILITY_COLUMNS, 0.0)])
    probabilities["p_transient"] = p_transient
    return FastTransientScorer().terms(features(**known), probabilities)[name][0]


def probabilities_of(night, seed=0):
    p = np.random.default_rng(seed).dirichlet(np.ones(5), len(night))
    return pd.DataFrame(p, columns=PROBABILITY_COLUMNS)


def test_transient_is_the_probability():
    assert term("transient", p_transient=0.7) == 0.7


@pytest.mark.parametrize("way", ["fade", "rise"])
def test_fast_is_the_probability_that_the_rate_exceeds_the_threshold(way):
    name = {"fade": "fading", "rise": "rising"}[way]
    known = {f"{way}_rate_g": 0.5, f"{way}_rate_err_g": 0.1}
    assert term(name, **known) == pytest.approx(norm.cdf(2.0))
    # A second band that is less sure takes nothing away.
    known |= {f"{way}_rate_r": 0.1, f"{way}_rate_err_r": 0.5}
    assert term(name, **known) == pytest.approx(norm.cdf(2.0))
    # A pair minutes apart has a huge error, and says nothing.
    unsure = {f"{way}_rate_r": 3.0, f"{way}_rate_err_r": 9.0}
    assert term(name, **unsure) == pytest.approx(norm.cdf(0.3))
    assert term(name, **{f"{way}_bound_r": 0.31}) == pytest.approx(norm.cdf(1.0))
    assert term(name, **{f"{way}_bound_r": 0.29}) == 0
    assert term(name) == 0


def test_brief_falls_with_the_half_time():
    assert term("brief", half_time_r=12.0) == 0.5
    assert term("brief", half_time_g=3.0, half_time_r=12.0) == pytest.approx(16 / 17)
    # Not yet faded: unknown at first, and ever less likely to be brief as it lasts.
    assert term("brief", above_half_r=0.0) == 0.5
    assert term("brief", above_half_r=36.0) == pytest.approx(0.1)
    assert term("brief") == 0.5


def test_young_takes_the_longer_of_both_ages():
    assert term("young", age=10.0) == 0.5
    assert term("young", age=0.0, age_hist=1000.0) < 0.001
    assert term("young", age=0.0, age_hist=0.0) == 1


def test_blue_by_colour_or_by_its_change():
    assert term("blue", g_r=-0.2, g_r_err=0.1) == pytest.approx(norm.cdf(2.0))
    known = {"g_r": 0.5, "g_r_err": 0.1, "g_r_slope": 0.3, "g_r_slope_err": 0.1}
    assert term("blue", **known) == pytest.approx(norm.cdf(2.0))
    assert term("blue") == 0.5


def test_not_stellar_is_nothing_on_a_star_and_all_on_a_galaxy():
    star = {"sgscore1": 1.0, "distpsnr1": 0.3, "star_offset": 0.3}
    assert term("not_stellar", **star) == 0
    assert term("not_stellar", sgscore1=0.02, distpsnr1=3.0, host_offset=3.0) == 1
    assert term("not_stellar", sgscore1=0.02, distpsnr1=0.5, host_offset=0.5) == 0.98
    assert term("not_stellar") == 0.7


def test_off_plane_and_bright_and_sound():
    assert term("off_plane", abs_gal_lat=10.0) == 0.5
    assert term("off_plane", abs_gal_lat=90.0) > 0.98
    limit = read_settings().instrument.limiting_magnitude
    assert term("bright", magpsf=limit, positive=1.0) == 0.5
    assert term("bright", magpsf=limit - 3, positive=0.0) == 0
    assert term("bright") == 0.5
    assert term("sound", drb=0.9, rb=0.1, n_det=2, frac_positive=1.0) == pytest.approx(0.9)
    assert term("sound", rb=0.6, n_det=1, frac_positive=0.5) == pytest.approx(0.15)


@pytest.mark.filterwarnings("ignore")
def test_all_terms_are_between_0_and_1_and_never_nan():
    for seed in range(30):
        night = random_night(seed)
        terms = FastTransientScorer().terms(compute(night), probabilities_of(night, seed))
        assert list(terms.columns) == list(TERMS)
        assert terms.to_numpy().min() >= 0
        assert terms.to_numpy().max() <= 1


def test_score_is_the_logistic_sum():
    weights = dict.fromkeys(TERMS, 0.0) | {"intercept": -1.0, "fading": 2.0}
    terms = pd.DataFrame([dict.fromkeys(TERMS, 0.5)])
    assert FastTransientScorer(weights).score(terms)[0] == pytest.approx(0.5)


@pytest.mark.filterwarnings("ignore")
def test_the_score_of_an_object_does_not_depend_on_the_others():
    scorer = FastTransientScorer()
    night = random_night(3, n_objects=8)
    table, p = compute(night), probabilities_of(night)
    whole = scorer.rank(night, table, p).set_index("objectId")
    for name, row in whole.iterrows():
        mine = (night.alerts["objectId"] == name).to_numpy()
        alone = scorer.rank(
            night.subset(mine),
            table[mine].reset_index(drop=True),
            p[mine].reset_index(drop=True),
        )
        pd.testing.assert_series_equal(
            alone.drop(columns=["rank", "objectId"]).iloc[0],
            row.drop("rank"),
            check_names=False,
            rtol=0,
            atol=0,
        )


def test_one_row_an_object_is_its_latest_alert():
    night = random_night(5, n_objects=6, max_alerts=4)
    ranked = FastTransientScorer().rank(night, compute(night), probabilities_of(night))
    assert sorted(ranked["objectId"]) == sorted(night.alerts["objectId"].unique())
    latest = night.alerts.sort_values(["jd", "candid"]).groupby("objectId")["candid"].last()
    assert (latest[ranked["objectId"]].to_numpy() == ranked["candid"].to_numpy()).all()
    assert (np.diff(ranked["score"]) <= 0).all()


def test_best_rate_prefers_what_is_surely_fast():
    slow_but_sure = {"fade_rate_g": 0.2, "fade_rate_err_g": 0.01, "fade_base_g": 5.0}
    fast = {"rise_rate_r": 0.9, "rise_rate_err_r": 0.1, "rise_base_r": 2.0}
    best = best_rates(features(**slow_but_sure, **fast)).iloc[0]
    assert (best["direction"], best["band"], best["best_rate"]) == ("rise", "r", 0.9)
    bound = best_rates(features(**slow_but_sure, fade_bound_i=1.5)).iloc[0]
    assert (bound["direction"], bound["band"], bound["best_rate"]) == ("fade", "i", 1.5)
    assert bound["is_bound"]
    assert np.isnan(bound["rate_err"])
    nothing = best_rates(features()).iloc[0]
    assert nothing["direction"] == ""
    assert np.isnan(nothing["best_rate"])


def test_reasons_read_as_a_sentence():
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
    ranked = FastTransientScorer().rank(night, compute(night), probabilities_of(night))
    assert ranked["reasons"][0] == (
        "fading 0.30 ± 0.02 mag/day in r over 6.0 d; 6.0 d old; g − r = −0.10 ± 0.07; "
        "8.4″ from a galaxy; 19.8 mag"
    )
    assert ranked["alerce"][0] == "https://alerce.online/object/ZTF20a"


def test_settings_that_cannot_be_used_are_one_sentence(tmp_path):
    text = DEFAULT_FILE.read_text()
    for name, content in {
        "no.toml": "weights = [",
        "lacks.toml": text.replace("fading = ", "# fading = "),
        "more.toml": text + "\nluck = 1.0\n",
        "instrument.toml": text.replace("limiting_magnitude", "limit"),
    }.items():
        path = tmp_path / name
        path.write_text(content)
        with pytest.raises(DataError, match=name):
            read_settings(path)
    with pytest.raises(DataError, match=r"none\.toml"):
        read_settings(tmp_path / "none.toml")
