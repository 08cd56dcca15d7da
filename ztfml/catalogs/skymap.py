"""Sky maps of gravitational-wave, gamma-ray and neutrino alerts: credible levels of positions."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ztfml.catalogs.healpix import cell_of
from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.schema import SKYMAP_COLUMNS

log = logging.getLogger(__name__)

# Cells of all sizes are compared as ranges of cells of this order, the smallest that 64-bit
# numbers can hold.
_FINEST = 29
_MAX_BYTES = 8_000_000_000
_DENSITIES = ("probdensity", "prob_density")
_PROBABILITIES = ("prob", "probability", "prob_sr", "t", "signal")


class _Cells(NamedTuple):
    """Cells of a map: their orders, numbers (nested) and columns."""

    order: np.ndarray
    number: np.ndarray
    density: np.ndarray
    distance: np.ndarray | None
    distance_err: np.ndarray | None


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
    galactic : bool
        Whether the cells are in galactic coordinates.

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
        galactic: bool = False,
    ):
        self.name, self.jd, self.galactic = name, jd, galactic
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
            nested or ring order, complete or with explicit cells.

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
            header, read = _open(path)
            cells = _read_cells(path, header, read)
            name = str(header.get("OBJECT") or path.name.partition(".")[0]).strip()
            sky_map = cls(
                name, _date(header), cells.order, cells.number, cells.density, cells.distance,
                cells.distance_err, str(header.get("COORDSYS", "C")).upper().startswith("G"),
            )  # fmt: skip
        except DataError as error:
            text = str(error)
            raise error if text.startswith(str(path)) else DataError(f"{path}: {text}") from error
        except Exception as error:  # Readers raise many kinds of errors on damaged files.
            reason = (str(error).strip() or type(error).__name__).split("\n")[0]
            raise DataError(
                f"{path}: cannot be read as a sky map ({reason}); download the FITS file again"
            ) from error
        if np.isnan(sky_map.jd):
            log.warning("%s: has no date of the event (DATE-OBS), so ages are unknown", path)
        return sky_map

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
        if self.galactic:
            from astropy.coordinates import SkyCoord

            position = SkyCoord(ra, dec, unit="deg").galactic
            ra, dec = position.l.deg, position.b.deg
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
        missing = pd.Series(np.nan, alerts.index)
        place = [alerts.get(name, missing).to_numpy() for name in ("ra", "dec")]
        modulus, error = self.modulus(*place)
        values = (self.name, self.jd, self.level(*place), modulus, error)
        columns = {one.name: value for one, value in zip(SKYMAP_COLUMNS, values, strict=True)}
        return night.replace(alerts=alerts.assign(**columns))


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


def _open(path: Path) -> tuple[Any, Callable[[str], np.ndarray | None]]:
    """The header of the map, and a function that reads a column by its name in lower case."""
    from astropy.io import fits

    with open(path, "rb") as file:
        if not file.read(6).startswith((b"SIMPLE", b"\x1f\x8b")):
            raise DataError("is not a FITS file; use the FITS file of the localisation")
    # Not memory-mapped: a file that shrinks while it is read would end the process.
    with warnings.catch_warnings(), fits.open(path, memmap=False) as hdus:
        warnings.simplefilter("ignore")  # about the standard; what matters is checked here
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)]
        if not tables:
            raise DataError("contains no table, so it is not a HEALPix map; use the FITS file of "
                            "the localisation")  # fmt: skip
        table = tables[0]
        size = table.header["NAXIS1"] * table.header["NAXIS2"]
        if size > _MAX_BYTES or (path.suffix.lower() != ".gz" and size > path.stat().st_size):
            raise DataError(f"its header declares {size:,} bytes of data; download it again")
        header = hdus[0].header.copy()
        header.update(table.header)
        columns = {
            name.lower(): np.ravel(np.asarray(table.data[name])) for name in table.columns.names
        }
    return header, columns.get


def _read_cells(path, header, read) -> _Cells:
    unique = read("uniq")
    ordering = str(header.get("ORDERING", "")).strip().upper()
    if unique is not None:
        order, number = _from_unique(unique)
        density, kind = _first(read, (*_DENSITIES, *_PROBABILITIES))
    else:
        density, kind = _first(read, (*_PROBABILITIES, *_DENSITIES))
        order, number = _flat_cells(header, ordering, read("pixel"), density)
    density = np.asarray(density, np.float64)
    density = np.where(np.isfinite(density) & (density > 0), density, 0.0)
    if kind not in _DENSITIES:
        density = density * 4.0 ** order.astype(float)
    mean, deviation = _distances(header, read("distmu"), read("distsigma"), len(density))
    return _Cells(order, number, density, mean, deviation)


def _first(read, names):
    for name in names:
        values = read(name)
        if values is not None:
            return values, name
    raise DataError(
        "has no column with a probability (PROBDENSITY or PROB); use the FITS file of the "
        "localisation, not a region"
    )


def _from_unique(unique):
    unique = np.asarray(unique, np.int64)
    if not len(unique) or unique.min() < 4:
        raise DataError("its column UNIQ contains numbers below 4; download the sky map again")
    order = (np.frexp(unique.astype(float))[1] - 1) // 2 - 1
    # Near powers of two, large numbers are not exact as floats.
    order = np.where((unique >> (2 * order + 2)) == 0, order - 1, order).astype(np.int64)
    return order, unique - (np.int64(4) << (2 * order))


def _flat_cells(header, ordering, pixel, density):
    from astropy_healpix.core import ring_to_nested

    nside = header.get("NSIDE")
    if nside is None:
        nside = np.sqrt(len(density) / 12)
    n_cells = 12 * int(nside) ** 2
    order = int(np.log2(max(int(nside), 1)))
    if 2**order != nside or (pixel is None and len(density) != n_cells):
        raise DataError(
            f"has {len(density):,} cells, which is not a HEALPix map of NSIDE {nside:g}; download "
            "the sky map again"
        )
    if ordering not in ("NESTED", "NEST", "RING"):
        raise DataError(
            f"the ORDERING in its header is {ordering or 'absent'}, not NESTED, RING or NUNIQ; "
            "use the FITS file of the localisation"
        )
    number = np.arange(n_cells) if pixel is None else np.asarray(pixel, np.int64)
    if len(number) != len(density) or (
        number.size and not 0 <= number.min() <= number.max() < n_cells
    ):
        raise DataError("its column PIXEL does not fit to NSIDE; download the sky map again")
    if ordering == "RING":
        number = np.asarray(ring_to_nested(number, 2**order), np.int64)
    return np.full(len(number), order, np.int64), number


def _distances(header, mu, sigma, n):
    """Mean and standard deviation of the distance in each cell.

    DISTMU and DISTSIGMA are the parameters of p(r) proportional to r^2 N(r | mu, sigma) (Singer et
    al. 2016, ApJL 829, L15); far from 0 its moments follow from those of the normal distribution.
    """
    if mu is not None and sigma is not None:
        mu, sigma = np.asarray(mu, np.float64), np.asarray(sigma, np.float64)
        good = np.isfinite(mu) & np.isfinite(sigma) & (mu > 0) & (sigma > 0)
        mu, sigma = np.where(good, mu, np.nan), np.where(good, sigma, np.nan)
        second = mu**2 + sigma**2
        mean = (mu**3 + 3 * mu * sigma**2) / second
        fourth = mu**4 + 6 * mu**2 * sigma**2 + 3 * sigma**4
        return mean, np.sqrt(np.fmax(fourth / second - mean**2, 0.0))
    mean, deviation = (_number(header.get(name)) for name in ("DISTMEAN", "DISTSTD"))
    if not mean > 0:
        return None, None
    return np.full(n, mean), np.full(n, deviation)


def _number(value):
    return float(value) if isinstance(value, int | float) else np.nan


def _date(header) -> float:
    """Julian date of the event, NaN if the header has none."""
    from astropy.time import Time

    text = header.get("DATE-OBS")
    if isinstance(text, str) and text.strip():
        try:
            return float(Time(text.strip().rstrip("Z"), scale="utc").jd)
        except ValueError:
            log.warning("the date of the sky map (%r) cannot be read", text)
    for name in ("MJD-OBS", "EVENTMJD"):
        if isinstance(header.get(name), int | float):
            return float(header[name]) + 2400000.5
    return np.nan
