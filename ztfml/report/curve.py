"""Where things stand in the drawing of a light curve, for the page's templates.

A page has fifty of them and must be made in seconds, so they are not drawn by matplotlib.
"""

import numpy as np
from matplotlib.ticker import MaxNLocator

from ztfml.plots.light_curves import with_error
from ztfml.plots.packet_summary import date_of

WIDTH, HEIGHT = 430, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 40
_LEAST_MAGNITUDES = 2.0
# An error of magnitudes must not squeeze all else into a line.
_LARGEST_ERROR = 1.0


def plot_of(points, lines, peak, alert):
    """Lay a light curve out: days since the alert to the right, bright is up.

    Parameters
    ----------
    points : pandas.DataFrame
        As of `ztfml.plots.light_curves.points_of`, with at least one row.
    lines : list of RateLine
    peak : Peak or None
        Both as of `ztfml.plots.light_curves.rates_of`.
    alert : dict
        ``jd``, ``magpsf``.

    Returns
    -------
    dict
        ``width`` and ``height``; ``area`` (left, top, right, bottom); ``x_ticks`` and
        ``y_ticks`` (place and text); ``x_label``; ``detections`` (dicts with ``x``, ``y``,
        ``low``, ``high``, ``band``, ``below``, ``seen``, ``text``); ``limits`` (``x``, ``y``,
        ``band``, ``seen``); ``lines``; ``peak``; ``now`` (``x``, ``y`` of the alert). Places in
        pixels of a drawing of that size.

    Examples
    --------
    >>> plot_of(points, lines, peak, alert)["x_ticks"]   # doctest: +SKIP
    """
    days = points["jd"].to_numpy() - alert["jd"]
    mag = points["magpsf"].to_numpy()
    err = np.fmin(points["sigmapsf"].fillna(0.0).to_numpy(), _LARGEST_ERROR)
    limit = np.where(np.isnan(mag), points["diffmaglim"].to_numpy(), np.nan)
    x = _Scale(*_time_range(days), _LEFT, WIDTH - _RIGHT)
    shown = np.concatenate([mag - err, mag + err, limit, *(line.mag for line in lines)])
    y = _Scale(*_magnitude_range(shown), HEIGHT - _BOTTOM, _TOP)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "area": [_LEFT, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM],
        "x_ticks": x.ticks(6),
        "y_ticks": y.ticks(8),
        "x_label": f"Days since this alert ({date_of(alert['jd'])} UTC)",
        "detections": [
            {
                "x": x(days[k]),
                "y": y(mag[k]),
                "low": y(mag[k] + err[k]),
                "high": y(mag[k] - err[k]),
                "band": _band(row.band),
                "below": bool(row.isdiffpos < 0),
                "seen": bool(row.seen),
                "text": _text(row),
            }
            for k, row in enumerate(points.itertuples())
            if not np.isnan(mag[k])
        ],
        "limits": [
            {"x": x(days[k]), "y": y(limit[k]), "band": _band(row.band), "seen": bool(row.seen)}
            for k, row in enumerate(points.itertuples())
            if not np.isnan(limit[k])
        ],
        "lines": [
            {
                "x": [x(jd - alert["jd"]) for jd in line.jd],
                "y": [y(value) for value in line.mag],
                "band": line.band,
                "verb": line.verb,
                "text": f"{line.verb} {with_error(line.rate, line.err)} mag/day in {line.band}",
            }
            for line in lines
        ],
        "peak": peak
        and {
            "x": x(peak.jd - alert["jd"]),
            "y": y(peak.mag),
            "text": f"peak {peak.mag:.2f} mag in {peak.band}",
        },
        "now": {
            "x": x(0.0),
            "y": None if np.isnan(alert["magpsf"]) else y(alert["magpsf"]),
        },
    }


class _Scale:
    """From values to pixels, rounded to a tenth."""

    def __init__(self, low, high, begin, end):
        self._low, self._high = low, high
        self._begin, self._end = begin, end

    def __call__(self, value):
        part = (value - self._low) / (self._high - self._low)
        return round(float(self._begin + part * (self._end - self._begin)), 1)

    def ticks(self, most):
        """Places and texts of round numbers."""
        low, high = sorted((self._low, self._high))
        values = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        values = values[(values >= low) & (values <= high)]
        digits = max(0, int(np.ceil(-np.log10(np.diff(values).min() * 1.0001))))
        digits += bool(len(values) > 1 and not _is_round(values, digits))
        return [[self(value), f"{value + 0.0:.{digits}f}".replace("-", "−")] for value in values]


def _is_round(values, digits):
    return np.allclose(values, np.round(values, digits), rtol=0.0, atol=10.0 ** -(digits + 3))


def _time_range(days):
    low, high = min(np.nanmin(days), 0.0), max(np.nanmax(days), 0.0)
    margin = max(0.04 * (high - low), 0.02 if high - low > 0.01 else 0.5)
    return low - margin, high + margin


def _magnitude_range(values):
    """The faint end first: it is below."""
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return 21.0, 19.0
    low, high = values.min(), values.max()
    margin = max(0.06 * (high - low), 0.5 * (_LEAST_MAGNITUDES - (high - low)))
    return high + margin, low - margin


def _band(band):
    return band if isinstance(band, str) else "unknown"


def _text(row):
    err = "" if np.isnan(row.sigmapsf) else f" ± {row.sigmapsf:.2f}"
    return f"{row.magpsf:.2f}{err} in {_band(row.band)}, {date_of(row.jd)}"
