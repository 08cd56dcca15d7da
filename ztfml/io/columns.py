"""From the columns of a file to clean arrays: one kind, one unit, NaN for missing.

A night has millions of rows, so a column or a few of each row group are read by themselves,
straight into their stretches of one array each, in as many threads as there are cores: little
more memory is touched than the clean arrays take.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.compiled import cached
from ztfml.errors import DataError
from ztfml.io.parquet import open_parquet
from ztfml.schema import SENTINEL

# A history may consist of non-detections alone, so that its magpsf may be empty throughout.
_ALWAYS = {"candidate.jd", "candidate.fid", "candidate.magpsf", "jd", "fid"}

# A task is worth starting for so many values.
_VALUES_A_TASK = 1_000_000

_LARGEST = np.finfo(np.float64).max

# What history files hold in nearly all rows; compiled code is kept for each of these.
_CLEANED = (pa.float64(), pa.int8())

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
        By `Column.name`: int64 for ids, int8 for signs (+1, -1, 0) and bands (0 unknown), str
        for text, float64 with NaN for numbers.

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
    sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    ends = np.cumsum([0, *sizes])
    into = {column: _KINDS[column.kind].empty(ends[-1]) for column in found}

    def read_part(some, group):
        # A reader of its own for each thread; what it read is let go of as soon as it is clean.
        own = pq.ParquetFile(path, metadata=file.metadata, memory_map=True, read_dictionary=text)
        try:
            table = own.read_row_group(group, [found[column] for column in some], use_threads=False)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(
                f"{path}: the file is damaged or cut short; write or download it again"
            ) from error
        here = slice(ends[group], ends[group + 1])
        return [
            _KINDS[column.kind].read(column, table[found[column]], path, into[column][here])
            for column in some
        ]

    # In threads, for neither Arrow nor the compiled loop holds the lock; column by column, so that
    # the first ones are joined while the rest are being read.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        reading = {}
        for some in _batches(list(found), max(1, _VALUES_A_TASK // max([1, *sizes]))):
            parts = [threads.submit(read_part, some, group) for group in range(len(sizes))]
            reading |= {column: (parts, place) for place, column in enumerate(some)}
        return {
            column.name: _KINDS[column.kind].join(
                column, [part.result()[place] for part in parts], path, into[column]
            )
            for column, (parts, place) in reading.items()
        }


def _batches(values, size):
    return [values[k : k + size] for k in range(0, len(values), size)]


def _is_text(kind):
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


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
    return {
        column.name: _read_whole(column, table.column(in_file), name)
        for column, in_file in found.items()
    }


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


def _read_whole(column, array, name):
    kind = _KINDS[column.kind]
    into = kind.empty(len(array))
    return kind.join(column, [kind.read(column, array, name, into)], name, into)


# --- kinds of columns ------------------------------------------------------------------
#
# Each has a function that makes room for the whole column, one that cleans a part of it into
# its place, in any thread, and one that joins the parts, given what was learnt of each.


class _Kind(NamedTuple):
    empty: Callable
    read: Callable
    join: Callable


def _read_object(column, array, name, into):
    if array.null_count:
        raise _empty(column, array.null_count, name)
    return _dictionary_chunks(column, array, name)


def _join_objects(column, parts, name, into):
    chunks = [chunk for part in parts for chunk in part]
    dictionaries, which = _distinct([chunk.dictionary for chunk in chunks])
    texts = pa.array([], pa.string())
    # Each dictionary numbers its own texts; encoding those in turn numbers them for all.
    numbers = pa.chunked_array(dictionaries, pa.string()).dictionary_encode().chunks
    for chunk, k, part in zip(chunks, which, _pieces(into, chunks), strict=True):
        np.take(numbers[k].indices.to_numpy(), chunk.indices.to_numpy(), out=part, mode="clip")
        texts = numbers[k].dictionary
    return Texts(into, texts)


def _distinct(dictionaries):
    """Those that differ from the one before, for some files repeat theirs; and which is whose."""
    distinct, which = [], []
    for dictionary in dictionaries:
        if not distinct or not dictionary.equals(distinct[-1]):
            distinct.append(dictionary)
        which.append(len(distinct) - 1)
    return distinct, which


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


def _pieces(values, chunks):
    """The stretches of an array that belong to the chunks of a column."""
    ends = np.cumsum([len(chunk) for chunk in chunks])
    return [values[end - len(chunk) : end] for chunk, end in zip(chunks, ends, strict=True)]


def _wrong_type(column, array, name, expected):
    return DataError(
        f"{name}: the column {column.in_file} is of type {array.type}, not {expected}; "
        "export the night again"
    )


def _empty(column, n_rows, name):
    return DataError(
        f"{name}: the column {column.in_file} is empty in {n_rows} rows; export the night again"
    )


def _read_id(column, array, name, into):
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
    if array.null_count == 0:
        into[:] = array.to_numpy()
    return array.null_count


def _join_ids(column, nulls, name, into):
    if any(nulls):
        raise _empty(column, sum(nulls), name)
    return into


def _read_text(column, array, name, into):
    try:
        return array.cast(pa.string()).chunks
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _wrong_type(column, array, name, "text") from error


def _join_texts(column, parts, name, into):
    text = pa.chunked_array([chunk for part in parts for chunk in part], pa.string())
    if column.required and text.null_count:
        raise _empty(column, text.null_count, name)
    return pd.Series(text.to_pandas(), dtype="str")


class _Tally(NamedTuple):
    meant: int
    usable: int
    example: float


def _read_number(column, array, name, into):
    kind = array.type
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise _wrong_type(column, array, name, "a number")
    missing = into.dtype.type(0 if into.dtype.kind == "i" else np.nan)
    meant = (*column.valid, column.kind != "float")
    return [
        _Tally(*_clean(*_values_and_given(_as_number(chunk)), *meant, missing, piece))
        for chunk, piece in zip(array.chunks, _pieces(into, array.chunks), strict=True)
    ]


def _join_numbers(column, parts, name, into):
    tallies = [tally for part in parts for tally in part]
    meant = sum(tally.meant for tally in tallies)
    usable = sum(tally.usable for tally in tallies)
    hollow = column.in_file in _ALWAYS and usable == 0
    if column.required and len(into) and (hollow or usable < meant / 2):
        examples = [tally.example for tally in tallies if not np.isnan(tally.example)]
        such_as = f" (for example {examples[0]:g})" if examples else ""
        raise DataError(
            f"{name}: the column {column.in_file} holds hardly any value between "
            f"{column.valid[0]:g} and {column.valid[1]:g}{such_as}; check what was exported there"
        )
    return into


def _as_number(chunk):
    """Values in a type that is cleaned as it is; the rarer ones become float64 first."""
    return chunk if chunk.type in _CLEANED else chunk.cast(pa.float64(), safe=False)


def _values_and_given(chunk):
    """The values of a chunk of numbers, and which of them are given, that is, not null."""
    validity, values = chunk.buffers()
    end = chunk.offset + len(chunk)
    given = np.ones(end, np.bool_)
    if chunk.null_count:
        bits = np.frombuffer(validity, np.uint8)
        given = np.unpackbits(bits, count=end, bitorder="little").view(np.bool_)
    values = np.frombuffer(values or b"", chunk.type.to_pandas_dtype())
    return values[chunk.offset : end], given[chunk.offset :]


@cached(nogil=True)
def _clean(values, given, low, high, whole, missing, out):
    """Copy values, giving as missing what is null or cannot be meant.

    Returns how many values are there, how many of them can be meant, and one that cannot.
    """
    low, high = max(low, -_LARGEST), min(high, _LARGEST)
    meant = usable = 0
    # Without a branch on values, and with a byte for each of them that says whether it is given,
    # so that the processor takes several of them at once.
    for k in range(len(out)):
        value = values[k]
        there = _is_there(value, given[k])
        can_be = there & _can_be_meant(value, low, high, whole)
        meant += there
        usable += can_be
        out[k] = value if can_be else missing
    example = np.nan
    if usable < meant:
        for k in range(len(out)):
            value = values[k]
            if _is_there(value, given[k]) and not _can_be_meant(value, low, high, whole):
                example = value
    return meant, usable, example


@cached
def _is_there(value, given):
    return given & (value == value) & (value != SENTINEL)


@cached
def _can_be_meant(value, low, high, whole):
    return (value >= low) & (value <= high) & ((not whole) | (np.floor(value) == value))


def _read_sign(column, array, name, into):
    """Read isdiffpos, spelt 't'/'f', '1'/'0', '1'/'-1' or as a boolean, as +1, -1, 0 (unknown)."""
    spellings = []
    chunks = _dictionary_chunks(column, array, name)
    for chunk, piece in zip(chunks, _pieces(into, chunks), strict=True):
        own = [str(value).strip().lower() for value in chunk.dictionary.to_pylist()]
        sign = np.array([_SIGNS.get(spelling, 0) for spelling in own], np.int8)
        _decode(*_values_and_given(chunk.indices), sign, piece)
        spellings += own
    return array.null_count, spellings


@cached(nogil=True)
def _decode(codes, given, signs, out):
    """Give each code its sign, and null none."""
    out[:] = 0
    # A sign at a time, for looking up one for each code takes several times as long.
    for code in np.flatnonzero(signs):
        for k in range(len(out)):
            out[k] = signs[code] if given[k] & (codes[k] == code) else out[k]


def _join_signs(column, parts, name, into):
    nulls = sum(null_count for null_count, _ in parts)
    # A history of non-detections alone has no signs at all.
    given = column.required or nulls < len(into)
    if given and len(into) and not into.any():
        spellings = [spelling for _, own in parts for spelling in own]
        raise DataError(
            f"{name}: the column {column.in_file} is spelt {spellings[:3]}, not 't' or 'f'; "
            "check what was exported there"
        )
    return into


def _room(dtype):
    return lambda n: np.empty(n, dtype)


_KINDS = {
    "id": _Kind(_room(np.int64), _read_id, _join_ids),
    "text": _Kind(_room(np.int8), _read_text, _join_texts),
    "object": _Kind(_room(np.int32), _read_object, _join_objects),
    "float": _Kind(_room(np.float64), _read_number, _join_numbers),
    "integer": _Kind(_room(np.float64), _read_number, _join_numbers),
    "band": _Kind(_room(np.int8), _read_number, _join_numbers),
    "sign": _Kind(_room(np.int8), _read_sign, _join_signs),
}
