"""Cross-validation: objects of the held-out fold are not used in training."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin

from ztfml.model.classifier import AlertClassifier
from ztfml.taxonomy import LABELS
from ztfml.training.cross_validation import cross_validate, predict_held_out


class Memory(ClassifierMixin, BaseEstimator):
    """Predicts agn for objects of the training set and transient for others, to detect leaks."""

    def fit(self, X, y, sample_weight=None, groups=None):
        self.classes_ = np.array(sorted(LABELS))
        self.seen_ = set(X["object"])
        return self

    def predict_proba(self, X, priors=None):
        seen = X["object"].isin(self.seen_).to_numpy()
        return np.where(seen[:, None], np.eye(5)[0], np.eye(5)[4])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abc")), min_size=4, max_size=40),
)
def test_objects_of_the_held_out_fold_are_not_used_in_training(rows):
    groups = np.array([g for g, _ in rows])
    folds = np.array([p for _, p in rows])
    y = np.where(groups % 2 == 0, "star", "sso")
    features = pd.DataFrame({"object": groups})
    table = predict_held_out(Memory(), features, y, groups, folds)
    done = table.notna().all(axis=1)
    assert (table.loc[done, "p_agn"] == 0).all()  # no object is in training
    for fold in set(folds):
        rest = ~np.isin(groups, groups[folds == fold])
        assert done[folds == fold].all() == (len(set(y[rest])) == 2)


def test_weights_can_depend_on_the_training_rows():
    y = np.array(["star", "sso"] * 4)
    folds = np.repeat(["a", "b"], 4)
    masks = []

    def weight(rows):
        masks.append(rows.copy())
        return np.ones(rows.sum()) if rows[:4].any() else np.where(y[rows] == "star", 1.0, 0.0)

    features = pd.DataFrame({"object": np.arange(8)})
    table = predict_held_out(Memory(), features, y, np.arange(8), folds, weight=weight)
    assert [rows.tolist() for rows in masks] == [[False] * 4 + [True] * 4, [True] * 4 + [False] * 4]
    # Without fold "a" only stars have a weight, so it cannot be held out.
    assert table.notna().all(axis=1).tolist() == [False] * 4 + [True] * 4


@pytest.fixture(scope="module")
def easy():
    rng = np.random.default_rng(0)
    y = rng.choice(["sso", "star"], 300)
    X = pd.DataFrame({"a": rng.normal(size=300) + 3 * (y == "sso"), "b": rng.normal(size=300)})
    return X, y, np.arange(300) // 2, np.where(np.arange(300) < 200, "first", "second")


def test_cross_validate(easy):
    X, y, groups, folds = easy
    found = cross_validate(AlertClassifier(n_estimators=20), X, y, groups, folds)
    assert list(found["folds"]) == ["first", "second"]
    assert [found["folds"][p]["n"] for p in ("first", "second")] == [200, 100]
    assert found["pooled"]["n"] == 300
    assert found["pooled"]["accuracy"] > 0.85
    together = sum(np.array(one["confusion"]) for one in found["folds"].values())
    assert found["pooled"]["confusion"] == together.tolist()


def test_some_folds_only(easy):
    X, y, groups, folds = easy
    found = cross_validate(
        AlertClassifier(n_estimators=5), X, y, groups, folds, held_out=["second"]
    )
    assert list(found["folds"]) == ["second"]
    assert found["pooled"]["n"] == 100
