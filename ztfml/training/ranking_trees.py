"""Train the boosted trees of the learned terms of the ranking."""

import numpy as np

from ztfml.io.lightgbm_text import parse_trees, trees_only
from ztfml.ranking.learned import learned_inputs
from ztfml.ranking.trees import Trees

PARAMETERS = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 50,
    # Objects of common kinds have weights far below 1, so the sums of weights are small.
    "min_sum_hessian_in_leaf": 0.0005,
    "feature_fraction": 0.3,
    "lambda_l2": 0.01,
    "max_bin": 127,
    "seed": 1,
    "deterministic": True,
    "force_col_wise": True,
    "feature_pre_filter": False,
    "verbosity": -1,
}
ROUNDS = 650


def train_trees(inputs: np.ndarray, fast: np.ndarray, weight: np.ndarray) -> Trees:
    """Train trees; the same rows give the same trees.

    Parameters
    ----------
    inputs : ndarray, shape (n, n_inputs)
        The columns of `learned_inputs`.
    fast : ndarray of bool, shape (n,)
        The target: whether an object is a fast transient.
    weight : ndarray, shape (n,)
        The sample weights.

    Returns
    -------
    Trees

    Examples
    --------
    >>> x = np.random.default_rng(1).random((400, len(learned_inputs())))
    >>> trees = train_trees(x, x[:, 0] > 0.5, np.ones(400))
    >>> bool(trees.log_odds(x[x[:, 0] > 0.6]).min() > trees.log_odds(x[x[:, 0] < 0.4]).max())
    True
    """
    import lightgbm as lgb

    names = learned_inputs()
    data = lgb.Dataset(
        inputs, fast.astype(float), weight=weight, params=PARAMETERS, feature_name=list(names)
    )
    booster = lgb.train(PARAMETERS, data, ROUNDS)
    text = trees_only(booster.model_to_string())
    return Trees(text, names, parse_trees(text, 1, names))
