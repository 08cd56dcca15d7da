"""Read the files of sky maps: HEALPix tables in FITS, in the notations of all missions."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ztfml.errors import DataError

log = logging.getLogger(__name__)

_MAX_BYTES = 8_000_000_000
_DENSITIES = ("probdensity", "prob_density", "prob_sr")
_PROBABILITIES = ("prob", "probability")
# Names that programs write by default: healpy and mhealpy.
_GENERAL = ("t", "signal", "temperature", "i_stokes", "contents")
_PIXELS = ("pixel", "pix", "ipix", "pixel_id", "hpxpixel", "healpix", "hpx", "index")
# Values far below 0 mark cells without data (healpy: -1.6e30).
_UNSEEN = -1e20

# COORDSYS in its spellings, and the frames of astropy. No COORDSYS means equatorial.
_FRAMES = {
    "": "icrs", "C": "icrs", "Q": "icrs", "EQ": "icrs", "EQU": "icrs", "EQUATORIAL": "icrs",
    "CEL": "icrs", "CELESTIAL": "icrs", "CELESTIAL2000": "icrs", "ICRS": "icrs", "FK5": "icrs",
    "J2000": "icrs", "RADEC": "icrs", "G": "galactic", "GAL": "galactic", "GALACTIC": "galactic",
    "E": "barycentricmeanecliptic", "ECL": "barycentricmeanecliptic",
    "ECLIPTIC": "barycentricmeanecliptic",
}  # fmt: skip


class SkyMapFile(NamedTuple):
    """The content of the file of a sky map.

    Attributes
    ----------
    name : str
        Name of the event.
    jd : float
        Julian date of the event, NaN if unknown.
    frame : str
        Name of the coordinate frame in astropy.
    order, number : ndarray of int
        Cells in nested order.
    density : ndarray
        Probability per area, in any unit.
    distance, distance_err : ndarray or None, Mpc
        Mean and standard deviation of the distance in each cell.
    """

    name: str
    jd: float
    frame: str
    order: np.ndarray
    number: np.ndarray
    density: np.ndarray
    distance: np.ndarray | None
    distance_err: np.ndarray | None


class _Columns(NamedTuple):
    """The columns of a table: a function that reads one, their units, and the names as stored."""

    read: Callable[[str], np.ndarray | None]
    units: dict[str, str]
    first: str


def read_skymap(path: Path) -> SkyMapFile:
    """Read a sky map.

    Parameters
    ----------
    path : Path

    Returns
    -------
    SkyMapFile

    Raises
    ------
    DataError
        If the file is not a sky map.
    """
    header, columns = _open(path)
    read = columns.read
    ordering = str(header.get("ORDERING", "")).strip().upper()
    unique = read("uniq")
    values, name = _probabilities(columns)
    if unique is not None:
        order, number = _from_unique(unique)
    else:
        order, number = _flat_cells(header, ordering, _pixels(header, columns), values)
    values = _checked(path, name, np.asarray(values, np.float64))
    if read("distmu") is None:
        # Outside of the map the level is 1, too; maps of 50 million cells are mostly 0.
        order, number, values = (column[values > 0] for column in (order, number, values))
    area = 4.0 ** -order.astype(float) / 12
    if _is_density(columns, name, unique is not None):
        density = values
    else:
        density = values / area
        _report_sum(path, name, values.sum())
    mean, deviation = _distances(header, read("distmu"), read("distsigma"), len(density))
    title = str(header.get("OBJECT") or path.name.partition(".")[0]).strip()
    jd = _date(header)
    if np.isnan(jd):
        log.warning("%s: has no date of the event (DATE-OBS), so ages are unknown", path)
    return SkyMapFile(title, jd, _frame(header), order, number, density, mean, deviation)


def _open(path: Path) -> tuple[Any, _Columns]:
    """The header of the map and its columns, by their names in lower case."""
    from astropy.io import fits

    with open(path, "rb") as file:
        start = file.read(6)
    if not start.startswith((b"SIMPLE", b"\x1f\x8b")):
        raise DataError("is not a FITS file; use the FITS file of the localisation")
    # Not memory-mapped: a file that shrinks while it is read would end the process.
    with warnings.catch_warnings(), fits.open(path, memmap=False) as hdus:
        warnings.simplefilter("ignore")  # about the standard; what matters is checked here
        table = _table_of(hdus)
        size = table.header["NAXIS1"] * table.header["NAXIS2"]
        compressed = start.startswith(b"\x1f\x8b")
        if size > _MAX_BYTES or (not compressed and size > path.stat().st_size):
            raise DataError(f"its header declares {size:,} bytes of data; download it again")
        header = hdus[0].header.copy()
        header.update(table.header)
        columns = {
            name.lower(): np.ravel(np.asarray(table.data[name])) for name in table.columns.names
        }
        units = {one.name.lower(): str(one.unit).lower() for one in table.columns if one.unit}
    return header, _Columns(columns.get, units, next(iter(columns)))


def _table_of(hdus):
    """The first table with probabilities; the first table if there is none."""
    tables = [hdu for hdu in hdus if "TFIELDS" in hdu.header and hasattr(hdu, "columns")]
    if not tables:
        raise DataError("contains no table, so it is not a HEALPix map; use the FITS file of "
                        "the localisation")  # fmt: skip
    names = {*_DENSITIES, *_PROBABILITIES, *_GENERAL}
    return next(
        (one for one in tables if not names.isdisjoint(map(str.lower, one.columns.names))),
        tables[0],
    )


def _probabilities(columns):
    for name in (*_DENSITIES, *_PROBABILITIES, *_GENERAL):
        values = columns.read(name)
        if values is not None:
            return values, name
    raise DataError(
        "has no column with a probability (PROBDENSITY or PROB); use the FITS file of the "
        "localisation, not a region"
    )


def _is_density(columns, name, multi_order):
    """Whether a column is a probability per area; flat maps are the same in both."""
    unit = columns.units.get(name, "")
    if "pix" in unit:
        return False
    return name in _DENSITIES or (multi_order and bool(re.search(r"sr|deg", unit)))


def _pixels(header, columns):
    """The column with the numbers of the cells; None if the map is complete and in order."""
    found = next((name for name in _PIXELS if columns.read(name) is not None), None)
    explicit = str(header.get("INDXSCHM", "")).strip().upper() == "EXPLICIT"
    if found is None and explicit:
        # In this standard, the first column has the numbers, whatever its name is.
        if columns.read(columns.first).dtype.kind not in "iu":
            raise DataError(
                "INDXSCHM in its header is EXPLICIT, but its first column has no numbers of cells; "
                "name this column PIXEL"
            )
        found = columns.first
    return columns.read(found) if found else None


def _checked(path, name, values):
    """Probabilities with 0 for cells without data; logarithms and likelihoods are refused."""
    known = np.isfinite(values) & (values > _UNSEEN)
    values = np.where(known, values, 0.0)
    if -values.min() > 0.01 * max(values.max(), 0.0) and (values < 0).any():
        raise DataError(
            f"the column {name.upper()} has {(values < 0).sum():,} values below 0, such as "
            f"{values.min():.3g}, so it is not a probability; convert logarithms to probabilities"
        )
    return np.maximum(values, 0.0)


def _report_sum(path, name, total):
    # A map in parts may lack a little; numbers from interpolation are not exact either.
    if total > 0 and not 0.5 < total < 1.05:
        log.warning(
            "%s: the column %s has a sum of %.3g instead of 1; it is divided by the sum. Make sure "
            "that it is a probability, not a likelihood or significance",
            path, name.upper(), total,
        )  # fmt: skip


def _frame(header):
    text = str(header.get("COORDSYS", "")).strip().upper()
    if text not in _FRAMES:
        raise DataError(
            f"the COORDSYS in its header is {text}, not C (celestial), G (galactic) or E "
            "(ecliptic); correct the header"
        )
    return _FRAMES[text]


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
    try:
        return np.nan if value is None or isinstance(value, bool) else float(value)
    except ValueError:
        return np.nan


def _date(header) -> float:
    """Julian date (UTC) of the event, NaN if the header has none."""
    from astropy.time import Time

    for name in ("DATE-OBS", "DATE_OBS"):
        text = str(header.get(name) or "").strip().rstrip("Z")
        if text:
            try:
                jd = float(Time(text, scale="utc").jd)
            except ValueError:
                log.warning("the date of the sky map (%r) cannot be read", text)
                continue
            if ":" not in text:
                log.warning(
                    "the date of the sky map (%s) has no time, so ages can be wrong by a day", text
                )
            return jd
    for name in ("MJD-OBS", "MJD_OBS", "EVENTMJD"):
        if np.isfinite(_number(header.get(name))):
            return _number(header[name]) + 2400000.5
    # Fermi and Swift: seconds of the trigger since a reference, in TT.
    seconds = _number(header.get("TRIGTIME"))
    reference = _number(header.get("MJDREFI")) + _number(header.get("MJDREFF", 0.0))
    if np.isfinite(seconds + reference):
        return float(Time(reference, seconds / 86400.0, format="mjd", scale="tt").utc.jd)
    return np.nan
