"""When and how well objects can be observed in the night after the alerts.

The routines of ERFA, on which astropy is built, are called directly: the frames of astropy would
download data about the rotation of the Earth, which change these times by less than a second.
Altitudes leave out refraction and the parallax of the Moon (1 degree).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ztfml.plots.packet_summary import date_of
from ztfml.ranking.settings import Observatory

MAX_AIRMASS = 2.0

_STEP = 1 / 144  # d, ten minutes
_TWILIGHT = -18.0  # deg, altitude of the Sun at the end of astronomical twilight


class NextNight(NamedTuple):
    """The dark time after the alerts, and where the Moon is.

    Attributes
    ----------
    observatory : Observatory
    jd : ndarray, d
        Times of the dark night, in steps of ten minutes; empty if it does not get dark.
    sidereal : ndarray, deg
        Local sidereal time at these times.
    moon : tuple of float, deg
        Right ascension and declination of the Moon in the middle of the night.
    illumination : float
        Fraction of the Moon's disc that is lit.
    """

    observatory: Observatory
    jd: np.ndarray
    sidereal: np.ndarray
    moon: tuple[float, float]
    illumination: float

    def describe(self) -> str:
        """Describe the night in one sentence.

        Returns
        -------
        str
        """
        place = self.observatory.name
        if len(self.jd) == 0:
            return f"Next night at {place}: no astronomical darkness."
        start, end = (date_of(self.jd[k], "%H:%M") for k in (0, -1))
        date = date_of(self.jd[0], "%Y-%m-%d")
        moon = _altitude(self.observatory, self.sidereal, *self.moon) > 0
        up = (
            "up all night"
            if moon.all()
            else "down all night"
            if not moon.any()
            else "up for a part"
        )
        lit = f"Moon {100 * self.illumination:.0f} % lit, {up}"
        return f"Next night at {place}: dark {date} {start} to {end} UTC; {lit}."


def next_night(jd: float, observatory: Observatory) -> NextNight:
    """Find the first night that begins after a time.

    Parameters
    ----------
    jd : float, d
        Julian date, such as the last alert.
    observatory : Observatory

    Returns
    -------
    NextNight

    Examples
    --------
    >>> from ztfml.ranking.settings import PALOMAR
    >>> next_night(2460474.9, PALOMAR).describe()
    'Next night at Palomar: dark 2024-06-14 04:47 to 10:47 UTC; Moon 51 % lit, up for a part.'
    """
    import erfa

    # Solar noon at longitude 0 is where the Julian date is a whole number.
    noon = np.ceil(jd + observatory.longitude / 360) - observatory.longitude / 360
    times = noon + np.arange(0, 1, _STEP)
    sidereal = np.degrees(erfa.gmst06(times, 0.0, times, 0.0)) + observatory.longitude
    sun = -erfa.epv00(times, 0.0)[0]["p"]
    altitude = _altitude(observatory, sidereal, *_of_date(sun, noon))
    dark = altitude < _TWILIGHT
    middle = int(np.argmin(altitude))
    moon = erfa.moon98(times[middle], 0.0)["p"]
    elongation = erfa.sepp(moon, sun[middle])
    ra, dec = _of_date(moon, noon)
    place = (float(ra), float(dec))
    illumination = float(1 - np.cos(elongation)) / 2
    return NextNight(observatory, times[dark], sidereal[dark], place, illumination)


def observability(night: NextNight, ra: np.ndarray, dec: np.ndarray) -> list[str]:
    """Describe when objects are above an airmass of 2 in a night.

    Parameters
    ----------
    night : NextNight
    ra, dec : ndarray, deg
        J2000; NaN if unknown.

    Returns
    -------
    list of str
        Empty texts for unknown positions and nights that do not get dark.

    Examples
    --------
    >>> from ztfml.ranking.settings import PALOMAR
    >>> night = next_night(2460474.9, PALOMAR)
    >>> observability(night, np.array([270.0, 90.0]), np.array([33.0, 20.0]))[0]
    '04:47 to 10:47 UTC, airmass 1.00 at 08:17; Moon 92° away'
    >>> observability(night, np.array([90.0]), np.array([20.0]))
    ['not above airmass 2 in the dark']
    """
    import erfa

    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    known = np.isfinite(ra) & np.isfinite(dec)
    texts = np.full(len(ra), "", dtype=object)
    if len(night.jd) == 0 or not known.any():
        return texts.tolist()
    vectors = erfa.s2c(np.radians(ra[known]), np.radians(dec[known]))
    ra, dec = _of_date(vectors, night.jd[0])
    distance = np.degrees(erfa.seps(*np.radians([ra, dec]), *np.radians(night.moon)))
    altitude = _altitude(night.observatory, night.sidereal, ra[:, None], dec[:, None])
    # Without the curvature of the air, which matters only below airmass 3.
    airmass = 1 / np.sin(np.radians(np.maximum(altitude, 1.0)))
    times = pd.Series(night.jd).map(lambda jd: date_of(jd + 1 / 2880, "%H:%M")).to_numpy()
    for k, row, away in zip(np.flatnonzero(known), airmass, distance, strict=True):
        up = np.flatnonzero(row <= MAX_AIRMASS)
        if len(up) == 0:
            texts[k] = f"not above airmass {MAX_AIRMASS:.0f} in the dark"
            continue
        best = int(np.argmin(row))
        texts[k] = (
            f"{times[up[0]]} to {times[up[-1]]} UTC, airmass {row[best]:.2f} at {times[best]}; "
            f"Moon {away:.0f}° away"
        )
    return texts.tolist()


def _of_date(vectors, jd):
    """Return right ascension and declination for the equinox of the date, in degrees."""
    import erfa

    ra, dec = erfa.c2s(erfa.rxp(erfa.pmat06(jd, 0.0), vectors))
    return np.degrees(ra), np.degrees(dec)


def _altitude(observatory, sidereal, ra, dec):
    latitude, dec = np.radians(observatory.latitude), np.radians(dec)
    hour_angle = np.radians(sidereal - ra)
    sine = np.sin(latitude) * np.sin(dec)
    sine = sine + np.cos(latitude) * np.cos(dec) * np.cos(hour_angle)
    return np.degrees(np.arcsin(sine))
