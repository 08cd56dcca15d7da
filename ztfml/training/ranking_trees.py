"""Train the boosted trees of the ranking."""

import numpy as np

from ztfml.features import FEATURES
from ztfml.io.lightgbm_text import trees_only
from ztfml.ranking.quantities import QUANTITIES
from ztfml.ranking.trees import Trees
from ztfml.taxonomy import PROBABILITY_COLUMNS

PARAMETERS = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 20,
    "min_sum_hessian_in_leaf": 0.05,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "max_bin": 127,
    "seed": 1,
    "deterministic": True,
    "force_col_wise": True,
    "feature_pre_filter": False,
    "verbosity": -1,
}
ROUNDS = 500

# Not the packet group: simulated detections have fewer defects than real ones.
_GROUPS = ("counts", "timing", "rates", "tonight", "colour", "context")


def tree_inputs() -> tuple[str, ...]:
    """Names of the columns that new trees are trained on.

    Returns
    -------
    tuple of str
        Features of six groups, class probabilities, and quantities of the terms.

    Examples
    --------
    >>> "fade_rate" in tree_inputs(), "drb" in tree_inputs()
    (True, False)
    """
    return (
        *(feature.name for feature in FEATURES if feature.group in _GROUPS),
        *PROBABILITY_COLUMNS,
        *(name for name in QUANTITIES if name != "fast_log_odds"),
    )


def train_trees(
    inputs: np.ndarray, names: tuple[str, ...], fast: np.ndarray, weight: np.ndarray
) -> Trees:
    """Train trees; the same rows give the same trees.

    Parameters
    ----------
    inputs : ndarray, shape (n, n_inputs)
    names : tuple of str, length n_inputs
    fast : ndarray of bool, shape (n,)
        The target: whether an object is a fast transient.
    weight : ndarray, shape (n,)
        The sample weights.

    Returns
    -------
    Trees

    Examples
    --------
    >>> x = np.random.default_rng(1).random((400, 2))
    >>> trees = train_trees(x, ("age", "g_r"), x[:, 0] > 0.5, np.ones(400))
    >>> (trees.log_odds(np.array([[0.9, 0.5], [0.1, 0.5]])) > 0).tolist()
    [True, False]
    """
    import lightgbm as lgb

    data = lgb.Dataset(
        inputs, fast.astype(float), weight=weight, params=PARAMETERS, feature_name=list(names)
    )
    booster = lgb.train(PARAMETERS, data, ROUNDS)
    return Trees(trees_only(booster.model_to_string()), names, booster)
