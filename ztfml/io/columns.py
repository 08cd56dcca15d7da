"""Read the columns of a night as clean arrays: one type, one unit, NaN for missing values.

A night has millions of rows. Row groups and columns are therefore read in parallel, and each
part is cleaned directly into its place in the final array, so that the peak memory is little
more than the size of these arrays.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.compiled import cached
from ztfml.errors import DataError
from ztfml.io.parquet import open_parquet
from ztfml.schema import SENTINEL, Column, sign_of

# These columns need at least one valid value. The magpsf of a history does not, because a
# history may consist of non-detections only.
_NEVER_EMPTY = {"candidate.jd", "candidate.fid", "candidate.magpsf", "jd", "fid"}

# Smaller tasks cost more to start than they gain.
_VALUES_PER_TASK = 1_000_000

_LARGEST = np.finfo(np.float64).max

# The types of nearly all columns; compiled code exists for each of them.
_COMPILED_TYPES = (pa.float64(), pa.int8())


class EncodedText(NamedTuple):
    """A text column with few distinct values: row k has the text ``values[codes[k]]``."""

    codes: np.ndarray
    values: pa.StringArray


def read_columns(path: str | Path, columns: Sequence[Column]) -> dict[str, Any]:
    """Read and clean the columns of a schema that a parquet file contains.

    Parameters
    ----------
    path : str or Path
    columns : sequence of Column
        For example `ztfml.schema.ALERT_COLUMNS`.

    Returns
    -------
    dict of str to ndarray, pandas.Series or EncodedText
        By `Column.name`: int64 for ids, int8 for signs (+1, -1, 0 unknown) and bands (0
        unknown), text as a Series, and numbers as float64 with NaN for missing values.

    Raises
    ------
    DataError
        If the file is unreadable, or a required column is absent, has the wrong type or has
        mostly invalid values.

    Examples
    --------
    >>> from ztfml.schema import ALERT_COLUMNS
    >>> read_columns("night.parquet", ALERT_COLUMNS)["magpsf"].dtype
    dtype('float64')
    """
    # Imported here because it takes a tenth of a second; unlike os, it knows container limits.
    from joblib import cpu_count

    file = open_parquet(path)
    arrow = file.schema_arrow
    found = _find_columns(arrow.names, columns, path, _unnamed_index(arrow))
    text = [name for name in found.values() if _is_text(arrow.field(name).type)]
    sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    ends = np.cumsum([0, *sizes])
    out = {column: _KINDS[column.kind].allocate(ends[-1]) for column in found}

    def read_part(batch, group):
        # Each task opens the file itself, because a reader must not be shared between threads.
        # The raw values are freed as soon as they have been cleaned.
        reader = pq.ParquetFile(
            path, metadata=file.metadata, read_dictionary=text, page_checksum_verification=True
        )
        try:
            names = [found[column] for column in batch]
            table = reader.read_row_group(group, names, use_threads=False)
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise DataError(
                f"{path}: the file is damaged or truncated; write or download it again"
            ) from error
        rows = slice(ends[group], ends[group + 1])
        return [
            _KINDS[column.kind].read(column, table[found[column]], path, out[column][rows])
            for column in batch
        ]

    # Threads work here because Arrow and the compiled loops release the lock of Python. Tasks
    # start column by column, so that the first columns are finished while others are read.
    with ThreadPoolExecutor(cpu_count()) as threads:
        reading = {}
        for batch in _batches(list(found), max(1, _VALUES_PER_TASK // max([1, *sizes]))):
            parts = [threads.submit(read_part, batch, group) for group in range(len(sizes))]
            reading |= {column: (parts, place) for place, column in enumerate(batch)}
        return {
            column.name: _KINDS[column.kind].finish(
                column, [part.result()[place] for part in parts], path, out[column]
            )
            for column, (parts, place) in reading.items()
        }


def _batches(values, size):
    return [values[k : k + size] for k in range(0, len(values), size)]


def _is_text(arrow_type):
    return pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type)


def _unnamed_index(arrow_schema):
    # Some writers store objectId as an unnamed pandas index, which then contains text.
    name = "__index_level_0__"
    if name in arrow_schema.names and "string" in str(arrow_schema.field(name).type):
        return name
    return None


def select_columns(table: pa.Table, columns: Sequence[Column], name: str) -> dict[str, Any]:
    """Clean the columns of a schema that an Arrow table contains.

    Parameters
    ----------
    table : pyarrow.Table
    columns : sequence of Column
        For example `ztfml.schema.HISTORY_COLUMNS`.
    name : str
        Name of the table in messages.

    Returns
    -------
    dict
        See `read_columns`.

    Raises
    ------
    DataError
        See `read_columns`.

    Examples
    --------
    >>> from ztfml.schema import HISTORY_COLUMNS
    >>> history = pa.Table.from_pandas(night.history_frame().reset_index())
    >>> sorted(set(select_columns(history, HISTORY_COLUMNS, "night")["isdiffpos"].tolist()))
    [-1, 0, 1]
    """
    found = _find_columns(table.column_names, columns, name)
    return {
        column.name: _read_whole(column, table.column(in_file), name)
        for column, in_file in found.items()
    }


def _find_columns(names, columns, where, index_name=None):
    """Map each column of the schema to its name in the file."""
    found = {}
    for column in columns:
        candidates = [name for name in (column.in_file, *column.aliases) if name in names]
        if not candidates and column.name == "objectId" and index_name:
            candidates = [index_name]
        if candidates:
            found[column] = candidates[0]
        elif column.required:
            raise DataError(
                f"{where}: the column {column.in_file} ({column.meaning}) is missing; "
                "export the night again with it"
            )
    counts = Counter(names)
    repeated = [name for name in found.values() if counts[name] > 1]
    if repeated:
        raise DataError(
            f"{where}: the column {repeated[0]} occurs {counts[repeated[0]]} times; keep one"
        )
    return found


def _read_whole(column, array, name):
    kind = _KINDS[column.kind]
    out = kind.allocate(len(array))
    return kind.finish(column, [kind.read(column, array, name, out)], name, out)


# --- kinds of columns ------------------------------------------------------------------
#
# Each kind has three functions: `allocate` makes the output array, `read` cleans one part of the
# column into its place in this array (in any thread), and `finish` checks the whole column, given
# the results of `read` for all parts.


class _Kind(NamedTuple):
    allocate: Callable
    read: Callable
    finish: Callable


def _read_object_id(column, array, name, out):
    if array.null_count:
        raise _missing_values(column, array.null_count, name)
    return _dictionary_chunks(column, array, name)


def _finish_object_ids(column, parts, name, out):
    chunks = [chunk for part in parts for chunk in part]
    dictionaries, dictionary_of = _drop_repeated([chunk.dictionary for chunk in chunks])
    values = pa.array([], pa.string())
    # Each chunk has its own dictionary. Encoding the dictionaries gives codes valid for all chunks.
    common = pa.chunked_array(dictionaries, pa.string()).dictionary_encode().chunks
    for chunk, k, part in zip(chunks, dictionary_of, _split(out, chunks), strict=True):
        np.take(common[k].indices.to_numpy(), chunk.indices.to_numpy(), out=part, mode="clip")
        values = common[k].dictionary
    return EncodedText(out, values)


def _drop_repeated(dictionaries):
    """Drop dictionaries equal to the previous one; also return which one each chunk uses."""
    distinct, dictionary_of = [], []
    for dictionary in dictionaries:
        if not distinct or not dictionary.equals(distinct[-1]):
            distinct.append(dictionary)
        dictionary_of.append(len(distinct) - 1)
    return distinct, dictionary_of


def _dictionary_chunks(column, array, name):
    chunks = []
    for chunk in (chunk for chunk in array.chunks if len(chunk)):
        if not pa.types.is_dictionary(chunk.type):
            try:
                chunk = chunk.cast(pa.string()).dictionary_encode()
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise _wrong_type(column, array, name, "text") from error
        values = chunk.dictionary.cast(pa.string())
        _check_utf8(column, values, name)
        chunks.append(pa.DictionaryArray.from_arrays(chunk.indices, values))
    return chunks


def _split(values, chunks):
    """Split an array into views that have the lengths of the chunks."""
    ends = np.cumsum([len(chunk) for chunk in chunks])
    return [values[end - len(chunk) : end] for chunk, end in zip(chunks, ends, strict=True)]


def _check_utf8(column, text, name):
    try:
        text.validate(full=True)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{name}: the column {column.in_file} has text that is not UTF-8; write the file again "
            "with its text in UTF-8"
        ) from error


def _wrong_type(column, array, name, expected):
    return DataError(
        f"{name}: the column {column.in_file} has the type {array.type}, not {expected}; "
        "export the night again"
    )


def _missing_values(column, n_rows, name):
    return DataError(
        f"{name}: the column {column.in_file} is empty in {n_rows} rows; export the night again"
    )


def _read_id(column, array, name, out):
    if pa.types.is_floating(array.type):
        raise DataError(
            f"{name}: the column {column.in_file} is floating-point, which is too short for 19 "
            "digits; export it as a 64-bit integer"
        )
    try:
        array = array.cast(pa.string() if pa.types.is_dictionary(array.type) else array.type)
        array = array.cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _wrong_type(column, array, name, "a 64-bit integer") from error
    if array.null_count == 0:
        out[:] = array.to_numpy()
    return array.null_count


def _finish_ids(column, nulls, name, out):
    if any(nulls):
        raise _missing_values(column, sum(nulls), name)
    return out


def _read_text(column, array, name, out):
    try:
        return array.cast(pa.string()).chunks
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _wrong_type(column, array, name, "text") from error


def _finish_text(column, parts, name, out):
    text = pa.chunked_array([chunk for part in parts for chunk in part], pa.string())
    _check_utf8(column, text, name)
    if column.required and text.null_count:
        raise _missing_values(column, text.null_count, name)
    return pd.Series(text.to_pandas(), dtype="str")


class _Counts(NamedTuple):
    given: int
    valid: int
    invalid_example: float


def _read_number(column, array, name, out):
    is_numeric = (pa.types.is_floating, pa.types.is_integer, pa.types.is_null)
    if not any(check(array.type) for check in is_numeric):
        raise _wrong_type(column, array, name, "a number")
    missing = out.dtype.type(0 if out.dtype.kind == "i" else np.nan)
    rule = (*column.valid, column.kind != "float")
    return [
        _Counts(*_clean(*_values_and_given(_as_number(chunk)), *rule, missing, part))
        for chunk, part in zip(array.chunks, _split(out, array.chunks), strict=True)
    ]


def _finish_numbers(column, parts, name, out):
    counts = [count for part in parts for count in part]
    given = sum(count.given for count in counts)
    valid = sum(count.valid for count in counts)
    empty = column.in_file in _NEVER_EMPTY and valid == 0
    if column.required and len(out) and (empty or valid < given / 2):
        examples = [c.invalid_example for c in counts if not np.isnan(c.invalid_example)]
        example = f" (for example {examples[0]:g})" if examples else ""
        raise DataError(
            f"{name}: the column {column.in_file} has only {valid} of {len(out)} values between "
            f"{column.valid[0]:g} and {column.valid[1]:g}{example}; check the export of this column"
        )
    return out


def _as_number(chunk):
    """Convert rare types to float64, so that compiled code is needed for few types."""
    return chunk if chunk.type in _COMPILED_TYPES else chunk.cast(pa.float64(), safe=False)


def _values_and_given(chunk):
    """Return the values of a chunk of numbers, and a mask of those that are not null."""
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
    """Copy values to `out`, with `missing` in place of null and invalid values.

    Returns the number of given values, the number of valid values, and one invalid value.
    """
    low, high = max(low, -_LARGEST), min(high, _LARGEST)
    n_given = n_valid = 0
    # No branches, and a mask with one byte per value, so that the compiler can vectorize the loop.
    for k in range(len(out)):
        value = values[k]
        is_given = _is_given(value, given[k])
        is_valid = is_given & _is_valid(value, low, high, whole)
        n_given += is_given
        n_valid += is_valid
        out[k] = value if is_valid else missing
    invalid_example = np.nan
    if n_valid < n_given:
        for k in range(len(out)):
            value = values[k]
            if _is_given(value, given[k]) and not _is_valid(value, low, high, whole):
                invalid_example = value
    return n_given, n_valid, invalid_example


@cached
def _is_given(value, given):
    return given & (value == value) & (value != SENTINEL)


@cached
def _is_valid(value, low, high, whole):
    return (value >= low) & (value <= high) & ((not whole) | (np.floor(value) == value))


def _read_sign(column, array, name, out):
    """Read isdiffpos in any spelling as +1, -1 or 0 (unknown)."""
    spellings = []
    chunks = _dictionary_chunks(column, array, name)
    for chunk, part in zip(chunks, _split(out, chunks), strict=True):
        values = chunk.dictionary.to_pylist()
        signs = np.array([sign_of(value) for value in values], np.int8)
        _decode(*_values_and_given(chunk.indices), signs, part)
        spellings += values
    return array.null_count, spellings


@cached(nogil=True)
def _decode(codes, given, signs, out):
    """Write the sign of each code to `out`, and 0 for null."""
    out[:] = 0
    # One pass per sign is several times faster than one table look-up per row.
    for code in np.flatnonzero(signs):
        for k in range(len(out)):
            out[k] = signs[code] if given[k] & (codes[k] == code) else out[k]


def _finish_signs(column, parts, name, out):
    n_null = sum(null_count for null_count, _ in parts)
    # A history of non-detections has no signs at all.
    expected = column.required or n_null < len(out)
    if expected and len(out) and not out.any():
        spellings = [spelling for _, in_part in parts for spelling in in_part]
        raise DataError(
            f"{name}: the column {column.in_file} contains {spellings[:3]}, not 't' or 'f'; "
            "check the export of this column"
        )
    return out


def _allocate(dtype):
    return lambda n: np.empty(n, dtype)


_KINDS = {
    "id": _Kind(_allocate(np.int64), _read_id, _finish_ids),
    "text": _Kind(_allocate(np.int8), _read_text, _finish_text),
    "object": _Kind(_allocate(np.int32), _read_object_id, _finish_object_ids),
    "float": _Kind(_allocate(np.float64), _read_number, _finish_numbers),
    "integer": _Kind(_allocate(np.float64), _read_number, _finish_numbers),
    "band": _Kind(_allocate(np.int8), _read_number, _finish_numbers),
    "sign": _Kind(_allocate(np.int8), _read_sign, _finish_signs),
}
