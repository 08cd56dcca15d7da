"""Forced photometry of all objects as flat arrays: fluxes also where nothing was detected."""

import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ztfml.errors import DataError
from ztfml.io.companions import forced_beside
from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.io.parquet import WRITE_OPTIONS, open_parquet
from ztfml.lightcurves.history import rows_of_objects

log = logging.getLogger(__name__)

_NJY_PER_UJY = 1000.0
# A flux that could not be measured.
_NO_FLUX = -99999.0
# Julian dates of ZTF; others are in another unit.
_TIMES = (2_458_000.0, 2_480_000.0)
# Errors (nJy) of 5-sigma limits between 15.75 and 23 mag, as of ZTF images.
_ERRORS = (125.0, 4.0e5)
_ENOUGH_ROWS = 20
_REMEDY = "run ztfml ingest on the night, which converts it, or remove the file"


class Forced(NamedTuple):
    """Forced photometry of all objects, sorted by object, then by time.

    Attributes
    ----------
    jd : ndarray of float64, shape (n_rows,), d
    fid : ndarray of int8, shape (n_rows,)
        Filter: 1 (g), 2 (r), 3 (i).
    flux, flux_err : ndarray of float64, shape (n_rows,), microjansky
        Difference flux and its 1-sigma error, both finite; errors are positive.
    start : ndarray of int64, shape (n_objects + 1,)
        Object k has the rows ``start[k]:start[k + 1]``.
    object_ids : pyarrow.StringArray, shape (n_objects,)
        Other objects than those of the history, in another order.
    """

    jd: np.ndarray
    fid: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    start: np.ndarray
    object_ids: pa.StringArray

    def of_objects(self, names: pd.Series) -> "Forced":
        """Select the rows of some objects.

        Parameters
        ----------
        names : pandas.Series of str
            ZTF names; others than those of `object_ids` are ignored.

        Returns
        -------
        Forced

        Examples
        --------
        >>> row = {"jd": 2459000.7, "fid": 1, "flux": 500.0, "flux_err": 100.0}
        >>> rows = [row | {"objectId": name} for name in ("a", "b")]
        >>> forced = make_forced(pa.Table.from_pylist(rows, schema=FORCED_SCHEMA))
        >>> forced.of_objects(pd.Series(["b", "c"])).object_ids.to_pylist()
        ['b']
        """
        wanted = pa.array(names, pa.string(), from_pandas=True)
        code = np.flatnonzero(pc.is_in(self.object_ids, value_set=wanted).to_numpy(False))
        start, take = rows_of_objects(self.start, code)
        jd, fid, flux, err = (column[take] for column in self[:4])
        return Forced(jd, fid, flux, err, start, self.object_ids.take(pa.array(code)))


def make_forced(rows: pa.Table) -> Forced | None:
    """Make the arrays of a table of forced photometry.

    Parameters
    ----------
    rows : pyarrow.Table
        With ``objectId``, ``jd``, ``fid``, ``flux`` and ``flux_err`` (nJy) as in `FORCED_SCHEMA`,
        in any order. Rows without a valid time, band, flux or error are left out.

    Returns
    -------
    Forced or None
        None if no row is left.

    Examples
    --------
    >>> row = {"objectId": "a", "jd": 2459000.7, "fid": 1, "flux": 500.0, "flux_err": 100.0}
    >>> make_forced(pa.Table.from_pylist([row], schema=FORCED_SCHEMA)).flux
    array([0.5])
    """
    jd, fid, flux, err = (_floats(rows[name]) for name in ("jd", "fid", "flux", "flux_err"))
    named = rows["objectId"].is_valid().to_numpy()
    good = named & np.isfinite(jd) & np.isfinite(flux) & np.isfinite(err) & (err > 0)
    good &= (fid >= 1) & (fid <= 3)
    if not good.any():
        return None
    names = rows["objectId"]
    if not good.all():
        names = names.filter(pa.array(good))
        jd, fid, flux, err = (column[good] for column in (jd, fid, flux, err))
    encoded = names.cast(pa.string()).dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    values = encoded.dictionary
    code, by_name = encoded.indices.to_numpy(), pc.array_sort_indices(values).to_numpy()
    columns = (jd, fid.astype(np.int8), flux / _NJY_PER_UJY, err / _NJY_PER_UJY)
    # All columns decide on the order, so that it does not depend on that of the table.
    keys = (columns[0], columns[1], columns[3], columns[2])
    if not _is_sorted(code, *keys):
        order = np.lexsort((*reversed(keys), code))
        code, columns = code[order], tuple(column[order] for column in columns)
    start = np.searchsorted(code, np.arange(len(values) + 1))
    if not _is_sorted(by_name):
        start, take = rows_of_objects(start, by_name)
        columns = tuple(column[take] for column in columns)
    jd, fid, flux, err = columns
    return Forced(jd, fid, flux, err, start, values.take(pa.array(by_name)))


def _is_sorted(*keys):
    """Whether rows are sorted by the first key, then by the next; this is faster than sorting."""
    equal = np.ones(max(len(keys[0]) - 1, 0), bool)
    for key in keys:
        before, value = key[:-1], key[1:]
        if (equal & (before > value)).any():
            return False
        equal &= before == value
    return True


def load_forced(path: str | Path) -> Forced | None:
    """Read the file of forced photometry that `ztfml ingest` and `Night.save` write.

    Parameters
    ----------
    path : str or Path
        ``NAME_fp_hists.parquet``.

    Returns
    -------
    Forced or None
        None if no row has a valid flux.

    Raises
    ------
    DataError
        If the file is damaged, or has other columns.

    Examples
    --------
    >>> pq.write_table(FORCED_SCHEMA.empty_table(), "a_fp_hists.parquet")
    >>> load_forced("a_fp_hists.parquet")
    """
    names = ["objectId", "jd", "fid", "flux", "flux_err"]
    try:
        file = open_parquet(path)
        optional = [name for name in ["procstatus"] if name in file.schema_arrow.names]
        rows = _good_rows(file.read([*names, *optional]), path)
        return _each_exposure_once(make_forced(rows), path)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError(
            f"{path}: the columns {', '.join(names)} cannot be read "
            f"({str(error).splitlines()[0]}); repeat ztfml ingest, or remove the file"
        ) from error


def load_forced_beside(path: str | Path) -> Forced | None:
    """Read the forced photometry that belongs to a night, if there is any.

    Parameters
    ----------
    path : str or Path
        The file of the alerts.

    Returns
    -------
    Forced or None

    Raises
    ------
    DataError
        As `load_forced`.

    Examples
    --------
    >>> load_forced_beside("night.parquet")
    """
    forced = forced_beside(path)
    if forced.is_file():
        return load_forced(forced)
    for suffix in (".csv", ".csv.gz", ".tsv", ".json"):
        if (other := forced.with_suffix(suffix)).is_file():
            log.warning("%s is not read; run ztfml ingest on the night, which converts it", other)
    return None


def _good_rows(rows, path):
    """The rows with a measured flux and no bad status; times and units that are wrong are refused.

    Files that `ztfml ingest` writes have only such rows, but other programs write this name, too.
    """
    jd, flux, error = (_floats(rows[name]) for name in ("jd", "flux", "flux_err"))
    wrong = np.isfinite(jd) & ~((jd > _TIMES[0]) & (jd < _TIMES[1]))
    if wrong.any():
        raise DataError(
            f"{path}: the column jd has no Julian dates in {wrong.sum():,} of {len(jd):,} rows "
            f"(for example {jd[wrong][0]:.10g}); {_REMEDY}"
        )
    # Enough rows for a typical error.
    known = error[:: max(len(error) // 10_000, 1)]
    known = known[known > 0]
    if len(known) >= _ENOUGH_ROWS and not _ERRORS[0] < np.median(known) < _ERRORS[1]:
        raise DataError(
            f"{path}: the errors in flux_err (typically {np.median(known):.3g}) are not those of "
            f"fluxes in nJy; {_REMEDY}"
        )
    good = flux != _NO_FLUX
    if "procstatus" in rows.column_names:
        status = rows["procstatus"].cast(pa.string())
        good &= pc.is_in(status, pa.array(["0", None])).to_numpy()
    if not good.all():
        log.warning(
            "%s: %d of %d rows without a flux or with a procstatus other than 0 are left out",
            path, (~good).sum(), len(good),
        )  # fmt: skip
        rows = rows.filter(pa.array(good))
    return rows


def _each_exposure_once(forced, path):
    """Keep one row of each exposure, as `ztfml ingest` does."""
    if forced is None:
        return None
    # Imported here because numba takes a third of a second, and most nights have no such file.
    from ztfml.lightcurves.exposures import SAME_EXPOSURE
    from ztfml.lightcurves.forced_table import one_row_per_exposure

    step = np.diff(forced.jd)
    repeated = (step >= 0) & (step <= SAME_EXPOSURE) & (forced.fid[1:] == forced.fid[:-1])
    repeated[forced.start[1:-1] - 1] = False
    if not repeated.any():
        return forced
    log.warning("%s: %d exposures are repeated; each is used once", path, repeated.sum())
    return make_forced(one_row_per_exposure(forced_to_arrow(forced)))


def _floats(column):
    return column.cast(pa.float64()).to_numpy()


def write_forced(forced: Forced | None, path: Path) -> None:
    """Write forced photometry to a new file with the columns of `FORCED_SCHEMA`.

    Columns that `Forced` does not have are null.

    Parameters
    ----------
    forced : Forced or None
        If None, the file is removed.
    path : Path

    Examples
    --------
    >>> row = {"objectId": "a", "jd": 2459000.7, "fid": 1, "flux": 500.0, "flux_err": 100.0}
    >>> rows = pa.Table.from_pylist([row], schema=FORCED_SCHEMA)
    >>> write_forced(make_forced(rows), Path("b_fp_hists.parquet"))
    >>> load_forced("b_fp_hists.parquet").flux
    array([0.5])
    """
    if forced is None:
        path.unlink()
        return
    pq.write_table(forced_to_arrow(forced), path, **WRITE_OPTIONS)


def forced_to_arrow(forced: Forced) -> pa.Table:
    """Convert forced photometry to the layout of a file.

    Parameters
    ----------
    forced : Forced

    Returns
    -------
    pyarrow.Table
        With the columns of `FORCED_SCHEMA`; those that `Forced` does not have are null.

    Examples
    --------
    >>> row = {"objectId": "a", "jd": 2459000.7, "fid": 1, "flux": 500.0, "flux_err": 100.0}
    >>> forced = make_forced(pa.Table.from_pylist([row], schema=FORCED_SCHEMA))
    >>> forced_to_arrow(forced)["flux"].to_pylist()
    [500.0]
    """
    code = np.repeat(np.arange(len(forced.object_ids)), np.diff(forced.start))
    known = {
        "objectId": forced.object_ids.take(pa.array(code)),
        "jd": forced.jd,
        "fid": forced.fid,
        "flux": forced.flux * _NJY_PER_UJY,
        "flux_err": forced.flux_err * _NJY_PER_UJY,
    }
    columns = [
        pa.array(known[column.name]).cast(column.type)
        if column.name in known
        else pa.nulls(len(code), column.type)
        for column in FORCED_SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=FORCED_SCHEMA)
