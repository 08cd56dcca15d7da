"""Boosted trees that separate fast transients from everything else.

Trees use combinations: a fade of 0.1 mag/day is slow for a kilonova, and fast for a source that was
blue. Their log odds are part of the score, as the sum of the learned terms
(`ztfml.ranking.learned`).
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ztfml.ranking.learned import LEARNED

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
        >>> inputs = ranking.trees.inputs_from(columns, np.array([0, 1]))
        >>> inputs.shape == (2, len(ranking.trees.inputs))
        True
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
        >>> trees = load_ranking().trees
        >>> bool(trees.log_odds(np.full((1, len(trees.inputs)), np.nan))[0] < 0)
        True
        """
        if len(inputs) == 0:
            return np.empty(0)
        return self.booster.predict(inputs, raw_score=True)

    def terms(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the learned terms of each row.

        Parameters
        ----------
        inputs : ndarray, shape (n, n_inputs)

        Returns
        -------
        dict of str to ndarray, shape (n,)
            The sum of the terms of a row is its log odds minus `base`.

        Examples
        --------
        >>> from ztfml.ranking import load_ranking
        >>> trees = load_ranking().trees
        >>> x = np.array(load_ranking().card["probes"]["values"], float)
        >>> sums = trees.base() + sum(trees.terms(x).values())
        >>> bool(np.abs(sums - trees.log_odds(x)).max() < 1e-9)
        True
        """
        sums = np.zeros((len(inputs), len(LEARNED)))
        if len(inputs):
            changes, _ = _paths(self.text, self.inputs)
            leaf = np.asarray(self.booster.predict(inputs, pred_leaf=True), np.intp)
            # Tree by tree, so that the sum of a row does not depend on the number of rows.
            for one, leaves in zip(changes, leaf.reshape(len(inputs), -1).T, strict=True):
                sums += one[leaves]
        return dict(zip(LEARNED, sums.T, strict=True))

    def base(self) -> float:
        """Return the mean log odds of the training sample of the trees.

        Returns
        -------
        float

        Examples
        --------
        >>> from ztfml.ranking import load_ranking
        >>> load_ranking().trees.base() < 0
        True
        """
        return _paths(self.text, self.inputs)[1]


@lru_cache(maxsize=8)
def _paths(text: str, inputs: tuple[str, ...]) -> tuple[list[np.ndarray], float]:
    """Change of the log odds on the way to each leaf of each tree by term, and the sum at the
    roots."""
    number = {name: k for k, one in enumerate(LEARNED.values()) for name in one.inputs}
    term = [number[name] for name in inputs]
    changes, base = [], 0.0
    for tree in text.split("\n\n\n"):
        field = dict(line.partition("=")[::2] for line in tree.splitlines() if "=" in line)
        if "leaf_value" in field:
            one, root = _paths_of(field, term)
            changes.append(one)
            base += root
    return changes, base


def _paths_of(field, term):
    """The same for one tree, given the fields of its text."""
    leaf = [float(one) for one in field["leaf_value"].split()]
    changes = np.zeros((len(leaf), len(LEARNED)))
    if len(leaf) == 1:
        return changes, leaf[0]
    mean = [float(one) for one in field["internal_value"].split()]
    feature, left, right = (
        [int(one) for one in field[name].split()]
        for name in ("split_feature", "left_child", "right_child")
    )
    stack = [(0, np.zeros(len(LEARNED)))]
    while stack:
        node, before = stack.pop()
        for child in (left[node], right[node]):
            after = before.copy()
            value = leaf[~child] if child < 0 else mean[child]
            after[term[feature[node]]] += value - mean[node]
            if child < 0:
                changes[~child] = after
            else:
                stack.append((child, after))
    return changes, mean[0]
