"""Novae in M31 and in the Galaxy."""

import numpy as np

from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import Counterpart, Sources, flux_of, subtraction_noise
from ztfml.simulate.templates import NOVA


def _draw_nova(rng, n, observed):
    """Half of the novae are in M31, the others in the Galaxy behind dust."""
    ra, dec = draw_positions(rng, n, observed.fields, disk=(2.5, 0.001))
    in_m31 = rng.random(n) < 0.5
    ra = np.where(in_m31, 10.685 + rng.normal(0, 0.35, n), ra)
    dec = np.where(in_m31, 41.269 + rng.normal(0, 0.3, n), dec)
    peak = np.where(in_m31, 24.4 + rng.normal(*NOVA.peak, n) + 0.5, rng.uniform(12.5, 19.0, n))
    stretch = np.exp(rng.normal(0, NOVA.stretch, n))
    maximum = observed.draw_jd(rng, n, before=40 * stretch, after=2 * stretch)
    dust = np.where(in_m31, 0.06, rng.exponential(0.5, n))[:, None] * np.array([1.0, 0.0, -0.6])
    counterpart = Counterpart.none(n)

    def flux(row, jd, fid):
        t = (jd - maximum[row]) / stretch[row]
        return flux_of(peak[row] + NOVA.magnitude(t, fid) + dust[row, fid - 1])

    # The unresolved light of M31 at its novae.
    reference_flux = np.where(in_m31, flux_of(19.0), 0.0)[:, None] * np.array([0.6, 1.0, 1.3])
    return Sources(ra, dec, flux, counterpart, reference_flux, subtraction_noise(rng, n))


POPULATIONS = (Population("nova", "transient", 0.008, _draw_nova, mistaken_for=("dwarf nova",)),)
