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


# The magnitudes of one source at three epochs: PS1 2010 to 2014, Gaia 2014 to 2016, and the
# reference image since 2018. Active nuclei change over years; most variable stars of similar
# colours change within hours or days about a constant mean.
_SAME_SOURCE = 1.5  # arcsec


@GROUP.feature(unit="mag", missing="without a reference source and a PS1 source within 1.5 arcsec")
def ref_minus_ps1(magnr, distnr, fid, distpsnr1, sgmag1, srmag1, simag1):
    """Magnitude in the reference image minus the PS1 magnitude in the same band."""
    ps1 = np.select([fid == 1, fid == 2, fid == 3], [sgmag1, srmag1, simag1], np.nan)
    near = (distnr < _SAME_SOURCE) & (distpsnr1 < _SAME_SOURCE)
    return np.where(near, magnr - ps1, np.nan)


@GROUP.feature(unit="mag", missing="without a Gaia source and a PS1 source within 1.5 arcsec")
def gaia_minus_ps1(maggaia, neargaia, distpsnr1, srmag1):
    """Gaia G magnitude minus the PS1 r magnitude of a source near the alert."""
    near = (neargaia < _SAME_SOURCE) & (distpsnr1 < _SAME_SOURCE)
    return np.where(near, maggaia - srmag1, np.nan)


GROUP.copy("ssdistnr", "ssmagnr", missing=_SSO)


@GROUP.feature(unit="mag", missing=_SSO)
def mag_minus_sso(magpsf, ssmagnr):
    """Difference magnitude minus the predicted magnitude of the closest known asteroid."""
    return magpsf - ssmagnr


@GROUP.feature(unit="deg", missing="without a position")
def abs_gal_lat(ra, dec):
    """Absolute galactic latitude."""
    return np.abs(np.degrees(np.arcsin(_galactic_height(ra, dec))))


@GROUP.feature(unit="deg", missing="without a position")
def abs_ecl_lat(ra, dec):
    """Absolute ecliptic latitude."""
    return np.abs(np.degrees(_ecliptic(_directions(ra, dec))[1]))


@GROUP.feature(unit="deg", missing="without a position")
def opposition_distance(ra, dec, jd):
    """Difference in ecliptic longitude from the point opposite to the Sun, 0 to 180."""
    longitude = np.degrees(_ecliptic(_directions(ra, dec))[0])
    # The Sun moves by 0.01 deg in 0.01 d, so one position per 0.01 d is enough.
    step, position = np.unique(np.round(jd, 2), return_inverse=True)
    return np.abs((longitude - _solar_longitude(step)[position]) % 360 - 180)


# Positions are rotated here and with ERFA, the library below astropy.coordinates, which takes
# 0.4 s to load and is the largest part of the start of a command.

# The north galactic pole in ICRS, as in astropy.
_GALACTIC_POLE = np.array([-0.8676661375596576, -0.19807633727300053, 0.4559838136873016])


def _galactic_height(ra, dec):
    """Sine of the galactic latitude."""
    import erfa

    # Unlike a product of matrices, this does not depend on the number of alerts.
    return erfa.pdp(_directions(ra, dec), _GALACTIC_POLE)


def _directions(ra, dec):
    """Return unit vectors of positions in degrees, shape (n, 3)."""
    import erfa

    return erfa.s2c(np.radians(ra), np.radians(dec))


def _ecliptic(directions):
    """Return mean ecliptic longitude and latitude (J2000) of ICRS directions, in radians."""
    import erfa

    return erfa.c2s(erfa.rxp(erfa.ecm06(_J2000, 0.0), directions))


_J2000 = 2451545.0


def _solar_longitude(jd):
    """Ecliptic longitude of the Sun in degrees, NaN without a date."""
    import erfa

    longitude = np.full(len(jd), np.nan)
    known = np.isfinite(jd)
    # As TDB, which differs by a minute from UTC, dates need no table of leap seconds; the table
    # expires.
    heliocentric, barycentric = erfa.epv00(jd[known], 0.0)
    earth, velocity = heliocentric["p"], barycentric["v"] / _LIGHT_AU_PER_DAY
    distance = np.linalg.norm(earth, axis=-1)
    # Aberration, as in astropy.coordinates.get_sun.
    inverse_lorentz = np.sqrt(1 - np.sum(velocity**2, axis=-1))
    sun = -erfa.ab(earth / distance[:, np.newaxis], -velocity, distance, inverse_lorentz)
    longitude[known] = np.degrees(_ecliptic(sun)[0])
    return longitude


_LIGHT_AU_PER_DAY = 173.14463267424034
