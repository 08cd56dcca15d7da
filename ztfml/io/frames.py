"""Convert DataFrames of any origin to Arrow tables that `ztfml.io.columns` can clean."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.errors import DataError
from ztfml.schema import Column

log = logging.getLogger(__name__)

_SIMPLE_TYPES = (pa.null(), pa.bool_(), pa.int64(), pa.float64(), pa.string())


def frame_to_table(frame: pd.DataFrame, columns: Sequence[Column], name: str) -> pa.Table:
    """Convert a DataFrame to an Arrow table with one column per name.

    Named levels of the index become columns. An index without a name becomes ``objectId`` if it
    contains text and there is no such column. Columns that ztfml does not use are kept if they
    are simple, and omitted if they contain lists, images or other objects.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : sequence of Column
        The columns that the table is needed for, e.g. `ztfml.schema.ALERT_COLUMNS`.
    name : str
        Name of the table in messages.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    DataError
        If two different columns have the same name, or a needed column cannot be converted.

    Examples
    --------
    >>> frame = pd.DataFrame({"jd": [2459000.5], "image": [np.zeros((2, 2))]}, index=["ZTF18a"])
    >>> frame_to_table(frame, (), "night").column_names
    ['jd', 'objectId']
    """
    needed = {column.name for column in columns} | {column.in_file for column in columns}
    needed |= {alias for column in columns for alias in column.aliases}
    arrays = {}
    for label, values in _all_columns(frame, name):
        try:
            arrays[label] = series_to_array(values, label in needed)
        except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError) as error:
            if label in needed:
                first = str(error).split("\n")[0]
                raise DataError(
                    f"{name}: the column {label} has the type {values.dtype} and cannot be "
                    f"converted ({first}); convert it to numbers or text"
                ) from error
    arrays = {label: array for label, array in arrays.items() if array is not None}
    return pa.table(list(arrays.values()), names=list(arrays))


def _all_columns(frame, name):
    """Yield the name and the values of each column, then of each usable level of the index."""
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"{name}: this is a {type(frame).__name__}, not a pandas.DataFrame; convert it"
        )
    places: dict[str, list[int]] = {}
    for place, label in enumerate(frame.columns):
        places.setdefault(_as_name(label), []).append(place)
    for label, repeated in places.items():
        if len(repeated) > 1:
            _check_equal([frame.iloc[:, place] for place in repeated], label, name)
        yield label, frame.iloc[:, repeated[0]]
    for label, level in _index_levels(frame.index):
        if label not in places:
            yield label, level
            places[label] = []


def _as_name(label):
    # Columns with several levels, such as ("candidate", "jd").
    if isinstance(label, tuple):
        return ".".join(str(part) for part in label if part != "")
    return str(label)


def _check_equal(repeats, label, name):
    first = repeats[0]
    for other in repeats[1:]:
        # As text, so that the same values in another type are equal.
        same = first.isna().to_numpy() == other.isna().to_numpy()
        same &= (first.astype(str) == other.astype(str)).to_numpy(bool) | first.isna().to_numpy()
        if not same.all():
            row = int(np.flatnonzero(~same)[0])
            raise DataError(
                f"{name}: {len(repeats)} columns have the name {label} and differ in "
                f"{int((~same).sum())} rows (for example {first.iloc[row]!r} and "
                f"{other.iloc[row]!r}); keep one of them"
            )
    log.warning("%s: %d equal columns have the name %s; one is used", name, len(repeats), label)


def _index_levels(index):
    for place, label in enumerate(index.names):
        level = pd.Series(index.get_level_values(place))
        if label is not None:
            yield _as_name(label), level
        elif pd.api.types.infer_dtype(level, skipna=True) == "string":
            yield "objectId", level


def series_to_array(values: pd.Series, is_needed: bool = True) -> pa.Array | None:
    """Convert a column to Arrow; also mixed objects, which become numbers or text.

    Parameters
    ----------
    values : pandas.Series
    is_needed : bool
        Return None for a column of objects that are not text, instead of converting it.

    Returns
    -------
    pyarrow.Array or None
        Without dictionaries of numbers, large types or nested types.

    Examples
    --------
    >>> series_to_array(pd.Series([1, "2", None], dtype=object)).to_pylist()
    ['1', '2', None]
    """
    if values.dtype == object:
        kind = pd.api.types.infer_dtype(values, skipna=True)
        if not is_needed and kind not in ("string", "empty"):
            return None
        return list_to_array(values.tolist())
    if isinstance(values.dtype, pd.SparseDtype):
        values = values.sparse.to_dense()
    array = pa.array(values, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    array = plain_array(array)
    if not is_needed and pa.types.is_nested(array.type):
        return None
    return array


def plain_array(array: pa.Array) -> pa.Array:
    """Replace dictionaries of numbers, large text and decimals by simple types.

    Parameters
    ----------
    array : pyarrow.Array

    Returns
    -------
    pyarrow.Array

    Examples
    --------
    >>> plain_array(pa.array(["g"], pa.large_string())).type
    DataType(string)
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        if pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type):
            return array
        return plain_array(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain_array(pc.run_end_decode(array))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return array.cast(pa.string())
    if pa.types.is_decimal(kind):
        # Numbers of 19 digits are exact as integers only.
        return array.cast(pa.int64() if kind.scale == 0 else pa.float64())
    return array


def list_to_array(values: list[Any]) -> pa.Array:
    """Convert a list of Python values to Arrow: integers, floats, truth values, or text.

    Integers stay exact: a list of integers and floats becomes text if an integer needs more
    than 53 bits.

    Parameters
    ----------
    values : list
        None, NaN and `pandas.NA` are missing.

    Returns
    -------
    pyarrow.Array

    Examples
    --------
    >>> list_to_array([617155240115015005, None]).to_pylist()
    [617155240115015005, None]
    >>> list_to_array([1, 2.5, np.nan]).to_pylist()
    [1.0, 2.5, None]
    >>> list_to_array(["t", b"f", True]).to_pylist()
    ['t', 'f', 'True']
    """
    try:
        # The usual case of one type, ten times faster than a loop in Python.
        array = pa.array(values, from_pandas=True)
        if array.type in _SIMPLE_TYPES:
            return array
    except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError):
        pass  # Mixed types.
    values = [None if _is_missing(value) else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= {bool, np.bool_}:
        return pa.array(values, pa.bool_())
    if all(issubclass(kind, int | np.integer) and kind is not bool for kind in kinds):
        if all(value is None or -(2**63) <= value < 2**63 for value in values):
            return pa.array(values, pa.int64())
    elif all(issubclass(kind, int | float | np.number) and kind is not bool for kind in kinds):
        exact = all(not _is_long(value) for value in values)
        if exact:
            return pa.array([None if value is None else float(value) for value in values])
    return pa.array([_as_text(value) for value in values], pa.string())


def _is_missing(value):
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _is_long(value):
    return isinstance(value, int | np.integer) and abs(int(value)) > 2**53


def _as_text(value):
    if value is None or isinstance(value, str):
        return value
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
