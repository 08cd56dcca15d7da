"""Boosted trees that separate fast transients from everything else.

Trees use combinations: a fade of 0.1 mag/day is slow for a kilonova, and fast for a source that was
blue. Their log odds are part of the score, as the sum of the learned terms
(`ztfml.ranking.learned`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ztfml.ranking.learned import LEARNED
from ztfml.trees import PackedTrees, leaf_numbers, pack_trees, raw_scores

if TYPE_CHECKING:
    from ztfml.ranking.quantities import Columns


@dataclass(frozen=True, eq=False)
class Trees:
    """Trained trees.

    Parameters
    ----------
    text : str
        The trees as LightGBM writes them.
    inputs : tuple of str
        Names of the input columns, in order: features, class probabilities and quantities.
    parsed : sequence of dict
        The same trees, from `ztfml.io.lightgbm_text.parse_trees`.
    """

    text: str
    inputs: tuple[str, ...]
    parsed: Sequence[Mapping[str, np.ndarray]]

    @cached_property
    def packed(self) -> PackedTrees:
        """The trees in the form that is evaluated."""
        return pack_trees(self.parsed)

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
        return raw_scores(self.packed, inputs.T)[0]

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
            changes, _ = self._paths
            # Tree by tree, so that the sum of a row does not depend on the number of rows.
            for one, leaves in zip(changes, leaf_numbers(self.packed, inputs.T), strict=True):
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
        return self._paths[1]

    @cached_property
    def _paths(self):
        """Change of the log odds on the way to each leaf of each tree by term, and the sum at the
        roots."""
        number = {name: k for k, one in enumerate(LEARNED.values()) for name in one.inputs}
        term = [number[name] for name in self.inputs]
        paths = [_paths_of(tree, term) for tree in self.parsed]
        return [changes for changes, _ in paths], sum(root for _, root in paths)


def _paths_of(tree, term):
    """The same for one tree."""
    leaf = tree["leaf_value"].tolist()
    changes = np.zeros((len(leaf), len(LEARNED)))
    if len(leaf) == 1:
        return changes, leaf[0]
    mean = tree["internal_value"].tolist()
    feature, left, right = (
        tree[name].tolist() for name in ("split_feature", "left_child", "right_child")
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
