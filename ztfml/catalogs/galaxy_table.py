"""Read tables of galaxies: positions, distances and sizes, whatever their columns are called."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.astrophysics import distance_modulus, redshift_of
from ztfml.catalogs.columns import find_column
from ztfml.catalogs.galaxy_columns import find_galaxy_columns
from ztfml.catalogs.galaxy_units import (
    ANGLES,
    LENGTHS,
    are_magnitudes,
    distance_scale,
    is_log_diameter,
    unit_factor,
    velocity_factor,
)
from ztfml.catalogs.glade import is_glade_text, open_glade_text
from ztfml.catalogs.positions import decimal_numbers, find_positions
from ztfml.catalogs.read import read_places
from ztfml.errors import DataError
from ztfml.io.tables import TableFile, open_table
from ztfml.schema import MISSING_TEXTS

log = logging.getLogger(__name__)

MAX_REDSHIFT = 1.0
"""Farther galaxies are omitted: at z = 1, an event of 21 mag has M = -23."""

MIN_DISTANCE = 0.3
"""Nearer galaxies (Mpc) are omitted: most are stars with a redshift near 0.

A source within 2 degrees of one would often have no more probable host. The satellites of the Milky
Way at declinations that ZTF observes have few novae and no supernovae.
"""

PECULIAR_VELOCITY = 300.0
"""Typical peculiar velocity of galaxies (km/s), an error of distances from redshifts."""

_C = 299792.458
# Motion of the Sun relative to the cosmic microwave background (Planck 2018 I, A&A 641, A1).
_CMB_SPEED, _CMB_RA, _CMB_DEC = 369.82, 167.942, -6.944

# Half-light radii for an exponential disk: D25/2 at the central surface brightness of Freeman
# (1970); the Petrosian radius and the radius of 90 % of the light (Graham et al. 2005).
_PER_SIZE = {
    "diameter": 0.5 / 1.84,
    "radius_25": 1 / 1.84,
    "petrosian": 1 / 2.16,
    "r90": 1 / 2.32,
    "r50": 1.0,
}
# Diameters D25 are traditionally in arcmin (RC3); NED writes its diameters in arcsec.
_LARGE = 15.0  # arcmin
_IN_ARCMIN = ("d25", "majax", "majoraxis", "d26", "r1")
_MISSING = (-99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 999999.0)
# Larger distances (Mpc) mark missing values; the universe of galaxies ends at 1e5 Mpc (z = 10).
_NO_DISTANCE = 2e5
# Objects that are not galaxies, in the words of DESI, SDSS, NED and SIMBAD. S is a star in
# HyperLEDA and a spiral galaxy elsewhere.
_NOT_GALAXIES = (
    "STAR", "*", "!*", "**", "V*", "!V*", "C*", "WD*", "WR*", "!WR*", "RED*", "BLUE*", "EM*", "PM*",
    "*CL", "!*CL", "*ASS", "PN", "!PN", "SN", "SNR", "HII", "!HII", "NOVA", "!NOVA", "NEB", "RFN",
)  # fmt: skip

# Smaller redshifts (90 km/s) are of stars, or of galaxies so near that they give no distance.
_STARS = 3e-4
# Rows of a large catalogue that show the units of its distances.
_SAMPLE = 100_000
# Columns for which single precision is enough.
_SINGLE = ("modulus_err", "radius", "ba", "pa", "ebv")
_ROWS = 1_000_000

GALAXY_FIELDS = ("ra", "dec", "z", "modulus", "modulus_err", "radius", "ba", "pa", "ebv", "name")
"""The columns of a table of galaxies: see `read_galaxies`."""


def read_galaxies(path: str | Path) -> pd.DataFrame:
    """Read the galaxies of a catalogue that have a position and a distance.

    Parameters
    ----------
    path : str or Path
        A file in any format of `ztfml.io.tables.open_table`, or ``GLADE+.txt``. Positions in any
        notation of `ztfml.catalogs.positions`; distances in Mpc, distance moduli, redshifts
        (heliocentric or relative to the microwave background) or velocities.

    Returns
    -------
    pandas.DataFrame
        ``ra`` and ``dec`` (deg), ``z`` (cosmological), ``modulus`` and ``modulus_err`` (mag),
        ``radius`` (half-light radius along the major axis, arcsec), ``ba`` (axis ratio), ``pa``
        (position angle, deg), ``ebv`` (mag) and ``name``; NaN where the file does not tell.

    Raises
    ------
    DataError
        If the file cannot be read, or has no columns with positions or distances, or no galaxy.

    Examples
    --------
    >>> rows = pd.DataFrame({"ra": [10.0], "dec": [20.0], "DistMpc": [100], "objname": ["UGC 1"]})
    >>> rows.to_csv("galaxies.csv", index=False)
    >>> read_galaxies("galaxies.csv")["modulus"].tolist()
    [35.0]
    """
    table = open_glade_text(path) if is_glade_text(path) else open_table(path)
    names = find_galaxy_columns(table, find_positions(table).names)
    found = {name: find_column(table, spellings) or "" for name, spellings in names.items()}
    places = read_places(table, None, **names)
    sample = _Reader(table, found, places[:: max(len(places) // _SAMPLE, 1)])
    scale = sample.distance_scale()
    parts, omitted = [], np.zeros(4, int)
    # In parts, so that intermediate results need little memory.
    for begin in range(0, len(places), _ROWS):
        part, counts = _Reader(table, found, places[begin : begin + _ROWS], scale).galaxies()
        parts.append(part)
        omitted += counts
    galaxies = _each_galaxy_once(pd.concat(parts, ignore_index=True), table.path)
    _report(table.path, len(galaxies), omitted)
    return galaxies


def _each_galaxy_once(galaxies, path):
    """Keep the most accurate distance of rows of one galaxy, such as spectra of DESI."""
    # Sorting one number per row needs a quarter of the time of pandas, and less memory.
    key = galaxies["ra"].to_numpy() * 1000.0 + galaxies["dec"].to_numpy()
    ordered = np.sort(key)
    repeated = galaxies[np.isin(key, ordered[1:][np.diff(ordered) == 0])]
    repeated = repeated.sort_values(["modulus_err", "modulus"])
    worse = repeated.index[repeated.duplicated(["ra", "dec", "name"])]
    if worse.empty:
        return galaxies
    log.info("%s: %s rows repeat the galaxy of another row", path, f"{len(worse):,}")
    return galaxies.drop(index=worse).reset_index(drop=True)


def _report(path, n_galaxies, omitted):
    stars, no_distance, far, near = omitted.tolist()
    if not n_galaxies:
        raise DataError(
            f"{path}: none of its {omitted.sum()} rows is a galaxy with a position and a distance "
            f"from {MIN_DISTANCE:g} Mpc to z = {MAX_REDSHIFT:g}; use a catalogue with redshifts "
            "above 0 or distances in Mpc"
        )
    reasons = [
        (stars, "are stars or other objects in galaxies, or have a redshift warning"),
        (no_distance, "have no distance and no redshift above 0"),
        (far, f"are beyond z = {MAX_REDSHIFT:g}"),
        (near, f"are nearer than {MIN_DISTANCE:g} Mpc"),
    ]
    text = ", ".join(f"{count:,} {reason}" for count, reason in reasons if count)
    log.info("%s: %s galaxies%s", path, f"{n_galaxies:,}", f" (omitted: {text})" if text else "")


class _Reader:
    """Converts the columns of one table."""

    def __init__(
        self,
        table: TableFile,
        found: dict[str, str],
        places: pd.DataFrame,
        scale: float = 1.0,
    ):
        self.table, self.found, self.places, self.scale = table, found, places, scale

    def galaxies(self) -> tuple[pd.DataFrame, list[int]]:
        """The table of `read_galaxies`, and the numbers of rows that are omitted by reason."""
        keep = self._are_galaxies()
        ra, dec = self.places["ra"].to_numpy(), self.places["dec"].to_numpy()
        observed, photometric = self._redshift(ra, dec)
        keep &= ~(photometric & self._are_points())
        modulus, from_distance = self._modulus(observed)
        z = np.where(np.isnan(modulus), np.nan, redshift_of(modulus))
        frame = pd.DataFrame(
            {
                "ra": ra, "dec": dec, "z": z, "modulus": modulus,
                "modulus_err": self._modulus_error(modulus, z, from_distance, photometric),
                "radius": self._radius(), "ba": self._axis_ratio(), "pa": self._numbers("pa"),
                "ebv": self._in_range("ebv", 0.0, 20.0), "name": self._galaxy_names(),
            }
        )  # fmt: skip
        known = np.isfinite(modulus) & keep
        far, near = known & (z > MAX_REDSHIFT), known & (_mpc(modulus) < MIN_DISTANCE)
        frame = frame.astype(dict.fromkeys(_SINGLE, np.float32))
        omitted = [~keep, keep & ~known, far, near]
        return frame[known & ~far & ~near], [rows.sum() for rows in omitted]

    def _numbers(self, name):
        """A column as floats; NaN where it is absent, unreadable or a mark of a missing value."""
        if name not in self.places:
            return np.full(len(self.places), np.nan)
        numbers = decimal_numbers(self.places[name]).to_numpy(np.float64, na_value=np.nan)
        if self.places[name].dtype.kind not in "fiub":
            self._report_unreadable(name, np.isnan(numbers))
        return np.where(np.isin(numbers, _MISSING) | ~np.isfinite(numbers), np.nan, numbers)

    def _report_unreadable(self, name, missing):
        text = self.places[name][missing].astype("str").fillna("").str.strip()
        text = text[~text.str.lower().isin(MISSING_TEXTS)]
        if len(text):
            log.warning(
                "%s: the column %s contains %d values that are not numbers, such as %r; they count "
                "as missing",
                self.table.path, self.found[name], len(text), text.iloc[0],
            )  # fmt: skip

    def _in_range(self, name, low, high):
        values = self._numbers(name)
        return np.where((values >= low) & (values <= high), values, np.nan)

    def _text(self, name):
        if name not in self.places:
            return pd.Series("", self.places.index, dtype="str")
        text = self.places[name].astype("str").fillna("").str.strip()
        return text.where(~text.str.lower().isin(MISSING_TEXTS), "")

    def _galaxy_names(self):
        """Names; numbers get the name of the catalogue, such as PGC 42."""
        if "name" in self.places and self.places["name"].dtype.kind in "fiu":
            text = self.places["name"].astype("Int64").astype("str").fillna("")
        else:
            # Some programs write bytes as Python does.
            text = self._text("name").str.replace(r"^b'(.*)'$", r"\1", regex=True)
            text = text.where(text.str.contains(r"\w"), "")
        return text.where(~text.str.fullmatch(r"\d+"), self.found.get("name", "") + " " + text)

    def _factor(self, name, units, default):
        """The factor to the unit that ztfml uses, from the unit of the column."""
        return unit_factor(self.table, self.found[name], units, default)

    def distance_scale(self) -> float:
        """The factor to Mpc that makes the distances agree with the redshifts of the rows.

        See `ztfml.catalogs.galaxy_units.distance_scale`.
        """
        z, _ = self._redshift(self.places["ra"].to_numpy(), self.places["dec"].to_numpy())
        # Peculiar velocities can double the distances of near galaxies.
        expected, other = np.where(z > 0.01, _mpc(distance_modulus(z)), np.nan), "redshifts"
        modulus = _mpc(self._in_range("modulus", 10.0, 50.0))
        if "modulus" in self.found:
            distance_scale(self.table.path, self.found["modulus"], modulus, expected, other)
        if "distance" not in self.found:
            return 1.0
        distance = self._distances(limit=np.inf)
        if np.isfinite(expected * distance).sum() < np.isfinite(modulus * distance).sum():
            expected, other = modulus, "distance moduli"
        return distance_scale(self.table.path, self.found["distance"], distance, expected, other)

    def _are_galaxies(self):
        """Whether a row is a galaxy with a good redshift, as far as the table says it."""
        keep = np.ones(len(self.places), bool)
        if "type" in self.places:
            names = (*_NOT_GALAXIES, "S") if self.found["type"] == "objtype" else _NOT_GALAXIES
            keep &= ~self._text("type").str.upper().isin(names).to_numpy()
        if "warning" in self.places:
            keep &= ~(self._numbers("warning") > 0)
        return keep

    def _are_points(self):
        """Whether a row of a photometric catalogue is a star or quasar by its shape."""
        return (self._text("shape").str.upper() == "PSF").to_numpy(bool)

    def _redshift(self, ra, dec):
        """Redshifts relative to the microwave background, NaN unless they are above 0.

        The second array says which of them are photometric.
        """
        z = np.full(len(ra), np.nan)
        for name in ("z_cmb", "v_cmb", "z", "z_spec", "v", "z_phot"):
            photometric = np.isnan(z)
            values = self._observed(name)
            # No galaxy approaches us faster than 3000 km/s.
            values = np.where((values == 0) | (values < -0.01), np.nan, values)
            if not name.endswith("cmb"):
                # Redshifts of stars; the correction would make near galaxies of half of them.
                values = np.where(np.abs(values) < _STARS, np.nan, values)
                values = to_cmb(values, ra, dec)
            z = np.where(photometric, values, z)
        return np.where(z > 0, z, np.nan), photometric & ("z_phot" in self.found)

    def _observed(self, name):
        """A column of redshifts or velocities as redshifts."""
        values = self._numbers(name)
        if name not in self.found or are_magnitudes(self.found[name], values):
            return np.full(len(values), np.nan)
        per_unit = 1.0 if name.startswith("v") else _C
        return values * velocity_factor(self.table, self.found[name], per_unit) / _C

    def _distances(self, limit=_NO_DISTANCE):
        """Distances in Mpc."""
        distance = self._numbers("distance")
        if "distance" in self.found:
            distance = distance * self._factor("distance", LENGTHS, 1.0) * self.scale
        return np.where((distance > 0) & (distance < limit), distance, np.nan)

    def _given_moduli(self):
        given = self._in_range("modulus", 10.0, 50.0)
        return np.where(np.isnan(given), self._in_range("modulus_z", 10.0, 50.0), given)

    def _modulus(self, z):
        """Distance moduli, and whether they come from a distance and not from a redshift."""
        modulus = 5 * np.log10(self._distances()) + 25
        modulus = np.where(np.isnan(modulus), self._given_moduli(), modulus)
        from_distance = np.isfinite(modulus)
        return np.where(from_distance, modulus, distance_modulus(z)), from_distance

    def _modulus_error(self, modulus, z, from_distance, photometric):
        """Errors of the distance moduli."""
        z_err = np.where(
            photometric, self._in_range("z_phot_err", 0.0, 10.0), self._in_range("z_err", 0.0, 10.0)
        )
        photometric = photometric | (
            self._text("technique").str.upper().str.startswith("P").to_numpy(bool)
        )
        # Photometric redshifts without an error are good to a few percent.
        floor = np.where(photometric, 0.03 * (1 + z), PECULIAR_VELOCITY / _C)
        z_err = np.where(np.isnan(z_err), floor, np.hypot(z_err, PECULIAR_VELOCITY / _C))
        from_z = 5 / np.log(10) * z_err / z
        distance, distance_err = self._numbers("distance"), self._numbers("distance_err")
        given = 5 / np.log(10) * np.where(distance_err > 0, distance_err, np.nan) / distance
        given = np.fmax(given, self._in_range("modulus_err", 0.0, 10.0))
        # Most distances in catalogues are redshifts in other units.
        independent = self._text("method").str.contains("indep", case=False).to_numpy(bool)
        given = np.where(independent, np.where(np.isnan(given), 0.2, given), np.fmax(given, from_z))
        return np.minimum(np.where(from_distance, given, from_z), 5.0)

    def _radius(self):
        """Half-light radii along the major axis in arcsec."""
        radius = np.full(len(self.places), np.nan)
        # HyperLEDA and RC3: the logarithm of the diameter in tenths of an arcminute.
        logarithm = self._in_range("log_diameter", -2.0, 4.0)
        for name, per_size in _PER_SIZE.items():
            if name in self.found and is_log_diameter(self.table, self.found[name]):
                logarithm = self._in_range(name, -2.0, 4.0)
            elif name in self.found:
                values = self._in_range(name, 1e-9, 1e5)
                factor = self._factor(name, ANGLES, self._angle(name, values))
                radius = np.fmax(radius, values * factor * per_size)
        diameter = 6.0 * 10**logarithm
        radius = np.where(np.isnan(radius), diameter * _PER_SIZE["diameter"], radius)
        return np.where(radius < 3 * 3600, radius, np.nan)

    def _angle(self, name, values):
        """The unit (arcsec) of a size without a unit."""
        in_arcmin = self.found[name].lower().rstrip("_") in _IN_ARCMIN
        # A catalogue of galaxies larger than this has 40 rows; others give D25 in arcsec.
        small = not np.isfinite(values).any() or np.nanmedian(values) < _LARGE
        return 60.0 if in_arcmin and small else 1.0

    def _axis_ratio(self):
        ratio = np.fmax(self._in_range("ba", 1e-3, 1e3), 10 ** -self._in_range("log_ab", 0.0, 3.0))
        ratio = np.where(ratio > 1, 1 / ratio, ratio)
        return np.maximum(ratio, 0.1)


def to_cmb(z: np.ndarray, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Convert heliocentric redshifts to redshifts relative to the microwave background.

    Parameters
    ----------
    z : ndarray
    ra, dec : ndarray, deg

    Returns
    -------
    ndarray

    Examples
    --------
    Towards the motion of the Sun the correction is 370 km/s:

    >>> float(to_cmb(0.01, 167.942, -6.944).round(6))
    0.011246
    """
    lon, lat, pole = np.radians(np.subtract(ra, _CMB_RA)), np.radians(dec), np.radians(_CMB_DEC)
    cosine = np.sin(lat) * np.sin(pole) + np.cos(lat) * np.cos(pole) * np.cos(lon)
    return (1 + np.asarray(z)) * (1 + _CMB_SPEED / _C * cosine) - 1


def _mpc(modulus):
    return 10 ** (modulus / 5 - 5)
