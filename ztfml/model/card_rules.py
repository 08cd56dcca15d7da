"""What the card of a classifier must contain besides its schema."""

from typing import Any

import numpy as np

from ztfml.io import verified_folder as folders


def _are_probabilities(values, n):
    return len(values) == n and min(values) > 0 and abs(sum(values) - 1) < 1e-6


# What the schema of the card cannot express.
CARD_RULES = (
    # AlertClassifier keeps its classes sorted: any other order is a mistake.
    ("the order of classes", lambda card: card["classes"] == sorted(card["classes"])),
    ("the kind of classifier", lambda card: _is_of_one_kind(card)),
    ("class_prior", lambda card: _is_prior(card["class_prior"], card)),
    (
        "the list of features",
        lambda card: folders.are_names([feature["name"] for feature in card["features"]]),
    ),
    ("probes", lambda card: probe_arrays(card) is not None),
    ("metrics", lambda card: all(_are_complete(one, card["classes"]) for one in card["metrics"])),
    ("the labels in training", lambda card: _known_labels(card) <= set(card["classes"])),
    ("importance", lambda card: _is_of_features(card["importance"], card)),
    ("distributions", lambda card: _are_distributions(card.get("distributions"), card)),
)


def _is_of_one_kind(card):
    """Whether the card has everything about trees, or is that of an own classifier."""
    about_trees = [card[name] is not None for name in ("calibration", "parameters", "rounds")]
    return not any(about_trees) if card.get("estimator") else all(about_trees)


def _is_prior(prior, card):
    if prior is None:
        return bool(card.get("estimator"))
    return _are_probabilities(prior, len(card["classes"]))


def _are_complete(metrics, classes):
    parts = [metrics, *(one for kind in metrics.get("by", {}).values() for one in kind.values())]
    curve = metrics.get("reliability") or {}
    return (
        all(_is_square(one["confusion"], len(one["labels"])) for one in parts)
        and set(classes) <= set(metrics["labels"])
        and set(metrics["per_class"]) == set(metrics["labels"])
        and len({len(values) for values in curve.values()}) <= 1
    )


def _is_square(rows, n):
    return len(rows) == n and all(len(row) == n for row in rows)


def _known_labels(card):
    return {one["label"] for one in card["training"].get("labels", [])}


def _is_of_features(importance, card):
    if importance is None:
        return True
    names = {feature["name"] for feature in card["features"]}
    return {one["name"] for one in importance["features"]} <= names and all(
        set(card["classes"]) <= set(group) for group in importance["groups"]
    )


def _are_distributions(distributions, card):
    """Whether each feature has its bins in order, and counts of known classes for each of them."""
    if distributions is None:
        return True
    names = {feature["name"] for feature in card["features"]}
    return set(distributions) <= names and all(map(_is_distribution, distributions.values()))


def _is_distribution(one):
    edges = np.array(one["edges"], dtype=np.float64)
    counts = np.array([one[label] for label in one if label != "edges"], dtype=np.float64)
    return (
        edges.ndim == 1
        and counts.shape == (len(one) - 1, len(edges) + 2)
        and bool((np.diff(edges) > 0).all() and np.isfinite(edges).all())
        and bool((counts >= 0).all() and (counts <= _PER_UNIT).all())
    )


_PER_UNIT = 10_000


def probe_arrays(card: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the probe rows of a card and their expected probabilities.

    Parameters
    ----------
    card : dict

    Returns
    -------
    values : ndarray, shape (n, n_features)
    expected : ndarray, shape (n, n_classes)

    Raises
    ------
    ValueError
        If a row is incomplete.

    Examples
    --------
    >>> values, expected = probe_arrays(model.card)
    >>> values.shape, expected.shape
    ((16, 250), (16, 5))
    """
    values = np.array(card["probes"]["values"], dtype=np.float64)
    expected = np.array(
        [card["probes"]["expected"][label] for label in card["classes"]], dtype=np.float64
    ).T
    if len(values) == 0 or values.shape != (len(values), len(card["features"])):
        raise ValueError("the number of values differs from the number of features")
    if expected.shape != (len(values), len(card["classes"])) or not np.isfinite(expected).all():
        raise ValueError("a row lacks the probability of a class")
    return values, expected
