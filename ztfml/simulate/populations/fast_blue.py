"""Fast blue optical transients like AT2018cow."""

import numpy as np

from ztfml.astrophysics import ASTRONOMICAL_UNIT, BAND_WAVELENGTH, blackbody_magnitude
from ztfml.simulate.hosts import draw_dust, draw_events, draw_hosts
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import Sources, flux_of, subtraction_noise


def fbot_mag(t: np.ndarray | float, wavelength: np.ndarray | float) -> np.ndarray:
    """Return the absolute magnitude of AT2018cow `t` rest-frame days after explosion.

    Radius and temperature follow the fits of Perley et al. 2019 (MNRAS 484, 1031, table 4): a
    hot sphere that shrinks from the third day on. It rises by up to 5 mag in 3.5 d.

    Parameters
    ----------
    t : ndarray, d
    wavelength : ndarray, cm
        In the rest frame.

    Returns
    -------
    ndarray, mag

    Examples
    --------
    >>> bool(-21.5 < fbot_mag(3.5, 4770e-8) < -20)
    True
    """
    t = np.asarray(t, float)
    late = np.clip(t, 0.05, None)
    radius = 56 * ASTRONOMICAL_UNIT * np.exp(-np.clip(late - 3.0, 0, None) / 20.0)
    temperature = 32e3 * np.clip(late / 3.0, 1, None) ** -0.42
    rise = 2.5 * np.log10(1 - np.exp(-((late / 1.6) ** 3)) + 1e-9)
    return np.where(t <= 0, 99.0, blackbody_magnitude(radius, temperature, wavelength) - rise)


def _draw_fbot(rng, n, observed):
    """FBOTs: scaled versions of AT2018cow, fainter or brighter, slower or faster."""
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=9)
    shift = rng.normal(0.7, 0.6, n)
    peak, z = draw_events(rng, n, (-20.0, 0.6), 20.9)
    stretch = np.exp(rng.normal(0.0, 0.35, n)) * (1 + z)
    span = 15 * stretch
    explosion = observed.draw_jd(rng, n, before=span)
    modulus = peak + 20.6 - shift
    counterpart, reference_flux = draw_hosts(rng, n, z, -18.3)
    dust = 0.6 * draw_dust(rng, n)

    def flux(row, jd, fid):
        rest = BAND_WAVELENGTH[fid - 1] / (1 + z[row])
        mag = fbot_mag((jd - explosion[row]) / stretch[row], rest) + modulus[row] + shift[row]
        return flux_of(mag + dust[row, fid - 1])

    return Sources(ra, dec, flux, counterpart, reference_flux, subtraction_noise(rng, n))


POPULATIONS = (
    Population("FBOT", "transient", 0.005, _draw_fbot, mistaken_for=("superoutburst", "SN Ibn")),
)
