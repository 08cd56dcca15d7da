"""The catalogued galaxy nearest to the alert and the luminosity of the source in it.

Computed only if the night was matched with a catalogue of galaxies
(`ztfml.catalogs.galaxies.GalaxyCatalog.match`).
"""

import numpy as np

from ztfml.astrophysics import EXTINCTION
from ztfml.features.registry import Group

GROUP = Group("host", "the most probable host in a catalogue of galaxies, and luminosity in it")

_NONE = "without a catalogued galaxy within 60 kpc"

GROUP.copy(
    "galaxy_offset", "galaxy_offset_kpc", "galaxy_chance", "galaxy_modulus", "galaxy_modulus_err",
    missing=_NONE,
)  # fmt: skip
GROUP.copy("galaxy_offset_radii", missing=f"{_NONE}, or if its size is unknown")


@GROUP.feature(unit="mag", missing=f"{_NONE}, or if the source is fainter than the reference")
def abs_mag(magpsf, fid, isdiffpos, galaxy_modulus, galaxy_ebv):
    """Absolute magnitude if the source is in the galaxy, without a K correction.

    The Galactic extinction is corrected if the catalogue gives E(B - V).
    """
    return absolute_magnitude(magpsf, fid, isdiffpos, galaxy_modulus, galaxy_ebv)


@GROUP.feature(unit="mag", missing=f"{_NONE}, or if the source is fainter than the reference")
def abs_mag_err(sigmapsf, isdiffpos, galaxy_modulus_err):
    """Error of the absolute magnitude, from the distance and the photometry."""
    return np.where(isdiffpos > 0, np.hypot(sigmapsf, galaxy_modulus_err), np.nan)


def absolute_magnitude(
    magpsf: np.ndarray,
    fid: np.ndarray,
    isdiffpos: np.ndarray,
    modulus: np.ndarray,
    ebv: np.ndarray | float = np.nan,
) -> np.ndarray:
    """Compute absolute magnitudes, without a K correction.

    Parameters
    ----------
    magpsf : ndarray, mag
    fid : ndarray
        Band: 1 g, 2 r, 3 i.
    isdiffpos : ndarray
        Sign of the difference; sources fainter than the reference have no magnitude.
    modulus : ndarray, mag
        Distance modulus.
    ebv : ndarray, mag
        Galactic reddening; NaN if unknown: then the extinction is not corrected.

    Returns
    -------
    ndarray, mag

    Examples
    --------
    >>> one = np.ones(1)
    >>> absolute_magnitude(17.0 * one, one, one, 33.0 * one, 0.1 * one).round(3)
    array([-16.317])
    """
    band = np.clip(np.nan_to_num(np.asarray(fid, float), nan=1.0), 1, 3).astype(int) - 1
    extinction = EXTINCTION[band] * np.nan_to_num(np.asarray(ebv, float))
    return np.where(np.asarray(isdiffpos) > 0, magpsf - modulus - extinction, np.nan)
