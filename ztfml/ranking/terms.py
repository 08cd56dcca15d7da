"""The terms of the ranking: each between 0 and 1, each a sentence that a person can check.

A term names its columns as parameters: features, probabilities and the quantities of
`evidence`. 1 speaks for a fast transient worth a spectrum, 0 against; what is not known at all
is 0 where it would have to be seen, and half-way where it may be either.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from ztfml.astrophysics import FAST_RATE

TERMS = {}

_UNKNOWN = 0.5


class Term(NamedTuple):
    """One term of the score.

    Attributes
    ----------
    function : callable
        ``function(*columns)`` gives values in [0, 1]; its parameters name the columns.
    meaning : str
        One sentence.
    over : str
        The parameter that its shape is drawn over.
    label : str
        What that is, with its unit, as an axis says it.
    span : tuple of float
        From where to where.
    beside : dict
        What the other parameters are there.
    """

    function: Callable
    meaning: str
    over: str
    label: str
    span: tuple
    beside: dict


def _term(over, label, span, **beside):
    def declare(function):
        meaning = " ".join(function.__doc__.split())
        TERMS[function.__name__] = Term(function, meaning, over, label, span, beside)
        return function

    return declare


# --- what it is ----------------------------------------------------------------------------


@_term("p_transient", "probability of transient", (0, 1))
def transient(p_transient):
    """The odds of being a transient at all, by the classifier: 0.5 at even odds, 0 at 1 to 20,
    1 at 20 to 1."""
    return _from_to(logit(p_transient), -3.0, 3.0)


@_term("fast_odds", "log odds of fast, by the trees", (-12, 8))
def alike(fast_odds):
    """All that is known of it is like the fast transients of simulated nights and unlike all else
    there, by boosted trees: 0 at odds of 1 to 22,000, 0.71 at even odds, 1 at 55 to 1."""
    return _or(_from_to(fast_odds, -10.0, 4.0), 0.0)


# --- how fast it is ------------------------------------------------------------------------


@_term("least_fade", "fade rate less its error, mag/day", (-0.1, 0.6))
def fading(least_fade):
    """How fast it surely fades, by the rate less its error or by a non-detection: 1 at 0.3
    mag/day."""
    return _or(_from_to(least_fade, 0.0, FAST_RATE), 0.0)


@_term(
    "first_rise", "rise since the last non-detection, mag/day", (0, 3),
    least_rise=np.nan, age=1.0, days_since_peak=0.0,
)  # fmt: skip
def rising(first_rise, least_rise, age, days_since_peak):
    """How fast it surely rose, by the rate less its error or from the last non-detection: 0 at
    0.1, 1 at 2 mag/day, and less the longer ago that was."""
    began = _steep(first_rise) * _falls(age, 7.0, 2)
    rose = _steep(least_rise) * _falls(days_since_peak, 7.0, 2)
    return _or(np.fmax(began, rose), 0.0)


@_term("fade_sigmas", "errors that it fades beyond 0.05 mag/day", (-1, 6), time_to_peak=3.0)
def turned(fade_sigmas, time_to_peak):
    """It is past its peak already, within days of its appearance: faster than a plateau, by
    half an error or less 0, by 3 errors 1; half of that when it took 7 days to its peak."""
    past = _or(_from_to(fade_sigmas, 0.5, 3.0), 0.0)
    return past * _or(_falls(time_to_peak, 7.0, 4), 0.0)


@_term("half_time", "days above half of the peak flux", (0, 30), days_since_peak=3.0)
def brief(half_time, days_since_peak):
    """How briefly it is above half of its peak flux, measured or foreseen: 0.5 at 9 days, 0.24 at
    12; a peak 12 days ago counts half."""
    return _or(_falls(half_time, 9.0, 4) * _falls(days_since_peak, 12.0, 4), 0.0)


@_term("above_half", "days seen above half of the peak flux", (0, 40))
def short(above_half):
    """It has not been bright for long: 0.5 when seen above half of its peak for 10 days."""
    return _or(_falls(above_half, 10.0, 2), _UNKNOWN)


@_term("known_for", "days since the first detection at this place", (0, 40))
def young(known_for):
    """Nothing was detected here before: 0.5 when something was 12 days ago, 0 years ago."""
    return _or(_falls(known_for, 12.0, 2), _UNKNOWN)


@_term("g_r_peak", "g − r at peak, mag", (-0.6, 0.4))
def blue(g_r_peak):
    """It is hot at its peak, g - r = -0.2 or bluer, as few supernovae and no red star are."""
    return _or(expit((-0.2 - g_r_peak) / 0.06), 0.05)


# --- what it is not ------------------------------------------------------------------------


@_term("star_below", "star/galaxy score of a source within 1.5″", (0, 1))
def not_stellar(star_below):
    """No star lies within 1.5 arcsec, which could flare or erupt."""
    return 1 - star_below


@_term("host_chance", "probability that the galaxy is there by chance", (0, 1))
def hosted(host_chance):
    """A galaxy lies so near that it is the host and not there by chance; 0 without any."""
    return 1 - host_chance


@_term("abs_gal_lat", "degrees from the galactic plane", (0, 60))
def off_plane(abs_gal_lat):
    """How far it is from the galactic plane, where novae and dwarf novae are: 0.5 at 10 degrees."""
    return _or(1 - _falls(abs_gal_lat, 10.0, 2), _UNKNOWN)


@_term(
    "max_separation", "days between detections", (0, 0.06),
    abs_ecl_lat=10.0, ssdistnr=np.nan, n_nights=1.0,
)  # fmt: skip
def stays(max_separation, abs_ecl_lat, ssdistnr, n_nights):
    """It does not move: seen at one place for half an hour or longer. Seen only once it may be an
    asteroid, the likelier the nearer the ecliptic, and surely is one on a known one."""
    once = _or(_from_to(abs_ecl_lat, 0.0, 60.0), _UNKNOWN)
    known = (ssdistnr < 5) & (n_nights < 2)
    return np.where(known, 0.0, np.fmax(once, _or(_from_to(max_separation, 0.0, 0.02), 0.0)))


# --- whether to point at it ----------------------------------------------------------------


@_term("magpsf", "magnitude now", (16, 22), positive=1.0)
def bright(magpsf, positive, instrument):
    """Whether the instrument reaches it tonight: 0.5 at its limiting magnitude."""
    above_reference = np.where(positive == 0, np.inf, magpsf)
    return _or(expit((instrument.limiting_magnitude - above_reference) / 0.4), _UNKNOWN)


@_term("drb", "drb", (0, 1), rb=np.nan, positive=1.0, frac_positive=1.0)
def sound(drb, rb, positive, frac_positive):
    """It is real by drb (or rb), and brighter than before, now and in the past."""
    real = _or(np.where(np.isnan(drb), rb, drb), _UNKNOWN)
    return np.where(positive == 0, 0.0, real * _or(frac_positive, 1.0))


# --- shapes --------------------------------------------------------------------------------


def _from_to(value, zero, one):
    """0 up to `zero`, 1 from `one` on, straight between."""
    return np.clip((value - zero) / (one - zero), 0.0, 1.0)


def _falls(value, half, power):
    """1 at 0, one half at `half`, falling as the power beyond."""
    return 1 / (1 + (np.maximum(value, 0.0) / half) ** power)


def _steep(rate):
    """0 at 0.1 mag/day or slower, 1 at 2 mag/day, straight in the logarithm."""
    return _from_to(np.log10(np.fmax(rate, 0.01)), -1.0, np.log10(2.0))


def _or(value, unknown):
    return np.where(np.isnan(value), unknown, value)
