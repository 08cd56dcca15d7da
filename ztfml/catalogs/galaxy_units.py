"""Units of the columns of catalogues of galaxies: those that files declare, and those of values."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ztfml.catalogs.columns import plain_name, unit_of
from ztfml.errors import DataError
from ztfml.io.tables import TableFile

log = logging.getLogger(__name__)

ANGLES = {"arcsec": 1.0, '"': 1.0, "arcmin": 60.0, "'": 60.0, "deg": 3600.0, "degree": 3600.0}
"""Units of angles in arcsec."""
LENGTHS = {"mpc": 1.0, "kpc": 1e-3, "pc": 1e-6, "gpc": 1e3, "m": 1 / 3.0856776e22}
"""Units of distances in Mpc."""
VELOCITIES = {"km/s": 1.0, "km s-1": 1.0, "m/s": 1e-3}
"""Units of velocities in km/s."""

# The unit of each of these dictionaries in the words of astropy, for all other units.
_ASTROPY = ((ANGLES, "arcsec"), (LENGTHS, "Mpc"), (VELOCITIES, "km/s"))

# Ratios of distances to those that follow from redshifts: 1 within a factor of 2, or a unit.
_RIGHT, _UNITS = (0.5, 2.0), {"kpc": 1e3, "pc": 1e6, "Gpc": 1e-3}
_FEWEST, _MANY = 5, 20
# H0 of 50 km/s/Mpc gives 1.35, 100 km/s/Mpc 0.68; those of today 0.9 to 1.05.
_PLAUSIBLE = (0.85, 1.2)


def unit_factor(table: TableFile, column: str, units: Mapping[str, float], default: float) -> float:
    """Return the factor from the unit of a column to the unit that ztfml uses.

    Parameters
    ----------
    table : TableFile
    column : str
    units : mapping of str to float
        `ANGLES`, `LENGTHS` or `VELOCITIES`.
    default : float
        If neither the file nor the name gives a unit.

    Returns
    -------
    float

    Raises
    ------
    DataError
        If the unit is of another kind or unknown.

    Examples
    --------
    >>> unit_factor(TableFile("a.csv", ("dist_kpc",), None), "dist_kpc", LENGTHS, 1.0)
    0.001
    """
    unit = unit_of(table, column) or _unit_in_name(column)
    if unit is None:
        return default
    factor = units.get(unit) or _astropy_factor(unit, units)
    if factor is None:
        raise DataError(
            f"{table.path}: the column {column} has the unit {unit!r}, which is not one of "
            f"{', '.join(units)}; convert it, or rename the column if it is something else"
        )
    return factor


def velocity_factor(table: TableFile, column: str, default: float) -> float:
    """Return the factor from a column of velocities or redshifts to km/s.

    Parameters
    ----------
    table : TableFile
    column : str
    default : float
        If the column has no unit or, as a redshift, something else such as ``---``.

    Returns
    -------
    float

    Examples
    --------
    >>> velocity_factor(TableFile("a.csv", ("z (km/s)",), None), "z (km/s)", 299792.458)
    1.0
    """
    unit = unit_of(table, column) or ""
    return unit_factor(table, column, VELOCITIES, default) if re.search(r"m.*s", unit) else default


def is_log_diameter(table: TableFile, column: str) -> bool:
    """Return whether a column has logarithms of diameters in 0.1 arcmin, as RC3 at VizieR.

    Parameters
    ----------
    table : TableFile
    column : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_log_diameter(TableFile("a.csv", ("D25",), None, {"D25": "[0.1arcmin]"}), "D25")
    True
    """
    return unit_of(table, column) == "0.1arcmin"


def _unit_in_name(column):
    """The unit at the end of a name, such as kpc in ``dist_kpc``."""
    found = re.search(r"[_ ](mpc|kpc|gpc|pc|arcmin|arcsec|deg)$", column.lower())
    return found[1] if found else None


def _astropy_factor(unit, units):
    import astropy.units as u

    target = next(name for known, name in _ASTROPY if known is units)
    for style in (None, "cds"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about outdated spellings
                return u.Unit(unit, format=style).to(u.Unit(target))
        except (ValueError, TypeError):
            continue
    return None


def are_magnitudes(column: str, values: np.ndarray) -> bool:
    """Return whether a column ``z`` or ``V`` has magnitudes instead of redshifts or velocities.

    Parameters
    ----------
    column : str
    values : ndarray

    Returns
    -------
    bool

    Examples
    --------
    >>> are_magnitudes("z", np.array([17.2, 19.4])), are_magnitudes("z", np.array([0.01, 9.9]))
    (True, False)
    """
    if plain_name(column) not in ("z", "v"):
        return False
    known = values[np.isfinite(values) & (values > 0)]
    return len(known) > 0 and float(known.min()) > 5 and float(known.max()) < 35


def distance_scale(
    path: Path, column: str, distance: np.ndarray, expected: np.ndarray, other: str
) -> float:
    """Return the factor that makes distances agree with other distances of the same galaxies.

    Parameters
    ----------
    path : Path
        For messages.
    column : str
        For messages.
    distance : ndarray
        In Mpc if the unit of the column is what the file says, or Mpc.
    expected : ndarray, Mpc
        From redshifts or distance moduli; NaN if unknown.
    other : str
        What they come from.

    Returns
    -------
    float
        1, or the factor from kpc, pc or Gpc to Mpc if the values are certainly in this unit.

    Raises
    ------
    DataError
        If the distances contradict the others and no unit explains it.

    Examples
    --------
    >>> near = np.array([10.0, 40.0, 100.0, 30.0, 50.0])
    >>> distance_scale("a.csv", "dist", 1000 * near, near, "redshifts")
    0.001
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = distance / expected
    ratio = ratio[np.isfinite(ratio) & (ratio > 0) & (ratio < 1e12)]
    if len(ratio) < _FEWEST:
        return 1.0
    typical = float(np.median(ratio))
    if _RIGHT[0] < typical < _RIGHT[1]:
        if len(ratio) >= _MANY and not _PLAUSIBLE[0] < typical < _PLAUSIBLE[1]:
            log.warning(
                "%s: distances in the column %s are typically %.2f times those from %s; is it in "
                "Mpc/h or a comoving distance?", path, column, typical, other,
            )  # fmt: skip
        return 1.0
    for unit, size in _UNITS.items():
        if 0.75 < typical / size < 1.33:
            log.warning("%s: the column %s is in %s, as %s show", path, column, unit, other)
            return 1 / size
    raise DataError(
        f"{path}: the distances of the column {column} are typically {typical:.2g} times those "
        f"from {other} ({len(ratio):,} rows); name the column with its unit, as in dist_kpc, or "
        "remove it if it is not a distance in Mpc"
    )
