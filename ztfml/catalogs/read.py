"""Read catalogues of positions and tables of objects, whatever their columns are called."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.catalogs.candids import REMEDY
from ztfml.catalogs.columns import describe_columns, find_column
from ztfml.catalogs.kinds import KINDS, OBJECTS, Kind
from ztfml.catalogs.matching import Catalog, ObjectTable
from ztfml.catalogs.positions import find_motions, find_positions, read_motions, read_positions
from ztfml.errors import DataError
from ztfml.io.tables import TableFile, open_table, read_table
from ztfml.taxonomy import CONFIDENCES, LABELS

log = logging.getLogger(__name__)

# Possible names of columns, in lower case without spaces, dots and underscores; the first one
# found is used.
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
    name, reason = (find_column(table, [name]) for name in ("objectid", "reason"))
    if name is None or reason is None:
        raise DataError(f"{table.path}: no columns objectId and reason; {describe_columns(table)}")
    rows = read_table(table, [name, reason]).set_axis(["objectId", "reason"], axis=1).astype("str")
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
    places = read_places(table, kind, type=kind.type_columns)
    if "type" not in places:
        if kind.name != "agn":
            raise DataError(
                f"{table.path}: no column with the types of {kind.name} "
                f"({' or '.join(kind.type_columns)}); {describe_columns(table)}"
            )
        places["type"] = pd.Series("listed", places.index, dtype="str")
    log.info("%s: %s entries of %s", table.path, f"{len(places):,}", name)
    motions = places[["pm_ra", "pm_dec", "epoch"]] if "pm_ra" in places else None
    return Catalog(
        kind, name, places["ra"].to_numpy(), places["dec"].to_numpy(), places["type"], motions
    )


def read_places(
    table: TableFile, kind: Kind | None = None, **columns: tuple[str, ...]
) -> pd.DataFrame:
    """Read the positions and some other columns of an open table.

    Parameters
    ----------
    table : TableFile
    kind : Kind, optional
        Gives the epoch and the unit of proper motions if the table does not.
    **columns : tuple of str
        For each column of the result its possible names in the table, in lower case without
        spaces, dots and underscores; the first one found is used.

    Returns
    -------
    pandas.DataFrame
        ``ra`` and ``dec`` (deg, J2000), those of the columns that the table has, and, if it has
        proper motions, ``pm_ra`` and ``pm_dec`` (arcsec/yr) and ``epoch`` (Julian year). Rows
        without a position are omitted.

    Raises
    ------
    DataError
        If there are no columns with positions, they are empty, in another unit than they seem, or
        for another equinox than J2000.

    Examples
    --------
    >>> pd.DataFrame({"RAJ2000": [10.0], "DEJ2000": [20.0]}).to_csv("places.csv", index=False)
    >>> read_places(open_table("places.csv"))["dec"].tolist()
    [20.0]
    """
    position = find_positions(table)
    equinox = find_column(table, ["equinox"])
    motion = find_motions(table)
    spelled = {name: find_column(table, names) for name, names in columns.items()}
    found = {name: column for name, column in spelled.items() if column}
    used = [*position.names, *motion, *found.values(), *([equinox] if equinox else [])]
    frame = read_table(table, list(dict.fromkeys(used)))
    if equinox:
        _refuse_old_equinox(frame[equinox], table.path)
    ra, dec = read_positions(frame, position, table.path)
    places = {"ra": ra, "dec": dec} | {name: frame[column] for name, column in found.items()}
    places = pd.DataFrame(places)
    if motion:
        start = position.epoch or (kind.epoch if kind else 2000.0)
        unit = kind.motion_unit if kind else "mas/yr"
        places = places.join(read_motions(frame, motion, table, start, unit))
    return places[np.isfinite(ra)].reset_index(drop=True)


def _refuse_old_equinox(values, path):
    text = values.astype("str").fillna("").str.strip().str.upper().str.lstrip("J")
    old = ~text.isin(["", "NAN", "NONE", "2000", "2000.0", "ICRS", "FK5"])
    if old.any():
        raise DataError(
            f"{path}: {old.sum()} positions have the equinox {text[old].iloc[0]!r}; convert them "
            "to J2000, for example with astropy.coordinates.FK4"
        )


def _read_objects(table):
    label_file = all(find_column(table, [name]) for name in ("candid", "label"))
    object_column = find_column(table, _OBJECT_NAMES)
    key = find_column(table, ["candid"]) if label_file else object_column
    types = find_column(table, _OBJECT_TYPES)
    if key is None or types is None:
        what = "names of the objects" if key is None else "types"
        names = _OBJECT_NAMES if key is None else _OBJECT_TYPES
        raise DataError(
            f"{table.path}: no column with the {what} ({' or '.join(names)}); "
            f"{describe_columns(table)}"
        )
    more = {name: find_column(table, [name]) for name in ("evidence", "confidence", "uncertain")}
    original = find_column(table, [name for name in _OBJECT_TYPES if name != "label"]) or types
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
    rows = rows[used]
    rows.attrs["path"] = str(table.path)
    return ObjectTable(name, "candid" if label_file else "objectId", rows)


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
    names = values.astype("str").fillna("").str.findall(_ZTF_NAME)
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
