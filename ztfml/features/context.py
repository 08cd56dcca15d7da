"""What stands at this place in other catalogues, and where on the sky it is."""

from functools import lru_cache

import numpy as np

from ztfml.compiled import cached
from ztfml.features.registry import Group

GROUP = Group("context", "what other catalogues have at this place, and where on the sky it is")

_PS1 = "without that PS1 source within 30 arcsec"
_GAIA = "before schema 2.0, or without a Gaia source within 90 arcsec"
_SSO = "without a known asteroid within 30 arcsec"

# Star/galaxy separation of PS1 sources (Tachibana & Miller 2018, PASP 130, 128001): scores are
# bimodal, and 0.5 is what the packets carry for sources too faint to tell.
_STAR_ABOVE = 0.5

GROUP.copy("sgscore1", "sgscore2", "sgscore3", missing=_PS1)
GROUP.copy("distpsnr1", "distpsnr2", "distpsnr3", missing=_PS1)
GROUP.copy("sgmag1", "srmag1", "simag1", "szmag1", "nmtchps", missing=_PS1)


@GROUP.feature(unit="mag", missing=_PS1)
def ps1_g_r(sgmag1, srmag1):
    """PS1 g - r of the closest PS1 source."""
    return sgmag1 - srmag1


@GROUP.feature(unit="mag", missing=_PS1)
def ps1_r_i(srmag1, simag1):
    """PS1 r - i of the closest PS1 source."""
    return srmag1 - simag1


@GROUP.feature(unit="mag", missing=_PS1)
def ps1_i_z(simag1, szmag1):
    """PS1 i - z of the closest PS1 source."""
    return simag1 - szmag1


@GROUP.feature(unit="mag", missing=_PS1)
def mag_minus_ps1(magpsf, srmag1):
    """Difference magnitude minus the PS1 r magnitude of the closest PS1 source."""
    return magpsf - srmag1


_NO_STAR = "without a star-like PS1 source within 30 arcsec"
_NO_HOST = "without a galaxy-like PS1 source within 30 arcsec"


@GROUP.feature(unit="arcsec", missing=_NO_STAR)
def star_offset(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3):
    """Distance to the closest of three PS1 sources that looks like a star (score > 0.5)."""
    distances = (distpsnr1, distpsnr2, distpsnr3)
    return _of_closest(_star_like(sgscore1, sgscore2, sgscore3), distances, distances)


@GROUP.feature(unit="mag", missing=_NO_STAR)
def star_mag(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3, srmag1, srmag2, srmag3):
    """PS1 r magnitude of that star-like source."""
    stars = _star_like(sgscore1, sgscore2, sgscore3)
    return _of_closest(stars, (distpsnr1, distpsnr2, distpsnr3), (srmag1, srmag2, srmag3))


@GROUP.feature(unit="mag", missing=_NO_STAR)
def star_g_r(
    sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3,
    sgmag1, sgmag2, sgmag3, srmag1, srmag2, srmag3,
):  # fmt: skip
    """PS1 g - r of that star-like source."""
    stars = _star_like(sgscore1, sgscore2, sgscore3)
    colours = (sgmag1 - srmag1, sgmag2 - srmag2, sgmag3 - srmag3)
    return _of_closest(stars, (distpsnr1, distpsnr2, distpsnr3), colours)


@GROUP.feature(unit="arcsec", missing=_NO_HOST)
def host_offset(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3):
    """Distance to the closest of three PS1 sources that looks like a galaxy (score < 0.5)."""
    distances = (distpsnr1, distpsnr2, distpsnr3)
    return _of_closest(_galaxy_like(sgscore1, sgscore2, sgscore3), distances, distances)


@GROUP.feature(unit="mag", missing=_NO_HOST)
def host_mag(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3, srmag1, srmag2, srmag3):
    """PS1 r magnitude of that galaxy-like source."""
    galaxies = _galaxy_like(sgscore1, sgscore2, sgscore3)
    return _of_closest(galaxies, (distpsnr1, distpsnr2, distpsnr3), (srmag1, srmag2, srmag3))


@GROUP.feature(unit="mag", missing=_NO_HOST)
def host_g_r(
    sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3,
    sgmag1, sgmag2, sgmag3, srmag1, srmag2, srmag3,
):  # fmt: skip
    """PS1 g - r of that galaxy-like source."""
    galaxies = _galaxy_like(sgscore1, sgscore2, sgscore3)
    colours = (sgmag1 - srmag1, sgmag2 - srmag2, sgmag3 - srmag3)
    return _of_closest(galaxies, (distpsnr1, distpsnr2, distpsnr3), colours)


def _star_like(*scores):
    return [score > _STAR_ABOVE for score in scores]


def _galaxy_like(*scores):
    return [score < _STAR_ABOVE for score in scores]


def _of_closest(wanted, distances, values):
    """What the closest of the wanted sources has; NaN without any."""
    return _pick_closest(np.array(wanted), np.array(distances), np.array(values))


@cached(nogil=True)
def _pick_closest(wanted, distances, values):
    n_sources, n = values.shape
    out = np.full(n, np.nan)
    for k in range(n):
        closest = np.inf
        for source in range(n_sources):
            # A missing distance is closer than none.
            if wanted[source, k] and distances[source, k] < closest:
                closest = distances[source, k]
                out[k] = values[source, k]
    return out


GROUP.copy("neargaia", "maggaia", "neargaiabright", "maggaiabright", missing=_GAIA)


@GROUP.feature(unit="mag", missing=_GAIA)
def mag_minus_gaia(magpsf, maggaia):
    """Difference magnitude minus the G magnitude of the closest Gaia source."""
    return magpsf - maggaia


GROUP.copy("ssdistnr", "ssmagnr", missing=_SSO)


@GROUP.feature(unit="mag", missing=_SSO)
def mag_minus_sso(magpsf, ssmagnr):
    """Difference magnitude minus the predicted magnitude of the closest known asteroid."""
    return magpsf - ssmagnr


@GROUP.feature(unit="deg", missing="without a position")
def abs_gal_lat(ra, dec):
    """Absolute galactic latitude."""
    return np.abs(_turned(ra, dec, "Galactic")[1])


@GROUP.feature(unit="deg", missing="without a position")
def abs_ecl_lat(ra, dec):
    """Absolute ecliptic latitude."""
    return np.abs(_turned(ra, dec, "BarycentricMeanEcliptic")[1])


@GROUP.feature(unit="deg", missing="without a position")
def opposition_distance(ra, dec, jd):
    """Ecliptic longitude from the point opposite to the Sun, 0 to 180."""
    longitude = _turned(ra, dec, "BarycentricMeanEcliptic")[0]
    # The Sun moves 0.01 deg in 0.01 d, and a night has few such steps.
    step, position = np.unique(np.round(jd, 2), return_inverse=True)
    return np.abs((longitude - _solar_longitude(step)[position]) % 360 - 180)


def _turned(ra, dec, frame):
    """Longitude and latitude in another frame, in degrees."""
    return _turn(np.array([ra, dec]), _rotation(frame))


@cached(nogil=True)
def _turn(place, rotation):
    n = place.shape[1]
    longitude, latitude = np.empty(n), np.empty(n)
    for k in range(n):
        alpha, delta = np.radians(place[0, k]), np.radians(place[1, k])
        x, y, z = np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)
        u = rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z
        v = rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z
        w = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z
        longitude[k] = np.degrees(np.arctan2(v, u))
        latitude[k] = np.degrees(np.arctan2(w, np.hypot(u, v)))
    return longitude, latitude


@lru_cache
def _rotation(frame):
    """The rotation from ICRS to a frame of astropy, as a matrix."""
    from astropy import coordinates

    # Only directions are meant: a distance would move the Sun as seen from the barycentre.
    axes = coordinates.SkyCoord([0, 90, 0], [0, 0, 90], unit="deg")
    return axes.transform_to(getattr(coordinates, frame)()).cartesian.xyz.value


def _solar_longitude(jd):
    """Ecliptic longitude of the Sun in degrees; NaN without a date."""
    from astropy.coordinates import get_sun
    from astropy.time import Time

    longitude = np.full(len(jd), np.nan)
    known = np.isfinite(jd)
    # Taken as dynamical time, a minute off, the dates need no table of leap seconds, which ends.
    sun = get_sun(Time(jd[known], format="jd", scale="tdb"))
    longitude[known] = _turned(sun.ra.deg, sun.dec.deg, "BarycentricMeanEcliptic")[0]
    return longitude
