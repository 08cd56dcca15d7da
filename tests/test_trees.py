"""Trees give the scores and leaves of LightGBM, for any values of the features."""

import os
import re
import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztfml.io.lightgbm_text import parse_trees, trees_only
from ztfml.trees import leaf_numbers, pack_trees, raw_scores

NAMES = ["drb", "magpsf", "n_det"]
SPECIAL = (
    np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, float(np.float32(1e-35)), 1e-36, -5e-324,
    2e-35, -2e-35, 1e300, -1e300, 1.0, -1.0,
)  # fmt: skip


def boost(x, y, rounds=4, n_classes=1, **options):
    objective = {"objective": "multiclass", "num_class": n_classes} if n_classes > 1 else {}
    options = {
        "objective": "binary", "verbosity": -1, "num_threads": 1, "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 1e-9, "min_data_in_bin": 1, "feature_pre_filter": False,
        **objective, **options,
    }  # fmt: skip
    names = NAMES[: x.shape[1]]
    booster = lgb.train(options, lgb.Dataset(x, y, feature_name=names, params=options), rounds)
    # Only the ranges of the training values may not be infinite in a model of ztfml.
    text = re.sub(r"-?inf\b(?=[\]:])", "9", trees_only(booster.model_to_string()))
    packed = pack_trees(parse_trees(text, n_classes, names))
    return lgb.Booster(model_str=text), packed


def assert_equal(booster, packed, x, n_classes=1):
    expected = booster.predict(x, raw_score=True, num_threads=1).reshape(len(x), -1)
    assert np.array_equal(raw_scores(packed, x.T, n_classes).T, expected)
    leaves = booster.predict(x, pred_leaf=True, num_threads=1).reshape(len(x), -1)
    assert np.array_equal(leaf_numbers(packed, x.T).T, leaves)


def random_table(rng, n, with_missing=True):
    x = rng.normal(size=(n, len(NAMES)))
    odd = rng.random(x.shape) < 0.3
    x[odd] = rng.choice(SPECIAL if with_missing else SPECIAL[1:], odd.sum())
    return x


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    leaves=st.sampled_from((2, 7, 31, 64, 65, 200)),
    n_classes=st.sampled_from((1, 3)),
    with_missing=st.booleans(),
)
def test_scores_and_leaves_are_those_of_lightgbm(seed, leaves, n_classes, with_missing):
    rng = np.random.default_rng(seed)
    x = random_table(rng, 500, with_missing)
    y = rng.integers(0, max(2, n_classes), 500)
    booster, packed = boost(x, y, 2, n_classes, num_leaves=leaves)
    assert_equal(booster, packed, random_table(rng, 700), n_classes)


def test_a_tree_with_many_leaves_is_evaluated():
    x = np.random.default_rng(1).random((4000, 1))
    booster, packed = boost(x, np.arange(4000) % 2, 1, num_leaves=1000, max_bin=5000)
    assert len(packed.tree) > 10
    assert_equal(booster, packed, x)


def test_a_tree_without_splits_is_evaluated():
    x = np.zeros((50, 3))
    booster, packed = boost(x, np.arange(50) % 5 == 0, 2)
    assert packed.feature.size == 0
    scores = raw_scores(packed, x[:2].T)[0]
    assert np.array_equal(scores, booster.predict(x[:2], raw_score=True))


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 9000])
def test_the_score_of_a_row_does_not_depend_on_the_other_rows(n):
    rng = np.random.default_rng(2)
    booster, packed = boost(random_table(rng, 500), rng.integers(0, 2, 500), num_leaves=15)
    x = random_table(rng, 9000)
    every = raw_scores(packed, x.T)
    assert np.array_equal(raw_scores(packed, x[:n].T), every[:, :n])
    assert np.array_equal(every[0], booster.predict(x, raw_score=True, num_threads=1))


def test_a_split_for_which_zero_is_missing_is_refused():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 3, (300, 3)).astype(float)
    with pytest.raises(ValueError, match="a decision of a kind that ztfml never makes"):
        boost(x, x[:, 0] > 0, zero_as_missing=True)


def test_an_empty_cache_is_filled_once(tmp_path):
    code = (
        "from ztfml.model.model import Model; from ztfml import trees; Model.load();"
        "stats = trees._add_values.stats;"
        "print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def run():
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout.split()

    assert run() == ["0", "1"]
    assert run() == ["1", "0"]
