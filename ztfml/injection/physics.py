"""Photospheres, redshift and dust of injected events."""

from collections.abc import Callable

import numpy as np

from ztfml.astrophysics import STEFAN_BOLTZMANN, distance_modulus

_UNDETECTABLE = 99.0  # mag


def photosphere(
    luminosity: np.ndarray, expanding: np.ndarray, coolest: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Compute radius and temperature of a sphere that expands until it has cooled to `coolest`.

    Parameters
    ----------
    luminosity : ndarray, erg/s
    expanding : ndarray, cm
        The radius while it expands freely.
    coolest : float or ndarray, K
        Once this temperature is reached, it stays constant and the photosphere shrinks.

    Returns
    -------
    radius : ndarray, cm
    temperature : ndarray, K

    Examples
    --------
    >>> photosphere(3.83e33, 6.957e10, 1000.0)[1].round(-2)
    np.float64(5800.0)
    """
    luminosity = np.maximum(luminosity, 1e20)
    temperature = (luminosity / (4 * np.pi * STEFAN_BOLTZMANN * expanding**2)) ** 0.25
    shrinking = np.sqrt(luminosity / (4 * np.pi * STEFAN_BOLTZMANN)) / coolest**2
    radius = np.where(temperature < coolest, shrinking, expanding)
    return radius, np.maximum(temperature, coolest)


def apparent_magnitude(
    absolute: Callable, z: np.ndarray, days: np.ndarray, wavelength: np.ndarray
) -> np.ndarray:
    """Compute the apparent AB magnitude, with K-correction, from the absolute magnitude.

    Parameters
    ----------
    absolute : callable
        ``absolute(days, wavelength)``: absolute AB magnitude at rest-frame days and wavelengths
        (cm).
    z : ndarray
        Redshift.
    days : ndarray
        Observed days since the explosion; there is no light before it.
    wavelength : ndarray, cm
        Observed wavelength.

    Returns
    -------
    ndarray, mag
        99 where there is no light.

    Examples
    --------
    >>> apparent_magnitude(
    ...     lambda days, length: np.full(len(days), -19.0),
    ...     np.array([0.1]), np.array([1.0]), np.array([6e-5]),
    ... ).round(2)
    array([19.28])
    """
    rest = np.maximum(days, 1e-4) / (1 + z)
    magnitude = absolute(rest, wavelength / (1 + z)) + distance_modulus(z) - 2.5 * np.log10(1 + z)
    return np.where(days > 0, np.minimum(magnitude, _UNDETECTABLE), _UNDETECTABLE)
