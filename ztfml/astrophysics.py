"""Facts about the sky and ZTF that every part of ztfml shares.

Constants and cosmology come from astropy. They are loaded on first use, because astropy takes a
third of a second to import and most commands do not need it.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numba.extending import register_jitable
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    SPEED_OF_LIGHT: float
    PARSEC: float
    PLANCK: float
    BOLTZMANN: float
    STEFAN_BOLTZMANN: float
    ASTRONOMICAL_UNIT: float
    SUN_MASS: float
    SUN_RADIUS: float

BAND_WAVELENGTH = np.array([4746e-8, 6366e-8, 7829e-8])
"""Effective wavelengths of ZTF g, r, i in cm (SVO Filter Profile Service, Palomar/ZTF)."""

PALOMAR_LATITUDE, PALOMAR_LONGITUDE, PALOMAR_HEIGHT = 33.3563, -116.865, 1712.0
"""The site of ZTF: geodetic, in degrees (longitude to the east) and m above the sea."""

EXTINCTION = np.array([3.172, 2.271, 1.682])
"""Galactic extinction in g, r, i for E(B - V) = 1 on the scale of Schlegel et al. (1998), for
R_V = 3.1 (Schlafly & Finkbeiner 2011, ApJ 737, 103, table 6, PS1 filters)."""

FAST_RATE = 0.3
"""A fast transient rises or fades by more than this (mag/day)."""

DAY = 86400.0
"""Seconds in a day."""

MJD_ZERO = 2400000.5
"""Julian date at which the modified Julian date is zero."""

_CONSTANTS = {
    "SPEED_OF_LIGHT": "c",
    "PARSEC": "pc",
    "PLANCK": "h",
    "BOLTZMANN": "k_B",
    "STEFAN_BOLTZMANN": "sigma_sb",
    "ASTRONOMICAL_UNIT": "au",
    "SUN_MASS": "M_sun",
    "SUN_RADIUS": "R_sun",
}


def __getattr__(name: str) -> float:
    """Return a constant in CGS units, e.g. ``astrophysics.SPEED_OF_LIGHT`` in cm/s."""
    if name not in _CONSTANTS:
        raise AttributeError(f"module 'ztfml.astrophysics' has no attribute {name!r}")
    from astropy import constants

    value = float(getattr(constants, _CONSTANTS[name]).cgs.value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_CONSTANTS})


@register_jitable
def night_of(jd):
    """Return the night of a Julian date, as the Julian date of 0h UT.

    A night at Palomar lies within one UT date, so nights begin at Julian dates that end in .5.
    Compiled functions can call this function.

    Parameters
    ----------
    jd : float or ndarray, d

    Returns
    -------
    float or ndarray, d

    Examples
    --------
    >>> float(night_of(2460474.93))
    2460474.5
    """
    return np.floor(jd - 0.5) + 0.5


# --- black body --------------------------------------------------------------------------


def blackbody_magnitude(
    radius: ArrayLike, temperature: ArrayLike, wavelength: ArrayLike
) -> np.ndarray:
    """Return the absolute AB magnitude of a spherical black body.

    Parameters
    ----------
    radius : ndarray, cm
    temperature : ndarray, K
    wavelength : ndarray, cm
        In the rest frame.

    Returns
    -------
    ndarray, mag

    Examples
    --------
    The Sun in the r band (4.65, Willmer 2018):

    >>> round(float(blackbody_magnitude(6.957e10, 5772.0, 6200e-8)), 1)
    4.7
    """
    c, h, k, parsec = _blackbody_constants()
    frequency = c / np.asarray(wavelength)
    x = np.clip(h * frequency / (k * np.asarray(temperature)), 1e-6, 300)
    intensity = 2 * h * frequency**3 / c**2 / np.expm1(x)
    flux = np.pi * intensity * (np.asarray(radius) / (10 * parsec)) ** 2
    return -2.5 * np.log10(np.maximum(flux, 1e-80)) - 48.6


@lru_cache(maxsize=1)
def _blackbody_constants():
    return tuple(__getattr__(name) for name in ("SPEED_OF_LIGHT", "PLANCK", "BOLTZMANN", "PARSEC"))


# --- cosmology ---------------------------------------------------------------------------
#
# Simulations draw millions of redshifts, so distances are interpolated; the error is less than
# 1e-5 mag. astropy computes an integral for each redshift.


@lru_cache(maxsize=1)
def _distances():
    from astropy.cosmology import Planck18

    z = np.geomspace(1e-4, 6.0, 600)
    volume = Planck18.comoving_volume(z).value / 1e9  # Gpc^3
    kpc = Planck18.kpc_proper_per_arcmin(z).value / 60
    return z, Planck18.distmod(z).value, volume, kpc


def distance_modulus(z: ArrayLike) -> np.ndarray:
    """Return the distance modulus at a redshift (Planck 2018 cosmology).

    Parameters
    ----------
    z : ndarray
        At most 6; larger values are clipped. Below 0.0001, Hubble's law continues the distances.

    Returns
    -------
    ndarray, mag

    Examples
    --------
    >>> round(float(distance_modulus(0.1)), 1)
    38.4
    """
    redshift, modulus, _, _ = _distances()
    z = np.asarray(z, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        near = np.minimum(5 * np.log10(z / redshift[0]), 0.0)
    return np.interp(np.log(np.maximum(z, redshift[0])), np.log(redshift), modulus) + near


def redshift_of(modulus: ArrayLike) -> np.ndarray:
    """Return the redshift at a distance modulus, at least 0.0001 (0.4 Mpc).

    Parameters
    ----------
    modulus : ndarray, mag

    Returns
    -------
    ndarray

    Examples
    --------
    >>> round(float(redshift_of(38.4)), 2)
    0.1
    """
    redshift, moduli, _, _ = _distances()
    return np.exp(np.interp(np.asarray(modulus, float), moduli, np.log(redshift)))


def comoving_volume(z: ArrayLike) -> np.ndarray:
    """Return the comoving volume of the whole sky within a redshift.

    Parameters
    ----------
    z : ndarray

    Returns
    -------
    ndarray, Gpc^3

    Examples
    --------
    >>> round(float(comoving_volume(0.1)), 2)
    0.34
    """
    redshift, _, volume, _ = _distances()
    return np.interp(np.asarray(z, float), np.append(0.0, redshift), np.append(0.0, volume))


def redshift_of_volume(volume: ArrayLike) -> np.ndarray:
    """Return the redshift within which the comoving volume has a given size.

    Parameters
    ----------
    volume : ndarray, Gpc^3

    Returns
    -------
    ndarray

    Examples
    --------
    >>> round(float(redshift_of_volume(comoving_volume(0.2))), 3)
    0.2
    """
    redshift, _, volumes, _ = _distances()
    return np.interp(np.asarray(volume, float), np.append(0.0, volumes), np.append(0.0, redshift))


def kpc_per_arcsec(z: ArrayLike) -> np.ndarray:
    """Return the proper length of one arcsecond at a redshift.

    Parameters
    ----------
    z : ndarray
        At most 6; larger values are clipped. Below 0.0001, the length is proportional to it.

    Returns
    -------
    ndarray, kpc

    Examples
    --------
    >>> round(float(kpc_per_arcsec(0.1)), 2)
    1.91
    """
    redshift, _, _, kpc = _distances()
    z = np.asarray(z, float)
    near = np.minimum(z / redshift[0], 1.0)
    return np.interp(np.log(np.maximum(z, redshift[0])), np.log(redshift), kpc) * near
