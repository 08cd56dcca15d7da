"""Values in other units, spellings and types: converted where that is certain, or reported."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.night_files import JD, ONE, alerts_frame, history_frame
from ztfml import features
from ztfml.errors import DataError
from ztfml.io.columns import select_columns
from ztfml.night import Night
from ztfml.schema import ALERT_BY_NAME, ALERT_INPUTS, HISTORY_COLUMNS


def read(name, values, kind=None):
    """Read values as one column of the alerts."""
    column = ALERT_BY_NAME[name]
    table = pa.table({column.in_file: pa.array(values, kind)})
    return select_columns(table, [column], "night")[name]


def messages(caplog, column):
    found = [r.getMessage() for r in caplog.records if f"column {column} has" in r.getMessage()]
    assert len(found) <= 1, "a column is reported once"
    return found[0] if found else ""


TIMES = JD + np.array([0.0, 0.0123, 1.5])
DATES = pd.to_datetime((TIMES - 2440587.5) * 86400e9, unit="ns").floor("us")


@pytest.mark.parametrize(
    ("values", "kind", "report"),
    [
        (TIMES, None, ""),
        (TIMES - 2400000.5, None, "3 of 3 rows, which are converted (for example 59000.2345)"),
        ([repr(float(t)) for t in TIMES], None, ""),
        ([f" {t - 2400000.5:.6f} " for t in TIMES], pa.large_string(), "modified Julian dates"),
        (DATES.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), None, "dates, read as UTC"),
        (DATES.strftime("%Y-%m-%d %H:%M:%S.%f+00:00"), None, "dates, read as UTC"),
        (DATES, pa.timestamp("us"), "dates, read as UTC"),
        (DATES, pa.timestamp("ns", "UTC"), "dates, read as UTC"),
        ([Decimal(f"{t:.7f}") for t in TIMES], None, ""),
    ],
)
def test_times(caplog, values, kind, report):
    np.testing.assert_allclose(read("jd", values, kind), TIMES, rtol=0, atol=2e-6)
    assert report in messages(caplog, "candidate.jd")
    assert bool(report) == bool(messages(caplog, "candidate.jd"))


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        (TIMES, pa.float32(), "has the type float, which is too coarse"),
        (TIMES - 2400000.5, pa.float32(), "has the type float, which is too coarse"),
        (np.floor(TIMES) + 0.5, None, "only multiples of 0.5 d"),
        ([59000, 59001, 59002], pa.int32(), "only multiples of 0.5 d"),
        (DATES.date, pa.date32(), "dates without the time of day"),
        (["2020-06-01", "2020-06-02", "2020-06-02"], None, "only multiples of 0.5 d"),
        (np.tile(TIMES, 3).astype("f4").astype("f8"), None, "only multiples of 0.25 d"),
        ((np.tile(TIMES, 3) - 2400000.5).astype("f4").astype("f8"), None, "of 0.00390625 d"),
        ((TIMES - 2440587.5) * 86400, None, "convert Unix times to Julian dates"),
        (["now", "today", "soon"], None, "(for example 'now')"),
    ],
)
def test_times_that_are_refused(values, kind, found):
    with pytest.raises(DataError, match=r"night: the column candidate.jd ") as caught:
        read("jd", values, kind)
    assert found in str(caught.value)


def test_times_rounded_to_a_tenth_of_a_day_are_reported(caplog):
    read("jd", 2459000.7 + np.arange(120) % 3 * 0.1)
    assert "are rounded to 0.1 d (for example 2459000.7)" in messages(caplog, "candidate.jd")


def test_times_rounded_to_a_hundredth_of_a_day_are_reported(caplog):
    read("jd", np.round(2459000.7 + np.arange(40) * 0.0137, 2))
    assert "are rounded to 0.01 d (for example 2459000.7)" in messages(caplog, "candidate.jd")
    caplog.clear()
    read("jd", np.round(2459000.7 + np.arange(40) * 0.0137, 3))
    read("jd", np.tile([2459000.7, 2459001.7], 20))
    assert not messages(caplog, "candidate.jd")


def test_coarse_optional_times_are_missing(caplog):
    assert np.isnan(read("jdstarthist", TIMES, pa.float32())).all()
    assert "too coarse" in messages(caplog, "candidate.jdstarthist")


def test_the_first_detection_in_mjd(caplog):
    found = read("jdstarthist", [58000.123, np.nan, 2458001.5])
    np.testing.assert_array_equal(found, [2458000.623, np.nan, 2458001.5])
    assert "1 of 3 rows" in messages(caplog, "candidate.jdstarthist")


@pytest.mark.parametrize(
    "spellings",
    [("g", "r", "i"), ("ztfg", "ztfr", "ztfi"), ("ZTF_g", "ZTF_r", "ZTF_i"), ("zg", "zr", "zi"),
     ("1", "2.0", " 3 "), (b"g", b"r", b"i"), (1.0, 2.0, 3.0)],
)  # fmt: skip
@pytest.mark.parametrize("encoded", [False, True])
def test_bands(spellings, encoded):
    array = pa.array([*spellings, None])
    values = array.dictionary_encode() if encoded else array
    np.testing.assert_array_equal(read("fid", values), [1, 2, 3, np.nan])


def test_other_bands_are_unknown_and_reported(caplog):
    np.testing.assert_array_equal(read("fid", [1, 2, 4]), [1, 2, np.nan])
    assert "1 of 3 values" in messages(caplog, "candidate.fid")
    assert "(for example 4)" in messages(caplog, "candidate.fid")


def test_scores_in_percent(caplog):
    np.testing.assert_allclose(read("drb", [99.5, 0.5, 12.0, np.nan]), [0.995, 0.005, 0.12, np.nan])
    assert "percentages in 2 of 4 rows" in messages(caplog, "candidate.drb")


@pytest.mark.parametrize("values", [[0.5, 0.9, 57.0], [99.0, 98.0, 101.0], [99.0, 98.0, -1.0]])
def test_scores_of_uncertain_unit_are_missing_and_reported(caplog, values):
    expected = [v if 0 <= v <= 1 else np.nan for v in values]
    np.testing.assert_array_equal(read("drb", values), expected)
    assert "count as missing" in messages(caplog, "candidate.drb")


def test_right_ascension_from_minus_180(caplog):
    np.testing.assert_array_equal(read("ra", [-170.0, 10.0, -0.25]), [190.0, 10.0, 359.75])
    assert "2 of 3 rows" in messages(caplog, "candidate.ra")


@pytest.mark.parametrize("values", [[-1.0, 200.0, 10.0], [-1.0, 10.0, 20.0], [-181.0, 10.0]])
def test_uncertain_right_ascensions_are_missing_and_reported(caplog, values):
    assert np.isnan(read("ra", values)[0])
    assert "count as missing" in messages(caplog, "candidate.ra")


def test_sexagesimal_coordinates(caplog):
    np.testing.assert_allclose(read("ra", ["12:30:00", "188d30m", "187.5"]), [187.5, 188.5, 187.5])
    np.testing.assert_allclose(read("dec", ["-00:30:00", "+12:15:00"]), [-0.5, 12.25])
    assert "sexagesimal coordinates" in messages(caplog, "candidate.ra")


def test_text_that_is_not_a_number_is_reported(caplog):
    found = read("drb", ["0.5", "high", "", "null", "N/A", None, "0.25"])
    np.testing.assert_array_equal(found, [0.5] + [np.nan] * 5 + [0.25])
    assert "1 of 7 values" in messages(caplog, "candidate.drb")
    assert "'high'" in messages(caplog, "candidate.drb")


@pytest.mark.parametrize(
    "kind", [pa.float16(), pa.float32(), pa.decimal128(12, 4), pa.string(), pa.large_string()]
)
def test_types_of_numbers(kind):
    values = pa.array([17.5, None, 18.25]).cast(kind)
    np.testing.assert_array_equal(read("magpsf", values), [17.5, np.nan, 18.25])


@pytest.mark.parametrize(
    ("values", "word"),
    [([True], "bool"), ([[1.0]], "a nested column"), ([{"x": 1}], "a nested column")],
)
def test_types_that_are_refused(values, word):
    with pytest.raises(DataError, match=word):
        read("drb", values)


def test_a_name_of_no_asteroid_is_missing():
    names = ["null", "None", "nan", "N/A", "", " ", None, "1644"]
    assert read("ssnamenr", names).isna().tolist() == [True] * 7 + [False]


def test_unreadable_signs_are_reported(caplog):
    assert read("isdiffpos", ["t", "perhaps", "F", "1.00", None]).tolist() == [1, 0, -1, 1, 0]
    assert "1 of 5 values" in messages(caplog, "candidate.isdiffpos")


def test_two_columns_of_one_name():
    table = pa.table([pa.array([0.5]), pa.array([0.5])], names=["candidate.drb", "candidate.drb"])
    with pytest.raises(DataError, match=r"the column candidate.drb occurs 2 times; keep one"):
        select_columns(table, [ALERT_BY_NAME["drb"]], "night")


# --- magnitudes -------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [0.0, -1.0, 99.0, -99.0, -999.0, np.inf, np.nan, 99.9, 7.9, 25.1])
def test_magnitudes_of_non_detections(mark):
    plain = Night.from_frames(alerts_frame(), history_frame())
    history = history_frame()
    history.loc[0, ["magpsf", "sigmapsf"]] = mark
    night = Night.from_frames(alerts_frame(), history)
    for name in night.history._fields:
        np.testing.assert_array_equal(getattr(night.history, name), getattr(plain.history, name))


@pytest.mark.parametrize("error", [np.nan, 0.0, -1.0])
def test_a_limit_written_as_a_magnitude(caplog, error):
    history = history_frame(diffmaglim=[20.0, 20.5, 20.5, 20.75])
    history.loc[0, ["magpsf", "sigmapsf"]] = [20.0, error]
    night = Night.from_frames(alerts_frame(), history)
    assert np.isnan(night.history.magpsf[0])
    assert "magpsf equals diffmaglim and has no error in 1 of 4 rows" in caplog.text
    assert features.compute(night)["n_limit"].tolist() == [1, 1, 0]


def test_many_limits_written_as_magnitudes_with_an_error(caplog):
    rows = [history_frame(jd=JD - np.arange(1, 5) - 5 * k) for k in range(3)]
    history = pd.concat(rows, ignore_index=True)
    limits = history["magpsf"].isna()
    history["diffmaglim"] = 20.5
    history.loc[limits, ["magpsf", "sigmapsf"]] = [20.5, 0.2]
    more = history[limits].assign(jd=history["jd"] - 40)
    history = pd.concat([history, more], ignore_index=True)
    night = Night.from_frames(alerts_frame(), history)
    n_limits = 2 * int(limits.sum())
    assert np.isnan(night.history.magpsf).sum() == n_limits
    assert f"magpsf equals diffmaglim in {n_limits} of {len(history)} rows" in caplog.text


def test_a_history_without_any_sign_is_reported(caplog):
    Night.from_frames(alerts_frame(), history_frame(isdiffpos=None))
    assert "the column isdiffpos has no values; earlier detections count as" in caplog.text


def test_rows_of_a_history_without_a_band_are_counted(caplog):
    Night.from_frames(alerts_frame(), history_frame(fid=[1, 2, None, None]))
    assert "the column fid is empty in 2 of 4 rows" in caplog.text


def test_a_detection_at_the_limit_stays():
    history = history_frame(diffmaglim=[20.0, 19.5, 20.5, 20.75])
    assert Night.from_frames(alerts_frame(), history).history.magpsf[1] == 19.5


@pytest.mark.parametrize("limit", [0.0, 9.9, 24.1, 35.0, 99.0, -999.0])
def test_limits_of_no_image_are_unknown(limit):
    night = Night.from_frames(alerts_frame(), history_frame(diffmaglim=[limit, 20, 20, 20]))
    assert features.compute(night)["n_limit"][0] == 0


def test_an_alert_without_a_magnitude_stays_and_uses_its_history(caplog):
    alerts = alerts_frame(**{"candidate.magpsf": [99.0, 18.0, 20.0]})
    night = Night.from_frames(alerts, history_frame())
    assert len(night) == 3
    assert features.compute(night)["n_det"].tolist() == [2, 4, 1]
    assert "candidate.magpsf has 1 of 3 values" in caplog.text


# --- drb without a version ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("drb", "versions", "expected"),
    [
        ([0.0, 0.0, 0.5], ["", "d6", "d6"], [np.nan, 0.0, 0.5]),
        ([0.0, 0.0, 0.5], [None, "null", "d6"], [np.nan, np.nan, 0.5]),
        ([0.0, 0.0, 0.5], None, [0.0, 0.0, 0.5]),
        ([0.0, 0.0, np.nan], None, [np.nan] * 3),
    ],
)
def test_a_drb_of_zero_without_a_version_is_missing(drb, versions, expected):
    alerts = alerts_frame(**{"candidate.drb": drb})
    if versions is not None:
        alerts["candidate.drbversion"] = versions
    night = Night.from_frames(alerts)
    np.testing.assert_array_equal(night.alerts["drb"], expected)
    assert "drbversion" not in night.alerts


# --- any unit and type gives the same night -------------------------------------------------


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_neighbours_of_all_spellings(data):
    alerts, history = alerts_frame(), history_frame()
    plain = Night.from_frames(alerts, history)
    shift = data.draw(st.sampled_from([0.0, 2400000.5]))
    spell = data.draw(st.sampled_from([float, repr, lambda t: f" {t:.9f}", Decimal]))
    bands = data.draw(st.sampled_from([{1: "g", 2: "r"}, {1: "ZTF_g", 2: "ZTF_r"}, {1: 1, 2: 2}]))
    kind = data.draw(st.sampled_from(["category", "object"]))
    for table, prefix in ((alerts, "candidate."), (history, "")):
        table[f"{prefix}jd"] = [spell(t) for t in table[f"{prefix}jd"] - shift]
        table[f"{prefix}fid"] = table[f"{prefix}fid"].map(bands).astype(kind)
    night = Night.from_frames(alerts, history)
    np.testing.assert_allclose(night.alerts["jd"], plain.alerts["jd"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(night.history.jd, plain.history.jd, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(night.history.fid, plain.history.fid)
    assert night.object_ids.to_pylist() == [ONE]


def test_every_conversion_is_of_a_known_column():
    quantities = {column.quantity for column in (*ALERT_INPUTS, *HISTORY_COLUMNS)}
    assert quantities == {"", "time", "band", "score", "longitude", "latitude"}
