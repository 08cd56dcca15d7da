"""Apparent magnitudes, host galaxies and host dust of extragalactic events."""

import numpy as np

from ztfml.astrophysics import distance_modulus, kpc_per_arcsec, redshift_of
from ztfml.simulate.source import GALAXY, NONE, Counterpart, flux_of


def draw_events(
    rng: np.random.Generator,
    n: int,
    peak: tuple[float, float],
    faintest: float,
    slope: float = 0.26,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw apparent peak magnitudes of a magnitude-limited sample, and their redshifts.

    Numbers grow as 10^(0.6 m) in Euclidean space and more slowly at larger redshift. The slope
    is flatter here, so that a model also learns the bright events that get spectra.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    peak : tuple of float
        Mean and scatter of the absolute r magnitude at peak.
    faintest : float, mag
    slope : float
        Numbers grow as 10^(slope m).

    Returns
    -------
    peak_mag, z : ndarray, shape (n,)

    Examples
    --------
    >>> mag, z = draw_events(np.random.default_rng(1), 100, (-19.2, 0.25), 20.7)
    >>> bool(mag.max() < 20.7)
    True
    """
    m = np.clip(faintest + np.log10(rng.random(n)) / slope, 12.0, None)
    absolute = rng.normal(*peak, n)
    return m, np.maximum(redshift_of(m - absolute), 3e-4)


def draw_hosts(
    rng: np.random.Generator, n: int, z: np.ndarray, absolute: float, nuclear: bool = False
) -> tuple[Counterpart, np.ndarray]:
    """Draw the host galaxies as PS1 measures them, and the events' distances from their centres.

    Sizes follow from luminosity (Shen et al. 2003); events are distributed like the light
    (Kelly & Kirshner 2012).

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    z : ndarray, shape (n,)
    absolute : float
        Mean absolute r magnitude of the hosts.
    nuclear : bool
        Whether the events are in the centres.

    Returns
    -------
    counterpart : Counterpart
    reference_flux : ndarray, shape (n, 3)
        Flux of the host at the event in g, r and i.

    Examples
    --------
    >>> counterpart, _ = draw_hosts(np.random.default_rng(1), 3, np.full(3, 0.05), -20.0)
    >>> counterpart.mag.shape
    (3, 4)
    """
    total = absolute + rng.normal(0, 1.1, n)
    apparent = total + distance_modulus(z)
    size = 4.0 * 10 ** (-0.1 * (total + 20.5))  # kpc
    # PSF magnitudes miss most of the light of a large galaxy: PS1 lists hosts of SNe Ia with 18
    # to 21.5 mag.
    angular_size = size / kpc_per_arcsec(z)
    r = apparent + 0.25 + 2.2 * np.log10(1 + angular_size) + rng.normal(0, 0.2, n)
    g_r = rng.normal(0.42, 0.2, n) + 0.9 * np.clip(z - 0.05, 0, 0.35)
    r_i = rng.normal(0.3, 0.1, n)
    mag = np.column_stack([r + g_r, r, r - r_i, r - r_i - rng.normal(0.2, 0.1, n)])
    kpc = np.zeros(n) if nuclear else size * rng.gamma(1.6, 0.75, n)
    distance = np.hypot(kpc / kpc_per_arcsec(z), np.abs(rng.normal(0, 0.12, n)))
    kind = np.where((r < 22.4) & (distance < 29), GALAXY, NONE)
    local = flux_of(r) * np.exp(-distance / np.clip(angular_size, 0.7, None))
    local = np.where(kind == GALAXY, local, 0.0)
    reference_flux = local[:, None] * np.array([0.6, 1, 1.3])
    return Counterpart(kind, mag, distance, z, apparent, angular_size), reference_flux


def draw_dust(rng: np.random.Generator, n: int) -> np.ndarray:
    """Draw the extinction in g, r, i by dust in the host (Hatano et al. 1998; R_V = 3.1).

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int

    Returns
    -------
    ndarray, shape (n, 3), mag

    Examples
    --------
    >>> draw_dust(np.random.default_rng(1), 2).shape
    (2, 3)
    """
    return rng.exponential(0.07, n)[:, None] * np.array([3.3, 2.3, 1.7])
