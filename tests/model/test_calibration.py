"""Temperatures of alerts with and without drb."""

import numpy as np
import pandas as pd
import pytest

from ztfml.model.calibration import FEWEST_WITHOUT, fit_temperature, fit_temperatures
from ztfml.model.classifier import AlertClassifier
from ztfml.model.model import Model
from ztfml.model.probabilities import temperature_of_rows
from ztfml.model.save import save_model


def right_in(n, n_right):
    """Rows with a lead of 4 for the first class, which is the right one for some of them."""
    return np.tile([4.0, 0.0], (n, 1)), (np.arange(n) >= n_right).astype(int)


def test_temperature_reduces_overconfidence():
    # A lead of 4 claims 98.2 % and is right 8 times in 10, so 4 / T = log(0.8 / 0.2).
    scores, code = right_in(1000, 800)
    assert np.isclose(fit_temperature(scores, code, np.ones(1000)), 4 / np.log(4), rtol=1e-3)


def test_alerts_without_drb_have_a_temperature_of_their_own():
    parts = right_in(500, 400), right_in(500, 300)
    scores, code = (np.concatenate(both) for both in zip(*parts, strict=True))
    without = np.arange(1000) >= 500
    found = fit_temperatures(scores, code, np.ones(1000), without)
    assert found == pytest.approx([4 / np.log(4), 4 / np.log(1.5)], rel=1e-3)
    assert temperature_of_rows(np.array([True, False]), *found)[:, 0] == pytest.approx(found[::-1])


@pytest.mark.parametrize("n_without", [0, FEWEST_WITHOUT - 1])
def test_few_alerts_without_drb_have_the_common_temperature(n_without):
    scores, code = right_in(1000, 800)
    without = np.arange(1000) < n_without
    with_drb, without_drb = fit_temperatures(scores, code, np.ones(1000), without)
    assert with_drb == without_drb == pytest.approx(4 / np.log(4), rel=1e-3)


@pytest.fixture
def fitted():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"drb": rng.random(400), "rb": rng.random(400)})
    table.loc[::2, "drb"] = np.nan
    y = np.where(table["rb"] + rng.normal(0, 0.3, 400) > 0.5, "star", "artifact")
    return AlertClassifier(n_estimators=5, early_stopping_rounds=None).fit(table, y), table


def test_probabilities_without_drb_use_the_second_temperature(fitted):
    classifier, table = fitted
    before = classifier.predict_proba(table)
    classifier.temperature_without_drb_ = 2.0
    after = classifier.predict_proba(table)
    without = table["drb"].isna().to_numpy()
    assert np.array_equal(after[~without], before[~without])
    odds_before, odds_after = (p[without, 0] / p[without, 1] for p in (before, after))
    assert odds_after == pytest.approx(np.sqrt(odds_before))


def test_a_loaded_model_has_both_temperatures(fitted, tmp_path):
    classifier, table = fitted
    classifier.temperature_, classifier.temperature_without_drb_ = 0.7, 1.4
    model = Model.load(save_model(classifier, tmp_path / "model", {}, table))
    expected = classifier.predict_proba(table)
    assert np.array_equal(model.predictor.predict_proba(table), expected)
    assert np.array_equal(model.classifier.predict_proba(table), expected)
