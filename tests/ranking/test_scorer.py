"""The score and the ranked list: one row per object, independent of other objects."""

import gc

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from tests.nights import random_night
from tests.ranking.rows import INSTRUMENT, features, probabilities, probabilities_of
from tests.reference import NIGHTS
from ztfml.errors import DataError
from ztfml.features import compute
from ztfml.model.model import Model
from ztfml.ranking import (
    TERMS,
    FastTransientScorer,
    Instrument,
    load_ranking,
    row_of,
    weight_names,
)
from ztfml.sources.formats import open_night
from ztfml.taxonomy import PROBABILITY_COLUMNS

_FAST = {
    "fade_rate_g": 0.6, "fade_rate_err_g": 0.05, "age": 4.0, "days_since_peak": 3.0,
    "limit_gap": 1.0, "half_time_g": 4.0, "above_half_g": 3.0, "g_r_peak": -0.3, "n_nights": 3.0,
    "max_separation": 4.0, "host_offset": 2.0, "host_mag": 19.0, "abs_gal_lat": 50.0, "drb": 0.99,
    "magpsf": 19.0, "positive": 1.0, "frac_positive": 1.0, "sgscore1": 0.02, "distpsnr1": 2.0,
}  # fmt: skip


def score(p_transient=0.95, **changed):
    scorer = FastTransientScorer(instrument=INSTRUMENT)
    row = features(**(_FAST | changed))
    return scorer.score(row, probabilities(p_transient=p_transient))[0]


def test_score_is_the_logistic_sum():
    weights = dict.fromkeys(weight_names(), 0.0) | {"intercept": -1.0, "young": 2.0}
    row = features(confirmed_age=12.0)  # the term is 0.5
    assert FastTransientScorer(weights).score(row, probabilities())[0] == pytest.approx(0.5)


def test_no_shipped_weight_is_negative():
    assert all(
        weight >= 0 for name, weight in load_ranking().weights.items() if name != "intercept"
    )


@pytest.mark.parametrize(
    "worse",
    [
        {"sgscore1": 0.98, "distpsnr1": 0.4, "star_offset": 0.4},
        {"confirmed_age": 1500.0},
        {"fade_rate_g": 0.02},
        {"half_time_g": 25.0, "above_half_g": 20.0, "age": 25.0, "days_since_peak": 10.0},
        {"abs_gal_lat": 2.0},
        {"host_offset": np.nan, "host_mag": np.nan, "distpsnr1": np.nan, "sgscore1": np.nan},
        {"magpsf": 20.8},
        {"positive": 0.0},
        {"drb": 0.3},
        {"fade_rate_err_g": 2.0},
        {"g_r_peak": 0.6},
        {"n_nights": 1.0, "max_separation": np.nan, "abs_ecl_lat": 2.0},
    ],
    ids=lambda worse: ", ".join(worse),
)
def test_contaminants_and_poor_data_score_lower(worse):
    assert score(**worse) < score()
    assert score(p_transient=0.3) < score()


def test_bright_depends_on_the_instrument():
    terms = [
        FastTransientScorer(instrument=Instrument("one", limit, 12)).terms(
            features(**_FAST), probabilities(p_transient=0.9)
        )["bright"][0]
        for limit in (18.0, 21.0)
    ]
    largest = load_ranking().weights["bright"]
    assert terms[0] < 0.1 * largest
    assert terms[1] > 0.9 * largest


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), kept=st.integers(1, 255))
@pytest.mark.filterwarnings("ignore")
def test_the_score_of_an_object_does_not_depend_on_the_others(seed, kept):
    scorer = FastTransientScorer()
    night = random_night(seed, n_objects=8)
    table, p = compute(night), probabilities_of(night, seed)
    whole = scorer.rank(night, table, p).set_index("objectId")
    names = [name for k, name in enumerate(sorted(whole.index)) if kept >> k & 1]
    some = night.alerts["objectId"].isin(names).to_numpy()
    if not some.any():
        return
    part = scorer.rank(
        night.subset(some), table[some].reset_index(drop=True), p[some].reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(
        part.set_index("objectId").drop(columns="rank"),
        whole.loc[part["objectId"]].drop(columns="rank"),
        rtol=0,
        atol=0,
    )
    # In the order of the full list.
    assert whole.loc[part["objectId"], "rank"].is_monotonic_increasing


def test_one_row_per_object_from_its_latest_alert():
    night = random_night(5, n_objects=6, max_alerts=4)
    ranked = FastTransientScorer().rank(night, compute(night), probabilities_of(night))
    assert sorted(ranked["objectId"]) == sorted(night.alerts["objectId"].unique())
    latest = night.alerts.sort_values(["jd", "candid"]).groupby("objectId")["candid"].last()
    assert (latest[ranked["objectId"]].to_numpy() == ranked["candid"].to_numpy()).all()
    assert (np.diff(ranked["score"]) <= 0).all()
    assert ranked["rank"].tolist() == list(range(1, 7))


def test_top_returns_the_first_rows_of_the_full_list():
    night = random_night(5, n_objects=6)
    table, p = compute(night), probabilities_of(night)
    whole = FastTransientScorer().rank(night, table, p)
    pd.testing.assert_frame_equal(FastTransientScorer().rank(night, table, p, top=3), whole[:3])


def test_the_tables_of_a_ranked_night_are_freed_at_once():
    """Otherwise a run over many nights has several full nights in memory."""
    night = random_night(5, n_objects=6)
    table, p = compute(night), probabilities_of(night)
    gc.collect()
    gc.disable()
    try:
        FastTransientScorer().rank(night, table, p)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        assert not any(isinstance(one, pd.DataFrame) for one in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def test_contributions_add_up_to_the_score():
    scorer = FastTransientScorer()
    night = random_night(7)
    ranked = scorer.rank(night, compute(night), probabilities_of(night))
    name = ranked["objectId"][1]
    terms = scorer.explain(ranked, name)
    assert sorted(terms["term"]) == sorted(["base", *TERMS])
    assert (np.diff(terms["adds"][1:]) <= 0).all()
    total = terms["adds"].sum()
    assert abs(total - row_of(ranked, name)["log_odds"]) < 1e-9
    assert row_of(ranked, name)["score"] == pytest.approx(1 / (1 + np.exp(-total)))
    with pytest.raises(DataError, match="ZTF00nobody"):
        scorer.explain(ranked, "ZTF00nobody")


@pytest.mark.parametrize("name", NIGHTS)
def test_terms_of_real_nights_add_up_to_the_log_odds_exactly(shared_data, name):
    """Also where the trees are not evaluated, and in the columns of the list."""
    real_night = open_night(shared_data / "alerts" / f"ztf_alerts_{name}.parquet")
    model = Model.load()
    table = model.all_features(real_night)
    p = model.predict(real_night, table=table)[list(PROBABILITY_COLUMNS)]
    scorer = FastTransientScorer()
    terms, log_odds = scorer.terms(table, p), scorer.log_odds(table, p)
    assert np.abs(terms.sum(axis=1) - log_odds).max() < 1e-9
    assert (p["p_transient"] < 0.02).any()
    assert (terms["fading"] != 0).sum() > 10
    ranked = scorer.rank(real_night, table, p)
    columns = ["term_base", *(f"term_{name}" for name in TERMS)]
    assert np.abs(ranked[columns].sum(axis=1) - ranked["log_odds"]).max() < 1e-9
    assert np.abs(expit(ranked["log_odds"]) - ranked["score"]).max() == 0


def test_links():
    night = random_night(1, n_objects=1)
    ranked = FastTransientScorer().rank(night, compute(night), probabilities_of(night))
    assert ranked["alerce"][0] == f"https://alerce.online/object/{ranked['objectId'][0]}"
