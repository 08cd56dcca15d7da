"""Check the text format of LightGBM's trees before LightGBM reads it.

We check the text ourselves because LightGBM does not: with a truncated array or a wrong child index
it reads foreign memory, loops forever or aborts the process. Every number is therefore checked in
Python, and a text with one character too many or too few is refused.
"""

import re
from collections.abc import Sequence

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

# Numeric splits. Bits 2 and 3 give the type of missing values (none, zero, NaN); bit 1 gives the
# side to which they go. Bit 0 means a categorical split, which ztfml does not use.
_DECISIONS = (0, 2, 4, 6, 8, 10)
_MISSING_TYPE = 0b1100
_MISSING_IS_NAN = 0b1000

_INT = r"-?\d{1,9}"
_FLOAT = r"-?\d{1,25}(?:\.\d{1,25})?(?:e[+-]?\d{1,3})?"
# The threshold "inf" separates known values from missing ones.
_THRESHOLD = rf"(?:{_FLOAT}|inf)"
_LISTS = {
    kind: re.compile(rf"(?:{number}(?: {number})*)?")
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


def check_trees(text: str, n_classes: int, features: Sequence[str]) -> int:
    """Check that LightGBM can read and evaluate trees safely.

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
    int
        The number of trees.

    Raises
    ------
    ValueError
        With the fault as part of a sentence, e.g. ``"tree 3 has 29 thresholds, not 30"``.

    Examples
    --------
    >>> check_trees("tree\\n", 5, ["drb", "fade_rate"])
    Traceback (most recent call last):
        ...
    ValueError: its head says '', not 'version=v4'
    """
    header, blank, rest = text.partition("\n\n")
    sizes = _check_header(header, n_classes, features)
    if not blank or len(rest) != sum(sizes) + len(END):
        raise ValueError("its trees are longer or shorter than its head says")
    begin = 0
    for number, size in enumerate(sizes):
        _check_tree(number, rest[begin : begin + size], len(features))
        begin += size
    if rest[begin:] != END:
        raise ValueError("it does not end after the last tree")
    return len(sizes)


def splits_without_missing(text: str, features: Sequence[str]) -> list[str]:
    """Return the features with splits that treat a missing value as 0.

    LightGBM learns a direction for missing values only if a training row lacks the feature.

    Parameters
    ----------
    text : str
        The content of ``model.txt``, after `check_trees`.
    features : sequence of str
        In the order of training.

    Returns
    -------
    list of str

    Examples
    --------
    >>> tree = "split_feature=0 1\\nthreshold=0.5 3\\ndecision_type=10 2\\n"
    >>> splits_without_missing(tree, ["drb", "n_det"])
    ['n_det']
    """
    found = set()
    split_features = re.findall(r"^split_feature=(.*)$", text, re.M)
    decisions = re.findall(r"^decision_type=(.*)$", text, re.M)
    for feature, decision in zip(split_features, decisions, strict=True):
        missing_type = np.array(decision.split(), dtype=np.int64) & _MISSING_TYPE
        found.update(np.array(feature.split(), dtype=np.int64)[missing_type != _MISSING_IS_NAN])
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
    sizes = _numbers(lines[-1], "tree_sizes", "int", "its head").tolist()
    if not sizes or len(sizes) % n_classes or min(sizes) < 1:
        raise ValueError(f"it holds {len(sizes)} trees, not as many for each class")
    return sizes


def _check_tree(number, block, n_features):
    where = f"tree {number}"
    lines = block.split("\n")
    if lines[0] != f"Tree={number}" or lines[len(_FIELDS) + 1 :] != ["", "", ""]:
        raise ValueError(f"{where} does not begin and end as it should")
    tree = {
        name: _numbers(line, name, kind, where)
        for line, (name, kind, _) in zip(lines[1:], _FIELDS, strict=False)
    }
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
    if not np.isin(tree["decision_type"], _DECISIONS).all():
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


def _numbers(line, name, kind, where):
    value = _value(line, name, where)
    if not _LISTS[kind].fullmatch(value):
        raise ValueError(f"{where} holds something other than numbers for {name}")
    numbers = np.array(value.split(), dtype=np.int64 if kind == "int" else np.float64)
    if kind != "threshold" and not np.isfinite(numbers).all():
        raise ValueError(f"{where} holds a number that is too large for {name}")
    return numbers


def _value(line, name, where):
    key, _, value = line.partition("=")
    if key != name:
        raise ValueError(f"{where} has {key[:30]!r} where {name} should be")
    return value
