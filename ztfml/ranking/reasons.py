"""Reasons for the rank of an object, in words."""

import numpy as np
import pandas as pd

from ztfml.astrophysics import FAST_RATE
from ztfml.lightcurves.slopes import MIN_BASE
from ztfml.ranking.quantities import ON_STAR, Columns
from ztfml.schema import BANDS
from ztfml.taxonomy import PROBABILITY_COLUMNS

# A rise that ended longer ago than this (d) is not mentioned.
_RECENT = 10.0
# A smaller minimum rate (mag/day) says nothing; it would be printed as 0.00 or 0.01.
_MIN_BOUND = 0.02
# Smaller contributions to the log odds are not mentioned.
_LARGE = 0.5
_AT_PEAK = 0.5  # d
_AT_CENTRE = 0.8  # arcsec
_LONG_AGO = 60.0  # d
_YEAR = 365.25
_NEAR_PLANE = 15.0  # deg
_NEAR_ECLIPTIC = 25.0  # deg
_PROBABLE = 0.2
# Changes within a night are mentioned if they exceed this many errors.
_SIGNIFICANT = 3.0
_MIN_REBRIGHTENING = 0.2  # mag
# Reduced chi-square within earlier nights above which a star probably varies within hours.
_VARIES_WITHIN_HOURS = 5.0


def best_rates(features: pd.DataFrame) -> pd.DataFrame:
    """Select the rate that is the best evidence of a fast transient.

    A measured rise is used until 10 days after its peak, a minimum rise from the last
    non-detection until 10 days after the first detection. Where no rate is known, the slope within
    the night is used if it exceeds three errors.

    Parameters
    ----------
    features : pandas.DataFrame, one row per alert

    Returns
    -------
    pandas.DataFrame
        ``best_rate``, ``rate_err`` (mag/day), ``band``, ``direction`` (``rise`` or ``fade``),
        ``base`` (time base in days), ``is_bound`` (True if the rate is a minimum from a
        non-detection, without an error) and ``is_tonight`` (True for a slope within the night).
        Empty text and NaN where no rate is known.

    Examples
    --------
    >>> sorted(set(best_rates(table)["direction"]))
    ['', 'fade', 'rise']
    """
    kinds = [(direction, band) for direction in ("fade", "rise") for band in BANDS]
    rate = _stack(features, "{}_rate_{}", kinds)
    err = _stack(features, "{}_rate_err_{}", kinds)
    bound = _stack(features, "{}_bound_{}", kinds)
    since_peak = np.array([features[f"days_since_peak_{band}"] for _, band in kinds])
    rises = np.array([direction == "rise" for direction, _ in kinds])[:, None]
    rate = np.where(rises & (since_peak > _RECENT), np.nan, rate)
    bound = np.where(rises & (features["age"].to_numpy() > _RECENT), np.nan, bound)
    bound = np.where(bound < _MIN_BOUND, np.nan, bound)
    measured, min_measured = _largest(rate - err)
    limiting, min_limit = _largest(bound)
    # A measured rate that is significantly fast is better evidence than a limit.
    is_bound = (min_limit > min_measured) & ~(min_measured > FAST_RATE)
    pick = (np.where(is_bound, limiting, measured), np.arange(len(features)))
    known = np.isfinite(np.fmax(min_measured, min_limit))
    direction, band = np.array(kinds).T[:, pick[0]]
    base = _stack(features, "{}_base_{}", kinds)
    rates = pd.DataFrame(
        {
            "best_rate": np.where(known, np.where(is_bound, bound[pick], rate[pick]), np.nan),
            "rate_err": np.where(known & ~is_bound, err[pick], np.nan),
            "band": np.where(known, band, ""),
            "direction": np.where(known, direction, ""),
            "base": np.where(known & ~is_bound, base[pick], np.nan),
            "is_bound": is_bound,
            "is_tonight": False,
        },
        index=features.index,
    )
    within_night = _rates_tonight(features)
    use = ~known & (within_night["best_rate"] > _SIGNIFICANT * within_night["rate_err"])
    return rates.where(~use, within_night)


def _rates_tonight(features):
    """The slope within the night of the band in which it is most significant."""
    kinds = [(band,) for band in BANDS]
    slope = _stack(features, "tonight_slope_{}", kinds)
    err = _stack(features, "tonight_slope_err_{}", kinds)
    pick = (_largest(np.abs(slope) / err)[0], np.arange(len(features)))
    return pd.DataFrame(
        {
            "best_rate": np.abs(slope[pick]),
            "rate_err": err[pick],
            "band": np.array(BANDS)[pick[0]],
            "direction": np.where(slope[pick] > 0, "fade", "rise"),
            "base": _stack(features, "tonight_base_{}", kinds)[pick],
            "is_bound": False,
            "is_tonight": True,
        },
        index=features.index,
    )


def _stack(features, pattern, kinds):
    return np.array([features[pattern.format(*kind)].to_numpy() for kind in kinds])


def _largest(values):
    """The position of the largest value of each column, and the value (-inf if all are NaN)."""
    values = np.where(np.isnan(values), -np.inf, values)
    return values.argmax(axis=0), values.max(axis=0)


def reasons(features: pd.DataFrame, probabilities: pd.DataFrame, rates: pd.DataFrame) -> list[str]:
    """Describe each alert in words: its evidence, and what else it may be.

    Parameters
    ----------
    features, probabilities : pandas.DataFrame, one row per alert
    rates : pandas.DataFrame
        From `best_rates`.

    Returns
    -------
    list of str

    Examples
    --------
    >>> texts = reasons(table, predictions, best_rates(table))
    >>> all("mag" in text or "fainter than the reference" in text for text in texts)
    True
    """
    red_star = Columns(features, probabilities, instrument=None, trees=None)["red_star"]
    features = features.assign(red_star=red_star)
    rows = zip(*(table.to_dict("records") for table in (features, probabilities, rates)),
               strict=True)  # fmt: skip
    return ["; ".join([*_evidence(row := f | p | r), *_warnings(row)]) for f, p, r in rows]


def largest_terms(contributions: pd.DataFrame) -> list[str]:
    """Name the terms that decide the score of each object.

    Parameters
    ----------
    contributions : pandas.DataFrame
        What each term adds to the log odds.

    Returns
    -------
    list of str
        At most three terms for and two against a fast transient that change the log odds by 0.5
        or more.

    Examples
    --------
    >>> largest_terms(pd.DataFrame({"fading": [2.04], "colour": [0.1], "within_night": [-1.5]}))
    ['for it: fading +2.0; against it: within night −1.5']
    """
    names = np.array([name.replace("_", " ") for name in contributions.columns])
    texts = []
    for adds in contributions.to_numpy():
        order = np.argsort(-adds, kind="stable")
        parts = []
        for title, rows in (("for it", order[:3]), ("against it", order[::-1][:2])):
            sign = 1 if title == "for it" else -1
            large = [k for k in rows if sign * adds[k] >= _LARGE]
            if large:
                terms = ", ".join(
                    f"{names[k]} {'+' if sign > 0 else '−'}{abs(adds[k]):.1f}" for k in large
                )
                parts.append(f"{title}: {terms}")
        texts.append("; ".join(parts))
    return texts


def _evidence(row):
    rate = _rate_text(row)
    tonight = _tonight_text(row)
    if tonight:
        yield tonight
    if not (row["is_tonight"] or (tonight and not row["direction"])):
        yield rate
    if rate.startswith("rose"):
        yield from _fade_since(row)
    yield from _rebrightening(row)
    yield f"{row['age']:.1f} d old" if row["age"] > 0 else "first detection"
    if not np.isnan(row["g_r"]):
        error = "" if np.isnan(row["g_r_err"]) else f" ± {row['g_r_err']:.2f}"
        yield f"g − r = {_signed(row['g_r'])}{error}"
    if not (row["star_offset"] < ON_STAR or row["red_star"] == 1):
        yield from _surroundings(row)
    if row["positive"] == 0:
        yield "fainter than the reference"
    else:
        yield "no magnitude" if np.isnan(row["magpsf"]) else f"{row['magpsf']:.1f} mag"


def _rate_text(row):
    if not row["direction"]:
        return "no rate yet"
    verb = "fading" if row["direction"] == "fade" else "rising"
    if verb == "rising" and row[f"days_since_peak_{row['band']}"] > _AT_PEAK:
        verb = "rose"
    amount = f"{verb} {{}}{_signed(row['best_rate'])}{{}} mag/day in {row['band']}"
    if row["is_bound"]:
        return amount.format("at least ", "") + " (from a non-detection)"
    if row["best_rate"] < row["rate_err"]:
        amount = amount.replace(verb, "no significant change:")
    return amount.format("", f" ± {row['rate_err']:.2f}") + f" over {_duration(row['base'])}"


def _tonight_text(row):
    """The change within the night, empty if it is not significant."""
    slope, err, base = (row[f"tonight_{name}"] for name in ("slope", "slope_err", "base"))
    if abs(slope) > _SIGNIFICANT * err:
        verb = "fading" if slope > 0 else "rising"
        digits = 1 if err * base >= 0.05 else 2
        change = f"{abs(slope) * base:.{digits}f} ± {err * base:.{digits}f} mag"
        return f"{verb} {change} in {24 * base:.1f} h"
    bound = np.fmax.reduce([row[f"tonight_rise_bound_{band}"] for band in BANDS])
    if bound / 24 >= 0.1 and row["max_separation"] >= MIN_BASE:
        return f"rising at least {bound / 24:.1f} mag per hour tonight (from a non-detection)"
    return ""


def _fade_since(row):
    """The most significant fade after a rise, if there is one."""
    least, band = max(
        (np.nan_to_num(row[f"fade_rate_{band}"] - row[f"fade_rate_err_{band}"], nan=-1.0), band)
        for band in BANDS
    )
    if least > 0:
        rate, err = row[f"fade_rate_{band}"], row[f"fade_rate_err_{band}"]
        yield f"fading {rate:.2f} ± {err:.2f} mag/day in {band} since then"


def _rebrightening(row):
    """The deepest minimum between two maxima, if there is one."""
    depth, band = max((np.nan_to_num(row[f"rebrightening_{band}"]), band) for band in BANDS)
    if depth >= _MIN_REBRIGHTENING:
        yield f"brightened again by at least {depth:.1f} mag in {band}"


def _duration(days):
    return f"{days:.1f} d" if days >= 0.5 else f"{24 * days:.1f} h"


def _surroundings(row):
    if row["host_offset"] < 30:
        yield f"{row['host_offset']:.1f}″ from a galaxy"
    elif row["distpsnr1"] < 30:
        yield f"{row['distpsnr1']:.1f}″ from the nearest PS1 source"
    elif not np.isnan(row["nmtchps"]):
        # Without this number, the night has no PS1 matches at all.
        yield "no PS1 source within 30″"


def _warnings(row):
    """What else the source may be."""
    if row["red_star"] == 1:
        distance = np.fmin(row["star_offset"], row["distpsnr1"])
        yield f"{distance:.1f}″ from a red star: may be a flare"
    elif row["star_offset"] < ON_STAR:
        yield f"{row['star_offset']:.1f}″ from a star: may be a cataclysmic variable"
    elif row["host_offset"] < _AT_CENTRE:
        yield "at the centre of a galaxy: may be an AGN"
    elif np.isnan(row["host_offset"]) and row["abs_gal_lat"] < _NEAR_PLANE:
        yield (
            f"no galaxy nearby and {row['abs_gal_lat']:.0f}° from the Galactic plane: may be a "
            "dwarf nova or a nova"
        )
    if row["earlier_nights_chi2"] > _VARIES_WITHIN_HOURS:
        yield "also changed within earlier nights: may be a pulsating or eclipsing star"
    before = row["confirmed_age"] - row["age"]
    if before > _LONG_AGO:
        ago = f"{before:.0f} d" if before < _YEAR else f"{before / _YEAR:.1f} yr"
        yield f"also detected here {ago} earlier"
    if row["ssdistnr"] < 10:
        yield f"{row['ssdistnr']:.1f}″ from a known asteroid"
    elif row["n_det"] == 1 and row["abs_ecl_lat"] < _NEAR_ECLIPTIC:
        yield (
            f"only one detection, {row['abs_ecl_lat']:.0f}° from the ecliptic: may be an asteroid"
        )
    if row["drb"] < 0.5 or (np.isnan(row["drb"]) and row["rb"] < 0.5):
        yield "low real-bogus score: may be a bad subtraction"
    others = [name for name in PROBABILITY_COLUMNS if name != "p_transient"]
    best = max(others, key=row.__getitem__)
    if row[best] > _PROBABLE:
        yield f"{row[best]:.0%} {best.removeprefix('p_')} according to the classifier"


def _signed(value):
    return f"{'−' if value < 0 else ''}{abs(value):.2f}"
