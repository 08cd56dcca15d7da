"""Pixel positions of the symbols in a light curve, for the SVG templates of the page.

A page has up to a hundred light curves. matplotlib would take too long to draw them.
"""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from ztfml.plots.light_curves import Peak, RateLine, with_error
from ztfml.plots.packet_summary import date_of

WIDTH, HEIGHT = 430, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 40
# Smallest range of the magnitude axis.
_MIN_MAGNITUDES = 2.0
# Longer error bars are clipped; they would compress the rest of the light curve.
_MAX_ERROR = 1.0


def layout_light_curve(
    points: pd.DataFrame,
    lines: list[RateLine],
    peak: Peak | None,
    alert: dict,
    forced: pd.DataFrame | None = None,
) -> dict:
    """Compute the pixel positions of a light curve against days since the alert.

    Parameters
    ----------
    points : pandas.DataFrame
        Result of `ztfml.plots.light_curves.points_of`, with at least one row.
    lines : list of RateLine
    peak : Peak or None
        Result of `ztfml.plots.light_curves.rates_of`.
    alert : dict
        ``jd`` and ``magpsf`` of the alert.
    forced : pandas.DataFrame, optional
        Result of `ztfml.plots.forced_points.forced_points`.

    Returns
    -------
    dict
        ``width`` and ``height``; ``area`` (left, top, right, bottom); ``x_ticks`` and
        ``y_ticks`` (position and text); ``x_label``; ``detections`` (dicts with ``x``, ``y``,
        ``low``, ``high``, ``band``, ``below``, ``seen``, ``text``); ``limits`` (``x``, ``y``,
        ``band``, ``seen``);
        ``forced`` (``x``, ``y``, ``band``, ``is_limit``, ``text``);
        ``lines``; ``peak``; ``now`` (``x``, ``y`` of the alert). Positions
        are in pixels of a drawing of that size.

    Examples
    --------
    >>> from ztfml.plots.light_curves import latest_alert, points_of, rates_of
    >>> k = latest_alert(night, object_id)
    >>> alert = night.alerts.iloc[k]
    >>> plot = layout_light_curve(points_of(night, object_id), *rates_of(night, k), alert)
    >>> plot["width"], plot["height"]
    (430, 280)
    """
    days = points["jd"].to_numpy() - alert["jd"]
    mag = points["magpsf"].to_numpy()
    err = np.fmin(points["sigmapsf"].fillna(0.0).to_numpy(), _MAX_ERROR)
    limit = np.where(np.isnan(mag), points["diffmaglim"].to_numpy(), np.nan)
    if forced is None:
        forced = pd.DataFrame(columns=["jd", "band", "magpsf", "sigmapsf", "limit"], dtype=float)
    forced_mag = forced["magpsf"].fillna(forced["limit"]).to_numpy()
    start, end = _time_range(np.concatenate([days, forced["jd"].to_numpy() - alert["jd"]]))
    x = _Scale(start, end, _LEFT, WIDTH - _RIGHT)
    shown = np.concatenate([mag - err, mag + err, limit, forced_mag, *(line.mag for line in lines)])
    faint, bright = _magnitude_range(shown)
    y = _Scale(faint, bright, HEIGHT - _BOTTOM, _TOP)
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
        "forced": [
            {
                "x": x(row.jd - alert["jd"]),
                "y": y(forced_mag[k]),
                "band": row.band,
                "is_limit": bool(np.isnan(row.magpsf)),
                "text": f"forced photometry: {_forced_text(row)}",
            }
            for k, row in enumerate(forced.itertuples())
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
    """Convert values to pixels, rounded to 0.1 pixel."""

    def __init__(self, low, high, begin, end):
        self._low, self._high = low, high
        self._begin, self._end = begin, end

    def __call__(self, value):
        fraction = (value - self._low) / (self._high - self._low)
        return round(float(self._begin + fraction * (self._end - self._begin)), 1)

    def ticks(self, n_max):
        """Return positions and texts of round numbers."""
        low, high = sorted((self._low, self._high))
        values = MaxNLocator(n_max, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
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
    """Return the faint end, at the bottom of the axis, and the bright end."""
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return 21.0, 19.0
    low, high = values.min(), values.max()
    margin = max(0.06 * (high - low), 0.5 * (_MIN_MAGNITUDES - (high - low)))
    return high + margin, low - margin


def _band(band):
    return band if isinstance(band, str) else "unknown"


def _forced_text(row):
    return f"fainter than {row.limit:.2f} in {row.band}" if np.isnan(row.magpsf) else _text(row)


def _text(row):
    err = "" if np.isnan(row.sigmapsf) else f" ± {row.sigmapsf:.2f}"
    return f"{row.magpsf:.2f}{err} in {_band(row.band)}, {date_of(row.jd)}"
