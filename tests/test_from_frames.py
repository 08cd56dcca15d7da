"""`Night.from_frames` reads DataFrames of any origin, or says in one sentence why it cannot."""

import contextlib
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.nights import random_frames
from ztfml import Night
from ztfml.errors import DataError

ALERTS, HISTORY = random_frames(4)
EXPECTED = Night.from_frames(ALERTS, HISTORY)


def assert_same(night):
    pd.testing.assert_frame_equal(night.alerts, EXPECTED.alerts)
    for found, wanted in zip(night.history, EXPECTED.history, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    "indexed",
    [
        ALERTS.set_index("objectId"),
        ALERTS.set_index("candid"),
        ALERTS.set_index(["objectId", "candid"]),
        ALERTS.set_index("objectId", drop=False),
        ALERTS.set_index(["objectId", "candid"], drop=False),
        ALERTS.set_index("objectId").rename_axis(None),
        ALERTS.set_index(np.arange(len(ALERTS))[::-1] * 7),
        ALERTS.set_index(pd.to_datetime("2024-01-01") + pd.to_timedelta(ALERTS.index, "D")),
        ALERTS.set_axis(pd.MultiIndex.from_product([["a"], ALERTS.columns]).droplevel(0), axis=1),
    ],
)
def test_any_index_of_alerts(indexed):
    assert_same(Night.from_frames(indexed, HISTORY))


@pytest.mark.parametrize(
    "indexed",
    [
        HISTORY.set_index("objectId"),
        HISTORY.set_index("objectId", drop=False),
        HISTORY.set_index("objectId").rename_axis(None),
        HISTORY.set_index(["objectId", "jd"]),
        HISTORY.set_index("jd"),
    ],
)
def test_any_index_of_a_history(indexed):
    assert_same(Night.from_frames(ALERTS, indexed))


def test_columns_with_two_levels():
    names = [tuple(name.split(".")) if "." in name else (name, "") for name in ALERTS]
    table = ALERTS.set_axis(pd.MultiIndex.from_tuples(names), axis=1)
    assert_same(Night.from_frames(table, HISTORY))


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2]] * len(ALERTS),
        [{"a": 1}] * len(ALERTS),
        [np.zeros((63, 63), np.float32)] * len(ALERTS),
        [b"image"] * len(ALERTS),
        [1, "a", None, 2.5, [1], {}, object()] * len(ALERTS),
        [decimal.Decimal("1.5")] * len(ALERTS),
        [pd.Timestamp("2024-01-01", tz="UTC")] * len(ALERTS),
        [pd.Period("2024-01")] * len(ALERTS),
        [pd.Interval(0, 1)] * len(ALERTS),
        [1 + 2j] * len(ALERTS),
        [2**70] * len(ALERTS),
        [lambda: 0] * len(ALERTS),
    ],
)
def test_columns_that_are_not_used_may_contain_anything(values):
    column = pd.Series(values[: len(ALERTS)], index=ALERTS.index)
    assert_same(Night.from_frames(ALERTS.assign(image=column), HISTORY))


def test_equal_columns_are_used_once(caplog):
    assert_same(Night.from_frames(pd.concat([ALERTS, ALERTS[["candidate.jd"]]], axis=1), HISTORY))
    assert "2 equal columns have the name candidate.jd; one is used" in caplog.text


def test_different_columns_of_one_name_are_refused():
    table = pd.concat([ALERTS, ALERTS[["candidate.jd"]] + 1], axis=1)
    with pytest.raises(DataError, match=r"2 columns have the name candidate\.jd and differ in"):
        Night.from_frames(table, HISTORY)


@pytest.mark.parametrize("table", [None, [], {"candid": [1]}, ALERTS["candid"]])
def test_something_else_than_a_frame(table):
    with pytest.raises(DataError, match=r"not a pandas\.DataFrame; convert it"):
        Night.from_frames(table)


TYPES = {
    "arrow": lambda table: table.convert_dtypes(dtype_backend="pyarrow"),
    "nullable": lambda table: table.convert_dtypes(dtype_backend="numpy_nullable"),
    "object": lambda table: table.astype(object),
    "category": lambda table: table.astype(dict.fromkeys(text_of(table), "category")),
    "large_string": lambda table: table.astype(
        dict.fromkeys(text_of(table), pd.ArrowDtype(pa.large_string()))
    ),
    "dictionary": lambda table: table.astype(
        dict.fromkeys(text_of(table), pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))
    ),
    "none": lambda table: table.astype(object).where(table.notna(), None),
}


def text_of(table):
    return table.select_dtypes("str").columns


@pytest.mark.parametrize("convert", TYPES.values(), ids=TYPES)
def test_types(convert):
    assert_same(Night.from_frames(convert(ALERTS), convert(HISTORY)))


@pytest.mark.parametrize("kind", ["candid", "fid", "magpsf"])
def test_categories_of_numbers(kind):
    name = kind if kind == "candid" else f"candidate.{kind}"
    assert_same(Night.from_frames(ALERTS.astype({name: "category"}), HISTORY))


def test_ids_as_text_and_as_decimals():
    assert_same(Night.from_frames(ALERTS.assign(candid=ALERTS["candid"].astype(str)), HISTORY))
    exact = pd.Series([decimal.Decimal(int(candid)) for candid in ALERTS["candid"]])
    as_decimal = exact.astype(pd.ArrowDtype(pa.decimal128(20, 0)))
    assert_same(Night.from_frames(ALERTS.assign(candid=as_decimal), HISTORY))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.sampled_from([pd.NA, pd.NaT, np.nan, [], {}, (1,), np.float32(1), np.int8(1), 1j,
                     decimal.Decimal("1.5"), pd.Timestamp("2024-01-01"), object()]),
)  # fmt: skip
DTYPES = st.sampled_from(
    [object, "str", "category", "float32", "Int64", "boolean", "Sparse[float]", "datetime64[ns]",
     "complex", *map(pd.ArrowDtype, (pa.decimal128(20, 2), pa.large_string(), pa.binary()))]
)  # fmt: skip


def as_type(series, dtype):
    """Convert values, or leave them as objects if they cannot have this type."""
    with contextlib.suppress(Exception):
        return series.astype(dtype)
    return series


def assert_night_or_message(*tables):
    message = ""
    try:
        assert len(Night.from_frames(*tables)) > 0
    except DataError as error:
        message = str(error)
    assert "\n" not in message


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    column=st.sampled_from([*ALERTS.columns, "candidate.ssnamenr", "classifications.braai"]),
    values=st.lists(VALUES, min_size=len(ALERTS), max_size=len(ALERTS)),
    dtype=DTYPES,
    in_index=st.booleans(),
)
def test_any_content_of_a_column_gives_a_night_or_an_error_message(column, values, dtype, in_index):
    series = as_type(pd.Series(values, dtype=object), dtype)
    table = ALERTS.drop(columns=column, errors="ignore").assign(**{column: series})
    # Lists and dicts cannot be in an index.
    with contextlib.suppress(TypeError):
        table = table.set_index(column) if in_index else table
    assert_night_or_message(table)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(column=st.sampled_from(list(HISTORY.columns)), value=VALUES, dtype=DTYPES)
def test_any_content_of_a_history_gives_a_night_or_an_error_message(column, value, dtype):
    series = as_type(pd.Series([value] * len(HISTORY), dtype=object), dtype)
    assert_night_or_message(ALERTS, HISTORY.assign(**{column: series}))
