"""What stands at this place in other catalogues, and where on the sky it is."""

import numpy as np

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


@GROUP.feature(unit="arcsec", missing="without a star-like PS1 source within 30 arcsec")
def star_offset(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3):
    """Distance to the closest of three PS1 sources that looks like a star (score > 0.5)."""
    scores = np.stack([sgscore1, sgscore2, sgscore3])
    return _closest(scores > _STAR_ABOVE, distpsnr1, distpsnr2, distpsnr3)


@GROUP.feature(unit="arcsec", missing="without a galaxy-like PS1 source within 30 arcsec")
def host_offset(sgscore1, sgscore2, sgscore3, distpsnr1, distpsnr2, distpsnr3):
    """Distance to the closest of three PS1 sources that looks like a galaxy (score < 0.5)."""
    scores = np.stack([sgscore1, sgscore2, sgscore3])
    return _closest(scores < _STAR_ABOVE, distpsnr1, distpsnr2, distpsnr3)


def _closest(wanted, *distances):
    distance = np.where(wanted, np.stack(distances), np.inf)
    # A missing distance must neither win nor hide the others.
    closest = np.fmin.reduce(distance, axis=0)
    return np.where(np.isfinite(closest), closest, np.nan)


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
    return np.abs(_icrs(ra, dec).galactic.b.deg)


@GROUP.feature(unit="deg", missing="without a position")
def abs_ecl_lat(ra, dec):
    """Absolute ecliptic latitude."""
    return np.abs(_ecliptic(_icrs(ra, dec)).lat.deg)


@GROUP.feature(unit="deg", missing="without a position")
def opposition_distance(ra, dec, jd):
    """Ecliptic longitude from the point opposite to the Sun, 0 to 180."""
    from astropy.coordinates import get_sun
    from astropy.time import Time

    longitude = _ecliptic(_icrs(ra, dec)).lon.deg
    # The Sun moves 0.01 deg in 0.01 d, and a night has few such steps.
    step, position = np.unique(np.round(jd, 2), return_inverse=True)
    known = np.isfinite(step)
    sun = np.full(len(step), np.nan)
    if known.any():
        with _no_downloads():
            sun[known] = _ecliptic(get_sun(Time(step[known], format="jd"))).lon.deg
    return np.abs((longitude - sun[position] + 360) % 360 - 180)


def _icrs(ra, dec):
    from astropy.coordinates import SkyCoord

    return SkyCoord(ra, dec, unit="deg")


def _ecliptic(coordinates):
    from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord

    # Only directions are meant: a distance would move the Sun as seen from the barycentre.
    direction = SkyCoord(coordinates.ra, coordinates.dec)
    return direction.transform_to(BarycentricMeanEcliptic())


def _no_downloads():
    from astropy.utils.iers import conf

    return conf.set_temp("auto_download", False)
