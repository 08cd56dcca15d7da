"""Read a column of any Arrow type as numbers: text, dictionaries, decimals and dates included."""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml import schema
from ztfml.errors import DataError
from ztfml.schema import MISSING_TEXTS, Column

log = logging.getLogger(__name__)

UNIX_EPOCH = 2440587.5
"""Julian date of 1970-01-01."""

_DATES = "dates, read as UTC"


def utc_date(jd: float) -> np.datetime64:
    """Return the UTC date of a Julian date.

    >>> str(utc_date(2460474.93))
    '2024-06-13'
    """
    return np.datetime64("1970-01-01") + np.timedelta64(int(np.floor(jd - UNIX_EPOCH)), "D")


class Numbers(NamedTuple):
    """A column as numbers.

    Attributes
    ----------
    array : pyarrow.ChunkedArray
        Integers or floats; null where missing or unreadable.
    n_unreadable : int
        Number of values that are present but not readable as a number.
    example : str
        One of them.
    spelling : str
        What the texts were, other than numbers, e.g. "dates".
    """

    array: pa.ChunkedArray
    n_unreadable: int = 0
    example: str = ""
    spelling: str = ""


def as_numbers(column: Column, array: pa.ChunkedArray, name: str) -> Numbers:
    """Convert a column to numbers.

    Parameters
    ----------
    column : Column
        Its ``Column.quantity`` tells which texts are understood besides numbers: dates, the names
        of bands, or sexagesimal coordinates.
    array : pyarrow.ChunkedArray
    name : str
        Name of the table in messages.

    Returns
    -------
    Numbers

    Raises
    ------
    DataError
        If the type cannot contain the values.

    Examples
    --------
    >>> from ztfml.schema import ALERT_BY_NAME
    >>> fid = pa.chunked_array([["g", "ZTF_r", "2", None]])
    >>> as_numbers(ALERT_BY_NAME["fid"], fid, "night").array.to_pylist()
    [1.0, 2.0, 2.0, None]
    """
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    kind = array.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        if column.quantity == "time" and kind in (pa.float32(), pa.float16()):
            return _refuse(column, array, name, f"has the type {kind}")
        return Numbers(array)
    if pa.types.is_decimal(kind):
        return Numbers(array.cast(pa.float64()))
    if column.quantity == "time" and pa.types.is_timestamp(kind):
        microseconds = array.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        days = [pa.array(_julian_date(chunk)) for chunk in microseconds.chunks]
        return Numbers(pa.chunked_array(days, pa.float64()), spelling=_DATES)
    if column.quantity == "time" and pa.types.is_date(kind):
        return _refuse(column, array, name, "has dates without the time of day")
    if _is_text(kind):
        return _from_text(column, array, name)
    raise wrong_type(column, array, name, "a number")


def _refuse(column, array, name, found):
    """Raise the error of times without precision, or ignore an optional column of them."""
    error = too_coarse(column, name, found)
    if column.required:
        raise error
    log.warning("%s; its values count as missing", error)
    return Numbers(pa.chunked_array([pa.nulls(len(array), pa.float64())]))


def _is_text(kind):
    return (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _julian_date(microseconds):
    values = microseconds.to_numpy(zero_copy_only=False).astype(np.float64)
    return UNIX_EPOCH + values / 86_400e6


def wrong_type(column: Column, array: pa.ChunkedArray, name: str, expected: str) -> DataError:
    """Return the error of a column with the wrong type."""
    kind = array.type
    if pa.types.is_nested(kind):
        kind = f"{'list' if 'list' in str(kind) else 'struct'} (a nested column)"
    example = next((value for value in array[:1000].to_pylist() if value is not None), None)
    shown = "" if example is None else f" (for example {str(example)[:40]!r})"
    return DataError(
        f"{name}: the column {column.in_file} has the type {kind}, not {expected}{shown}; "
        f"write it as {expected}, one value per row"
    )


def too_coarse(column: Column, name: str, found: str) -> DataError:
    """Return the error of times that have lost their precision."""
    return DataError(
        f"{name}: the column {column.in_file} {found}, which is too coarse for the time of an "
        "exposure; export it as a 64-bit float (double) with at least 5 decimals"
    )


def _from_text(column, array, name):
    try:
        encoded = array.cast(pa.string()).dictionary_encode().unify_dictionaries()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise wrong_type(column, array, name, "a number") from error
    chunks, n_unreadable, example, spelling = [], 0, "", ""
    for chunk in encoded.chunks:
        numbers, unreadable, found = _parse(column, chunk.dictionary.to_pylist())
        codes = chunk.indices.fill_null(len(numbers)).to_numpy(zero_copy_only=False)
        chunks.append(pa.array(np.append(numbers, np.nan)[codes], from_pandas=True))
        bad = np.append(unreadable, False)[codes]
        if bad.any():
            n_unreadable += int(bad.sum())
            example = chunk.dictionary[int(codes[bad.argmax()])].as_py()
        spelling = spelling or found
    return Numbers(pa.chunked_array(chunks, pa.float64()), n_unreadable, example, spelling)


def _parse(column, texts):
    """Return the numbers of texts, which of them are unreadable, and what the texts are."""
    text = pd.Series(texts, dtype="str").str.strip()
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(np.float64).copy()
    unknown = np.isnan(numbers) & ~text.str.lower().isin(MISSING_TEXTS).to_numpy(bool)
    read = _READERS.get(column.quantity)
    if read is None or not unknown.any():
        return numbers, unknown, ""
    found = read.function(text[unknown])
    numbers[unknown] = found
    return numbers, unknown & np.isnan(numbers), "" if np.isnan(found).all() else read.spelling


def _read_dates(text):
    # pandas also reads words such as "now".
    text = text.where(text.str.match(r"\d{4}-\d\d-\d\d"))
    dates = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601")
    seconds = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    return UNIX_EPOCH + seconds.to_numpy(np.float64)


def _read_bands(text):
    return np.array([schema.fid_of(value) for value in text], np.float64)


def _read_longitudes(text):
    """Read right ascensions: hours, unless the text has degrees."""
    return np.array([_angle(value, "deg" if "d" in value else "hourangle") for value in text])


def _read_latitudes(text):
    return np.array([_angle(value, "deg") for value in text])


def _angle(text, unit):
    # Imported here because it takes a third of a second and is rarely needed.
    from astropy.coordinates import Angle

    try:
        return float(Angle(text, unit=unit).deg)
    except (ValueError, TypeError):
        return np.nan


class _Reader(NamedTuple):
    function: Callable
    spelling: str


_READERS = {
    "time": _Reader(_read_dates, _DATES),
    "band": _Reader(_read_bands, "names of bands"),
    "longitude": _Reader(_read_longitudes, "sexagesimal coordinates"),
    "latitude": _Reader(_read_latitudes, "sexagesimal coordinates"),
}
