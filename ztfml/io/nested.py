"""Tables with one row per object and nested rows, as in nested-pandas and HATS catalogues."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.errors import DataError


def nest(table: pa.Table, code: np.ndarray, n_objects: int) -> pa.StructArray:
    """Make a nested column from rows.

    Parameters
    ----------
    table : pyarrow.Table
    code : ndarray of int, shape (n_rows,)
        The object of each row, in increasing order.
    n_objects : int

    Returns
    -------
    pyarrow.StructArray
        A struct of one list for each column.

    Examples
    --------
    >>> nest(pa.table({"jd": [1.5, 2.5]}), np.array([1, 1]), 2).to_pylist()
    [{'jd': []}, {'jd': [1.5, 2.5]}]
    """
    offsets = pa.array(np.searchsorted(code, np.arange(n_objects + 1)), pa.int32())
    lists = [
        pa.ListArray.from_arrays(offsets, _one_chunk(column.combine_chunks()))
        for column in table.columns
    ]
    return pa.StructArray.from_arrays(lists, table.column_names)


def unnest(table: pa.Table, name: str) -> pa.Table:
    """Take the rows of a nested column, with the name of their object.

    Parameters
    ----------
    table : pyarrow.Table
        With ``objectId``, and a column of structs of lists, or of lists of structs.
    name : str

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    DataError
        If the table has no such column, or it is not nested.

    Examples
    --------
    >>> column = nest(pa.table({"jd": [1.5, 2.5]}), np.array([0, 1]), 2)
    >>> unnest(pa.table({"objectId": ["a", "b"], "lc": column}), "lc").to_pylist()
    [{'objectId': 'a', 'jd': 1.5}, {'objectId': 'b', 'jd': 2.5}]
    """
    absent = {"objectId", name} - set(table.column_names)
    if absent:
        raise DataError(
            f"nested table: there is no column {min(absent)}; use a table that `ztfml export` wrote"
        )
    column = _one_chunk(table[name].combine_chunks())
    if pa.types.is_struct(column.type) and column.type.num_fields:
        lists = dict(zip((one.name for one in column.type), column.flatten(), strict=True))
        parents = pc.list_parent_indices(next(iter(lists.values())))
        columns = {field: pc.list_flatten(values) for field, values in lists.items()}
    elif _is_list(column.type) and pa.types.is_struct(column.type.value_type):
        parents, flat = pc.list_parent_indices(column), pc.list_flatten(column)
        columns = dict(zip((one.name for one in flat.type), flat.flatten(), strict=True))
    else:
        raise DataError(
            f"nested table: the column {name} contains {column.type}, not nested rows; use a table "
            "that `ztfml export` wrote"
        )
    columns.pop("objectId", None)
    objects = _one_chunk(table["objectId"].combine_chunks()).take(parents)
    return pa.table({"objectId": objects, **columns})


def as_table(rows: pa.Table | pd.DataFrame) -> pa.Table:
    """Convert a table of nested-pandas, or return an Arrow table as it is.

    Parameters
    ----------
    rows : pyarrow.Table or pandas.DataFrame
        ``objectId`` may be the index.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> as_table(pd.DataFrame({"objectId": ["a"]})).column_names
    ['objectId']
    """
    if isinstance(rows, pa.Table):
        return rows
    if rows.index.name == "objectId":
        rows = rows.reset_index()
    return pa.table({name: pa.array(rows[name]) for name in rows.columns})


def _is_list(kind):
    # nested-pandas converts its columns to large lists.
    return pa.types.is_list(kind) or pa.types.is_large_list(kind)


def _one_chunk(column):
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column
