"""Compare the candids and object names of a table with those of a night.

A candid has 19 digits. A floating-point number holds 15 to 17 of them, so a candid that was stored
as one refers to another alert, or to none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from ztfml.errors import LabelError
from ztfml.night import Night

# Larger integers are not exact as float64.
_EXACT_BELOW = 2**53
# Spreadsheets keep 15 digits of 19.
_LAST_FOUR_DIGITS = 10_000

REMEDY = "export the candids as text or as 64-bit integers, not from a spreadsheet"
"""What to do about a candid that has lost digits."""


def has_lost_digits(candids: np.ndarray) -> np.ndarray:
    """Return True for candids that look as if they had been stored as floating-point numbers.

    One candid in 100 to 500 looks like this by chance.

    Parameters
    ----------
    candids : ndarray of int64

    Returns
    -------
    ndarray of bool

    Examples
    --------
    >>> has_lost_digits(np.array([2481114531315015022, 2481114531315015168, 7]))
    array([False,  True, False])
    """
    candids = np.asarray(candids, np.int64)
    is_rounded = (_through_float(candids) == candids) | (candids % _LAST_FOUR_DIGITS == 0)
    return is_rounded & (np.abs(candids) > _EXACT_BELOW)


def check_candids(
    night: Night, candids: np.ndarray, object_ids: np.ndarray | None, place: Callable[[int], str]
) -> None:
    """Refuse a table whose candids belong to other objects in a night, or have lost digits.

    Parameters
    ----------
    night : Night
    candids : ndarray of int64
    object_ids : ndarray of str or None
        The object of each candid according to the table; ``''`` or None if it is unknown.
    place : callable
        Takes a position in the table and returns its file and row, for the message.

    Raises
    ------
    LabelError
        If a candid has another object name in the night, or is not in the night but is the
        candid of one of its alerts with the last digits rounded.

    Examples
    --------
    >>> first = night.alerts[:1]
    >>> check_candids(night, first["candid"], first["objectId"], lambda row: f"row {row}")
    >>> check_candids(night, first["candid"], np.array(["ZTF00a"]), lambda row: f"row {row}")
    Traceback (most recent call last):
        ...
    ztfml.errors.LabelError: row 0: the candid ... is of ZTF00a in this row, but of ZTF...
    """
    candids = np.asarray(candids, np.int64)
    names = None if object_ids is None else np.asarray(object_ids, object)
    alerts = night.alerts.drop_duplicates("candid")
    known = alerts["candid"].to_numpy(np.int64)
    known_names = alerts["objectId"].to_numpy(object)
    at = pd.Index(known).get_indexer(candids)
    if names is not None:
        wrong = (at >= 0) & (names != "") & (names != known_names[at])
        if wrong.any():
            row = int(np.argmax(wrong))
            raise LabelError(
                f"{place(row)}: the candid {candids[row]} is of {names[row]} in this row, but of "
                f"{known_names[at[row]]} in {night.name} ({wrong.sum()} such rows); {REMEDY}"
            )
    lost = (at < 0) & has_lost_digits(candids)
    near = np.isin(candids, _through_float(known))
    # pandas, because np.isin compares each name with each other one.
    lost &= near if names is None else near | pd.Index(names).isin(known_names)
    for row in map(int, np.flatnonzero(lost)):
        name = None if names is None or names[row] == "" else names[row]
        alert = _rounded_from(candids[row], name, known, known_names)
        if alert is not None:
            raise LabelError(
                f"{place(row)}: the candid {candids[row]} of {name or 'this row'} has lost its "
                f"last digits, because {night.name} has {known[alert]} of {known_names[alert]} "
                f"instead ({lost.sum()} such candids); {REMEDY}"
            )


def _through_float(candids):
    # A float64 of 2**63 does not fit into an int64.
    return np.minimum(candids.astype(np.float64), np.nextafter(2.0**63, 0)).astype(np.int64)


def _rounded_from(candid, name, known, known_names):
    """Return the alert whose candid becomes the given one by rounding, or None."""
    same = _through_float(known) == candid
    if name is not None:
        # Rounded or cut after 15 digits; only with a name, because neighbours are as near.
        same |= (candid % _LAST_FOUR_DIGITS == 0) & (np.abs(known - candid) < _LAST_FOUR_DIGITS)
        same &= known_names == name
    return int(np.argmax(same)) if same.any() else None
