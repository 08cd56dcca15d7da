"""The catalogue of galaxies of a simulated night: hosts of its sources, and unrelated galaxies.

Like a real catalogue of redshifts it is complete for bright galaxies only: half of the galaxies of
r = 17.8 are in it, as in the Sloan survey, and few that are fainter than 19.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import expit

from ztfml.astrophysics import comoving_volume, distance_modulus, kpc_per_arcsec, redshift_of
from ztfml.catalogs.healpix import cell_of, position_in
from ztfml.simulate.blocks import Block
from ztfml.simulate.seeds import generator
from ztfml.simulate.source import GALAXY

COLUMNS = ("objname", "ra", "dec", "z_cmb", "z_err", "r_mag", "r50", "ba", "pa")
"""The columns of the catalogue; `ztfml.catalogs.galaxy_table.read_galaxies` reads it."""

_HALF_COMPLETE, _WIDTH, _BRIGHT = 17.8, 0.4, 0.97  # r, mag
_VELOCITY = 300.0 / 299792.458  # peculiar velocities
_Z_ERR = 1e-4
# Luminosity function of galaxies in r (Blanton et al. 2003, ApJ 592, 819), for H0 = 67.7.
_M_STAR, _PHI_STAR, _ALPHA = -21.29, 4.6e-3, -1.05
_SKY = 41252.96  # deg^2
_ORDER = 6  # HEALPix cells (0.84 deg^2) in which there are unrelated galaxies


def completeness(r_mag: np.ndarray) -> np.ndarray:
    """Return the probability that a galaxy is in the catalogue.

    Parameters
    ----------
    r_mag : ndarray, mag
        Total r magnitude.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> completeness(np.array([14.0, 17.8, 20.0])).round(2)
    array([0.97, 0.48, 0.  ])
    """
    return _BRIGHT * expit((_HALF_COMPLETE - np.asarray(r_mag)) / _WIDTH)


def half_light_radius(absolute: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return the typical half-light radius of galaxies (Shen et al. 2003, MNRAS 343, 978).

    Parameters
    ----------
    absolute : ndarray, mag
        Absolute r magnitude.
    z : ndarray

    Returns
    -------
    ndarray, arcsec

    Examples
    --------
    >>> half_light_radius(np.array([-20.5]), np.array([0.05])).round(1)
    array([4.])
    """
    return 4.0 * 10 ** (-0.1 * (np.asarray(absolute) + 20.5)) / kpc_per_arcsec(z)


def draw_hosts_of(seed: int, block: Block) -> pd.DataFrame:
    """Draw the catalogued host galaxies of the sources of a block.

    A host is the same on every night.

    Parameters
    ----------
    seed : int
        Seed of the simulation.
    block : Block

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, indexed by the row of the source; only the hosts that are in the catalogue.

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> from ztfml.simulate.blocks import draw_blocks
    >>> from ztfml.simulate.survey import observe
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> (snia,) = (one for one in POPULATIONS if one.name == "SN Ia")
    >>> block = draw_blocks(1, snia, 20, survey, [survey.of_night(0)])[0]
    >>> 0 < len(draw_hosts_of(1, block)) < len(block.sources)
    True
    """
    sources, counterpart = block.sources, block.sources.counterpart
    n = len(sources)
    rng = generator(seed, "galaxies", block.population.name, block.number)
    angle, kept = 2 * np.pi * rng.random(n), rng.random(n)
    seyfert = rng.normal(-21.0, 0.8, n)
    ba, pa, velocity = rng.uniform(0.3, 1.0, n), 180 * rng.random(n), rng.normal(0, _VELOCITY, n)
    if counterpart.z is None:
        # The galaxies of AGN: redshifts from their brightness.
        total = counterpart.mag[:, 1]
        z = np.where(counterpart.kind == GALAXY, redshift_of(total - seyfert), np.nan)
        radius = half_light_radius(seyfert, np.nan_to_num(z, nan=1.0))
    else:
        z, total, radius = map(
            np.asarray, (counterpart.z, counterpart.total_mag, counterpart.radius)
        )
    rows = np.flatnonzero(np.isfinite(z) & (kept < completeness(total)))
    away = np.nan_to_num(counterpart.distance) / 3600
    dec = np.clip(sources.dec + away * np.cos(angle), -90, 90)
    ra = (sources.ra + away * np.sin(angle) / np.cos(np.radians(sources.dec))) % 360
    return _catalogue(ra, dec, z + velocity, total, radius, ba, pa).iloc[rows]


def draw_galaxies(
    seed: int, ra: np.ndarray, dec: np.ndarray, hosts: Sequence[pd.DataFrame]
) -> pd.DataFrame:
    """Draw unrelated galaxies around the alerts of a night, and add the hosts.

    Parameters
    ----------
    seed : int
        Seed of the simulation.
    ra, dec : ndarray, deg
        Positions of the alerts.
    hosts : sequence of pandas.DataFrame
        From `draw_hosts_of`.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, sorted by position.

    Examples
    --------
    >>> galaxies = draw_galaxies(1, np.array([150.0]), np.array([30.0]), [])
    >>> 10 < len(galaxies) < 200
    True
    """
    known = np.isfinite(ra) & np.isfinite(dec)
    unrelated = _unrelated(seed, np.unique(cell_of(ra[known], dec[known], _ORDER)))
    table = pd.concat([unrelated, *hosts], ignore_index=True)
    table = table.sort_values(["ra", "dec"], ignore_index=True)
    return table.assign(objname=_names(table["ra"].to_numpy(), table["dec"].to_numpy()))


def _unrelated(seed, cells):
    """The catalogued galaxies of some cells; those of a cell do not depend on the other cells."""
    z_grid, absolute_grid, expected = _expected()
    cumulative = np.cumsum(expected)
    mean = cumulative[-1] * _SKY / (12 * 4**_ORDER)
    uniform, normal, count = [np.empty((5, 0))], [np.empty((3, 0))], []
    for cell in cells.tolist():
        rng = generator(seed, "unrelated galaxies", cell)
        count.append(rng.poisson(mean))
        uniform.append(rng.random((5, count[-1])))
        normal.append(rng.normal(size=(3, count[-1])))
    place, across, along, ratio, angle = np.concatenate(uniform, axis=1)
    shift, scatter, velocity = np.concatenate(normal, axis=1)
    place = np.minimum(np.searchsorted(cumulative, place * cumulative[-1]), expected.size - 1)
    z, absolute = z_grid.ravel()[place] * np.exp(0.02 * shift), absolute_grid.ravel()[place]
    ra, dec = position_in(np.repeat(cells, count), _ORDER, across, along)
    radius = half_light_radius(absolute, z) * np.exp(0.3 * scatter)
    r_mag = absolute + distance_modulus(z)
    observed = z + _VELOCITY * velocity
    return _catalogue(ra, dec, observed, r_mag, radius, 0.3 + 0.7 * ratio, 180 * angle)


@lru_cache(maxsize=1)
def _expected():
    """Expected number of catalogued galaxies per square degree, by redshift and luminosity."""
    edges = np.geomspace(5e-4, 0.5, 150)
    z = np.sqrt(edges[1:] * edges[:-1])
    absolute = np.arange(-24.45, -12.0, 0.1)
    volume = np.diff(comoving_volume(edges)) * 1e9 / _SKY  # Mpc^3 per square degree
    luminosity = 10 ** (-0.4 * (absolute - _M_STAR))
    per_mag = 0.4 * np.log(10) * _PHI_STAR * luminosity ** (_ALPHA + 1) * np.exp(-luminosity)
    z_grid, absolute_grid = np.meshgrid(z, absolute, indexing="ij")
    r_mag = absolute_grid + distance_modulus(z)[:, None]
    return z_grid, absolute_grid, volume[:, None] * per_mag * 0.1 * completeness(r_mag)


def _catalogue(ra, dec, z, r_mag, radius, ba, pa):
    columns = ("", ra, dec, z, _Z_ERR, r_mag, radius, ba, pa)
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    # As many digits as catalogues have; single precision is enough, except for positions.
    digits = {"ra": 6, "dec": 6, "z_cmb": 5, "r_mag": 2, "r50": 1, "ba": 2, "pa": 0}
    table = table.round(digits).assign(r50=np.fmax(table["r50"].round(1), 0.1))
    return table.astype(dict.fromkeys(COLUMNS[3:], np.float32))


def _names(ra, dec):
    """Names from the positions, as survey catalogues make them."""
    return [
        f"SIM J{lon:08.4f}{lat:+08.4f}" for lon, lat in zip(ra.tolist(), dec.tolist(), strict=True)
    ]
