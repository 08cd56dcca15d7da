"""Quantities that the terms of the ranking use: rates, durations, host and star, over all bands.

A quantity is a function of whole columns; the names of its parameters are the columns it needs
(features, class probabilities, other quantities; ``table`` gives access to all of them). Rates
are lower limits, the value minus one standard error, so that pairs minutes apart and single
noisy points, whose errors are large, have no effect.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ztfml.features import OPTIONAL
from ztfml.lightcurves.slopes import MIN_BASE
from ztfml.schema import BANDS

if TYPE_CHECKING:
    from ztfml.ranking.settings import Instrument
    from ztfml.ranking.trees import Trees

QUANTITIES: dict[str, "Quantity"] = {}
"""All quantities by name."""

PLATEAU = 0.05
"""Type II supernovae on the plateau fade slower than this (mag/day), in every band."""

ON_STAR = 1.5
"""A source nearer than this (arcsec) to a star is on the star, as in ZTFReST."""

RED_STAR = 1.2
"""PS1 g - r of stars of type K7 and later (Covey et al. 2007, AJ 134, 2398): M dwarfs flare."""

# Of 683 real variable stars with a PS1 source within 1.5 arcsec, 80 have r - i above 0.8 and a
# star/galaxy score of 0.5 or less; of 83 real transients, one has this colour, and none the other.
# Galaxies reach r - i = 0.8 beyond z = 0.5, where few transients are brighter than ZTF's limit.
_RED_R_I = 0.8
_RED_GAIA = -0.7  # Gaia G - PS1 r

MIN_P_TRANSIENT = 0.02
"""The trees are evaluated only for alerts with at least this probability of being a transient:
about one alert in fifty."""

UNLIKELY = -18.0
"""The log odds of the trees for all other alerts."""

_OPTIONAL = {feature.name for feature in OPTIONAL}

HALF_FLUX = 2.5 * np.log10(2)
# Without an earlier non-detection a source may have been visible for this long (d).
_DEFAULT_GAP = 10.0
_MAX_GAP = 30.0
# Slower changes (mag/day) are treated as this slow, to keep durations finite.
_MIN_RATE = 0.01
_MIN_RISE_BOUND = 0.02


class Quantity(NamedTuple):
    """A declared quantity.

    Attributes
    ----------
    function : callable
        ``function(*columns)``; its parameters name the columns.
    unit : str
        An astropy unit string, empty for pure numbers.
    meaning : str
        One sentence.
    version : int
        Raised when the definition changes, so that older rankings that use it are refused.
    """

    function: Callable[..., np.ndarray]
    unit: str
    meaning: str
    version: int


def _quantity(unit: str, version: int = 1) -> Callable:
    def declare(function):
        meaning = inspect.getdoc(function).split("\n\n")[0].replace("\n", " ")
        QUANTITIES[function.__name__] = Quantity(function, unit, meaning, version)
        return function

    return declare


class Columns:
    """Features, class probabilities and quantities as arrays, looked up by name.

    Quantities are computed when they are first needed.

    Parameters
    ----------
    features, probabilities : pandas.DataFrame, one row per alert
    instrument : Instrument or None
    trees : Trees or None
        None if no quantity that needs the instrument or the trees will be used.

    Examples
    --------
    >>> from ztfml.ranking import load_ranking
    >>> ranking = load_ranking()
    >>> columns = Columns(table, predictions, ranking.instrument, ranking.trees)
    >>> columns["longest_above_half"].shape == (len(table),)
    True
    """

    def __init__(
        self,
        features: pd.DataFrame,
        probabilities: pd.DataFrame,
        instrument: "Instrument | None",
        trees: "Trees | None",
    ):
        self._tables = (features, probabilities)
        self._known: dict[str, Any] = {"instrument": instrument, "trees": trees}

    def __getitem__(self, name: str) -> Any:
        if name == "table":
            return (
                self  # Not kept: a cycle would hold the tables until the next search for garbage.
            )
        if name not in self._known:
            if name in QUANTITIES:
                self._known[name] = self.call(QUANTITIES[name].function)
            elif name in _OPTIONAL and name not in self._tables[0]:
                self._known[name] = np.full(len(self._tables[0]), np.nan)
            else:
                table = next(table for table in self._tables if name in table)
                self._known[name] = table[name].to_numpy(np.float64)
        return self._known[name]

    def call(self, function: Callable[..., np.ndarray]) -> np.ndarray:
        """Call a function with the columns that its parameters name.

        Parameters
        ----------
        function : callable

        Returns
        -------
        ndarray, shape (n_alerts,)
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return function(*(self[name] for name in inspect.signature(function).parameters))


# --- rates ---------------------------------------------------------------------------------


@_quantity("mag / d")
def min_fade_rate(table):
    """Largest fade rate after subtracting one error, or required by a non-detection.

    The maximum over the fade since the peak (each band, and all bands together) and over the
    last two nights. Non-detections include forced photometry.
    """
    measured = [
        table[f"{rate}_{band}"] - table[f"{rate}_err_{band}"]
        for rate in ("fade_rate", "recent_slope")
        for band in BANDS
    ]
    measured.append(table["fade_rate"] - table["fade_rate_err"])
    bounds = [table[f"{kind}fade_bound_{band}"] for kind in ("", "forced_") for band in BANDS]
    return np.fmax.reduce([*measured, *bounds])


@_quantity("")
def fade_significance(table):
    """Fade rate since the peak minus 0.05 mag/day, in units of its error, in the best band."""
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


@_quantity("mag / d")
def min_rise_rate(table):
    """Largest rise rate up to the peak after subtracting one error."""
    return np.fmax.reduce(
        [
            table["rise_rate"] - table["rise_rate_err"],
            *(table[f"rise_rate_{band}"] - table[f"rise_rate_err_{band}"] for band in BANDS),
        ]
    )


@_quantity("mag / d")
def first_rise_rate(table):
    """Minimum rise rate between the last non-detection, also of forced photometry, and the first
    detection."""
    return np.fmax.reduce(
        [table[f"{kind}rise_bound_{band}"] for kind in ("", "forced_") for band in BANDS]
    )


@_quantity("mag / d")
def min_tonight_rate(table):
    """Largest rate of change within the night after subtracting three errors, or required by a
    non-detection of the night if the source did not move for half an hour.

    Three errors, because the errors of rates within hours are larger than most rates of nights. A
    moving object that arrives after a non-detection did not rise.
    """
    bound = np.fmax.reduce([table[f"tonight_rise_bound_{band}"] for band in BANDS])
    stays = table["max_separation"] >= MIN_BASE
    return np.fmax(table["measured_tonight_rate"], np.where(stays, bound, np.nan))


@_quantity("mag / d")
def measured_tonight_rate(table):
    """Largest rate of change within the night after subtracting three errors, from detections.

    It has no bounds from non-detections: sources are at times not detected although they are
    brighter than the limit.
    """
    return np.fmax.reduce(
        [
            np.abs(table[f"tonight_slope{band}"]) - 3 * table[f"tonight_slope_err{band}"]
            for band in ("", *(f"_{band}" for band in BANDS))
        ]
    )


# --- durations -----------------------------------------------------------------------------


@_quantity("d", version=2)
def total_age(confirmed_age):
    """Days since the first detection at this position that another detection confirms."""
    return confirmed_age


@_quantity("d")
def time_to_peak(age, days_since_peak, limit_gap):
    """Days from the last non-detection to the peak so far: an upper limit of the rise time."""
    gap = np.where(np.isnan(limit_gap), _DEFAULT_GAP, np.minimum(limit_gap, _MAX_GAP))
    return age - days_since_peak + gap


@_quantity("d", version=2)
def shortest_half_time(table):
    """Days above half of the peak flux, in the fastest band; estimated if not yet measured.

    The estimate is the middle between lower and upper bound if both are known. Otherwise it is the
    time to rise from half of the peak flux, limited by the first night and the non-detection before
    it, plus the time to fall to half at the minimum fade rate so far.
    """
    return np.fmin.reduce([_half_time_in(table, band) for band in BANDS])


def _half_time_in(table, band):
    measured = table[f"half_time_{band}"]
    seen = _zero_if_nan(table[f"first_mag_{band}"] - table[f"peak_mag_{band}"])
    unseen = np.clip(HALF_FLUX - seen, 0, None)
    bound = np.fmax(table[f"rise_bound_{band}"], _MIN_RISE_BOUND)
    rate = np.fmax(table[f"rise_rate_{band}"], _MIN_RATE)
    base = _zero_if_nan(table[f"rise_base_{band}"])
    rise = np.where(unseen > 0, base + unseen / bound, HALF_FLUX / rate)
    fade = np.fmax(
        table[f"fade_rate_{band}"] - table[f"fade_rate_err_{band}"],
        table["fade_rate"] - table["fade_rate_err"],
    )
    fade = np.fmax(np.fmax(fade, table[f"fade_bound_{band}"]), _MIN_RATE)
    estimate = np.fmax(rise + HALF_FLUX / fade, table[f"above_half_{band}"])
    estimate = np.where(np.isnan(table[f"peak_mag_{band}"]), np.nan, estimate)
    middle = 0.5 * (table[f"above_half_{band}"] + table[f"half_time_max_{band}"])
    estimate = np.where(np.isnan(middle), estimate, middle)
    return np.where(np.isnan(measured), estimate, measured)


@_quantity("d")
def longest_above_half(table):
    """Days between the first and last detection above half of the peak flux, in the slowest
    band."""
    return np.fmax.reduce([table[f"above_half_{band}"] for band in BANDS])


# --- surroundings --------------------------------------------------------------------------


@_quantity("")
def chance_alignment(host_offset, host_mag):
    """Probability that a galaxy this bright lies this close by chance; 1 without a galaxy.

    Bloom, Kulkarni & Djorgovski 2002 (AJ 123, 1111, eq. 1 to 3), with the PS1 r magnitude.
    """
    magnitude = np.where(np.isnan(host_mag), 22.0, np.clip(host_mag, 12.0, 24.0))
    brighter = 10 ** (0.33 * (magnitude - 24) - 2.44) / (0.33 * np.log(10))  # per square arcsec
    # Positions agree to half an arcsecond at best.
    chance = -np.expm1(-np.pi * np.fmax(host_offset, 0.5) ** 2 * brighter)
    return np.where(np.isnan(host_offset), 1.0, chance)


@_quantity("", version=2)
def underlying_star(sgscore1, distpsnr1, star_offset, ps1_r_i, gaia_minus_ps1):
    """Probability that a star lies within 1.5 arcsec, from the PS1 star/galaxy scores; 1 for a
    source that is redder than galaxies."""
    nearest = (distpsnr1 < ON_STAR) * np.where(np.isnan(sgscore1), 0.5, sgscore1)
    star = (star_offset < ON_STAR) | _redder_than_galaxies(distpsnr1, ps1_r_i, gaia_minus_ps1)
    return np.fmax(nearest, star)


@_quantity("", version=2)
def red_star(star_offset, star_g_r, distpsnr1, ps1_r_i, gaia_minus_ps1):
    """Probability that a star within 1.5 arcsec is red, so that it may flare; 0.5 for a star of
    unknown colour, 1 for a source that is redder than galaxies."""
    red = np.where(np.isnan(star_g_r), 0.5, star_g_r > RED_STAR)
    red = np.where(star_offset < ON_STAR, red, 0.0)
    return np.fmax(red, _redder_than_galaxies(distpsnr1, ps1_r_i, gaia_minus_ps1))


def _redder_than_galaxies(distpsnr1, ps1_r_i, gaia_minus_ps1):
    """Whether the nearest PS1 source is a red star by its colour, whatever its star/galaxy score.

    The score of many bright and faint stars is missing or wrong.
    """
    # A missing colour is not red.
    return (distpsnr1 < ON_STAR) & ((ps1_r_i > _RED_R_I) | (gaia_minus_ps1 < _RED_GAIA))


@_quantity("mag")
def peak_abs_mag(abs_mag, magpsf, peak_mag, galaxy_chance):
    """Absolute magnitude at the peak in the catalogued galaxy next to the source; NaN if the galaxy
    is there by chance with a probability above 0.1."""
    brightest = np.fmin(abs_mag, abs_mag - magpsf + peak_mag)
    return np.where(galaxy_chance <= 0.1, brightest, np.nan)


@_quantity("d")
def event_delay(days_since_event, age):
    """Days from the event of the sky map to the first detection."""
    return days_since_event - age


# --- trees ---------------------------------------------------------------------------------


@_quantity("")
def tree_log_odds(table, trees, p_transient):
    """Log odds of being a fast transient, from boosted trees; very low if a transient is
    unlikely."""
    evaluated = p_transient >= MIN_P_TRANSIENT
    odds = np.full(len(evaluated), UNLIKELY)
    odds[evaluated] = trees.log_odds(trees.inputs_from(table, evaluated))
    return odds


def _zero_if_nan(values):
    return np.where(np.isnan(values), 0.0, values)
