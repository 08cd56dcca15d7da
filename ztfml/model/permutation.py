"""Permutation importance: how much worse a model becomes if features are exchanged between objects.

TreeSHAP says what a model uses. Permutation importance (Breiman 2001; Fisher, Rudin & Dominici
2019) says what its predictions need, and it works for any classifier.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ztfml.errors import LabelError
from ztfml.evaluation.metrics import labels_from
from ztfml.model.probabilities import probabilities

__all__ = ["permutation_importance"]


def permutation_importance(
    classifier: Any,
    table: pd.DataFrame,
    y: ArrayLike,
    objects: ArrayLike,
    groups: dict[str, str],
    repeats: int = 5,
    seed: int = 0,
) -> dict:
    """Measure the loss of macro-F1 and recall if the features of a group are exchanged.

    All features of a group are exchanged together, because correlated features replace each other.
    Whole objects are exchanged: all alerts of an object get the values of one other object, so the
    history of an object stays consistent. All objects count the same, whatever their number of
    alerts.

    Parameters
    ----------
    classifier : AlertClassifier or StoredClassifier
        Fitted. Use objects that it was not trained on.
    table : DataFrame, shape (n, n_features)
        The features of the alerts.
    y : array of str, shape (n,)
        Their labels.
    objects : array, shape (n,)
        The object of each alert.
    groups : dict of feature name to group name
        Features without a group stay as they are.
    repeats : int
        Number of random exchanges of each group.
    seed : int

    Returns
    -------
    dict
        ``n``, ``n_objects``, ``macro_f1`` and ``recall`` (of each class) before the exchange, and
        ``groups``: a list of dicts with ``name``, the mean loss ``macro_f1`` and its smallest and
        largest value ``range``, and ``recall``, the mean loss of each class; the most important
        group first.

    Raises
    ------
    LabelError
        If there are fewer than two objects.

    Examples
    --------
    >>> labels, objects = pd.read_csv("night_labels.csv")["label"], night.alerts["objectId"]
    >>> groups = {feature["name"]: feature["group"] for feature in model.card["features"]}
    >>> found = permutation_importance(model.classifier, table, labels, objects, groups, 1)
    >>> {group["name"] for group in found["groups"][:2]} == {"context", "packet"}
    True
    """
    y = np.asarray(y, dtype=str)
    code, names = pd.factorize(np.asarray(objects))
    if len(names) < 2:
        raise LabelError("permutation importance needs alerts of at least two objects; add some")
    weight = 1 / np.bincount(code)[code]
    used = [name for name in classifier.feature_names_in_ if name in groups]
    rng = np.random.default_rng(seed)
    donors = [_donors(code, rng) for _ in range(repeats)]

    def score(columns, rows=None):
        values = table[list(classifier.feature_names_in_)]
        if rows is not None:
            exchanged = values[columns].iloc[rows].set_axis(values.index)
            values = values.assign(**{name: exchanged[name] for name in columns})
        return _scores(y, labels_from(probabilities(classifier, values)), weight)

    f1, recall = score([])
    found = []
    for group in dict.fromkeys(groups[name] for name in used):
        columns = [name for name in used if groups[name] == group]
        scores = [score(columns, rows) for rows in donors]
        losses = [f1 - one for one, _ in scores]
        found.append(
            {
                "name": group,
                "macro_f1": float(np.mean(losses)),
                "range": [float(min(losses)), float(max(losses))],
                "recall": {
                    label: float(np.mean([value - one[label] for _, one in scores]))
                    for label, value in recall.items()
                },
            }
        )
    found.sort(key=lambda one: -one["macro_f1"])
    return {
        "n": len(y),
        "n_objects": len(names),
        "macro_f1": f1,
        "recall": recall,
        "groups": found,
    }


def _donors(code, rng):
    """For each alert, an alert of another object; alerts of one object get those of one donor."""
    order = np.argsort(code, kind="stable")
    size = np.bincount(code)
    first = np.cumsum(size) - size
    # A random cycle: no object is its own donor.
    cycle = rng.permutation(len(size))
    donor = np.empty(len(size), np.int64)
    donor[cycle] = np.roll(cycle, 1)
    position = np.empty(len(code), np.int64)
    position[order] = np.arange(len(code)) - np.repeat(first, size)
    of_row = donor[code]
    return order[first[of_row] + position % size[of_row]]


def _scores(y, guess, weight):
    """Macro-F1 and recall of the classes among the labels, with weights."""
    f1, recall = [], {}
    for label in np.unique(y):
        right = weight[(y == label) & (guess == label)].sum()
        total, named = weight[y == label].sum(), weight[guess == label].sum()
        f1.append(2 * right / (total + named))
        recall[str(label)] = float(right / total)
    return float(np.mean(f1)), recall
