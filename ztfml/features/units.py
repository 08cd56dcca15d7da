"""Features as a table of astropy with units."""

from typing import TYPE_CHECKING

import pandas as pd

from ztfml.features.groups import BROKER, FEATURES

if TYPE_CHECKING:
    from astropy.table import QTable


def with_units(table: pd.DataFrame) -> "QTable":
    """Convert a table of features to a table of astropy with units.

    Parameters
    ----------
    table : pandas.DataFrame
        From `ztfml.features.compute`; columns that are not features are kept without a unit.

    Returns
    -------
    astropy.table.QTable

    Examples
    --------
    >>> quantities = with_units(table)
    >>> quantities["age"].unit, quantities["fade_rate_r"].unit
    (Unit("d"), Unit("mag / d"))
    """
    from astropy.table import QTable

    units = {one.name: one.unit for one in (*FEATURES, *BROKER.features) if one.unit}
    columns = {str(name): table[name].to_numpy() for name in table.columns}
    return QTable(columns, units={name: unit for name, unit in units.items() if name in columns})
