"""Sky maps of gravitational-wave, gamma-ray and neutrino alerts: credible levels of positions."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.catalogs.healpix import cell_of
from ztfml.catalogs.skymap_file import read_skymap
from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.schema import SKYMAP_COLUMNS

log = logging.getLogger(__name__)

# Cells of all sizes are compared as ranges of cells of this order, the smallest that 64-bit
# numbers can hold.
_FINEST = 29
# Counterparts are searched for in the weeks after an event.
_LONG_AGO = 100.0  # d


class SkyMap:
    """The localisation of an event as probabilities of HEALPix cells.

    Use `SkyMap.load` to read a file.

    Parameters
    ----------
    name : str
        Name of the event.
    jd : float
        Julian date of the event, NaN if unknown.
    order, number : ndarray of int
        Cells in nested order; they must not overlap.
    density : ndarray
        Probability per area, in any unit.
    distance, distance_err : ndarray, Mpc, optional
        Mean and standard deviation of the distance in each cell.
    frame : str, default 'icrs'
        Name of the coordinate frame of the cells in astropy, such as ``'galactic'``.

    Examples
    --------
    >>> octant = SkyMap("GRB 230518A", 2460082.5, np.array([0]), np.array([4]), np.array([1.0]))
    >>> octant.level(np.array([0.0, 180.0]), np.array([0.0, 0.0]))
    array([1., 1.])
    """

    def __init__(
        self,
        name: str,
        jd: float,
        order: np.ndarray,
        number: np.ndarray,
        density: np.ndarray,
        distance: np.ndarray | None = None,
        distance_err: np.ndarray | None = None,
        frame: str = "icrs",
    ):
        self.name, self.jd, self.frame = name, jd, frame
        shift = 2 * (_FINEST - np.asarray(order, np.int64))
        begin = np.asarray(number, np.int64) << shift
        by_place = np.argsort(begin, kind="stable")
        self._begin, self._end = begin[by_place], (begin + (np.int64(1) << shift))[by_place]
        if (self._begin[1:] < self._end[:-1]).any():
            raise DataError(f"{name}: its cells overlap; download the sky map again")
        density = np.where(np.isfinite(density) & (density > 0), density, 0.0)
        probability = density * 4.0 ** -np.asarray(order, float)
        if not probability.sum() > 0:
            raise DataError(f"{name}: all probabilities of the sky map are 0; download it again")
        level = _credible_levels(density, probability / probability.sum())
        self._level = level[by_place]
        self._distance, self._distance_err = (
            None if values is None else np.asarray(values, float)[by_place]
            for values in (distance, distance_err)
        )  # fmt: skip

    def __repr__(self):
        return f"<SkyMap {self.name}: {len(self._level):,} cells>"

    @classmethod
    def load(cls, path: str | Path) -> SkyMap:
        """Read a sky map.

        Parameters
        ----------
        path : str or Path
            A multi-order (column UNIQ) or flat HEALPix map in FITS, also compressed with gzip;
            nested or ring order, complete or with explicit cells; in celestial, galactic or
            ecliptic coordinates.

        Returns
        -------
        SkyMap

        Raises
        ------
        DataError
            If the file is not a sky map.
        """
        path = Path(path)
        if not path.is_file():
            raise DataError(f"{path}: there is no such file; use the path of a sky map in FITS")
        try:
            file = read_skymap(path)
            return cls(
                file.name, file.jd, file.order, file.number, file.density, file.distance,
                file.distance_err, file.frame,
            )  # fmt: skip
        except DataError as error:
            text = str(error)
            raise error if text.startswith(str(path)) else DataError(f"{path}: {text}") from error
        except Exception as error:  # Readers raise many kinds of errors on damaged files.
            reason = (str(error).strip() or type(error).__name__).split("\n")[0]
            raise DataError(
                f"{path}: cannot be read as a sky map ({reason}); download the FITS file again"
            ) from error

    def level(self, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
        """Return the probability in the smallest credible region that contains each position.

        Parameters
        ----------
        ra, dec : ndarray, deg

        Returns
        -------
        ndarray
            From 0 (most probable) to 1; NaN without a position.
        """
        cell = self._cells_at(ra, dec)
        level = np.where(cell < 0, 1.0, self._level[cell])
        return np.where(_is_position(ra, dec), level, np.nan)

    def modulus(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distance modulus of the event in each direction, and its error.

        Parameters
        ----------
        ra, dec : ndarray, deg

        Returns
        -------
        modulus, error : ndarray, mag
            NaN if the map gives no distance there.
        """
        cell = self._cells_at(ra, dec)
        if self._distance is None or self._distance_err is None:
            return np.full(len(cell), np.nan), np.full(len(cell), np.nan)
        mean, deviation = self._distance[cell], self._distance_err[cell]
        known = (cell >= 0) & np.isfinite(mean) & (mean > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            modulus = 5 * np.log10(mean) + 25
            error = 5 / np.log(10) * deviation / mean
        return np.where(known, modulus, np.nan), np.where(known, error, np.nan)

    def _cells_at(self, ra, dec):
        """The row of the cell at each position, -1 outside of the map."""
        known = _is_position(ra, dec)
        ra, dec = np.where(known, ra, 0.0), np.where(known, dec, 0.0)
        if self.frame != "icrs":
            from astropy.coordinates import SkyCoord

            position = SkyCoord(ra, dec, unit="deg").transform_to(self.frame).spherical
            ra, dec = position.lon.deg, position.lat.deg
        cell = cell_of(ra, dec, _FINEST)
        row = np.searchsorted(self._begin, cell, side="right") - 1
        return np.where((row >= 0) & (cell < self._end[row]) & known, row, -1)

    def match(self, night: Night) -> Night:
        """Add the credible level and the event to the alerts of a night.

        Parameters
        ----------
        night : Night

        Returns
        -------
        Night
            Its alerts have the columns of `ztfml.schema.SKYMAP_COLUMNS`.

        Examples
        --------
        >>> event = SkyMap("S230518h", 2460082.5, np.array([0]), np.array([4]), np.array([1.0]))
        >>> set(event.match(night).alerts["skymap_level"])
        {1.0}
        """
        alerts = night.alerts
        self._report_time(alerts["jd"].to_numpy())
        missing = pd.Series(np.nan, alerts.index)
        place = [alerts.get(name, missing).to_numpy() for name in ("ra", "dec")]
        modulus, error = self.modulus(*place)
        values = (self.name, self.jd, self.level(*place), modulus, error)
        columns = {one.name: value for one, value in zip(SKYMAP_COLUMNS, values, strict=True)}
        return night.replace(alerts=alerts.assign(**columns))

    def _report_time(self, jd):
        """Report an event that is not of the weeks before the night."""
        days = jd - self.jd
        if np.isnan(days).all():
            return
        if np.nanmax(days) < 0:
            log.warning("%s: all alerts of the night are before this event", self.name)
        elif np.nanmin(days) > _LONG_AGO:
            log.warning(
                "%s: this event was %d days before the night; check that it is the right file",
                self.name, np.nanmin(days),
            )  # fmt: skip


def _is_position(ra, dec):
    return np.isfinite(ra) & np.isfinite(dec)


def _credible_levels(density, probability):
    """Probability of all cells that are at least as dense as each cell."""
    order = np.argsort(-density, kind="stable")
    total = np.cumsum(probability[order])
    # Cells of equal density have the same level, whatever their order in the file is.
    ordered = -density[order]
    last = np.searchsorted(ordered, ordered, side="right") - 1
    level = np.empty(len(density))
    level[order] = np.minimum(total[last], 1.0)
    level[density <= 0] = 1.0
    return level
