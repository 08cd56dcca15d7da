"""Photospheres, redshift and dust of injected events."""

import numpy as np

from ztfml.astrophysics import STEFAN_BOLTZMANN, distance_modulus

# Extinction over E(B - V) in PS1 g, r, i, close to ZTF's (Schlafly & Finkbeiner 2011, ApJ 737,
# 103, table 6, R_V = 3.1).
REDDENING = np.array([3.172, 2.271, 1.682])

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
