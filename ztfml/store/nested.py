"""One row per object, with its light curve, forced photometry and alerts as nested columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.io.alert_table import alerts_to_arrow
from ztfml.io.nested import nest
from ztfml.lightcurves.forced import forced_to_arrow
from ztfml.lightcurves.history_table import history_to_arrow
from ztfml.night import Night
from ztfml.store.rows import objects_of

LIGHT_CURVE, FORCED, ALERTS = "lc", "forced", "alerts"

_CURVE = ["jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos"]
_FLUX = ["jd", "fid", "flux", "flux_err"]
_SCHEMA_OF_FLUX = pa.schema(
    [("objectId", "string"), ("jd", "float64"), ("fid", "int32"), ("flux", "float64"),
     ("flux_err", "float64")]
)  # fmt: skip


def nested_objects(night: Night) -> pa.Table:
    """Make a table with one row per object of a night.

    Parameters
    ----------
    night : Night

    Returns
    -------
    pyarrow.Table
        ``objectId``, ``ra``, ``dec`` (deg, of the first alert), and the nested columns ``lc`` (the
        history), ``forced`` (fluxes in nJy) and ``alerts`` (all columns of `Night.alerts`).
        `Night.from_nested` makes a night of it again. Objects without a position are left out.

    Raises
    ------
    DataError
        If the alerts have no positions.

    Examples
    --------
    >>> table = nested_objects(night)
    >>> table.column_names
    ['objectId', 'ra', 'dec', 'lc', 'forced', 'alerts']
    >>> len(table) == night.alerts["objectId"].nunique()
    True
    """
    objects_of(night)  # Checks that there are positions.
    alerts = alerts_to_arrow(night.alerts).rename_columns(list(night.alerts))
    first = _first_positions(night.alerts)
    names = pa.array(first.index, pa.string())
    forced = _SCHEMA_OF_FLUX.empty_table()
    if night.forced is not None:
        forced = forced_to_arrow(night.forced).select(_SCHEMA_OF_FLUX.names)
    history = history_to_arrow(night.history, night.object_ids)
    columns = {
        LIGHT_CURVE: _nested(history, names, _CURVE),
        FORCED: _nested(forced, names, _FLUX),
        ALERTS: _nested(
            alerts, names, [name for name in alerts.column_names if name != "objectId"]
        ),
    }
    places = {name: pa.array(first[name].to_numpy()) for name in ("ra", "dec")}
    return pa.table({"objectId": names, **places, **columns})


def _first_positions(alerts):
    placed = alerts[alerts["ra"].notna() & alerts["dec"].notna()]
    placed = placed.sort_values(["objectId", "jd", "ra", "dec"])
    first = placed.drop_duplicates("objectId").set_index("objectId")
    return pd.DataFrame(first[["ra", "dec"]])


def _nested(rows, names, columns):
    objects = rows["objectId"].cast(pa.string()).combine_chunks()
    code = pc.index_in(objects, value_set=names).fill_null(-1).to_numpy(zero_copy_only=False)
    code = np.asarray(code, int)
    order = np.lexsort([rows["jd"].to_numpy(), code])
    order = order[code[order] >= 0]
    return nest(rows.select(columns).take(pa.array(order)), code[order], len(names))
