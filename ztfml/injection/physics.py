"""Photospheres, distances and dust: what the light curves of all kinds are made with."""

from functools import lru_cache

import numpy as np

# Effective wavelengths of ZTF g, r, i (Bellm et al. 2019, PASP 131, 018002), cm.
BAND_WAVELENGTH = np.array([4746e-8, 6366e-8, 7829e-8])
# Extinction over E(B - V) in PS1 g, r, i, close to ZTF's (Schlafly & Finkbeiner 2011, ApJ 737,
# 103, table 6, R_V = 3.1).
REDDENING = np.array([3.172, 2.271, 1.682])

DAY, SUN_MASS, SUN_RADIUS = 86400.0, 1.989e33, 6.957e10
STEFAN_BOLTZMANN = 5.670e-5
_DARK = 99.0


def photosphere(luminosity, expanding, coolest):
    """Radius and temperature of a sphere that expands until it has cooled to `coolest`.

    Parameters
    ----------
    luminosity : ndarray, erg/s
    expanding : ndarray, cm
        The radius while it expands freely.
    coolest : ndarray, K
        From there on the photosphere recedes at this temperature.

    Returns
    -------
    radius, temperature : ndarray

    Examples
    --------
    >>> photosphere(3.83e33, 6.957e10, 1000.0)[1].round(-2)
    np.float64(5800.0)
    """
    luminosity = np.maximum(luminosity, 1e20)
    temperature = (luminosity / (4 * np.pi * STEFAN_BOLTZMANN * expanding**2)) ** 0.25
    frozen = np.sqrt(luminosity / (4 * np.pi * STEFAN_BOLTZMANN)) / coolest**2
    radius = np.where(temperature < coolest, frozen, expanding)
    return radius, np.maximum(temperature, coolest)


@lru_cache(maxsize=1)
def _distances():
    from astropy.cosmology import FlatLambdaCDM

    cosmology = FlatLambdaCDM(H0=70, Om0=0.3)
    z = np.concatenate([[0.0], np.geomspace(1e-4, 4.0, 400)])
    with np.errstate(divide="ignore"):
        modulus = cosmology.distmod(z).value
    volume = cosmology.comoving_volume(z).value / 1e9  # Gpc^3
    kpc = cosmology.kpc_proper_per_arcmin(z).value / 60
    return z, modulus, volume, kpc


def distance_modulus(z):
    """Distance modulus at a redshift (H0 = 70 km/s/Mpc, matter 0.3, flat).

    >>> round(float(distance_modulus(0.1)), 1)
    38.3
    """
    table = _distances()
    return np.interp(np.log(z), np.log(table[0][1:]), table[1][1:])


def comoving_volume(z):
    """Comoving volume within a redshift, Gpc^3.

    >>> round(float(comoving_volume(0.1)), 2)
    0.31
    """
    table = _distances()
    return np.interp(z, table[0], table[2])


def redshift_of_volume(volume):
    """Redshift within which there is a comoving volume (Gpc^3).

    >>> round(float(redshift_of_volume(comoving_volume(0.2))), 3)
    0.2
    """
    table = _distances()
    return np.interp(volume, table[2], table[0])


def kpc_per_arcsec(z):
    """Proper length of an arcsec at a redshift.

    >>> round(float(kpc_per_arcsec(0.1)), 2)
    1.84
    """
    table = _distances()
    return np.interp(np.log(z), np.log(table[0][1:]), table[3][1:])


def observe(absolute, z, days, wavelength):
    """Apparent AB magnitude of a source of known absolute magnitude, with its K-correction.

    Parameters
    ----------
    absolute : callable
        Gives the absolute AB magnitude at days and wavelengths (cm) of the rest frame.
    z : ndarray
    days : ndarray
        Observed days since the beginning; before it there is nothing.
    wavelength : ndarray, cm
        As observed.

    Returns
    -------
    ndarray, mag

    Examples
    --------
    >>> observe(lambda days, length: np.full(len(days), -19.0), np.array([0.1]), np.array([1.0]),
    ...         np.array([6e-5])).round(2)
    array([19.21])
    """
    rest = np.maximum(days, 1e-4) / (1 + z)
    magnitude = absolute(rest, wavelength / (1 + z)) + distance_modulus(z) - 2.5 * np.log10(1 + z)
    return np.where(days > 0, np.minimum(magnitude, _DARK), _DARK)
