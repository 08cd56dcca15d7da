"""Names of columns: those of brokers, and those of ZTF packets without a prefix."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml import schema
from ztfml.astrophysics import MJD_ZERO
from ztfml.errors import DataError
from ztfml.io.frames import plain_array
from ztfml.io.values import as_numbers
from ztfml.sources.packet_tables import KNOWN_FIELDS

log = logging.getLogger(__name__)

OBJECT_NAME = r"ZTF\d{2}[a-z]{7}"
"""Regular expression of the name of a ZTF object."""

HISTORY_NAMES = tuple(column.name for column in schema.HISTORY_COLUMNS)

# Prefixes of packet fields: those of Fink and ANTARES, and those of flattened packets.
_PACKET_PREFIXES = (
    "i:", "ztf_", "candidate.", "candidate_", "candidate/", "classifications.", "prv_candidates.",
    "prv_candidates_",
)  # fmt: skip
# Prefixes of values that a broker added.
_ADDED_PREFIXES = ("d:", "b:", "v:")
_TOP_LEVEL = ("objectId", "candid")

NESTED_COLUMNS = (
    "candidate", "prv_candidates", "prv_nondetections", "fp_hists", "classifications",
)  # fmt: skip
"""Parts of a packet that are records or lists of records."""
_NESTED = {name.replace("_", ""): name for name in NESTED_COLUMNS}

# A unit behind a name, as in "jd [d]" or "magpsf (mag)".
_UNIT = re.compile(r"\s*(\[[^]]*\]|\([^)]*\))$")

# Names of other brokers, in lower case. The corrected magnitudes of ALeRCE (magpsf_corr, mag_corr)
# include the reference source, and are not difference magnitudes.
_SYNONYMS = {
    "oid": "objectId",
    "object_id": "objectId",
    "objectid": "objectId",
    "obj_id": "objectId",
    "ztf_id": "objectId",
    "ztfid": "objectId",
    "ztf_name": "objectId",
    "ztfname": "objectId",
    "ztf_object_id": "objectId",
    "measurement_id": "candid",
    "alert_id": "candid",
    "filter": "band",
    "filtername": "band",
    "mag": "magpsf",
    "e_mag": "sigmapsf",
    "magerr": "sigmapsf",
    "mag_err": "sigmapsf",
    "magpsf_err": "sigmapsf",
    "limitmag": "diffmaglim",
    "limiting_mag": "diffmaglim",
    "ant_mjd": "mjd",
    "ant_passband": "band",
    "ant_mag": "magpsf",
    "ant_magerr": "sigmapsf",
    "ant_maglim": "diffmaglim",
    "ant_ra": "ra",
    "ant_dec": "dec",
    "d:tag": "tag",
}
_EXTRA = (
    "drbversion", "tag", "has_stamp", "band", "mjd", "psfFlux", "psfFluxErr", "procstatus",
    "forcediffimflux", "forcediffimfluxunc", "magzpsci", "pid", "candid",
)  # fmt: skip
_CANONICAL = {
    name.lower(): name
    for name in (
        *(column.name for column in schema.ALERT_COLUMNS),
        *(
            alias.removeprefix(column.prefix)
            for column in schema.ALERT_COLUMNS
            for alias in column.aliases
        ),
        *HISTORY_NAMES,
        *_EXTRA,
    )
}
_TIME = next(column for column in schema.HISTORY_COLUMNS if column.name == "jd")
_REQUIRED = frozenset(column.name for column in schema.ALERT_COLUMNS if column.required)


def canonical_name(name: str) -> str | None:
    """Return the name of a packet field without prefix, or None if ztfml does not use it.

    Parameters
    ----------
    name : str
        Name in a file of any broker.

    Returns
    -------
    str or None

    Examples
    --------
    >>> [canonical_name(name) for name in ("i:magpsf", "candidate.jd", "oid", "magpsf_corr")]
    ['magpsf', 'jd', 'objectId', None]
    """
    return _identify(name)[0]


def _identify(name):
    """Return the canonical name, and a number that is smaller for a better source of it."""
    name = _UNIT.sub("", name.strip().lstrip("\ufeff"))
    if name.lower() in _SYNONYMS:
        return _SYNONYMS[name.lower()], 3
    if name.startswith(_ADDED_PREFIXES):
        return None, 0
    bare, rank = name, 1
    for prefix in _PACKET_PREFIXES:
        if name.lower().startswith(prefix):
            bare, rank = name[len(prefix) :], 0
            break
    canonical = _CANONICAL.get(bare.lower())
    if canonical is None and bare.lower() in _SYNONYMS:
        return _SYNONYMS[bare.lower()], 3
    if canonical in _TOP_LEVEL and rank == 0 and not name.startswith("i:"):
        rank = 2  # The candid of an alert, rather than that of its candidate.
    return canonical, rank + (canonical != bare)


def nested_name(name: str) -> str | None:
    """Return the name of a nested part of a packet, or None if it is none of them.

    Parameters
    ----------
    name : str
        In any case, with or without underscores.

    Returns
    -------
    str or None

    Examples
    --------
    >>> nested_name("prvCandidates"), nested_name("fp_hists"), nested_name("jd")
    ('prv_candidates', 'fp_hists', None)
    """
    return _NESTED.get(name.strip().replace("_", "").lower())


def required_names(names: Iterable[str]) -> set[str]:
    """Return the required columns of alerts that a table has, under any name.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    set of str

    Examples
    --------
    >>> sorted(required_names(["oid", "mjd", "magpsf", "classtar"]))
    ['jd', 'magpsf', 'objectId']
    """
    found = {canonical_name(name) for name in names}
    found |= {"jd"} if "mjd" in found else set()
    found |= {"fid"} if "band" in found else set()
    return {name for name in _REQUIRED if name in found}


def rename_columns(table: pa.Table, name: str) -> pa.Table:
    """Rename the columns that ztfml uses as in packets, without prefix, and put the others last.

    MJD become JD, and bands become `fid`. Other columns of a candidate get the prefix
    ``candidate.``; all others keep their names.

    Parameters
    ----------
    table : pyarrow.Table
    name : str
        Used in messages.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    DataError
        If two columns have the same meaning and different values.

    Examples
    --------
    >>> table = pa.table({"oid": ["ZTF18abukavn"], "mjd": [58370.2], "fid": [1], "mag": [18.5]})
    >>> rename_columns(table, "night").column_names
    ['objectId', 'fid', 'magpsf', 'jd']
    """
    found: dict[str, list] = {}
    others: dict[str, pa.ChunkedArray] = {}
    for place, in_file in enumerate(table.column_names):
        canonical, rank = _identify(in_file)
        column = table.column(place)
        if canonical and not pa.types.is_nested(column.type):
            found.setdefault(canonical, []).append((rank, place, in_file))
        else:
            others.setdefault(_other_name(in_file), column)
    columns = {}
    for canonical, places in found.items():
        best = min(places)
        columns[canonical] = plain_column(table.column(best[1]))
        for rank, place, in_file in places:
            if rank == best[0] and place != best[1]:
                _check_equal(table, best, (rank, place, in_file), name)
            elif place != best[1] and not table.column(place).equals(table.column(best[1])):
                # For example magnitudes of another kind; kept, but not used.
                others.setdefault(_other_name(in_file), table.column(place))
    if "candid" in columns:
        columns["candid"] = _without_kind(columns["candid"])
    if "mjd" in columns:
        jd = _to_jd(columns.pop("mjd"), name)
        columns["jd"] = fill_gaps(columns["jd"], jd) if "jd" in columns else jd
    if "band" in columns:
        band = _to_fid(columns.pop("band"))
        columns["fid"] = fill_gaps(columns["fid"], band) if "fid" in columns else band
    kept = {key: column for key, column in others.items() if key not in columns}
    return pa.table({**columns, **kept})


def _other_name(in_file):
    """Return the name of a column that ztfml does not use, in the file of the alerts."""
    name = in_file.strip().lstrip("\ufeff")
    for prefix in ("i:", "candidate_", "candidate/"):
        if name.lower().startswith(prefix) and len(name) > len(prefix):
            return f"candidate.{name[len(prefix) :]}"
    return f"candidate.{name}" if name in KNOWN_FIELDS and name not in _CANONICAL else name


def without_prefix(table: pa.Table) -> pa.Table:
    """Remove the prefix ``candidate.`` from the names of columns, for rows of a history.

    Parameters
    ----------
    table : pyarrow.Table

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> without_prefix(pa.table({"candidate.rcid": [7], "jd": [2459000.5]})).column_names
    ['rcid', 'jd']
    """
    names = [name.removeprefix("candidate.") for name in table.column_names]
    repeated = {name for name in names if names.count(name) > 1}
    return table.rename_columns(
        [
            old if new in repeated else new
            for old, new in zip(table.column_names, names, strict=True)
        ]
    )


def _check_equal(table, first, second, name):
    one, other = table.column(first[1]), table.column(second[1])
    if not one.equals(other):
        raise DataError(
            f"{name}: the columns {first[2]} and {second[2]} have the same meaning and different "
            "values; keep one of them"
        )
    log.warning("%s: the columns %s and %s are equal; one is used", name, first[2], second[2])


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column in one chunk, with a simple type."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.chunks else pa.array([], array.type)
    return pa.chunked_array([plain_array(array)])


def _without_kind(candid):
    """Read the numbers in the ids of ANTARES: ztf_candidate:NUMBER, or ztf_upper_limit:TEXT."""
    if not pa.types.is_string(candid.type):
        return candid
    found = pc.extract_regex(candid, r"^ztf_(?P<kind>candidate|upper_limit):(?P<id>.*)$")
    kind, number = (pc.struct_field(found, name) for name in ("kind", "id"))
    is_candidate = pc.equal(kind, "candidate")
    return pc.if_else(
        pc.fill_null(is_candidate, False), number, pc.if_else(is_candidate.is_valid(), None, candid)
    )


def _to_jd(mjd, name):
    values = times(mjd, name)
    # A column of this name that contains JD already.
    return pa.chunked_array([pa.array(np.where(values < MJD_ZERO, values + MJD_ZERO, values),
                                      from_pandas=True)])  # fmt: skip


def _to_fid(band):
    """Replace the letters of ZTF bands by their numbers; other text is left to the cleaning."""
    if not (pa.types.is_string(band.type) or pa.types.is_dictionary(band.type)):
        return band
    text = band.cast(pa.string()).to_pandas()
    found = text.map({name: schema.fid_of(name) for name in text.dropna().unique()})
    if found[text.notna()].isna().any():
        return band
    return pa.chunked_array([pa.array(found, pa.float64(), from_pandas=True)])


def fill_gaps(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the first column with the values of the second where the first is null."""
    if first.null_count == 0:
        return first
    if first.null_count == len(first):
        return second
    if first.type != second.type:
        first, second = first.cast(pa.string()), second.cast(pa.string())
    return pc.coalesce(first, second)


def times(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """Return a column of times as float64: Julian dates of dates, other numbers unchanged.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Numbers, timestamps or text.
    name : str
        Name of the table in messages.

    Returns
    -------
    ndarray of float64
        NaN where it contains no time.

    Raises
    ------
    DataError
        If the type cannot contain the time of an exposure.

    Examples
    --------
    >>> times(pa.chunked_array([["2459000.75", "2020-05-31T06:00", None]]), "night")
    array([2459000.75, 2459000.75,        nan])
    """
    found = as_numbers(_TIME, column, name).array
    return found.to_pandas().to_numpy(np.float64, na_value=np.nan)


def numbers(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Return a column as float64, with NaN where it does not contain a number.

    Parameters
    ----------
    column : pyarrow array
        Numbers or text.

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> numbers(pa.array(["18.5", "", None]))
    array([18.5,  nan,  nan])
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(np.float64, na_value=np.nan)
