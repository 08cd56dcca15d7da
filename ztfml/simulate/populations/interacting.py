"""Supernovae powered by shocks in gas around the star: type Ibn and similar ones."""

import numpy as np

from ztfml.astrophysics import BAND_WAVELENGTH, blackbody_magnitude
from ztfml.simulate.hosts import draw_dust, draw_events, draw_hosts
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import Sources, flux_of, subtraction_noise


def _draw_interacting(rng, n, observed):
    """Supernovae that interact with gas around the star.

    The luminosity grows as t^2 and then falls exponentially; the photosphere cools as a power
    of time down to 6,000 K. Rise, fall and colour span the range of the rapidly evolving
    supernovae of Ho et al. 2023, ApJ 949, 120, and of SNe Ibn (Hosseinzadeh et al. 2017, ApJ
    836, 158), which are above half of their peak for 2 to 14 days.
    """
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=9)
    peak, z = draw_events(rng, n, (-18.9, 0.8), 20.9)
    rise = np.exp(rng.uniform(np.log(0.8), np.log(6.0), n))
    fall = np.exp(rng.uniform(np.log(2.5), np.log(8.0), n))
    hot = np.exp(rng.uniform(np.log(11e3), np.log(35e3), n))
    power = rng.uniform(0.2, 0.9, n)
    span = 25 * (1 + z)
    explosion = observed.draw_jd(rng, n, before=span)
    counterpart, reference_flux = draw_hosts(rng, n, z, -18.8)
    dust = draw_dust(rng, n)

    def brightness(row, t, wavelength):
        """Magnitude of each source up to a constant."""
        light = np.minimum((t / rise[row]) ** 2, np.exp(-(t - rise[row]) / fall[row]))
        cooled = (np.clip(t, 0.1, None) / rise[row]) ** -power[row]
        temperature = np.clip(hot[row] * cooled, 6e3, 60e3)
        radius = 1e15 * np.sqrt(light) * (temperature / 1e4) ** -2
        return blackbody_magnitude(radius, temperature, wavelength)

    every = np.arange(n)
    offset = peak - brightness(every, rise, BAND_WAVELENGTH[1] / (1 + z))

    def flux(row, jd, fid):
        t = (jd - explosion[row]) / (1 + z[row])
        mag = brightness(row, np.clip(t, 1e-3, None), BAND_WAVELENGTH[fid - 1] / (1 + z[row]))
        return np.where(t > 0, flux_of(mag + offset[row] + dust[row, fid - 1]), 0.0)

    return Sources(ra, dec, flux, counterpart, reference_flux, subtraction_noise(rng, n))


POPULATIONS = (
    Population(
        "SN Ibn", "transient", 0.005, _draw_interacting, mistaken_for=("FBOT", "superoutburst")
    ),
)
