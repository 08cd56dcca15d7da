"""The calibration of the ranking: scores become probabilities, and the order stays the same."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from ztfml.errors import DataError
from ztfml.model.model import Model
from ztfml.ranking import FastTransientScorer, load_ranking
from ztfml.simulate import write_nights
from ztfml.training import ranking_calibration
from ztfml.training.ranking_calibration import calibrate


@pytest.fixture(scope="module")
def model():
    return Model.load()


class KnownNight:
    """Scores of objects whose chance of being fast is known: expit(0.6 z - 1) for log odds z."""

    def __init__(self, seed, slope=0.6, n=60_000):
        rng = np.random.default_rng(seed)
        self.odds = rng.normal(-6.0, 3.0, n)
        self.fast = rng.random(n) < expit(slope * self.odds - 1)

    def __call__(self, scorer, path, model, repeats):
        return self.odds, self.fast, np.ones(len(self.odds))


def test_slope_and_offset_are_found_and_the_order_stays(monkeypatch):
    monkeypatch.setattr(ranking_calibration, "_scored", KnownNight(1))
    scorer = FastTransientScorer.load()
    found = calibrate(scorer, ["one.parquet"], model=None)
    assert set(found) == set(scorer.weights)
    for name in set(found) - {"intercept"}:
        assert found[name] == pytest.approx(0.6 * scorer.weights[name], rel=0.1, abs=0.006), name
    assert found["intercept"] == pytest.approx(0.6 * scorer.weights["intercept"] - 1, abs=0.5)


def test_scores_that_say_the_opposite_are_refused(monkeypatch):
    monkeypatch.setattr(ranking_calibration, "_scored", KnownNight(2, slope=-0.6))
    with pytest.raises(DataError, match="do not get higher scores than other objects"):
        calibrate(FastTransientScorer.load(), ["one.parquet"], model=None)


def test_the_scores_of_a_night_are_weighted_as_those_of_a_full_night(tmp_path, model):
    (path,) = write_nights(tmp_path, 600, 1, seed=9, mix="natural")
    odds, fast, weight = ranking_calibration._scored(FastTransientScorer(), path, model, 4)
    assert len(odds) == len(fast) == len(weight)
    assert fast.sum() == 4 * ranking_calibration.PER_NIGHT
    assert weight[fast].sum() == pytest.approx(ranking_calibration.PER_NIGHT)
    assert weight[~fast] == pytest.approx(ranking_calibration.FULL_NIGHT / 600)
    assert odds[fast].mean() > odds[~fast].mean() + 3


def test_the_shipped_ranking_is_calibrated():
    assert load_ranking().card["training"]["calibrated_on"]


def test_objects_with_known_fast_labels_do_not_count(tmp_path, model):
    (path,) = write_nights(tmp_path, 300, 1, seed=9, mix="transients")
    labels_path = path.with_name(f"{path.stem}_labels.csv")
    counts = []
    for evidence in ("simulated: SN Ia", "simulated: kilonova"):
        labels = pd.read_csv(labels_path, dtype=str)
        labels.loc[labels["label"] == "transient", "evidence"] = evidence
        labels.to_csv(labels_path, index=False)
        counts.append(ranking_calibration._scored(FastTransientScorer(), path, model, 2)[1].size)
    assert counts[1] < counts[0] - 50
