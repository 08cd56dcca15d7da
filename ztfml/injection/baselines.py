"""Other ways to list the fast transients of a night, to measure the ranking against.

Each is written from its published description, not from its code, on ztfml's own features; it
stands for the idea, and not for what the programs of that name would give today. A larger score
is nearer to the top, minus infinity is not in the list at all. All look at one alert alone.
"""

import numpy as np

from ztfml.astrophysics import FAST_RATE
from ztfml.labels.rules import apply_cuts
from ztfml.schema import BANDS

BASELINES = {}

_LONG = {"g": 10.0, "r": 12.0, "i": 14.0}  # d


def _baseline(name):
    def declare(function):
        BASELINES[name] = function
        return function

    return declare


@_baseline("exercise's filter")
def exercise(night, features, probabilities):
    """The cuts of the summer school's exercise, and what they leave sorted by rate.

    What `ztfml.labels.rules` leaves as transients, fastest measured rise or fade first.

    Parameters
    ----------
    night : Night
    features, probabilities : pandas.DataFrame, one row an alert

    Returns
    -------
    ndarray, shape (n_alerts,)

    Examples
    --------
    >>> exercise(night, features, probabilities)   # doctest: +SKIP
    """
    left = (apply_cuts(night).labels["label"] == "transient").to_numpy()
    rate = np.fmax(features["best_fade_rate"], features["best_rise_rate"]).to_numpy()
    return np.where(left, np.nan_to_num(np.maximum(rate, 0)), -np.inf)


@_baseline("ZTFReST-like points")
def points(night, features, probabilities):
    """Points for fading fast, and many off for lasting long.

    After Andreoni et al. 2021 (ApJ 918, 63). Asked for: real by score, brighter than the
    reference, detected twice half an hour apart, no known asteroid, no star within 2 arcsec, no
    bright star within 20 arcsec, 10 degrees or more from the galactic plane. 10 points for each
    band that fades faster than 0.3 mag/day, 100 off where it has been detected for more than 10,
    12 or 14 days in g, r, i. Equal points stand in the order of the fade.

    Parameters
    ----------
    night, features, probabilities
        As of `exercise`.

    Returns
    -------
    ndarray, shape (n_alerts,)

    Examples
    --------
    >>> points(night, features, probabilities)   # doctest: +SKIP
    """
    score = np.zeros(len(features))
    for band in BANDS:
        score += 10.0 * (features[f"fade_rate_{band}"] > FAST_RATE)
        # In a band nothing is detected for longer than in all of them.
        lasts = np.where(features[f"n_det_{band}"] > 0, features["age"], 0.0)
        score -= 100.0 * (lasts > _LONG[band])
    # A fade of ten magnitudes a day adds less than a point.
    score += np.clip(np.nan_to_num(features["best_fade_rate"]), 0, 10) / 20
    seen_again = features["max_separation"] >= 0.5 / 24
    clear = ~(features["neargaiabright"] < 20) & ~(features["abs_gal_lat"] < 10)
    return np.where(_passes(features, star=2.0) & seen_again & clear, score, -np.inf)


@_baseline("Fink-like rate")
def two_point_rate(night, features, probabilities):
    """The rate between the last two nights of a young object that has no star under it.

    After Fink's filters for kilonovae (Möller et al. 2021, MNRAS 501, 3272; Aivazyan et al.
    2022, MNRAS 515, 6007): real by score, brighter than the reference, no star within 2 arcsec,
    no known asteroid, less than 20 detections and first detected less than 20 days ago; what is
    left by the fastest change between two nights, up or down, in any band.

    Parameters
    ----------
    night, features, probabilities
        As of `exercise`.

    Returns
    -------
    ndarray, shape (n_alerts,)

    Examples
    --------
    >>> two_point_rate(night, features, probabilities)   # doctest: +SKIP
    """
    change = np.fmax.reduce([np.abs(features[f"recent_slope_{band}"]) for band in BANDS])
    young = ~(np.fmax(features["age"], features["age_hist"]) >= 20)
    few = ~(np.fmax(features["n_det"], features["ndethist"]) >= 20)
    return np.where(_passes(features, star=2.0) & young & few, np.nan_to_num(change), -np.inf)


@_baseline("probability alone")
def transient_alone(night, features, probabilities):
    """The classifier's probability of being a transient, and nothing else.

    Parameters
    ----------
    night, features, probabilities
        As of `exercise`.

    Returns
    -------
    ndarray, shape (n_alerts,)

    Examples
    --------
    >>> transient_alone(night, features, probabilities)   # doctest: +SKIP
    """
    return probabilities["p_transient"].to_numpy()


def _passes(features, star):
    """Real, positive, away from asteroids, and with no star under it (arcsec)."""
    real = np.where(features["drb"].isna(), features["rb"], features["drb"]) >= 0.5
    positive = features["positive"] != 0
    asteroid = features["ssdistnr"] < 10
    on_star = (features["sgscore1"] > 0.5) & (features["distpsnr1"] < star)
    return (real & positive & ~asteroid & ~on_star).to_numpy()
