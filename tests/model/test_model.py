"""The class Model: features, predictions and ranking of a night, and models of users."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from tests.nights import random_frames
from ztfml import Model, Night, features
from ztfml.errors import DataError, ModelError
from ztfml.model.classifier import AlertClassifier
from ztfml.model.folder import shipped_model
from ztfml.model.save import save_model
from ztfml.ranking import FastTransientScorer
from ztfml.taxonomy import PROBABILITY_COLUMNS


@pytest.fixture(scope="module")
def night():
    return Night.from_frames(*random_frames(3, n_objects=40, max_rows=6), name="small")


@pytest.fixture(scope="module")
def model():
    return Model.load()


@pytest.fixture(scope="module")
def table(night):
    return features.compute(night)


def fit(table):
    y = np.where(table["magpsf"] > table["magpsf"].median(), "star", "sso")
    return AlertClassifier(n_estimators=3, min_child_samples=5).fit(table, y)


def test_the_repr_is_one_short_line(model):
    assert repr(model) == "<Model default: 5 classes, 250 features, 500 trees>"


@pytest.mark.parametrize("method", ["features", "predict", "rank"])
def test_a_table_instead_of_a_night_is_refused(model, night, method):
    with pytest.raises(DataError, match="got a DataFrame, not a Night"):
        getattr(model, method)(night.alerts)


def test_the_default_is_the_shipped_model(model):
    assert model.folder == shipped_model()


def test_features_are_in_the_order_of_the_card(model, night, table):
    found = model.features(night)
    names = [feature["name"] for feature in model.card["features"]]
    assert found.columns.tolist() == names
    pd.testing.assert_frame_equal(found, table[names])


def test_a_known_table_gives_the_same_predictions(model, night, table):
    pd.testing.assert_frame_equal(model.predict(night, table=table), model.predict(night))


def test_a_complete_table_is_not_computed_again(model, night, table, monkeypatch):
    monkeypatch.setattr(features, "compute", None)
    assert len(model.predict(night, table=table)) == len(night)
    assert len(model.rank(night, top=2, table=table)) == 2


def test_ranking_is_that_of_the_scorer(model, night, table):
    predictions, ranked = model.predict_and_rank(night, top=5)
    pd.testing.assert_frame_equal(predictions, model.predict(night))
    expected = FastTransientScorer().rank(night, table, predictions, top=5)
    pd.testing.assert_frame_equal(ranked, expected)
    pd.testing.assert_frame_equal(model.rank(night, top=5), expected)


def test_priors_shift_the_probabilities(model, night):
    priors = {"agn": 0.1, "artifact": 0.1, "sso": 0.1, "star": 0.1, "transient": 0.6}
    likely = model.predict(night, priors)["p_transient"]
    assert likely.gt(model.predict(night)["p_transient"]).all()


def test_features_are_computed_once(model, night, monkeypatch):
    calls = []
    compute = features.compute
    monkeypatch.setattr(
        features, "compute", lambda *args, **named: calls.append(1) or compute(*args, **named)
    )
    model.predict_and_rank(night)
    assert len(calls) == 1


def test_a_classifier_saved_without_a_card_predicts_and_ranks(night, table, tmp_path):
    mine = Model.load(save_model(fit(table), tmp_path / "mine", {}, table))
    expected = fit(table).predict_proba(table)
    found = mine.predict(night)
    assert np.array_equal(found[["p_sso", "p_star"]], expected)
    assert (found["p_agn"] == 0).all()
    assert len(mine.rank(night, top=3)) <= 3
    assert mine.card["features"][0]["version"] == 1


def test_some_features_of_ztfml_are_enough(night, table, tmp_path):
    some = table[["magpsf", "drb", "fade_rate_r"]]
    mine = Model.load(save_model(fit(some), tmp_path / "mine", {}, some))
    assert mine.features(night).columns.tolist() == ["magpsf", "drb", "fade_rate_r"]
    assert np.array_equal(mine.predict(night)["p_sso"], fit(some).predict_proba(some)[:, 0])


def test_features_of_brokers_are_computed(night, tmp_path):
    with_broker = features.compute(night, broker=True)
    mine = Model.load(save_model(fit(with_broker), tmp_path / "mine", {}, with_broker))
    assert "braai" in mine.features(night)
    assert len(mine.predict(night)) == len(night)


def test_features_of_your_own(night, table, tmp_path):
    own = pd.DataFrame({"spin": np.arange(len(night)) % 7.0}, index=night.alerts.index)
    both = table[["magpsf"]].join(own)
    mine = Model.load(save_model(fit(both), tmp_path / "mine", {}, both))
    found = mine.predict(night, table=own)
    assert np.array_equal(found["p_sso"], fit(both).predict_proba(both)[:, 0])
    pd.testing.assert_frame_equal(found, mine.predict(night, table=table.join(own)))
    assert len(mine.rank(night, top=1, table=own)) <= 1
    with pytest.raises(ModelError, match="that ztfml does not compute: spin; add"):
        mine.predict(night)


def test_a_table_of_other_alerts_is_refused(model, night, table):
    with pytest.raises(ModelError, match="one row per alert"):
        model.predict(night, table=table.iloc[1:])


def test_another_version_of_a_feature_is_refused(model, night):
    card = json.loads(json.dumps(model.card))
    card["features"][3]["version"] = 99
    name = card["features"][3]["name"]
    changed = Model(model.classifier, card, model.folder)
    for use in (changed.features, changed.predict, changed.rank):
        with pytest.raises(ModelError, match=f"version 99 of the feature {name}"):
            use(night)


def test_verify_reads_the_folder_again(model, tmp_path):
    assert [check.passed for check in model.verify()] == [True] * 6
    copied = Model.load(shutil.copytree(model.folder, tmp_path / "copied"))
    (copied.folder / "model.txt").write_text("tree\n")
    assert [check.passed for check in copied.verify()] == [True, False]


def test_no_alerts(model, night):
    nothing = night.subset(np.zeros(len(night), bool))
    found = model.predict(nothing)
    assert len(found) == 0
    assert set(PROBABILITY_COLUMNS) <= set(found)


def test_a_drb_of_zero_without_version_gives_the_result_of_a_missing_drb(shared_data):
    path = shared_data / "alerts" / "ztf_alerts_2460235.5.parquet"
    alerts = pd.read_parquet(path).head(40)
    history = pd.read_parquet(path.with_name(f"{path.stem}_prv_candidates.parquet"))
    zero = alerts.assign(**{"candidate.drb": 0.0, "candidate.drbversion": ""})
    missing = alerts.assign(**{"candidate.drb": np.nan})
    found = [Model.load().predict(Night.from_frames(one, history)) for one in (zero, missing)]
    pd.testing.assert_frame_equal(*found, check_exact=True)
    assert not (found[0]["label"] == "artifact").all()


def test_the_shipped_model_knows_every_feature_as_missing():
    (check,) = [one for one in Model.load().verify() if one.check == "missing values"]
    assert check.outcome == "every feature in the trees may be missing"
