"""Extending a model with a few labels."""

import numpy as np
import pandas as pd
import pytest

from ztfml.errors import LabelError, ModelError
from ztfml.io.companions import labels_beside
from ztfml.model.classifier import AlertClassifier
from ztfml.model.model import Model
from ztfml.model.save import save_model
from ztfml.night import Night
from ztfml.simulate import write_nights
from ztfml.training import extend as module
from ztfml.training.extend import Extension, extend
from ztfml.training.trained_objects import is_trained_on

N_LABELS = 60


@pytest.fixture(autouse=True)
def _little_ballast(monkeypatch):
    monkeypatch.setattr(module, "_N_BALLAST", 300)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    (path,) = write_nights(tmp_path_factory.mktemp("night"), 400, seed=3, mix="balanced")
    return path


@pytest.fixture(scope="module")
def marks(night):
    """Labels of real asteroids that are all called stars, by eye."""
    labels = pd.read_csv(labels_beside(night))
    some = labels[labels["label"] == "sso"].head(N_LABELS)
    path = night.with_name("marks.csv")
    some.assign(label="star", evidence="by eye", confidence="high").to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def extended(night, marks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "extended"
    report = extend([night], Model.load(), folder, [marks])
    return Model.load(folder), report


def test_an_extension_learns_new_labels(night, marks, extended):
    model, report = extended
    loaded = Night.load(night)
    labels = pd.read_csv(labels_beside(night))
    others = (labels["label"] == "sso") & ~labels["candid"].isin(pd.read_csv(marks)["candid"])
    before, after = (one.predict(loaded) for one in (Model.load(), model))
    # These labels are wrong, and the model is nearly certain: the probability was below 0.001.
    assert before["p_star"][others].mean() < 0.001
    assert after["p_star"][others].mean() > 0.03
    stars = labels["label"] == "star"
    assert ((before["label"] == after["label"])[stars]).mean() > 0.95
    assert f"of {len(pd.read_csv(marks))} new labels" in report
    assert "5 folds of objects" in report


def test_an_extension_is_an_ordinary_model(marks, extended):
    model, base = extended[0], Model.load()
    assert all(check.passed for check in model.verify())
    assert model.card["rounds"] - base.card["rounds"] in module.ROUNDS
    n_labels = len(pd.read_csv(marks))
    assert f"was extended with {n_labels} labels" in model.card["training"]["rules"][-1]
    assert base.card["model"]["sha256"][:12] in model.card["training"]["rules"][-1]
    assert is_trained_on(pd.read_csv(marks)["objectId"].to_numpy(str), model.card).all()
    first = model.card["metrics"][0]["title"]
    assert first == f"Before the extension: {base.card['metrics'][0]['title']}"


def test_an_extension_can_be_extended(night, marks, extended, tmp_path, monkeypatch):
    monkeypatch.setattr(Extension, "cross_validate", lambda self: (10, np.zeros(6, int)))
    extend([night], extended[0], tmp_path / "again", [marks])
    again = Model.load(tmp_path / "again")
    assert again.card["rounds"] == extended[0].card["rounds"] + 10
    assert again.card["metrics"] == extended[0].card["metrics"]


def test_no_trees_are_added_if_they_predict_no_better(night, marks, tmp_path, monkeypatch):
    monkeypatch.setattr(Extension, "cross_validate", lambda self: (0, np.full(6, 7)))
    report = extend([night], Model.load(), tmp_path / "same", [marks])
    assert "predicts 7 of" in report
    assert "so no trees were added" in report
    same, base = Model.load(tmp_path / "same"), Model.load()
    assert same.card["rounds"] == base.card["rounds"]
    loaded = Night.load(night)
    pd.testing.assert_frame_equal(same.predict(loaded), base.predict(loaded))


def test_labels_of_few_objects_are_not_tested(night, marks, tmp_path):
    pd.read_csv(marks).head(5).to_csv(tmp_path / "few.csv", index=False)
    report = extend([night], Model.load(), tmp_path / "few", [tmp_path / "few.csv"])
    assert "too few to test the extension" in report
    rounds = Model.load(tmp_path / "few").card["rounds"]
    assert rounds == Model.load().card["rounds"] + module.UNTESTED_ROUNDS


def test_unusable_labels_are_refused(night, marks, tmp_path):
    labels = pd.read_csv(marks)
    labels.assign(candid=labels["candid"] + 10**6, objectId="").to_csv(
        tmp_path / "other.csv", index=False
    )
    with pytest.raises(LabelError, match="no alert is labelled"):
        extend([night], Model.load(), tmp_path / "m", [tmp_path / "other.csv"])
    assert not (tmp_path / "m").exists()


def _small_model(folder, names, classes):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(200, len(names))), columns=names)
    classifier = AlertClassifier(n_estimators=2).fit(table, np.resize(classes, 200))
    return Model.load(save_model(classifier, folder, {}, table))


def test_a_class_that_the_model_lacks_is_refused(night, marks, tmp_path):
    model = _small_model(tmp_path / "two", ["drb", "magpsf"], ["agn", "sso"])
    with pytest.raises(LabelError, match="labels of class star, which the model two does not have"):
        extend([night], model, tmp_path / "m", [marks])


def test_features_that_cannot_be_computed_are_refused(night, marks, tmp_path):
    model = _small_model(tmp_path / "own", ["drb", "my_feature"], ["star", "sso"])
    with pytest.raises(ModelError, match="features that training does not compute"):
        extend([night], model, tmp_path / "m", [marks])


def test_an_old_definition_of_a_feature_is_refused(night, marks, tmp_path):
    model = _small_model(tmp_path / "old", ["drb", "magpsf"], ["star", "sso"])
    model.card["features"][0]["version"] = 99
    with pytest.raises(ModelError, match="version 99 of the feature drb"):
        extend([night], model, tmp_path / "m", [marks])
