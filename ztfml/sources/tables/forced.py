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
from ztfml.sources.flux import AB_NANOJANSKY, find_zero_point
from ztfml.sources.forced import add_fluxes, is_good_status
from ztfml.sources.tables.names import numbers, rename_columns, without_prefix

log = logging.getLogger(__name__)

# Times and bands are read with all the spellings of a history.
_READ = tuple(column for column in schema.HISTORY_COLUMNS if column.name in ("jd", "fid"))
_FLUXES = (
    "forcediffimflux", "forcediffimfluxunc", "magzpsci", "psfFlux", "psfFluxErr", "diffmaglim",
)  # fmt: skip
_INTEGERS = ("pid", "programid", "field", "rcid", "rfid")


def forced_of_rows(rows: pa.Table, name: str, others: pa.Table | None = None) -> pa.Table:
    """Convert rows of forced photometry of any broker to the columns of `FORCED_SCHEMA`.

    Rows with a processing status other than 0 are left out and counted, and each exposure is kept
    once.

    Parameters
    ----------
    rows : pyarrow.Table
        ``objectId``, a time, a band, and fluxes: `forcediffimflux`, `forcediffimfluxunc` and
        `magzpsci`; `psfFlux` and `psfFluxErr`; or `flux` and `flux_err` (nJy).
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
    rows = without_prefix(rename_columns(rows, name))
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
    for field in ("flux", "flux_err"):
        place = table.column_names.index(field)
        given = pa.array(_numbers(rows, field), from_pandas=True)
        table = table.set_column(place, field, pc.coalesce(table[field], given))
    return one_row_per_exposure(table.select(FORCED_SCHEMA.names).cast(FORCED_SCHEMA))


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
