"""AlertClassifier: scikit-learn's contract, calibration, priors, columns by name."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from ztfml.errors import ModelError
from ztfml.model.classifier import AlertClassifier
from ztfml.model.folds import object_folds
from ztfml.model.probabilities import probabilities
from ztfml.taxonomy import PROBABILITY_COLUMNS


def expected_failures(estimator):
    return {
        # Leaves have a fewest number of rows, bins of a histogram hold rows, and the
        # held-out part is a fifth of the rows: a row of weight 2 is not two rows (the
        # histogram-based trees of scikit-learn declare the same).
        "check_sample_weight_equivalence_on_dense_data": "leaves and held-out part count rows",
    }


@parametrize_with_checks([AlertClassifier(n_jobs=1)], expected_failed_checks=expected_failures)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def blobs():
    """Three classes that overlap, 600 rows of 300 objects, a tenth of the values missing."""
    rng = np.random.default_rng(3)
    truth = rng.choice(["agn", "sso", "transient"], 300, p=[0.3, 0.5, 0.2])
    centre = pd.DataFrame(
        {"agn": [0.0, 1.5, 0.0], "sso": [1.5, 0.0, 0.0], "transient": [0.0, 0.0, 1.5]}
    )
    y = np.repeat(truth, 2)
    values = rng.normal(size=(600, 3)) + centre[y].to_numpy().T
    values[rng.random(values.shape) < 0.1] = np.nan
    table = pd.DataFrame(values, columns=["fade_rate", "ssdistnr", "sgscore1"])
    return table, y, np.repeat(np.arange(300), 2)


@pytest.fixture(scope="module")
def fitted(blobs):
    table, y, groups = blobs
    return AlertClassifier().fit(table, y, groups=groups)


def test_learns(blobs, fitted):
    table, y, _ = blobs
    assert (fitted.predict(table) == y).mean() > 0.75


def test_same_trees_on_any_number_of_threads(blobs, fitted):
    table, y, groups = blobs
    for n_jobs in (1, 2):
        again = clone(fitted).set_params(n_jobs=n_jobs).fit(table, y, groups=groups)
        assert np.array_equal(again.predict_proba(table), fitted.predict_proba(table))


def test_another_seed_gives_other_trees(blobs, fitted):
    table, y, groups = blobs
    other = AlertClassifier(random_state=1).fit(table, y, groups=groups)
    assert not np.array_equal(other.predict_proba(table), fitted.predict_proba(table))


def test_early_stopping_stops(blobs):
    table, y, groups = blobs
    rng = np.random.default_rng(0)
    noise = AlertClassifier(n_estimators=80).fit(table, rng.permutation(y), groups=groups)
    assert noise.n_rounds_ < 40
    assert noise.booster_.num_trees() == 3 * noise.n_rounds_


def test_all_rounds_at_once(blobs):
    table, y, groups = blobs
    classifier = AlertClassifier(n_estimators=7, early_stopping_rounds=None).fit(table, y)
    assert (classifier.n_rounds_, classifier.temperature_) == (7, 1.0)
    assert np.array_equal(
        classifier.predict_proba(table),
        clone(classifier).fit(table, y, groups=groups).predict_proba(table),
    )


def test_feature_importances(blobs, fitted):
    table, y, groups = blobs
    with_noise = table.assign(noise=np.random.default_rng(0).normal(size=len(table)))
    importance = clone(fitted).fit(with_noise, y, groups=groups).feature_importances_
    assert importance.sum() == pytest.approx(1)
    assert importance[-1] == importance.min()


def test_columns_are_taken_by_name(blobs, fitted):
    table = blobs[0]
    mixed = table[table.columns[::-1]].assign(further=1.0)
    assert np.array_equal(fitted.predict_proba(mixed), fitted.predict_proba(table))


def test_lacking_column_is_refused_by_name(blobs, fitted):
    with pytest.raises(ModelError, match="lacks ssdistnr"):
        fitted.predict_proba(blobs[0].drop(columns="ssdistnr"))


def test_float32_and_float64_agree(blobs, fitted):
    table = blobs[0]
    close = fitted.predict_proba(table.astype(np.float32)) - fitted.predict_proba(table)
    assert (np.abs(close).max(axis=1) < 1e-6).mean() > 0.99  # a value at a threshold may flip


def test_probabilities_have_five_columns_in_order(blobs, fitted):
    table = blobs[0].set_axis(range(1000, 1600))
    given_ = probabilities(fitted, table)
    assert tuple(given_.columns) == PROBABILITY_COLUMNS
    assert (given_[["p_artifact", "p_star"]] == 0).all(axis=None)
    assert np.allclose(given_.sum(axis=1), 1)
    assert given_.index.equals(table.index)
    column = list(fitted.classes_).index("transient")
    assert np.array_equal(given_["p_transient"], fitted.predict_proba(table)[:, column])


def test_probabilities_refuse_other_classes(blobs):
    table, y, _ = blobs
    classifier = AlertClassifier(n_estimators=2).fit(table, np.where(y == "agn", "galaxy", y))
    with pytest.raises(ModelError, match="galaxy"):
        probabilities(classifier, table)


def test_priors_of_the_training_set_change_nothing(blobs, fitted):
    table = blobs[0]
    same = fitted.predict_proba(table, priors=fitted.class_prior_)
    assert np.allclose(same, fitted.predict_proba(table), atol=1e-12)


def test_priors_rescale_the_probabilities(blobs, fitted):
    table = blobs[0]
    new = {"agn": 0.7, "sso": 0.1, "transient": 0.2}
    p = fitted.predict_proba(table)
    expected = p * np.array([0.7, 0.1, 0.2]) / fitted.class_prior_
    expected /= expected.sum(axis=1, keepdims=True)
    assert np.allclose(fitted.predict_proba(table, priors=new), expected)


def test_a_class_that_cannot_occur_gets_nothing(blobs, fitted):
    p = fitted.predict_proba(blobs[0], priors={"agn": 0, "sso": 1, "transient": 1})
    assert (p[:, 0] == 0).all()
    assert np.allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize(
    "priors",
    [{"agn": 1.0}, {"agn": 1, "sso": 1, "transient": -1}, [1, 2], [0, 0, 0], [1, np.nan, 1]],
)
def test_impossible_priors_are_refused(blobs, fitted, priors):
    with pytest.raises(ModelError, match="class fractions"):
        fitted.predict_proba(blobs[0], priors=priors)


def test_class_prior_is_the_weighted_fraction(blobs):
    table, y, _ = blobs
    balanced = AlertClassifier(n_estimators=2, class_weight="balanced").fit(table, y)
    assert np.allclose(balanced.class_prior_, 1 / 3)
    weight = np.where(y == "agn", 0.0, 1.0)
    without = AlertClassifier(n_estimators=2).fit(table, y, sample_weight=weight)
    assert list(without.classes_) == ["sso", "transient"]
    assert np.isclose(without.class_prior_[0], (y == "sso").sum() / (y != "agn").sum())


def test_calibrated_on_unseen_objects():
    """On noisy data the claimed probability of the answer is the fraction that is right."""
    rng = np.random.default_rng(8)
    y = rng.integers(0, 3, 4000)
    X = rng.normal(size=(4000, 8))
    X[np.arange(4000), y] += 1.0
    classifier = AlertClassifier().fit(X[:2000], y[:2000])
    p = classifier.predict_proba(X[2000:])
    assert abs(p.max(axis=1).mean() - (p.argmax(axis=1) == y[2000:]).mean()) < 0.05


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=1, max_size=60),
    st.integers(2, 6),
    st.integers(0, 9),
)
def test_objects_stay_whole_and_classes_are_even(rows, n_folds, seed):
    groups = np.array([g for _, g in rows])
    code_of = {g: c for c, g in reversed(rows)}
    code = np.array([code_of[g] for g in groups])
    fold = object_folds(code, groups, n_folds, seed)
    assert all(len(set(fold[groups == g])) == 1 for g in set(groups))
    objects = pd.DataFrame({"g": groups, "c": code, "f": fold}).drop_duplicates("g")
    for _, one in objects.groupby("c"):
        count = np.bincount(one["f"], minlength=n_folds)
        assert count.max() - count.min() <= 1
        assert (count[0] > 0) == (len(one) >= n_folds)


def test_groups_of_another_length_are_refused(blobs):
    table, y, groups = blobs
    with pytest.raises(ValueError, match="groups has 10"):
        AlertClassifier().fit(table, y, groups=groups[:10])
