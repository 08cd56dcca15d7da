"""Measure how many injected fast transients the ranking puts in the first rows.

Features, probabilities and score of an alert do not depend on the other objects of the night. So
the objects of the night and the injected events are scored separately, and the positions follow
from the scores. The result is the same as for a night into which the events were written.
"""

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.catalogs.galaxies import GalaxyCatalog
from ztfml.errors import DataError
from ztfml.injection.baselines import BASELINES
from ztfml.injection.conditions import Conditions
from ztfml.injection.host_galaxies import match_injected
from ztfml.injection.observing import Injected, inject
from ztfml.injection.populations import KINDS
from ztfml.injection.positions import (
    GroupPositions,
    SinglePositions,
    count_above,
    count_equal,
    probability_in_top,
)
from ztfml.injection.recall import first_nights, recall_table
from ztfml.io.alert_table import latest_rows
from ztfml.io.progress import track
from ztfml.labels.label_file import label_rows, labels_of
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS

OURS = "ztfml"
TOPS = (12, 25, 50)
PER_NIGHT = 5
REPEATS = 200

# Evidence in label files that marks a transient as fast: the kinds that are injected. Types IIb and
# Ic-BL are fast only while they are young, but the older ones do not reach the first rows.
_FAST_EVIDENCE = r"FBOT|Ibn|kilonova|afterglow|GRB|IIb|Ic-BL"


class InjectedNight:
    """A night and the events injected into it, with features and probabilities.

    Parameters
    ----------
    night : Night
    model : Model
    repeats : int
        How often a new set of events is injected.
    per_night : int
        Events injected each time, of all kinds in turn.
    seed : int
        The same seed injects the same events.
    galaxies : GalaxyCatalog, optional
        Catalogue for luminosities; hosts of the events are added to it.

    Attributes
    ----------
    night, injected : Night, Injected
    night_tables, event_tables : tuple of DataFrame
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
    >>> injected_night = InjectedNight(night, model, repeats=2)
    >>> len(injected_night.injected.events)
    10
    """

    def __init__(
        self,
        night: Night,
        model: Model,
        repeats: int = REPEATS,
        per_night: int = PER_NIGHT,
        seed: int = 1,
        galaxies: GalaxyCatalog | None = None,
    ):
        if repeats < 1 or per_night < 1:
            raise DataError(
                f"cannot inject {per_night} events {repeats} times; choose at least 1 for both"
            )
        self.night, self.repeats, self.per_night, self.seed = night, repeats, per_night, seed
        self.injected = inject(Conditions(night), _counts(repeats * per_night), seed)
        if galaxies is not None:
            matched = match_injected(self.injected, galaxies, seed)
            self.injected = self.injected._replace(night=matched)
            self.night = night = galaxies.match(night)
        self.night_tables = tables_of(night, model)
        self.event_tables = tables_of(self.injected.night, model)
        self.repeat = _assign(len(self.injected.events), repeats, seed)


def recover(
    night: Night,
    model: Model,
    scorer: FastTransientScorer | None = None,
    repeats: int = REPEATS,
    per_night: int = PER_NIGHT,
    seed: int = 1,
    labels: pd.DataFrame | None = None,
    galaxies: GalaxyCatalog | None = None,
) -> dict:
    """Inject fast transients into a night repeatedly and measure how the ranking finds them.

    Parameters
    ----------
    night, model
        As for `InjectedNight`.
    scorer
        As for `measure_recall`.
    repeats, per_night, seed
        As for `InjectedNight`.
    labels
        As for `measure_recall`.
    galaxies
        As for `InjectedNight`.

    Returns
    -------
    dict
        The result of `measure_recall`.

    Raises
    ------
    DataError, ModelError
        As for `InjectedNight`.

    Examples
    --------
    >>> found = recover(night, model, repeats=2)
    >>> len(found["events"])
    10
    """
    injected_night = InjectedNight(night, model, repeats, per_night, seed, galaxies)
    return measure_recall(injected_night, scorer, labels)


def measure_recall(
    injected_night: InjectedNight,
    scorer: FastTransientScorer | None = None,
    labels: pd.DataFrame | None = None,
) -> dict:
    """Measure how many events the ranking and the baselines put in the first rows.

    Parameters
    ----------
    injected_night : InjectedNight
    scorer : FastTransientScorer, optional
    labels : pandas.DataFrame, optional
        The labels of the night, from `ztfml.labels.label_file.read_labels`. They give the
        classes of the objects of the night in the first rows. Objects of the night that are
        labelled as fast transients are excluded, because they belong in the list.

    Returns
    -------
    dict
        ``recall``: see `recall_table`; ``first_listed``: see `first_nights`; ``first_rows``: for
        each method and class the mean number of objects of the night in the first 12 rows, None
        without labels; ``events``: one dict per event, with its rank in each list;
        ``expected_per_night``: expected events of each kind per night, over the whole sky;
        ``n_excluded``: number of fast transients of the night that are excluded; ``night``,
        ``n_alerts``, ``n_objects``, ``repeats``, ``per_night``, ``seed``.

    Examples
    --------
    >>> found = measure_recall(InjectedNight(night, model, repeats=2))
    >>> sorted(found["recall"])
    ['cells', 'kind', 'nights', 'peak magnitude', 'rate']
    """
    night, injected, repeat = injected_night.night, injected_night.injected, injected_night.repeat
    label, fast = known_labels(night, labels)
    rows = latest_rows(night.alerts)
    included = rows[~fast[rows]]
    night_scores = {
        method: score[included]
        for method, score in score_all(night, *injected_night.night_tables, scorer).items()
    }
    event_scores = score_all(injected.night, *injected_night.event_tables, scorer)
    latest = last_alerts(injected)
    probabilities, listed, ranks = {}, {}, {}
    for method, score in night_scores.items():
        score = np.sort(score)
        positions = GroupPositions(score, event_scores[method][latest], repeat)
        probabilities[method] = {top: positions.probability(top) for top in TOPS}
        ranks[method] = positions.rank()
        listed[method] = SinglePositions(score, event_scores[method]).probability(TOPS[0])
    events = injected.events.assign(repeat=repeat)
    return {
        "night": night.name,
        "n_alerts": len(night),
        "n_objects": len(rows),
        "n_excluded": len(rows) - len(included),
        "repeats": injected_night.repeats,
        "per_night": injected_night.per_night,
        "seed": injected_night.seed,
        "recall": recall_table(events, probabilities, injected.expected, injected_night.seed),
        "first_listed": first_nights(injected, listed),
        "first_rows": None
        if labels is None
        else _first_rows(night_scores, event_scores, latest, repeat, label[included]),
        "expected_per_night": {kind: float(n) for kind, n in injected.expected.items()},
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
    scores = {OURS: scorer.score(table, p)}
    others = track(BASELINES.items(), "scoring with other methods", total=len(BASELINES))
    for name, method in others:
        scores[name] = method(night, table, p)
    return scores


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


def final_log_odds(
    injected_night: InjectedNight, scorer: FastTransientScorer, labels: pd.DataFrame | None
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the log odds of the latest alert of each object and of each event.

    Parameters
    ----------
    injected_night : InjectedNight
    scorer : FastTransientScorer
    labels : pandas.DataFrame or None
        Of the night; objects that are labelled as fast transients are excluded.

    Returns
    -------
    others : ndarray, shape (n_objects,)
    events : ndarray, shape (n_events,)

    Examples
    --------
    >>> made = InjectedNight(night, model, repeats=2)
    >>> others, events = final_log_odds(made, FastTransientScorer(), None)
    >>> len(events)
    10
    """
    night = injected_night.night
    rows = latest_rows(night.alerts)
    fast = known_labels(night, labels)[1][rows]
    others = scorer.log_odds(*injected_night.night_tables)[rows][~fast]
    events = scorer.log_odds(*injected_night.event_tables)[last_alerts(injected_night.injected)]
    return others, events


def last_alerts(injected: Injected) -> np.ndarray:
    """Find the last alert of each event.

    Parameters
    ----------
    injected : Injected

    Returns
    -------
    ndarray of int, shape (n_events,)
        Rows of the alerts, in the order of the events.

    Examples
    --------
    >>> injected = inject(Conditions(night), {"kilonova": 3}, seed=1)
    >>> injected.event[last_alerts(injected)].tolist()
    [0, 1, 2]
    """
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


def _first_rows(night_scores, event_scores, latest, repeat, label):
    """Mean number of objects of the night in the first 12 rows, equal scores in random order."""
    found = {}
    for method, score in night_scores.items():
        ordered = np.sort(score)
        above, equal = count_above(ordered, score), count_equal(ordered, score)
        candidates = np.flatnonzero((above < TOPS[0]) & (score > -np.inf))
        probabilities = []
        for k in range(repeat.max() + 1):
            events = np.sort(event_scores[method][latest[repeat == k]])
            higher = above[candidates] + count_above(events, score[candidates])
            same = equal[candidates] + count_equal(events, score[candidates])
            probabilities.append(probability_in_top(TOPS[0], higher, same))
        mean = np.mean(probabilities, axis=0)
        found[method] = {kind: float(mean[label[candidates] == kind].sum()) for kind in LABELS}
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
