"""Optical afterglows of gamma-ray bursts."""

import numpy as np

from ztfml.simulate.hosts import draw_hosts
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import Sources, flux_of, subtraction_noise


def _draw_afterglow(rng, n, observed):
    """Broken power laws in time; R = 20 +- 1.5 mag after one day (Kann et al. 2010)."""
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=9)
    at_one_day = np.clip(rng.normal(19.6, 1.3, n), 15.5, 22.5)
    before = rng.uniform(0.7, 1.3, n)
    jet_break = np.exp(rng.normal(np.log(1.2), 0.7, n))
    after = before + rng.uniform(0.8, 1.3, n)
    # A synchrotron spectrum nu^-0.9 with a little dust has g - r near 0.3.
    colour = rng.normal(0.3, 0.08, n)[:, None] * np.array([1.0, 0.0, -0.75])
    burst = observed.draw_jd(rng, n, before=3, after=-0.1)
    z = np.exp(rng.normal(np.log(1.2), 0.4, n))
    counterpart, reference_flux = draw_hosts(rng, n, z, -20.0)

    def decay(t, row):
        # Smoothly broken power law, Beuermann et al. 1999, n = 2.
        x = t / jet_break[row]
        return (x ** (2 * before[row]) + x ** (2 * after[row])) ** -0.5

    def flux(row, jd, fid):
        t = np.clip(jd - burst[row], 1e-3, None)
        scale = decay(t, row) / decay(np.ones(len(row)), row)
        bright = flux_of(at_one_day[row] + colour[row, fid - 1]) * scale
        return np.where(jd > burst[row], bright, 0.0)

    return Sources(ra, dec, flux, counterpart, reference_flux, subtraction_noise(rng, n))


POPULATIONS = (
    Population(
        "afterglow",
        "transient",
        0.0025,
        _draw_afterglow,
        mistaken_for=("stellar flare", "dwarf nova"),
    ),
)
