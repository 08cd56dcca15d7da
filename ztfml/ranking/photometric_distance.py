"""Distances of host galaxies without a known redshift: those of typical hosts of supernovae.

Packets have PSF magnitudes, which miss most of the light of near galaxies and often measure only a
part of one. They say nothing about the distance: for 41 hosts of supernovae with a spectroscopic
redshift and 40 hosts of type Ia supernovae, whose peaks give the distance, the distance modulus
scatters by 1.34 mag about a constant, 1.32 mag about a line in r, and 1.38 mag about a fit to r and
three colours, each host predicted by a fit to the others. So the distance is that of a typical
host, and the score does not use it. `tests/benchmarks/photometric_redshift.py` repeats the fits.
"""

from __future__ import annotations

import numpy as np

MODULUS, ERROR = 36.7, 1.3
"""Distance modulus of a typical host and its standard deviation, mag."""

_MAX_OFFSET = 10.0  # arcsec
# The one host brighter than this (r, mag) is 5 mag nearer than the others.
_BRIGHTEST = 16.0
_FAINTEST = 22.5


def typical_modulus(host_mag: np.ndarray, host_offset: np.ndarray) -> np.ndarray:
    """Return the distance modulus of a typical host; the error is `ERROR`.

    Parameters
    ----------
    host_mag : ndarray, mag
        PS1 r magnitude of the closest galaxy-like source.
    host_offset : ndarray, arcsec

    Returns
    -------
    ndarray, mag
        NaN without a galaxy of 16 to 22.5 mag within 10 arcsec.

    Examples
    --------
    >>> typical_modulus(np.array([19.0, 15.0, 17.0]), np.array([1.0, 2.0, 25.0]))
    array([36.7,  nan,  nan])
    """
    typical = (host_offset <= _MAX_OFFSET) & (host_mag >= _BRIGHTEST) & (host_mag <= _FAINTEST)
    return np.where(typical, MODULUS, np.nan)
