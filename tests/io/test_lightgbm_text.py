"""Trees that would harm LightGBM are refused before it reads them."""

import lightgbm as lgb
import numpy as np
import pytest

from ztfml.io.lightgbm_text import parse_trees, splits_without_missing, trees_only
from ztfml.io.limits import MAX_TREE_DEPTH


def chain_of_splits(n_splits):
    """Train a tree in which each split separates the last of the remaining values."""
    x = np.arange(n_splits + 1, dtype=float)[:, None]
    options = {
        "objective": "binary", "num_leaves": n_splits + 1, "min_data_in_leaf": 1, "verbosity": -1,
        "min_sum_hessian_in_leaf": 0, "max_bin": n_splits + 2, "min_data_in_bin": 1,
    }  # fmt: skip
    data = lgb.Dataset(x, np.arange(n_splits + 1) % 2, feature_name=["drb"], params=options)
    return trees_only(lgb.train(options, data, 1).model_to_string())


def as_chain(text):
    """Rewrite the children so that each split hangs under the one before."""
    lines = text.split("\n")
    n_splits = next(len(line.split()) for line in lines if line.startswith("left_child="))
    left = [*range(1, n_splits), -n_splits]
    right = [-k for k in range(1, n_splits)] + [-n_splits - 1]
    out = []
    for line in lines:
        if line.startswith("left_child="):
            line = "left_child=" + " ".join(map(str, left))
        if line.startswith("right_child="):
            line = "right_child=" + " ".join(map(str, right))
        out.append(line)
    block = "\n".join(out)
    size = len(block) - block.index("Tree=0") - len("end of trees\n")
    return "\n".join(
        f"tree_sizes={size}" if line.startswith("tree_sizes=") else line for line in out
    )


@pytest.mark.parametrize("n_splits", [20, MAX_TREE_DEPTH])
def test_a_deep_tree_is_read(n_splits):
    assert len(parse_trees(as_chain(chain_of_splits(n_splits)), 1, ["drb"])) == 1


def test_a_tree_that_would_overflow_the_stack_is_refused():
    text = as_chain(chain_of_splits(MAX_TREE_DEPTH + 1))
    with pytest.raises(ValueError, match=f"tree 0 has {MAX_TREE_DEPTH + 1} levels"):
        parse_trees(text, 1, ["drb"])


@pytest.mark.parametrize(("missing", "expected"), [(0, ["n_det"]), (3, [])])
def test_a_feature_that_was_never_missing_counts_as_0_if_missing(missing, expected):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    y = x.sum(axis=1) > 0
    x[::7, 0] = np.nan
    x[:missing, 1] = np.nan
    features = ["drb", "n_det"]
    options = {"objective": "binary", "num_leaves": 8, "verbosity": -1}
    trees = lgb.train(options, lgb.Dataset(x, y, feature_name=features), 3)
    parsed = parse_trees(trees_only(trees.model_to_string()), 1, features)
    assert splits_without_missing(parsed, features) == expected
