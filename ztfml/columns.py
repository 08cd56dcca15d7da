"""From the columns of a file to clean arrays: one kind, one unit, NaN for missing.

A night has millions of rows, so columns are taken chunk by chunk, straight into one array
each, and cleaned in place.
"""

from itertools import islice
from typing import NamedTuple

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
from numba import njit

from ztfml.errors import DataError
from ztfml.files import open_parquet
from ztfml.schema import SENTINEL

# At 8 bytes a value, 160 MB of Arrow memory at a time.
_VALUES_AT_A_TIME = 20_000_000

# A history may consist of non-detections alone, so that its magpsf may be empty throughout.
_ALWAYS = {"candidate.jd", "candidate.fid", "candidate.magpsf", "jd", "fid"}

_SIGNS = {"t": 1, "true": 1, "1": 1, "f": -1, "false": -1, "0": -1, "-1": -1}


class Texts(NamedTuple):
    """A column of few texts: row k holds ``texts[code[k]]``."""

    code: np.ndarray
    texts: pa.StringArray


def read_columns(path, columns):
    """Read the columns of a schema that a parquet file has, clean.

    Parameters
    ----------
    path : str or Path
    columns : sequence of Column

    Returns
    -------
    dict of str to ndarray, pandas.Series or Texts
        By `Column.name`: int64 for ids, int8 (+1, -1, 0) for signs, str for text, float64
        with NaN for numbers.

    Raises
    ------
    DataError
        If the file is unreadable, a required column missing, of the wrong type, or full of
        values that cannot be meant.

    Examples
    --------
    >>> read_columns("night.parquet", ALERT_COLUMNS)["magpsf"]   # doctest: +SKIP
    """
    file = open_parquet(path)
    arrow = file.schema_arrow
    found = _find_columns(arrow.names, columns, path, _unnamed_index(arrow))
    text = [name for name in found.values() if _is_text(arrow.field(name).type)]
    file = open_parquet(path, read_dictionary=text)
    values = {}
    # A few columns at a time: what Arrow read is let go of as soon as it is clean.
    for some in _batched(found, max(1, _VALUES_AT_A_TIME // max(1, file.metadata.num_rows))):
        try:
            table = file.read([found[column] for column in some])
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(
                f"{path}: the file is damaged or cut short; write or download it again"
            ) from error
        # In threads, for the compiled loop holds no lock.
        clean = joblib.Parallel(n_jobs=-1, prefer="threads")(
            joblib.delayed(_read)(column, table.column(found[column]), path) for column in some
        )
        values |= {column.name: one for column, one in zip(some, clean, strict=True)}
    return values


def _is_text(kind):
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _batched(items, n):
    # itertools.batched came with Python 3.12.
    items = iter(items)
    while some := tuple(islice(items, n)):
        yield some


def _unnamed_index(arrow_schema):
    # Some writers leave objectId in an unnamed pandas index; an index of numbers is none.
    name = "__index_level_0__"
    if name in arrow_schema.names and "string" in str(arrow_schema.field(name).type):
        return name
    return None


def select_columns(frame, columns, name):
    """Take the columns of a schema that a DataFrame has, clean.

    Parameters
    ----------
    frame : pandas.DataFrame
    columns : sequence of Column
    name : str
        How messages call the table.

    Returns
    -------
    dict
        As of `read_columns`.

    Raises
    ------
    DataError
        As of `read_columns`.

    Examples
    --------
    >>> select_columns(frame, HISTORY_COLUMNS, "night")["jd"]   # doctest: +SKIP
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    found = _find_columns(table.column_names, columns, name)
    return {c.name: _read(c, table.column(in_file), name) for c, in_file in found.items()}


def _find_columns(names, columns, where, index_name=None):
    found = {}
    for column in columns:
        here = [name for name in (column.in_file, *column.aliases) if name in names]
        if not here and column.name == "objectId" and index_name:
            here = [index_name]
        if here:
            found[column] = here[0]
        elif column.required:
            raise DataError(
                f"{where}: the column {column.in_file} ({column.meaning}) is missing; "
                "export the night again with it"
            )
    return found


def _read(column, array, name):
    return _READERS[column.kind](column, array, name)


def _read_object(column, array, name):
    if array.null_count:
        raise _empty(column, array, name)
    chunks = _dictionary_chunks(column, array, name)
    code = np.empty(len(array), np.int32)
    texts = pa.array([], pa.string())
    # Each chunk numbers its own texts; encoding those in turn numbers them for all chunks.
    numbers = pa.chunked_array([chunk.dictionary for chunk in chunks], pa.string())
    numbers = numbers.dictionary_encode().chunks
    for chunk, number, part in zip(chunks, numbers, _parts(code, chunks), strict=True):
        np.take(number.indices.to_numpy(), chunk.indices.to_numpy(), out=part, mode="clip")
        texts = number.dictionary
    return Texts(code, texts)


def _dictionary_chunks(column, array, name):
    chunks = []
    for chunk in (chunk for chunk in array.chunks if len(chunk)):
        if not pa.types.is_dictionary(chunk.type):
            try:
                chunk = chunk.cast(pa.string()).dictionary_encode()
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise _wrong_type(column, array, name, "text") from error
        texts = chunk.dictionary.cast(pa.string())
        chunks.append(pa.DictionaryArray.from_arrays(chunk.indices, texts))
    return chunks


def _parts(values, chunks):
    """The stretches of an array that belong to the chunks of a column."""
    ends = np.cumsum([len(chunk) for chunk in chunks])
    return [values[end - len(chunk) : end] for chunk, end in zip(chunks, ends, strict=True)]


def _wrong_type(column, array, name, expected):
    return DataError(
        f"{name}: the column {column.in_file} is of type {array.type}, not {expected}; "
        "export the night again"
    )


def _empty(column, array, name):
    return DataError(
        f"{name}: the column {column.in_file} is empty in {array.null_count} rows; "
        "export the night again"
    )


def _read_id(column, array, name):
    if pa.types.is_floating(array.type):
        raise DataError(
            f"{name}: the column {column.in_file} is floating-point, which cannot hold its 19 "
            "digits; export it as a 64-bit integer"
        )
    try:
        array = array.cast(pa.string() if pa.types.is_dictionary(array.type) else array.type)
        array = array.cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _wrong_type(column, array, name, "a 64-bit integer") from error
    if array.null_count:
        raise _empty(column, array, name)
    return array.to_numpy()


def _read_text(column, array, name):
    try:
        array = array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _wrong_type(column, array, name, "text") from error
    if column.required and array.null_count:
        raise _empty(column, array, name)
    return pd.Series(array.to_pandas(), dtype="str")


def _read_number(column, array, name):
    kind = array.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise _wrong_type(column, array, name, "a number")
    values = np.empty(len(array))
    meant = usable = 0
    example = np.nan
    for chunk, part in zip(array.chunks, _parts(values, array.chunks), strict=True):
        counts = _clean(*_buffers(chunk.cast(pa.float64(), safe=False)), *column.valid, part)
        meant, usable = meant + counts[0], usable + counts[1]
        example = counts[2] if np.isnan(example) else example
    hollow = column.in_file in _ALWAYS and usable == 0
    if column.required and len(values) and (hollow or usable < meant / 2):
        such_as = "" if np.isnan(example) else f" (for example {example:g})"
        raise DataError(
            f"{name}: the column {column.in_file} holds hardly any value between "
            f"{column.valid[0]:g} and {column.valid[1]:g}{such_as}; check what was exported there"
        )
    return values


def _buffers(chunk):
    """The values of a chunk of float64, its validity bits, and where in both it begins."""
    validity, values = chunk.buffers()
    bits = np.frombuffer(validity if chunk.null_count else b"", np.uint8)
    return np.frombuffer(values or b"", np.float64), bits, chunk.offset


@njit(nogil=True, cache=True)
def _clean(values, bits, offset, low, high, out):
    """Copy values, making NaN what is null or cannot be meant.

    Returns how many values are there, how many of them can be meant, and one that cannot.
    """
    meant = usable = 0
    example = np.nan
    for k in range(len(out)):
        at = offset + k
        value = values[at]
        if (len(bits) > 0 and not (bits[at >> 3] >> (at & 7)) & 1) or value == SENTINEL:
            value = np.nan
        elif not np.isnan(value):
            meant += 1
            if low <= value <= high and np.isfinite(value):
                usable += 1
            else:
                example = value
                value = np.nan
        out[k] = value
    return meant, usable, example


def _read_sign(column, array, name):
    """Read isdiffpos, spelt 't'/'f', '1'/'0', '1'/'-1' or as a boolean, as +1, -1, 0 (unknown)."""
    values = np.empty(len(array), np.int8)
    spellings = []
    chunks = _dictionary_chunks(column, array, name)
    for chunk, part in zip(chunks, _parts(values, chunks), strict=True):
        own = [str(value).strip().lower() for value in chunk.dictionary.to_pylist()]
        # Code -1 stands for null and picks the last entry.
        sign = np.array([*(_SIGNS.get(spelling, 0) for spelling in own), 0], np.int8)
        part[:] = sign[chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
        spellings += own
    # A history of non-detections alone has no signs at all.
    given = column.required or array.null_count < len(array)
    if given and len(values) and not values.any():
        raise DataError(
            f"{name}: the column {column.in_file} is spelt {spellings[:3]}, not 't' or 'f'; "
            "check what was exported there"
        )
    return values


_READERS = {
    "id": _read_id,
    "text": _read_text,
    "object": _read_object,
    "float": _read_number,
    "integer": _read_number,
    "sign": _read_sign,
}
