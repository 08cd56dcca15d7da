import logging
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tests.nights import random_frames
from ztfml.errors import DataError
from ztfml.io.companions import history_beside, labels_beside
from ztfml.lightcurves.history import History, order_rows, visible_rows
from ztfml.night import Night

JD = 2459000.75
CANDID = 1234567890123456789
ONE, TWO = "ZTF20aaaaaaa", "ZTF20aaaaaab"


def alerts_frame(**columns):
    """Two alerts of one object and one of another."""
    return pd.DataFrame(
        {
            "objectId": [ONE, ONE, TWO],
            "candid": [CANDID, CANDID + 1, CANDID + 2],
            "candidate.jd": [JD, JD + 3, JD],
            "candidate.fid": [1, 2, 1],
            "candidate.magpsf": [18.5, 18.0, 20.0],
            "candidate.sigmapsf": [0.1, 0.05, 0.2],
            "candidate.isdiffpos": ["t", "t", "f"],
            **columns,
        }
    )


def history_frame(**columns):
    """Four rows of the first object, the last between its two alerts; none of the second."""
    return pd.DataFrame(
        {
            "objectId": [ONE] * 4,
            "jd": [JD - 6, JD - 4, JD - 2, JD + 1],
            "fid": [1, 2, 1, 2],
            "magpsf": [np.nan, 19.5, 19.0, 18.25],
            "sigmapsf": [np.nan, 0.2, 0.1, 0.1],
            "diffmaglim": [20.0, 20.5, 20.5, 20.75],
            "isdiffpos": [None, "t", "f", "t"],
            **columns,
        }
    )


def save(folder, alerts, history=None, **options):
    path = folder / "night.parquet"
    for table, file in ((alerts, path), (history, history_beside(path))):
        if isinstance(table, pa.Table):
            pq.write_table(table, file)
        elif table is not None:
            table.to_parquet(file, **options)
    return path


def sees(night, k):
    """Return the epochs of the history rows that alert k sees."""
    return night.history.jd[night.first[k] : night.last[k]].tolist()


def rows_of(night):
    """Return the history as a table sorted by object name."""
    history = night.history
    names = np.repeat(night.object_ids.to_pylist(), np.diff(history.start))
    frame = pd.DataFrame(history.rows(0, len(history.jd))).assign(objectId=names)
    return frame.sort_values("objectId", kind="stable", ignore_index=True)


# --- reading ----------------------------------------------------------------------------


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
    Night.load(shared_data / "alerts" / "ztf_alerts_real.parquet")
    assert [r for r in caplog.records if "candidate." in r.getMessage()] == []


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


# --- order and duplicates ---------------------------------------------------------------


def test_exact_duplicates_are_dropped_and_other_candidates_are_kept(tmp_path):
    history = pd.concat(
        [
            history_frame(),
            history_frame().iloc[[1, 0]],  # identical, including NaN
            history_frame(magpsf=[20.0] * 4).iloc[[1]],  # another candidate of the exposure
            history_frame(fid=[2] * 4).iloc[[0]],  # another band
        ]
    )
    night = Night.load(save(tmp_path, alerts_frame(), history))
    assert night.history.jd.tolist() == [JD - 6, JD - 6, JD - 4, JD - 4, JD - 2, JD + 1]
    assert night.history.fid.tolist() == [1, 2, 2, 2, 1, 2]
    assert_array_equal(night.history.magpsf, [np.nan, np.nan, 19.5, 20.0, 19.0, 18.25])


def test_two_objects_keep_identical_rows():
    history = pd.concat([history_frame(), history_frame(objectId=[TWO] * 4)])
    night = Night.from_frames(alerts_frame(), history)
    assert len(night.history.jd) == 8
    assert sees(night, 2) == sees(night, 0) == [JD - 6, JD - 4, JD - 2]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_row_order_of_the_history_does_not_matter(seed):
    alerts, history = random_frames(seed)
    night = Night.from_frames(alerts, history)
    shuffled = Night.from_frames(alerts, history.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(rows_of(night), rows_of(shuffled))
    for name, jd in zip(night.alerts["objectId"], night.alerts["jd"], strict=True):
        pd.testing.assert_frame_equal(
            night.light_curve(name, as_of=jd), shuffled.light_curve(name, as_of=jd)
        )


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_order_rows_agrees_with_pandas(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 60))
    rows = pd.DataFrame(
        {
            "code": rng.integers(0, 4, n),
            "jd": rng.integers(0, 5, n).astype(float),
            "fid": rng.integers(1, 3, n).astype(np.int8),
            "magpsf": rng.choice([18.0, 19.0, np.nan], n),
            "sigmapsf": rng.choice([0.1, np.nan], n),
            "diffmaglim": rng.choice([20.0, np.nan], n),
            "isdiffpos": rng.choice([-1, 1], n).astype(np.int8),
        }
    )
    columns = {name: rows[name].to_numpy() for name in rows.columns[1:]}
    history = order_rows(rows["code"].to_numpy(), 4, columns)
    wanted = rows.drop_duplicates().sort_values(list(rows.columns), ignore_index=True)
    for name in rows.columns[1:]:
        assert_array_equal(getattr(history, name), wanted[name])
    assert_array_equal(np.diff(history.start), np.bincount(wanted["code"], minlength=4))


# --- no look-ahead ----------------------------------------------------------------------------


def brute_force(alerts, history):
    """Return the epochs that each alert sees, by filtering a table."""
    columns = ["jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos"]
    sign = history["isdiffpos"].map(lambda v: {"t": 1, "1": 1, "f": -1, "0": -1}.get(str(v), 0))
    history = history.assign(isdiffpos=sign).drop_duplicates(["objectId", *columns])
    return [
        sorted(history.loc[(history["objectId"] == name) & (history["jd"] < jd), "jd"])
        for name, jd in zip(alerts["objectId"], alerts["candidate.jd"], strict=True)
    ]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_an_alert_sees_only_earlier_rows(seed):
    alerts, history = random_frames(seed)
    night = Night.from_frames(alerts, history)
    assert [sees(night, k) for k in range(len(night))] == brute_force(alerts, history)


REAL = ["2458312.5", "2458451.5", "2460235.5", "real"]


@pytest.mark.parametrize("name", REAL)
def test_a_real_alert_sees_only_earlier_rows(shared_data, name):
    path = shared_data / "alerts" / f"ztf_alerts_{name}.parquet"
    night = Night.load(path)
    alerts = pd.read_parquet(path)
    history = pd.read_parquet(history_beside(path)).reset_index()
    assert_array_equal(night.alerts["candid"], alerts["candid"])
    rows = rows_of(night)
    assert len(rows) == len(history.drop_duplicates(["objectId", *rows.columns[:-1]]))
    picked = np.random.default_rng(0).choice(len(night), min(300, len(night)), replace=False)
    wanted = brute_force(alerts.iloc[picked], history)
    assert [sees(night, k) for k in picked] == wanted
    assert any(wanted)


def test_an_alert_does_not_see_a_row_at_the_same_jd():
    night = Night.from_frames(alerts_frame(), history_frame(jd=[JD - 1, JD, JD, JD + 1]))
    assert sees(night, 0) == [JD - 1]


def test_an_alert_without_jd_sees_no_rows():
    night = Night.from_frames(alerts_frame(**{"candidate.jd": [np.nan, JD, JD]}), history_frame())
    assert sees(night, 0) == []


def test_visible_rows_of_a_small_example():
    start = np.array([0, 3, 3, 5])
    jd = np.array([1.0, 2.0, 3.0, 1.0, 2.0])
    first, last = visible_rows(
        np.array([0, 0, 0, 1, 2, -1]), np.array([0.5, 2.0, 9.0, 9.0, 1.5, 9.0]), start, jd
    )
    assert (last - first).tolist() == [0, 1, 3, 0, 1, 0]
    assert first[4] == 3


# --- one object's light curve -----------------------------------------------------------


def test_light_curve_has_history_and_alerts_in_order():
    curve = Night.from_frames(alerts_frame(), history_frame()).light_curve(ONE)
    assert curve["jd"].tolist() == [JD - 6, JD - 4, JD - 2, JD, JD + 1, JD + 3]
    assert curve["band"].tolist() == ["g", "r", "g", "g", "r", "r"]
    assert curve["is_alert"].tolist() == [False, False, False, True, False, True]
    assert curve["isdiffpos"].tolist() == [0, 1, -1, 1, 1, 1]
    assert_array_equal(curve["magpsf"], [np.nan, 19.5, 19.0, 18.5, 18.25, 18.0])


def test_light_curve_as_of_an_alert_has_the_rows_the_alert_sees():
    night = Night.from_frames(alerts_frame(), history_frame())
    curve = night.light_curve(ONE, as_of=JD)
    assert curve["jd"].tolist() == [*sees(night, 0), JD]
    assert curve["is_alert"].tolist() == [False, False, False, True]
    assert night.light_curve(ONE, as_of=JD - 5)["jd"].tolist() == [JD - 6]
    assert night.light_curve(ONE, as_of=JD - 9).empty


def test_an_alert_repeated_in_the_history_appears_once():
    # The packet of the second alert contains the first alert with a rounded jd.
    again = pd.DataFrame(
        {"objectId": [ONE], "jd": [JD - 4e-6], "fid": [1], "magpsf": [18.5001], "sigmapsf": [0.1]}
    )
    night = Night.from_frames(alerts_frame(), pd.concat([history_frame(), again]))
    for as_of, is_alert in ((JD, True), (JD + 2, False), (JD + 3, False), (None, True)):
        curve = night.light_curve(ONE, as_of=as_of)
        assert curve.loc[abs(curve["jd"] - JD) < 1e-4, "is_alert"].tolist() == [is_alert]


def test_as_of_a_later_alert_excludes_the_earlier_alert():
    night = Night.from_frames(alerts_frame(), history_frame())
    curve = night.light_curve(ONE, as_of=JD + 3)
    assert curve["jd"].tolist() == [*sees(night, 1), JD + 3]
    assert JD not in curve["jd"].tolist()


def test_another_candidate_in_the_exposure_of_the_alert_is_left_out():
    other = pd.DataFrame(
        {"objectId": [ONE], "jd": [JD - 4e-6], "fid": [1], "magpsf": [19.5], "sigmapsf": [0.1]}
    )
    night = Night.from_frames(alerts_frame(), pd.concat([history_frame(), other]))
    curve = night.light_curve(ONE, as_of=JD)
    assert curve["magpsf"].tolist()[-2:] == [19.0, 18.5]


def test_light_curve_of_a_new_object():
    curve = Night.from_frames(alerts_frame(), history_frame()).light_curve(TWO)
    assert curve["jd"].tolist() == [JD]
    assert curve["is_alert"].tolist() == [True]
    assert np.isnan(curve["diffmaglim"][0])


def test_light_curve_of_an_object_without_alerts():
    history = pd.concat([history_frame(), history_frame(objectId="ZTF20aaaaaac")])
    curve = Night.from_frames(alerts_frame(), history).light_curve("ZTF20aaaaaac")
    assert len(curve) == 4
    assert not curve["is_alert"].any()


def test_light_curve_of_an_unknown_object_is_an_error():
    night = Night.from_frames(alerts_frame(), history_frame(), name="tonight")
    with pytest.raises(DataError, match="tonight: object 'ZTF99zzzzzzz' is neither in the alerts"):
        night.light_curve("ZTF99zzzzzzz")


# --- parts of a night, and saving -------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), data=st.data())
@settings(max_examples=40, deadline=None)
def test_subset_keeps_what_each_alert_sees(seed, data):
    night = Night.from_frames(*random_frames(seed))
    places = data.draw(st.lists(st.integers(0, len(night) - 1), max_size=8))
    part = night.subset(places)
    assert part.alerts["candid"].tolist() == night.alerts["candid"].iloc[places].tolist()
    assert [sees(part, k) for k in range(len(part))] == [sees(night, k) for k in places]
    kept = set(part.alerts["objectId"])
    assert set(part.object_ids.to_pylist()) <= kept


def test_subset_by_mask():
    night = Night.from_frames(alerts_frame(), history_frame())
    part = night.subset(night.alerts["magpsf"] < 18.2)
    assert part.alerts["candid"].tolist() == [CANDID + 1]
    assert sees(part, 0) == sees(night, 1)
    assert list(part.alerts.index) == [0]
    assert len(night.subset(night.alerts["magpsf"] > 20.0).history.jd) == 0


def assert_same_night(one, other):
    pd.testing.assert_frame_equal(one.alerts, other.alerts)
    for name in History._fields:
        assert_array_equal(getattr(one.history, name), getattr(other.history, name))
    assert_array_equal(one.first, other.first)
    assert_array_equal(one.last, other.last)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_save_and_load(tmp_path_factory, seed):
    path = tmp_path_factory.mktemp("saved") / "night.parquet"
    night = Night.from_frames(*random_frames(seed))
    night.save(path)
    assert_same_night(Night.load(path), night)
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.parametrize("name", REAL)
def test_save_and_load_real_nights(shared_data, tmp_path, name):
    night = Night.load(shared_data / "alerts" / f"ztf_alerts_{name}.parquet")
    night.save(tmp_path / "night.parquet")
    assert_same_night(Night.load(tmp_path / "night.parquet"), night)


def test_a_saved_night_has_the_public_layout(tmp_path):
    Night.from_frames(alerts_frame(), history_frame()).save(tmp_path / "night.parquet")
    alerts = pd.read_parquet(tmp_path / "night.parquet")
    history = pd.read_parquet(tmp_path / "night_prv_candidates.parquet")
    assert alerts["candidate.isdiffpos"].tolist() == ["t", "t", "f"]
    assert alerts["candid"].tolist() == [CANDID, CANDID + 1, CANDID + 2]
    assert history.index.name == "objectId"
    assert list(history.index) == [ONE] * 4
    assert history["isdiffpos"].isna().tolist() == [True, False, False, False]
    assert pq.read_table(tmp_path / "night_prv_candidates.parquet")["magpsf"].null_count == 1


def test_saving_to_a_missing_folder_is_an_error(tmp_path):
    night = Night.from_frames(alerts_frame(), history_frame())
    with pytest.raises(DataError, match=r"night\.parquet: cannot be written"):
        night.save(tmp_path / "absent" / "night.parquet")


# --- bad input --------------------------------------------------------------------------


def refused(path, *words):
    """Check that loading fails with one sentence that contains these words."""
    with pytest.raises(DataError) as caught:
        Night.load(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


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
    "jd in MJD": ("candidate.jd", [58999.25] * 3, "58999.2"),
    "jd as text": ("candidate.jd", ["now"] * 3, "not a number"),
    "jd empty": ("candidate.jd", [np.nan] * 3, "has only 0 of"),
    "magpsf as text": ("candidate.magpsf", ["18.5"] * 3, "not a number"),
    "magpsf as boolean": ("candidate.magpsf", [True] * 3, "bool, not a number"),
    "magpsf empty": ("candidate.magpsf", [np.nan] * 3, "has only 0 of"),
    "magpsf nonsense": ("candidate.magpsf", [1e6] * 3, "1e+06"),
    "fid nonsense": ("candidate.fid", [7] * 3, "(for example 7)"),
    "isdiffpos nonsense": ("candidate.isdiffpos", ["maybe"] * 3, "['maybe'], not 't' or 'f'"),
    "isdiffpos numbers": ("candidate.isdiffpos", [0.5] * 3, "['0.5'], not 't' or 'f'"),
    "isdiffpos lists": ("candidate.isdiffpos", [["t"]] * 3, "not text"),
    "objectId null": ("objectId", [ONE, None, TWO], "empty in 1 rows"),
    "objectId lists": ("objectId", [[ONE]] * 3, "not text"),
    "candid null": ("candid", pd.array([1, None, 3], dtype="Int64"), "empty in 1 rows"),
    "candid as words": ("candid", ["one", "two", "three"], "not a 64-bit integer"),
    "optional as text": ("candidate.drb", ["high"] * 3, "not a number"),
}


@pytest.mark.parametrize("case", BAD_ALERTS)
def test_bad_columns(tmp_path, case):
    column, values, word = BAD_ALERTS[case]
    path = save(tmp_path, alerts_frame(**{column: values}), history_frame())
    refused(path, str(path), f"the column {column} ", word)


BAD_HISTORY = {
    "jd in MJD": ("jd", [58999.25] * 4, "58999.2"),
    "jd empty": ("jd", [np.nan] * 4, "has only 0 of"),
    "magpsf as text": ("magpsf", ["18.5"] * 4, "not a number"),
    "isdiffpos nonsense": ("isdiffpos", ["maybe"] * 4, "['maybe'], not 't' or 'f'"),
    "objectId null": ("objectId", [ONE, None, ONE, ONE], "empty in 1 rows"),
    "objectId lists": ("objectId", [[ONE]] * 4, "not text"),
}


@pytest.mark.parametrize("case", BAD_HISTORY)
def test_bad_columns_of_the_history(tmp_path, case):
    column, values, word = BAD_HISTORY[case]
    path = save(tmp_path, alerts_frame(), history_frame(**{column: values}))
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


# --- real nights ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "n_alerts"),
    [("2458312.5", 631), ("2458451.5", 356), ("2460235.5", 575), ("real", 4892)],
)
def test_real_nights(shared_data, caplog, name, n_alerts):
    with caplog.at_level(logging.WARNING):
        night = Night.load(shared_data / "alerts" / f"ztf_alerts_{name}.parquet")
    assert len(night) == n_alerts
    assert (night.alerts["candid"].astype(str).str.len() >= 18).all()
    assert set(night.alerts["isdiffpos"]) == {1, -1}
    assert night.alerts["ssdistnr"].min() >= 0
    assert (night.history.jd[:-1] <= night.history.jd[1:]).mean() > 0.9
    assert ((night.last - night.first) > 0).mean() > 0.5
    if "drb" not in night.alerts or night.alerts["drb"].isna().all():
        assert "candidate.rb is used instead" in caplog.text


def test_asteroids_have_no_history(shared_data, caplog):
    night = Night.load(shared_data / "alerts" / "sso_30_asteroids.parquet")
    assert len(night) == 6709
    assert "the alerts have no history" in caplog.text


def test_zero_history_days_hide_all_rows(shared_data):
    night = Night.load(shared_data / "alerts" / "ztf_alerts_2460235.5.parquet")
    alone = night.replace(history_days=0)
    assert (night.last > night.first).any()
    assert (alone.last == alone.first).all()
    assert alone.alerts is night.alerts
    assert alone.history is night.history


def test_history_days_hides_older_rows():
    night = Night.from_frames(alerts_frame(), history_frame())
    recent = night.replace(history_days=4)
    assert [sees(recent, k) for k in range(3)] == [[JD - 4, JD - 2], [JD + 1], []]
    assert recent.light_curve(ONE, as_of=JD)["jd"].tolist() == [JD - 4, JD - 2, JD]
    assert [sees(recent.subset([1, 0]), k) for k in range(2)] == [[JD + 1], [JD - 4, JD - 2]]
    assert recent.replace(alerts=night.alerts).history_days == 4


@pytest.mark.parametrize("name", ["alerts", "history", "name", "first", "something_new"])
def test_attributes_cannot_be_set(name):
    night = Night.from_frames(alerts_frame(), history_frame())
    with pytest.raises(AttributeError):
        setattr(night, name, None)


def test_replace_leaves_the_old_night_as_it_was():
    night = Night.from_frames(alerts_frame(), history_frame())
    fainter = night.replace(
        alerts=night.alerts.assign(magpsf=21.0),
        history=night.history._replace(magpsf=night.history.magpsf + 1),
    )
    assert fainter.alerts["magpsf"].tolist() == [21.0] * 3
    assert night.alerts["magpsf"].tolist() == [18.5, 18.0, 20.0]
    assert_array_equal(fainter.history.magpsf, [np.nan, 20.5, 20.0, 19.25])
    assert_array_equal(night.history.magpsf, [np.nan, 19.5, 19.0, 18.25])
    assert fainter.history.jd is night.history.jd


def test_a_night_can_be_pickled():
    night = Night.from_frames(alerts_frame(), history_frame()).replace(history_days=4)
    copied = pickle.loads(pickle.dumps(night))
    assert_same_night(copied, night)
    assert copied.history_days == 4


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_from_frames_accepts_the_tables_of_a_night(seed):
    night = Night.from_frames(*random_frames(seed))
    assert_same_night(Night.from_frames(night.alerts, night.history_frame()), night)


def test_an_unknown_sign_stays_unknown_in_a_round_trip():
    signs = {"candidate.isdiffpos": ["t", None, "f"]}
    night = Night.from_frames(alerts_frame(**signs), history_frame())
    again = Night.from_frames(night.alerts, night.history_frame())
    assert again.alerts["isdiffpos"].tolist() == [1, 0, -1]


def test_history_frame_has_the_layout_of_the_file():
    frame = Night.from_frames(alerts_frame(), history_frame()).history_frame()
    assert frame.index.tolist() == [ONE] * 4
    assert frame.columns.tolist() == history_frame().columns.drop("objectId").tolist()
    assert frame["isdiffpos"].tolist()[1:] == ["t", "f", "t"]
    assert frame["isdiffpos"].isna().tolist() == [True, False, False, False]


@pytest.mark.parametrize("name", REAL)
def test_real_nights_survive_a_round_trip(shared_data, name):
    night = Night.load(shared_data / "alerts" / f"ztf_alerts_{name}.parquet")
    assert_same_night(Night.from_frames(night.alerts, night.history_frame()), night)


def test_load_alerts_ignores_the_history(tmp_path, caplog):
    path = save(tmp_path, alerts_frame(), history_frame())
    history_beside(path).write_bytes(b"not parquet at all")
    alone = Night.load_alerts(path)
    pd.testing.assert_frame_equal(alone.alerts, Night.from_frames(alerts_frame()).alerts)
    assert len(alone.history.jd) == 0
    assert "the alerts have no history" not in caplog.text


def test_replaced_alerts_see_only_earlier_rows():
    night = Night.from_frames(*random_frames(3, n_objects=20, max_rows=8))
    before = night.alerts.assign(jd=night.alerts["jd"] - 5)
    other = night.replace(alerts=before)
    assert other.history is night.history
    for k in range(len(other)):
        seen = other.history.jd[other.first[k] : other.last[k]]
        assert (seen < before["jd"].iloc[k]).all()
    assert other.last.sum() < night.last.sum()


@pytest.mark.parametrize("names", ["text", "different dictionaries", "one dictionary"])
def test_row_groups_may_have_different_dictionaries(tmp_path, names):
    alerts, history = random_frames(3)
    path = tmp_path / "night.parquet"
    alerts.to_parquet(path)
    if names == "one dictionary":
        history = history.astype({"objectId": "category"})
    table = pa.Table.from_pandas(history, preserve_index=False)
    use_dictionary = names != "text"
    pq.write_table(table, history_beside(path), row_group_size=7, use_dictionary=use_dictionary)
    whole = Night.from_frames(alerts, history.astype({"objectId": "str"}))
    night = Night.load(path)
    assert pq.read_metadata(history_beside(path)).num_row_groups > 2
    for read, wanted in zip(night.history, whole.history, strict=True):
        assert_array_equal(read, wanted)
    assert_array_equal(night.first, whole.first)
    assert_array_equal(night.last, whole.last)
