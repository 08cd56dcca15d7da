"""Recall of the injected events, overall and by kind, brightness, rate and number of nights."""

import numpy as np
import pandas as pd

from ztfml.evaluation.metrics import INTERVAL, N_DRAWS
from ztfml.injection.observing import Injected
from ztfml.injection.populations import KINDS

BRIGHT = 20.0
"""A list should find events that are brighter than this at peak and detected on two nights."""

_MAGNITUDES = (-np.inf, 17, 18, 19, 20, np.inf)
_MAGNITUDE_NAMES = ("up to 17", "17 to 18", "18 to 19", "19 to 20", "over 20")
_RATES = (-np.inf, 0.15, 0.3, 0.6, 1.2, np.inf)
_RATE_NAMES = ("up to 0.15", "0.15 to 0.3", "0.3 to 0.6", "0.6 to 1.2", "over 1.2")
_NIGHTS = (0, 1, 2, 3, 5, np.inf)
_NIGHT_NAMES = ("1", "2", "3", "4 to 5", "over 5")
_BY_RATE = "the same, weighted by event rates"


def recall_table(
    events: pd.DataFrame,
    probabilities: dict[str, dict[int, np.ndarray]],
    expected: dict[str, float],
    seed: int = 0,
) -> dict:
    """Compute the recall of each method in the first rows, overall and for subsets.

    Parameters
    ----------
    events : pandas.DataFrame
        ``events`` of `observing.Injected`.
    probabilities : dict
        For each method and number of rows: the probability of each event to be in these rows.
    expected : dict of str to float
        Expected number of events of each kind in such a night.
    seed : int
        For the bootstrap intervals.

    Returns
    -------
    dict
        Nested: division (``cells``, ``kind``, ``peak magnitude``, ``rate``, ``nights``), subset,
        then ``n`` and ``recall``; ``recall`` has for each method and number of rows (as text)
        ``value`` and ``interval`` (90 %, bootstrap over events). The cells are events detected on
        two nights or more and brighter than 20 mag at peak so far, the same with kinds weighted
        by their expected numbers, events detected on one night and brighter than 20 mag, and
        fainter events. The subsets by kind, magnitude and rate are of the first cell, except
        ``over 20``; those by nights are brighter than 20 mag.

    Examples
    --------
    >>> events = pd.DataFrame(
    ...     {"kind": ["kilonova"] * 2, "n_nights": [2, 3], "peak_mag": [18.5, 19.0], "rate": 0.5}
    ... )
    >>> found = recall_table(events, {"ztfml": {12: np.array([1.0, 0.0])}}, {"kilonova": 3.0})
    >>> found["kind"]["kilonova"]["recall"]["ztfml"]["12"]["value"]
    0.5
    """
    counts = events["kind"].map(events["kind"].value_counts())
    weights = {_BY_RATE: (events["kind"].map(expected) / counts).to_numpy()}
    bright = (events["peak_mag"] < BRIGHT).to_numpy()
    again = (events["n_nights"] >= 2).to_numpy()
    rate = pd.cut(np.abs(events["rate"]), _RATES, labels=_RATE_NAMES)
    magnitude = pd.cut(events["peak_mag"], _MAGNITUDES, labels=_MAGNITUDE_NAMES, right=False)
    nights = pd.cut(events["n_nights"], _NIGHTS, labels=_NIGHT_NAMES)
    slices = {
        "cells": {
            "two nights or more, peak < 20": again & bright,
            _BY_RATE: again & bright,
            "one night, peak < 20": ~again & bright,
            "two nights or more, fainter": again & ~bright,
            "one night, fainter": ~again & ~bright,
        },
        "kind": {name: (events["kind"] == name) & again & bright for name in KINDS},
        "peak magnitude": {name: (magnitude == name) & again for name in _MAGNITUDE_NAMES},
        "rate": {name: (rate == name) & again & bright for name in _RATE_NAMES},
        "nights": {name: (nights == name) & bright for name in _NIGHT_NAMES},
    }
    return {
        title: {
            name: _recall(np.asarray(use), probabilities, weights.get(name), seed)
            for name, use in parts.items()
            if use.any()
        }
        for title, parts in slices.items()
    }


def _recall(use, probabilities, weight, seed):
    rng = np.random.default_rng(seed)
    n = int(use.sum())
    weight = np.ones(n) if weight is None else weight[use]
    draws = rng.integers(0, n, (N_DRAWS, n))
    return {
        "n": n,
        "recall": {
            method: {
                str(top): {
                    "value": float(np.average(values[use], weights=weight)),
                    "interval": np.quantile(
                        np.average(values[use][draws], axis=1, weights=weight[draws]), INTERVAL
                    ).tolist(),
                }
                for top, values in by_top.items()
            }
            for method, by_top in probabilities.items()
        },
    }


def first_nights(injected: Injected, listed: dict[str, np.ndarray]) -> dict:
    """Compute after how many nights of detections events are first in the first 12 rows.

    Each night of an event is ranked with the data up to that night, among the objects of the
    one night that is given.

    Parameters
    ----------
    injected : Injected
    listed : dict
        For each method: the probability of each alert of `injected` to be in the first 12 rows.

    Returns
    -------
    dict
        ``n``: the number of events with a first, second, ... fifth night of detections that are
        brighter than 20 mag by then; ``listed``: for each method the fraction of these that were
        in the first 12 rows on that night or before.

    Examples
    --------
    >>> from ztfml.injection.conditions import Conditions
    >>> from ztfml.injection.observing import inject
    >>> injected = inject(Conditions(night), {"kilonova": 3}, seed=1)
    >>> found = first_nights(injected, {"all": np.ones(len(injected.event))})
    >>> found["listed"]["all"][0]
    1.0
    """
    nights = pd.DataFrame({"event": injected.event, "jd": injected.night.alerts["jd"]})
    nights["mag"] = injected.night.alerts["magpsf"]
    order = np.lexsort([nights["jd"], nights["event"]])
    nights = nights.iloc[order]
    nth = nights.groupby("event").cumcount() + 1
    peak = nights.groupby("event")["mag"].cummin()
    use = [(nth == k) & (peak < BRIGHT) for k in range(1, 6)]
    by_then = {
        method: pd.Series(values[order], index=nights.index).groupby(nights["event"]).cummax()
        for method, values in listed.items()
    }
    return {
        "n": [int(one.sum()) for one in use],
        "listed": {
            method: [float(values[one].mean()) if one.any() else None for one in use]
            for method, values in by_then.items()
        },
    }
