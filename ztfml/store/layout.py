"""Cells of the sky and blocks of time, into which a store divides its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ztfml.catalogs.healpix import cell_of

# Noon at Palomar, so that no night is in two blocks.
_FIRST_NOON = 2458000.0 + 1 / 3

MARGIN = 10.0
"""Arcseconds around a position within which an object is searched in neighbouring cells.

ZTF gives detections within 1.5 arcsec one name, so one object can have alerts in two cells.
"""

# Eight directions: with four, the corner between four cells could be missed.
_DIRECTIONS = np.exp(0.25j * np.pi * np.arange(8))


@dataclass(frozen=True)
class Layout:
    """The partitions of a store.

    Parameters
    ----------
    order : int
        HEALPix order of the cells: 192 cells of 215 square degrees. Order 3 adds nights 1.3 times
        and reads histories 1.6 times more slowly (`tests.benchmarks.store`).
    block_days : float, d
        Length of a block of time, so that a new night does not rewrite old years.
    """

    order: int = 2
    block_days: float = 64.0

    def block_of(self, jd: np.ndarray) -> np.ndarray:
        """Return the block of time of each row.

        Parameters
        ----------
        jd : ndarray, d

        Returns
        -------
        ndarray of int64

        Examples
        --------
        >>> Layout().block_of(np.array([2458000.3, 2458000.4, 2460474.7]))
        array([-1,  0, 38])
        """
        return np.floor((np.asarray(jd) - _FIRST_NOON) / self.block_days).astype(np.int64)

    def cells_of(self, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
        """Return the cell that contains each position (deg)."""
        return cell_of(np.asarray(ra, float), np.asarray(dec, float), self.order)

    def order_folder(self, kind: str) -> str:
        """Return the folder of all cells, relative to the store."""
        return f"{kind}/Norder={self.order}"

    def cell_folder(self, kind: str, cell: int) -> str:
        """Return the folder of a cell, relative to the store."""
        return f"{self.order_folder(kind)}/Npix={cell}"

    def folder(self, kind: str, cell: int, block: int) -> str:
        """Return the folder of a partition, relative to the store.

        Tools that read parquet folders understand these names.

        Parameters
        ----------
        kind : str
        cell, block : int

        Returns
        -------
        str

        Examples
        --------
        >>> Layout().folder("history", 123, 38)
        'history/Norder=2/Npix=123/Block=38'
        """
        return f"{self.cell_folder(kind, cell)}/Block={block}"

    def cells_near(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find all cells within `MARGIN` of each position.

        Parameters
        ----------
        ra, dec : ndarray, shape (n,), deg

        Returns
        -------
        row, cell : ndarray of int64
            Pairs of a position and a cell, sorted, each once.

        Examples
        --------
        >>> row, cell = Layout().cells_near(np.array([10.0, 45.0]), np.array([10.0, 0.0]))
        >>> np.bincount(row)
        array([1, 4])
        """
        ra, dec = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
        # Unit vectors, because right ascension has no meaning at the poles.
        up = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)])
        north = np.cross(up, east, axis=0)
        step = np.radians(MARGIN / 3600.0)
        n_cells = 12 * 4**self.order
        found = []
        for direction in (0.0, *_DIRECTIONS):
            x, y, z = up + step * (np.real(direction) * east + np.imag(direction) * north)
            cell = self.cells_of(
                np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
            )
            found.append(np.arange(len(ra)) * n_cells + cell)
        return np.divmod(np.unique(np.concatenate(found)), n_cells)
