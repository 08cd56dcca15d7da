"""Read the text format of LightGBM's trees, and check it before LightGBM reads it.

We check the text ourselves because LightGBM does not: with a truncated array or a wrong child index
it reads foreign memory, loops forever or aborts the process. Every number is therefore checked in
Python, and a text with one character too many or too few is refused.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ztfml.io.limits import MAX_TREE_DEPTH

_FIELDS = (
    # name, type, and number of values: one, one per split, or one per leaf
    ("num_leaves", "int", "one"),
    ("num_cat", "int", "one"),
    ("split_feature", "int", "split"),
    ("split_gain", "float", "split"),
    ("threshold", "threshold", "split"),
    ("decision_type", "int", "split"),
    ("left_child", "int", "split"),
    ("right_child", "int", "split"),
    ("leaf_value", "float", "leaf"),
    ("leaf_weight", "float", "leaf"),
    ("leaf_count", "int", "leaf"),
    ("internal_value", "float", "split"),
    ("internal_weight", "float", "split"),
    ("internal_count", "int", "split"),
    ("is_linear", "int", "one"),
    ("shrinkage", "float", "one"),
)

# Numeric splits. Bits 2 and 3 give the type of missing values (none, NaN); bit 1 gives the side to
# which they go. ztfml makes no categorical splits (bit 0), and no splits for which 0 is missing.
_DECISION_BITS = 0b1010
MISSING_TYPE = 0b1100
MISSING_IS_NAN = 0b1000
MISSING_TO_LEFT = 0b10

_INT = r"-?\d{1,9}"
_FLOAT = r"-?\d{1,25}(?:\.\d{1,25})?(?:e[+-]?\d{1,3})?"
# The threshold "inf" separates known values from missing ones.
_THRESHOLD = rf"(?:{_FLOAT}|inf)"
# Possessive, so that the memory for a long list does not grow with its length.
_LISTS = {
    kind: re.compile(rf"(?:{number}(?: {number})*+)?+")
    for kind, number in (("int", _INT), ("float", _FLOAT), ("threshold", _THRESHOLD))
}
_RANGE = re.compile(rf"none|\[{_FLOAT}:{_FLOAT}\]")

END = "end of trees\n"


def trees_only(text: str) -> str:
    """Remove the importances and training parameters that LightGBM writes after the trees.

    Parameters
    ----------
    text : str
        Output of ``Booster.model_to_string()``.

    Returns
    -------
    str

    Examples
    --------
    >>> trees_only("tree\\n...\\nend of trees\\n\\nfeature_importances:\\n")
    'tree\\n...\\nend of trees\\n'
    """
    return text[: text.index(END) + len(END)]


def parse_trees(text: str, n_classes: int, features: Sequence[str]) -> list[dict[str, np.ndarray]]:
    """Read trees, and check that they can be evaluated safely.

    Parameters
    ----------
    text : str
        The content of ``model.txt``.
    n_classes : int
        1 if the trees give the log odds of one class.
    features : sequence of str
        In the order of training.

    Returns
    -------
    list of dict of str to ndarray
        The fields of each tree.

    Raises
    ------
    ValueError
        With the fault as part of a sentence, e.g. ``"tree 3 has 29 thresholds, not 30"``.

    Examples
    --------
    >>> parse_trees("tree\\n", 5, ["drb", "fade_rate"])
    Traceback (most recent call last):
        ...
    ValueError: its head says '', not 'version=v4'
    """
    header, blank, rest = text.partition("\n\n")
    sizes = _check_header(header, n_classes, features)
    if not blank or len(rest) != sum(sizes) + len(END):
        raise ValueError("its trees are longer or shorter than its head says")
    begins = np.cumsum([0, *sizes]).tolist()
    blocks = [rest[begin:end] for begin, end in pairwise(begins)]
    if rest[begins[-1] :] != END:
        raise ValueError("it does not end after the last tree")
    trees = _parse_fields(blocks)
    for number, tree in enumerate(trees):
        _check_tree(f"tree {number}", tree, len(features))
    return trees


def splits_without_missing(
    trees: Sequence[dict[str, np.ndarray]], features: Sequence[str]
) -> list[str]:
    """Return the features with splits that treat a missing value as 0.

    LightGBM learns a direction for missing values only if a training row lacks the feature.

    Parameters
    ----------
    trees : sequence of dict
        From `parse_trees`.
    features : sequence of str
        In the order of training.

    Returns
    -------
    list of str

    Examples
    --------
    >>> tree = {"split_feature": np.array([0, 1]), "decision_type": np.array([10, 2])}
    >>> splits_without_missing([tree], ["drb", "n_det"])
    ['n_det']
    """
    found = set()
    for tree in trees:
        missing_type = tree["decision_type"] & MISSING_TYPE
        found.update(tree["split_feature"][missing_type != MISSING_IS_NAN].tolist())
    return [features[k] for k in sorted(found)]


def _check_header(header, n_classes, features):
    """Compare the header with the card, and return the length of each tree in characters."""
    lines = header.split("\n")
    objective = f"multiclass num_class:{n_classes}" if n_classes > 1 else "binary sigmoid:1"
    expected = [
        "tree",
        "version=v4",
        f"num_class={n_classes}",
        f"num_tree_per_iteration={n_classes}",
        "label_index=0",
        f"max_feature_idx={len(features) - 1}",
        f"objective={objective}",
        f"feature_names={' '.join(features)}",
    ]
    for line, wanted in zip(lines, expected, strict=False):
        if line != wanted:
            raise ValueError(f"its head says {line[:60]!r}, not {wanted[:60]!r}")
    if len(lines) != len(expected) + 2:
        raise ValueError(f"its head has {len(lines)} lines, not {len(expected) + 2}")
    infos = _value(lines[-2], "feature_infos", "its head").split(" ")
    if len(infos) != len(features) or not all(map(_RANGE.fullmatch, infos)):
        raise ValueError("the ranges of its features cannot be read")
    sizes = _numbers([_value(lines[-1], "tree_sizes", "its head")], "tree_sizes", "int", "its head")
    sizes = sizes.tolist()
    if not sizes or len(sizes) % n_classes or min(sizes) < 1:
        raise ValueError(f"it holds {len(sizes)} trees, not as many for each class")
    return sizes


def _parse_fields(blocks):
    """Parse each field of all trees at once, which is five times as fast as tree by tree."""
    lines = [block.split("\n") for block in blocks]
    for number, tree in enumerate(lines):
        if tree[0] != f"Tree={number}" or tree[len(_FIELDS) + 1 :] != ["", "", ""]:
            raise ValueError(f"tree {number} does not begin and end as it should")
    trees = [{} for _ in blocks]
    for place, (name, kind, _) in enumerate(_FIELDS, start=1):
        values = [_value(tree[place], name, f"tree {k}") for k, tree in enumerate(lines)]
        lengths = [value.count(" ") + 1 if value else 0 for value in values]
        numbers = _numbers(values, name, kind, "tree {}")
        end = 0
        for tree, length in zip(trees, lengths, strict=True):
            begin, end = end, end + length
            tree[name] = numbers[begin:end]
    return trees


def _check_tree(where, tree, n_features):
    for name, _, each in _FIELDS:
        if each == "one" and len(tree[name]) != 1:
            raise ValueError(f"{where} has {len(tree[name])} numbers for {name}, not 1")
    if tree["num_cat"][0] != 0 or tree["is_linear"][0] != 0:
        raise ValueError(f"{where} is of a kind that ztfml never makes")
    _check_lengths(tree, where)
    _check_splits(tree, n_features, where)


def _check_lengths(tree, where):
    n_leaves = tree["num_leaves"][0]
    if n_leaves < 1:
        raise ValueError(f"{where} has {n_leaves} leaves")
    wanted = {"one": 1, "split": n_leaves - 1, "leaf": n_leaves}
    for name, _, each in _FIELDS:
        found = len(tree[name])
        # A tree of one leaf has a value but no weight.
        if n_leaves == 1 and name in ("leaf_weight", "leaf_count") and found == 0:
            continue
        if found != wanted[each]:
            raise ValueError(f"{where} has {found} numbers for {name}, not {wanted[each]}")


def _check_splits(tree, n_features, where):
    n_splits = tree["num_leaves"][0] - 1
    feature = tree["split_feature"]
    if n_splits and (feature.min() < 0 or feature.max() >= n_features):
        raise ValueError(f"{where} splits on a feature that the model does not have")
    if (tree["decision_type"] & ~_DECISION_BITS).any():
        raise ValueError(f"{where} has a decision of a kind that ztfml never makes")
    # The number of a split is larger than that of its parent, and leaf k is written as -k - 1. If
    # each split and leaf is a child exactly once, the children form one tree.
    children = np.stack([tree["left_child"], tree["right_child"]])
    later = (children < 0) | (children > np.arange(n_splits))
    each_once = np.arange(-n_splits - 1, n_splits)
    if n_splits and not (
        later.all() and np.array_equal(np.sort(children, axis=None), each_once[each_once != 0])
    ):
        raise ValueError(f"the children of {where} do not form one tree")
    depth = _depth(tree["left_child"].tolist(), tree["right_child"].tolist())
    if depth > MAX_TREE_DEPTH:
        raise ValueError(f"{where} has {depth} levels, more than {MAX_TREE_DEPTH}")


def _depth(left, right):
    """Return the number of levels of splits; each split has a larger number than its parent."""
    level = [1] * len(left)
    for split, children in enumerate(zip(left, right, strict=True)):
        for child in children:
            if child > 0:
                level[child] = level[split] + 1
    return max(level, default=0)


def _numbers(values, name, kind, where):
    """Parse lists of numbers; ``where`` has a place for the number of a list with a fault."""
    every = " ".join(filter(None, values))
    if not _LISTS[kind].fullmatch(every):
        bad = next(k for k, value in enumerate(values) if not _LISTS[kind].fullmatch(value))
        raise ValueError(f"{where.format(bad)} holds something other than numbers for {name}")
    numbers = np.fromstring(every, dtype=np.int64 if kind == "int" else np.float64, sep=" ")
    if kind != "threshold" and not np.isfinite(numbers).all():
        bad = next(k for k, value in enumerate(values) if not _are_finite(value))
        raise ValueError(f"{where.format(bad)} holds a number that is too large for {name}")
    return numbers


def _are_finite(value):
    return np.isfinite(np.fromstring(value, sep=" ")).all()


def _value(line, name, where):
    key, _, value = line.partition("=")
    if key != name:
        raise ValueError(f"{where} has {key[:30]!r} where {name} should be")
    return value
