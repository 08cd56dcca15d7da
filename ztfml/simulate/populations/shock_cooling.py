"""Type IIb supernovae, which have a first peak of shock cooling."""

import numpy as np

from ztfml.simulate.hosts import draw_dust, draw_events, draw_hosts
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import Sources, flux_of, subtraction_noise
from ztfml.simulate.templates import IBC


def cooling(t: np.ndarray, peak_time: np.ndarray | float) -> np.ndarray:
    """Return the luminosity of an envelope that cools after the shock, relative to its peak.

    The envelope expands and brightens, then falls as a Gaussian in time (Piro, Haynie & Yao
    2021, ApJ 909, 209, eq. 13 and 14 with n = 10).

    Parameters
    ----------
    t : ndarray, d
        Time since the explosion.
    peak_time : ndarray, d

    Returns
    -------
    ndarray

    Examples
    --------
    >>> float(cooling(np.array([1.0]), 1.0)[0])
    1.0
    """
    x = np.clip(t, 1e-3, None) / peak_time
    falling = np.where(x < 1, 1.0, np.exp(-0.5 * (x**2 - 1) * 0.35))
    return np.where(t <= 0, 0.0, np.minimum(1.0, (x / 0.6) ** 1.5) * falling)


def _draw_iib(rng, n, observed):
    """A peak of shock cooling, which lasts hours to a week, then the peak powered by nickel."""
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=9)
    peak, z = draw_events(rng, n, (-17.4, 0.6), 20.9)
    stretch = np.exp(rng.normal(0, 0.15, n)) * (1 + z)
    explosion = observed.draw_jd(rng, n, before=60 * stretch)
    maximum = explosion + 21 * stretch
    lift = rng.normal(0.1, 0.7, n)  # first peak relative to the second, r mag
    width = np.exp(rng.normal(np.log(1.6), 0.4, n)) * (1 + z)
    dust = draw_dust(rng, n)
    counterpart, reference_flux = draw_hosts(rng, n, z, IBC.host)
    # Blue at first (g - r = -0.3); it reddens as it cools (Arcavi et al. 2011).
    colour = np.array([-0.3, 0.0, 0.2])

    def flux(row, jd, fid):
        age = jd - explosion[row]
        nickel = flux_of(peak[row] + IBC.magnitude((jd - maximum[row]) / stretch[row], fid))
        redder = np.array([0.11, 0.0, -0.05])[fid - 1] * np.clip(age, 0, 6)
        early = flux_of(peak[row] + lift[row] + colour[fid - 1] + redder)
        total = nickel + early * cooling(age, width[row])
        return total * 10 ** (-0.4 * dust[row, fid - 1])

    return Sources(ra, dec, flux, counterpart, reference_flux, subtraction_noise(rng, n))


POPULATIONS = (
    Population("SN IIb", "transient", 0.03, _draw_iib, mistaken_for=("SN Ib/c", "SN II")),
)
