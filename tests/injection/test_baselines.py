"""The other ways to list fast transients: each cut by hand, and no look at other alerts."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import random_night
from ztfml.features import FEATURES, compute
from ztfml.injection.baselines import BASELINES, points, transient_alone, two_point_rate
from ztfml.labels.rules import apply_cuts
from ztfml.night import Night
from ztfml.taxonomy import PROBABILITY_COLUMNS

GOOD = {
    "drb": 0.9, "rb": 0.9, "positive": 1.0, "sgscore1": 0.1, "distpsnr1": 3.0, "age": 3.0,
    "age_hist": 3.0, "n_det": 4.0, "n_det_g": 2.0, "n_det_r": 2.0, "ndethist": 4.0,
    "max_separation": 2.0, "abs_gal_lat": 40.0,
}  # fmt: skip


def features(**known):
    row = dict.fromkeys((feature.name for feature in FEATURES), np.nan)
    return pd.DataFrame([row | GOOD | known])


def score(way, **known):
    return float(way(None, features(**known), None)[0])


def test_points_count_fast_bands():
    assert score(points) == 0
    assert score(points, fade_rate_g=0.31, best_fade_rate=0.31) == pytest.approx(10.0155)
    both = {"fade_rate_g": 0.5, "fade_rate_r": 0.4, "best_fade_rate": 0.5}
    assert score(points, **both) == pytest.approx(20.025)
    assert score(points, fade_rate_g=0.29, best_fade_rate=0.29) < 1


def test_points_are_lost_for_lasting_long():
    assert score(points, age=11.0) == -100
    assert score(points, age=13.0) == -200
    # In r alone 11 days are not too long.
    assert score(points, age=11.0, n_det_g=0.0) == 0


@pytest.mark.parametrize("way", [points, two_point_rate])
@pytest.mark.parametrize(
    "known",
    [
        {"drb": 0.4},
        {"drb": np.nan, "rb": 0.3},
        {"positive": 0.0},
        {"ssdistnr": 5.0},
        {"sgscore1": 0.9, "distpsnr1": 1.0},
    ],
)
def test_what_is_not_listed(way, known):
    assert score(way, **known) == -np.inf
    assert score(way) > -np.inf


@pytest.mark.parametrize(
    "known", [{"max_separation": 0.01}, {"neargaiabright": 10.0}, {"abs_gal_lat": 5.0}]
)
def test_points_ask_for_more(known):
    assert score(points, **known) == -np.inf
    assert score(two_point_rate, **known) > -np.inf


def test_the_rate_is_the_fastest_change_either_way():
    known = {"recent_slope_g": -0.8, "recent_slope_r": 0.5}
    assert score(two_point_rate, **known) == pytest.approx(0.8)
    assert score(two_point_rate) == 0
    assert score(two_point_rate, **known, age_hist=21.0) == -np.inf
    assert score(two_point_rate, **known, ndethist=20.0) == -np.inf


def test_probability_alone_is_the_probability():
    p = pd.DataFrame({"p_transient": [0.3, 0.7]})
    assert transient_alone(None, None, p).tolist() == [0.3, 0.7]


@pytest.mark.parametrize("name", BASELINES)
def test_an_alert_has_the_same_score_in_any_company(name):
    night = random_night(8, n_objects=8)
    rng = np.random.default_rng(1)
    table = compute(night)
    p = pd.DataFrame(rng.dirichlet(np.ones(5), len(night)), columns=PROBABILITY_COLUMNS)
    together = BASELINES[name](night, table, p)
    assert len(together) == len(night)
    for k in range(len(night)):
        alone = BASELINES[name](night.subset([k]), table.iloc[[k]], p.iloc[[k]])
        assert alone[0] == together[k]


def test_the_exercise_lists_what_its_cuts_leave_by_rate(shared_data):
    night = Night.load(shared_data / "alerts" / "ztf_alerts_2460235.5.parquet")
    table = compute(night)
    score = BASELINES["exercise's filter"](night, table, None)
    left = (apply_cuts(night).labels["label"] == "transient").to_numpy()
    assert left.any()
    assert ((score > -np.inf) == left).all()
    fastest = table.iloc[score.argmax()]
    assert score.max() == max(fastest["best_fade_rate"], fastest["best_rise_rate"])
