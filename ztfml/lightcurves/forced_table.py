"""Forced photometry of a night: one row per exposure.

ZTF measures the flux at the position of an alert in all images of the last 30 days and sends it
with the packet (``fp_hists``, schemas 4.x). Features of the group ``forced`` use
it.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.io.forced_schema import FORCED_SCHEMA


def one_row_per_exposure(rows: pa.Table) -> pa.Table:
    """Sort forced photometry by object and time, and keep one row of each exposure.

    Rows of one object and band within 2e-4 d are one exposure. The row with a flux, then the one
    with the smaller error, then the one with the larger flux is kept.

    Parameters
    ----------
    rows : pyarrow.Table
        Columns of `FORCED_SCHEMA`. Rows without objectId or jd are left out.

    Returns
    -------
    pyarrow.Table
        Columns of `FORCED_SCHEMA`.

    Examples
    --------
    >>> row = {"objectId": "ZTF18abukavn", "jd": 2459000.5, "fid": 1, "flux": 5.0}
    >>> rows = [row | {"flux_err": 2.0}, row | {"jd": 2459000.50004, "flux_err": 1.0}]
    >>> one_row_per_exposure(pa.Table.from_pylist(rows, schema=FORCED_SCHEMA))["jd"].to_pylist()
    [2459000.50004]
    """
    # Imported here because numba takes a third of a second, and most nights have no such rows.
    from ztfml.lightcurves.exposures import SAME_EXPOSURE

    rows = rows.filter(pc.and_(rows["objectId"].is_valid(), pc.is_finite(rows["jd"])))
    encoded = rows["objectId"].combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_numpy(zero_copy_only=False).astype(object)
    code = np.argsort(np.argsort(names))[encoded.indices.to_numpy()]
    jd, flux, error = (_floats(rows[name]) for name in ("jd", "flux", "flux_err"))
    fid = rows["fid"].fill_null(0).to_numpy()
    order = np.lexsort((jd, fid, code))
    same = (np.diff(code[order]) == 0) & (np.diff(fid[order]) == 0)
    is_new = ~same | (np.diff(jd[order]) > SAME_EXPOSURE)
    exposure = np.empty(len(order), np.int64)
    exposure[order] = np.cumsum(np.concatenate([[0], is_new]))[: len(order)]
    order = np.lexsort((jd, -flux, error, np.isnan(flux), exposure))
    first = np.concatenate([[True], np.diff(exposure[order]) > 0])[: len(order)]
    keep = order[first]
    keep = keep[np.lexsort((fid[keep], jd[keep], code[keep]))]
    return rows.select(FORCED_SCHEMA.names).take(pa.array(keep)).cast(FORCED_SCHEMA)


def _floats(column):
    return column.cast(pa.float64()).to_numpy()
