"""Read the positions and proper motions of a catalogue, in the notations that catalogues use."""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from ztfml.catalogs.columns import describe_columns, find_column, plain_name, unit_of
from ztfml.errors import DataError
from ztfml.io.tables import TableFile

log = logging.getLogger(__name__)

# Names in lower case without spaces, dots and underscores; the first pair found is used. In 4LAC,
# RAJ2000 is the gamma-ray position, with errors of arcminutes.
_RA = ("racounterpart", "raj2000", "radeg", "raicrs", "ra", "rightascension", "alphaj2000",
       "ramean", "meanra", "targetra", "al2000")  # fmt: skip
_DEC = {
    "racounterpart": ("deccounterpart",), "raj2000": ("dej2000", "decj2000"),
    "radeg": ("dedeg", "decdeg"), "raicrs": ("deicrs", "decicrs"),
    "ra": ("dec", "de", "declination"), "rightascension": ("declination", "dec"),
    "alphaj2000": ("deltaj2000",), "ramean": ("decmean",), "meanra": ("meandec",),
    "targetra": ("targetdec",), "al2000": ("de2000",),
}  # fmt: skip
# Units that names end in; RAd is SIMBAD's name.
_ENDINGS = {
    "deg": "deg", "degrees": "deg", "d": "deg", "rad": "rad", "radians": "rad", "hours": "hour",
    "hour": "hour", "hr": "hour", "hms": "hms", "dms": "dms",
}  # fmt: skip
# Units that are part of a convention: HyperLEDA.
_UNITS_OF_NAMES = {"al2000": "hour", "de2000": "deg"}
_COMPONENTS = ("rah", "ram", "ras", "de-", "ded", "dem", "des")
_BOTH = ("coord1", "coord", "coords", "coordinates", "radec", "position", "skycoord")

_UNITS = {
    "deg": "deg", "degree": "deg", "degrees": "deg", "°": "deg", "rad": "rad", "radian": "rad",
    "radians": "rad", "h": "hour", "hr": "hour", "hour": "hour", "hours": "hour",
    "hourangle": "hour", "h:m:s": "hms", "hms": "hms", "hh:mm:ss": "hms", '"h:m:s"': "hms",
    "d:m:s": "dms", "dms": "dms", "dd:mm:ss": "dms", "sexagesimal": "hms",
}  # fmt: skip
_HOURS = ("hour", "hms")  # Declinations beside them are in degrees.
_DEGREES_PER = {"deg": 1.0, "hour": 15.0, "rad": np.degrees(1.0)}

_BLANK = {"", "nan", "null", "none", "-", "--", "n/a", "na", "<na>"}

# Fewer rows than this may lie anywhere by chance.
_ENOUGH_ROWS = 20

_PM_RA = ("pmra", "pmracosdec", "pmracosde", "pmracosd", "pmrastar", "pmalpha")
_PM_DEC = ("pmdec", "pmde", "pmdelta")
_EPOCHS = ("refepoch", "epochref", "pmepoch", "posepoch")
# arcsec/yr; Barnard's star moves by 10.4.
_FASTEST = 11.0


class PositionColumns(NamedTuple):
    """The columns of a table with positions.

    Attributes
    ----------
    names : list of str
        Right ascension and declination; or one column with both; or hours, minutes, seconds,
        sign, degrees, minutes and seconds.
    units : tuple of str or None
        Units of right ascension and declination: deg, hour, rad, hms, dms; None if unknown.
    epoch : float or None
        Julian year of the positions if the names say it.
    """

    names: list[str]
    units: tuple[str | None, str | None]
    epoch: float | None


def find_positions(table: TableFile) -> PositionColumns:
    """Find the columns with positions.

    Parameters
    ----------
    table : TableFile

    Returns
    -------
    PositionColumns

    Raises
    ------
    DataError
        If there are none, if they are for another equinox than J2000, or if their unit is not
        that of an angle.

    Examples
    --------
    >>> from ztfml.io.tables import TableFile
    >>> find_positions(TableFile("a.csv", ("RA_ICRS", "DE_ICRS"), None)).names
    ['RA_ICRS', 'DE_ICRS']
    """
    # With its own epoch, a table may have positions moved to J2000 beside its own.
    with_epoch = find_column(table, _EPOCHS) is not None
    bases = sorted(_RA, key=lambda base: with_epoch and base == "raj2000")
    plain = {plain_name(name): name for name in table.names[::-1]}
    for base in bases:
        for ending in ("", *_ENDINGS):
            ra = plain.get(base + ending)
            endings = (
                (ending, "dms", "deg", "d", "") if _ENDINGS.get(ending) in _HOURS else (ending,)
            )
            decs = [plain.get(dec + end) for end in endings for dec in _DEC[base]]
            dec = next((name for name in decs if name), None)
            if ra and dec:
                dec_ending = "deg" if _ENDINGS.get(ending) == "hour" else ending
                units = _unit(table, ra, ending), _unit(table, dec, dec_ending)
                return PositionColumns([ra, dec], units, 2000.0 if base == "raj2000" else None)
    if all(name in plain for name in _COMPONENTS):
        return PositionColumns([plain[name] for name in _COMPONENTS], ("hms", "dms"), None)
    both = next((plain[name] for name in _BOTH if name in plain), None)
    if both:
        return PositionColumns([both], (None, None), None)
    old = [name for name in table.names if re.search(r"1950|1875|fk4", name, re.I)]
    if old:
        raise DataError(
            f"{table.path}: the positions ({', '.join(old)}) are for an old equinox; convert them "
            "to J2000, for example with astropy.coordinates.FK4"
        )
    raise DataError(
        f"{table.path}: no columns with right ascension and declination (such as ra and dec, or "
        f"RAJ2000 and DEJ2000); {describe_columns(table)}"
    )


def _unit(table, name, ending):
    given = unit_of(table, name)
    if given is None:
        return _ENDINGS.get(ending) or _UNITS_OF_NAMES.get(plain_name(name))
    if given not in _UNITS:
        raise DataError(
            f"{table.path}: the column {name} has the unit {given!r}; write the positions in "
            "degrees, hours, radians or hours, minutes and seconds"
        )
    return _UNITS[given]


def read_positions(
    frame: pd.DataFrame, columns: PositionColumns, path: object
) -> tuple[np.ndarray, np.ndarray]:
    """Convert the positions of a table to degrees, and report those that cannot be read.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : PositionColumns
    path : Path
        For messages.

    Returns
    -------
    ra, dec : ndarray of float64, shape (n_rows,), deg
        NaN where there is no position.

    Raises
    ------
    DataError
        If most positions cannot be read, or they seem to be in another unit.

    Examples
    --------
    >>> text = pd.DataFrame({"ra": ["00 02 00"], "dec": ["-00 30.45"]})
    >>> read_positions(text, PositionColumns(["ra", "dec"], (None, None), None), "a.csv")
    (array([0.5]), array([-0.5075]))
    """
    cells = frame[columns.names]
    if len(columns.names) == len(_COMPONENTS):
        ra, dec = _from_components(cells)
    else:
        if len(columns.names) == 1:
            cells = _split_both(cells.iloc[:, 0])
        ra = _degrees(cells.iloc[:, 0], columns.units[0], is_ra=True)
        dec = _degrees(cells.iloc[:, 1], columns.units[1], is_ra=False)
        if columns.units == (None, None) and not any("deg" in plain_name(n) for n in columns.names):
            _refuse_other_units(ra, dec, cells, path, columns.names)
    ra = np.where((ra >= -180) & (ra < 0), ra + 360, ra)
    good = (ra >= 0) & (ra <= 360) & (np.abs(dec) <= 90)
    if not good.all() or not len(good):
        _report(cells, good, path, columns.names)
    return np.where(good, ra, np.nan), np.where(good, dec, np.nan)


def _report(cells, good, path, names):
    text = pd.concat([_plain_text(cells.iloc[:, k]) for k in range(cells.shape[1])], axis=1)
    blank = text.isin(_BLANK).any(axis=1).to_numpy()
    bad = ~good & ~blank
    example = " ".join(text[bad].iloc[0]) if bad.any() else ""
    if not good.any() or bad.sum() > good.sum():
        raise DataError(
            f"{path}: the columns {' and '.join(names)} contain no position in "
            f"{(~good).sum()} of {len(good)} rows{f', such as {example!r}' if example else ''}; "
            "write degrees, or hours, minutes and seconds"
        )
    log.warning(
        "%s: omitted %d rows without a position (%d are blank, %d cannot be read%s)",
        path, (~good).sum(), (~good & blank).sum(), bad.sum(),
        f", such as {example!r}" if example else "",
    )  # fmt: skip


def _refuse_other_units(ra, dec, cells, path, names):
    """Refuse decimal positions that look like radians or hours."""
    decimal = all(decimal_numbers(cells.iloc[:, k]).notna().any() for k in (0, 1))
    known = np.isfinite(ra) & np.isfinite(dec)
    if not decimal or known.sum() < _ENOUGH_ROWS:
        return
    (west, east), (south, north) = ((x[known].min(), x[known].max()) for x in (ra, dec))
    # The limits of the whole sky, and a sample that comes near to them.
    in_limits = east <= 2 * np.pi + 1e-6 and max(-south, north) <= np.pi / 2 + 1e-6
    radians = in_limits and east - west > 5.0 and north - south > 1.0
    hours = east <= 24.0 and east - west > 20.0 and north - south > 45.0
    if radians or hours:
        unit = "radians" if radians else "hours"
        raise DataError(
            f"{path}: the columns {' and '.join(names)} look like {unit} "
            f"(right ascension {west:.3g} to {east:.3g}, declination {south:.3g} to {north:.3g}); "
            "convert them to degrees, or name them RAdeg and DEdeg if they are in degrees"
        )


# --- numbers ---------------------------------------------------------------------------


def _plain_text(values):
    """Return a column as text with ordinary minus signs and spaces."""
    text = values.astype("str").fillna("").str.replace(r"[−–]", "-", regex=True)
    return text.str.replace(r"\s+", " ", regex=True).str.strip().str.lower()


def decimal_numbers(values: pd.Series) -> pd.Series:
    """Convert a column to numbers, NaN where that is impossible.

    >>> decimal_numbers(pd.Series(["1.5", "2,5", "x"])).tolist()
    [1.5, 2.5, nan]
    """
    numbers = pd.to_numeric(values, errors="coerce")
    if values.dtype.kind in "fiu":
        return numbers
    # Spreadsheets of some countries write decimal commas.
    return numbers.fillna(
        pd.to_numeric(_plain_text(values).str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True),
                      errors="coerce")
    )  # fmt: skip


def _degrees(values, unit, is_ra):
    decimal = decimal_numbers(values).to_numpy(np.float64, na_value=np.nan)
    if values.dtype.kind in "fiu":
        return decimal * _DEGREES_PER.get(unit, 1.0)
    text = _plain_text(values)
    rest = np.isnan(decimal) & ~text.isin(_BLANK).to_numpy()
    angles = np.full(len(text), np.nan)
    angles[rest] = _sexagesimal(text[rest], is_ra, unit)
    if rest.sum() > np.isfinite(decimal).sum() or unit in ("hms", "dms"):
        return angles  # A lone number in a sexagesimal column may be in hours or in degrees.
    return np.where(rest, angles, decimal * _DEGREES_PER.get(unit, 1.0))


_SEXAGESIMAL = (
    r"^([+-]?) ?(\d{1,3}) ?(h|deg|d|°|:| ) ?"  # sign, hours or degrees
    r"(?:(\d{1,2}\.\d*)|(\d{1,2}) ?(?:m|'|′|:| ) ?(\d{1,2}\.?\d*)|(\d{1,2})) ?(?:m|s|'|\"|′|″|:)*$"
)


def _sexagesimal(text, is_ra, unit):
    """Convert sexagesimal text to degrees; NaN where it cannot be read.

    A regular expression is 100 times faster than astropy's parser, which reads the remaining
    notations one by one.
    """
    parts = text.str.extract(_SEXAGESIMAL)
    number = {
        k: pd.to_numeric(parts[k]).to_numpy(np.float64, na_value=np.nan) for k in (1, 3, 4, 5, 6)
    }
    minutes = np.fmax(np.fmax(number[3], number[4]), number[6])
    seconds = np.nan_to_num(number[5])
    value = number[1] + minutes / 60.0 + seconds / 3600.0
    hours = _is_hours(parts[2].fillna(""), is_ra, unit)
    value[(minutes > 60) | (seconds > 60) | (hours & ~(value <= 24))] = np.nan
    negative = (parts[0] == "-").to_numpy(bool)
    value[negative & hours] = np.nan
    if not is_ra:
        value[(parts[2] == "h").to_numpy(bool)] = np.nan
    degrees = np.where(negative, -value, value) * np.where(hours, 15.0, 1.0)
    unread = parts[1].isna().to_numpy()
    degrees[unread] = _with_astropy(text[unread], is_ra)
    return degrees


def _is_hours(mark, is_ra, unit):
    if not is_ra:
        return np.zeros(len(mark), bool)
    by_mark = mark == "h"
    if unit not in ("deg", "dms"):
        by_mark |= mark.isin([":", " "])
    return by_mark.to_numpy(bool)


def _with_astropy(text, is_ra):
    from astropy.coordinates import Angle

    def degrees(angle):
        # Without a letter, astropy could not know the unit.
        if not re.search(r"[hd°]", angle) or ("h" in angle and not is_ra):
            return np.nan
        try:
            return Angle(angle).degree
        except Exception:  # The parser raises many types.
            return np.nan

    values = {angle: degrees(angle) for angle in text.unique()}
    return text.map(values).to_numpy(np.float64)


def _from_components(cells):
    numbers = [
        pd.to_numeric(cells.iloc[:, k], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        for k in (0, 1, 2, 4, 5, 6)
    ]
    hours, ra_minutes, ra_seconds, degrees, minutes, seconds = numbers
    ra = hours + ra_minutes / 60.0 + np.nan_to_num(ra_seconds) / 3600.0
    dec = np.abs(degrees) + minutes / 60.0 + np.nan_to_num(seconds) / 3600.0
    south = _plain_text(cells.iloc[:, 3]).str.startswith("-") | (degrees < 0)
    return ra * 15.0, np.where(south, -dec, dec)


def _split_both(values):
    """Split a column with right ascension and declination in one text."""
    text = _plain_text(values)
    parts = text.str.extract(r"^(.*?\S)\s*,?\s*([+-] ?\d.*)$")
    halves = text.str.extract(r"^(\S+?)(?:\s*,\s*|\s+)(\S+)$")
    return parts.fillna(halves).fillna("?")


# --- proper motion -----------------------------------------------------------------------


def find_motions(table: TableFile) -> list[str]:
    """Find the columns with proper motions and their epoch, if the table has any.

    >>> from ztfml.io.tables import TableFile
    >>> find_motions(TableFile("a.csv", ("pmRA", "e_pmRA", "pmDE", "ref_epoch"), None))
    ['pmRA', 'pmDE', 'ref_epoch']
    """
    pm_ra, pm_dec, epoch = (find_column(table, names) for names in (_PM_RA, _PM_DEC, _EPOCHS))
    if pm_ra is None or pm_dec is None:
        return []
    return [pm_ra, pm_dec, epoch] if epoch else [pm_ra, pm_dec]


def read_motions(
    frame: pd.DataFrame, columns: list[str], table: TableFile, epoch: float, unit: str
) -> pd.DataFrame:
    """Convert proper motions to arcsec/yr, and epochs to Julian years.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : list of str
        Output of `find_motions`.
    table : TableFile
    epoch : float, yr
        Epoch of the positions if the table does not give it.
    unit : str
        Unit of the motions if the table does not give it.

    Returns
    -------
    pandas.DataFrame
        ``pm_ra`` (including the cosine of the declination) and ``pm_dec`` (arcsec/yr; 0 if
        unknown) and ``epoch`` (yr).

    Raises
    ------
    DataError
        If a unit or an epoch cannot be interpreted.

    Examples
    --------
    >>> from ztfml.io.tables import TableFile
    >>> gaia = pd.DataFrame({"pmra": [1000.0], "pmdec": [-500.0]})
    >>> table = TableFile("a.csv", ("pmra", "pmdec"), None)
    >>> read_motions(gaia, ["pmra", "pmdec"], table, 2016.0, "mas/yr").round(9).values.tolist()
    [[1.0, -0.5, 2016.0]]
    """
    motions = pd.DataFrame(index=frame.index)
    for name, column in zip(("pm_ra", "pm_dec"), columns, strict=False):
        motions[name] = decimal_numbers(frame[column]).astype("float64") * _arcsec_per_year(
            unit_of(table, column) or unit, table, column
        )
    speed = np.hypot(motions["pm_ra"], motions["pm_dec"])
    bad = speed > _FASTEST
    if bad.any():
        log.warning(
            "%s: ignored %d proper motions faster than any star, such as %s arcsec/yr in %s",
            table.path, bad.sum(), f"{motions['pm_ra'][bad].iloc[0]:g}", columns[0],
        )  # fmt: skip
    motions[bad | speed.isna()] = 0.0
    motions["epoch"] = epoch
    if len(columns) > 2:
        motions["epoch"] = _years(frame[columns[2]], columns[2], table.path, epoch)
    return motions


def _arcsec_per_year(unit, table, column):
    import astropy.units as u

    try:
        return u.Unit(unit).to(u.arcsec / u.yr)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{table.path}: the column {column} has the unit {unit!r}; write proper motions in "
            "mas/yr, or remove the column"
        ) from error


def _years(values, column, path, default):
    """Convert epochs in Julian years, JD or MJD to Julian years."""
    text = _plain_text(values)
    besselian = text[text.str.match("b")]
    if len(besselian):
        raise DataError(
            f"{path}: the column {column} contains the Besselian epoch {besselian.iloc[0]!r} "
            f"({len(besselian)} such rows); convert the positions to J2000"
        )
    years = pd.to_numeric(text.str.lstrip("j"), errors="coerce")
    mjd = years.where(~(years > 2_400_000), years - 2_400_000.5)
    years = years.where(~(mjd > 10_000), 2000.0 + (mjd - 51_544.5) / 365.25)
    years = years.mask(years == 0).fillna(default)  # DESI writes 0 for galaxies.
    bad = ~years.between(1850, 2100)
    if bad.any():
        raise DataError(
            f"{path}: the column {column} contains {text[bad].iloc[0]!r} ({bad.sum()} such rows), "
            "which is not an epoch; write Julian years such as 2016.0"
        )
    return years


def moved(
    ra: np.ndarray, dec: np.ndarray, pm_ra: np.ndarray, pm_dec: np.ndarray, years: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Move positions along great circles.

    astropy's ``apply_space_motion`` gives the same to 1e-6 mas in 50 times the time.

    Parameters
    ----------
    ra, dec : ndarray of float64, deg
    pm_ra, pm_dec : ndarray of float64, arcsec/yr
        ``pm_ra`` includes the cosine of the declination.
    years : ndarray of float64, yr

    Returns
    -------
    ra, dec : ndarray of float64, deg

    Examples
    --------
    >>> moved(np.array([10.0]), np.array([60.0]), np.array([1.8]), np.array([0.0]), 10.0)
    (array([10.01]), array([59.99999...]))
    """
    lon, lat = np.radians(ra), np.radians(dec)
    east, north = (np.radians(pm * years / 3600.0) for pm in (pm_ra, pm_dec))
    x = np.cos(lat) * np.cos(lon) - east * np.sin(lon) - north * np.sin(lat) * np.cos(lon)
    y = np.cos(lat) * np.sin(lon) + east * np.cos(lon) - north * np.sin(lat) * np.sin(lon)
    z = np.sin(lat) + north * np.cos(lat)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))
