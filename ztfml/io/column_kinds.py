"""The kinds of columns: how each is converted to a clean array.

Each kind has three functions: `allocate` makes the output array, `read` cleans one part of the
column into its place in this array (in any thread), and `finish` checks the whole column, given
the results of `read` for all parts.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.compiled import cached
from ztfml.errors import DataError
from ztfml.io.units import Invalid, convert
from ztfml.io.values import Numbers, as_numbers, too_coarse, wrong_type
from ztfml.schema import MISSING_TEXTS, SENTINEL, sign_of

log = logging.getLogger(__name__)

# These columns need at least one valid value. The magpsf of a history does not, because a
# history may consist of non-detections only.
_NEVER_EMPTY = {"candidate.jd", "candidate.fid", "candidate.magpsf", "jd", "fid"}

_LARGEST = np.finfo(np.float64).max

# Times that are whole days (or half days: a Julian date begins at noon), and times that went
# through a 32-bit float: their step in days, and how many are needed to be certain. Fewer may be
# multiples by design, as in an example, and so may be times at one fraction of the day. Near MJD
# 60000, a 32-bit float resolves 1/256 d.
_HALF_DAY = 0.5
_COARSE_JD = ((_HALF_DAY, 3), (0.25, 8))
_COARSE_MJD = ((_HALF_DAY, 3), (1 / 256, 8))

# Times in decimals: their steps, and how many are needed. Rates within a night are wrong then.
_ROUNDED, _ROUNDED_FEW = (0.1, 0.01), 20

# Bands are numbered from 0 if there are no 3 and more than one 0 in this many valid values.
_ZERO_BASED = 10

# The types of nearly all columns; compiled code exists for each of them.
_COMPILED_TYPES = (pa.float64(), pa.int8())


class EncodedText(NamedTuple):
    """A text column with few distinct values: row k has the text ``values[codes[k]]``."""

    codes: np.ndarray
    values: pa.StringArray


class Kind(NamedTuple):
    """The three functions of a kind of column."""

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
                raise wrong_type(column, array, name, "text") from error
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


def _missing_values(column, n_rows, name):
    return DataError(
        f"{name}: the column {column.in_file} is empty in {n_rows} rows; "
        "fill it, or leave out these rows"
    )


def _read_id(column, array, name, out):
    if pa.types.is_floating(array.type):
        raise DataError(
            f"{name}: the column {column.in_file} is floating-point, which is too short for 19 "
            "digits; export it as a 64-bit integer"
        )
    try:
        array = array.cast(pa.string() if pa.types.is_dictionary(array.type) else array.type)
        if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
            array = pc.utf8_trim_whitespace(array)
        array = array.cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise wrong_type(column, _not_integers(array), name, "a 64-bit integer") from error
    if array.null_count == 0:
        out[:] = array.to_numpy()
    return array.null_count


def _not_integers(array):
    """Return the texts that are not integers, as examples; other types as they are."""
    if not pa.types.is_string(array.type):
        return array
    return array.filter(pc.invert(pc.match_substring_regex(array, r"^[+-]?\d{1,19}$")))


def _finish_ids(column, nulls, name, out):
    if any(nulls):
        raise _missing_values(column, sum(nulls), name)
    return out


def _read_text(column, array, name, out):
    try:
        return array.cast(pa.string()).chunks
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise wrong_type(column, array, name, "text") from error


def _finish_text(column, parts, name, out):
    text = pa.chunked_array([chunk for part in parts for chunk in part], pa.string())
    _check_utf8(column, text, name)
    # The few distinct values are compared, not the rows.
    distinct = pc.unique(text)
    spelled = pc.utf8_lower(pc.utf8_trim_whitespace(distinct))
    missing = distinct.filter(pc.is_in(spelled, pa.array(MISSING_TEXTS)))
    if len(missing):
        text = pc.if_else(pc.is_in(text, missing), pa.scalar(None, pa.string()), text)
    if column.required and text.null_count:
        raise _missing_values(column, text.null_count, name)
    return pd.Series(text.to_pandas(), dtype="str")


class _Part(NamedTuple):
    """What was found in a part of a column."""

    given: int
    invalid: list[Invalid]
    numbers: Numbers


def _read_number(column, array, name, out):
    numbers = as_numbers(column, array, name)
    missing = out.dtype.type(0 if out.dtype.kind == "i" else np.nan)
    rule = (*column.valid, column.kind != "float")
    given, invalid = numbers.n_unreadable, []
    chunks = numbers.array.chunks
    for chunk, part in zip(chunks, _split(out, chunks), strict=True):
        values = _values_and_given(_as_number(chunk))
        n_given, n_valid = _clean(*values, *rule, missing, part)
        given += n_given
        if n_valid < n_given:
            rows = _invalid_rows(*values, *rule)
            invalid.append(Invalid(part, rows, values[0][rows].astype(np.float64)))
    return _Part(given, invalid, numbers._replace(array=None))


def _finish_numbers(column, parts, name, out):
    given = sum(part.given for part in parts)
    invalid = [part for of_part in parts for part in of_part.invalid]
    spelling = next((part.numbers.spelling for part in parts if part.numbers.spelling), "")
    if spelling:
        log.warning("%s: the column %s has %s", name, column.in_file, spelling)
    before = invalid
    invalid, unit = convert(column, out, invalid)
    values = np.concatenate([np.empty(0), *(part.values for part in invalid)])
    if unit:
        n_converted = sum(len(part.values) for part in before) - len(values)
        log.warning(
            "%s: the column %s has %s in %d of %d rows, which are converted (for example %.10g)",
            name, column.in_file, unit, n_converted, len(out), before[0].values[0],
        )  # fmt: skip
    unreadable = [part.numbers for part in parts if part.numbers.n_unreadable]
    n_bad = len(values) + sum(numbers.n_unreadable for numbers in unreadable)
    # Spellings of "not detected" are as good as null.
    marks = np.isin(values, column.marks) | (np.isinf(values) if column.marks else False)
    valid, wrong = given - n_bad, n_bad - np.count_nonzero(marks)
    example = ""
    if n_bad:
        example = repr(unreadable[0].example) if unreadable else f"{values[np.argmin(marks)]:.10g}"
    # A history may consist of non-detections.
    all_marks = column.prefix == "" and wrong == 0
    empty = valid == 0 and (column.in_file in _NEVER_EMPTY or (n_bad > 0 and not all_marks))
    if column.required and len(out) and (empty or valid < wrong):
        _check_zero_based(column, values, valid, out, name)
        example = f" (for example {example})" if n_bad else ""
        raise DataError(
            f"{name}: the column {column.in_file} has only {valid} of {len(out)} values between "
            f"{column.valid[0]:.9g} and {column.valid[1]:.9g}{example}; {_remedy(column, values)}"
        )
    n_empty = len(out) - given
    # A history of non-detections has no magnitudes, and its rows without a time are counted later.
    if n_empty and column.required and (column.prefix or column.quantity == "band"):
        log.warning(
            "%s: the column %s is empty in %d of %d rows", name, column.in_file, n_empty, len(out)
        )
    if n_bad:
        _check_zero_based(column, values, valid, out, name)
        low, high = column.valid
        log.warning(
            "%s: the column %s has %d of %d values that are not between %g and %g and count as "
            "missing (for example %s)",
            name, column.in_file, n_bad, len(out), low, high, example,
        )  # fmt: skip
    if column.quantity == "time":
        _check_resolution(column, out, unit, name)
    return out


def _remedy(column, values):
    # Unix times of 2017 to 2040; GPS times of 2025 to 2048 are the same numbers.
    if column.quantity == "time" and np.any((values > 1.5e9) & (values < 2.2e9)):
        return (
            "convert Unix times to Julian dates, e.g. with astropy.time.Time(t, format='unix').jd"
        )
    return "check the export of this column"


def _check_zero_based(column, values, valid, out, name):
    """Refuse bands numbered 0, 1, 2."""
    n_zero = np.count_nonzero(values == 0)
    from_zero = n_zero == len(values) and not (out == 3).any()
    if column.quantity == "band" and from_zero and n_zero * _ZERO_BASED > valid > 0:
        raise DataError(
            f"{name}: the column {column.in_file} has 0 in {n_zero} of {len(out)} rows, as if "
            "bands were numbered from 0; number them 1 (g), 2 (r), 3 (i)"
        )


def _check_resolution(column, out, unit, name):
    """Refuse times that went through a 32-bit float, or that are whole days."""
    for step, enough in _COARSE_MJD if unit else _COARSE_JD:
        # Nearly all columns are decided by their first rows.
        if not (_all_multiples(out[:1000], step, enough) and _all_multiples(out, step, enough)):
            continue
        found = f"has only multiples of {step:g} d (for example {out[~np.isnan(out)][0]:.10g})"
        if column.required:
            raise too_coarse(column, name, found)
        log.warning("%s; its values count as missing", too_coarse(column, name, found))
        out[:] = np.nan
        return
    if column.required:
        _report_decimals(column, out, name)


def _report_decimals(column, out, name):
    """Report times that are rounded to 0.1 d or 0.01 d."""
    fine = _ROUNDED[-1]
    if not (_are_rounded(out[:1000], fine) and _are_rounded(out, fine)):
        return
    step = next(step for step in _ROUNDED if _are_rounded(out, step))
    log.warning(
        "%s: the column %s has times that are rounded to %g d (for example %.10g), so that rates "
        "within a night are wrong; use a file with complete times",
        name, column.in_file, step, out[~np.isnan(out)][0],
    )  # fmt: skip


def _are_rounded(times, step):
    times = times[~np.isnan(times)]
    # In units of the step; near 2.5e6 d, times of 64 bits have errors of 5e-10 d.
    steps = times / step
    if len(times) < _ROUNDED_FEW or np.any(np.abs(steps - np.round(steps)) > 1e-5):
        return False
    # All times may be at one fraction of the day by design.
    return len(np.unique(np.round(steps) % round(1 / step))) > 2


def _all_multiples(times, step, enough):
    times = times[~np.isnan(times)]
    if len(times) < enough or np.any(times / step != np.floor(times / step)):
        return False
    return step == _HALF_DAY or bool(np.ptp(times % 1) > 0)


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

    Returns the number of given values and the number of valid values.
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
    return n_given, n_valid


@cached(nogil=True)
def _invalid_rows(values, given, low, high, whole):
    """Return the rows of the values that are given and not valid."""
    low, high = max(low, -_LARGEST), min(high, _LARGEST)
    rows = np.empty(len(values), np.int64)
    n = 0
    for k in range(len(values)):
        rows[n] = k
        n += _is_given(values[k], given[k]) and not _is_valid(values[k], low, high, whole)
    return rows[:n].copy()


@cached
def _is_given(value, given):
    return given & (value == value) & (value != SENTINEL)


@cached
def _is_valid(value, low, high, whole):
    return (value >= low) & (value <= high) & ((not whole) | (np.floor(value) == value))


def _read_sign(column, array, name, out):
    """Read isdiffpos in any spelling as +1, -1 or 0 (unknown)."""
    unreadable = {}
    chunks = _dictionary_chunks(column, array, name)
    for chunk, part in zip(chunks, _split(out, chunks), strict=True):
        values = chunk.dictionary.to_pylist()
        signs = np.array([sign_of(value) for value in values], np.int8)
        _decode(*_values_and_given(chunk.indices), signs, part)
        for code in np.flatnonzero(signs == 0):
            value = values[code]
            if value is not None and value.strip().lower() not in MISSING_TEXTS:
                n = pc.sum(pc.equal(chunk.indices, int(code))).as_py() or 0
                unreadable[value] = unreadable.get(value, 0) + n
    return array.null_count, unreadable


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
    unreadable = [item for _, in_part in parts for item in in_part.items()]
    # A history of non-detections has no signs at all.
    expected = column.required or n_null < len(out)
    if expected and len(out) and not out.any():
        if not unreadable:
            raise _missing_values(column, len(out), name)
        spellings = list(dict(unreadable))[:3]
        raise DataError(
            f"{name}: the column {column.in_file} contains {spellings}, not 't' or 'f'; "
            "check the export of this column"
        )
    n_bad = sum(count for _, count in unreadable)
    if n_bad:
        log.warning(
            "%s: the column %s has %d of %d values that are not 't' or 'f' and count as unknown "
            "(for example %r)",
            name, column.in_file, n_bad, len(out), unreadable[0][0],
        )  # fmt: skip
    return out


def _allocate(dtype):
    return lambda n: np.empty(n, dtype)


KINDS = {
    "id": Kind(_allocate(np.int64), _read_id, _finish_ids),
    "text": Kind(_allocate(np.int8), _read_text, _finish_text),
    "object": Kind(_allocate(np.int32), _read_object_id, _finish_object_ids),
    "float": Kind(_allocate(np.float64), _read_number, _finish_numbers),
    "integer": Kind(_allocate(np.float64), _read_number, _finish_numbers),
    "band": Kind(_allocate(np.int8), _read_number, _finish_numbers),
    "sign": Kind(_allocate(np.int8), _read_sign, _finish_signs),
}
