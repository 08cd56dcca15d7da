"""Convert values in another unit, where that is certain."""

from typing import NamedTuple

import numpy as np

from ztfml.astrophysics import MJD_ZERO
from ztfml.schema import Column

# MJDs of the years 1968 to 2100; no other unit of time gives these numbers.
_MJD = (40000.0, 88069.0)

# Part of the day (UTC) in which the Sun is up at Palomar in all seasons: 15:00 to 24:00.
_SUNRISE, _DAYLIGHT = 0.625, 0.375
_ENOUGH = 10
_DAYTIME = "most in daytime at Palomar as if they were JD - 2400000"

# Percentages are certain if at least this fraction of the values is above 1. The rest are small.
_MOST = 0.5

# Values that mean "none"; as coordinates they would be negative right ascensions.
_MARKS = (-1.0, -99.0)


class Invalid(NamedTuple):
    """Values of a part of a column that are outside the valid range.

    Attributes
    ----------
    out : ndarray
        The part of the output, NaN at these rows.
    rows : ndarray of int
        Their positions in `out`.
    values : ndarray of float64
    """

    out: np.ndarray
    rows: np.ndarray
    values: np.ndarray


def convert(column: Column, out: np.ndarray, invalid: list[Invalid]) -> tuple[list[Invalid], str]:
    """Convert values in another unit and write them to the output.

    Parameters
    ----------
    column : Column
    out : ndarray
        The whole column, NaN where a value is invalid.
    invalid : list of Invalid

    Returns
    -------
    invalid : list of Invalid
        The values that remain invalid.
    unit : str
        The unit that was converted, empty if none was.

    Examples
    --------
    >>> from ztfml.schema import ALERT_BY_NAME
    >>> jd = np.array([np.nan])
    >>> convert(ALERT_BY_NAME["jd"], jd, [Invalid(jd, np.array([0]), np.array([60000.25]))])
    ([], 'modified Julian dates (MJD)')
    >>> float(jd[0])
    2460000.75
    """
    converter = _CONVERTERS.get(column.quantity)
    if converter is None or not invalid:
        return invalid, ""
    return converter(out, invalid)


def _write(invalid, accepted, converted):
    """Write the accepted values; return the others."""
    rest = []
    for part in invalid:
        yes = accepted(part.values)
        part.out[part.rows[yes]] = converted(part.values[yes])
        if not yes.all():
            rest.append(Invalid(part.out, part.rows[~yes], part.values[~yes]))
    return rest


def _times(out, invalid):
    values = np.concatenate([part.values for part in invalid])
    found = (values >= _MJD[0]) & (values <= _MJD[1])
    if not found.any():
        return invalid, ""
    rest = _write(invalid, lambda v: (v >= _MJD[0]) & (v <= _MJD[1]), lambda v: v + MJD_ZERO)
    unit = "modified Julian dates (MJD)"
    return rest, f"{unit}, {_DAYTIME}," if _are_in_daytime(values[found]) else unit


def _are_in_daytime(mjd):
    fraction = (mjd - _SUNRISE) % 1
    return len(mjd) >= _ENOUGH and bool((fraction < _DAYLIGHT).mean() > _MOST)


def _scores(out, invalid):
    values = np.concatenate([part.values for part in invalid])
    n_given = len(values) + np.count_nonzero(~np.isnan(out))
    if values.min() <= 1 or values.max() > 100 or len(values) < _MOST * n_given:
        return invalid, ""
    out /= 100.0
    return _write(invalid, lambda v: v > 1, lambda v: v / 100.0), "percentages"


def _longitudes(out, invalid):
    values = np.concatenate([part.values for part in invalid])
    most = np.nanmax(out) if not np.isnan(out).all() else 0.0
    if values.min() < -180 or values.max() >= 0 or most > 180 or np.isin(values, _MARKS).all():
        return invalid, ""
    return _write(invalid, lambda v: v < 0, lambda v: v + 360.0), "values from -180 to 180 degrees"


_CONVERTERS = {"time": _times, "score": _scores, "longitude": _longitudes}
