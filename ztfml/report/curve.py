"""The light curve of a card as compact numbers; the script of the page draws it.

A page has hundreds of light curves. matplotlib would take too long to draw them, and drawings
of all of them would make the page too large.
"""

import numpy as np
import pandas as pd

from ztfml.plots.light_curves import Peak, RateLine
from ztfml.schema import BANDS, PACKET_HISTORY

BELOW, UNSEEN = 4, 8
"""Added to the number of the band: fainter than the reference; not in the history of the alert."""

# Longer error bars are clipped; they would compress the rest of the light curve.
_MAX_ERROR = 1.0
_UNKNOWN = len(BANDS)


def light_curve_data(
    points: pd.DataFrame,
    lines: list[RateLine],
    peak: Peak | None,
    alert: dict,
    forced: pd.DataFrame,
    modulus: float | None = None,
) -> dict:
    """Collect the numbers that the page needs to draw a light curve.

    Parameters
    ----------
    points : pandas.DataFrame
        Result of `ztfml.plots.light_curves.points_of`.
    lines : list of RateLine
    peak : Peak or None
        Result of `ztfml.plots.light_curves.rates_of`.
    alert : dict
        ``jd`` and ``magpsf`` of the alert.
    forced : pandas.DataFrame
        Result of `ztfml.plots.forced_points.forced_points`.
    modulus : float, optional, mag
        Distance modulus, for an axis of absolute magnitudes.

    Returns
    -------
    dict
        ``jd`` of the alert; ``recent`` (days before the alert that are shown first);
        ``points``: lists of days since the alert, magnitude, error, limit and code (number of the
        band, plus `BELOW` and `UNSEEN`); ``forced``: days, magnitude, error, limit and code;
        ``lines``: days and magnitude of both ends, code, 1 for a rise or 0 for a fade, rate and
        error; ``peak``: days and magnitude; ``now``: magnitude of the alert; ``modulus``. Missing
        values are None.

    Examples
    --------
    >>> from ztfml.plots.forced_points import forced_points
    >>> from ztfml.plots.light_curves import latest_alert, points_of, rates_of
    >>> k = latest_alert(night, object_id)
    >>> alert = night.alerts.iloc[k]
    >>> data = light_curve_data(
    ...     points_of(night, object_id), *rates_of(night, k), alert, forced_points(night, k)
    ... )
    >>> len(data["points"]) == len(points_of(night, object_id))
    True
    """
    origin = alert["jd"]
    band = points["band"].map({name: k for k, name in enumerate(BANDS)}).fillna(_UNKNOWN)
    below = points["magpsf"].notna() & (points["isdiffpos"] < 0)
    code = band + BELOW * below + UNSEEN * ~points["seen"].astype(bool)
    rows = zip(
        _rounded(points["jd"] - origin, 5),
        _rounded(points["magpsf"], 3),
        _rounded(np.minimum(points["sigmapsf"], _MAX_ERROR), 3),
        _rounded(points["diffmaglim"], 2),
        code.astype(int).tolist(),
        strict=True,
    )
    forced_rows = zip(
        _rounded(forced["jd"] - origin, 5),
        _rounded(forced["magpsf"], 3),
        _rounded(forced["sigmapsf"], 3),
        _rounded(forced["limit"], 2),
        [_code(name) for name in forced["band"]],
        strict=True,
    )
    return {
        "jd": float(origin),
        "recent": PACKET_HISTORY,
        "points": [list(row) for row in rows if row[1] is not None or row[3] is not None],
        "forced": [list(row) for row in forced_rows],
        "lines": [
            [
                *_rounded([line.jd[0] - origin, line.mag[0], line.jd[1] - origin, line.mag[1]], 4),
                _code(line.band),
                int(line.verb == "rising"),
                *_rounded([line.rate, line.err], 3),
            ]
            for line in lines
        ],
        "peak": None if peak is None else _rounded([peak.jd - origin, peak.mag], 4),
        "now": _rounded([alert["magpsf"]], 3)[0],
        "modulus": None if modulus is None else round(modulus, 3),
    }


def _code(band):
    return BANDS.index(band) if band in BANDS else _UNKNOWN


def _rounded(values, digits):
    """Return rounded numbers, and None for missing and infinite ones."""
    values = np.asarray(values, float)
    return [
        value if known else None
        for value, known in zip(
            np.round(values, digits).tolist(), np.isfinite(values).tolist(), strict=True
        )
    ]
