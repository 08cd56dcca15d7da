"""Boosted trees that separate fast transients from everything else.

The terms of the score are few and add up. Trees use combinations: a fade of 0.1 mag/day is slow
for a kilonova, and fast for a source that was blue. `ztfml fit-ranking` trains them on simulated
nights; their result is one term of the score.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ztfml.ranking.quantities import Columns


class Trees(NamedTuple):
    """Trained trees.

    Attributes
    ----------
    text : str
        The trees as LightGBM writes them.
    inputs : tuple of str
        Names of the input columns, in order: features, class probabilities and quantities.
    booster : lightgbm.Booster
    """

    text: str
    inputs: tuple[str, ...]
    booster: Any

    def inputs_from(self, columns: "Columns", rows: np.ndarray) -> np.ndarray:
        """Select the inputs of some alerts.

        Parameters
        ----------
        columns : Columns
        rows : ndarray of bool or int

        Returns
        -------
        ndarray, shape (n_rows, n_inputs)

        Examples
        --------
        >>> from ztfml.ranking import load_ranking
        >>> from ztfml.ranking.quantities import Columns
        >>> ranking = load_ranking()
        >>> columns = Columns(table, predictions, ranking.instrument, ranking.trees)
        >>> ranking.trees.inputs_from(columns, np.array([0, 1])).shape
        (2, 192)
        """
        return np.column_stack([columns[name][rows] for name in self.inputs])

    def log_odds(self, inputs: np.ndarray) -> np.ndarray:
        """Compute the log odds that each row is a fast transient.

        Parameters
        ----------
        inputs : ndarray, shape (n, n_inputs)
            The columns `inputs`, in order; missing values are NaN.

        Returns
        -------
        ndarray, shape (n,)
            Natural logarithm of the odds, for the class mix of the training sample.

        Examples
        --------
        >>> from ztfml.ranking import load_ranking
        >>> bool(load_ranking().trees.log_odds(np.full((1, 192), np.nan))[0] < 0)
        True
        """
        if len(inputs) == 0:
            return np.empty(0)
        return self.booster.predict(inputs, raw_score=True)

    def contributions(self, inputs: np.ndarray) -> np.ndarray:
        """Compute the contribution of each input to the log odds of each row (TreeSHAP).

        Parameters
        ----------
        inputs : ndarray, shape (n, n_inputs)

        Returns
        -------
        ndarray, shape (n, n_inputs)
            The sum of a row differs from its log odds by a constant.

        Examples
        --------
        >>> from ztfml.ranking import load_ranking
        >>> load_ranking().trees.contributions(np.zeros((3, 192))).shape
        (3, 192)
        """
        return self.booster.predict(inputs, pred_contrib=True)[:, :-1]
