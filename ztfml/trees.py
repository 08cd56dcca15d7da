"""Evaluate boosted trees for many rows at once, with the results of LightGBM.

Walking down a tree is slow because the processor cannot predict the branches. Instead, every split
of a tree is evaluated for a block of rows (as in QuickScorer, Lucchese et al. 2015): each row
begins with one bit per leaf, and each split clears the bits of the leaves on its other side. The
bit that remains is the leaf of the row. The compiler vectorizes these loops, which have no branch.

The shipped classifier takes 1.8 microseconds per alert and core, LightGBM 18, and a compiled walk
from node to node 20 to 24. The scores are equal to those of LightGBM to the bit.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from ztfml.compiled import kernel
from ztfml.cpus import cpu_count
from ztfml.io.lightgbm_text import MISSING_IS_NAN, MISSING_TO_LEFT, MISSING_TYPE

_BITS = 64
_ONES = np.array([2**k - 1 for k in range(_BITS + 1)], dtype=np.uint64)
# Rows of a block. The columns of a block that a tree reads fit into the fastest cache.
_BLOCK = 256
_ROWS_PER_TASK = 4096
# LightGBM replaces numbers closer to 0 than this single-precision number by 0.
_NEARLY_ZERO = float(np.float32(1e-35))


class PackedTrees(NamedTuple):
    """Trees in arrays. A tree with more than 64 leaves has several words of up to 64 leaves.

    Attributes
    ----------
    feature : ndarray of int32, shape (n_splits,)
        The column that the split compares. A split is listed for each word that it affects.
    threshold : ndarray, shape (n_splits,)
        Rows with a value of at most this go to the left.
    nan_left : ndarray of bool, shape (n_splits,)
        Whether rows without a value go to the left.
    left, right : ndarray of uint64, shape (n_splits,)
        One bit for each leaf of the word: whether a row can reach it from this side.
    first : ndarray of int64, shape (n_words + 1,)
        Position of the first split of each word.
    all_leaves : ndarray of uint64, shape (n_words,)
        One bit for each leaf of the word.
    tree : ndarray of int64, shape (n_words,)
        The tree of each word.
    value : ndarray, shape (n_words, 65)
        The value of each leaf; last 0, for rows whose leaf is in another word of the tree.
    leaf : ndarray of int64, shape (n_words, 65)
        The number of each leaf in LightGBM; last 0.
    """

    feature: np.ndarray
    threshold: np.ndarray
    nan_left: np.ndarray
    left: np.ndarray
    right: np.ndarray
    first: np.ndarray
    all_leaves: np.ndarray
    tree: np.ndarray
    value: np.ndarray
    leaf: np.ndarray


def pack_trees(parsed: Sequence[Mapping[str, np.ndarray]]) -> PackedTrees:
    """Arrange trees for the evaluation.

    Parameters
    ----------
    parsed : sequence of dict
        From `ztfml.io.lightgbm_text.parse_trees`.

    Returns
    -------
    PackedTrees

    Examples
    --------
    >>> from ztfml.io.lightgbm_text import parse_trees, trees_only
    >>> text = model.classifier.booster_.model_to_string(num_iteration=1)
    >>> names = list(model.classifier.feature_names_in_)
    >>> trees = pack_trees(parse_trees(trees_only(text), 5, names))
    >>> trees.tree.tolist()
    [0, 1, 2, 3, 4]
    """
    ranges = [_leaf_ranges(tree) for tree in parsed]
    start, middle, stop = (np.concatenate([of_tree[k] for of_tree in ranges]) for k in (1, 2, 3))
    splits: list[np.ndarray] = []
    words: list[tuple[Any, ...]] = []
    n_before = 0
    for number, (tree, (order, *_)) in enumerate(zip(parsed, ranges, strict=True)):
        own = np.arange(n_before, n_before + len(order) - 1)
        n_before += len(own)
        for begin in range(0, len(order), _BITS):
            leaves = order[begin : begin + _BITS]
            of_word = own[(start[own] < begin + _BITS) & (stop[own] > begin)]
            splits.append(of_word)
            words.append((begin, len(of_word), number, tree["leaf_value"][leaves], leaves))
    begins, n_splits, tree_of_word, values, leaves_of_word = zip(*words, strict=True)
    used = np.concatenate(splits)
    begin_of = np.repeat(begins, n_splits)
    bits = [_ONES[np.clip(one[used] - begin_of, 0, _BITS)] for one in (start, middle, stop)]
    feature, threshold, nan_left = _conditions(parsed)
    return PackedTrees(
        feature[used],
        threshold[used],
        nan_left[used],
        ~(bits[1] ^ bits[2]),
        ~(bits[0] ^ bits[1]),
        np.cumsum([0, *n_splits]),
        _ONES[[len(leaves) for leaves in leaves_of_word]],
        np.array(tree_of_word),
        _table_of(values, np.float64),
        _table_of(leaves_of_word, np.int64),
    )


def _leaf_ranges(tree):
    """Leaves from left to right, and where those of both children of each split begin and end."""
    left, right = tree["left_child"].tolist(), tree["right_child"].tolist()
    n_splits = len(left)
    # Lists of splits and leaves; leaf k is child -k - 1, the place from the end. Children have
    # larger numbers than their parent.
    n_leaves = [1] * (2 * n_splits + 1)
    for split in reversed(range(n_splits)):
        n_leaves[split] = n_leaves[left[split]] + n_leaves[right[split]]
    start, middle = [0] * len(n_leaves), [0] * n_splits
    for split in range(n_splits):
        start[left[split]] = start[split]
        middle[split] = start[right[split]] = start[split] + n_leaves[left[split]]
    order = np.empty(n_splits + 1, dtype=np.int64)
    order[start[n_splits:][::-1]] = np.arange(n_splits + 1)
    begin, sizes, middle = (
        np.array(one[:n_splits], dtype=np.int64) for one in (start, n_leaves, middle)
    )
    return order, begin, middle, begin + sizes


def _conditions(parsed):
    """Column, threshold and side of missing values of each split of all trees."""
    feature, threshold, decision = (
        np.concatenate([tree[name] for tree in parsed])
        for name in ("split_feature", "threshold", "decision_type")
    )
    may_be_missing = (decision & MISSING_TYPE) == MISSING_IS_NAN
    # Without missing values in training, LightGBM takes a missing value for 0.
    nan_left = np.where(may_be_missing, (decision & MISSING_TO_LEFT) != 0, threshold >= 0)
    nearly_zero = (threshold >= -_NEARLY_ZERO) & (threshold <= _NEARLY_ZERO)
    at_zero = np.where(threshold >= 0, _NEARLY_ZERO, np.nextafter(-_NEARLY_ZERO, -np.inf))
    return feature.astype(np.int32), np.where(nearly_zero, at_zero, threshold), nan_left


def _table_of(rows, dtype):
    table = np.zeros((len(rows), _BITS + 1), dtype)
    for place, row in zip(table, rows, strict=True):
        place[: len(row)] = row
    return table


def raw_scores(trees: PackedTrees, columns: np.ndarray, n_outputs: int = 1) -> np.ndarray:
    """Add the values of the leaves of each row.

    Parameters
    ----------
    trees : PackedTrees
    columns : ndarray of float64, shape (n_columns, n)
        One row per column of the table. In C order nothing is copied.
    n_outputs : int
        Number of classes; their trees alternate.

    Returns
    -------
    ndarray, shape (n_outputs, n)
        The values are added in the order of the trees, as by LightGBM.

    Examples
    --------
    >>> from ztfml.ranking import load_ranking
    >>> trees = load_ranking().trees
    >>> raw_scores(trees.packed, np.full((len(trees.inputs), 2), np.nan)).shape
    (1, 2)
    """
    out = np.zeros((n_outputs, columns.shape[1]))
    _in_threads(partial(_add_values, trees), columns, out)
    return out


def leaf_numbers(trees: PackedTrees, columns: np.ndarray) -> np.ndarray:
    """Find the leaf of each row in each tree.

    Parameters
    ----------
    trees : PackedTrees
    columns : ndarray of float64, shape (n_columns, n)

    Returns
    -------
    ndarray of int64, shape (n_trees, n)
        Numbers of leaves as in LightGBM.

    Examples
    --------
    >>> from ztfml.ranking import load_ranking
    >>> trees = load_ranking().trees
    >>> leaves = leaf_numbers(trees.packed, np.full((len(trees.inputs), 2), np.nan))
    >>> leaves.shape == (len(trees.parsed), 2)
    True
    """
    out = np.zeros((trees.tree[-1] + 1, columns.shape[1]), dtype=np.int64)
    _in_threads(partial(_find_leaves, trees), columns, out)
    return out


def _in_threads(function: Callable, columns: np.ndarray, out: np.ndarray) -> None:
    """Call a compiled function for parts of the rows."""
    columns = np.ascontiguousarray(columns, dtype=np.float64)
    n = columns.shape[1]

    def work(begin):
        bits = np.empty(_BLOCK, dtype=np.uint64)
        function(columns, begin, min(begin + _ROWS_PER_TASK, n), bits, out)

    if n <= _ROWS_PER_TASK:
        work(0)
        return
    with ThreadPoolExecutor(cpu_count()) as threads:
        list(threads.map(work, range(0, n, _ROWS_PER_TASK)))


@kernel
def _add_values(trees, columns, begin, end, bits, out):
    for start in range(begin, end, _BLOCK):
        stop = min(start + _BLOCK, end)
        for word in range(len(trees.tree)):
            _evaluate(trees, columns, word, start, stop, bits)
            of_word, row = trees.value[word], out[trees.tree[word] % len(out)]
            for k in range(stop - start):
                row[start + k] += of_word[trailing_zeros(bits[k])]


@kernel
def _find_leaves(trees, columns, begin, end, bits, out):
    for start in range(begin, end, _BLOCK):
        stop = min(start + _BLOCK, end)
        for word in range(len(trees.tree)):
            _evaluate(trees, columns, word, start, stop, bits)
            of_word, row = trees.leaf[word], out[trees.tree[word]]
            for k in range(stop - start):
                row[start + k] += of_word[trailing_zeros(bits[k])]


@kernel
def _evaluate(trees, columns, word, start, stop, bits):
    """Set the bit of the leaf of each row, or no bit if the leaf is in another word."""
    n = stop - start
    bits[:n] = trees.all_leaves[word]
    for split in range(trees.first[word], trees.first[word + 1]):
        values = columns[trees.feature[split], start:stop]
        threshold, left, right = trees.threshold[split], trees.left[split], trees.right[split]
        # Comparisons with NaN are false.
        if trees.nan_left[split]:
            for k in range(n):
                bits[k] &= right if values[k] > threshold else left
        else:
            for k in range(n):
                bits[k] &= left if values[k] <= threshold else right
