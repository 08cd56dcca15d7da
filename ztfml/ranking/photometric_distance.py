"""Distances of host galaxies from their PS1 magnitudes, where no redshift is known.

Packets have PSF magnitudes, which miss most of the light of near galaxies and often measure only a
part of one. They therefore say little about the distance. For 42 hosts of supernovae with a
spectroscopic redshift whose PS1 source is not a star, each predicted by a fit to the others, the
distance modulus scatters by 1.6 mag about a line in r, and as much about a constant; 7 % are more
than 3 mag away. Colours and offsets do not reduce the scatter. So the result is the typical
distance of such hosts with a weak dependence on r, and its error is a factor of two in distance.
`tests/benchmarks/photometric_redshift.py` repeats the fit.
"""

from __future__ import annotations

import numpy as np

MODULUS, SLOPE, ERROR = 36.2, 0.3, 1.6
"""Distance modulus at r = 19, its change per magnitude of r, and its standard deviation."""

_MAX_OFFSET = 10.0  # arcsec
_BRIGHTEST, _FAINTEST = 14.0, 22.5


def photometric_modulus(host_mag: np.ndarray, host_offset: np.ndarray) -> np.ndarray:
    """Estimate the distance modulus of a host from its PS1 r magnitude; the error is `ERROR`.

    Parameters
    ----------
    host_mag : ndarray, mag
        PS1 r magnitude of the closest galaxy-like source.
    host_offset : ndarray, arcsec

    Returns
    -------
    ndarray, mag
        NaN without a galaxy within 10 arcsec.

    Examples
    --------
    >>> photometric_modulus(np.array([19.0, 17.0, 17.0]), np.array([1.0, 2.0, 25.0])).round(1)
    array([36.2, 35.6,  nan])
    """
    modulus = MODULUS + SLOPE * (np.clip(host_mag, _BRIGHTEST, _FAINTEST) - 19.0)
    return np.where(host_offset <= _MAX_OFFSET, modulus, np.nan)
