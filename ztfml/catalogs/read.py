"""Read catalogues of positions and tables of objects, whatever their columns are called."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.catalogs.candids import REMEDY
from ztfml.catalogs.kinds import KINDS, OBJECTS, Kind
from ztfml.catalogs.matching import Catalog, ObjectTable
from ztfml.errors import DataError
from ztfml.io.tables import TableFile, open_table, read_table
from ztfml.taxonomy import CONFIDENCES, LABELS

log = logging.getLogger(__name__)

# Possible names of columns, in lower case without spaces, dots and underscores; the first one
# found is used. In 4LAC, RAJ2000 is the gamma-ray position, with errors of arcminutes.
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


def read_catalog(kind: str, path: str | Path) -> Catalog | ObjectTable:
    """Read a catalogue of positions or a table of objects.

    Parameters
    ----------
    kind : str
        A name in `ztfml.catalogs.kinds.KINDS`, or ``'objects'`` for a table of object names and
        types, such as the exports of TNS and BTS, or a label file.
    path : str or Path
        A file in any format of `ztfml.io.tables.open_table`.

    Returns
    -------
    Catalog or ObjectTable

    Raises
    ------
    DataError
        If the file cannot be read, or has no columns with positions, names or types.

    Examples
    --------
    >>> entries = pd.DataFrame({"ra": [10.0], "dec": [20.0], "type": ["RRAB"]})
    >>> entries.to_csv("vsx.csv", index=False)
    >>> read_catalog("vsx", "vsx.csv").types.tolist()
    ['RRAB']
    """
    table = open_table(path)
    if kind == OBJECTS:
        return _read_objects(table)
    record = KINDS[kind]
    name = record.name if record.name != "agn" else f"agn {table.path.name.partition('.')[0]}"
    return make_catalog(record, name, table)


def read_doubtful(path: str | Path) -> pd.DataFrame:
    """Read a table of objects whose labels are not trusted.

    Parameters
    ----------
    path : str or Path
        A file in any format of `ztfml.io.tables.open_table`, with the columns ``objectId`` and
        ``reason``.

    Returns
    -------
    pandas.DataFrame
        ``objectId`` and ``reason``, one row per object.

    Raises
    ------
    DataError
        If the file cannot be read or lacks one of the columns.

    Examples
    --------
    >>> doubtful = pd.DataFrame({"objectId": ["ZTF18abukavn"], "reason": ["wrong host"]})
    >>> doubtful.to_csv("doubtful.csv", index=False)
    >>> read_doubtful("doubtful.csv")["reason"].tolist()
    ['wrong host']
    """
    table = open_table(path)
    columns = [_find(table, [name]) for name in ("objectid", "reason")]
    if None in columns:
        raise DataError(f"{table.path}: no columns objectId and reason; {_has(table)}")
    rows = read_table(table, columns).set_axis(["objectId", "reason"], axis=1).astype("str")
    return rows.drop_duplicates("objectId", ignore_index=True)


def make_catalog(kind: Kind, name: str, table: TableFile) -> Catalog:
    """Make a catalogue of positions from an open table.

    Parameters
    ----------
    kind : Kind
    name : str
        Name in the evidence of labels.
    table : TableFile

    Returns
    -------
    Catalog

    Raises
    ------
    DataError
        If there are no columns with positions or types, or they are empty.

    Examples
    --------
    >>> entries = pd.DataFrame({"ra": [10.0], "dec": [20.0], "type": ["RRAB"]})
    >>> entries.to_csv("vsx.csv", index=False)
    >>> make_catalog(KINDS["vsx"], "vsx", open_table("vsx.csv")).ra
    array([10.])
    """
    places = read_places(table, type=kind.type_columns)
    if "type" not in places:
        if kind.name != "agn":
            raise DataError(
                f"{table.path}: no column with the types of {kind.name} "
                f"({' or '.join(kind.type_columns)}); {_has(table)}"
            )
        places["type"] = pd.Series("listed", places.index, dtype="str")
    log.info("%s: %s entries of %s", table.path, f"{len(places):,}", name)
    return Catalog(kind, name, places["ra"].to_numpy(), places["dec"].to_numpy(), places["type"])


def read_places(table: TableFile, **columns: tuple[str, ...]) -> pd.DataFrame:
    """Read the positions and some other columns of an open table.

    Parameters
    ----------
    table : TableFile
    **columns : tuple of str
        For each column of the result its possible names in the table, in lower case without
        spaces, dots and underscores; the first one found is used.

    Returns
    -------
    pandas.DataFrame
        ``ra`` and ``dec`` (deg, J2000), and those of the columns that the table has; rows
        without a position are omitted.

    Raises
    ------
    DataError
        If there are no columns with positions, or they are empty.

    Examples
    --------
    >>> pd.DataFrame({"RAJ2000": [10.0], "DEJ2000": [20.0]}).to_csv("places.csv", index=False)
    >>> read_places(open_table("places.csv"))["dec"].tolist()
    [20.0]
    """
    position = _find_position(table)
    found = {name: _find(table, names) for name, names in columns.items()}
    found = {name: column for name, column in found.items() if column}
    frame = read_table(table, list(dict.fromkeys([*position, *found.values()])))
    ra, dec = _degrees(frame[position])
    good = (ra >= 0) & (ra <= 360) & (np.abs(dec) <= 90)
    if not good.any():
        raise DataError(
            f"{table.path}: the columns {' and '.join(position)} contain no position in degrees or "
            "hours, minutes and seconds; check the export"
        )
    if not good.all():
        log.warning("%s: omitted %d rows without a position", table.path, (~good).sum())
    places = {"ra": ra, "dec": dec} | {name: frame[column] for name, column in found.items()}
    return pd.DataFrame(places)[good].reset_index(drop=True)


def _read_objects(table):
    label_file = all(_find(table, [name]) for name in ("candid", "label"))
    object_column = _find(table, _OBJECT_NAMES)
    key = _find(table, ["candid"]) if label_file else object_column
    types = _find(table, _OBJECT_TYPES)
    if key is None or types is None:
        what = "names of the objects" if key is None else "types"
        names = _OBJECT_NAMES if key is None else _OBJECT_TYPES
        raise DataError(
            f"{table.path}: no column with the {what} ({' or '.join(names)}); {_has(table)}"
        )
    more = {name: _find(table, [name]) for name in ("evidence", "confidence", "uncertain")}
    original = _find(table, [name for name in _OBJECT_TYPES if name != "label"]) or types
    if label_file:
        more["object"] = object_column
    columns = {"key": key, "type": types, "original": original} | {
        k: v for k, v in more.items() if v
    }
    frame = read_table(table, list(dict.fromkeys(columns.values())))
    rows = pd.DataFrame({name: frame[column] for name, column in columns.items()})
    rows = rows.assign(key=_keys(rows["key"], label_file, table.path, key))
    rows = rows.dropna(subset="key").explode("key", ignore_index=not label_file)
    rows = rows.astype({"key": np.int64 if label_file else "str"})
    for column in rows.columns.difference(["key"]):
        rows[column] = rows[column].astype("str").fillna("").str.strip()
    name = table.path.name.partition(".")[0]
    log.info("%s: %s rows", table.path, f"{len(rows):,}")
    rows["text"] = _texts(rows, name)
    rows["doubts"] = _doubts(rows)
    used = [column for column in ("key", "type", "text", "doubts", "object") if column in rows]
    return ObjectTable(name, "candid" if label_file else "objectId", rows[used])


def _keys(values, label_file, path, column):
    """Return the object names in each row of a column as lists, or candids as integers."""
    if label_file:
        if values.dtype.kind == "f":
            raise DataError(
                f"{path}: the column {column} is floating-point, which cannot hold its 19 "
                "digits; export it as text"
            )
        text = values.astype("str").str.strip().replace("", None)
        bad = text.notna() & ~text.str.fullmatch(r"\d{1,18}|[1-8]\d{18}").fillna(False)
        if bad.any():
            raise DataError(
                f"{path}: row {text.index[bad][0] + 2}: the candid {text[bad].iloc[0]!r} is not a "
                f"whole number of up to 19 digits ({bad.sum()} such rows); {REMEDY}"
            )
        return pd.Series(pa.array(text, pa.string()).cast(pa.int64()), dtype="Int64")
    names = values.astype("str").str.findall(_ZTF_NAME)
    named = names.str.len() > 0
    if not named.any():
        example = values.iloc[0] if len(values) else ""
        raise DataError(
            f"{path}: the column {column} contains no ZTF names such as ZTF18abukavn (but "
            f"{str(example)!r}); use a table with a column of ZTF names"
        )
    return names.where(named)


def _texts(rows, name):
    """Return the evidence; that of the table is kept, so that circular labels stay circular."""
    types = rows["original"]
    if "evidence" not in rows:
        return name + ":" + types
    plain = types.isin(LABELS) | (types == "")
    text = rows["evidence"].where(plain, rows["evidence"] + ": " + types)
    return text.where(rows["evidence"] != "", name + ":" + types)


def _doubts(rows):
    doubts = np.zeros(len(rows), np.int64)
    if "confidence" in rows:
        steps = {confidence: k for k, confidence in enumerate(CONFIDENCES)}
        doubts += rows["confidence"].str.lower().map(steps).fillna(0).to_numpy(np.int64)
    if "uncertain" in rows:
        doubts += rows["uncertain"].str.lower().isin(["true", "t", "yes", "1"]).to_numpy()
    return doubts


def _find(table, names):
    """Return the first of the names that the table has, as the table writes it; or None."""
    columns = {re.sub(r"[\s._]", "", name).lower(): name for name in table.names[::-1]}
    return next((columns[name] for name in names if name in columns), None)


def _find_position(table):
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


def _degrees(position):
    """Convert right ascension and declination, decimal or sexagesimal, to degrees."""
    if position.shape[1] == len(_SEXAGESIMAL):
        text = position.astype("str")
        joined = (text.iloc[:, k].str.cat(text.iloc[:, k + 1 : k + 3], sep=" ") for k in (0, 4))
        ra, dec = joined
        return _sexagesimal(ra) * 15.0, _sexagesimal(text.iloc[:, 3] + dec)
    ra, dec = (pd.to_numeric(position.iloc[:, k], errors="coerce") for k in (0, 1))
    if ra.isna().mean() > 0.5:
        ra, dec = position.iloc[:, 0].astype("str"), position.iloc[:, 1].astype("str")
        return _sexagesimal(ra) * 15.0, _sexagesimal(dec)
    return ra.to_numpy(np.float64, na_value=np.nan), dec.to_numpy(np.float64, na_value=np.nan)


def _sexagesimal(text):
    parts = text.str.extract(r"^\s*([+-]?)\s*(\d+)[\s:hd°]+(\d+)[\s:m'′]*(\d+\.?\d*)?")
    large, minutes, seconds = (
        pd.to_numeric(parts[k]).to_numpy(np.float64, na_value=np.nan) for k in (1, 2, 3)
    )
    value = large + minutes / 60.0 + np.nan_to_num(seconds) / 3600.0
    return np.where(parts[0] == "-", -value, value)
