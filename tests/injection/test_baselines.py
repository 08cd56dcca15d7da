"""The other methods to list fast transients: each cut, and independence of other alerts."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import random_night
from ztfml.features import FEATURES, compute
from ztfml.injection.baselines import (
    BASELINES,
    fink_rate,
    transient_probability,
    ztfrest_points,
)
from ztfml.labels.rules import apply_cuts
from ztfml.night import Night
from ztfml.taxonomy import PROBABILITY_COLUMNS

GOOD = {
    "drb": 0.9, "rb": 0.9, "positive": 1.0, "sgscore1": 0.1, "distpsnr1": 3.0, "age": 3.0,
    "age_hist": 3.0, "n_det": 4.0, "n_det_g": 2.0, "n_det_r": 2.0, "ndethist": 4.0,
    "max_separation": 2.0, "abs_gal_lat": 40.0,
}  # fmt: skip


def features(**values):
    row = dict.fromkeys((feature.name for feature in FEATURES), np.nan)
    return pd.DataFrame([row | GOOD | values])


def score(method, **values):
    return float(method(None, features(**values), None)[0])


def test_each_fast_band_gives_ten_points():
    assert score(ztfrest_points) == 0
    assert score(ztfrest_points, fade_rate_g=0.31, best_fade_rate=0.31) == pytest.approx(10.0155)
    both = {"fade_rate_g": 0.5, "fade_rate_r": 0.4, "best_fade_rate": 0.5}
    assert score(ztfrest_points, **both) == pytest.approx(20.025)
    assert score(ztfrest_points, fade_rate_g=0.29, best_fade_rate=0.29) < 1


def test_a_long_duration_subtracts_points():
    assert score(ztfrest_points, age=11.0) == -100
    assert score(ztfrest_points, age=13.0) == -200
    # The limit in r is 12 d.
    assert score(ztfrest_points, age=11.0, n_det_g=0.0) == 0


@pytest.mark.parametrize("method", [ztfrest_points, fink_rate])
@pytest.mark.parametrize(
    "values",
    [
        {"drb": 0.4},
        {"drb": np.nan, "rb": 0.3},
        {"positive": 0.0},
        {"ssdistnr": 5.0},
        {"sgscore1": 0.9, "distpsnr1": 1.0},
    ],
)
def test_stars_asteroids_and_artifacts_are_not_listed(method, values):
    assert score(method, **values) == -np.inf
    assert score(method) > -np.inf


@pytest.mark.parametrize(
    "values", [{"max_separation": 0.01}, {"neargaiabright": 10.0}, {"abs_gal_lat": 5.0}]
)
def test_ztfrest_points_have_more_cuts(values):
    assert score(ztfrest_points, **values) == -np.inf
    assert score(fink_rate, **values) > -np.inf


def test_the_rate_is_the_fastest_rise_or_fade():
    values = {"recent_slope_g": -0.8, "recent_slope_r": 0.5}
    assert score(fink_rate, **values) == pytest.approx(0.8)
    assert score(fink_rate) == 0
    assert score(fink_rate, **values, age_hist=21.0) == -np.inf
    assert score(fink_rate, **values, ndethist=20.0) == -np.inf


def test_the_probability_is_the_score():
    p = pd.DataFrame({"p_transient": [0.3, 0.7]})
    assert transient_probability(None, None, p).tolist() == [0.3, 0.7]


@pytest.mark.parametrize("name", BASELINES)
def test_scores_do_not_depend_on_other_alerts(name):
    night = random_night(8, n_objects=8)
    rng = np.random.default_rng(1)
    table = compute(night)
    p = pd.DataFrame(rng.dirichlet(np.ones(5), len(night)), columns=PROBABILITY_COLUMNS)
    together = BASELINES[name](night, table, p)
    assert len(together) == len(night)
    for k in range(len(night)):
        alone = BASELINES[name](night.subset([k]), table.iloc[[k]], p.iloc[[k]])
        assert alone[0] == together[k]


def test_the_exercise_sorts_its_transients_by_rate(shared_data):
    night = Night.load(shared_data / "alerts" / "ztf_alerts_2460235.5.parquet")
    table = compute(night)
    score = BASELINES["exercise's filter"](night, table, None)
    transient = (apply_cuts(night).labels["label"] == "transient").to_numpy()
    assert transient.any()
    assert ((score > -np.inf) == transient).all()
    fastest = table.iloc[score.argmax()]
    assert score.max() == max(fastest["best_fade_rate"], fastest["best_rise_rate"])
