"""Boosted trees that tell fast transients from everything else, by all that is known of each.

The terms are few, and add up; trees see what only tells in company, as a fade that is slow for
a kilonova and fast for a supernova that was blue. They are grown by `ztfml.training.fit_ranking` on
simulated nights, and what they give is one term of the score among others.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ztfml.errors import DataError
from ztfml.features import FEATURES
from ztfml.io.lightgbm_text import check_trees, trees_only
from ztfml.taxonomy import PROBABILITY_COLUMNS

LEAST_CHANCE = 0.02
"""Alerts less likely than this to be transients are not asked about: hardly one in fifty of all."""

_GROUPS = ("counts", "timing", "rates", "colour", "context")

INPUTS = (
    *(feature.name for feature in FEATURES if feature.group in _GROUPS),
    *PROBABILITY_COLUMNS,
    "least_fade", "fade_sigmas", "least_rise", "first_rise", "known_for", "time_to_peak",
    "half_time", "above_half", "host_chance", "star_below",
)  # fmt: skip
"""What the trees see: features, probabilities and quantities of `ztfml.ranking.quantities`.

Not among them are the fields of the packet that tell how well it was measured: simulated
detections are tidier than real ones."""

_GROWTH = {
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
_ROUNDS = 500


class Trees(NamedTuple):
    """Trees as they are written, and as LightGBM reads them."""

    text: str
    booster: object

    @property
    def sha256(self):
        """What the settings know the trees by."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()

    def log_odds(self, inputs):
        """How much likelier each row is a fast transient than anything else.

        Parameters
        ----------
        inputs : ndarray, shape (n, len(INPUTS))
            The columns of `INPUTS`, in its order; missing is NaN.

        Returns
        -------
        ndarray, shape (n,)
            The natural logarithm of the odds on a night with as many of both as were trained on.

        Examples
        --------
        >>> load_trees(path, sha256).log_odds(inputs)   # doctest: +SKIP
        """
        if len(inputs) == 0:
            return np.empty(0)
        return self.booster.predict(inputs, raw_score=True)

    def shares(self, inputs):
        """Share out the log odds of each row among the inputs, by TreeSHAP.

        Parameters
        ----------
        inputs : ndarray, shape (n, len(INPUTS))

        Returns
        -------
        ndarray, shape (n, len(INPUTS))
            Their sum and the log odds differ by the same number in every row.

        Examples
        --------
        >>> load_trees(path, sha256).shares(inputs)   # doctest: +SKIP
        """
        return self.booster.predict(inputs, pred_contrib=True)[:, :-1]


def inputs_of(columns, rows):
    """Put together what the trees see of some alerts.

    Parameters
    ----------
    columns : ztfml.ranking.quantities.Columns
    rows : ndarray of bool or int

    Returns
    -------
    ndarray, shape (n_rows, len(INPUTS))

    Examples
    --------
    >>> inputs_of(columns, columns["p_transient"] > LEAST_CHANCE)   # doctest: +SKIP
    """
    return np.column_stack([columns[name][rows] for name in INPUTS])


def grow(inputs, fast, weight):
    """Grow trees, the same each time from the same rows.

    Parameters
    ----------
    inputs : ndarray, shape (n, len(INPUTS))
    fast : ndarray of bool, shape (n,)
    weight : ndarray, shape (n,)
        How often each counts.

    Returns
    -------
    Trees

    Examples
    --------
    >>> grow(inputs, fast, weight).log_odds(inputs)   # doctest: +SKIP
    """
    import lightgbm as lgb

    data = lgb.Dataset(
        inputs, fast.astype(float), weight=weight, params=_GROWTH, feature_name=list(INPUTS)
    )
    booster = lgb.train(_GROWTH, data, _ROUNDS)
    return Trees(trees_only(booster.model_to_string()), booster)


@lru_cache(maxsize=4)
def load_trees(path, sha256):
    """Read trees that were grown with the inputs of today.

    Parameters
    ----------
    path : Path
    sha256 : str
        Of the file.

    Returns
    -------
    Trees

    Raises
    ------
    DataError
        If the file cannot be read, is another than the one meant, or was grown by another ztfml.

    Examples
    --------
    >>> load_trees(Path("ranking_trees.txt"), "3b1f...")   # doctest: +SKIP
    """
    try:
        text = Path(path).read_bytes().decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not plain text"
        raise DataError(f"{path}: the trees of the ranking cannot be read ({reason})") from error
    if hashlib.sha256(text.encode("ascii")).hexdigest() != sha256:
        raise DataError(
            f"{path}: is not the file that its ranking file was written with (sha256); "
            "keep the two that python -m ztfml.training.fit_ranking writes together"
        )
    try:
        check_trees(text, 1, list(INPUTS))
    except ValueError as error:
        raise DataError(
            f"{path}: {error}; fit the ranking anew with this ztfml: "
            "python -m ztfml.training.fit_ranking NIGHT..."
        ) from error
    # LightGBM takes its time to load, and is asked for only here.
    import lightgbm as lgb

    return Trees(text, lgb.Booster(model_str=text))
