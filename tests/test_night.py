"""`Night`: light curves, parts of a night, saving, and real nights."""

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

from tests.night_files import (
    CANDID,
    JD,
    ONE,
    REAL,
    TWO,
    alerts_frame,
    history_frame,
    save,
    sees,
)
from tests.nights import random_frames
from ztfml.errors import DataError
from ztfml.io.companions import history_beside
from ztfml.lightcurves.history import History
from ztfml.night import Night

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
    name = night.alerts["objectId"][0]
    with pytest.raises(DataError, match=f"did you mean '{name}'"):
        night.light_curve(name.lower())


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
