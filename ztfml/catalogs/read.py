"""Labels from catalogues: what stands where an alert is, and what bears its object's name.

Catalogues of places (VSX, GCVS, Milliquas, SIMBAD ...) say what stands there; tables of objects
(TNS, BTS, lists of CVs) say what the object itself was found to be; the packet says which known
asteroid was predicted there. Where they agree, an alert gets a label with all the evidence.
Where they do not, none is right by rule: a supernova may shine beside an active nucleus, and an
asteroid pass over a variable star. Such alerts are reported as conflicts and get no label.
"""

import logging
import re

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.catalogs.kinds import KINDS, OBJECTS
from ztfml.catalogs.matching import Catalog, ObjectTable
from ztfml.errors import DataError
from ztfml.io.tables import open_table, read_table
from ztfml.taxonomy import CONFIDENCES, LABELS

log = logging.getLogger(__name__)

# --- reading ---------------------------------------------------------------------------

# What columns may be called, in small letters without spaces, dots and underscores; of several
# the first that is there. In 4LAC, RAJ2000 is the gamma-ray position, good to arcminutes.
_PLACES = (
    ("racounterpart", "deccounterpart"), ("raj2000", "dej2000"), ("radeg", "dedeg"),
    ("raicrs", "deicrs"), ("radeg", "decdeg"), ("ra", "dec"), ("ra", "de"), ("ra", "declination"),
)  # fmt: skip
_SEXAGESIMAL = ("rah", "ram", "ras", "de-", "ded", "dem", "des")
_OBJECT_NAMES = (
    "objectid", "ztfid", "ztfname", "oid", "ztfobjectid", "internalnames", "internalname", "name",
)  # fmt: skip
_OBJECT_TYPES = (
    "label", "type", "class", "classification", "fineclass", "finalclass", "subtype", "objtype",
)  # fmt: skip
_ZTF_NAME = r"(ZTF\d\d[a-z]{7})"


def read_catalog(kind, path):
    """Read a catalogue of places, or a table of objects.

    Parameters
    ----------
    kind : {'vsx', 'gcvs', 'gaia', 'milliquas', 'agn', 'simbad', 'objects'}
        What it is. ``agn`` is any list of which every entry is an AGN; ``objects`` a table of
        names with types, as TNS and BTS export them, or a label file.
    path : str or Path
        The file, in any format of `ztfml.io.tables.open_table`.

    Returns
    -------
    Catalog or ObjectTable

    Raises
    ------
    DataError
        If the file cannot be read, or has no columns of positions, names or types.

    Examples
    --------
    >>> read_catalog("milliquas", "milliquas.fits").kind.radius   # doctest: +SKIP
    1.5
    """
    table = open_table(path)
    if kind == OBJECTS:
        return _read_objects(table)
    kind = KINDS[kind]
    name = kind.name if kind.name != "agn" else f"agn {table.path.name.partition('.')[0]}"
    return make_catalog(kind, name, table)


def read_doubtful(path):
    """Read a table of objects whose labels are not to be believed.

    Parameters
    ----------
    path : str or Path
        A table of `ztfml.io.tables.open_table` with the columns ``objectId`` and ``reason``.

    Returns
    -------
    pandas.DataFrame
        ``objectId`` and ``reason``, one row an object.

    Raises
    ------
    DataError
        If the file cannot be read or lacks one of the columns.

    Examples
    --------
    >>> read_doubtful("doubtful.csv")   # doctest: +SKIP
    """
    table = open_table(path)
    columns = [_find(table, [name]) for name in ("objectid", "reason")]
    if None in columns:
        raise DataError(f"{table.path}: no columns objectId and reason; {_has(table)}")
    rows = read_table(table, columns).set_axis(["objectId", "reason"], axis=1).astype("str")
    return rows.drop_duplicates("objectId", ignore_index=True)


def make_catalog(kind, name, table):
    """Make a catalogue of places of an open table.

    Parameters
    ----------
    kind : Kind
    name : str
        How evidence is to call it.
    table : TableFile

    Returns
    -------
    Catalog

    Raises
    ------
    DataError
        If there are no columns of positions or types, or nothing in them.

    Examples
    --------
    >>> make_catalog(KINDS["vsx"], "vsx", open_table("vsx.parquet"))   # doctest: +SKIP
    """
    places = read_places(table, type=kind.type_names)
    if "type" not in places:
        if kind.name != "agn":
            raise DataError(
                f"{table.path}: no column with the types of {kind.name} "
                f"({' or '.join(kind.type_names)}); {_has(table)}"
            )
        places["type"] = pd.Series("listed", places.index, dtype="str")
    log.info("%s: %s entries of %s", table.path, f"{len(places):,}", name)
    return Catalog(kind, name, places["ra"].to_numpy(), places["dec"].to_numpy(), places["type"])


def read_places(table, **columns):
    """Read the positions of an open table, and what else it has of some columns.

    Parameters
    ----------
    table : TableFile
    **columns : tuple of str
        For each column of the answer, what it may be called in the table, in small letters
        without spaces, dots and underscores; the first that is there counts.

    Returns
    -------
    pandas.DataFrame
        ``ra`` and ``dec`` (deg, J2000), and those of the columns that the table has; rows
        without a position are left out.

    Raises
    ------
    DataError
        If there are no columns of positions, or nothing in them.

    Examples
    --------
    >>> read_places(open_table("vsx.parquet"), type=("vtype",))   # doctest: +SKIP
    """
    place = _find_place(table)
    found = {name: _find(table, wanted) for name, wanted in columns.items()}
    found = {name: column for name, column in found.items() if column}
    frame = read_table(table, list(dict.fromkeys([*place, *found.values()])))
    ra, dec = _degrees(frame[place])
    good = (ra >= 0) & (ra <= 360) & (np.abs(dec) <= 90)
    if not good.any():
        raise DataError(
            f"{table.path}: the columns {' and '.join(place)} hold no position in degrees or "
            "hours, minutes and seconds; check what was exported there"
        )
    if not good.all():
        log.warning("%s: %d rows without a position are left out", table.path, (~good).sum())
    places = {"ra": ra, "dec": dec} | {name: frame[column] for name, column in found.items()}
    return pd.DataFrame(places)[good].reset_index(drop=True)


def _read_objects(table):
    label_file = all(_find(table, [name]) for name in ("candid", "objectid", "label"))
    key = _find(table, ["candid"] if label_file else _OBJECT_NAMES)
    types = _find(table, _OBJECT_TYPES)
    if key is None or types is None:
        what = "names of the objects" if key is None else "types"
        names = _OBJECT_NAMES if key is None else _OBJECT_TYPES
        raise DataError(
            f"{table.path}: no column with the {what} ({' or '.join(names)}); {_has(table)}"
        )
    more = {name: _find(table, [name]) for name in ("evidence", "confidence", "uncertain")}
    told = _find(table, [name for name in _OBJECT_TYPES if name != "label"]) or types
    columns = {"key": key, "type": types, "told": told} | {k: v for k, v in more.items() if v}
    frame = read_table(table, list(dict.fromkeys(columns.values())))
    rows = pd.DataFrame({name: frame[column] for name, column in columns.items()})
    rows = rows.assign(key=_keys(rows["key"], label_file, table.path, key))
    rows = rows.dropna(subset="key").explode("key", ignore_index=True)
    rows = rows.astype({"key": np.int64 if label_file else "str"})
    for column in rows.columns.difference(["key"]):
        rows[column] = rows[column].astype("str").fillna("").str.strip()
    name = table.path.name.partition(".")[0]
    log.info("%s: %s rows", table.path, f"{len(rows):,}")
    rows["text"] = _texts(rows, name)
    rows["doubts"] = _doubts(rows)
    return ObjectTable(
        name, "candid" if label_file else "objectId", rows[["key", "type", "text", "doubts"]]
    )


def _keys(values, label_file, path, column):
    """Object names found in a column, each row's as a list; candids as whole numbers."""
    if label_file:
        if values.dtype.kind == "f":
            raise DataError(
                f"{path}: the column {column} is floating-point, which cannot hold its 19 "
                "digits; export it as text"
            )
        # Not by way of numbers: a candid has more digits than a float.
        text = values.astype("str").str.strip()
        text = text.where(text.str.fullmatch(r"\d{1,18}|[1-8]\d{18}"))
        return pd.Series(pa.array(text, pa.string()).cast(pa.int64()), dtype="Int64")
    names = values.astype("str").str.findall(_ZTF_NAME)
    named = names.str.len() > 0
    if not named.any():
        example = values.iloc[0] if len(values) else ""
        raise DataError(
            f"{path}: the column {column} holds no ZTF names such as ZTF18abukavn (but "
            f"{str(example)!r}); name a table with a column of them"
        )
    return names.where(named)


def _texts(rows, name):
    """The evidence: the table's own if it gives any, so that what was circular remains so."""
    told = rows["told"]
    if "evidence" not in rows:
        return name + ":" + told
    plain = told.isin(LABELS) | (told == "")
    text = rows["evidence"].where(plain, rows["evidence"] + ": " + told)
    return text.where(rows["evidence"] != "", name + ":" + told)


def _doubts(rows):
    doubts = np.zeros(len(rows), np.int64)
    if "confidence" in rows:
        steps = {confidence: k for k, confidence in enumerate(CONFIDENCES)}
        doubts += rows["confidence"].str.lower().map(steps).fillna(0).to_numpy(np.int64)
    if "uncertain" in rows:
        doubts += rows["uncertain"].str.lower().isin(["true", "t", "yes", "1"]).to_numpy()
    return doubts


def _find(table, wanted):
    known = {re.sub(r"[\s._]", "", name).lower(): name for name in table.names[::-1]}
    return next((known[name] for name in wanted if name in known), None)


def _find_place(table):
    for names in (*_PLACES, _SEXAGESIMAL):
        found = [_find(table, [name]) for name in names]
        if all(found):
            return found
    raise DataError(
        f"{table.path}: no columns with right ascension and declination (such as ra and dec, or "
        f"RAJ2000 and DEJ2000); {_has(table)}"
    )


def _has(table):
    names = ", ".join(table.names[:20])
    return f"it has {names}{' ...' if len(table.names) > 20 else ''}"


def _degrees(place):
    """Right ascension and declination in degrees, from degrees or from sexagesimal parts."""
    if place.shape[1] == len(_SEXAGESIMAL):
        text = place.astype("str")
        joined = (text.iloc[:, k].str.cat(text.iloc[:, k + 1 : k + 3], sep=" ") for k in (0, 4))
        ra, dec = joined
        return _sexagesimal(ra) * 15.0, _sexagesimal(text.iloc[:, 3] + dec)
    ra, dec = (pd.to_numeric(place.iloc[:, k], errors="coerce") for k in (0, 1))
    if ra.isna().mean() > 0.5:
        ra, dec = place.iloc[:, 0].astype("str"), place.iloc[:, 1].astype("str")
        return _sexagesimal(ra) * 15.0, _sexagesimal(dec)
    return ra.to_numpy(np.float64, na_value=np.nan), dec.to_numpy(np.float64, na_value=np.nan)


def _sexagesimal(text):
    parts = text.str.extract(r"^\s*([+-]?)\s*(\d+)[\s:hd°]+(\d+)[\s:m'′]*(\d+\.?\d*)?")
    large, minutes, seconds = (
        pd.to_numeric(parts[k]).to_numpy(np.float64, na_value=np.nan) for k in (1, 2, 3)
    )
    value = large + minutes / 60.0 + np.nan_to_num(seconds) / 3600.0
    return np.where(parts[0] == "-", -value, value)
