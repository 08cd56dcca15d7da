"""What catalogues know of the places of a few objects: what they were found to be, and hosts.

Here a person is told what stands there, with its distance; `ztfml.catalogs.read` makes labels.
Entries nearer than the catalogue's own radius are taken for the object itself. Farther off only
galaxies are told of, since any of them may be the host.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from ztfml.catalogs.kinds import KINDS, UNSURE_BEYOND, Kind, meanings
from ztfml.catalogs.matching import pairs_within
from ztfml.catalogs.read import read_places
from ztfml.catalogs.services import ask_ned, entries_around
from ztfml.errors import BrokerError, DataError
from ztfml.io.tables import open_table
from ztfml.sources.fetched_folder import CONTEXT_COLUMNS
from ztfml.taxonomy import label_of

log = logging.getLogger(__name__)

HOST_RADIUS = 60.0
"""How far off a galaxy is told of, in arcsec.

At z = 0.03 this is 37 kpc; short gamma-ray bursts and Ca-rich transients lie as far out.
"""

# More galaxies than these make a card no wiser.
_HOSTS_PER_CATALOG = 3

_NAMES = (
    "name", "mainid", "objectname", "objname", "designation", "galaxy", "gcvs", "pgc", "source",
)  # fmt: skip
_REDSHIFTS = ("redshift", "z", "zhelio", "zspec", "zbest")

# What NED and SIMBAD call galaxies, their pairs and groups, before and since 2020.
_GALAXIES = {
    "g", "galaxy", "gpair", "gtrpl", "gincl", "ginpair", "gingroup", "gingrp", "ing", "gic", "gip",
    "gig", "galaxy_candidate", "partofg", "part_of_g", "brightestcg", "bcg", "bic", "lsb_g", "lsb",
    "emg", "em_g", "emissiong", "sbg", "starburstg", "hii_g", "h2g", "hiig", "bluecompg", "bcompg",
    "interactingg", "ig", "pairg", "pag",
}  # fmt: skip


class Source(NamedTuple):
    """A catalogue that may know something.

    Parameters
    ----------
    title : str
        How the context calls it.
    near : float
        How near an entry must be to be the object itself, in arcsec.
    types : tuple of str
        What the column with the types may be called.
    meanings : callable
        Gives the classes that a type may mean, with their doubts.
    """

    title: str
    near: float
    types: tuple
    meanings: Callable


def _of_kind(title, kind: Kind):
    return Source(title, kind.radius, kind.type_names, kind.meanings)


SOURCES = {
    # Its positions are those of the discovery, by surveys with pixels of up to 2 arcsec.
    "tns": Source(
        "TNS", 3.0, ("type", "objtype"),
        lambda text: meanings(text, lambda name: label_of("tns", name), 0),
    ),
    # Galaxies' positions in NED are good to about 1 arcsec; an exclamation mark is Galactic.
    "ned": Source(
        "NED", 2.0, ("type",),
        lambda text: meanings(text.lstrip("!"), lambda name: label_of("simbad", name), 0),
    ),
    "simbad": _of_kind("SIMBAD", KINDS["simbad"]),
    "milliquas": _of_kind("Milliquas", KINDS["milliquas"]),
    "vsx": _of_kind("VSX", KINDS["vsx"]),
    "gcvs": _of_kind("GCVS", KINDS["gcvs"]),
    "gaia": _of_kind("Gaia", KINDS["gaia"]),
    "agn": _of_kind("AGN", KINDS["agn"]),
    "galaxies": Source("galaxies", 2.0, ("type", "morphtype", "class"), lambda text: [("", 0)]),
}  # fmt: skip
"""The catalogues that can be read from files."""

ONLINE = ("ned", "simbad", "milliquas", "vsx")
"""Those that are asked online."""


def find_context(objects, files=(), online=()):
    """Find what catalogues know of the places of objects.

    Parameters
    ----------
    objects : pandas.DataFrame
        ``objectId``, ``ra``, ``dec`` (deg; NaN where not known), as of
        `ztfml.sources.fetch.objects_of`.
    files : sequence of (str, Path)
        Catalogues as files: one of `SOURCES`, and where it is.
    online : sequence of str
        Which of `ONLINE` to ask. One that fails is told of and loses no other.

    Returns
    -------
    rows : pandas.DataFrame
        As of `ztfml.sources.fetched_folder.context`; the nearest first for each object.
    asked : list of str
        The titles of the catalogues that did answer, in the order they were asked.

    Raises
    ------
    DataError
        If a file cannot be read, or astroquery is not installed.

    Examples
    --------
    >>> rows, asked = find_context(objects, [("tns", "tns_public_objects.csv")])   # doctest: +SKIP
    """
    placed = objects[objects["ra"].notna() & objects["dec"].notna()].reset_index(drop=True)
    if len(placed) < len(objects):
        lost = objects["objectId"][~objects["objectId"].isin(placed["objectId"])]
        log.warning("no position is known of %s", ", ".join(lost))
    known = [(SOURCES[name], _read(name, path)) for name, path in files]
    for name in online if len(placed) else ():
        try:
            known.append((SOURCES[name], _ask(name, placed)))
        except BrokerError as error:
            log.warning("%s", error)
    found = [_around(source, entries, placed) for source, entries in known]
    rows = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    rows = rows.reindex(columns=["order", *CONTEXT_COLUMNS])
    rows = rows.sort_values(["order", "separation_arcsec"], kind="stable", ignore_index=True)
    return rows[list(CONTEXT_COLUMNS)], [source.title for source, _ in known]


def merge_context(old, new, object_ids, catalogs):
    """Put new rows of context in the place of those that were asked for again.

    Parameters
    ----------
    old, new : pandas.DataFrame
        As of `ztfml.sources.fetched_folder.context`.
    object_ids, catalogs : sequence of str
        What the new rows are about: all else that is old stays.

    Returns
    -------
    pandas.DataFrame
        Object by object, the nearest first.

    Examples
    --------
    >>> merge_context(context(folder), rows, objects["objectId"], asked)   # doctest: +SKIP
    """
    again = old["objectId"].isin(list(object_ids)) & old["catalog"].isin(list(catalogs))
    parts = [part for part in (old[~again], new) if len(part)]
    merged = pd.concat(parts, ignore_index=True) if parts else new
    order = pd.factorize(merged["objectId"])[0]
    return merged.iloc[np.lexsort([merged["separation_arcsec"], order])].reset_index(drop=True)


# --- entries ---------------------------------------------------------------------------


def _read(name, path):
    return _entries(SOURCES[name], open_table(path))


def _ask(name, placed):
    places = placed[["ra", "dec"]].to_numpy(np.float64)
    if name == "ned":
        table = ask_ned(places, HOST_RADIUS)
    else:
        table = entries_around(KINDS[name], places, HOST_RADIUS)
    try:
        return None if table is None else _entries(SOURCES[name], table)
    except DataError as error:
        raise BrokerError(str(error)) from error


def _entries(source, table):
    """A table's entries: ``ra``, ``dec``, ``name``, ``kind``, ``redshift``, ``internal``."""
    columns = {
        "name": _NAMES, "kind": source.types, "redshift": _REDSHIFTS,
        "prefix": ("nameprefix",), "internal": ("internalnames",),
    }  # fmt: skip
    places = read_places(table, **columns)
    for column in ("name", "kind", "prefix", "internal"):
        text = places[column].astype("str").fillna("") if column in places else ""
        places[column] = pd.Series(text, places.index, dtype="str").str.strip()
    places["name"] = (places["prefix"] + " " + places["name"]).str.strip()
    redshift = places.get("redshift", np.nan)
    places["redshift"] = pd.to_numeric(pd.Series(redshift, places.index), errors="coerce")
    log.info("%s: %s entries", table.path, f"{len(places):,}")
    return places.drop_duplicates(["ra", "dec", "name"], ignore_index=True)


# --- matches ---------------------------------------------------------------------------


def _around(source, entries, placed):
    """What a source knows near the objects, one row a match, with ``order`` of the object."""
    if entries is None or not len(entries):
        return pd.DataFrame()
    sky = (placed[axis].to_numpy(np.float64) for axis in ("ra", "dec"))
    places = (entries[axis].to_numpy(np.float64) for axis in ("ra", "dec"))
    order, entry, separation = pairs_within(HOST_RADIUS, *places, *sky)
    rows = entries.iloc[entry].assign(
        order=order,
        separation_arcsec=np.round(separation, 2),
        objectId=placed["objectId"].to_numpy()[order],
        catalog=source.title,
    )
    told = [_tell(source, row) for row in rows.itertuples()]
    rows["note"] = pd.Series([note for _, note in told], rows.index, dtype="str")
    rows["what"] = pd.Series([what for what, _ in told], rows.index, dtype="str")
    rows = rows[rows["what"] != "nothing"].sort_values("separation_arcsec", kind="stable")
    nth = rows.groupby(["order", "what"]).cumcount()
    return rows[(rows["what"] != "host") | (nth < _HOSTS_PER_CATALOG)]


def _tell(source, row):
    """What a match is to the object: itself, a possible host or nothing; and a note of it."""
    own_name = row.objectId in row.internal.replace(",", " ").split()
    is_near = own_name or row.separation_arcsec <= source.near
    (label, doubts), *others = source.meanings(row.kind)
    if source is SOURCES["tns"]:
        if not is_near:
            return "nothing", ""
        sure = own_name or row.separation_arcsec <= source.near / 2
        return "itself", _tell_of_report(row.kind, label, sure)
    if _is_galaxy(source, row.kind) or (label == "agn" and not is_near):
        return "host", _tell_of_host(row)
    if not is_near:
        return "nothing", ""
    if not label:
        return "itself", ""
    if label == "transient":
        return "itself", f"listed as {row.kind}: this event, or an earlier one here"
    classes = " or ".join([label, *(other for other, _ in others)])
    sure = not doubts and row.separation_arcsec <= UNSURE_BEYOND
    return "itself", f"{_classified(sure)} {row.kind} ({classes})"


def _is_galaxy(source, kind):
    return source is SOURCES["galaxies"] or kind.casefold() in _GALAXIES


def _classified(sure):
    return "already classified as" if sure else "perhaps, already classified as"


def _tell_of_report(kind, label, sure):
    if not kind:
        return "already reported, not yet classified"
    return f"{_classified(sure)} {kind}" + (f" ({label})" if label else "")


def _tell_of_host(row):
    if not row.redshift > 0:
        return "possible host"
    from astropy.cosmology import Planck18

    kpc = Planck18.kpc_proper_per_arcmin(row.redshift).value / 60.0 * row.separation_arcsec
    return f"possible host, {kpc:.1f} kpc away at z = {row.redshift:.4g}"
