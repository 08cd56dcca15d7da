"""The terms of the ranking score; the log odds of the score are their weighted sum.

There are two kinds of terms. Fixed terms, between 0 and 1, are functions that this module declares:
what no simulated night can teach (the instrument, a localisation) and caution against contaminants
that are easier in simulations than in reality. Learned terms (`ztfml.ranking.learned`) are the
contributions of groups of inputs to the log odds of boosted trees; they share the weight ``trees``.

A fixed term is a function of columns that its parameters name: features, class probabilities and
the quantities of `ztfml.ranking.quantities`. 1 means a fast transient that is worth a spectrum. A
missing value gives 0 if a fast transient would normally have the value, else a value between.

To add a term, declare one function here. Its weight is 0 until the ranking is fitted again or a
weight is set in a TOML file.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from ztfml.ranking.learned import LEARNED

TERMS: dict[str, "Term"] = {}
"""All terms by name: fixed terms in the order of declaration, then learned terms."""

FIXED: list[str] = []
"""Names of the fixed terms."""

CAUTION = ("young", "not_stellar", "stationary", "bright", "real")
"""Fixed terms that almost all objects in the first rows share. They lower the score of others."""

_UNKNOWN = 0.5


class Term(NamedTuple):
    """One term of the score.

    Attributes
    ----------
    function : callable or None
        ``function(*columns)`` gives values in [0, 1]; its parameters name the columns. None for a
        learned term.
    meaning : str
        One sentence.
    x : str
        The quantity on the horizontal axis when the term is plotted.
    label : str
        The axis label, with the unit.
    x_range : tuple of float
        The range of the axis.
    others : dict
        The values of the other parameters in that plot.
    min_weight : float
        The fit does not go below this weight.
    """

    function: Callable[..., np.ndarray] | None
    meaning: str
    x: str
    label: str
    x_range: tuple[float, float]
    others: dict[str, Any]
    min_weight: float


def _term(x, label, x_range, min_weight=0.0, **others):
    """Declare the decorated function as a term; its docstring is the meaning.

    Weights are never negative. Some have a minimum above 0, because simulated contaminants
    (flares, dwarf novae, asteroids) are easier than real ones, because no simulated night gives
    the magnitudes that an instrument reaches, and because few simulated events are seen while
    they change within a night.
    """

    def declare(function):
        meaning = " ".join(function.__doc__.split())
        FIXED.append(function.__name__)
        TERMS[function.__name__] = Term(function, meaning, x, label, x_range, others, min_weight)
        return function

    return declare


def weight_names() -> tuple[str, ...]:
    """Return the names of the weights: one for each fixed term, and one for all learned terms.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> weight_names()[-1]
    'trees'
    """
    return (*FIXED, "trees")


# --- how fast it changes -------------------------------------------------------------------


@_term(
    "measured_tonight_rate", "change within the night, mag/day", (0, 6), min_weight=7.5,
    red_star=0.0, earlier_nights_chi2=np.nan,
)  # fmt: skip
def tonight(measured_tonight_rate, red_star, earlier_nights_chi2):
    """Changes within the night, beyond three errors: 0 at 0.5, 1 at 4 mag/day; 0 on a red star,
    which may flare; half of that if the reduced chi-square within earlier nights is 5, as for
    pulsating and eclipsing stars."""
    rate = np.log10(np.fmax(measured_tonight_rate, 0.01))
    changes = _or(_ramp(rate, np.log10(0.5), np.log10(4.0)), 0.0)
    return changes * (1 - red_star) * _or(_decline(earlier_nights_chi2, 5.0, 2), 1.0)


@_term("total_age", "days since the first detection at this position", (0, 40), min_weight=1.0)
def young(total_age):
    """1 if new, 0.5 if first detected 12 days ago, 0 after years."""
    return _or(_decline(total_age, 12.0, 2), _UNKNOWN)


@_term("skymap_level", "credible level in the sky map", (0, 1), event_delay=1.0)
def localized(skymap_level, event_delay):
    """In the localisation of an event and first detected soon after it: 1 at the best position, 0
    outside of the map or if first detected before; half of that after 3 days; 0 without a map."""
    delay = _or(event_delay, 3.0)
    return _or((1 - skymap_level) * _decline(delay, 3.0, 2) * (delay >= 0), 0.0)


# --- what it is not ------------------------------------------------------------------------


@_term("underlying_star", "star/galaxy score of a source within 1.5″", (0, 1), min_weight=0.5)
def not_stellar(underlying_star):
    """No star within 1.5 arcsec, which could flare or have an outburst."""
    return 1 - underlying_star


@_term(
    "max_separation", "days between detections", (0, 0.06), min_weight=1.0,
    abs_ecl_lat=10.0, ssdistnr=np.nan, n_nights=1.0,
)  # fmt: skip
def stationary(max_separation, abs_ecl_lat, ssdistnr, n_nights):
    """Does not move: detected at one position for half an hour or longer. A single detection may
    be an asteroid, more probably near the ecliptic, and is one near a known asteroid."""
    once = _or(_ramp(abs_ecl_lat, 0.0, 60.0), _UNKNOWN)
    known = (ssdistnr < 5) & (n_nights < 2)
    return np.where(known, 0.0, np.fmax(once, _or(_ramp(max_separation, 0.0, 0.02), 0.0)))


# --- whether to observe it -----------------------------------------------------------------


@_term("magpsf", "magnitude now", (16, 22), min_weight=0.3, positive=1.0)
def bright(magpsf, positive, instrument):
    """Bright enough for the instrument tonight: 0.5 at its limiting magnitude."""
    above_reference = np.where(positive == 0, np.inf, magpsf)
    return _or(expit((instrument.limiting_magnitude - above_reference) / 0.4), _UNKNOWN)


@_term("drb", "drb", (0, 1), rb=np.nan, positive=1.0, frac_positive=1.0)
def real(drb, rb, positive, frac_positive):
    """Real according to drb (or rb), and brighter than the reference, now and in the past."""
    score = _or(np.where(np.isnan(drb), rb, drb), _UNKNOWN)
    return np.where(positive == 0, 0.0, score * _or(frac_positive, 1.0))


# --- shapes --------------------------------------------------------------------------------


def _ramp(value, zero, one):
    """0 below `zero`, 1 above `one`, linear between."""
    return np.clip((value - zero) / (one - zero), 0.0, 1.0)


def _decline(value, half, power):
    """1 at 0, one half at `half`, then falling with the power."""
    return 1 / (1 + (np.maximum(value, 0.0) / half) ** power)


def _or(value, unknown):
    return np.where(np.isnan(value), unknown, value)


# --- learned terms -------------------------------------------------------------------------

for _name, _one in LEARNED.items():
    TERMS[_name] = Term(None, _one.meaning, _one.inputs[0], _one.label, _one.x_range, {}, 0.0)
