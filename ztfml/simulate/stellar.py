"""Colours, magnitudes and distribution on the sky of Galactic stars."""

import numpy as np

# Scale height (deg) and halo fraction of Galactic stars, for `sky.draw_positions`.
DISK = (9.0, 0.2)


PLANE = (4.0, 0.008)


THICK = (14.0, 0.15)


HALO = (20.0, 1.2)


FAR_HALO = (15.0, 20.0)


def star_colours(rng: np.random.Generator, g_r: np.ndarray) -> np.ndarray:
    """Draw g, r, i, z colours along the stellar locus (Covey et al. 2007), with dust and scatter.

    Parameters
    ----------
    rng : numpy.random.Generator
    g_r : ndarray, shape (n,), mag

    Returns
    -------
    ndarray, shape (n, 4)
        Magnitudes relative to r.

    Examples
    --------
    >>> star_colours(np.random.default_rng(1), np.array([0.5])).shape
    (1, 4)
    """
    g_r = np.asarray(g_r)
    # Beyond g-r = 1.4, M dwarfs redden in r-i only; giants and dusty stars redden in both.
    turns = [-0.5, 0.2, 0.5, 1.0, 1.4, 2.5, 4]
    r_i = np.interp(g_r, turns, [-0.3, 0.08, 0.22, 0.5, 0.85, 2.0, 3])
    i_z = np.interp(g_r, turns, [-0.25, 0.03, 0.13, 0.28, 0.5, 0.95, 1.6])
    n = len(g_r)
    r_i = r_i + rng.normal(0, 0.06 + 0.1 * np.clip(g_r - 1, 0, 2), n)
    i_z = i_z + rng.normal(0, 0.05 + 0.05 * np.clip(g_r - 1, 0, 2), n)
    return np.column_stack([g_r, np.zeros(n), -r_i, -r_i - i_z])


def _r_mags(rng, n, bright, faint, slope=0.14):
    """Apparent r magnitudes; numbers grow as 10^(slope m) between two limits."""
    low, high = 10 ** (slope * bright), 10 ** (slope * faint)
    return np.log10(low + (high - low) * rng.random(n)) / slope


def star_mags(
    rng: np.random.Generator, n: int, bright: float, faint: float, g_r: tuple[float, float]
) -> np.ndarray:
    """Draw apparent g, r, i, z magnitudes of stars.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    bright, faint : float
        Limits in r, mag.
    g_r : tuple of float
        Mean and scatter of g - r.

    Returns
    -------
    ndarray, shape (n, 4)

    Examples
    --------
    >>> mag = star_mags(np.random.default_rng(1), 100, 14.0, 18.0, (0.5, 0.1))
    >>> bool(14 <= mag[:, 1].min() < mag[:, 1].max() <= 18)
    True
    """
    r = _r_mags(rng, n, bright, faint)
    colour = rng.normal(g_r[0], g_r[1], n)
    return r[:, None] + star_colours(rng, np.clip(colour, -0.6, 4.0))


def giant_mags(
    rng: np.random.Generator, n: int, bright: float, faint: float, r_i: tuple[float, float]
) -> np.ndarray:
    """Draw apparent g, r, i, z magnitudes of cool giants, whose r-i reddens while g-r stays near 2.

    Titanium oxide absorbs in r. The colours are those of 200 variables of types M and SR in PS1.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    bright, faint : float
        Limits in r, mag.
    r_i : tuple of float
        Mean and scatter of r - i.

    Returns
    -------
    ndarray, shape (n, 4)

    Examples
    --------
    >>> giant_mags(np.random.default_rng(1), 5, 13.0, 18.0, (2.0, 0.8)).shape
    (5, 4)
    """
    r = _r_mags(rng, n, bright, faint)
    red = np.clip(rng.normal(*r_i, n), 0.4, 4.5)
    g_r = np.clip(rng.normal(2.0, 0.5, n), 1.0, 4.0)
    i_z = 0.2 + 0.4 * red + rng.normal(0, 0.15, n)
    return r[:, None] + np.column_stack([g_r, np.zeros(n), -red, -red - i_z])


def log_uniform(rng: np.random.Generator, n: int, low: float, high: float) -> np.ndarray:
    """Draw numbers that are spread evenly in their logarithm.

    >>> bool((log_uniform(np.random.default_rng(1), 9, 2.0, 3.0) < 3).all())
    True
    """
    return np.exp(rng.uniform(np.log(low), np.log(high), n))
