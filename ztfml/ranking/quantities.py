"""What a night's features say of rise, fade and time, over all bands and with their errors.

Each quantity is a function of whole columns, which it names as its parameters; ``table`` is all
of them. Rates are the least that one error allows, so that pairs minutes apart and single noisy
points, whose errors are large, say nothing.
"""

import inspect

import numpy as np

from ztfml.ranking.trees import LEAST_CHANCE, inputs_of
from ztfml.schema import BANDS

QUANTITIES = {}

PLATEAU = 0.05
"""Type II supernovae fade slower than this (mag/day) for months, in every band."""

HALF_FLUX = 2.5 * np.log10(2)
# Without a non-detection before it a source may have been there for this long.
_UNSEEN_BEFORE = 10.0
_LONGEST_GAP = 30.0
# Slower changes than this are none: they would last for ever.
_STILL = 0.01
_POOR_BOUND = 0.02


def _quantity(function):
    QUANTITIES[function.__name__] = function
    return function


class Columns:
    """Features, probabilities and quantities as plain arrays, found by name.

    Parameters
    ----------
    features, probabilities : pandas.DataFrame, one row an alert
    instrument : Instrument
    trees : ztfml.ranking.trees.Trees
        These two stand under their own names.

    Examples
    --------
    >>> Columns(features, probabilities, instrument, trees)["half_time"]   # doctest: +SKIP
    """

    def __init__(self, features, probabilities, instrument, trees):
        self._tables = (features, probabilities)
        self._known = {"table": self, "instrument": instrument, "trees": trees}

    def __getitem__(self, name):
        if name not in self._known:
            if name in QUANTITIES:
                self._known[name] = self.call(QUANTITIES[name])
            else:
                table = next(table for table in self._tables if name in table)
                self._known[name] = table[name].to_numpy(np.float64)
        return self._known[name]

    def call(self, function):
        """What a function of columns gives, each parameter the column of its name."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return function(*(self[name] for name in inspect.signature(function).parameters))


@_quantity
def least_fade(table):
    """The fastest fade (mag/day) that is sure by one error, or that a non-detection proves.

    Of the fade since the peak in each band and common to all, and of the last two nights.
    """
    measured = [
        table[f"{rate}_{band}"] - table[f"{rate}_err_{band}"]
        for rate in ("fade_rate", "recent_slope")
        for band in BANDS
    ]
    measured.append(table["fade_rate"] - table["fade_rate_err"])
    return np.fmax.reduce([*measured, *(table[f"fade_bound_{band}"] for band in BANDS)])


@_quantity
def fade_sigmas(table):
    """By how many errors it fades faster than a plateau since its peak, in the surest band."""
    common = (table["fade_rate"] - PLATEAU) / table["fade_rate_err"]
    return np.fmax.reduce(
        [
            common,
            *(
                (table[f"fade_rate_{band}"] - PLATEAU) / table[f"fade_rate_err_{band}"]
                for band in BANDS
            ),
        ]
    )


@_quantity
def least_rise(table):
    """The fastest rise (mag/day) up to the peak that is sure by one error."""
    return np.fmax.reduce(
        [
            table["rise_rate"] - table["rise_rate_err"],
            *(table[f"rise_rate_{band}"] - table[f"rise_rate_err_{band}"] for band in BANDS),
        ]
    )


@_quantity
def first_rise(table):
    """The least rise (mag/day) between the last non-detection and the first detection."""
    return np.fmax.reduce([table[f"rise_bound_{band}"] for band in BANDS])


@_quantity
def known_for(age, age_hist):
    """Days since something was first detected at this place, in this light curve or ever."""
    return np.fmax(age, age_hist)


@_quantity
def time_to_peak(age, days_since_peak, limit_gap):
    """Days from the last non-detection to the peak so far: how long the rise took at most."""
    gap = np.where(np.isnan(limit_gap), _UNSEEN_BEFORE, np.minimum(limit_gap, _LONGEST_GAP))
    return age - days_since_peak + gap


@_quantity
def half_time(table):
    """Days above half of the peak flux, in the quickest band: measured, or else foreseen.

    Foreseen, it is the rise from half, which the first night and the non-detection before it
    bound, and the fall to half at the least fade rate so far.
    """
    return np.fmin.reduce([_half_time_of(table, band) for band in BANDS])


def _half_time_of(table, band):
    measured = table[f"half_time_{band}"]
    seen = _zero_if_unknown(table[f"first_mag_{band}"] - table[f"peak_mag_{band}"])
    unseen = np.clip(HALF_FLUX - seen, 0, None)
    bound = np.fmax(table[f"rise_bound_{band}"], _POOR_BOUND)
    rate = np.fmax(table[f"rise_rate_{band}"], _STILL)
    base = _zero_if_unknown(table[f"rise_base_{band}"])
    rise = np.where(unseen > 0, base + unseen / bound, HALF_FLUX / rate)
    fade = np.fmax(
        table[f"fade_rate_{band}"] - table[f"fade_rate_err_{band}"],
        table["fade_rate"] - table["fade_rate_err"],
    )
    fade = np.fmax(np.fmax(fade, table[f"fade_bound_{band}"]), _STILL)
    foreseen = np.fmax(rise + HALF_FLUX / fade, table[f"above_half_{band}"])
    foreseen = np.where(np.isnan(table[f"peak_mag_{band}"]), np.nan, foreseen)
    return np.where(np.isnan(measured), foreseen, measured)


@_quantity
def above_half(table):
    """Days that it has been seen above half of its peak flux, in the band that lasts longest."""
    return np.fmax.reduce([table[f"above_half_{band}"] for band in BANDS])


@_quantity
def host_chance(host_offset, host_mag):
    """The probability that a galaxy so bright lies so near by chance; 1 without any galaxy.

    Bloom, Kulkarni & Djorgovski 2002 (AJ 123, 1111, eq. 1 to 3), by the PS1 r magnitude.
    """
    magnitude = np.where(np.isnan(host_mag), 22.0, np.clip(host_mag, 12.0, 24.0))
    brighter = 10 ** (0.33 * (magnitude - 24) - 2.44) / (0.33 * np.log(10))  # per square arcsec
    # Positions agree to half an arcsecond at best.
    chance = -np.expm1(-np.pi * np.fmax(host_offset, 0.5) ** 2 * brighter)
    return np.where(np.isnan(host_offset), 1.0, chance)


@_quantity
def star_below(sgscore1, distpsnr1, star_offset):
    """How surely a star lies within 1.5 arcsec, 0 to 1, by the PS1 star/galaxy scores."""
    nearest = (distpsnr1 < ON_STAR) * np.where(np.isnan(sgscore1), 0.5, sgscore1)
    return np.fmax(nearest, star_offset < ON_STAR)


ON_STAR = 1.5
"""Nearer than this (arcsec) a source is on a star, as in ZTFReST."""


@_quantity
def fast_odds(table, trees, p_transient):
    """Log odds of being a fast transient, by the trees; NaN where it is hardly a transient."""
    asked = p_transient >= LEAST_CHANCE
    odds = np.full(len(asked), np.nan)
    odds[asked] = trees.log_odds(inputs_of(table, asked))
    return odds


def _zero_if_unknown(values):
    return np.where(np.isnan(values), 0.0, values)
