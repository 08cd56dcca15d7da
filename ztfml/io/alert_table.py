"""The alert table of a night: from the columns of a file to a DataFrame, and back."""

import logging
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml import schema
from ztfml.astrophysics import night_of
from ztfml.errors import DataError
from ztfml.io.alert_positions import check_positions
from ztfml.io.detections import drop_limits_given_as_magnitudes
from ztfml.io.values import utc_date

log = logging.getLogger(__name__)

# Names of other surveys: the numbers of LSST have 18 digits.
_OTHER_NAMES = re.compile(
    r"(?P<LSST>\d{12,}|LSST\S*)|(?P<ATLAS>ATLAS\S*)|(?P<Gaia>Gaia\s?(DR\d\s)?\d\S*)"
    r"|(?P<PS1>PS\d\d?\S*)|(?P<TNS>(SN|AT)\s?\d{4}[A-Za-z]+)"
)


def with_prefixes(alerts: pa.Table) -> pa.Table:
    """Rename columns without prefix, such as those of `Night.alerts`, as in a file.

    Parameters
    ----------
    alerts : pyarrow.Table

    Returns
    -------
    pyarrow.Table
        A column that has its prefix already is unchanged, and hides one without prefix.

    Examples
    --------
    >>> with_prefixes(pa.table({"candid": [1], "jd": [2459000.5]})).column_names
    ['candid', 'candidate.jd']
    """
    in_file = {}
    for column in schema.ALERT_INPUTS:
        with_prefix = [column.in_file, *column.aliases]
        if not set(with_prefix) & set(alerts.column_names):
            # Before schema 2.0, the fields of the PS1 match have no number.
            bare = [name.removeprefix(column.prefix) for name in with_prefix]
            found = [name for name in bare if name in alerts.column_names]
            in_file |= dict.fromkeys(found[:1], column.in_file)
    place = alerts.schema.get_field_index("isdiffpos")
    if "isdiffpos" in in_file and pa.types.is_int8(alerts.schema.field(place).type):
        # In a night 0 means unknown, in a file it means negative.
        spelling = spell_signs(alerts["isdiffpos"].to_numpy())
        alerts = alerts.set_column(place, "isdiffpos", spelling)
    return alerts.rename_columns([in_file.get(name, name) for name in alerts.column_names])


def make_alerts(columns: dict, name: str) -> pd.DataFrame:
    """Make the table of `Night.alerts`, and log a warning for absent columns.

    Parameters
    ----------
    columns : dict
        Returned by `ztfml.io.columns.read_columns`.
    name : str
        Used in messages.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        If there are no alerts.
    """
    if len(columns["candid"]) == 0:
        raise DataError(f"{name}: the night is empty; use a file with at least one alert")
    _refuse_other_surveys(columns["objectId"], name)
    drop_limits_given_as_magnitudes(columns, name)
    columns = _without_unversioned_drb(columns, name)
    alerts = pd.DataFrame(columns, copy=False)
    repeated = alerts["candid"].duplicated()
    if repeated.any():
        log.warning(
            "%s: %d alerts repeat the candid of an earlier row and are ignored",
            name,
            repeated.sum(),
        )
        alerts = alerts[~repeated].reset_index(drop=True)
    _warn_of_absent_columns(alerts, name)
    _report_nights(alerts["jd"].to_numpy(), name)
    if {"ra", "dec"} <= set(alerts.columns):
        ra, dec, jd = (alerts[column].to_numpy() for column in ("ra", "dec", "jd"))
        check_positions(ra, dec, jd, name)
    return alerts


def _report_nights(jd, name):
    nights = np.unique(night_of(jd[np.isfinite(jd)]))
    if len(nights) > 1:
        log.info(
            "%s: the alerts are of %d nights, from %s to %s",
            name, len(nights), utc_date(nights[0]), utc_date(nights[-1]),
        )  # fmt: skip


def _refuse_other_surveys(names, name):
    """Raise an error if the objects have names of another survey."""
    matches = [_OTHER_NAMES.fullmatch(str(one).strip()) for one in names[:100]]
    if all(matches):
        raise DataError(
            f"{name}: the column objectId has names of {matches[0].lastgroup} in {len(names)} rows "
            f"(for example {names.iloc[0]!r}), not of ZTF such as ZTF18abukavn; use the ZTF names"
        )


def _without_unversioned_drb(columns, name):
    """Make a drb of 0 without a version NaN, and drop the version.

    Brokers write 0 for alerts before schema 3.3, which have no drb. Without a column of versions,
    zeros are values, unless all values are zero.
    """
    columns = dict(columns)
    version = columns.pop(schema.DRB_VERSION.name, None)
    if "drb" not in columns:
        return columns
    drb = columns["drb"]
    missing = drb == 0
    if version is not None:
        missing &= version.isna().to_numpy()
    elif missing.sum() < np.count_nonzero(~np.isnan(drb)):
        missing[:] = False
    if missing.any():
        log.warning(
            "%s: candidate.drb is 0 and has no version in %d of %d alerts, where it counts as "
            "missing",
            name, missing.sum(), len(drb),
        )  # fmt: skip
        columns["drb"] = np.where(missing, np.nan, drb)
    return columns


def _warn_of_absent_columns(alerts, name):
    absent = [
        column.name
        for column in schema.ALERT_COLUMNS
        if column.name not in alerts and column.prefix == "candidate."
    ]
    no_drb = "drb" not in alerts or alerts["drb"].isna().all()
    if no_drb and "rb" in alerts:
        log.warning("%s: there is no candidate.drb; candidate.rb is used instead", name)
        absent = [field for field in absent if field != "drb"]
    if absent:
        log.warning(
            "%s: there is no %s; features that need them are NaN",
            name,
            _shorten([f"candidate.{field}" for field in absent]),
        )


def _shorten(names, most=6):
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def alerts_to_arrow(alerts: pd.DataFrame) -> pa.Table:
    """Convert the table of `Night.alerts` to the layout of a file.

    Parameters
    ----------
    alerts : pandas.DataFrame

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> alerts_to_arrow(night.alerts).column("candidate.isdiffpos")[0].as_py() in ("t", "f")
    True
    """
    return pa.table(
        {
            schema.ALERT_BY_NAME[name].in_file: spell_signs(alerts[name].to_numpy())
            if name == "isdiffpos"
            else pa.array(alerts[name], from_pandas=True)
            for name in alerts
        }
    )


def spell_signs(sign: np.ndarray) -> pa.Array:
    """Spell signs as ZTF packets do: 't', 'f', or null where unknown.

    Parameters
    ----------
    sign : ndarray of int
        +1, -1 or 0.

    Returns
    -------
    pyarrow.StringArray

    Examples
    --------
    >>> spell_signs(np.array([1, -1, 0])).to_pylist()
    ['t', 'f', None]
    """
    positive = pa.array(np.where(sign > 0, 1, 0), mask=sign == 0)
    return pc.take(pa.array([schema.SPELLING_OF_SIGN[-1], schema.SPELLING_OF_SIGN[1]]), positive)


def latest_rows(alerts: pd.DataFrame) -> np.ndarray:
    """Return the rows of the latest alert of each object, in the order of the table.

    Parameters
    ----------
    alerts : pandas.DataFrame
        With ``objectId``, ``jd`` and ``candid``. If two alerts of an object have the same jd,
        the larger candid is the later one.

    Returns
    -------
    ndarray of int, shape (n_objects,)

    Examples
    --------
    >>> alerts = pd.DataFrame({"objectId": ["a", "b", "a"], "jd": [2.0, 1, 1], "candid": [1, 2, 3]})
    >>> latest_rows(alerts)
    array([0, 1])
    """
    order = np.lexsort([alerts["candid"], alerts["jd"]])
    latest = ~alerts["objectId"].iloc[order].duplicated(keep="last").to_numpy()
    return np.sort(order[latest])
