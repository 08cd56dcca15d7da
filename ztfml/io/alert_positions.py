"""Check the positions of alerts: units of right ascension, and the altitude at Palomar."""

import logging

import numpy as np

from ztfml.astrophysics import PALOMAR_LATITUDE, PALOMAR_LONGITUDE
from ztfml.errors import DataError

log = logging.getLogger(__name__)

# ZTF observes above 20 degrees; a smaller limit allows for rounded times.
_LOWEST = 10.0
# Fewer alerts may be anywhere by chance.
_ENOUGH = 20
# Fractions of alerts that are too low, of those in the file and after a conversion. In files of ZTF
# the fraction is 0.
_MANY, _SOME, _FEW = 0.1, 0.03, 0.02


def check_positions(ra: np.ndarray, dec: np.ndarray, jd: np.ndarray, name: str) -> None:
    """Refuse positions in radians or hours, and report alerts below the horizon.

    Positions in another unit lie in a small part of the sky, where ZTF could not have observed at
    all times of the night.

    Parameters
    ----------
    ra, dec : ndarray of float64, deg
    jd : ndarray of float64, d
    name : str
        Used in messages.

    Raises
    ------
    DataError
        If the positions are in radians or hours.

    Examples
    --------
    >>> alerts = night.alerts
    >>> check_positions(*(alerts[name].to_numpy() for name in ("ra", "dec", "jd")), "night")
    """
    known = np.isfinite(ra) & np.isfinite(dec) & np.isfinite(jd)
    ra, dec, jd = ra[known], dec[known], jd[known]
    if len(ra) < _ENOUGH:
        return
    low = _fraction_too_low(ra, dec, jd)
    if low <= _SOME:
        return
    limits = (ra.max(), np.abs(dec).max())
    hours, radians = 15.0 * ra, np.degrees(ra)
    for unit, is_possible, right_ascension, declination in (
        ("radians", limits[0] <= 6.284 and limits[1] <= 1.571, radians, np.degrees(dec)),
        ("hours", limits[0] <= 24.0, hours, dec),
    ):
        if is_possible and _fraction_too_low(right_ascension, declination, jd) <= _FEW:
            raise DataError(
                f"{name}: the right ascensions are between {ra.min():.3g} and {ra.max():.3g}, and "
                f"as degrees {low:.0%} of the alerts would be near or below the horizon of Palomar "
                f"at their jd, but as {unit} none; convert the positions from {unit} to degrees"
            )
    if low > _MANY:
        log.warning(
            "%s: %d of %d alerts are less than %g degrees high at Palomar at their jd; check ra "
            "and dec (degrees) and jd (UTC)", name, round(low * len(ra)), len(ra), _LOWEST,
        )  # fmt: skip


def _fraction_too_low(ra, dec, jd):
    sidereal = 280.46062 + 360.98564737 * (jd - 2451545.0) + PALOMAR_LONGITUDE
    hour_angle, dec = np.radians(sidereal - ra), np.radians(dec)
    latitude = np.radians(PALOMAR_LATITUDE)
    sine = np.sin(latitude) * np.sin(dec) + np.cos(latitude) * np.cos(dec) * np.cos(hour_angle)
    return float(np.mean(sine < np.sin(np.radians(_LOWEST))))
