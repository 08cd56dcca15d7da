"""Difference fluxes as magnitudes and limits.

Brokers write difference photometry as a signed flux. BOOM and Babamul document nJy with the AB
zero point 31.4 (Oke & Gunn 1983, ApJ, 266, 713), but some of their files have other zero points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

AB_NANOJANSKY = 31.4
"""AB magnitude of 1 nJy."""

AB_MICROJANSKY = 23.9
"""AB magnitude of 1 uJy."""

# BOOM computes fluxes with the zero point 23.9, as if they were in Jy, and multiplies by 1e9.
_BOOM_SCALED = AB_MICROJANSKY + 22.5
_ZERO_POINTS = (AB_NANOJANSKY, AB_MICROJANSKY, _BOOM_SCALED)

SNR_LIMIT = 5.0
"""Signal-to-noise ratio of a limiting magnitude (SNU in Masci et al. 2023, arXiv:2305.16279)."""

_POGSON = 2.5 / np.log(10)
# Units differ by 7.5 mag or more, and a magnitude and its flux agree to their rounding.
_AGREEMENT = 0.3
# 5-sigma limits of ZTF images in magnitudes. The range is narrower than the 7.5 mag between units.
_USUAL_LIMITS = (15.75, 23.0)


class FluxMagnitudes(NamedTuple):
    """Photometry of difference fluxes in the terms of a packet.

    Parameters
    ----------
    magpsf, sigmapsf : ndarray of float, mag
        NaN where there is no significant flux.
    sign : ndarray of int8
        +1 brighter than the reference image, -1 fainter, 0 without magnitude.
    diffmaglim : ndarray of float, mag
        The 5-sigma limit; NaN without a valid error.

    Examples
    --------
    >>> FluxMagnitudes(*magnitudes_of_fluxes([100.0], [10.0])).magpsf
    array([26.4])
    """

    magpsf: np.ndarray
    sigmapsf: np.ndarray
    sign: np.ndarray
    diffmaglim: np.ndarray


def magnitudes_of_fluxes(
    flux: ArrayLike, error: ArrayLike, zero_point: ArrayLike = AB_NANOJANSKY, min_snr: float = 0.0
) -> FluxMagnitudes:
    """Convert signed difference fluxes to magnitudes and limits.

    Parameters
    ----------
    flux, error : array_like, shape (n,)
        Flux and its 1-sigma error in any linear unit; NaN is missing.
    zero_point : float or array_like, shape (n,), mag
        AB magnitude of one flux unit; by default that of nJy.
    min_snr : float
        Smallest signal-to-noise ratio of a detection, e.g. 3 for forced photometry.

    Returns
    -------
    FluxMagnitudes

    Examples
    --------
    >>> rows = magnitudes_of_fluxes([1e5, -1e5, 10.0], [1e3, 1e3, 1e3], min_snr=3)
    >>> rows.magpsf, rows.sign, rows.diffmaglim.round(2)
    (array([18.9, 18.9,  nan]), array([ 1, -1,  0], dtype=int8), array([22.15, 22.15, 22.15]))
    """
    flux, error = np.asarray(flux, np.float64), np.asarray(error, np.float64)
    zero_point = np.asarray(zero_point, np.float64)
    error = np.where(np.isfinite(error) & (error > 0), error, np.nan)
    size = np.abs(flux)
    # Tiny errors, as in damaged files, make the ratio infinite.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        snr = size / error
        is_found = np.isfinite(flux) & (size > 0) & ~(snr < min_snr) & np.isfinite(zero_point)
        if min_snr > 0:
            is_found &= snr >= min_snr
        magpsf = np.where(is_found, zero_point - 2.5 * np.log10(size), np.nan)
        sigmapsf = np.where(is_found, _POGSON / snr, np.nan)
        diffmaglim = zero_point - 2.5 * np.log10(SNR_LIMIT * error)
    sign = np.where(is_found, np.sign(np.nan_to_num(flux)), 0).astype(np.int8)
    return FluxMagnitudes(magpsf, sigmapsf, sign, diffmaglim)


def find_zero_point(flux: ArrayLike, magpsf: ArrayLike, errors: ArrayLike = ()) -> float | None:
    """Find the zero point of fluxes from what the same file says in magnitudes.

    Rows with both a flux and a magnitude decide. Without such rows the zero point is the one that
    puts the 5-sigma limits of the flux errors where those of ZTF images are.

    Parameters
    ----------
    flux, magpsf : array_like, shape (n,)
        Fluxes and magnitudes of the same measurements; NaN is missing.
    errors : array_like, shape (m,)
        Flux errors of any measurements of the file.

    Returns
    -------
    float or None
        31.4 (nJy), 23.9 (uJy) or 46.4 (nJy from a zero point of 23.9, as BOOM computes them);
        None if the values fit none of them.

    Examples
    --------
    >>> find_zero_point([1e5], [18.9]), find_zero_point([100.0], [18.9])
    (31.4, 23.9)
    >>> find_zero_point([], [], errors=[5000.0, 6000.0]), find_zero_point([1e5], [12.0])
    (31.4, None)
    """
    flux, magpsf = np.asarray(flux, np.float64), np.asarray(magpsf, np.float64)
    is_pair = np.isfinite(flux) & (flux != 0) & np.isfinite(magpsf)
    if is_pair.any():
        found = np.median(magpsf[is_pair] + 2.5 * np.log10(np.abs(flux[is_pair])))
        fitting = [zero for zero in _ZERO_POINTS if abs(found - zero) < _AGREEMENT]
        return fitting[0] if fitting else None
    sigma = np.asarray(errors, np.float64)
    sigma = sigma[np.isfinite(sigma) & (sigma > 0)]
    if not len(sigma):
        return None
    depth = -2.5 * np.log10(SNR_LIMIT * np.median(sigma))
    low, high = _USUAL_LIMITS
    fitting = [zero for zero in _ZERO_POINTS if low <= zero + depth < high]
    return fitting[0] if fitting else None
