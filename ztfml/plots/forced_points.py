"""Forced photometry of an alert as magnitudes and limits, for figures and the page."""

import numpy as np
import pandas as pd

from ztfml.lightcurves.exposures import in_exposures_of
from ztfml.lightcurves.light_curve import ZERO_POINT
from ztfml.night import Night
from ztfml.schema import BAND_OF_FID

# A smaller flux, in errors, is drawn as an upper limit of this many errors.
_DETECTED = 3.0


def forced_points(
    night: Night, alert: int | None, seen: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Collect the forced photometry that an alert sees, without exposures that have a detection.

    Parameters
    ----------
    night : Night
    alert : int or None
        Position of the alert in the night.
    seen : pandas.DataFrame, optional
        The light curve that the alert sees, if the caller has it.

    Returns
    -------
    pandas.DataFrame
        ``jd``, ``band``, ``magpsf`` and ``sigmapsf`` (mag; NaN below 3 sigma), and ``limit``, the
        flux (0 if negative) plus 3 sigma as a magnitude, where ``magpsf`` is NaN.

    Examples
    --------
    >>> forced_points(night, 0).columns.tolist(), len(forced_points(night, 0))
    (['jd', 'band', 'magpsf', 'sigmapsf', 'limit'], 0)
    """
    columns = ["jd", "band", "magpsf", "sigmapsf", "limit"]
    if alert is None or night.forced is None:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
    first, last = (int(ends[alert]) for ends in night.visible_forced)
    jd, fid, flux, err = (column[first:last] for column in night.forced[:4])
    if seen is None:
        packet = night.alerts.iloc[alert]
        seen = night.light_curve(packet["objectId"], packet["jd"])
    seen = seen[seen["magpsf"].notna()]
    new = ~in_exposures_of(jd, fid, seen["jd"], seen["fid"])
    jd, fid, flux, err = jd[new], fid[new], flux[new], err[new]
    bright = flux >= _DETECTED * err
    upper = np.maximum(flux, 0) + _DETECTED * err
    return pd.DataFrame(
        {
            "jd": jd,
            "band": pd.Series(fid).map(BAND_OF_FID),
            "magpsf": ZERO_POINT - 2.5 * np.log10(np.where(bright, flux, np.nan)),
            "sigmapsf": np.where(
                bright, 2.5 / np.log(10) * err / np.where(bright, flux, np.nan), np.nan
            ),
            "limit": np.where(bright, np.nan, ZERO_POINT - 2.5 * np.log10(upper)),
        }
    )
