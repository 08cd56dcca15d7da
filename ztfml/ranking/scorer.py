"""Score every object of a night as a fast transient, and list the best with reasons."""

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator

from ztfml.errors import DataError
from ztfml.night import latest_rows
from ztfml.ranking.quantities import Columns
from ztfml.ranking.reasons import best_rates, reasons
from ztfml.ranking.settings import read_instrument, read_trees, read_weights
from ztfml.ranking.terms import TERMS
from ztfml.ranking.trees import INPUTS, inputs_of
from ztfml.sources.brokers import link_columns


class FastTransientScorer(BaseEstimator):
    """Score every object of a night as a fast transient, and say why.

    Parameters
    ----------
    weights : dict of str to float, optional
        One weight for each name in `TERMS`, and ``intercept``; by default those in the
        package's ``ranking.toml``.
    instrument : Instrument, optional
        By default that in ``ranking.toml``.
    trees : ztfml.ranking.trees.Trees, optional
        By default those that ``ranking.toml`` names.

    Examples
    --------
    >>> scorer = FastTransientScorer()
    >>> scorer.rank(night, features, probabilities, top=12)   # doctest: +SKIP
    """

    def __init__(self, weights=None, instrument=None, trees=None):
        self.weights = weights
        self.instrument = instrument
        self.trees = trees

    def terms(self, features, probabilities):
        """Work out the terms of every alert.

        Parameters
        ----------
        features : pandas.DataFrame, one row an alert
            From `ztfml.features.compute`.
        probabilities : pandas.DataFrame, one row an alert
            ``p_artifact`` ... ``p_transient``.

        Returns
        -------
        pandas.DataFrame
            One column a term, in [0, 1].

        Examples
        --------
        >>> scorer.terms(features, probabilities)["fading"]   # doctest: +SKIP
        """
        columns = Columns(features, probabilities, self._instrument(), self._trees())
        values = {name: columns.call(term.function) for name, term in TERMS.items()}
        return pd.DataFrame(values, index=features.index)

    def score(self, terms):
        """Combine the terms of each alert to one number in [0, 1].

        Parameters
        ----------
        terms : pandas.DataFrame
            From `terms`.

        Returns
        -------
        ndarray, shape (n_alerts,)

        Examples
        --------
        >>> scorer.score(terms)   # doctest: +SKIP
        """
        weights = self._weights()
        linear = np.full(len(terms), float(weights["intercept"]))
        # Term by term, so that the sum of one row does not depend on how many rows there are.
        for name in TERMS:
            linear += weights[name] * terms[name].to_numpy()
        return expit(linear)

    def rank(self, night, features, probabilities, top=None):
        """Rank the objects of a night, each by its latest alert.

        Parameters
        ----------
        night : Night
        features, probabilities : pandas.DataFrame, one row an alert in the night's order
        top : int, optional
            How many rows to give; by default all.

        Returns
        -------
        pandas.DataFrame
            ``rank``, ``objectId``, ``candid``, ``score``, ``reasons``, ``p_transient``,
            ``best_rate`` and ``rate_err`` (mag/day), ``band``, ``direction``, ``age`` (d),
            ``peak_mag``, ``last_mag``, ``color`` (g - r), ``ra``, ``dec``, the terms as
            ``term_<name>``, and links.

        Examples
        --------
        >>> scorer.rank(night, features, probabilities, top=12)   # doctest: +SKIP
        """
        rows = latest_rows(night.alerts)
        terms = self.terms(features.iloc[rows], probabilities.iloc[rows])
        score = self.score(terms)
        candid = night.alerts["candid"].to_numpy()[rows]
        order = np.lexsort([candid, -score])[:top]
        rows = rows[order]
        ranked = _describe(night.alerts.iloc[rows], features.iloc[rows], probabilities.iloc[rows])
        ranked.insert(0, "rank", np.arange(1, len(rows) + 1))
        ranked.insert(3, "score", score[order])
        terms = terms.iloc[order].add_prefix("term_").reset_index(drop=True)
        return ranked.join(terms).assign(**link_columns(ranked["objectId"]))

    def explain(self, ranked, object_id):
        """Show what each term adds to the score of one object.

        Parameters
        ----------
        ranked : pandas.DataFrame
            From `rank`.
        object_id : str

        Returns
        -------
        pandas.DataFrame
            ``term``, ``value`` (0 to 1), ``weight``, ``adds`` (their product) and ``meaning``,
            what adds most first.

        Raises
        ------
        DataError
            If the object is not in the list.

        Examples
        --------
        >>> scorer.explain(ranked, "ZTF18abukavn")   # doctest: +SKIP
        """
        row = row_of(ranked, object_id)
        weights = self._weights()
        table = pd.DataFrame(
            {
                "term": list(TERMS),
                "value": [row[f"term_{name}"] for name in TERMS],
                "weight": [weights[name] for name in TERMS],
                "meaning": [term.meaning for term in TERMS.values()],
            }
        )
        table.insert(3, "adds", table["value"] * table["weight"])
        return table.sort_values("adds", ascending=False, kind="stable", ignore_index=True)

    def explain_trees(self, features, probabilities):
        """Show what speaks for and against one alert in the eyes of the trees.

        Parameters
        ----------
        features, probabilities : pandas.DataFrame, one row
            The object's latest alert.

        Returns
        -------
        pandas.DataFrame
            ``input``, ``value``, and ``adds`` (to the log odds), what matters most first; empty
            if the trees are not asked, as it is hardly a transient.

        Examples
        --------
        >>> scorer.explain_trees(features[-1:], probabilities[-1:])   # doctest: +SKIP
        """
        columns = Columns(features, probabilities, self._instrument(), self._trees())
        inputs = inputs_of(columns, np.isfinite(columns["fast_odds"]))
        table = pd.DataFrame({"input": INPUTS, "value": np.nan, "adds": np.nan})
        if len(inputs) == 0:
            return table[:0]
        table = table.assign(value=inputs[0], adds=self._trees().shares(inputs)[0])
        order = np.argsort(-table["adds"].abs().to_numpy(), kind="stable")
        return table.iloc[order].reset_index(drop=True)

    def _weights(self):
        return self.weights if self.weights is not None else read_weights()

    def _instrument(self):
        return self.instrument if self.instrument is not None else read_instrument()

    def _trees(self):
        return self.trees if self.trees is not None else read_trees()


def row_of(ranked, object_id):
    """The row of one object in a ranked list.

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
    >>> row_of(ranked, "ZTF18abukavn")["score"]   # doctest: +SKIP
    """
    own = ranked[ranked["objectId"] == object_id]
    if own.empty:
        raise DataError(f"{object_id}: has no alert in this night; name an object of the night")
    return own.iloc[0]


def _describe(alerts, features, probabilities):
    """What the ranked list says of each row, without rank, score and terms."""
    alerts, table = alerts.reset_index(drop=True), features.reset_index(drop=True)
    p = probabilities.reset_index(drop=True)
    rates = best_rates(table)
    described = alerts[["objectId", "candid"]].copy()
    described["reasons"] = reasons(table, p, rates)
    described["p_transient"] = p["p_transient"]
    described = described.join(rates.drop(columns=["base", "is_bound"]))
    described["age"] = table["age"]
    described["peak_mag"] = table["peak_mag"]
    described["last_mag"] = table["magpsf"].where(table["positive"] != 0)
    described["color"] = table["g_r"]
    for column in ("ra", "dec"):
        described[column] = alerts.get(column, np.nan)
    return described
