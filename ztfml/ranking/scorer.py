"""Score every object of a night as a fast transient, and list the best with reasons."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from ztfml.errors import DataError
from ztfml.evaluation.metrics import labels_from
from ztfml.io.alert_table import latest_rows
from ztfml.io.similar import similar_object
from ztfml.night import Night
from ztfml.ranking.folder import load_ranking
from ztfml.ranking.match_reasons import match_reasons
from ztfml.ranking.quantities import MIN_P_TRANSIENT, UNLIKELY, Columns
from ztfml.ranking.reasons import best_rates, largest_terms, reasons
from ztfml.ranking.same_position import find_same_position, same_position_remark
from ztfml.ranking.selection import SELECTED_BY, Selection
from ztfml.ranking.settings import Instrument, read_instrument, read_weights
from ztfml.ranking.terms import CAUTION, FIXED, TERMS, weight_names
from ztfml.ranking.trees import Trees
from ztfml.schema import MATCH_COLUMNS
from ztfml.sources.brokers import link_columns
from ztfml.taxonomy import PROBABILITY_COLUMNS


class FastTransientScorer:
    """Score objects as fast transients, with reasons.

    Parameters
    ----------
    weights : dict of str to float, optional
        Weights of the fixed terms, ``trees`` for all learned terms (0 for a name that is absent),
        and ``intercept``; by default those of the ranking that ships with ztfml.
    instrument : Instrument, optional
        By default that of the ranking that ships with ztfml.
    trees : Trees, optional
        By default those of the ranking that ships with ztfml.

    Examples
    --------
    >>> scorer = FastTransientScorer()
    >>> scorer.rank(night, table, predictions, top=2)["rank"].tolist()
    [1, 2]
    """

    def __init__(
        self,
        weights: dict[str, float] | None = None,
        instrument: Instrument | None = None,
        trees: Trees | None = None,
    ):
        self.weights = weights
        self.instrument = instrument
        self.trees = trees

    @classmethod
    def load(
        cls,
        folder: str | Path | None = None,
        weights: str | Path | None = None,
        instrument: str | Path | None = None,
    ) -> "FastTransientScorer":
        """Read a scorer from a ranking folder, with other weights or another instrument.

        Parameters
        ----------
        folder : str or Path, optional
            A folder that `ztfml fit-ranking` wrote; by default the ranking that ships with ztfml.
        weights, instrument : str or Path, optional
            TOML files with a table ``[weights]`` or ``[instrument]``; by default the folder's
            ``ranking.toml``.

        Returns
        -------
        FastTransientScorer

        Raises
        ------
        ModelError, DataError
            If the folder or a file cannot be used.

        Examples
        --------
        >>> FastTransientScorer.load().instrument.name
        'SEDM'
        """
        ranking = load_ranking(folder)
        return cls(
            ranking.weights if weights is None else read_weights(weights),
            ranking.instrument if instrument is None else read_instrument(instrument),
            ranking.trees,
        )

    def score(self, features: pd.DataFrame, probabilities: pd.DataFrame) -> np.ndarray:
        """Compute the score of every alert, in [0, 1].

        Parameters
        ----------
        features : pandas.DataFrame, one row per alert
            From `ztfml.features.compute`.
        probabilities : pandas.DataFrame, one row per alert
            ``p_artifact`` ... ``p_transient``.

        Returns
        -------
        ndarray, shape (n_alerts,)

        Raises
        ------
        DataError
            If a weight is for an unknown term, or there is no intercept.

        Examples
        --------
        >>> score = FastTransientScorer().score(table, predictions)
        >>> bool(((score >= 0) & (score <= 1)).all())
        True
        """
        return expit(self.log_odds(features, probabilities))

    def log_odds(self, features: pd.DataFrame, probabilities: pd.DataFrame) -> np.ndarray:
        """Compute the log odds of the score of every alert.

        Parameters
        ----------
        features, probabilities : pandas.DataFrame, one row per alert

        Returns
        -------
        ndarray, shape (n_alerts,)
            The weighted sum of the terms and of the log odds of the trees.

        Examples
        --------
        >>> scorer = FastTransientScorer({"young": 2.0, "intercept": -2.0})
        >>> odds = scorer.log_odds(table, predictions)
        >>> bool(((odds >= -2) & (odds <= 0)).all())
        True
        """
        weights = self._weights()
        columns = self._columns(features, probabilities)
        total = np.full(len(features), float(weights["intercept"]))
        # Term by term, so that the sum of a row does not depend on the number of rows.
        for name in FIXED:
            if weights.get(name):
                total += weights[name] * columns.call(TERMS[name].function)
        if weights.get("trees"):
            total += weights["trees"] * columns["tree_log_odds"]
        return total

    def terms(self, features: pd.DataFrame, probabilities: pd.DataFrame) -> pd.DataFrame:
        """Compute what each term adds to the log odds of every alert.

        Parameters
        ----------
        features, probabilities : pandas.DataFrame, one row per alert

        Returns
        -------
        pandas.DataFrame
            ``base``, the log odds to which the terms are added, and one column per term. The sum
            of a row is its `log_odds`.

        Examples
        --------
        >>> scorer = FastTransientScorer()
        >>> sums = scorer.terms(table, predictions).sum(axis=1)
        >>> bool(np.abs(sums - scorer.log_odds(table, predictions)).max() < 1e-9)
        True
        """
        weights, trees = self._weights(), self._trees()
        columns = self._columns(features, probabilities)
        of_trees = weights.get("trees", 0.0)
        base = trees.base()
        values = {"base": np.full(len(features), weights["intercept"] + of_trees * base)}
        for name in FIXED:
            values[name] = weights.get(name, 0.0) * columns.call(TERMS[name].function)
        evaluated = columns["p_transient"] >= MIN_P_TRANSIENT
        learned = trees.terms(trees.inputs_from(columns, evaluated))
        for name, value in learned.items():
            values[name] = np.zeros(len(features))
            values[name][evaluated] = of_trees * value
        values["classification"][~evaluated] = of_trees * (UNLIKELY - base)
        return pd.DataFrame(values, index=features.index)

    def _columns(self, features, probabilities):
        return Columns(features, probabilities, self._instrument(), self._trees())

    def rank(
        self,
        night: Night,
        features: pd.DataFrame,
        probabilities: pd.DataFrame,
        top: int | None = None,
        selection: Selection | None = None,
    ) -> pd.DataFrame:
        """Rank the objects of a night, each by its latest alert.

        Parameters
        ----------
        night : Night
        features, probabilities : pandas.DataFrame, one row per alert, in the order of the night
        top : int, optional
            The number of rows to return; by default all.
        selection : Selection, optional
            Which objects are listed; by default all.

        Returns
        -------
        pandas.DataFrame
            ``rank``, ``objectId``, ``candid``, ``score``, ``label`` (the most probable class),
            ``reasons`` (with the largest terms, and a remark if the night has
            another object at the same position),
            ``p_transient``, ``best_rate`` and ``rate_err`` (mag/day), ``band``, ``direction``,
            ``age`` (d), ``peak_mag``, ``last_mag``, ``color`` (g - r), ``ra``, ``dec``, the
            columns of the match with a galaxy catalogue or a sky map, ``log_odds`` of
            the score, what each term adds to them as ``term_<name>``, and links. ``log_odds`` is
            the sum of these terms and ``term_base``, the same for all objects.
            ``attrs["n_ranked"]`` is the number of objects before `top` was applied.

        Examples
        --------
        >>> ranked = FastTransientScorer().rank(night, table, predictions, top=12)
        >>> bool(ranked["score"].is_monotonic_decreasing)
        True
        """
        rows = latest_rows(night.alerts)
        p = probabilities.iloc[rows]
        # In parts, because features of rows are a copy.
        parts = np.array_split(rows, 1 + len(rows) // _ROWS_PER_PART)
        log_odds = np.concatenate(
            [self.log_odds(features.iloc[k], probabilities.iloc[k]) for k in parts]
        )
        score = expit(log_odds)
        candid = night.alerts["candid"].to_numpy()[rows]
        order = np.lexsort([candid, -log_odds])
        one_name = selection is not None and not selection.everything
        if selection is not None:
            order = order[selection.keep(score, features.filter(SELECTED_BY).iloc[rows], p)[order]]
        n_ranked = len(order)
        # Sources with several names are listed once, so a few more rows are needed.
        order = order[: top + _SPARE_ROWS if one_name and top else top]
        same = find_same_position(night.alerts, rows, rows[order])
        if one_name:
            first = _first_of_source(rows[order], same)
            order, same = order[first], [others for k, others in enumerate(same) if first[k]]
        order, same = order[:top], same[:top]
        listed = rows[order]
        alerts, listed_features = night.alerts.iloc[listed], features.iloc[listed]
        terms = self.terms(listed_features, probabilities.iloc[listed])
        ranked = _describe(alerts, listed_features, probabilities.iloc[listed])
        remarks = zip(
            ranked["reasons"],
            match_reasons(alerts, listed_features),
            largest_terms(terms.drop(columns=["base", *CAUTION])),
            (same_position_remark(night.alerts, *one) for one in zip(listed, same, strict=True)),
            strict=True,
        )
        ranked["reasons"] = ["; ".join(filter(None, texts)) for texts in remarks]
        ranked.insert(0, "rank", np.arange(1, len(listed) + 1))
        ranked.insert(3, "score", score[order])
        terms = terms.add_prefix("term_").reset_index(drop=True)
        terms.insert(0, "log_odds", log_odds[order])
        ranked = ranked.join(terms).assign(**link_columns(ranked["objectId"]))
        ranked.attrs["n_ranked"] = n_ranked
        return ranked

    def explain(self, ranked: pd.DataFrame, object_id: str) -> pd.DataFrame:
        """List what each term adds to the log odds of the score of an object.

        Parameters
        ----------
        ranked : pandas.DataFrame
            From `rank`.
        object_id : str

        Returns
        -------
        pandas.DataFrame
            ``term``, ``adds`` and ``meaning``: first ``base``, then the terms, the largest
            contribution first. The sum of ``adds`` is the object's ``log_odds``.

        Raises
        ------
        DataError
            If the object is not in the list.

        Examples
        --------
        >>> scorer = FastTransientScorer.load()
        >>> terms = scorer.explain(ranked, object_id)
        >>> total = terms["adds"].sum()
        >>> bool(abs(total - row_of(ranked, object_id)["log_odds"]) < 1e-9)
        True
        """
        row = row_of(ranked, object_id)
        table = pd.DataFrame(
            {
                "term": list(TERMS),
                "adds": [float(row[f"term_{name}"]) for name in TERMS],
                "meaning": [term.meaning for term in TERMS.values()],
            }
        ).sort_values("adds", ascending=False, kind="stable")
        base = pd.DataFrame({"term": ["base"], "adds": [row["term_base"]], "meaning": [BASE]})
        return pd.concat([base, table], ignore_index=True)

    def _weights(self):
        if self.weights is None:
            return load_ranking().weights
        unknown = sorted(set(self.weights) - {*weight_names(), "intercept"})
        if unknown or "intercept" not in self.weights:
            raise DataError(
                f"weights: {', '.join(unknown) or 'intercept'} is "
                f"{'not a term of the ranking' if unknown else 'missing'}; the names are "
                f"{', '.join(weight_names())} and intercept"
            )
        return self.weights

    def _instrument(self):
        return self.instrument if self.instrument is not None else load_ranking().instrument

    def _trees(self):
        return self.trees if self.trees is not None else load_ranking().trees


BASE = "Log odds of an average alert of the training sample without any fixed term."


def row_of(ranked: pd.DataFrame, object_id: str) -> pd.Series:
    """Find the row of an object in a ranked list.

    Parameters
    ----------
    ranked : pandas.DataFrame
        From `FastTransientScorer.rank`.
    object_id : str

    Returns
    -------
    pandas.Series

    Raises
    ------
    DataError
        If the object is not in the list.

    Examples
    --------
    >>> int(row_of(ranked, object_id)["rank"])
    1
    """
    rows = ranked[ranked["objectId"] == object_id]
    if rows.empty:
        remedy = similar_object(object_id, ranked["objectId"]) or "name an object of the night"
        raise DataError(f"{object_id}: has no alert in this night; {remedy}")
    return rows.iloc[0]


# Objects of a list that are second names of other objects in it.
_ROWS_PER_PART = 20_000
_SPARE_ROWS = 50


def _first_of_source(rows, same):
    """Whether no earlier row is at the same position."""
    seen, first = set(), np.ones(len(rows), bool)
    for k, (row, others) in enumerate(zip(rows.tolist(), same, strict=True)):
        first[k] = seen.isdisjoint(others.tolist())
        seen.add(row)
    return first


def _describe(alerts, features, probabilities):
    """The columns of the ranked list except rank, score, terms and links."""
    alerts, table = alerts.reset_index(drop=True), features.reset_index(drop=True)
    p = probabilities.reset_index(drop=True)
    rates = best_rates(table)
    described = alerts[["objectId", "candid"]].copy()
    described["label"] = labels_from(p[list(PROBABILITY_COLUMNS)])
    described["reasons"] = reasons(table, p, rates)
    described["p_transient"] = p["p_transient"]
    described = described.join(rates.drop(columns=["base", "is_bound", "is_tonight"]))
    described["age"] = table["age"]
    described["peak_mag"] = table["peak_mag"]
    described["last_mag"] = table["magpsf"].where(table["positive"] != 0)
    described["color"] = table["g_r"]
    for column in ("ra", "dec"):
        described[column] = alerts.get(column, np.nan)
    matched = [one.name for one in MATCH_COLUMNS if one.name in alerts]
    described[matched] = alerts[matched]
    for column in ("abs_mag", "abs_mag_err", "days_since_event"):
        if column in table:
            described[column] = table[column]
    return described
