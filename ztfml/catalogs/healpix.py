"""HEALPix cells of positions, in nested order (astropy-healpix, with plain arrays)."""

from __future__ import annotations

import numpy as np


def cell_of(ra: np.ndarray, dec: np.ndarray, order: int) -> np.ndarray:
    """Return the cell that contains each position.

    Parameters
    ----------
    ra, dec : ndarray, deg
    order : int
        The sky has 12 * 4**order cells.

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> cell_of(np.array([0.0, 45.0]), np.array([0.0, 89.0]), 0)
    array([4, 0])
    """
    import astropy.units as u
    from astropy_healpix.core import lonlat_to_healpix

    # astropy-healpix does not check declinations beyond the poles.
    dec = np.clip(dec, -90.0, 90.0)
    cell = lonlat_to_healpix(np.asarray(ra) * u.deg, dec * u.deg, 2**order, order="nested")
    return np.asarray(cell, np.int64)


def position_in(
    cell: np.ndarray, order: int, across: np.ndarray | float = 0.5, along: np.ndarray | float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Return a position inside each cell, by default its centre.

    Parameters
    ----------
    cell : ndarray of int
    order : int
    across, along : ndarray or float
        Place inside the cell, from 0 to 1.

    Returns
    -------
    ra, dec : ndarray, deg

    Examples
    --------
    >>> ra, dec = position_in(np.array([4]), 0)
    >>> float(ra[0]), float(dec[0])
    (0.0, 0.0)
    """
    from astropy_healpix.core import healpix_to_lonlat

    lon, lat = healpix_to_lonlat(cell, 2**order, across, along, order="nested")
    return lon.to_value("deg") % 360.0, lat.to_value("deg")
