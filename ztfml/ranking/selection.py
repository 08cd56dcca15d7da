"""Select the rows of the ranked list, and say if none of them is fast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ztfml.astrophysics import FAST_RATE

NOT_TRANSIENT = 0.9
"""Objects that are stars or artifacts with at least this probability are not listed."""

FAST_SCORE = 0.1
"""If the best score is below this, nothing is fast."""

SELECTED_BY = ["skymap_level"]
"""Features that the selection uses, if a night has them."""


class Selection(NamedTuple):
    """Which objects the ranked list contains.

    Attributes
    ----------
    min_score : float
        Smallest score.
    within : float
        Largest credible level in the sky map; 1 for all positions.
    everything : bool
        Whether to include probable stars and artifacts, and every name of one source.

    Examples
    --------
    >>> p = pd.DataFrame({"p_star": [0.1, 0.1, 0.95], "p_artifact": 0.0})
    >>> Selection(min_score=0.3).keep(np.array([0.2, 0.4, 0.5]), table[:3], p).tolist()
    [False, True, False]
    """

    min_score: float = 0.0
    within: float = 1.0
    everything: bool = False

    def keep(
        self, score: np.ndarray, features: pd.DataFrame, probabilities: pd.DataFrame
    ) -> np.ndarray:
        """Return which objects are listed.

        Parameters
        ----------
        score : ndarray, shape (n,)
        features, probabilities : pandas.DataFrame, n rows
            Of the features, only `SELECTED_BY` are used.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        keep = score >= self.min_score
        if self.within < 1 and "skymap_level" in features:
            keep &= features["skymap_level"].to_numpy() <= self.within
        if not self.everything:
            other = probabilities[["p_star", "p_artifact"]].to_numpy().max(axis=1)
            keep &= ~(other >= NOT_TRANSIENT)
        return keep


def headline(ranked: pd.DataFrame) -> str:
    """Say that nothing is fast if that is so.

    Parameters
    ----------
    ranked : pandas.DataFrame
        From `FastTransientScorer.rank`.

    Returns
    -------
    str
        Empty if an object may be fast.

    Examples
    --------
    >>> best = {"score": [0.03], "label": "transient", "direction": "rise", "best_rate": 0.12}
    >>> headline(pd.DataFrame(best))
    'nothing fast tonight (best score 0.03, rises like a SN Ia)'
    """
    if ranked.empty:
        return "nothing to list: no object meets the conditions"
    best = ranked.iloc[0]
    if best["score"] >= FAST_SCORE:
        return ""
    return f"nothing fast tonight (best score {best['score']:.2f}, {_behaviour(best)})"


def _behaviour(row):
    if row["label"] != "transient":
        return {"agn": "probably an AGN", "sso": "probably an asteroid"}.get(
            row["label"], f"probably a{'n' if row['label'] == 'artifact' else ''} {row['label']}"
        )
    if not row["direction"]:
        return "no rate yet"
    if row["best_rate"] >= FAST_RATE:
        return "changes fast, but is not like a fast transient"
    return "rises like a SN Ia" if row["direction"] == "rise" else "fades like a supernova"
