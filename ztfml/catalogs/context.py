"""Catalogue entries near a few objects: classifications and possible host galaxies.

This is information for people; `ztfml.labels.catalogs` makes labels. Entries within the radius of
the catalogue count as the object itself. At larger separations only galaxies are listed, because
any of them may be the host.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.catalogs.kinds import CONTEXT_KINDS, UNSURE_BEYOND
from ztfml.catalogs.matching import pairs_at_time, pairs_within
from ztfml.catalogs.read import read_places
from ztfml.catalogs.services import entries_around, query_ned
from ztfml.errors import BrokerError, DataError
from ztfml.io.tables import open_table
from ztfml.sources.fetched_folder import CONTEXT_COLUMNS

log = logging.getLogger(__name__)

HOST_RADIUS = 60.0
"""Largest separation of a possible host galaxy, in arcsec.

At z = 0.03 this is 37 kpc; short gamma-ray bursts and Ca-rich transients occur at such offsets.
"""

# More galaxies per object and catalogue are of no use to a reader.
_HOSTS_PER_CATALOG = 3

_NAMES = (
    "name", "mainid", "objectname", "objname", "designation", "galaxy", "gcvs", "pgc", "source",
)  # fmt: skip
_REDSHIFTS = ("redshift", "z", "zhelio", "zspec", "zbest")

# The types of galaxies, pairs and groups in NED and SIMBAD, before and after 2020.
_GALAXIES = {
    "g", "galaxy", "gpair", "gtrpl", "gincl", "ginpair", "gingroup", "gingrp", "ing", "gic", "gip",
    "gig", "galaxy_candidate", "partofg", "part_of_g", "brightestcg", "bcg", "bic", "lsb_g", "lsb",
    "emg", "em_g", "emissiong", "sbg", "starburstg", "hii_g", "h2g", "hiig", "bluecompg", "bcompg",
    "interactingg", "ig", "pairg", "pag",
}  # fmt: skip


def find_context(
    objects: pd.DataFrame,
    files: Sequence[tuple[str, str | Path]] = (),
    online: Sequence[str] = (),
) -> tuple[pd.DataFrame, list[str]]:
    """Find catalogue entries near objects.

    Parameters
    ----------
    objects : pandas.DataFrame
        ``objectId``, ``ra``, ``dec`` (deg; NaN if unknown) and ``jd`` of the latest alert (d),
        for proper motions; output of `ztfml.sources.fetch.objects_of`.
    files : sequence of (str, str or Path)
        Catalogue files: a name in `ztfml.catalogs.kinds.CONTEXT_KINDS`, and the path.
    online : sequence of str
        Names in `ztfml.catalogs.kinds.CONTEXT_ONLINE` to query. A failure is logged and does not
        affect the others.

    Returns
    -------
    rows : pandas.DataFrame
        Columns of `ztfml.sources.fetched_folder.context`; the nearest first for each object.
    titles : list of str
        The titles of the catalogues that were read or answered, in the given order.

    Raises
    ------
    DataError
        If a file cannot be read, or astroquery is not installed.

    Examples
    --------
    >>> objects = pd.DataFrame({"objectId": ["ZTF18abukavn"], "ra": [10.0], "dec": [20.0]})
    >>> galaxies = pd.DataFrame({"ra": [10.0], "dec": [20.002], "name": ["UGC 1"], "z": [0.03]})
    >>> galaxies.to_csv("galaxies.csv", index=False)
    >>> rows, titles = find_context(objects, [("galaxies", "galaxies.csv")])
    >>> rows["note"].tolist(), titles
    (['possible host, 4.5 kpc away at z = 0.03'], ['galaxies'])
    """
    located = objects[objects["ra"].notna() & objects["dec"].notna()].reset_index(drop=True)
    if len(located) < len(objects):
        missing = objects["objectId"][~objects["objectId"].isin(located["objectId"])]
        log.warning("no position is known for %s", ", ".join(missing))
    read = [(CONTEXT_KINDS[name], _read(name, path)) for name, path in files]
    for name in online if len(located) else ():
        try:
            read.append((CONTEXT_KINDS[name], _query(name, located)))
        except BrokerError as error:
            log.warning("%s", error)
    matches = [_match(kind, entries, located) for kind, entries in read]
    rows = pd.concat(matches, ignore_index=True) if matches else pd.DataFrame()
    rows = rows.reindex(columns=["order", *CONTEXT_COLUMNS])
    rows = rows.sort_values(["order", "separation_arcsec"], kind="stable", ignore_index=True)
    return rows[list(CONTEXT_COLUMNS)], [kind.title for kind, _ in read]


def merge_context(
    old: pd.DataFrame, new: pd.DataFrame, object_ids: Sequence[str], catalogs: Sequence[str]
) -> pd.DataFrame:
    """Replace the rows of some objects and catalogues by new rows.

    Parameters
    ----------
    old, new : pandas.DataFrame
        Columns of `ztfml.sources.fetched_folder.context`.
    object_ids, catalogs : sequence of str
        The objects and the titles of the catalogues in the new rows; other old rows are kept.

    Returns
    -------
    pandas.DataFrame
        Sorted by object, the nearest first.

    Examples
    --------
    >>> names = ["objectId", "catalog", "separation_arcsec"]
    >>> old = pd.DataFrame([["a", "VSX", 1.0], ["a", "TNS", 2.0]], columns=names)
    >>> new = pd.DataFrame([["a", "VSX", 0.5]], columns=names)
    >>> merge_context(old, new, ["a"], ["VSX"])["separation_arcsec"].tolist()
    [0.5, 2.0]
    """
    replaced = old["objectId"].isin(list(object_ids)) & old["catalog"].isin(list(catalogs))
    parts = [part for part in (old[~replaced], new) if len(part)]
    merged = pd.concat(parts, ignore_index=True) if parts else new
    order = pd.factorize(merged["objectId"])[0]
    return merged.iloc[np.lexsort([merged["separation_arcsec"], order])].reset_index(drop=True)


# --- entries ---------------------------------------------------------------------------


def _read(name, path):
    return _entries(CONTEXT_KINDS[name], open_table(path))


def _query(name, located):
    kind = CONTEXT_KINDS[name]
    positions = located[["ra", "dec"]].to_numpy(np.float64)
    if kind.service == "ned":
        table = query_ned(positions, HOST_RADIUS)
    else:
        table = entries_around(kind, positions, HOST_RADIUS)
    try:
        return None if table is None else _entries(kind, table)
    except DataError as error:
        raise BrokerError(str(error)) from error


def _entries(kind, table):
    """Return ``ra``, ``dec``, ``name``, ``type``, ``redshift`` and ``internal`` of the entries."""
    columns = {
        "name": _NAMES, "type": kind.type_columns, "redshift": _REDSHIFTS,
        "prefix": ("nameprefix",), "internal": ("internalnames",),
    }  # fmt: skip
    entries = read_places(table, kind, **columns)
    for column in ("name", "type", "prefix", "internal"):
        text = entries[column].astype("str").fillna("") if column in entries else ""
        entries[column] = pd.Series(text, entries.index, dtype="str").str.strip()
    entries["name"] = (entries["prefix"] + " " + entries["name"]).str.strip()
    redshift = entries.get("redshift", np.nan)
    entries["redshift"] = pd.to_numeric(pd.Series(redshift, entries.index), errors="coerce")
    log.info("%s: %s entries", table.path, f"{len(entries):,}")
    return entries.drop_duplicates(["ra", "dec", "name"], ignore_index=True)


# --- matches ---------------------------------------------------------------------------


def _match(kind, entries, located):
    """Return the entries near the objects, one row per match, with ``order`` of the object."""
    if entries is None or not len(entries):
        return pd.DataFrame()
    object_position = (located[axis].to_numpy(np.float64) for axis in ("ra", "dec"))
    entry_position = (entries[axis].to_numpy(np.float64) for axis in ("ra", "dec"))
    if "pm_ra" in entries and "jd" in located:
        # Without an alert in the night, the position is not older than the others.
        jd = located["jd"].astype("float64").fillna(located["jd"].max()).to_numpy()
        pairs = pairs_at_time(HOST_RADIUS, *entry_position, entries, *object_position, jd)
    else:
        pairs = pairs_within(HOST_RADIUS, *entry_position, *object_position)
    order, entry, separation = pairs
    rows = entries.iloc[entry].assign(
        order=order,
        separation_arcsec=np.round(separation, 2),
        objectId=located["objectId"].to_numpy()[order],
        catalog=kind.title,
    )
    relations = [_relation(kind, row) for row in rows.itertuples()]
    rows["note"] = pd.Series([note for _, note in relations], rows.index, dtype="str")
    rows["relation"] = pd.Series([relation for relation, _ in relations], rows.index, dtype="str")
    rows = rows.rename(columns={"type": "kind"})
    rows = rows[rows["relation"] != "none"].sort_values("separation_arcsec", kind="stable")
    rank = rows.groupby(["order", "relation"]).cumcount()
    return rows[(rows["relation"] != "host") | (rank < _HOSTS_PER_CATALOG)]


def _relation(kind, row):
    """Return the relation of a match to the object (itself, host or none), and a note."""
    has_name = row.objectId in row.internal.replace(",", " ").split()
    is_near = has_name or row.separation_arcsec <= kind.radius
    (label, doubts), *others = kind.meanings(row.type)
    if kind.content == "reports":
        if not is_near:
            return "none", ""
        sure = has_name or row.separation_arcsec <= kind.radius / 2
        return "itself", _note_on_report(row.type, label, sure)
    is_galaxy = kind.content == "galaxies" or row.type.casefold() in _GALAXIES
    if is_galaxy or (label == "agn" and not is_near):
        return "host", _note_on_host(row)
    if not is_near:
        return "none", ""
    if not label:
        return "itself", ""
    if label == "transient":
        return "itself", f"listed as {row.type}: this event, or an earlier one here"
    classes = " or ".join([label, *(other for other, _ in others)])
    sure = not doubts and row.separation_arcsec <= UNSURE_BEYOND
    return "itself", f"{_classified(sure)} {row.type} ({classes})"


def _classified(sure):
    return "already classified as" if sure else "perhaps, already classified as"


def _note_on_report(type_name, label, sure):
    if not type_name:
        return "already reported, not yet classified"
    return f"{_classified(sure)} {type_name}" + (f" ({label})" if label else "")


def _note_on_host(row):
    if not row.redshift > 0:
        return "possible host"
    from astropy.cosmology import Planck18

    kpc = Planck18.kpc_proper_per_arcmin(row.redshift).value / 60.0 * row.separation_arcsec
    return f"possible host, {kpc:.1f} kpc away at z = {row.redshift:.4g}"
