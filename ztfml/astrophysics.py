"""What a black body shines: physics that simulated and injected sources share."""

import numpy as np

# In CGS units.
SPEED_OF_LIGHT, PARSEC = 2.998e10, 3.0857e18
PLANCK, BOLTZMANN = 6.626e-27, 1.381e-16


def blackbody_magnitude(radius, temperature, wavelength):
    """Absolute AB magnitude of a shining sphere.

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
    frequency = SPEED_OF_LIGHT / np.asarray(wavelength)
    hotness = np.clip(PLANCK * frequency / (BOLTZMANN * np.asarray(temperature)), 1e-6, 300)
    surface = 2 * PLANCK * frequency**3 / SPEED_OF_LIGHT**2 / np.expm1(hotness)
    density = np.pi * surface * (np.asarray(radius) / (10 * PARSEC)) ** 2
    return -2.5 * np.log10(np.maximum(density, 1e-80)) - 48.6
