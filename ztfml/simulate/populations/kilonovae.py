"""Kilonovae like AT2017gfo."""

from functools import lru_cache

import numpy as np

from ztfml.astrophysics import (
    BAND_WAVELENGTH,
    DAY,
    SPEED_OF_LIGHT,
    STEFAN_BOLTZMANN,
    SUN_MASS,
    blackbody_magnitude,
    redshift_of,
)
from ztfml.compiled import cached
from ztfml.simulate.hosts import draw_events, draw_hosts
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import NONE, Sources, flux_of, subtraction_noise

# Ejecta of AT2017gfo: mass (solar), velocity (c), opacity (cm^2/g), temperature floor (K),
# Villar et al. 2017, ApJL 851, L21, table 2 (three components).
_EJECTA = ((0.020, 0.266, 0.5, 674.0), (0.047, 0.152, 3.0, 1308.0), (0.011, 0.137, 10.0, 3745.0))


DAYS = np.geomspace(0.03, 25.0, 90)


def kilonova_mag(mass_scale=1.0, velocity_scale=1.0, wavelength=tuple(BAND_WAVELENGTH)):
    """Compute absolute magnitudes of a kilonova at the times `DAYS`.

    The model of Villar et al. 2017, ApJL 851, L21, eq. 1 to 7: r-process heating (Korobkin et
    al. 2012) of three components with the thermalisation of Barnes et al. 2016 and the
    diffusion of Arnett 1982, which radiate as black bodies with a temperature floor.

    Parameters
    ----------
    mass_scale, velocity_scale : float
        Relative to the ejecta of AT2017gfo.
    wavelength : tuple of float, cm

    Returns
    -------
    ndarray, shape (n_bands, n_days)

    Examples
    --------
    >>> kilonova_mag().shape
    (3, 90)
    """
    fine = np.geomspace(1e-3, 25.0, 1500)
    total = np.zeros((len(wavelength), len(DAYS)))
    for mass, velocity, opacity, floor in _EJECTA:
        grams, speed = mass * mass_scale * SUN_MASS, velocity * velocity_scale * SPEED_OF_LIGHT
        heating = 4e18 * grams * (0.5 - np.arctan((fine * DAY - 1.3) / 0.11) / np.pi) ** 1.3
        heating *= _thermalised(fine, mass * mass_scale, velocity * velocity_scale)
        diffusion = np.sqrt(2 * opacity * grams / (13.4 * speed * SPEED_OF_LIGHT)) / DAY
        luminosity = np.interp(DAYS, fine, _diffuse(fine, heating, diffusion))
        radius = speed * DAYS * DAY
        temperature = (luminosity / (4 * np.pi * STEFAN_BOLTZMANN * radius**2)) ** 0.25
        frozen = temperature < floor
        radius = np.where(
            frozen, np.sqrt(luminosity / (4 * np.pi * STEFAN_BOLTZMANN)) / floor**2, radius
        )
        temperature = np.maximum(temperature, floor)
        for band, length in enumerate(wavelength):
            total[band] += 10 ** (-0.4 * blackbody_magnitude(radius, temperature, length))
    return -2.5 * np.log10(total)


@cached
def _diffuse(days, heating, diffusion):
    """Luminosity of an expanding, heated sphere (Arnett 1982); diffusion time in days."""
    out = np.zeros(len(days))
    for k in range(1, len(days)):
        leaving = np.exp(-(days[k] ** 2 - days[k - 1] ** 2) / diffusion**2)
        out[k] = out[k - 1] * leaving + heating[k] * (1 - leaving)
    return out


def _thermalised(days, mass, velocity):
    # Barnes et al. 2016, eq. 34. Table 1 (tangled fields) is interpolated in velocity at 0.01
    # solar masses; the powers of the mass reproduce its values at 0.05.
    relative = mass / 0.01
    a = np.interp(velocity, [0.1, 0.2, 0.3], [2.01, 4.52, 8.16]) * relative**-0.56
    b = np.interp(velocity, [0.1, 0.2, 0.3], [0.28, 0.62, 1.19]) * relative**-0.5
    d = np.interp(velocity, [0.1, 0.2, 0.3], [1.12, 1.39, 1.52]) * relative**-0.08
    term = 2 * b * days**d
    return 0.36 * (np.exp(-a * days) + np.log1p(term) / term)


@lru_cache(maxsize=1)
def _kilonova_grid():
    """Kilonovae of twelve ejecta at redshift 0.03, half of the survey's range."""
    rest = tuple(BAND_WAVELENGTH / 1.03)
    scales = [(mass, speed) for mass in (0.35, 0.7, 1.2, 2.0) for speed in (0.75, 1.0, 1.25)]
    return np.array([kilonova_mag(mass, speed, rest) for mass, speed in scales])


def _draw_kilonova(rng, n, observed):
    """Kilonovae near early-type galaxies, far from the centre (Fong et al. 2022)."""
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=9)
    grid = _kilonova_grid()
    member = rng.integers(0, len(grid), n)
    peak, _ = draw_events(rng, n, (-15.8, 0.3), 20.6)
    # The apparent peak is that of the brighter one of g and r.
    modulus = peak - grid[:, :2].min(axis=(1, 2))[member]
    merger = observed.draw_jd(rng, n, before=5, after=-0.5)
    counterpart, reference_flux = draw_hosts(
        rng, n, np.clip(redshift_of(modulus), 3e-4, None), -20.8
    )
    counterpart.distance = counterpart.distance * 1.8
    counterpart.kind = np.where(counterpart.distance < 29, counterpart.kind, NONE)
    log_days = np.log(DAYS)

    def flux(row, jd, fid):
        age = np.log(np.clip(jd - merger[row], 1e-3, None))
        position = np.interp(age, log_days, np.arange(len(log_days)))
        low = np.minimum(position.astype(int), len(log_days) - 2)
        part = position - low
        tracks = grid[member[row], fid - 1]
        at = np.arange(len(row))
        mag = (1 - part) * tracks[at, low] + part * tracks[at, low + 1]
        return np.where(jd > merger[row], flux_of(mag + modulus[row]), 0.0)

    return Sources(ra, dec, flux, counterpart, reference_flux * 0.2, subtraction_noise(rng, n))


POPULATIONS = (
    Population(
        "kilonova", "transient", 0.0025, _draw_kilonova, mistaken_for=("stellar flare", "afterglow")
    ),
)
