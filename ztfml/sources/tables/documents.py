"""Read JSON of brokers as a list of documents, without loss of digits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from ztfml.errors import DataError
from ztfml.io.frames import list_to_array
from ztfml.sources.tables.names import canonical_name, nested_name
from ztfml.sources.tables.text import decode

# A document has one of these, or columns of a table that ztfml knows.
_RECORDS = ("candidate", "prv_candidates", "detections", "candidates", "diaSource")
_OTHER_SURVEY = ("diaSourceId", "diaObjectId")
# Brokers put their answers below these.
_WRAPPERS = (
    "data", "query_result", "result_data", "results", "result", "alerts", "documents", "rows",
    "default",
)  # fmt: skip
_DEPTH = 6


def read_documents(path: Path, content: bytes) -> list[dict]:
    """Parse JSON and find the documents in it.

    Accepted are one document, a list, JSON lines, the answers of Kowalski, Fritz and BOOM with
    the list below ``data``, a table by rows or by columns, and a dict of documents by name of
    the object.

    Parameters
    ----------
    path : Path
        Used in messages.
    content : bytes
        The whole file, decompressed.

    Returns
    -------
    list of dict
        With plain numbers in place of extended JSON of MongoDB.

    Raises
    ------
    DataError
        If it is not JSON, contains no document, or is an error message of a broker.

    Examples
    --------
    >>> answer = b'{"data": [{"candid": {"$numberLong": "617155240115015005"}, "candidate": {}}]}'
    >>> read_documents(Path("a.json"), answer)
    [{'candid': 617155240115015005, 'candidate': {}}]
    """
    value = _parse(path, decode(content) or "")
    documents = list(_find(value, None, _DEPTH))
    if documents:
        return [{nested_name(key) or key: one for key, one in d.items()} for d in documents]
    if isinstance(value, dict):
        _refuse_error_message(path, value)
    if value in ([], {}) or (isinstance(value, dict) and _is_empty_answer(value)):
        raise DataError(f"{path}: an empty list; the query found no alerts, check its conditions")
    what = f"the keys {list(value)[:5]}" if isinstance(value, dict) else f"a {_kind_of(value)}"
    raise DataError(
        f"{path}: JSON with {what}, but without alerts; use a list of documents with "
        "objectId, candid and candidate, or a table with these columns"
    )


def _kind_of(value):
    if isinstance(value, list) and value:
        return f"list of {type(value[0]).__name__}"
    return type(value).__name__


def _parse(path, text):
    decoder = json.JSONDecoder(object_hook=_plain)
    found, place = [], 0
    try:
        while place < len(text):
            if text[place].isspace():
                place += 1
                continue
            value, place = decoder.raw_decode(text, place)
            found.append(value)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path}: not valid JSON ({error}); the file may be truncated, download it again"
        ) from error
    return found[0] if len(found) == 1 else found


def parse_text(text: str) -> Any:
    """Parse a JSON text in a cell of a table.

    Parameters
    ----------
    text : str

    Returns
    -------
    object
        With plain numbers in place of extended JSON of MongoDB.

    Raises
    ------
    ValueError
        If it is not JSON.

    Examples
    --------
    >>> parse_text('[{"jd": 2459000.5, "candid": {"$numberLong": "7"}}]')
    [{'jd': 2459000.5, 'candid': 7}]
    """
    try:
        return json.loads(text, object_hook=_plain)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _plain(value):
    """Replace extended JSON, such as ``{"$numberLong": "1"}``, by plain values."""
    if len(value) != 1:
        return value
    ((key, inner),) = value.items()
    try:
        if key in ("$numberLong", "$numberInt"):
            return int(inner)
        if key in ("$numberDouble", "$numberDecimal"):
            return float(inner)
    except (TypeError, ValueError):
        return None
    return inner if key in ("$oid", "$date", "$binary", "$uuid") else value


def _find(value, name, depth) -> Iterator[dict]:
    """Yield the documents in a value; `name` is the key under which it was found."""
    if depth == 0:
        return
    if isinstance(value, list):
        for one in value:
            yield from _find(one, name, depth - 1)
    elif isinstance(value, dict):
        if _is_by_column(value):
            yield from _rows(value)
        elif _is_document(value):
            if name and not any(canonical_name(key) == "objectId" for key in value):
                value = {"objectId": name, **value}
            yield value
        else:
            for key, one in value.items():
                is_name = key not in _WRAPPERS
                yield from _find(one, key if is_name else name, depth - 1)


def _is_document(value):
    records = (key for key, one in value.items() if isinstance(one, dict | list))
    if any((nested_name(key) or key) in _RECORDS for key in records):
        return True
    if any(key in value for key in _OTHER_SURVEY):
        return True
    known = {canonical_name(key) for key, one in value.items() if not isinstance(one, dict | list)}
    return len(known - {None}) >= 3 and bool(known & {"jd", "mjd"})


def _is_by_column(value):
    """Check whether this is a table with a dict or a list for each column."""
    if set(value) == {"columns", "index", "data"}:
        return True
    # A field of a packet, such as objectId, is a single value in a document.
    fields = [one for key, one in value.items() if canonical_name(key)]
    known = fields + [one for key, one in value.items() if nested_name(key)]
    if not fields or len(known) < 3 or not all(isinstance(one, dict | list) for one in known):
        return False
    return len({len(one) for one in known}) == 1


def _rows(value):
    if set(value) == {"columns", "index", "data"}:
        names, rows = value["columns"], value["data"]
        yield from (dict(zip(names, row, strict=False)) for row in rows)
        return
    columns = {
        key: list(one.values()) if isinstance(one, dict) else one
        for key, one in value.items()
        if isinstance(one, dict | list)
    }
    n_rows = min(map(len, columns.values()))
    for k in range(n_rows):
        yield {key: column[k] for key, column in columns.items()}


def _refuse_error_message(path, value):
    message = next((value[k] for k in ("message", "error", "errors", "detail") if value.get(k)), "")
    if value.get("status") in ("error", "failed") or ("error" in value and message):
        raise DataError(
            f"{path}: the broker answered with an error ({str(message)[:100]}); correct the query "
            "and download it again"
        )


def _is_empty_answer(value):
    contents = [one for key, one in value.items() if key not in ("status", "message")]
    return all(not one or (isinstance(one, dict) and _is_empty_answer(one)) for one in contents)


CUTOUTS = "cutout"
"""Beginning of the names of image cutouts, which are not kept in tables."""


def rows_to_table(rows: list[dict], all_columns: bool = False) -> pa.Table:
    """Make a table from rows, with the columns that ztfml uses or all columns.

    Parameters
    ----------
    rows : list of dict
        Records become one column per field, with a dot in its name.
    all_columns : bool
        Whether to keep also columns that ztfml does not use. Lists of records become JSON.

    Returns
    -------
    pyarrow.Table

    Examples
    --------
    >>> rows_to_table([{"jd": 2459000.5, "name": "x"}, {"jd": None, "fid": "g"}]).to_pylist()
    [{'jd': 2459000.5, 'fid': None}, {'jd': None, 'fid': 'g'}]
    >>> rows_to_table([{"jd": 2459000.5, "host": {"z": 0.25}}], all_columns=True).column_names
    ['jd', 'host.z']
    """
    if all_columns:
        rows = [dict(_leaves(row, "", _DEPTH)) for row in rows]
    names = {name: None for row in rows for name in row}
    columns = {}
    for name in names:
        is_known = canonical_name(name) is not None
        if not is_known and not all_columns:
            continue
        values = [row.get(name) for row in rows]
        kinds = set(map(type, values))
        if not {dict, list} & kinds:
            columns[name] = list_to_array(values)
        elif not is_known:
            columns[name] = _lists_to_array(values)
    return pa.table(columns)


def _leaves(record, prefix, depth):
    """Yield the fields of a record and of the records in it."""
    for key, value in record.items():
        if key.startswith(CUTOUTS):
            continue
        if isinstance(value, dict) and value and depth:
            yield from _leaves(value, f"{prefix}{key}.", depth - 1)
        else:
            yield f"{prefix}{key}", value


def _lists_to_array(values):
    try:
        array = pa.array(values)
        if pa.types.is_list(array.type) and not pa.types.is_nested(array.type.value_type):
            return array
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass  # Lists of mixed types.
    return pa.array([None if v is None else json.dumps(v, default=str) for v in values])
