"""Forced photometry in the tables and documents of brokers."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ztfml import schema
from ztfml.io.columns import select_columns
from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.lightcurves.forced_table import one_row_per_exposure
from ztfml.schema import MISSING_TEXTS
from ztfml.sources.flux import AB_NANOJANSKY, SNR_LIMIT, find_zero_point
from ztfml.sources.forced import add_fluxes, fluxes_in_nanojansky, is_good_status
from ztfml.sources.tables.names import numbers, rename_columns, without_prefix

log = logging.getLogger(__name__)

# Times and bands are read with all the spellings of a history.
_READ = tuple(column for column in schema.HISTORY_COLUMNS if column.name in ("jd", "fid"))
_FLUXES = (
    "forcediffimflux", "forcediffimfluxunc", "magzpsci", "psfFlux", "psfFluxErr", "diffmaglim",
)  # fmt: skip
# Names of the forced-photometry service of ZTF (Masci et al. 2023), of SkyPortal and of people, in
# lower case without underscores.
_OTHER_NAMES = {
    "diffimflux": "forcediffimflux", "diffimfluxunc": "forcediffimfluxunc", "zpdiff": "magzpsci",
    "fluxerr": "flux_err", "fluxerror": "flux_err", "fluxunc": "flux_err", "eflux": "flux_err",
    "zp": "flux_zero_point", "zeropoint": "flux_zero_point", "fluxzeropoint": "flux_zero_point",
}  # fmt: skip
# Units of fluxes in names, and their AB zero points.
_UNITS = {"njy": 31.4, "ujy": 23.9, "mjy": 16.4}
# Fewer rows do not show the unit of their errors.
_ENOUGH_ROWS = 20
# Typical 5-sigma limits of ZTF images (mag).
_LIMITS = (18.8, 22.0)
_INTEGERS = ("pid", "programid", "field", "rcid", "rfid")


def forced_of_rows(rows: pa.Table, name: str, others: pa.Table | None = None) -> pa.Table:
    """Convert rows of forced photometry of any broker to the columns of `FORCED_SCHEMA`.

    Rows with a processing status other than 0 are left out and counted, and each exposure is kept
    once.

    Parameters
    ----------
    rows : pyarrow.Table
        ``objectId``, a time, a band, and fluxes: `forcediffimflux`, `forcediffimfluxunc` and
        `magzpsci`; `psfFlux` and `psfFluxErr`; or `flux` and `flux_err`, in nJy unless a name
        (`flux_ujy`), a column `zp` or the errors say something else.
    name : str
        Used in messages.
    others : pyarrow.Table, optional
        Rows of the same file with `psfFlux` and `magpsf`, from which the unit of `psfFlux`
        follows.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> row = {"objectId": "ZTF18abukavn", "jd": 2459000.7, "fid": 1, "procstatus": "0"}
    >>> row |= {"forcediffimflux": 100.0, "forcediffimfluxunc": 10.0, "magzpsci": 31.4}
    >>> forced_of_rows(pa.Table.from_pylist([row]), "night")["flux"].to_pylist()
    [100.0]
    """
    name = f"{name} (forced photometry)"
    rows = _with_flux_names(without_prefix(rename_columns(rows, name)))
    if not len(rows) or not {"objectId", "jd", "fid"} <= set(rows.column_names):
        if len(rows):
            log.warning(
                "%s: %d rows are not read, because they have no objectId, jd or fid (the columns "
                "are %s)", name, len(rows), ", ".join(rows.column_names[:8]),
            )  # fmt: skip
        return FORCED_SCHEMA.empty_table()
    rows = _with_good_status(rows, name)
    read = select_columns(rows, _READ, name) if len(rows) else {"jd": [], "fid": []}
    columns = {
        "objectId": rows["objectId"].cast(pa.string()),
        "jd": pa.array(read["jd"], pa.float64(), from_pandas=True),
        "fid": _null_for_zero(np.asarray(read["fid"], np.int32)),
        "procstatus": _text(rows, "procstatus"),
    }
    for field in _FLUXES:
        columns[field] = pa.array(_numbers(rows, field), from_pandas=True)
    for field in _INTEGERS:
        columns[field] = _integers(rows, field)
    columns["zero_point"] = pa.array(np.full(len(rows), _psf_zero_point(rows, others)))
    table = add_fluxes(pa.table(columns))
    for field, given in zip(("flux", "flux_err"), _given_fluxes(rows, name), strict=True):
        place = table.column_names.index(field)
        given = pa.array(given, from_pandas=True)
        table = table.set_column(place, field, pc.coalesce(table[field], given))
    if len(table) and not pc.any(table["flux"].is_valid()).as_py():
        log.warning(
            "%s: none of its %d rows has a flux with an error and a zero point (the columns are "
            "%s)", name, len(table), ", ".join(rows.column_names[:8]),
        )  # fmt: skip
    return one_row_per_exposure(table.select(FORCED_SCHEMA.names).cast(FORCED_SCHEMA))


def _with_flux_names(rows):
    """Rename columns of fluxes; a unit in the name becomes a column with the zero point."""
    names = []
    for name in rows.column_names:
        plain = name.lower().replace("_", "")
        unit = next((unit for unit in _UNITS if "flux" in plain and unit in plain), "")
        plain = plain.replace(unit, "")
        new = "flux" if plain == "flux" else _OTHER_NAMES.get(plain, name)
        names.append(new if new not in rows.column_names else name)
        if unit and new == "flux" and "flux_zero_point" not in rows.column_names:
            rows = rows.append_column("flux_zero_point", pa.array(np.full(len(rows), _UNITS[unit])))
    return rows.rename_columns([*names, *rows.column_names[len(names) :]])


def _given_fluxes(rows, name):
    """The columns flux and flux_err in nJy."""
    flux, error, zero_point = (
        _numbers(rows, column) for column in ("flux", "flux_err", "flux_zero_point")
    )
    if "flux" in rows.column_names and not np.isfinite(zero_point).any():
        zero_point = np.full(len(rows), _zero_point_of(flux, error, name))
    return fluxes_in_nanojansky(flux, error, zero_point)


def _zero_point_of(flux, error, name):
    """The zero point that gives ZTF's limiting magnitudes for the errors; that of nJy if few."""
    if (error > 0).sum() < _ENOUGH_ROWS:
        return AB_NANOJANSKY
    typical = np.median(error[error > 0])
    found = find_zero_point(flux, np.full(len(flux), np.nan), error)
    limit = np.nan if found is None else found - 2.5 * np.log10(SNR_LIMIT * typical)
    # Counts (DN) are near enough to uJy to deceive a wider range.
    if found is None or (found != AB_NANOJANSKY and not _LIMITS[0] < limit < _LIMITS[1]):
        log.warning(
            "%s: the fluxes are left out, because their errors (typically %.3g) fit neither nJy "
            "nor uJy; name the unit, as in flux_ujy, or add a column zp with the AB zero point",
            name, typical,
        )  # fmt: skip
        return np.nan
    if found != AB_NANOJANSKY:
        log.warning("%s: the fluxes have the AB zero point %g, as their errors show", name, found)
    return found


def _with_good_status(rows, name):
    """Leave out rows with a status other than 0; without a status, a row counts as good."""
    if "procstatus" not in rows.column_names:
        return rows
    status = rows["procstatus"]
    if pa.types.is_null(status.type):
        return rows
    good = [one for one in pc.unique(status).to_pylist() if is_good_status(one)]
    is_good = pc.is_in(status, pa.array(good, status.type))
    if "flux" in rows.column_names:
        # A file of ztfml, in which rows of brokers that write no status have none.
        is_good = pc.or_(is_good, status.is_null())
    bad = rows.filter(pc.invert(is_good))
    if len(bad):
        log.warning(
            "%s: %d of %d rows with a procstatus other than 0 are left out (for example procstatus "
            "%s)", name, len(bad), len(rows), bad["procstatus"][0].as_py(),
        )  # fmt: skip
    return rows.filter(is_good)


def _null_for_zero(fid):
    return pa.array(fid, pa.int32(), mask=fid == 0)


def _numbers(rows, name):
    return numbers(rows[name]) if name in rows.column_names else np.full(len(rows), np.nan)


def _integers(rows, name):
    """Return whole numbers exactly; text and floats of a short number are read, too."""
    if name not in rows.column_names:
        return pa.nulls(len(rows), pa.int64())
    column = rows[name]
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    if pa.types.is_floating(column.type):
        return pc.cast(pc.round(column), pa.int64(), safe=False)
    text = column.cast(pa.string())
    is_number = pc.match_substring_regex(text, r"^-?\d{1,18}$")
    return pc.if_else(is_number, text, pa.scalar(None, pa.string())).cast(pa.int64())


def _text(rows, name):
    if name not in rows.column_names:
        return pa.nulls(len(rows), pa.string())
    text = rows[name].cast(pa.string())
    is_missing = pc.is_in(pc.utf8_lower(text), pa.array(MISSING_TEXTS))
    # All others are 0 in some spelling.
    return pc.if_else(pc.or_(is_missing, text.is_null()), pa.scalar(None, pa.string()), "0")


def _psf_zero_point(rows, others):
    tables = [rows] if others is None else [rows, others]
    flux, magpsf, error = (
        np.concatenate([_numbers(table, name) for table in tables])
        for name in ("psfFlux", "magpsf", "psfFluxErr")
    )
    zero_point = find_zero_point(flux, magpsf, error)
    if zero_point is None and not np.isfinite(magpsf * flux).any():
        return AB_NANOJANSKY  # The unit that BOOM and Babamul document.
    return np.nan if zero_point is None else zero_point
