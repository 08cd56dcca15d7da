"""Documents and tables with one alert per row and its history nested in it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ztfml.errors import DataError
from ztfml.sources.tables.documents import parse_text, rows_to_table
from ztfml.sources.tables.forced import forced_of_rows
from ztfml.sources.tables.names import (
    NESTED_COLUMNS,
    canonical_name,
    rename_columns,
    required_names,
)
from ztfml.sources.tables.night_tables import NightTables, select_history, stack

HISTORY_LISTS = ("prv_candidates", "prv_nondetections")
"""Lists of earlier detections and limits; BOOM has the limits in a list of their own."""

_FORCED = "fp_hists"
_RECORDS = ("candidate", "classifications")
# Required fields with which a document is an alert, even without a record ``candidate``.
_ENOUGH = 4


def tables_of_documents(
    documents: Sequence[dict], name: str, all_columns: bool = False
) -> NightTables:
    """Take alerts and history from documents with ``candidate`` and ``prv_candidates``.

    A document without ``candidate`` is the history of an object, as in the auxiliary collections
    of Kowalski and BOOM. Its latest detection is an alert if there is no other one.

    Parameters
    ----------
    documents : sequence of dict
    name : str
        Used in messages.
    all_columns : bool
        Whether to keep also columns that ztfml does not use.

    Returns
    -------
    NightTables

    Examples
    --------
    >>> alert = {"objectId": "ZTF18abukavn", "candid": 7, "candidate": {"jd": 2459002.5}}
    >>> tables = tables_of_documents([alert | {"prv_candidates": [{"jd": 2459001.5}]}], "a.json")
    >>> tables.alerts.to_pylist(), tables.history.to_pylist()
    ([{'jd': 2459002.5, 'objectId': 'ZTF18abukavn', 'candid': 7}], [{'objectId': 'ZTF18abukavn', \
'jd': 2459001.5}])
    """
    alerts, history, rows, forced = [], [], [], []
    with_alert = {_object_of(one) for one in documents if _candidate_of(one) is not None}
    for document in documents:
        object_id = _object_of(document)
        candidate = _candidate_of(document)
        earlier = _rows_of(document, HISTORY_LISTS, object_id, name)
        if candidate is not None:
            alerts.append(_alert_of(document, candidate, all_columns))
            history += earlier
        elif object_id in with_alert:
            history += earlier
        else:
            rows += earlier
        forced += _rows_of(document, (_FORCED,), object_id, name)
    earlier = rename_columns(rows_to_table(history, all_columns), name)
    rows = rename_columns(rows_to_table(rows, all_columns), name)
    return NightTables(
        name,
        alerts=rename_columns(rows_to_table(alerts, all_columns), name),
        history=select_history(earlier, all_columns),
        rows=rows,
        forced=_forced_of_documents(forced, stack([earlier, rows]), name),
        one_alert_per_object=True,
        alerts_are_history=True,
    )


def _alert_of(document, candidate, all_columns):
    """Return the fields of an alert in one dict, with the prefixes that the file of alerts has."""
    top = {key: one for key, one in document.items() if not isinstance(one, dict | list)}
    scores = document.get("classifications")
    scores = scores if isinstance(scores, dict) else {}
    others = {}
    if all_columns:
        candidate = {_with_prefix(key, "candidate."): one for key, one in candidate.items()}
        scores = {_with_prefix(key, "classifications."): one for key, one in scores.items()}
        read = ("candidate", "classifications", _FORCED, *HISTORY_LISTS)
        others = {key: one for key, one in document.items() if key not in read}
    alert = {**others, **candidate, **scores, **top}
    # In the collections of BOOM, the key of a document is the candid.
    key = alert.pop("_id", None)
    if isinstance(key, int) and not any(canonical_name(name) == "candid" for name in alert):
        alert["candid"] = key
    return alert


def _with_prefix(key, prefix):
    return key if canonical_name(key) else prefix + key


def _forced_of_documents(rows, others, name):
    # Rows of BOOM have no status, because only good ones are in its answers.
    if any("procstatus" in row for row in rows):
        rows = [{"procstatus": "0", **row} for row in rows]
    return forced_of_rows(rows_to_table(rows, all_columns=True), name, others)


def _candidate_of(document):
    """Return the fields of the candidate, which may also be at the top; None without them."""
    candidate = document.get("candidate")
    if isinstance(candidate, list) and len(candidate) == 1:
        candidate = candidate[0]
    if isinstance(candidate, dict):
        return candidate
    return {} if len(required_names(document)) >= _ENOUGH else None


def _rows_of(document, keys, object_id, name):
    """Return the rows in lists of a document, with the name of its object."""
    rows = []
    for key in keys:
        found = document.get(key) or []
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise DataError(
                f"{name}: {key} contains {str(found)[:40]!r}, not a list of records; export it as "
                "a list of objects with jd, fid, magpsf, ..."
            )
        rows += found
    return [{**row, "objectId": object_id} for row in rows]


def _object_of(document):
    names = [key for key in document if canonical_name(key) == "objectId"]
    found = next((document[key] for key in names if document[key]), None)
    # The auxiliary collections have the name of the object as their key.
    return found or document.get("_id")


def tables_of_nested(table: pa.Table, name: str, all_columns: bool = False) -> NightTables:
    """Take alerts and history from a table with struct and list columns.

    Parameters
    ----------
    table : pyarrow.Table
        ``candidate`` as a struct or as columns ``candidate.<field>``; ``prv_candidates`` as a
        list of structs or a struct of lists; or nested columns as JSON text.
    name : str
        Used in messages.
    all_columns : bool
        Whether to keep also columns that ztfml does not use.

    Returns
    -------
    NightTables

    Raises
    ------
    DataError
        If a nested column has another type, or the name of the object is absent.

    Examples
    --------
    >>> row = {"objectId": "ZTF18abukavn", "candid": 7, "candidate": {"jd": 2459002.5}}
    >>> table = pa.Table.from_pylist([row | {"prv_candidates": [{"jd": 2459001.5}]}])
    >>> tables_of_nested(table, "a.parquet").history.to_pylist()
    [{'objectId': 'ZTF18abukavn', 'jd': 2459001.5}]
    """
    if any(_is_text(table[column].type) for column in _nested_columns(table)):
        return tables_of_documents(_documents_of(table, name), name, all_columns)
    flat = table
    for record in _RECORDS:
        if record in flat.column_names and not _is_text(flat[record].type):
            flat = _flatten(flat, record, name)
    lists = [column for column in HISTORY_LISTS if column in table.column_names]
    history = stack([rename_columns(_explode(table, column, name), name) for column in lists])
    forced = _explode(table, _FORCED, name) if _FORCED in table.column_names else pa.table({})
    others = [column for column in (*lists, _FORCED) if column in flat.column_names]
    return NightTables(
        name,
        alerts=rename_columns(_flatten_records(flat.drop_columns(others)), name),
        history=select_history(history, all_columns),
        forced=forced_of_rows(forced, name, history),
        alerts_are_history=True,
    )


def _nested_columns(table):
    # Other columns have the name classifications, too.
    return [n for n in NESTED_COLUMNS if n in table.column_names and n != "classifications"]


def _documents_of(table, name):
    """Return the rows of a table with nested columns that are JSON text, as documents."""
    documents = table.to_pylist()
    for column in _nested_columns(table):
        for document in documents:
            text = document[column]
            try:
                document[column] = parse_text(text) if isinstance(text, str) else text
            except ValueError as error:
                raise DataError(
                    f"{name}: the nested column {column} is text, but not JSON (for example "
                    f"{text[:40]!r}); export it as JSON or parquet, or as one column per field"
                ) from error
    return documents


def _flatten_records(table):
    """Replace each record by one column per field, with a dot in its name."""
    while any(pa.types.is_struct(column.type) for column in table.columns):
        table = table.flatten()
    return table


def _flatten(table, record, name):
    array = _one_chunk(table[record])
    if not pa.types.is_struct(array.type):
        raise DataError(
            f"{name}: the column {record} contains {array.type}, not fields; write the nested "
            "columns as structs, or as one column per field"
        )
    table = table.drop_columns([record])
    for field, values in zip(array.type, array.flatten(), strict=True):
        table = table.append_column(f"{record}.{field.name}", values)
    return table


def _explode(table, column, name):
    """Return one row per element of a list column, with the objectId of its alert."""
    objects = next((n for n in table.column_names if canonical_name(n) == "objectId"), None)
    if objects is None:
        raise DataError(
            f"{name}: nested columns without objectId, the ZTF name of the object; add this column"
        )
    array = _one_chunk(table[column])
    if pa.types.is_list_view(array.type) or pa.types.is_large_list_view(array.type):
        array = array.cast(pa.large_list(array.type.value_type))
    # pyarrow gives lists that are all empty a value type of null.
    if pa.types.is_null(getattr(array.type, "value_type", array.type)):
        return pa.table({})
    if pa.types.is_struct(array.type):
        parent, columns = _lists_in_struct(array, column, name)
    else:
        if not _is_list(array.type) or not pa.types.is_struct(array.type.value_type):
            raise DataError(
                f"{name}: the column {column} contains {array.type}, not a list of records; write "
                "it as a list of structs"
            )
        parent = pc.list_parent_indices(array)
        records = pc.list_flatten(array)
        columns = dict(zip((f.name for f in records.type), records.flatten(), strict=True))
    columns.pop("objectId", None)
    return pa.table({"objectId": _one_chunk(table[objects]).take(parent), **columns})


def _lists_in_struct(array, column, name):
    lists = {
        field.name: values
        for field, values in zip(array.type, array.flatten(), strict=True)
        if _is_list(field.type)
    }
    parents = {field: pc.list_parent_indices(values) for field, values in lists.items()}
    if not lists or len({len(parent) for parent in parents.values()}) > 1:
        raise DataError(
            f"{name}: the lists in the column {column} have different lengths; write it as a list "
            "of structs"
        )
    return next(iter(parents.values())), {k: pc.list_flatten(v) for k, v in lists.items()}


def _is_list(kind):
    return (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _is_text(kind):
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _one_chunk(column):
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array
