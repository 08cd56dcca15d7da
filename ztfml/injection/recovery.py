"""How many injected fast transients come into the first rows of a night's list.

An alert's features, probabilities and score depend on nothing else in the night. So the night's
own objects are scored once and injected ones beside them, and where each would stand follows
from the scores: it is the same as writing the events into the night and ranking it anew.
"""

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.errors import DataError
from ztfml.evaluation.metrics import INTERVAL, N_DRAWS
from ztfml.injection.baselines import BASELINES
from ztfml.injection.conditions import Conditions
from ztfml.injection.observing import inject
from ztfml.injection.populations import KINDS
from ztfml.io.progress import track
from ztfml.labels.label_file import label_rows, labels_of
from ztfml.night import latest_rows
from ztfml.ranking import FastTransientScorer
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS

OURS = "ztfml"
TOPS = (12, 25, 50)
A_NIGHT = 5
REPEATS = 200
BRIGHT = 20.0
"""Brighter than this at peak, and seen on two nights, is what a list has to find."""

_MAGNITUDES = (-np.inf, 17, 18, 19, 20, np.inf)
_MAGNITUDE_NAMES = ("up to 17", "17 to 18", "18 to 19", "19 to 20", "over 20")
_RATES = (-np.inf, 0.15, 0.3, 0.6, 1.2, np.inf)
_RATE_NAMES = ("up to 0.15", "0.15 to 0.3", "0.3 to 0.6", "0.6 to 1.2", "over 1.2")
_NIGHTS = (0, 1, 2, 3, 5, np.inf)
_NIGHT_NAMES = ("1", "2", "3", "4 to 5", "over 5")
# What label files call transients that are fast beyond doubt.
_FAST_BY_NAME = r"FBOT|Ibn|kilonova|afterglow|GRB"


class Stage:
    """A night and the events injected into it, with all that a ranking needs, computed once.

    Parameters
    ----------
    night : Night
    model : Model
    repeats : int
        How many times the night is filled anew.
    a_night : int
        Events injected each time, of all kinds in turn.
    seed : int
        The same seed injects the same events.

    Attributes
    ----------
    night, injected : Night, Injected
    own, theirs : tuple of DataFrame
        Features and probabilities of the alerts of the night and of the events.
    repeat : ndarray of int, shape (n_events,)
        Into which repeat each event goes.

    Raises
    ------
    DataError
        If the night cannot be injected into, or a number is not positive.
    ModelError
        If the model was trained with features that this ztfml does not compute.

    Examples
    --------
    >>> stage = Stage(night, model, repeats=80)   # doctest: +SKIP
    >>> judge(stage, FastTransientScorer(weights))["recall"]   # doctest: +SKIP
    """

    def __init__(self, night, model, repeats=REPEATS, a_night=A_NIGHT, seed=1):
        if repeats < 1 or a_night < 1:
            raise DataError(
                f"cannot inject {a_night} events {repeats} times; ask for at least one of each"
            )
        self.night, self.repeats, self.a_night, self.seed = night, repeats, a_night, seed
        self.own = tables_of(night, model)
        self.injected = inject(Conditions(night), _counts(repeats * a_night), seed)
        self.theirs = tables_of(self.injected.night, model)
        self.repeat = _deal(len(self.injected.events), repeats, seed)


def recover(night, model, scorer=None, repeats=REPEATS, a_night=A_NIGHT, seed=1, labels=None):
    """Inject fast transients into a night, again and again, and see where they rank.

    Parameters
    ----------
    night, model, repeats, a_night, seed
        As for `Stage`.
    scorer, labels
        As for `judge`.

    Returns
    -------
    dict
        As of `judge`.

    Raises
    ------
    DataError, ModelError
        As for `Stage`.

    Examples
    --------
    >>> recover(night, model)["recall"]["cells"]   # doctest: +SKIP
    """
    return judge(Stage(night, model, repeats, a_night, seed), scorer, labels)


def judge(stage, scorer=None, labels=None):
    """Say how many of the events come into the first rows, by our ranking and the baselines.

    Parameters
    ----------
    stage : Stage
    scorer : FastTransientScorer, optional
    labels : pandas.DataFrame, optional
        The night's labels, as of `ztfml.labels.label_file.read_labels`, to tell what else is
        among the first rows, and to set aside the fast transients that the night
        has of its own (by their evidence): a list is no worse for having them.

    Returns
    -------
    dict
        ``recall``: see `recall_table`; ``first_listed``: see `first_nights`; ``first_rows``:
        method to label to the mean number of the night's own objects among the first 12, None
        without labels; ``events``: one dict an event, with its rank in each list;
        ``expected_a_night``: events of each kind that one night of all the sky holds;
        ``set_aside``: objects of the night left out as fast transients themselves; ``night``,
        ``n_alerts``, ``n_objects``, ``repeats``, ``a_night``, ``seed``.

    Examples
    --------
    >>> judge(stage)["recall"]["cells"]   # doctest: +SKIP
    """
    injected, repeat = stage.injected, stage.repeat
    label, fast = known_labels(stage.night, labels)
    rows = latest_rows(stage.night.alerts)
    judged = rows[~fast[rows]]
    own = {
        method: score[judged]
        for method, score in score_all(stage.night, *stage.own, scorer).items()
    }
    theirs = score_all(injected.night, *stage.theirs, scorer)
    latest = _latest(injected)
    shares, listed, ranks = {}, {}, {}
    for method, score in own.items():
        score = np.sort(score)
        among = Among(score, theirs[method][latest], repeat)
        shares[method] = {top: among.share(top) for top in TOPS}
        ranks[method] = among.rank()
        listed[method] = Alone(score, theirs[method]).share(TOPS[0])
    events = injected.events.assign(repeat=repeat)
    return {
        "night": stage.night.name,
        "n_alerts": len(stage.night),
        "n_objects": len(rows),
        "set_aside": len(rows) - len(judged),
        "repeats": stage.repeats,
        "a_night": stage.a_night,
        "seed": stage.seed,
        "recall": recall_table(events, shares, injected.expected, stage.seed),
        "first_listed": first_nights(injected, listed),
        "first_rows": None
        if labels is None
        else _first_rows(own, theirs, latest, repeat, label[judged]),
        "expected_a_night": {kind: float(n) for kind, n in injected.expected.items()},
        "events": _records(events, ranks),
    }


def _counts(n):
    """As many of each kind, and what is over to the first ones."""
    return {name: n // len(KINDS) + (k < n % len(KINDS)) for k, name in enumerate(KINDS)}


def tables_of(night, model):
    """Compute what a ranking needs of each alert.

    Parameters
    ----------
    night : Night
    model : Model

    Returns
    -------
    features, probabilities : pandas.DataFrame, one row an alert

    Examples
    --------
    >>> table, p = tables_of(night, model)   # doctest: +SKIP
    """
    table = features.compute(night)
    return table, model.predict(night, table=table)[list(PROBABILITY_COLUMNS)]


def score_all(night, table, p, scorer=None):
    """Score each alert in every way; ours first.

    Parameters
    ----------
    night : Night
    table, p : pandas.DataFrame
        As of `tables_of`.
    scorer : FastTransientScorer, optional

    Returns
    -------
    dict of str to ndarray, shape (n_alerts,)
        A larger score is nearer to the top; minus infinity is not in the list.

    Examples
    --------
    >>> score_all(night, *tables_of(night, model))["ztfml"]   # doctest: +SKIP
    """
    scorer = scorer or FastTransientScorer()
    ways = {OURS: scorer.score(scorer.terms(table, p))}
    for name, way in track(BASELINES.items(), "ranking in other ways", total=len(BASELINES)):
        ways[name] = way(night, table, p)
    return ways


def known_labels(night, labels):
    """Look up the label of each alert, and whether its evidence tells a fast transient.

    Parameters
    ----------
    night : Night
    labels : pandas.DataFrame or None
        As of `ztfml.labels.label_file.read_labels`.

    Returns
    -------
    label : ndarray of str, shape (n_alerts,)
        ``''`` where there is none.
    fast : ndarray of bool, shape (n_alerts,)

    Examples
    --------
    >>> label, fast = known_labels(night, labels)   # doctest: +SKIP
    """
    if labels is None:
        return np.full(len(night), ""), np.zeros(len(night), bool)
    row = label_rows(night, labels)
    evidence = labels["evidence"].str.contains(_FAST_BY_NAME, case=False, regex=True)
    fast = evidence & (labels["label"] == "transient")
    return labels_of(night, labels), np.append(fast.to_numpy(bool), False)[row]


def _latest(injected):
    """The last alert of each event, in the order of the events."""
    jd = injected.night.alerts["jd"].to_numpy()
    order = np.lexsort([jd, injected.event])
    last = np.append(np.diff(injected.event[order]) > 0, True)
    return order[last]


def _deal(n_events, repeats, seed):
    """Deal the events out to the repeats at random."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1000,)))
    repeat = np.empty(n_events, int)
    repeat[rng.permutation(n_events)] = np.arange(n_events) % repeats
    return repeat


class Among:
    """Alerts put among a night's objects, those of one repeat together.

    Parameters
    ----------
    own : ndarray, shape (n_objects,)
        Scores of the night's objects, rising.
    score : ndarray, shape (n,)
    repeat : ndarray of int, shape (n,)

    Attributes
    ----------
    above, equal : ndarray of int, shape (n,)
        Rows with a larger score, and with the same one, itself included.

    Examples
    --------
    >>> Among(np.array([0.1, 0.9]), np.array([0.5, 0.9]), np.array([0, 0])).share(2)
    array([0., 1.])
    """

    def __init__(self, own, score, repeat):
        self.listed = score > -np.inf
        self.above, self.equal = _above(own, score), _equal(own, score)
        for one in np.unique(repeat):
            beside = repeat == one
            together = np.sort(score[beside])
            self.above[beside] += _above(together, score[beside])
            self.equal[beside] += _equal(together, score[beside])

    def share(self, top):
        """The chance of each to be among the first `top` rows, equals in random order.

        Parameters
        ----------
        top : int

        Returns
        -------
        ndarray, shape (n,)
        """
        return np.where(self.listed, _share(top, self.above, self.equal), 0.0)

    def rank(self):
        """The row each stands in, the middle one among equals; NaN if it is not in the list.

        Returns
        -------
        ndarray, shape (n,)
        """
        return np.where(self.listed, self.above + (self.equal + 1) / 2, np.nan)


class Alone(Among):
    """Alerts put among a night's objects, each without the others.

    >>> Alone(np.array([0.1, 0.9]), np.array([0.5, 0.9])).share(1)
    array([0. , 0.5])
    """

    def __init__(self, own, score):
        self.listed = score > -np.inf
        self.above, self.equal = _above(own, score), _equal(own, score) + 1


def _share(top, above, equal):
    """The chance to be among the first `top` with so many above and equal, oneself included."""
    return np.clip((top - above) / equal, 0.0, 1.0)


def _above(own, score):
    return len(own) - np.searchsorted(own, score, side="right")


def _equal(own, score):
    return np.searchsorted(own, score, side="right") - np.searchsorted(own, score, side="left")


def recall_table(events, shares, expected, seed=0):
    """Recall of each way at each K, in all and in parts.

    Parameters
    ----------
    events : pandas.DataFrame
        As of `observing.Injected`.
    shares : dict
        Method to K to the chance of each event to be among the first K.
    expected : dict of str to float
        How many events of each kind such a night holds.
    seed : int

    Returns
    -------
    dict
        Slice (``cells``, ``kind``, ``peak magnitude``, ``rate``, ``nights``) to part to
        ``n`` and ``recall``: method to K (as text) to ``value`` and ``interval``, which holds
        nine of ten draws of the events. The cells: two nights of detections or more and
        brighter than 20 at peak (as seen so far), the same with each kind as common as it is
        on the sky, one night and brighter than 20, and the fainter ones. Parts by kind,
        magnitude and rate are of the first cell, but for ``over 20``; those by nights are
        brighter than 20.

    Examples
    --------
    >>> recall_table(events, shares, expected)["kind"]["kilonova"]["n"]   # doctest: +SKIP
    """
    counts = events["kind"].map(events["kind"].value_counts())
    common = (events["kind"].map(expected) / counts).to_numpy()
    bright = (events["peak_mag"] < BRIGHT).to_numpy()
    again = (events["n_nights"] >= 2).to_numpy()
    rate = pd.cut(np.abs(events["rate"]), _RATES, labels=_RATE_NAMES)
    magnitude = pd.cut(events["peak_mag"], _MAGNITUDES, labels=_MAGNITUDE_NAMES, right=False)
    nights = pd.cut(events["n_nights"], _NIGHTS, labels=_NIGHT_NAMES)
    slices = {
        "cells": {
            "two nights or more, peak < 20": again & bright,
            _AS_COMMON: again & bright,
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
            name: _recall(np.asarray(use), shares, common if name == _AS_COMMON else None, seed)
            for name, use in parts.items()
            if use.any()
        }
        for title, parts in slices.items()
    }


_AS_COMMON = "the same, kinds as common as they are"


def _recall(use, shares, weight, seed):
    rng = np.random.default_rng(seed)
    n = int(use.sum())
    weight = np.ones(n) if weight is None else weight[use]
    draws = rng.integers(0, n, (N_DRAWS, n))
    return {
        "n": n,
        "recall": {
            method: {
                str(top): {
                    "value": float(np.average(share[use], weights=weight)),
                    "interval": np.quantile(
                        np.average(share[use][draws], axis=1, weights=weight[draws]), INTERVAL
                    ).tolist(),
                }
                for top, share in by_top.items()
            }
            for method, by_top in shares.items()
        },
    }


def first_nights(injected, listed):
    """On which of its nights an event first comes into the first 12 of such a night.

    Every night of an event's life so far is ranked as of then, among the objects of the one
    night there is.

    Parameters
    ----------
    injected : Injected
    listed : dict
        Method to the chance of each alert of `injected` to be among the first 12.

    Returns
    -------
    dict
        ``n``: for the first, second, ... fifth night with a detection how many events
        (brighter than 20 by then) have lived to see it; ``listed``: method to the fraction of
        these that were in the list on that night or before.

    Examples
    --------
    >>> first_nights(injected, listed)["listed"]["ztfml"]   # doctest: +SKIP
    """
    nights = pd.DataFrame({"event": injected.event, "jd": injected.night.alerts["jd"]})
    nights["mag"] = injected.night.alerts["magpsf"]
    order = np.lexsort([nights["jd"], nights["event"]])
    nights = nights.iloc[order]
    nth = nights.groupby("event").cumcount() + 1
    peak = nights.groupby("event")["mag"].cummin()
    use = [(nth == k) & (peak < BRIGHT) for k in range(1, 6)]
    by_then = {
        method: pd.Series(share[order], index=nights.index).groupby(nights["event"]).cummax()
        for method, share in listed.items()
    }
    return {
        "n": [int(one.sum()) for one in use],
        "listed": {
            method: [float(share[one].mean()) if one.any() else None for one in use]
            for method, share in by_then.items()
        },
    }


def _first_rows(own, theirs, latest, repeat, label):
    """Mean numbers of the night's own objects among the first 12, equals in random order."""
    found = {}
    for method, score in own.items():
        rising = np.sort(score)
        above, equal = _above(rising, score), _equal(rising, score)
        near = np.flatnonzero((above < TOPS[0]) & (score > -np.inf))
        shares = []
        for k in range(repeat.max() + 1):
            beside = np.sort(theirs[method][latest[repeat == k]])
            higher = above[near] + _above(beside, score[near])
            alike = equal[near] + _equal(beside, score[near])
            shares.append(_share(TOPS[0], higher, alike))
        share = np.mean(shares, axis=0)
        found[method] = {kind: float(share[label[near] == kind].sum()) for kind in LABELS}
    return found


def _records(events, ranks):
    """Each event with its rank in each list, as plain values."""
    table = events.assign(**{f"rank: {method}": rank for method, rank in ranks.items()})
    return [
        {name: _plain(value) for name, value in record.items()}
        for record in table.to_dict("records")
    ]


def _plain(value):
    if isinstance(value, str):
        return value
    return None if np.isnan(value) else round(float(value), 4)
