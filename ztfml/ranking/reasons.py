"""Why an object stands where it does, as a sentence that a colleague would accept."""

import numpy as np
import pandas as pd

from ztfml.astrophysics import FAST_RATE
from ztfml.ranking.quantities import ON_STAR
from ztfml.schema import BANDS
from ztfml.taxonomy import PROBABILITY_COLUMNS

# A rise that ended longer ago than this says nothing of today.
_STILL_TELLS = 10.0
# PS1 g - r from which a star is of type K7 or later (Covey et al. 2007, AJ 134, 2398): what
# flares is M dwarfs.
_RED_STAR = 1.2
_NOW = 0.5
_AT_CENTRE = 0.8
_LONG_AGO = 60.0
_YEAR = 365.25
_NEAR_PLANE = 15.0
_NEAR_ECLIPTIC = 25.0
_LIKELY = 0.2


def best_rates(features):
    """The rate that speaks most for a fast transient: which way, in which band, how sure.

    A rise counts while it goes on and for 10 days after its peak, a bound from the last
    non-detection for 10 days after the first detection.

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
    since_peak = np.array([features[f"days_since_peak_{band}"] for _, band in kinds])
    rises = np.array([way == "rise" for way, _ in kinds])[:, None]
    rate = np.where(rises & (since_peak > _STILL_TELLS), np.nan, rate)
    bound = np.where(rises & (features["age"].to_numpy() > _STILL_TELLS), np.nan, bound)
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


def reasons(features, probabilities, rates):
    """Write the reasons and the warnings of each row as one sentence.

    Parameters
    ----------
    features, probabilities : pandas.DataFrame, one row an alert
    rates : pandas.DataFrame
        From `best_rates`.

    Returns
    -------
    list of str

    Examples
    --------
    >>> reasons(features, probabilities, best_rates(features))   # doctest: +SKIP
    ['fading 0.62 ± 0.05 mag/day in r over 4.0 d; 5.1 d old; …; 8.4″ from a galaxy; 19.1 mag']
    """
    rows = zip(*(table.to_dict("records") for table in (features, probabilities, rates)),
               strict=True)  # fmt: skip
    return ["; ".join([*_say(row := f | p | r), *_warn(row)]) for f, p, r in rows]


def _say(row):
    rate = _say_rate(row)
    yield rate
    if rate.startswith("rose"):
        yield from _say_fade_since(row)
    yield f"{row['age']:.1f} d old" if row["age"] > 0 else "first detected now"
    if not np.isnan(row["g_r"]):
        yield f"g − r = {_signed(row['g_r'])} ± {row['g_r_err']:.2f}"
    if not row["star_offset"] < ON_STAR:
        yield _say_place(row)
    yield "below the reference" if row["positive"] == 0 else f"{row['magpsf']:.1f} mag"


def _say_rate(row):
    if not row["direction"]:
        return "no rate yet"
    verb = "fading" if row["direction"] == "fade" else "rising"
    if verb == "rising" and row[f"days_since_peak_{row['band']}"] > _NOW:
        verb = "rose"
    amount = f"{verb} {{}}{_signed(row['best_rate'])}{{}} mag/day in {row['band']}"
    if row["is_bound"]:
        return amount.format("at least ", "") + " by a non-detection"
    if row["best_rate"] < row["rate_err"]:
        amount = amount.replace(verb, "no change within the error:")
    return amount.format("", f" ± {row['rate_err']:.2f}") + f" over {_duration(row['base'])}"


def _say_fade_since(row):
    """The surest fade after a rise, if there is one at all."""
    least, band = max(
        (np.nan_to_num(row[f"fade_rate_{band}"] - row[f"fade_rate_err_{band}"], nan=-1.0), band)
        for band in BANDS
    )
    if least > 0:
        rate, err = row[f"fade_rate_{band}"], row[f"fade_rate_err_{band}"]
        yield f"fading {rate:.2f} ± {err:.2f} mag/day in {band} since"


def _duration(days):
    return f"{days:.1f} d" if days >= 0.5 else f"{24 * days:.1f} h"


def _say_place(row):
    if row["host_offset"] < 30:
        return f"{row['host_offset']:.1f}″ from a galaxy"
    if row["distpsnr1"] < 30:
        return f"{row['distpsnr1']:.1f}″ from the nearest PS1 source"
    return "no PS1 source near"


def _warn(row):
    """What else it may be."""
    if row["star_offset"] < ON_STAR:
        if row["star_g_r"] > _RED_STAR:
            yield f"on a red star {row['star_offset']:.1f}″: may be a flare"
        else:
            yield f"on a star {row['star_offset']:.1f}″: may be a cataclysmic variable"
    elif row["host_offset"] < _AT_CENTRE:
        yield "at the centre of its galaxy: may be an active nucleus"
    elif np.isnan(row["host_offset"]) and row["abs_gal_lat"] < _NEAR_PLANE:
        yield (
            f"no galaxy near and {row['abs_gal_lat']:.0f}° from the Galactic plane: may be a "
            "dwarf nova or a nova"
        )
    before = row["age_hist"] - row["age"]
    if before > _LONG_AGO:
        ago = f"{before:.0f} d" if before < _YEAR else f"{before / _YEAR:.1f} yr"
        yield f"something was detected here {ago} earlier"
    if row["ssdistnr"] < 10:
        yield f"{row['ssdistnr']:.1f}″ from a known asteroid"
    elif row["n_det"] == 1 and row["abs_ecl_lat"] < _NEAR_ECLIPTIC:
        yield f"seen once, {row['abs_ecl_lat']:.0f}° from the ecliptic: may be an asteroid"
    if row["drb"] < 0.5 or (np.isnan(row["drb"]) and row["rb"] < 0.5):
        yield "a bad subtraction by its real-bogus score"
    others = [name for name in PROBABILITY_COLUMNS if name != "p_transient"]
    likeliest = max(others, key=row.__getitem__)
    if row[likeliest] > _LIKELY:
        yield f"{row[likeliest]:.0%} {likeliest.removeprefix('p_')} by the classifier"


def _signed(value):
    return f"{'−' if value < 0 else ''}{abs(value):.2f}"
