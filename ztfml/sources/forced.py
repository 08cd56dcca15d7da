"""Forced photometry: fluxes measured at a known position, as magnitudes or limits.

Reference: Masci et al. 2023 (arXiv:2305.16279).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from ztfml.sources.flux import AB_NANOJANSKY, SNR_LIMIT

SNR_DETECTION = 3.0
"""SNT in Masci et al. 2023."""

ZERO_POINTS = (15.0, 35.0)
"""Valid `magzpsci`, mag; those of ZTF images are between 23 and 28. Missing ones are written as
null, NaN, 0, -999 or -99999."""

# A flux that could not be measured is -99999, and no flux of a source that ZTF can measure is
# more negative.
_NO_FLUX = -99999.0


# Typed, because False == 0.
@lru_cache(maxsize=1024, typed=True)
def is_good_status(procstatus: object) -> bool:
    """Return True if a row of forced photometry was processed without a warning.

    Parameters
    ----------
    procstatus : str, bytes, int, float or None
        Status codes, e.g. ``'0'``, ``0.0``, ``'56'``, ``'56,57'``.

    Returns
    -------
    bool
        True for 0 in any spelling. Other codes mark e.g. bad pixels (56) or a bad fit.

    Examples
    --------
    >>> [is_good_status(code) for code in ("0", 0, 0.0, b"0", "56", "56,57", 255, None)]
    [True, True, True, True, False, False, False, False]
    """
    if isinstance(procstatus, bytes):
        procstatus = procstatus.decode(errors="replace")
    try:
        return all(float(code) == 0 for code in str(procstatus).strip().strip("[]").split(","))
    except ValueError:
        return False


def forced_magnitude(
    flux: float | None, error: float | None, zero_point: float | None
) -> dict[str, float | str]:
    """Convert a flux in a difference image to a magnitude, or to a limit.

    Parameters
    ----------
    flux, error : float or None
        `forcediffimflux` and `forcediffimfluxunc`, DN.
    zero_point : float or None
        `magzpsci`, mag.

    Returns
    -------
    dict
        ``magpsf``, ``sigmapsf`` (mag) and ``isdiffpos`` ('t' or 'f') of a detection, else the
        limit ``diffmaglim`` (mag); empty if no flux could be measured, or its error or zero point
        is missing.

    Examples
    --------
    >>> forced_magnitude(100.0, 10.0, 25.0)["magpsf"], forced_magnitude(1.0, 20.0, 25.0)
    (20.0, {'diffmaglim': 20.0})
    """
    if flux is None or error is None or zero_point is None:
        return {}
    values = (flux, error, zero_point)
    if any(not math.isfinite(value) or value == _NO_FLUX for value in values):
        return {}
    if error <= 0 or not ZERO_POINTS[0] <= zero_point <= ZERO_POINTS[1]:
        return {}
    snr = abs(flux) / error
    if snr >= SNR_DETECTION:
        return {
            "magpsf": zero_point - 2.5 * math.log10(abs(flux)),
            "sigmapsf": 2.5 / math.log(10) / snr,
            "isdiffpos": "t" if flux > 0 else "f",
        }
    return {"diffmaglim": zero_point - 2.5 * math.log10(SNR_LIMIT * error)}


def fluxes_in_nanojansky(
    flux: ArrayLike, error: ArrayLike, zero_point: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Convert fluxes of images with a zero point to nJy.

    Parameters
    ----------
    flux, error : array_like, shape (n,)
        `forcediffimflux` and `forcediffimfluxunc`, DN; or fluxes in another unit.
    zero_point : array_like, shape (n,), mag
        `magzpsci`; or the AB magnitude of one flux unit.

    Returns
    -------
    flux, error : ndarray of float64, shape (n,), nJy
        NaN where the flux could not be measured, or its error or zero point is missing.

    Examples
    --------
    >>> flux, error = fluxes_in_nanojansky([100, -99999, 100], [10, 10, 10], [31.4, 31.4, np.nan])
    >>> flux, error
    (array([100.,  nan,  nan]), array([10., 10., nan]))
    """
    flux, error, zero_point = (np.asarray(v, np.float64) for v in (flux, error, zero_point))
    is_valid = np.isfinite(error) & (error > 0) & np.isfinite(zero_point)
    scale = np.full(len(flux), np.nan)
    scale[is_valid] = 10 ** (0.4 * (AB_NANOJANSKY - zero_point[is_valid]))
    is_flux = np.isfinite(flux) & (flux != _NO_FLUX)
    return np.where(is_flux, flux, np.nan) * scale, np.where(is_valid, error, np.nan) * scale


def valid_zero_points(magzpsci: ArrayLike) -> np.ndarray:
    """Return zero points with NaN in place of invalid ones.

    Parameters
    ----------
    magzpsci : array_like, mag

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> valid_zero_points([26.25, 0, -999, -99999])
    array([26.25,   nan,   nan,   nan])
    """
    zero_point = np.asarray(magzpsci, np.float64)
    low, high = ZERO_POINTS
    return np.where((zero_point >= low) & (zero_point <= high), zero_point, np.nan)


def add_fluxes(rows: pa.Table) -> pa.Table:
    """Add `flux` and `flux_err` in nJy to forced photometry.

    Parameters
    ----------
    rows : pyarrow.Table
        With `forcediffimflux`, `forcediffimfluxunc` (DN) and `magzpsci` (mag); where both fluxes
        are missing, `psfFlux` and `psfFluxErr` with their `zero_point` are used.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> names = ("forcediffimflux", "forcediffimfluxunc", "magzpsci", "psfFlux", "psfFluxErr")
    >>> row = dict.fromkeys((*names, "zero_point"), pa.array([None], pa.float64()))
    >>> row |= {"psfFlux": [100.0], "psfFluxErr": [10.0], "zero_point": [31.4]}
    >>> add_fluxes(pa.table(row)).select(["flux", "flux_err"]).to_pylist()
    [{'flux': 100.0, 'flux_err': 10.0}]
    """
    columns = {name: rows[name].cast(pa.float64()).to_numpy() for name in _FLUX_COLUMNS}
    raw, raw_error, zero_point, psf, psf_error, psf_zero = columns.values()
    is_raw = ~(np.isnan(raw) & np.isnan(raw_error))
    flux, error = fluxes_in_nanojansky(
        np.where(is_raw, raw, psf),
        np.where(is_raw, raw_error, psf_error),
        np.where(is_raw, valid_zero_points(zero_point), psf_zero),
    )
    rows = rows.append_column("flux", pa.array(flux, from_pandas=True))
    return rows.append_column("flux_err", pa.array(error, from_pandas=True))


_FLUX_COLUMNS = (
    "forcediffimflux", "forcediffimfluxunc", "magzpsci", "psfFlux", "psfFluxErr", "zero_point",
)  # fmt: skip
