"""Drift: compare the features of a night with those of the training data.

A model is reliable only for alerts like those it was trained on. The card of a model therefore has
the distribution of each feature in training, by class, in bins of about equal size and with the
fraction of missing values. `drift_table` compares a night with the distribution expected for its
mix of classes, because a night with many asteroids is no reason to distrust the model.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ztfml.compiled import cached
from ztfml.cpus import cpu_count

__all__ = ["describe_drift", "drift_table", "expected_classes", "training_distributions"]

QUANTILES = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)
"""Quantiles of the training values that separate the bins. The first and the last bin are outside
the usual range."""

# Limits above which a feature differs from training. They were measured with the shipped model on
# nights like those of its training (new simulated nights, the real night 2460235.5) and on nights
# with faults (columns of other exports, no history, rb in percent, PS1 distances in arcmin).
MAX_MORE_MISSING = 0.3
"""Fraction of alerts that lack a value, minus that in training: up to 0.25 on nights like training,
0.65 and more on nights without a field."""
MAX_OUTSIDE = 0.15
"""Fraction of alerts outside the usual range, minus that in training: up to 0.1 on nights like
training, 0.17 and more with wrong units or doubled seeing."""
MAX_PSI = 4.0
"""Population stability index: up to 3.5 on nights like training, 4.3 and more with a wrong unit or
without history. A night has few fields and one date, so its distributions are narrower than those
of training, and the usual limit of 0.25 does not apply. The index was chosen because it includes
missing values and rare values: the Kolmogorov-Smirnov distance reaches 0.74 on nights like training
and only 0.62 if all seeing values are doubled."""

MIN_ALERTS = 50
"""With fewer alerts the fractions are too uncertain for a conclusion."""

_PER_UNIT = 10_000
_DIGITS = 6
_SMALLEST = 1e-3
_SHOWN = 3


def training_distributions(table: pd.DataFrame, y: ArrayLike, weight: ArrayLike | None = None):
    """Count the training values of each feature in bins, by class, for the card of a model.

    Parameters
    ----------
    table : DataFrame, shape (n, n_features)
        The features of the training alerts.
    y : array of str, shape (n,)
        Their labels.
    weight : array, shape (n,), optional
        Their weights; only the relative weights within a class count.

    Returns
    -------
    dict
        Feature to ``edges`` (the limits of the bins, in increasing order) and, for each class, the
        number of alerts per 10,000 below the first edge, between the edges, from the last edge on,
        and without a value.

    Examples
    --------
    >>> one = training_distributions(pd.DataFrame({"drb": [0.2, 0.9, np.nan]}), ["agn"] * 3)
    >>> one["drb"]["agn"]
    [0, 3333, 3333, 0, 3333]
    """
    y = np.asarray(y, dtype=str)
    weight = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
    of_class = {str(label): weight * (y == label) for label in np.unique(y)}
    of_class = {label: one / one.sum() for label, one in of_class.items()}
    equal = sum(of_class.values())
    found = {}
    for name in table:
        values = table[name].to_numpy(np.float64)
        edges = _edges(values, equal)
        code = _bins(values, edges)
        found[str(name)] = {"edges": edges.tolist()} | {
            label: _per_unit(np.bincount(code, one, len(edges) + 2))
            for label, one in of_class.items()
        }
    return found


def _edges(values, weight):
    """The distinct quantiles; values equal to the largest quantile are inside the range."""
    known = np.isfinite(values) & (weight > 0)
    if not known.any():
        return np.zeros(0)
    order = np.argsort(values[known], kind="stable")
    total = np.cumsum(weight[known][order])
    at = np.searchsorted(total, np.array(QUANTILES) * total[-1]).clip(max=len(order) - 1)
    edges = np.array([float(f"{value:.{_DIGITS}g}") for value in values[known][order][at]])
    edges[-1] = np.nextafter(edges[-1], np.inf)
    return np.unique(edges)


def _bins(values, edges):
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))


def _per_unit(fractions):
    return [round(one) for one in fractions * _PER_UNIT]


def expected_classes(predictions: pd.DataFrame) -> dict[str, float]:
    """Estimate the fraction of each class in a night from the predictions.

    Parameters
    ----------
    predictions : DataFrame with the columns ``p_<label>``

    Returns
    -------
    dict of str to float
        The mean probability of each class.

    Examples
    --------
    >>> round(sum(expected_classes(predictions).values()), 6)
    1.0
    """
    p = predictions.filter(regex="^p_").mean()
    return {name.removeprefix("p_"): float(value) for name, value in p.items()}


def drift_table(
    table: pd.DataFrame,
    distributions: Mapping[str, Mapping[str, Any]],
    classes: Mapping[str, float],
) -> pd.DataFrame:
    """Compare the features of a night with those of the training data.

    Parameters
    ----------
    table : DataFrame, n rows
        The features of the night; it may have other columns.
    distributions : dict
        As from `training_distributions`.
    classes : dict of str to float
        The fraction of each class in the night, as from `expected_classes`.

    Returns
    -------
    pandas.DataFrame
        One row per feature, the largest drift first: ``feature``; ``missing`` and
        ``missing_training``, the fraction of alerts without a value; ``outside`` and
        ``outside_training``, the fraction outside the range from 1 % to 99 % of the training
        values; ``psi``, the population stability index over all bins, corrected for the number of
        alerts; and ``differs``, whether one of `MAX_MORE_MISSING`, `MAX_OUTSIDE` and `MAX_PSI` is
        exceeded. The order of the alerts has no influence.

    Examples
    --------
    >>> lacking = table.assign(drb=np.nan)
    >>> found = drift_table(lacking, model.card["distributions"], expected_classes(predictions))
    >>> drb = found.set_index("feature").loc["drb"]
    >>> float(drb["missing"]), bool(drb["missing_training"] < 0.5)
    (1.0, True)
    """
    names = [name for name in distributions if name in table]
    rows = [
        _compare(distributions[name], classes, now)
        for name, now in _count(table, names, distributions)
    ]
    columns = ["missing", "missing_training", "outside", "outside_training", "psi"]
    found = pd.DataFrame(rows, columns=columns, dtype=float)
    found.insert(0, "feature", pd.Series(names, dtype="str"))
    found["differs"] = (
        (found["missing"] - found["missing_training"] > MAX_MORE_MISSING)
        | (found["outside"] - found["outside_training"] > MAX_OUTSIDE)
        | (found["psi"] > MAX_PSI)
    )
    return found.sort_values("psi", ascending=False, kind="stable", ignore_index=True)


def _count(table, names, distributions):
    """The number of alerts of the night in each bin, feature by feature."""

    def count(name):
        edges = np.array(distributions[name]["edges"], dtype=np.float64)
        counts = np.zeros(len(edges) + 2, np.int64)
        _count_in_bins(np.ascontiguousarray(table[name], dtype=np.float64), edges, counts)
        return name, counts

    with ThreadPoolExecutor(cpu_count()) as threads:
        return list(threads.map(count, names))


@cached(nogil=True)
def _count_in_bins(values, edges, counts):
    """Count the values below, between and above the edges, and the missing values."""
    # Edge by edge, because the inner loop then has no branch; a search for each value takes
    # twice the time.
    rest = 0
    for value in values:
        rest += value == value
    counts[-1] = len(values) - rest
    for k in range(len(edges)):
        above = 0
        for value in values:
            above += value >= edges[k]
        counts[k] = rest - above
        rest = above
    counts[len(edges)] = rest


def _compare(distribution, classes, counts):
    of_class = [(classes.get(label, 0.0), numbers) for label, numbers in distribution.items()]
    training = sum(part * np.array(numbers) for part, numbers in of_class if part > 0)
    n = int(counts.sum())
    training = np.asarray(training, float) / max(np.sum(training), 1.0)
    now = counts / max(n, 1)
    a, b = np.maximum(now, _SMALLEST), np.maximum(training, _SMALLEST)
    by_chance = (len(counts) - 1) / max(n, 1)
    psi = max(float(((a - b) * np.log(a / b)).sum()) - by_chance, 0.0)
    outside = [float(one[0] + one[-2]) if len(one) > 2 else 0.0 for one in (now, training)]
    return [float(now[-1]), float(training[-1]), *outside, psi]


def describe_drift(drift: pd.DataFrame, n_alerts: int) -> str:
    """Describe the drift of a night in one sentence.

    Parameters
    ----------
    drift : DataFrame
        As from `drift_table`.
    n_alerts : int
        The number of alerts of the night.

    Returns
    -------
    str

    Examples
    --------
    >>> rows = pd.DataFrame(
    ...     [["drb", 1.0, 0.03, 0.0, 0.02, 8.1, True], ["rb", 0.0, 0.0, 0.02, 0.02, 0.1, False]],
    ...     columns=["feature", "missing", "missing_training", "outside", "outside_training",
    ...              "psi", "differs"],
    ... )
    >>> describe_drift(rows, 300)
    '1 of 2 features differs from training: drb is missing in 100 % of the alerts (training 3 %)'
    >>> describe_drift(rows[1:], 300)
    'the night looks like training: none of 1 features differs'
    """
    if n_alerts < MIN_ALERTS:
        return f"{n_alerts} alerts are too few for a comparison with training"
    differing = drift[drift["differs"]]
    if differing.empty:
        return f"the night looks like training: none of {len(drift)} features differs"
    verb = "differs" if len(differing) == 1 else "differ"
    head = f"{len(differing)} of {len(drift)} features {verb} from training"
    return f"{head}: {'; '.join(_reasons(differing))}"


def _reasons(differing: pd.DataFrame) -> Iterable[str]:
    """The largest drift of each kind."""
    more_missing = differing["missing"] - differing["missing_training"]
    outside = differing["outside"] - differing["outside_training"]
    lacking = differing[more_missing > MAX_MORE_MISSING]
    beyond = differing[(outside > MAX_OUTSIDE) & ~differing.index.isin(lacking.index)]
    others = differing.drop(index=lacking.index.union(beyond.index))
    if len(lacking):
        yield f"{_names(lacking)} missing in {_shares(lacking, 'missing')}"
    if len(beyond):
        yield f"{_names(beyond)} outside the usual range in {_shares(beyond, 'outside')}"
    if len(others):
        yield f"{_names(others)} distributed differently"


def _shares(rows, kind):
    now, training = (_span(rows[name]) for name in (kind, f"{kind}_training"))
    return f"{now} of the alerts (training {training})"


def _span(fractions):
    low, high = (f"{100 * value:.0f}" for value in (fractions.min(), fractions.max()))
    return f"{low} %" if low == high else f"{low} to {high} %"


def _names(rows):
    names = rows["feature"].tolist()
    if len(names) == 1:
        return f"{names[0]} is"
    more = len(names) - _SHOWN
    if more > 0:
        return f"{', '.join(names[:_SHOWN])} and {more} more are"
    return f"{', '.join(names[:-1])} and {names[-1]} are"
