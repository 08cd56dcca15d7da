"""The terms of the ranking score, each between 0 and 1.

A term is a function of columns that its parameters name: features, class probabilities and the
quantities of `ztfml.ranking.quantities`. 1 means a fast transient that is worth a spectrum. A
missing value gives 0 if a fast transient would normally have the value, else a value between.

To add a term, declare one function here. Its weight is 0 until the ranking is fitted again or a
weight is set in a TOML file.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, logit

from ztfml.astrophysics import FAST_RATE

TERMS: dict[str, "Term"] = {}
"""All terms by name, in the order of declaration."""

_UNKNOWN = 0.5


class Term(NamedTuple):
    """One term of the score.

    Attributes
    ----------
    function : callable
        ``function(*columns)`` gives values in [0, 1]; its parameters name the columns.
    meaning : str
        One sentence.
    x : str
        The parameter on the horizontal axis when the term is plotted.
    label : str
        The axis label, with the unit.
    x_range : tuple of float
        The range of the axis.
    others : dict
        The values of the other parameters in that plot.
    min_weight : float
        The fit does not go below this weight.
    """

    function: Callable[..., np.ndarray]
    meaning: str
    x: str
    label: str
    x_range: tuple[float, float]
    others: dict[str, Any]
    min_weight: float


def _term(x, label, x_range, min_weight=0.0, **others):
    """Declare the decorated function as a term; its docstring is the meaning.

    Weights are never negative. Some have a minimum above 0, because simulated contaminants
    (flares, dwarf novae, asteroids) are easier than real ones, and because no simulated night
    gives the magnitudes that an instrument reaches.
    """

    def declare(function):
        meaning = " ".join(function.__doc__.split())
        TERMS[function.__name__] = Term(function, meaning, x, label, x_range, others, min_weight)
        return function

    return declare


# --- what it is ----------------------------------------------------------------------------


@_term("p_transient", "probability of transient", (0, 1))
def transient(p_transient):
    """Odds of being a transient, from the classifier: 0 at 1 to 20, 0.5 at even odds, 1 at 20 to
    1."""
    return _ramp(logit(p_transient), -3.0, 3.0)


@_term("fast_log_odds", "log odds of a fast transient, from the trees", (-12, 8))
def tree_score(fast_log_odds):
    """Similarity to simulated fast transients, from boosted trees: 0 at odds of 1 to 22,000, 0.71
    at even odds, 1 at 55 to 1."""
    return _or(_ramp(fast_log_odds, -10.0, 4.0), 0.0)


# --- how fast it changes -------------------------------------------------------------------


@_term("min_fade_rate", "fade rate minus its error, mag/day", (-0.1, 0.6))
def fading(min_fade_rate):
    """Fade rate minus its error, or the minimum set by a non-detection: 0 at 0, 1 at 0.3
    mag/day."""
    return _or(_ramp(min_fade_rate, 0.0, FAST_RATE), 0.0)


@_term(
    "first_rise_rate", "rise since the last non-detection, mag/day", (0, 3), min_weight=0.2,
    min_rise_rate=np.nan, age=1.0, days_since_peak=0.0,
)  # fmt: skip
def rising(first_rise_rate, min_rise_rate, age, days_since_peak):
    """Rise rate minus its error, or the minimum since the last non-detection: 0 at 0.1, 1 at 2
    mag/day; half of that 7 days later."""
    first = _log_ramp(first_rise_rate) * _decline(age, 7.0, 2)
    measured = _log_ramp(min_rise_rate) * _decline(days_since_peak, 7.0, 2)
    return _or(np.fmax(first, measured), 0.0)


@_term(
    "min_tonight_rate", "change within the night, mag/day", (0, 6),
    red_star=0.0, earlier_nights_chi2=np.nan,
)  # fmt: skip
def tonight(min_tonight_rate, red_star, earlier_nights_chi2):
    """Changes within the night, beyond three errors: 0 at 0.3, 1 at 3 mag/day; 0 on a red star,
    which may flare; half of that if the reduced chi-square within earlier nights is 5, as for
    pulsating and eclipsing stars."""
    rate = np.log10(np.fmax(min_tonight_rate, 0.01))
    changes = _or(_ramp(rate, np.log10(0.3), np.log10(3.0)), 0.0)
    return changes * (1 - red_star) * _or(_decline(earlier_nights_chi2, 5.0, 2), 1.0)


@_term(
    "fade_significance", "fade beyond 0.05 mag/day, in errors", (-1, 6), time_to_peak=3.0
)  # fmt: skip
def past_peak(fade_significance, time_to_peak):
    """Already fading, soon after it appeared: 0 if it fades faster than 0.05 mag/day by 0.5 errors
    or less, 1 by 3 errors; half of that if it took 7 days to peak."""
    fades = _or(_ramp(fade_significance, 0.5, 3.0), 0.0)
    return fades * _or(_decline(time_to_peak, 7.0, 4), 0.0)


@_term(
    "shortest_half_time", "days above half of the peak flux", (0, 30), days_since_peak=3.0
)  # fmt: skip
def half_time(shortest_half_time, days_since_peak):
    """Short time above half of the peak flux, measured or estimated: 0.5 at 9 days, 0.24 at 12;
    half of that if the peak was 12 days ago."""
    return _or(_decline(shortest_half_time, 9.0, 4) * _decline(days_since_peak, 12.0, 4), 0.0)


@_term("longest_above_half", "days seen above half of the peak flux", (0, 40))
def time_above_half(longest_above_half):
    """Not bright for long so far: 0.5 if it was seen above half of its peak flux for 10 days."""
    return _or(_decline(longest_above_half, 10.0, 2), _UNKNOWN)


@_term("total_age", "days since the first detection at this position", (0, 40), min_weight=1.0)
def young(total_age):
    """1 if new, 0.5 if first detected 12 days ago, 0 after years."""
    return _or(_decline(total_age, 12.0, 2), _UNKNOWN)


@_term("g_r_peak", "g − r at peak, mag", (-0.6, 0.4))
def blue(g_r_peak):
    """Hot at peak, 0.5 at g - r = -0.2 and more if bluer: few supernovae and no red stars are."""
    return _or(expit((-0.2 - g_r_peak) / 0.06), 0.05)


@_term(
    "peak_abs_mag", "absolute magnitude at the peak", (-24, -6), galaxy_chance=0.01
)  # fmt: skip
def luminous(peak_abs_mag, galaxy_chance):
    """As luminous as a fast transient, in a galaxy of the catalogue: 0 at M = -10, where novae are,
    1 at -14 and brighter, times the probability that the galaxy is not there by chance; 0 without
    a catalogue."""
    return _or(_ramp(-peak_abs_mag, 10.0, 14.0) * (1 - galaxy_chance), 0.0)


@_term("skymap_level", "credible level in the sky map", (0, 1), event_delay=1.0)
def localized(skymap_level, event_delay):
    """In the localisation of an event and first detected soon after it: 1 at the best position, 0
    outside of the map or if first detected before; half of that after 3 days; 0 without a map."""
    delay = _or(event_delay, 3.0)
    return _or((1 - skymap_level) * _decline(delay, 3.0, 2) * (delay >= 0), 0.0)


# --- what it is not ------------------------------------------------------------------------


@_term("underlying_star", "star/galaxy score of a source within 1.5″", (0, 1), min_weight=1.0)
def not_stellar(underlying_star):
    """No star within 1.5 arcsec, which could flare or have an outburst."""
    return 1 - underlying_star


@_term("chance_alignment", "probability of a chance alignment", (0, 1), min_weight=0.2)
def hosted(chance_alignment):
    """A galaxy is so close that it is probably the host; 0 if there is none."""
    return 1 - chance_alignment


@_term("abs_gal_lat", "degrees from the Galactic plane", (0, 60))
def off_plane(abs_gal_lat):
    """Far from the Galactic plane, where most novae and dwarf novae are: 0.5 at 10 degrees."""
    return _or(1 - _decline(abs_gal_lat, 10.0, 2), _UNKNOWN)


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


def _log_ramp(rate):
    """0 at 0.1 mag/day or slower, 1 at 2 mag/day or faster, linear in the logarithm."""
    return _ramp(np.log10(np.fmax(rate, 0.01)), -1.0, np.log10(2.0))


def _decline(value, half, power):
    """1 at 0, one half at `half`, then falling with the power."""
    return 1 / (1 + (np.maximum(value, 0.0) / half) ** power)


def _or(value, unknown):
    return np.where(np.isnan(value), unknown, value)
