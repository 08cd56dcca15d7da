"""Other methods to list the fast transients of a night, for comparison with the ranking.

Each method is written from its published description, not from its code, and uses ztfml's own
features. It represents the idea of the method, not the present output of the named program. A
higher score is nearer to the top; minus infinity means not in the list. Each score uses one
alert only.

To add a method, decorate its function with ``@_baseline("name")``.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ztfml.astrophysics import FAST_RATE
from ztfml.labels.rules import apply_cuts
from ztfml.night import Night
from ztfml.schema import BANDS

BASELINES: dict[str, Callable] = {}
"""The scoring functions, by the name of the method."""

_LONG = {"g": 10.0, "r": 12.0, "i": 14.0}  # d


def _baseline(name):
    def declare(function):
        BASELINES[name] = function
        return function

    return declare


@_baseline("exercise's filter")
def exercise_filter(
    night: Night, features: pd.DataFrame, probabilities: pd.DataFrame
) -> np.ndarray:
    """Sort the transients of the summer school's cuts by rate.

    The transients are those of `ztfml.labels.rules`; the fastest measured rise or fade is first.

    Parameters
    ----------
    night : Night
    features, probabilities : pandas.DataFrame
        One row per alert.

    Returns
    -------
    ndarray, shape (n_alerts,)

    Examples
    --------
    >>> score = exercise_filter(night, table, predictions)
    >>> bool((score > -np.inf).any()), bool((score > -np.inf).all())
    (True, False)
    """
    transient = (apply_cuts(night).labels["label"] == "transient").to_numpy()
    rate = np.fmax(features["best_fade_rate"], features["best_rise_rate"]).to_numpy()
    return np.where(transient, np.nan_to_num(np.maximum(rate, 0)), -np.inf)


@_baseline("ZTFReST-like points")
def ztfrest_points(night: Night, features: pd.DataFrame, probabilities: pd.DataFrame) -> np.ndarray:
    """Give points for a fast fade, and subtract points for a long duration.

    After Andreoni et al. 2021 (ApJ 918, 63). Required: real by drb or rb, brighter than the
    reference, two detections at least half an hour apart, no known asteroid, no star within 2
    arcsec, no bright star within 20 arcsec, at least 10 degrees from the galactic plane. A fade
    faster than 0.3 mag/day gives 10 points per band; a duration of more than 10, 12 or 14 days in
    g, r, i subtracts 100 points per band. The fade rate orders equal points.

    Parameters
    ----------
    night, features, probabilities
        As for `exercise_filter`.

    Returns
    -------
    ndarray, shape (n_alerts,)

    Examples
    --------
    >>> ztfrest_points(night, table, predictions).shape == (len(night),)
    True
    """
    score = np.zeros(len(features))
    for band in BANDS:
        score += 10.0 * (features[f"fade_rate_{band}"] > FAST_RATE)
        # The duration in a band is at most the duration in all bands.
        duration = np.where(features[f"n_det_{band}"] > 0, features["age"], 0.0)
        score -= 100.0 * (duration > _LONG[band])
    # A fade of 10 mag/day adds less than a point.
    score += np.clip(np.nan_to_num(features["best_fade_rate"]), 0, 10) / 20
    detected_twice = features["max_separation"] >= 0.5 / 24
    clear = ~(features["neargaiabright"] < 20) & ~(features["abs_gal_lat"] < 10)
    return np.where(_is_candidate(features) & detected_twice & clear, score, -np.inf)


@_baseline("Fink-like rate")
def fink_rate(night: Night, features: pd.DataFrame, probabilities: pd.DataFrame) -> np.ndarray:
    """Sort young objects without a star at their position by the rate between the last two nights.

    After Fink's filters for kilonovae (Möller et al. 2021, MNRAS 501, 3272; Aivazyan et al.
    2022, MNRAS 515, 6007). Required: real by drb or rb, brighter than the reference, no star
    within 2 arcsec, no known asteroid, fewer than 20 detections, and first detected less than 20
    days ago. The score is the fastest rise or fade between two nights in any band.

    Parameters
    ----------
    night, features, probabilities
        As for `exercise_filter`.

    Returns
    -------
    ndarray, shape (n_alerts,)

    Examples
    --------
    >>> fink_rate(night, table, predictions).shape == (len(night),)
    True
    """
    rate = np.fmax.reduce([np.abs(features[f"recent_slope_{band}"]) for band in BANDS])
    young = ~(np.fmax(features["age"], features["age_hist"]) >= 20)
    few = ~(np.fmax(features["n_det"], features["ndethist"]) >= 20)
    return np.where(_is_candidate(features) & young & few, np.nan_to_num(rate), -np.inf)


@_baseline("probability alone")
def transient_probability(
    night: Night, features: pd.DataFrame, probabilities: pd.DataFrame
) -> np.ndarray:
    """Return the classifier's probability of the class transient.

    Parameters
    ----------
    night, features, probabilities
        As for `exercise_filter`.

    Returns
    -------
    ndarray, shape (n_alerts,)

    Examples
    --------
    >>> score = transient_probability(night, table, predictions)
    >>> bool((score == predictions["p_transient"]).all())
    True
    """
    return probabilities["p_transient"].to_numpy()


def _is_candidate(features):
    """Real, positive, away from asteroids, and without a star within 2 arcsec."""
    real = np.where(features["drb"].isna(), features["rb"], features["drb"]) >= 0.5
    positive = features["positive"] != 0
    asteroid = features["ssdistnr"] < 10
    on_star = (features["sgscore1"] > 0.5) & (features["distpsnr1"] < 2.0)
    return (real & positive & ~asteroid & ~on_star).to_numpy()
