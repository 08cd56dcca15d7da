"""Permutation importance by feature group."""

import numpy as np
import pandas as pd
import pytest

from ztfml import AlertClassifier
from ztfml.errors import LabelError
from ztfml.model.permutation import _donors, permutation_importance


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    objects = np.repeat(np.arange(150), rng.integers(1, 6, 150))
    is_star = rng.random(150)[objects] < 0.5
    table = pd.DataFrame(
        {
            "a": is_star + 0.1 * rng.normal(size=len(objects)),
            "b": is_star + 0.1 * rng.normal(size=len(objects)),
            "noise": rng.normal(size=len(objects)),
        }
    )
    y = np.where(is_star, "star", "agn")
    classifier = AlertClassifier(n_estimators=20, min_child_samples=5, feature_fraction=1.0)
    return classifier.fit(table, y), table, y, objects


GROUPS = {"a": "useful", "b": "useful", "noise": "useless"}


def test_groups_that_are_needed_come_first(problem):
    found = permutation_importance(*problem, GROUPS)
    assert [group["name"] for group in found["groups"]] == ["useful", "useless"]
    useful, useless = found["groups"]
    # Half of the objects get the values of the other class.
    assert useful["macro_f1"] == pytest.approx(0.5, abs=0.1)
    assert useful["range"][0] <= useful["macro_f1"] <= useful["range"][1]
    assert useless["macro_f1"] == 0
    assert found["macro_f1"] == 1
    assert found["n_objects"] == 150
    assert set(useful["recall"]) == {"star", "agn"}


def test_correlated_features_need_a_common_group(problem):
    alone = permutation_importance(*problem, {"a": "a", "b": "b"})
    together = permutation_importance(*problem, GROUPS)["groups"][0]["macro_f1"]
    assert sum(group["macro_f1"] for group in alone["groups"]) < together + 0.2


def test_objects_are_exchanged_as_a_whole():
    rng = np.random.default_rng(1)
    code = rng.permutation(np.repeat(np.arange(40), rng.integers(1, 8, 40)))
    donors = _donors(code, np.random.default_rng(2))
    for k in range(40):
        given = set(code[donors[code == k]])
        assert len(given) == 1
        assert given != {k}
    # Each object gives its values to exactly one other.
    assert len({(k, code[donors[code == k]][0]) for k in range(40)}) == 40
    assert len({code[donors[code == k]][0] for k in range(40)}) == 40
    # All alerts of a donor with the same number of alerts are used.
    pairs = [(k, code[donors[code == k]][0]) for k in range(40)]
    for k, donor in pairs:
        n = min((code == k).sum(), (code == donor).sum())
        assert len(set(donors[code == k])) == n


def test_objects_count_the_same(problem):
    """A hundred copies of the alerts of one object change nothing."""
    classifier, table, y, objects = problem
    many = np.r_[np.arange(len(y)), np.tile(np.flatnonzero(objects == 0), 100)]
    found = permutation_importance(classifier, table, y, objects, GROUPS)
    again = permutation_importance(classifier, table.iloc[many], y[many], objects[many], GROUPS)
    assert again["macro_f1"] == found["macro_f1"]
    assert again["groups"][0]["macro_f1"] == pytest.approx(found["groups"][0]["macro_f1"], abs=0.02)


def test_results_are_repeatable(problem):
    first, second = (permutation_importance(*problem, GROUPS, seed=3) for _ in range(2))
    assert first == second


def test_one_object_is_too_few(problem):
    classifier, table, y, _ = problem
    with pytest.raises(LabelError, match="at least two objects"):
        permutation_importance(classifier, table, y, np.zeros(len(y)), GROUPS)
