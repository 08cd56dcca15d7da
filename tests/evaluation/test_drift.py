"""Drift of a night against the training data of a model."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from ztfml import Model
from ztfml.errors import ModelError
from ztfml.evaluation.drift import (
    MIN_ALERTS,
    describe_drift,
    drift_table,
    expected_classes,
    training_distributions,
)
from ztfml.model.folder import shipped_model
from ztfml.night import Night


def sample(n, seed, **columns):
    rng = np.random.default_rng(seed)
    plain = {
        "normal": rng.normal(size=n),
        "whole": rng.integers(0, 4, n).astype(float),
        "constant": np.full(n, 3.0),
        "sometimes": np.where(rng.random(n) < 0.5, np.nan, rng.random(n)),
    }
    return pd.DataFrame(plain | columns)


@pytest.fixture(scope="module")
def known():
    return training_distributions(sample(20_000, 0), np.resize(["agn", "star"], 20_000))


MIX = {"agn": 0.5, "star": 0.5}


@pytest.mark.parametrize("n", [100, 5000])
@pytest.mark.parametrize("seed", range(1, 6))
def test_a_night_from_the_same_distribution_does_not_differ(known, n, seed):
    found = drift_table(sample(n, seed), known, MIX)
    assert not found["differs"].any()
    assert found["psi"].max() < 0.3
    assert describe_drift(found, n) == "the night looks like training: none of 4 features differs"


def test_fractions_are_counted(known):
    table = sample(1000, 1, sometimes=np.nan)
    table["normal"] = np.r_[np.full(400, 9.0), np.full(100, -9.0), np.zeros(500)]
    found = drift_table(table, known, MIX).set_index("feature")
    assert found.loc["normal", "outside"] == 0.5
    assert found.loc["normal", "outside_training"] == pytest.approx(0.02, abs=0.002)
    assert found.loc["sometimes", "missing"] == 1
    assert found.loc["sometimes", "missing_training"] == pytest.approx(0.5, abs=0.02)
    # A value equal to the largest quantile is inside the range, one unit above is not.
    assert found.loc["constant", "outside"] == 0
    assert found.index[0] == "normal"
    other = drift_table(table.assign(constant=4.0), known, MIX).set_index("feature")
    assert other.loc["constant", "outside"] == 1
    assert other.loc["constant", "outside_training"] == 0


def test_the_order_of_the_alerts_has_no_influence(known):
    table = sample(3000, 3)
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        drift_table(table, known, MIX), drift_table(shuffled, known, MIX), check_exact=True
    )


def test_another_class_mix_is_no_drift():
    """Class a has other values than class b; the night has nine times as many of a."""
    rng = np.random.default_rng(0)
    y = np.resize(["agn", "star"], 10_000)
    table = pd.DataFrame({"x": rng.normal(size=10_000) + 5 * (y == "star")})
    known = training_distributions(table, y)
    night = pd.DataFrame({"x": rng.normal(size=2000) + 5 * (np.arange(2000) < 1800)})
    assert drift_table(night, known, {"agn": 0.1, "star": 0.9})["psi"][0] < 0.05
    assert drift_table(night, known, MIX)["psi"][0] > 0.7


def test_weights_count_within_a_class():
    table = pd.DataFrame({"x": [1.0, 2.0, np.nan]})
    found = training_distributions(table, ["agn"] * 3, [1, 1, 2])["x"]
    assert found["agn"][-1] == 5000


def test_sentences_name_the_largest_drift(known):
    table = sample(1000, 1, sometimes=np.nan, constant=4.0)
    found = drift_table(table, known, MIX)
    assert describe_drift(found, 1000) == (
        "2 of 4 features differ from training: sometimes is missing in 100 % of the alerts "
        "(training 50 %); constant is outside the usual range in 100 % of the alerts (training 0 %)"
    )
    assert "too few" in describe_drift(found, MIN_ALERTS - 1)


@pytest.mark.parametrize("n", [0, 1])
def test_nights_with_hardly_any_alerts(known, n):
    found = drift_table(sample(n, 1), known, MIX)
    assert len(found) == 4
    assert found.drop(columns="feature").notna().all(axis=None)


def test_features_without_any_value(known):
    distributions = training_distributions(pd.DataFrame({"x": [np.nan] * 4}), ["agn"] * 4)
    assert distributions["x"] == {"edges": [], "agn": [0, 10_000]}
    night = pd.DataFrame({"x": [1.0, np.inf, np.nan, -np.inf]})
    found = drift_table(night, distributions, {"agn": 1.0})
    assert found["missing"][0] == 0.25
    assert found["missing_training"][0] == 1


@pytest.fixture(scope="module")
def model():
    return Model.load()


def test_real_nights(model, shared_data):
    """One night is like training, one of 2018 has neither drb nor Gaia."""
    sentences = {}
    for name in ("2460235.5", "2458312.5"):
        night = Night.load(shared_data / "alerts" / f"ztf_alerts_{name}.parquet")
        table = model.all_features(night)
        found = model.drift(table, model.predict(night, table=table))
        sentences[name] = describe_drift(found, len(night))
        percent = model.drift(table.assign(rb=100 * table["rb"]), model.predict(night, table=table))
        assert percent["feature"][0] == "rb"
        assert percent["outside"][0] > 0.95
        assert "rb is outside the usual range" in describe_drift(percent, len(night))
    assert sentences["2460235.5"].startswith("the night looks like training")
    assert "ssnrms, dsnrms" in sentences["2458312.5"]
    assert "100 % of the alerts (training" in sentences["2458312.5"]


def test_every_feature_of_the_shipped_model_has_a_distribution(model):
    names = [feature["name"] for feature in model.card["features"]]
    assert list(model.card["distributions"]) == names
    assert all(
        set(one) == {"edges", *model.card["classes"]}
        for one in model.card["distributions"].values()
    )


def test_a_model_without_distributions(model, tmp_path):
    old = Model(model.classifier, {**model.card, "distributions": None}, model.folder)
    with pytest.raises(ModelError, match="does not have the distributions of the training data"):
        old.drift(pd.DataFrame(), pd.DataFrame())


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one["edges"].reverse(),
        lambda one: one["star"].pop(),
        lambda one: one["star"].__setitem__(0, -1),
        lambda one: one["star"].__setitem__(0, "many"),
        lambda one: one["edges"].append(None),
        lambda one: one.pop("edges"),
    ],
)
def test_damaged_distributions_are_refused(change, tmp_path):
    folder = shutil.copytree(shipped_model(), tmp_path / "model")
    card = json.loads((folder / "card.json").read_text())
    change(card["distributions"]["drb"])
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="distributions cannot be used"):
        Model.load(folder)


def test_class_fractions_are_mean_probabilities():
    predictions = pd.DataFrame({"p_agn": [1.0, 0.5], "p_star": [0.0, 0.5], "label": ["agn", "agn"]})
    assert expected_classes(predictions) == {"agn": 0.75, "star": 0.25}
