"""How the alerts of a night are divided among classes and populations."""

from collections.abc import Sequence

import numpy as np

from ztfml.simulate.registry import Population
from ztfml.taxonomy import LABELS

MIXES = {
    # Fractions measured on a public night without quality cuts.
    "natural": {"artifact": 0.30, "sso": 0.20, "star": 0.42, "agn": 0.07, "transient": 0.01},
    "balanced": dict.fromkeys(LABELS, 0.2),
    # For learning to separate the types of transients, and the stars that resemble them.
    "transients": {"artifact": 0.03, "sso": 0.07, "star": 0.3, "agn": 0.1, "transient": 0.5},
    # For training the ranking: short-lived transients of no known kind.
    "fast": {"artifact": 0.0, "sso": 0.0, "star": 0.0, "agn": 0.0, "transient": 1.0},
}
"""Fractions of the classes, by the name of the mix."""


def alert_quotas(
    rng: np.random.Generator, populations: Sequence[Population], n_alerts: int, mix: str
) -> np.ndarray:
    """Divide the alerts of a night among populations.

    The quotas are integers that add up to `n_alerts`. Rare populations get their fraction of
    an alert at random, by systematic sampling: the cumulative fractions are rounded after
    adding one random offset.

    Parameters
    ----------
    rng : numpy.random.Generator
    populations : sequence of Population
    n_alerts : int
    mix : {'natural', 'balanced', 'transients', 'fast'}

    Returns
    -------
    ndarray of int, shape (n_populations,)

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> int(alert_quotas(np.random.default_rng(1), POPULATIONS, 500, "balanced").sum())
    500
    """
    weights = np.array([_weight(population, mix) for population in populations])
    label = np.array([population.label for population in populations])
    for name, fraction in MIXES[mix].items():
        if fraction:
            weights[label == name] *= fraction / weights[label == name].sum()
    bounds = np.floor(np.cumsum(weights) * n_alerts + rng.random())
    bounds[-1] = n_alerts
    return np.diff(bounds, prepend=0).astype(int)


def _weight(population, mix):
    if mix == "natural":
        return population.fraction
    if mix == "fast":
        return population.fast_weight
    if population.balanced_weight is not None:
        return population.balanced_weight
    return population.fraction**0.5
