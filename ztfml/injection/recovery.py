"""Measure how many injected fast transients the ranking puts in the first rows.

Features, probabilities and score of an alert do not depend on the other objects of the night. So
the objects of the night and the injected events are scored separately, and the positions follow
from the scores. The result is the same as for a night into which the events were written.
"""

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.errors import DataError
from ztfml.injection.baselines import BASELINES
from ztfml.injection.conditions import Conditions
from ztfml.injection.observing import inject
from ztfml.injection.populations import KINDS
from ztfml.injection.positions import (
    GroupPositions,
    SinglePositions,
    count_above,
    count_equal,
    probability_in_top,
)
from ztfml.injection.recall import first_nights, recall_table
from ztfml.io.progress import track
from ztfml.labels.label_file import label_rows, labels_of
from ztfml.model.model import Model
from ztfml.night import Night, latest_rows
from ztfml.ranking import FastTransientScorer
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS

OURS = "ztfml"
TOPS = (12, 25, 50)
A_NIGHT = 5
REPEATS = 200

# Evidence in label files that marks a transient as fast.
_FAST_EVIDENCE = r"FBOT|Ibn|kilonova|afterglow|GRB"


class Stage:
    """A night and the events injected into it, with features and probabilities.

    Parameters
    ----------
    night : Night
    model : Model
    repeats : int
        How often a new set of events is injected.
    a_night : int
        Events injected each time, of all kinds in turn.
    seed : int
        The same seed injects the same events.

    Attributes
    ----------
    night, injected : Night, Injected
    own, theirs : tuple of DataFrame
        Features and probabilities of the alerts of the night, and of the alerts of the events.
    repeat : ndarray of int, shape (n_events,)
        The repeat in which each event is injected.

    Raises
    ------
    DataError
        If events cannot be injected into the night, or a number is not positive.
    ModelError
        If the model was trained with features that this ztfml does not compute.

    Examples
    --------
    >>> stage = Stage(night, model, repeats=2)
    >>> len(stage.injected.events)
    10
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
        self.repeat = _assign(len(self.injected.events), repeats, seed)


def recover(
    night: Night,
    model: Model,
    scorer: FastTransientScorer | None = None,
    repeats: int = REPEATS,
    a_night: int = A_NIGHT,
    seed: int = 1,
    labels: pd.DataFrame | None = None,
) -> dict:
    """Inject fast transients into a night repeatedly and measure how the ranking finds them.

    Parameters
    ----------
    night, model
        As for `Stage`.
    scorer
        As for `judge`.
    repeats, a_night, seed
        As for `Stage`.
    labels
        As for `judge`.

    Returns
    -------
    dict
        The result of `judge`.

    Raises
    ------
    DataError, ModelError
        As for `Stage`.

    Examples
    --------
    >>> found = recover(night, model, repeats=2)
    >>> len(found["events"])
    10
    """
    return judge(Stage(night, model, repeats, a_night, seed), scorer, labels)


def judge(
    stage: Stage, scorer: FastTransientScorer | None = None, labels: pd.DataFrame | None = None
) -> dict:
    """Measure how many events the ranking and the baselines put in the first rows.

    Parameters
    ----------
    stage : Stage
    scorer : FastTransientScorer, optional
    labels : pandas.DataFrame, optional
        The labels of the night, from `ztfml.labels.label_file.read_labels`. They tell which
        other objects are in the first rows, and which objects of the night are fast transients
        themselves; these are left out, because they belong in the list.

    Returns
    -------
    dict
        ``recall``: see `recall_table`; ``first_listed``: see `first_nights`; ``first_rows``: for
        each method and class the mean number of objects of the night in the first 12 rows, None
        without labels; ``events``: one dict per event, with its rank in each list;
        ``expected_a_night``: expected events of each kind per night, over the whole sky;
        ``set_aside``: number of fast transients of the night that are left out; ``night``,
        ``n_alerts``, ``n_objects``, ``repeats``, ``a_night``, ``seed``.

    Examples
    --------
    >>> found = judge(Stage(night, model, repeats=2))
    >>> sorted(found["recall"])
    ['cells', 'kind', 'nights', 'peak magnitude', 'rate']
    """
    injected, repeat = stage.injected, stage.repeat
    label, fast = known_labels(stage.night, labels)
    rows = latest_rows(stage.night.alerts)
    judged = rows[~fast[rows]]
    table, p = stage.own
    own = {
        method: score[judged] for method, score in score_all(stage.night, table, p, scorer).items()
    }
    table, p = stage.theirs
    theirs = score_all(injected.night, table, p, scorer)
    latest = _latest(injected)
    probabilities, listed, ranks = {}, {}, {}
    for method, score in own.items():
        score = np.sort(score)
        positions = GroupPositions(score, theirs[method][latest], repeat)
        probabilities[method] = {top: positions.probability(top) for top in TOPS}
        ranks[method] = positions.rank()
        listed[method] = SinglePositions(score, theirs[method]).probability(TOPS[0])
    events = injected.events.assign(repeat=repeat)
    return {
        "night": stage.night.name,
        "n_alerts": len(stage.night),
        "n_objects": len(rows),
        "set_aside": len(rows) - len(judged),
        "repeats": stage.repeats,
        "a_night": stage.a_night,
        "seed": stage.seed,
        "recall": recall_table(events, probabilities, injected.expected, stage.seed),
        "first_listed": first_nights(injected, listed),
        "first_rows": None
        if labels is None
        else _first_rows(own, theirs, latest, repeat, label[judged]),
        "expected_a_night": {kind: float(n) for kind, n in injected.expected.items()},
        "events": _records(events, ranks),
    }


def _counts(n):
    """The number of events of each kind; the first kinds get one more if they are not equal."""
    return {name: n // len(KINDS) + (k < n % len(KINDS)) for k, name in enumerate(KINDS)}


def tables_of(night: Night, model: Model) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute the features and the class probabilities of a night.

    Parameters
    ----------
    night : Night
    model : Model

    Returns
    -------
    features, probabilities : pandas.DataFrame, one row per alert

    Examples
    --------
    >>> table, p = tables_of(night, model)
    >>> len(table) == len(p) == len(night)
    True
    """
    table = features.compute(night)
    return table, model.predict(night, table=table)[list(PROBABILITY_COLUMNS)]


def score_all(
    night: Night,
    table: pd.DataFrame,
    p: pd.DataFrame,
    scorer: FastTransientScorer | None = None,
) -> dict[str, np.ndarray]:
    """Score each alert with every method; the ranking of ztfml is the first.

    Parameters
    ----------
    night : Night
    table, p : pandas.DataFrame
        From `tables_of`.
    scorer : FastTransientScorer, optional

    Returns
    -------
    dict of str to ndarray, shape (n_alerts,)
        A higher score is nearer to the top; minus infinity means not in the list.

    Examples
    --------
    >>> list(score_all(night, table, predictions))[:2]
    ['ztfml', "exercise's filter"]
    """
    scorer = scorer or FastTransientScorer()
    ways = {OURS: scorer.score(scorer.terms(table, p))}
    for name, way in track(BASELINES.items(), "scoring with other methods", total=len(BASELINES)):
        ways[name] = way(night, table, p)
    return ways


def known_labels(night: Night, labels: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray]:
    """Find the label of each alert, and whether its evidence is that of a fast transient.

    Parameters
    ----------
    night : Night
    labels : pandas.DataFrame or None
        From `ztfml.labels.label_file.read_labels`.

    Returns
    -------
    label : ndarray of str, shape (n_alerts,)
        ``''`` where there is none.
    fast : ndarray of bool, shape (n_alerts,)

    Examples
    --------
    >>> label, fast = known_labels(night, None)
    >>> bool(fast.any())
    False
    """
    if labels is None:
        return np.full(len(night), ""), np.zeros(len(night), bool)
    row = label_rows(night, labels)
    evidence = labels["evidence"].str.contains(_FAST_EVIDENCE, case=False, regex=True)
    fast = evidence & (labels["label"] == "transient")
    return labels_of(night, labels), np.append(fast.to_numpy(bool), False)[row]


def _latest(injected):
    """The last alert of each event, in the order of the events."""
    jd = injected.night.alerts["jd"].to_numpy()
    order = np.lexsort([jd, injected.event])
    last = np.append(np.diff(injected.event[order]) > 0, True)
    return order[last]


def _assign(n_events, repeats, seed):
    """Assign the events to the repeats at random."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1000,)))
    repeat = np.empty(n_events, int)
    repeat[rng.permutation(n_events)] = np.arange(n_events) % repeats
    return repeat


def _first_rows(own, theirs, latest, repeat, label):
    """Mean number of objects of the night in the first 12 rows, equal scores in random order."""
    found = {}
    for method, score in own.items():
        ordered = np.sort(score)
        above, equal = count_above(ordered, score), count_equal(ordered, score)
        near = np.flatnonzero((above < TOPS[0]) & (score > -np.inf))
        shares = []
        for k in range(repeat.max() + 1):
            beside = np.sort(theirs[method][latest[repeat == k]])
            higher = above[near] + count_above(beside, score[near])
            same = equal[near] + count_equal(beside, score[near])
            shares.append(probability_in_top(TOPS[0], higher, same))
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
