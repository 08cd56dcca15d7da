"""Which transients are fast, and worth one of tonight's spectra.

A fast transient rises or fades by more than 0.3 mag/day, or stays above half of its peak flux
for less than 12 days (Drout et al. 2014, ApJ 794, 23; Ho et al. 2023, ApJ 949, 120; the rate
is ZTFReST's, Andreoni et al. 2021, ApJ 918, 63). The score is a logistic sum of a few terms,
each between 0 and 1 and each a sentence that a person can check.
"""

import inspect
import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr
from sklearn.base import BaseEstimator

from ztfml.errors import DataError
from ztfml.schema import BANDS

FAST_RATE = 0.3
FAST_HALF_TIME = 12.0
DEFAULT_FILE = Path(__file__).with_suffix(".toml")

TERMS = {}
# What a limit says of a rate was lessened by one sigma already (see features.rates).
_BOUND_CONFIDENCE = float(ndtr(1.0))
# Not knowing is half-way between speaking for and against.
_UNKNOWN = 0.5


class Instrument(NamedTuple):
    """What takes the spectra: its limiting magnitude, and how many it takes a night."""

    name: str
    limiting_magnitude: float
    spectra_per_night: int


def _term(function):
    TERMS[function.__name__] = function
    return function


@_term
def transient(p_transient):
    """The classifier's probability that it is a transient at all."""
    return p_transient


@_term
def fading(table):
    """The probability that it fades faster than 0.3 mag/day, in the surest band."""
    return _fast(table, "fade")


@_term
def rising(table):
    """The probability that it rises faster than 0.3 mag/day, in the surest band."""
    return _fast(table, "rise")


@_term
def brief(table):
    """Whether it stays above half of its peak flux for less than 12 days: 1 under 6, 0 over 24."""
    half = np.fmin.reduce([table[f"half_time_{band}"] for band in BANDS])
    so_far = np.fmax.reduce([table[f"above_half_{band}"] for band in BANDS])
    known = _falls(half, FAST_HALF_TIME)
    # What has been bright for long already cannot be brief, even if it has not faded yet.
    at_best = np.fmin(_UNKNOWN, _falls(so_far, FAST_HALF_TIME))
    return np.where(np.isnan(half), np.where(np.isnan(so_far), _UNKNOWN, at_best), known)


@_term
def young(age, age_hist):
    """How recently it appeared, by its history and by the survey's: 0.5 at 10 days."""
    return _known(_falls(np.fmax(age, age_hist), 10.0))


@_term
def blue(g_r, g_r_err, g_r_slope, g_r_slope_err):
    """Whether it is bluer than g - r = 0 or reddens by more than 0.1 mag/day, given the errors."""
    is_blue = ndtr((0.0 - g_r) / g_r_err)
    reddens = ndtr((g_r_slope - 0.1) / g_r_slope_err)
    return _known(np.fmax(is_blue, reddens))


@_term
def not_stellar(sgscore1, distpsnr1, star_offset, host_offset):
    """No star under it: 0 on a star within 1.5 arcsec, 1 at a galaxy, 0.7 far from anything."""
    on_star = (distpsnr1 < 1.5) * np.where(np.isnan(sgscore1), _UNKNOWN, sgscore1)
    hosted = np.where(host_offset < 15, 1.0, 0.7)
    return hosted * (1 - np.fmax(on_star, star_offset < 1.5))


@_term
def off_plane(abs_gal_lat):
    """How far it is from the galactic plane: 0.5 at 10 degrees, where stars crowd the field."""
    return _known(1 - _falls(abs_gal_lat, 10.0))


@_term
def bright(magpsf, positive, instrument):
    """Whether the instrument reaches it tonight: 0.5 at its limiting magnitude."""
    above_reference = np.where(positive == 0, np.inf, magpsf)
    return _known(expit((instrument.limiting_magnitude - above_reference) / 0.25))


@_term
def sound(drb, rb, n_det, frac_positive):
    """Quality of the data: a real detection by drb (or rb), seen twice, brighter than before."""
    real = np.where(np.isnan(drb), rb, drb)
    return _known(real) * np.where(n_det >= 2, 1.0, _UNKNOWN) * frac_positive


def _fast(table, way):
    surest = np.zeros(len(table))
    for band in BANDS:
        rate, err = table[f"{way}_rate_{band}"], table[f"{way}_rate_err_{band}"]
        surest = np.fmax(surest, ndtr((rate - FAST_RATE) / err))
        bounded = np.where(table[f"{way}_bound_{band}"] > FAST_RATE, _BOUND_CONFIDENCE, 0.0)
        surest = np.fmax(surest, bounded)
    return surest


def _falls(value, half):
    """1 at 0, one half at `half`, falling as the square beyond."""
    return 1 / (1 + (value / half) ** 2)


def _known(value):
    return np.where(np.isnan(value), _UNKNOWN, value)


class FastTransientScorer(BaseEstimator):
    """Score every object of a night as a fast transient, and say why.

    Parameters
    ----------
    weights : dict of str to float, optional
        One weight for each name in `TERMS`, and ``intercept``; by default those in the
        package's ``ranking.toml``.
    instrument : Instrument, optional
        By default that in ``ranking.toml``.

    Examples
    --------
    >>> scorer = FastTransientScorer()
    >>> scorer.rank(night, features, probabilities, top=12)   # doctest: +SKIP
    """

    def __init__(self, weights=None, instrument=None):
        self.weights = weights
        self.instrument = instrument

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
        instrument = self.instrument or read_settings().instrument
        table = _Columns(features, probabilities)
        values = {name: _call(term, table, instrument) for name, term in TERMS.items()}
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
        weights = self.weights or read_settings().weights
        linear = np.full(len(terms), weights["intercept"])
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
        terms = self.terms(features, probabilities)
        score = self.score(terms)
        rows = _best_rows(night.alerts, score)[:top]
        alerts = night.alerts.iloc[rows].reset_index(drop=True)
        table = features.iloc[rows].reset_index(drop=True)
        ranked = pd.DataFrame(
            {
                "rank": np.arange(1, len(rows) + 1),
                "objectId": alerts["objectId"],
                "candid": alerts["candid"],
                "score": score[rows],
                "p_transient": probabilities["p_transient"].to_numpy()[rows],
            }
        )
        rates = best_rates(table)
        ranked = ranked.join(rates.drop(columns=["base", "is_bound"]))
        ranked["age"] = table["age"]
        ranked["peak_mag"] = table["peak_mag"]
        ranked["last_mag"] = table["magpsf"].where(table["positive"] != 0)
        ranked["color"] = table["g_r"]
        ranked.insert(4, "reasons", _reasons(ranked, table, rates))
        for column in ("ra", "dec"):
            ranked[column] = alerts.get(column, np.nan)
        terms = terms.iloc[rows].add_prefix("term_").reset_index(drop=True)
        return ranked.join(terms).assign(**_links(ranked["objectId"]))


class Settings(NamedTuple):
    """What a ranking file says."""

    weights: dict
    instrument: Instrument


def read_settings(path=DEFAULT_FILE):
    """Read weights and instrument from a TOML file.

    Parameters
    ----------
    path : str or Path
        By default the package's own ``ranking.toml``.

    Returns
    -------
    Settings

    Raises
    ------
    DataError
        If the file is no TOML, or a weight is missing or unknown.

    Examples
    --------
    >>> read_settings().instrument.spectra_per_night
    12
    """
    try:
        content = tomllib.loads(Path(path).read_text())
        weights = {name: float(value) for name, value in content["weights"].items()}
        instrument = Instrument(**content["instrument"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a ranking file ({error}); start from a copy of {DEFAULT_FILE.name}"
        ) from error
    odd = set(weights) ^ {*TERMS, "intercept"}
    if odd:
        raise DataError(
            f"{path}: [weights] must have exactly {', '.join((*TERMS, 'intercept'))}; "
            f"missing or unknown: {', '.join(sorted(odd))}"
        )
    return Settings(weights, instrument)


class _Columns:
    """Features and probabilities as plain arrays, found by name."""

    def __init__(self, features, probabilities):
        self._tables = (features, probabilities)

    def __len__(self):
        return len(self._tables[0])

    def __getitem__(self, name):
        table = next(table for table in self._tables if name in table)
        return table[name].to_numpy()


def _call(term, table, instrument):
    given = {"table": table, "instrument": instrument}
    with np.errstate(invalid="ignore", divide="ignore"):
        return term(
            **{
                name: given[name] if name in given else table[name]
                for name in inspect.signature(term).parameters
            }
        )


def _best_rows(alerts, score):
    """Positions of each object's latest alert, best score first, ties by candid."""
    order = np.lexsort([alerts["candid"], alerts["jd"]])
    latest = ~alerts["objectId"].iloc[order].duplicated(keep="last").to_numpy()
    rows = order[latest]
    return rows[np.lexsort([alerts["candid"].to_numpy()[rows], -score[rows]])]


def best_rates(features):
    """The rate that speaks most for a fast transient: which way, in which band, how sure.

    Parameters
    ----------
    features : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        ``best_rate``, ``rate_err`` (mag/day), ``band``, ``direction`` (``rise`` or ``fade``),
        ``base`` (d) and ``is_bound`` (whether a non-detection sets it: then it is a least
        rate without error). Empty text and NaN where no rate is known.

    Examples
    --------
    >>> best_rates(features).loc[0, "direction"]   # doctest: +SKIP
    'fade'
    """
    kinds = [(way, band) for way in ("fade", "rise") for band in BANDS]
    rate = _stack(features, "{}_rate_{}", kinds)
    err = _stack(features, "{}_rate_err_{}", kinds)
    bound = _stack(features, "{}_bound_{}", kinds)
    measured, least = _largest(rate - err)
    bounding, at_least = _largest(bound)
    # A measured rate that is surely fast tells more than a bound, and any rate more than none.
    by_bound = (at_least > least) & ~(least > FAST_RATE)
    pick = (np.where(by_bound, bounding, measured), np.arange(len(features)))
    known = np.isfinite(np.fmax(least, at_least))
    way, band = np.array(kinds).T[:, pick[0]]
    base = _stack(features, "{}_base_{}", kinds)
    return pd.DataFrame(
        {
            "best_rate": np.where(known, np.where(by_bound, bound[pick], rate[pick]), np.nan),
            "rate_err": np.where(known & ~by_bound, err[pick], np.nan),
            "band": np.where(known, band, ""),
            "direction": np.where(known, way, ""),
            "base": np.where(known & ~by_bound, base[pick], np.nan),
            "is_bound": by_bound,
        },
        index=features.index,
    )


def _stack(features, pattern, kinds):
    return np.array([features[pattern.format(*kind)].to_numpy() for kind in kinds])


def _largest(values):
    """Where in each column the largest value stands, and that value (-inf if all are NaN)."""
    values = np.where(np.isnan(values), -np.inf, values)
    return values.argmax(axis=0), values.max(axis=0)


def _reasons(ranked, features, rates):
    """One sentence a row, for the rows that are shown."""
    rows = zip(
        ranked.to_dict("records"),
        features.to_dict("records"),
        rates.to_dict("records"),
        strict=True,
    )
    return ["; ".join(_say(row | feature | rate)) for row, feature, rate in rows]


def _say(row):
    yield _say_rate(row)
    yield f"{row['age']:.1f} d old" if row["age"] > 0 else "first detected now"
    if not np.isnan(row["g_r"]):
        yield f"g − r = {_signed(row['g_r'])} ± {row['g_r_err']:.2f}"
    yield _say_place(row)
    yield f"{row['last_mag']:.1f} mag" if not np.isnan(row["last_mag"]) else "below the reference"


def _say_rate(row):
    if not row["direction"]:
        return "no rate yet"
    verb = "fading" if row["direction"] == "fade" else "rising"
    amount = f"{verb} {{}}{_signed(row['best_rate'])}{{}} mag/day in {row['band']}"
    if row["is_bound"]:
        return amount.format("at least ", "") + " by a non-detection"
    return amount.format("", f" ± {row['rate_err']:.2f}") + f" over {row['base']:.1f} d"


def _say_place(row):
    if row["star_offset"] < 1.5:
        return f"on a star ({row['star_offset']:.1f}″)"
    if row["host_offset"] < 30:
        return f"{row['host_offset']:.1f}″ from a galaxy"
    if row["distpsnr1"] < 30:
        return f"{row['distpsnr1']:.1f}″ from the nearest PS1 source"
    return "no PS1 source near"


def _signed(value):
    return f"{'−' if value < 0 else ''}{abs(value):.2f}"


def _links(object_ids):
    return {
        "alerce": "https://alerce.online/object/" + object_ids,
        "fink": "https://ztf.fink-portal.org/" + object_ids,
        "fritz": "https://fritz.science/source/" + object_ids,
    }
