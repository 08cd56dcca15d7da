"""Active galactic nuclei: damped random walks in point-like quasars, Seyferts and blazars."""

import numpy as np

from ztfml.astrophysics import BAND_WAVELENGTH, distance_modulus
from ztfml.simulate import noise
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import (
    GALAXY,
    STAR,
    Counterpart,
    flux_of,
    variable_source,
)


def quasar_variability(wavelength, absolute_i, log_mass):
    """Compute the asymptotic structure function and the rest-frame time scale of a quasar.

    Parameters
    ----------
    wavelength : ndarray, Angstrom
        In the rest frame.
    absolute_i : ndarray, mag
        K-corrected to z = 2.
    log_mass : ndarray
        Decimal logarithm of the mass of the black hole in solar masses.

    Returns
    -------
    sf_inf : ndarray, mag
    tau : ndarray, d

    References
    ----------
    MacLeod et al. 2010, ApJ 721, 1014, eq. 7 and table 1.

    Examples
    --------
    >>> sf_inf, tau = quasar_variability(4000.0, -23.0, 9.0)
    >>> round(float(sf_inf), 2), round(float(tau))
    (0.31, 251)
    """
    colour = np.log10(np.asarray(wavelength) / 4000)
    sf_inf = 10 ** (-0.51 - 0.479 * colour + 0.131 * (absolute_i + 23) + 0.18 * (log_mass - 9))
    tau = 10 ** (2.4 + 0.17 * colour + 0.03 * (absolute_i + 23) + 0.21 * (log_mass - 9))
    return sf_inf, tau


def _walk(rng, tau, sigma, ratio):
    """Magnitude changes that follow a damped random walk, smaller in redder bands."""
    modes = noise.walk_modes(rng, tau)

    def change(row, jd, fid):
        return sigma[row] * ratio[row, fid - 1] * noise.damped_walk(*modes, row, jd)

    return change


def _quasar(r_mags):
    """Model function of quasars whose r magnitudes ``r_mags(rng, n)`` draws."""

    def draw(rng, n, observed):
        ra, dec = draw_positions(rng, n, observed.fields, avoidance=18)
        r = r_mags(rng, n)
        z = np.clip(rng.lognormal(np.log(1.3), 0.5, n), 0.1, 4.0)
        g_r = rng.normal(0.18, 0.14, n) + 0.6 * np.clip(z - 3.2, 0, 1)
        r_i = rng.normal(0.14, 0.12, n)
        i_z = rng.normal(0.1, 0.12, n)
        mag = np.column_stack([r + g_r, r, r - r_i, r - r_i - i_z])
        absolute = np.clip(mag[:, 2] - distance_modulus(z), -29, -20)
        log_mass = rng.normal(8.4 - 0.25 * (absolute + 24), 0.35)
        rest = 1e8 * BAND_WAVELENGTH / (1 + z[:, None])  # Angstrom
        sf_inf, tau = quasar_variability(rest, absolute[:, None], log_mass[:, None])
        scatter = 10 ** rng.normal(0, 0.2, n)
        sigma = np.clip(sf_inf[:, 0] / np.sqrt(2) * scatter, 0.03, 0.9)
        tau = np.clip(tau[:, 0] * (1 + z) * 10 ** rng.normal(0, 0.3, n), 20, 3000)
        counterpart = Counterpart(np.full(n, STAR), mag, np.abs(rng.normal(0, 0.05, n)))
        return variable_source(
            rng,
            ra,
            dec,
            mag,
            _walk(rng, tau, sigma, sf_inf / sf_inf[:, :1]),
            counterpart=counterpart,
        )

    return draw


def _counts_mags(rng, n):
    # The slope of the counts changes near 19 mag (Ross et al. 2013).
    u = rng.random(n)
    return np.where(u < 0.45, 19.2 + np.log10(rng.random(n)) / 0.75, rng.uniform(19.2, 21.6, n))


def _faint_mags(rng, n):
    return rng.uniform(19.4, 21.8, n)


def _draw_seyfert(rng, n, observed):
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=14)
    # PS1 measures the nucleus together with the core of the galaxy; the AGN is a part of it.
    r = np.clip(19.2 + np.log10(rng.random(n)) / 0.55, 14.0, None)
    g_r = rng.normal(0.55, 0.2, n)
    mag = np.column_stack([r + g_r, r, r - rng.normal(0.35, 0.1, n), r - rng.normal(0.6, 0.12, n)])
    agn_fraction = rng.beta(1.6, 2.2, n)
    fainter = 2.5 * np.log10(agn_fraction)[:, None]
    nucleus = mag[:, [1, 1, 1, 1]] - fainter + np.array([0.2, 0.0, -0.1, -0.15])
    host = np.clip(flux_of(mag[:, :3]) - flux_of(nucleus[:, :3]), 0, None)
    # Including the light of the host, the structure function is 0.03 mag in a day, 0.07 in a
    # month and 0.15 in a year, as for 182 broad-line galaxies in ZTF (sample of Ward et al. 2024).
    sigma = np.clip(0.27 * 10 ** rng.normal(0, 0.2, n), 0.05, 0.7)
    tau = 250 * 10 ** rng.normal(0, 0.35, n)
    ratio = np.tile([1.0, 0.85, 0.75], (n, 1))
    counterpart = Counterpart(np.full(n, GALAXY), mag, np.abs(rng.normal(0, 0.1, n)))
    return variable_source(
        rng,
        ra,
        dec,
        nucleus,
        _walk(rng, tau, sigma, ratio),
        counterpart=counterpart,
        host_flux=host,
    )


def _draw_blazar(rng, n, observed):
    """BL Lacs and flat-spectrum quasars: a random walk of days on top of one of months.

    The model is that of Ruan et al. 2012. Scatter and structure function are those of ZTF light
    curves of 370 blazars (BL Lacs: 0.09 mag in a day, 0.15 in three, 0.23 in a month, 0.37 in a
    year; flat-spectrum quasars: twice as large).
    """
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=10)
    r = np.clip(19.8 + np.log10(rng.random(n)) / 0.42, 13.5, None)
    g_r = rng.normal(0.36, 0.16, n) + 0.08 * rng.exponential(1.0, n)  # power laws with dust
    mag = np.column_stack([r + g_r, r, r - rng.normal(0.27, 0.1, n), r - rng.normal(0.45, 0.1, n)])
    sigma = np.where(rng.random(n) < 0.25, 0.42, 0.22) * 10 ** rng.normal(0, 0.2, n)
    slow = noise.walk_modes(rng, 200 * 10 ** rng.normal(0, 0.3, n))
    fast = noise.walk_modes(rng, 2.5 * 10 ** rng.normal(0, 0.2, n))
    ratio = np.array([1.0, 0.97, 0.94])

    def change(row, jd, fid):
        walk = noise.damped_walk(*slow, row, jd) + 0.45 * noise.damped_walk(*fast, row, jd)
        return np.clip(sigma[row] * ratio[fid - 1] * walk, -2.5, 2.5)

    kind = np.where(rng.random(n) < 0.25, GALAXY, STAR)
    counterpart = Counterpart(kind, mag, np.abs(rng.normal(0, 0.07, n)))
    return variable_source(rng, ra, dec, mag, change, counterpart=counterpart)


POPULATIONS = (
    Population("quasar", "agn", 0.40, _quasar(_counts_mags), mistaken_for=("star",)),
    # Most detected quasars are bright. Those near the limit, detected now and then, need a
    # fraction of their own to be learned.
    Population(
        "faint quasar", "agn", 0.15, _quasar(_faint_mags), mistaken_for=("transient", "star")
    ),
    Population("Seyfert galaxy", "agn", 0.22, _draw_seyfert, mistaken_for=("TDE", "transient")),
    Population("blazar", "agn", 0.105, _draw_blazar, mistaken_for=("novalike", "star")),
)
