"""Labels from catalogues: what stands where an alert is, and what bears its object's name.

Catalogues of places (VSX, GCVS, Milliquas, SIMBAD ...) say what stands there; tables of objects
(TNS, BTS, lists of CVs) say what the object itself was found to be; the packet says which known
asteroid was predicted there. Where they agree, an alert gets a label with all the evidence.
Where they do not, none is right by rule: a supernova may shine beside an active nucleus, and an
asteroid pass over a variable star. Such alerts are reported as conflicts and get no label.
"""

import dataclasses
import logging
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.errors import DataError
from ztfml.labels.kinds import KINDS, OBJECTS
from ztfml.labels.matching import Catalog, ObjectTable, positions_of
from ztfml.labels.people import CONFIDENCES
from ztfml.labels.tables import open_table, read_table
from ztfml.taxonomy import LABELS

log = logging.getLogger(__name__)

NO_CLASS = "none of the five classes"
NO_EPOCH = "came once, and a catalogue of places does not say when"


@dataclass(frozen=True)
class CatalogLabels:
    """What catalogues say about a night.

    Parameters
    ----------
    labels : pandas.DataFrame, one row an alert
        ``candid``, ``objectId``, ``label``, ``evidence`` (all that agrees, joined by bars) and
        ``confidence``; the layout of a label file.
    evidence : pandas.DataFrame, one row a match
        ``candid``, ``objectId``, ``catalog``, ``type``, ``separation`` (arcsec; NaN where
        matched by name), ``label``, ``confidence``.
    conflicts : pandas.DataFrame, one row an alert
        ``candid``, ``objectId``, ``labels`` (those given, joined by bars) and ``evidence``; of
        alerts on which they disagree, and of those that were set aside.
    left_out : pandas.DataFrame, one row a type
        ``catalog``, ``type``, ``alerts``, ``objects`` and ``reason``.
    catalogs : tuple of str
        The names of all that were asked, in that order.
    """

    labels: pd.DataFrame
    evidence: pd.DataFrame
    conflicts: pd.DataFrame
    left_out: pd.DataFrame
    catalogs: tuple

    def summary(self):
        """Count, for each catalogue, the labels that it takes part in, by class.

        Returns
        -------
        pandas.DataFrame
            ``catalog``, one column a class, ``conflicts`` (alerts that got no label), and in
            the last row the whole.

        Examples
        --------
        >>> label_from_catalogs(night, catalogs).summary()   # doctest: +SKIP
        """
        given = self.evidence.drop_duplicates(["candid", "catalog", "label"])
        clash = given["candid"].isin(self.conflicts["candid"])
        columns = {
            label: given[~clash & (given["label"] == label)].groupby("catalog").size()
            for label in LABELS
        }
        columns["conflicts"] = given[clash].groupby("catalog")["candid"].nunique()
        counts = pd.DataFrame(columns, index=dict.fromkeys(self.catalogs))
        counts = counts.fillna(0).astype(int)
        in_all = [int((self.labels["label"] == label).sum()) for label in LABELS]
        counts.loc["all"] = [*in_all, len(self.conflicts)]
        return counts.rename_axis("catalog").reset_index()

    def set_aside(self, doubtful):
        """Move the labels of some objects to the conflicts.

        Parameters
        ----------
        doubtful : pandas.DataFrame
            ``objectId`` and ``reason``, as of `read_doubtful`; the reason stands before the
            evidence.

        Returns
        -------
        CatalogLabels

        Examples
        --------
        >>> found.set_aside(read_doubtful("doubtful.csv")).labels   # doctest: +SKIP
        """
        reason = self.labels["objectId"].map(doubtful.set_index("objectId")["reason"])
        doubted = reason.notna()
        moved = self.labels[doubted].rename(columns={"label": "labels"})
        moved["evidence"] = "set aside, " + reason[doubted] + " | " + moved["evidence"]
        conflicts = pd.concat([self.conflicts, moved[list(self.conflicts)]], ignore_index=True)
        if doubted.any():
            log.info("%d alerts of doubtful objects are set aside", doubted.sum())
        labels = self.labels[~doubted].reset_index(drop=True)
        return dataclasses.replace(self, labels=labels, conflicts=conflicts)


def label_from_catalogs(night, catalogs):
    """Label the alerts of a night by catalogues.

    Parameters
    ----------
    night : Night
    catalogs : sequence of Catalog, ObjectTable or Ephemerides
        As of `read_catalog`, `ztfml.labels.services.fetch_catalog` or made by hand.

    Returns
    -------
    CatalogLabels
        Labels where all agree, with the confidence of the surest; conflicts where not.

    Raises
    ------
    DataError
        If the night lacks a column that a catalogue is matched by.

    Examples
    --------
    >>> found = label_from_catalogs(   # doctest: +SKIP
    ...     night, [read_catalog("vsx", "vsx.parquet"), read_catalog("objects", "bts.csv")]
    ... )
    >>> found.labels["label"].value_counts()   # doctest: +SKIP
    >>> found.conflicts   # doctest: +SKIP
    """
    ids = night.alerts[["candid", "objectId"]]
    matches = _match_all(night, catalogs)
    once = matches["separation"].notna() & (matches["label"] == "transient")
    silent = (matches["label"] == "") | once
    matches["reason"] = np.where(once, NO_EPOCH, NO_CLASS)
    left_out = _count_left_out(matches[silent], ids["objectId"])
    # The nearest of each catalogue and class, in the order of the catalogues.
    matches = matches[~silent].sort_values(["alert", "rank", "separation"], kind="stable")
    matches = matches.drop_duplicates(["alert", "rank", "label"])

    about, clash = _sum_up(matches, ids)
    evidence = ids.iloc[matches["alert"]].reset_index(drop=True)
    for column in ("catalog", "type", "separation", "label"):
        evidence[column] = matches[column].array
    evidence["confidence"] = _confidence(matches["doubts"])
    if clash.any():
        log.warning(
            "%s: of %d alerts the catalogues disagree; these get no label", night.name, clash.sum()
        )
    if len(left_out):
        told = left_out["catalog"] + " " + left_out["type"].where(left_out["type"] != "", "(blank)")
        log.info(
            "%s: %d types are left out (%s): none of the five classes, or an event long past",
            night.name, len(left_out), ", ".join(told.head(5)),
        )  # fmt: skip
    labels, conflicts = (about[rows].reset_index(drop=True) for rows in (~clash, clash))
    conflicts = conflicts.drop(columns="confidence").rename(columns={"label": "labels"})
    names = tuple(catalog.name for catalog in catalogs)
    return CatalogLabels(labels, evidence, conflicts, left_out, names)


def _match_all(night, catalogs):
    """The matches of all catalogues, each with its rank in the order they were given."""
    found = []
    if any(isinstance(catalog, Catalog) for catalog in catalogs):
        without = np.isnan(positions_of(night)).any(axis=0).sum()
        if without:
            log.warning(
                "%s: %d alerts have no position of their own (none, or the very one of another "
                "object) and match no place", night.name, without,
            )  # fmt: skip
    for rank, catalog in enumerate(catalogs):
        matches = catalog.match(night).assign(catalog=catalog.name, rank=rank)
        n_alerts = matches["alert"].nunique()
        log.info("%s: matches %d of %d alerts", catalog.name, n_alerts, len(night))
        found.append(matches)
    return pd.concat(found, ignore_index=True)


def _sum_up(matches, ids):
    """One row an alert: its label, or its labels where they clash, with all evidence."""
    code = matches["label"].map({label: k for k, label in enumerate(LABELS)})
    given = matches.assign(code=code).drop_duplicates(["alert", "label"])
    alert, label = _join(given.sort_values(["alert", "code"]), "label", "|")
    _, evidence = _join(matches.drop_duplicates(["alert", "text"]), "text", " | ")
    about = ids.iloc[alert].reset_index(drop=True).assign(label=label, evidence=evidence)
    about["confidence"] = _confidence(matches.groupby("alert")["doubts"].min())
    return about, about["label"].str.contains("|", regex=False)


def _join(matches, column, by):
    """Join a column of text of matches that are sorted by alert: the alerts, and a text each."""
    alert = matches["alert"].to_numpy(np.int64)
    starts = np.flatnonzero(np.diff(alert, prepend=-1))
    text = pa.array(matches[column].to_numpy(object), pa.string())
    lists = pa.ListArray.from_arrays(np.append(starts, len(alert)).astype(np.int32), text)
    return alert[starts], pd.array(pc.binary_join(lists, by).to_pandas(), dtype="str")


def _count_left_out(matches, object_id):
    objects = object_id.to_numpy()[matches["alert"]]
    counts = matches.assign(object=objects).groupby(["catalog", "type", "reason"], sort=False)
    counts = counts.agg(alerts=("alert", "nunique"), objects=("object", "nunique")).reset_index()
    counts = counts.sort_values("alerts", ascending=False, kind="stable", ignore_index=True)
    return counts[["catalog", "type", "alerts", "objects", "reason"]]


def _confidence(doubts):
    steps = np.minimum(np.asarray(doubts, np.int64), len(CONFIDENCES) - 1)
    return pd.array(np.array(CONFIDENCES, dtype=object)[steps], dtype="str")


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
        The file, in any format of `ztfml.labels.tables.open_table`.

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
        A table of `ztfml.labels.tables.open_table` with the columns ``objectId`` and ``reason``.

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
