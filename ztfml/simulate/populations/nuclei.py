"""Active nuclei that surveys confuse with other sources.

Weak nuclei in bright galaxies, faint nuclei, nuclei that turn on or off, and bright blazars.
"""

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import GALAXY, STAR, Counterpart, flux_of, variable_source

_RATIO = np.array([1.0, 0.85, 0.75])  # amplitudes in g, r, i


def _nucleus(rng, observed, mag, agn_fraction, change, n_distance=0.1):
    """AGN that contribute `agn_fraction` of the r flux of galaxies with magnitudes `mag`."""
    n = len(mag)
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=14)
    fainter = 2.5 * np.log10(agn_fraction)[:, None]
    nucleus = mag[:, [1, 1, 1, 1]] - fainter + np.array([0.2, 0.0, -0.1, -0.15])
    host = np.clip(flux_of(mag[:, :3]) - flux_of(nucleus[:, :3]), 0, None)
    counterpart = Counterpart(np.full(n, GALAXY), mag, np.abs(rng.normal(0, n_distance, n)))
    return variable_source(rng, ra, dec, nucleus, change, counterpart=counterpart, host_flux=host)


def _galaxy_mags(rng, r, g_r):
    n = len(r)
    colour = rng.normal(*g_r, n)
    r_i = rng.normal(0.35, 0.08, n)
    return np.column_stack([r + colour, r, r - r_i, r - r_i - rng.normal(0.25, 0.1, n)])


def _walk_of(rng, n, sigma, tau, spread=0.2):
    """A damped random walk; `sigma` (mag) and `tau` (d) are medians with a scatter in dex."""
    size = np.clip(sigma * 10 ** rng.normal(0, spread, n), 0.03, 0.9)
    modes = noise.walk_modes(rng, tau * 10 ** rng.normal(0, 0.35, n))

    def change(row, jd, fid):
        return size[row] * _RATIO[fid - 1] * noise.damped_walk(*modes, row, jd)

    return change


def _draw_liner(rng, n, observed):
    """LINERs and weak Seyferts: bright early-type galaxies whose nucleus gives a small fraction.

    The nuclei are a few percent of the light within the PSF (Ho 2008) and vary by tens of percent,
    so that the difference is near the detection limit.
    """
    r = np.clip(18.0 + np.log10(rng.random(n)) / 0.4, 13.5, None)
    mag = _galaxy_mags(rng, r, (0.78, 0.1))
    fraction = 10 ** rng.normal(-0.9, 0.3, n)
    change = _walk_of(rng, n, 0.35, 200.0)
    return _nucleus(rng, observed, mag, np.clip(fraction, 0.02, 0.6), change)


def _draw_faint_nucleus(rng, n, observed):
    """Seyfert galaxies near the limit of the survey."""
    mag = _galaxy_mags(rng, rng.uniform(18.8, 21.5, n), (0.5, 0.22))
    return _nucleus(rng, observed, mag, rng.beta(2.0, 1.6, n), _walk_of(rng, n, 0.35, 200.0))


def _draw_changing_look(rng, n, observed):
    """Nuclei that turn on or off within months to years (MacLeod et al. 2016; Graham et al. 2020).

    Nuclei that turned off after the reference image was taken are always below it, and detected
    for years; those that turned on are always above it.
    """
    r = np.clip(20.0 + np.log10(rng.random(n)) / 0.4, 15.5, None)
    mag = _galaxy_mags(rng, r, (0.45, 0.2))
    off = rng.random(n) < 0.6
    step = rng.uniform(0.4, 2.5, n)  # mag
    length = np.exp(rng.uniform(np.log(40), np.log(500), n))  # d
    middle = observed.draw_jd(rng, n, before=np.full(n, 1400.0))
    middle = np.maximum(middle, 2458500.0 + 2 * length)
    walk = _walk_of(rng, n, 0.18, 250.0)

    def change(row, jd, fid):
        phase = np.clip((jd - middle[row]) / length[row], -8, 8)
        later = 1 / (1 + np.exp(-4 * phase))
        faint = np.where(off[row], later, 1 - later)
        return step[row] * faint * _RATIO[fid - 1] + walk(row, jd, fid)

    return _nucleus(rng, observed, mag, rng.uniform(0.25, 0.95, n), change)


def _draw_bright_blazar(rng, n, observed):
    """BL Lacs of 13 to 17 mag, blue or reddened by dust in the Galaxy, with fast variability.

    The model is that of the other blazars (see ``agn.py``); their brightest members vary more.
    """
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=6)
    r = rng.uniform(13.0, 17.2, n)
    g_r = rng.normal(0.38, 0.14, n) + 0.15 * rng.exponential(1.0, n)
    mag = np.column_stack([r + g_r, r, r - rng.normal(0.3, 0.1, n), r - rng.normal(0.5, 0.12, n)])
    sigma = 0.35 * 10 ** rng.normal(0, 0.2, n)
    slow = noise.walk_modes(rng, 150 * 10 ** rng.normal(0, 0.3, n))
    fast = noise.walk_modes(rng, 2.5 * 10 ** rng.normal(0, 0.3, n))
    ratio = np.array([1.0, 0.96, 0.92])

    def change(row, jd, fid):
        walk = noise.damped_walk(*slow, row, jd) + 0.5 * noise.damped_walk(*fast, row, jd)
        return np.clip(sigma[row] * ratio[fid - 1] * walk, -2.5, 2.5)

    kind = np.where(rng.random(n) < 0.15, GALAXY, STAR)
    counterpart = Counterpart(kind, mag, np.abs(rng.normal(0, 0.06, n)))
    return variable_source(rng, ra, dec, mag, change, counterpart=counterpart)


POPULATIONS = (
    Population("LINER", "agn", 0.03, _draw_liner, mistaken_for=("transient", "TDE"),
               balanced_weight=0.2),
    Population("faint nucleus", "agn", 0.05, _draw_faint_nucleus, mistaken_for=("transient",),
               balanced_weight=0.25),
    Population("changing-look AGN", "agn", 0.03, _draw_changing_look,
               mistaken_for=("TDE", "transient", "star"), balanced_weight=0.3),
    Population("bright blazar", "agn", 0.015, _draw_bright_blazar,
               mistaken_for=("star", "novalike"), balanced_weight=0.25),
)  # fmt: skip
