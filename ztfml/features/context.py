"""Catalogue sources near the alert and position on the sky."""

import numpy as np

from ztfml.compiled import cached
from ztfml.features.registry import Group

GROUP = Group("context", "catalogue sources near the alert and position on the sky")

_PS1 = "without that PS1 source within 30 arcsec"
_GAIA = "before schema 2.0, or without a Gaia source within 90 arcsec"
_SSO = "without a known asteroid within 30 arcsec"

# Star/galaxy score of PS1 sources (Tachibana & Miller 2018, PASP 130, 128001). Scores are
# bimodal; packets contain 0.5 for sources that are too faint to classify.
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
    """Distance to the closest star-like source (score > 0.5) of the three PS1 sources."""
    distances = (distpsnr1, distpsnr2, distpsnr3)
    return _of_closest(_star_like(sgscore1, sgscore2, sgscore3), distances, distances)


@GROUP.feature(unit="mag", missing=_NO_STAR)
def star_mag(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3, srmag1, srmag2, srmag3):
    """PS1 r magnitude of the closest star-like source."""
    stars = _star_like(sgscore1, sgscore2, sgscore3)
    return _of_closest(stars, (distpsnr1, distpsnr2, distpsnr3), (srmag1, srmag2, srmag3))


@GROUP.feature(unit="mag", missing=_NO_STAR)
def star_g_r(
    sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3,
    sgmag1, sgmag2, sgmag3, srmag1, srmag2, srmag3,
):  # fmt: skip
    """PS1 g - r of the closest star-like source."""
    stars = _star_like(sgscore1, sgscore2, sgscore3)
    colours = (sgmag1 - srmag1, sgmag2 - srmag2, sgmag3 - srmag3)
    return _of_closest(stars, (distpsnr1, distpsnr2, distpsnr3), colours)


@GROUP.feature(unit="arcsec", missing=_NO_HOST)
def host_offset(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3):
    """Distance to the closest galaxy-like source (score < 0.5) of the three PS1 sources."""
    distances = (distpsnr1, distpsnr2, distpsnr3)
    return _of_closest(_galaxy_like(sgscore1, sgscore2, sgscore3), distances, distances)


@GROUP.feature(unit="mag", missing=_NO_HOST)
def host_mag(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3, srmag1, srmag2, srmag3):
    """PS1 r magnitude of the closest galaxy-like source."""
    galaxies = _galaxy_like(sgscore1, sgscore2, sgscore3)
    return _of_closest(galaxies, (distpsnr1, distpsnr2, distpsnr3), (srmag1, srmag2, srmag3))


@GROUP.feature(unit="mag", missing=_NO_HOST)
def host_g_r(
    sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3,
    sgmag1, sgmag2, sgmag3, srmag1, srmag2, srmag3,
):  # fmt: skip
    """PS1 g - r of the closest galaxy-like source."""
    galaxies = _galaxy_like(sgscore1, sgscore2, sgscore3)
    colours = (sgmag1 - srmag1, sgmag2 - srmag2, sgmag3 - srmag3)
    return _of_closest(galaxies, (distpsnr1, distpsnr2, distpsnr3), colours)


def _star_like(*scores):
    return [score > _STAR_ABOVE for score in scores]


def _galaxy_like(*scores):
    return [score < _STAR_ABOVE for score in scores]


def _of_closest(selected, distances, values):
    """Value of the closest selected source, NaN without one."""
    return _pick_closest(np.array(selected), np.array(distances), np.array(values))


@cached(nogil=True)
def _pick_closest(selected, distances, values):
    n_sources, n = values.shape
    out = np.full(n, np.nan)
    for k in range(n):
        closest = np.inf
        for source in range(n_sources):
            # A comparison with a missing distance (NaN) is false, so such a source is skipped.
            if selected[source, k] and distances[source, k] < closest:
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
    return np.abs(_transform(ra, dec, "galactic").b.deg)


@GROUP.feature(unit="deg", missing="without a position")
def abs_ecl_lat(ra, dec):
    """Absolute ecliptic latitude."""
    return np.abs(_transform(ra, dec, "barycentricmeanecliptic").lat.deg)


@GROUP.feature(unit="deg", missing="without a position")
def opposition_distance(ra, dec, jd):
    """Difference in ecliptic longitude from the point opposite to the Sun, 0 to 180."""
    longitude = _transform(ra, dec, "barycentricmeanecliptic").lon.deg
    # The Sun moves by 0.01 deg in 0.01 d, so one position per 0.01 d is enough.
    step, position = np.unique(np.round(jd, 2), return_inverse=True)
    return np.abs((longitude - _solar_longitude(step)[position]) % 360 - 180)


def _transform(ra, dec, frame):
    """Transform positions from ICRS to another frame of astropy."""
    # Imported here, because astropy takes a third of a second to load and few modules need it.
    from astropy.coordinates import SkyCoord

    return SkyCoord(ra, dec, unit="deg").transform_to(frame)


def _solar_longitude(jd):
    """Ecliptic longitude of the Sun in degrees, NaN without a date."""
    from astropy.coordinates import get_sun
    from astropy.time import Time

    longitude = np.full(len(jd), np.nan)
    known = np.isfinite(jd)
    # As TDB, which differs by a minute from UTC, dates need no table of leap seconds; the table
    # expires.
    sun = get_sun(Time(jd[known], format="jd", scale="tdb"))
    # Only the direction: with the distance, the origin would move from the Earth to the barycentre.
    direction = _transform(sun.ra.deg, sun.dec.deg, "barycentricmeanecliptic")
    longitude[known] = direction.lon.deg
    return longitude
