"""Read the columns of files: types, spellings and errors."""

import logging

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal

from tests.night_files import (
    CANDID,
    JD,
    ONE,
    TWO,
    alerts_frame,
    history_frame,
    refused,
    rows_of,
    save,
    sees,
)
from ztfml.errors import DataError
from ztfml.io.columns import select_columns
from ztfml.io.companions import history_beside, labels_beside
from ztfml.io.detections import drop_limits_given_as_magnitudes
from ztfml.night import Night
from ztfml.schema import HISTORY_COLUMNS


def test_alerts_keep_their_order_and_exact_candids(tmp_path):
    night = Night.load(save(tmp_path, alerts_frame(), history_frame()))
    assert night.alerts["candid"].tolist() == [CANDID, CANDID + 1, CANDID + 2]
    assert night.alerts["candid"].dtype == np.int64
    assert night.alerts["objectId"].tolist() == [ONE, ONE, TWO]
    assert night.alerts["isdiffpos"].tolist() == [1, 1, -1]
    assert len(night) == 3
    assert repr(night) == f"<Night {tmp_path / 'night.parquet'}: 3 alerts, 4 history rows>"


def test_candid_as_text_is_exact(tmp_path):
    candid = [str(CANDID), str(CANDID + 1), str(CANDID + 2)]
    night = Night.load(save(tmp_path, alerts_frame(candid=candid)))
    assert night.alerts["candid"].tolist() == [CANDID, CANDID + 1, CANDID + 2]


@pytest.mark.parametrize("missing", [-999.0, np.nan, None, -1.0, np.inf])
def test_missing_is_nan(tmp_path, missing):
    frame = alerts_frame(**{"candidate.ssdistnr": pd.Series([missing, 2.5, missing], dtype=float)})
    night = Night.load(save(tmp_path, frame, history_frame()))
    assert_array_equal(night.alerts["ssdistnr"], [np.nan, 2.5, np.nan])


def test_zero_is_a_value(tmp_path):
    frame = alerts_frame(**{"candidate.distnr": [0.0, 1.0, 2.0], "candidate.nneg": [0, 1, -999]})
    night = Night.load(save(tmp_path, frame))
    assert night.alerts["distnr"].tolist() == [0.0, 1.0, 2.0]
    assert_array_equal(night.alerts["nneg"], [0.0, 1.0, np.nan])


def test_integers_with_gaps_and_small_floats_are_read(tmp_path):
    frame = alerts_frame(
        **{
            "candidate.ndethist": pd.array([1, None, 3], dtype="Int32"),
            "candidate.drb": np.array([0.25, 0.5, 0.75], np.float32),
            "candidate.rb": pd.Series([None, None, None], dtype=object),
        }
    )
    night = Night.load(save(tmp_path, frame))
    assert_array_equal(night.alerts["ndethist"], [1.0, np.nan, 3.0])
    assert night.alerts["drb"].tolist() == [0.25, 0.5, 0.75]
    assert night.alerts["rb"].isna().all()


@pytest.mark.parametrize(
    "signs",
    [
        pa.array(["t", "f", None]),
        pa.array(["1", "0", None]),
        pa.array([1, 0, None]),
        pa.array([1.0, 0.0, np.nan]),
        pa.array([True, False, None]),
        pa.array(["T", " F ", ""]),
        pa.array(["true", "false", "unknown"]),
        pa.array(["t", "f", None]).dictionary_encode(),
        pa.array([b"t", b"f", None]),
        pa.array([1, -1, None]),
        pa.array([1.0, -1.0, np.nan]),
        pa.array(["1.0", "-1.0", None]),
        pa.array(["True", "False", None]),
    ],
    ids=lambda signs: f"{signs.type}-{signs[0]}",
)
def test_every_spelling_of_isdiffpos(tmp_path, signs):
    alerts = pa.Table.from_pandas(alerts_frame().drop(columns="candidate.isdiffpos"))
    alerts = alerts.append_column("candidate.isdiffpos", signs)
    history = pa.Table.from_pandas(history_frame().drop(columns="isdiffpos").iloc[1:])
    history = history.append_column("isdiffpos", signs)
    night = Night.load(save(tmp_path, alerts, history))
    assert night.alerts["isdiffpos"].tolist() == [1, -1, 0]
    assert night.history.isdiffpos.tolist() == [1, -1, 0]


def test_object_id_as_column_or_as_index(tmp_path):
    wanted = rows_of(Night.from_frames(alerts_frame(), history_frame()))
    named = history_frame().set_index("objectId")
    unnamed = named.rename_axis(None)
    categorical = history_frame(objectId=pd.Categorical([ONE] * 4))
    for history in (history_frame(), named, unnamed, categorical):
        night = Night.load(save(tmp_path, alerts_frame(), history))
        pd.testing.assert_frame_equal(rows_of(night), wanted)
        assert sees(night, 0) == [JD - 6, JD - 4, JD - 2]


def test_the_path_of_the_history_can_be_given(tmp_path):
    alerts = save(tmp_path, alerts_frame())
    history_frame().to_parquet(tmp_path / "elsewhere.parquet")
    assert len(Night.load(alerts, tmp_path / "elsewhere.parquet").history.jd) == 4


def test_column_names_of_schema_1(tmp_path):
    frame = alerts_frame(
        **{"candidate.sgscore": [0.25, 0.5, -999.0], "candidate.distpsnr": [1.0, 2.0, 3.0]}
    )
    night = Night.load(save(tmp_path, frame))
    assert_array_equal(night.alerts["sgscore1"], [0.25, 0.5, np.nan])
    assert night.alerts["distpsnr1"].tolist() == [1.0, 2.0, 3.0]


def test_the_new_column_name_has_priority(tmp_path):
    frame = alerts_frame(**{"candidate.sgscore": [0.1] * 3, "candidate.sgscore1": [0.9] * 3})
    assert Night.load(save(tmp_path, frame)).alerts["sgscore1"].tolist() == [0.9] * 3


def test_absent_optional_columns_give_one_warning(tmp_path, caplog):
    night = Night.load(save(tmp_path, alerts_frame(**{"candidate.drb": [0.9] * 3})))
    lines = [r.getMessage() for r in caplog.records if "candidate.rb" in r.getMessage()]
    assert len(lines) == 1
    assert "more; features that need them are NaN" in lines[0]
    assert "candidate.drb" not in lines[0]
    assert "ssdistnr" not in night.alerts


@pytest.mark.parametrize("columns", [{}, {"candidate.drb": [np.nan] * 3}])
def test_rb_replaces_an_absent_drb(tmp_path, caplog, columns):
    Night.load(save(tmp_path, alerts_frame(**{"candidate.rb": [0.5] * 3, **columns})))
    assert "no candidate.drb; candidate.rb is used instead" in caplog.text


def test_a_complete_night_gives_no_warning(shared_data, caplog):
    Night.load(shared_data / "alerts" / "ztf_alerts_2460235.5.parquet")
    assert [r.getMessage() for r in caplog.records if r.levelno > logging.INFO] == []


def test_real_alerts_before_drb_existed(shared_data, caplog):
    night = Night.load(shared_data / "alerts" / "ztf_alerts_real.parquet")
    assert (night.alerts["drb"] == 0).sum() == 4
    (text,) = [r.getMessage() for r in caplog.records if "candidate.drb" in r.getMessage()]
    assert "candidate.drb is 0 and has no version in 29 of 4892 alerts" in text


def test_without_a_history_file_alerts_see_no_rows(tmp_path, caplog):
    night = Night.load(save(tmp_path, alerts_frame()))
    assert "night_prv_candidates.parquet not found; the alerts have no history" in caplog.text
    assert [sees(night, k) for k in range(3)] == [[], [], []]
    assert night.light_curve(ONE)["jd"].tolist() == [JD, JD + 3]


def test_an_empty_history_is_valid(tmp_path):
    night = Night.load(save(tmp_path, alerts_frame(), history_frame().iloc[:0]))
    assert [sees(night, k) for k in range(3)] == [[], [], []]


def test_a_history_of_non_detections_is_valid(tmp_path):
    history = history_frame(magpsf=np.nan, sigmapsf=np.nan, isdiffpos=None)
    night = Night.load(save(tmp_path, alerts_frame(), history))
    assert np.isnan(night.history.magpsf).all()
    assert night.history.isdiffpos.tolist() == [0, 0, 0, 0]


def test_a_history_without_limits_and_signs_is_valid(tmp_path):
    history = history_frame().drop(columns=["diffmaglim", "isdiffpos"])
    night = Night.load(save(tmp_path, alerts_frame(), history))
    assert np.isnan(night.history.diffmaglim).all()
    assert night.history.isdiffpos.tolist() == [0, 0, 0, 0]


def test_an_unknown_band_is_0_and_a_row_without_jd_is_ignored(tmp_path, caplog):
    history = history_frame(
        fid=pd.array([1, None, 9, 2], dtype="Int64"), jd=[JD - 6, JD - 4, JD - 2, np.nan]
    )
    night = Night.load(save(tmp_path, alerts_frame(), history))
    assert night.history.fid.tolist() == [1, 0, 0]
    assert "1 rows without a valid jd are ignored" in caplog.text


def test_a_repeated_candid_is_ignored(tmp_path, caplog):
    frame = alerts_frame(candid=[CANDID, CANDID, CANDID + 2])
    night = Night.load(save(tmp_path, frame, history_frame()))
    assert night.alerts["jd"].tolist() == [JD, JD]
    assert len(night.first) == 2
    assert "1 alerts repeat the candid of an earlier row" in caplog.text


def test_file_names():
    assert str(history_beside("a/n.1.parquet")) == "a/n.1_prv_candidates.parquet"
    assert str(labels_beside("a/n.1.parquet")) == "a/n.1_labels.csv"


# --- bad input --------------------------------------------------------------------------


@pytest.mark.parametrize("candid", [np.float64(CANDID), np.float32(CANDID)])
def test_a_float_candid_is_an_error(tmp_path, candid):
    path = save(tmp_path, alerts_frame(candid=candid), history_frame())
    refused(path, str(path), "column candid is floating-point", "19 digits", "64-bit integer")


REQUIRED = [
    "objectId",
    "candid",
    "candidate.jd",
    "candidate.fid",
    "candidate.magpsf",
    "candidate.sigmapsf",
    "candidate.isdiffpos",
]


@pytest.mark.parametrize("column", REQUIRED)
def test_a_missing_required_column(tmp_path, column):
    path = save(tmp_path, alerts_frame().drop(columns=column), history_frame())
    refused(path, str(path), f"the column {column} (", "is missing")


@pytest.mark.parametrize("column", ["objectId", "jd", "fid", "magpsf", "sigmapsf"])
def test_a_missing_required_column_of_the_history(tmp_path, column):
    path = save(tmp_path, alerts_frame(), history_frame().drop(columns=column))
    refused(path, str(history_beside(path)), f"the column {column} (", "is missing")


def test_a_numeric_index_is_not_an_object_id(tmp_path):
    history = history_frame().drop(columns="objectId").iloc[[3, 0, 1, 2]]
    path = save(tmp_path, alerts_frame(), history)
    assert "__index_level_0__" in pq.read_schema(history_beside(path)).names
    refused(path, str(history_beside(path)), "the column objectId", "is missing")


BAD_ALERTS = {
    "jd in seconds": ("candidate.jd", [1.6e9 + 0.5] * 3, "convert Unix times"),
    "jd as words": ("candidate.jd", ["now"] * 3, "(for example 'now')"),
    "jd in 32 bits": ("candidate.jd", np.full(3, JD, "f4"), "has the type float, which is too"),
    "jd in whole days": ("candidate.jd", [2459000.0, 2459001.0, 2459002.0], "multiples of 0.5 d"),
    "jd in whole MJD": ("candidate.jd", [59000, 59001, 59002], "multiples of 0.5 d"),
    "jd empty": ("candidate.jd", [np.nan] * 3, "has only 0 of"),
    "magpsf as words": ("candidate.magpsf", ["faint"] * 3, "(for example 'faint')"),
    "magpsf as boolean": ("candidate.magpsf", [True] * 3, "bool, not a number"),
    "magpsf empty": ("candidate.magpsf", [np.nan] * 3, "has only 0 of"),
    "magpsf nonsense": ("candidate.magpsf", [1e6] * 3, "(for example 1000000)"),
    "fid nonsense": ("candidate.fid", [7] * 3, "(for example 7)"),
    "isdiffpos nonsense": ("candidate.isdiffpos", ["maybe"] * 3, "['maybe'], not 't' or 'f'"),
    "isdiffpos numbers": ("candidate.isdiffpos", [0.5] * 3, "['0.5'], not 't' or 'f'"),
    "isdiffpos lists": ("candidate.isdiffpos", [["t"]] * 3, "not text"),
    "objectId null": ("objectId", [ONE, None, TWO], "empty in 1 rows"),
    "objectId lists": ("objectId", [[ONE]] * 3, "not text"),
    "candid null": ("candid", pd.array([1, None, 3], dtype="Int64"), "empty in 1 rows"),
    "candid as words": ("candid", ["one", "two", "three"], "not a 64-bit integer"),
    "fid from zero": ("candidate.fid", [0, 1, 0], "numbered from 0"),
    "optional as boolean": ("candidate.drb", [True] * 3, "bool, not a number"),
}


@pytest.mark.parametrize("case", BAD_ALERTS)
def test_bad_columns(tmp_path, case):
    column, values, word = BAD_ALERTS[case]
    path = save(tmp_path, alerts_frame(**{column: values}), history_frame())
    refused(path, str(path), f"the column {column} ", word)


BAD_HISTORY = {
    "jd went through 32 bits": ("jd", [2459000.25, 2459000.5, 2459001.0, 2459001.75] * 2, "0.25 d"),
    "jd in seconds": ("jd", [1.6e9 + 0.5] * 4, "convert Unix times"),
    "jd empty": ("jd", [np.nan] * 4, "has only 0 of"),
    "magpsf as words": ("magpsf", ["faint"] * 4, "(for example 'faint')"),
    "magpsf is a flux": ("magpsf", [1500.0] * 4, "(for example 1500)"),
    "fid from zero": ("fid", [0, 1, 0, 1], "numbered from 0"),
    "isdiffpos nonsense": ("isdiffpos", ["maybe"] * 4, "['maybe'], not 't' or 'f'"),
    "objectId null": ("objectId", [ONE, None, ONE, ONE], "empty in 1 rows"),
    "objectId lists": ("objectId", [[ONE]] * 4, "not text"),
}


@pytest.mark.parametrize("case", BAD_HISTORY)
def test_bad_columns_of_the_history(tmp_path, case):
    column, values, word = BAD_HISTORY[case]
    history = pd.concat([history_frame()] * (len(values) // 4), ignore_index=True)
    path = save(tmp_path, alerts_frame(), history.assign(**{column: values}))
    refused(path, str(history_beside(path)), f"the column {column} ", word)


def test_errors_of_from_frames_name_the_column():
    with pytest.raises(DataError, match=r"tonight: the column candid is floating-point"):
        Night.from_frames(alerts_frame(candid=1e18), history_frame(), name="tonight")
    with pytest.raises(DataError, match=r"tonight \(history\): the column jd .* is missing"):
        Night.from_frames(alerts_frame(), history_frame().drop(columns="jd"), name="tonight")


def test_a_file_that_does_not_exist(tmp_path):
    refused(tmp_path / "absent.parquet", "absent.parquet: there is no such file")


def test_a_given_history_that_does_not_exist(tmp_path):
    path = save(tmp_path, alerts_frame())
    with pytest.raises(DataError, match=r"absent\.parquet: there is no such file"):
        Night.load(path, tmp_path / "absent.parquet")


def test_a_file_that_is_not_parquet(tmp_path):
    path = tmp_path / "night.parquet"
    path.write_text("objectId,candid\n")
    refused(path, str(path), "not a readable parquet file")


@pytest.mark.parametrize("part", [0.2, 0.5, 0.99])
def test_a_truncated_parquet(tmp_path, part):
    path = save(tmp_path, alerts_frame(), history_frame())
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    refused(path, str(path), "truncated")


def test_a_truncated_history(tmp_path):
    path = save(tmp_path, alerts_frame(), history_frame())
    history = history_beside(path)
    history.write_bytes(history.read_bytes()[:-20])
    refused(path, str(history), "truncated")


def test_damage_inside_a_parquet(tmp_path):
    path = save(tmp_path, alerts_frame(), history_frame())
    content = bytearray(path.read_bytes())
    content[4:300] = bytes(296)
    path.write_bytes(content)
    refused(path, str(path), "damaged or truncated")


def test_an_empty_night(tmp_path):
    path = save(tmp_path, alerts_frame().iloc[:0], history_frame())
    refused(path, str(path), "the night is empty")


def test_a_history_of_other_objects(tmp_path):
    path = save(tmp_path, alerts_frame(), history_frame(objectId="ZTF99zzzzzzz"))
    refused(path, str(history_beside(path)), "column objectId contains none of the objects")


def test_a_single_invalid_value_is_missing(tmp_path):
    frame = alerts_frame(**{"candidate.fid": [1, 2, 9], "candidate.magpsf": [18.5, 18.0, 1e9]})
    night = Night.load(save(tmp_path, frame, history_frame()))
    assert_array_equal(night.alerts["fid"], [1, 2, np.nan])
    assert_array_equal(night.alerts["magpsf"], [18.5, 18.0, np.nan])


@pytest.mark.parametrize(
    ("fractions", "refused"), [((0.75,), False), ((0.25,), False), ((0.75, 1.0), True)]
)
def test_times_at_one_fraction_of_the_day_are_not_taken_for_rounded_ones(fractions, refused):
    jd = [2460000 + k + fractions[k % len(fractions)] for k in range(20)]
    frame = pd.DataFrame({"objectId": "a", "jd": jd, "fid": 1, "magpsf": 18.0, "sigmapsf": 0.1})
    if refused:
        with pytest.raises(DataError, match=r"multiples of 0.25 d"):
            select_columns(pa.Table.from_pandas(frame), HISTORY_COLUMNS, "night")
    else:
        read = select_columns(pa.Table.from_pandas(frame), HISTORY_COLUMNS, "night")
        assert read["jd"].tolist() == jd


@pytest.mark.parametrize(
    ("found", "survey"),
    [("170032915988086813", "LSST"), ("ATLAS24abc", "ATLAS"), ("Gaia24abc", "Gaia"),
     ("SN 2024abc", "TNS"), ("PS24abc", "PS1")],
)  # fmt: skip
def test_names_of_other_surveys_are_refused(found, survey):
    table = {"objectId": [found], "candid": [1], "jd": [2460474.7], "fid": [1]}
    table |= {"magpsf": [18.5], "sigmapsf": [0.1], "isdiffpos": ["t"]}
    with pytest.raises(DataError, match=f"names of {survey} in 1 rows .*use the ZTF names"):
        Night.from_tables(pa.table(table))


@pytest.mark.parametrize(("prefix", "shown"), [("", "jd"), ("candidate.", "candidate.jd")])
def test_a_missing_column_is_named_as_in_the_table(prefix, shown):
    table = {"objectId": ["ZTF18abukavn"], "candid": [1], f"{prefix}fid": [1]}
    with pytest.raises(DataError, match=rf"the column {shown} \(.*add it to the export"):
        Night.from_tables(pa.table(table))


def test_many_small_row_groups_are_read_together(tmp_path):
    path = save(tmp_path, alerts_frame())
    expected = Night.load(path)
    pq.write_table(pq.read_table(path), path, row_group_size=1)
    assert pq.ParquetFile(path).num_row_groups == len(expected)
    pd.testing.assert_frame_equal(Night.load(path).alerts, expected.alerts)


def test_countless_row_groups_are_refused(tmp_path):
    path = tmp_path / "night.parquet"
    pq.write_table(pa.table({"objectId": [ONE] * 20_001}), path, row_group_size=1)
    refused(path, "has 20,001 row groups, at most 20,000 can be read")


def test_mjd_in_daytime_may_be_jd_without_its_first_digits(caplog):
    night = 2460235.5 + np.linspace(0.1, 0.5, 12)
    for offset, is_reported in ((2400000.5, False), (2400000.0, True)):
        caplog.clear()
        frame = pd.DataFrame({"jd": night - offset})
        table = pa.Table.from_pandas(frame)
        select_columns(table, [column for column in HISTORY_COLUMNS if column.name == "jd"], "h")
        assert "modified Julian dates" in caplog.text
        assert ("as if they were JD - 2400000" in caplog.text) == is_reported


def test_detections_without_errors_are_reported(caplog):
    columns = {"magpsf": np.array([18.0, 19.0, np.nan]), "sigmapsf": np.array([0.0, np.nan, 0.1])}
    drop_limits_given_as_magnitudes(columns, "h")
    assert "sigmapsf is missing in 2 of 2 detections" in caplog.text
