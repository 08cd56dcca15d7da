"""Tests of the benchmark that replays real light curves."""

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.replay import (
    GROUPS,
    TOP,
    Group,
    as_exposures,
    crowding,
    in_list,
    read_group,
    replay,
    summary,
)
from ztfml.injection import alerts as injected_alerts
from ztfml.injection.conditions import Conditions
from ztfml.injection.recovery import score_all
from ztfml.model.model import Model
from ztfml.simulate import simulate


def curve(days, magnitudes, name="ZTF20aaaaaaa", **columns):
    n = len(days)
    plain = {
        "objectId": name, "jd": 2459000.7 + np.array(days), "fid": 1, "magpsf": magnitudes,
        "sigmapsf": 0.1, "diffmaglim": 20.5, "isdiffpos": "t",
    }  # fmt: skip
    return pd.DataFrame(plain | columns, index=range(n))


def test_large_errors_and_negative_differences_are_no_detections():
    table = curve([0, 1, 2, 3], [18.0, 18.1, 18.2, np.nan])
    table.loc[1, "sigmapsf"] = 0.3
    table.loc[2, "isdiffpos"] = "f"
    exposures = as_exposures(pd.concat([table, curve([4], [18.4])], ignore_index=True))
    assert exposures["detected"].tolist() == [True, False, False, False, True]
    assert exposures["magpsf"].isna().tolist() == [False, True, True, True, False]


def test_missing_limits_are_those_of_a_poor_night():
    table = curve([0, 1, 2], [18.0, np.nan, 20.1]).drop(columns="diffmaglim")
    assert as_exposures(table)["limit"].tolist() == pytest.approx([19.5, 19.5, 20.15])


def test_an_unconfirmed_detection_is_no_discovery():
    table = curve([0, 60, 61, 62], [20.0, 18.0, 18.1, 18.2])
    exposures = as_exposures(table)
    # The packet of the discovery contains 30 d of history.
    assert (exposures["jd"] - 2459000.7).round().tolist() == [60, 61, 62]


def test_the_photometry_with_a_clean_baseline_is_used():
    bad = curve(np.arange(20), [19.0] * 20, kind="forced")
    peak = curve([70, 71], [16.0, 16.2], kind="forced")
    stacked = curve([0, 70, 71, 75], [np.nan, 16.1, 16.3, 17.0], kind="combined_P48")
    exposures = as_exposures(pd.concat([bad, peak, stacked], ignore_index=True))
    assert exposures["magpsf"].dropna().tolist() == [16.1, 16.3, 17.0]
    clean = as_exposures(pd.concat([bad[:2], peak, stacked], ignore_index=True))
    assert clean["magpsf"].dropna().tolist() == [16.0, 16.2]


def test_in_list_and_its_summary():
    night_scores = np.arange(20) / 20
    probability = in_list(night_scores, np.array([0.44, 0.39, 0.40, -np.inf]))
    # Eleven scores are above 0.44, twelve above 0.39; eleven above 0.40 and one is equal.
    assert probability.tolist() == [1, 0, 0.5, 0]
    last = pd.DataFrame({"event": [0, 0, 0, 1], "day": [0.0, 1.0, 3.0, 0.0]})
    table = summary(last, np.array([0.0, 1.0, 1.0, 0.0]))
    assert table["nights"].tolist() == [3, 1]
    assert table["listed"].tolist() == [2, 0]
    assert table["enters"].iloc[0] == 2
    assert table["day"].iloc[0] == 1.0
    assert table.loc[1, ["enters", "day"]].isna().all()


def test_crowding_counts_all_objects_together():
    night_scores = np.linspace(0, 0.5, 50)
    last = pd.DataFrame({"event": np.repeat(np.arange(30), 2)})
    assert crowding(night_scores, last, np.full(60, 0.9), draws=5) == pytest.approx(TOP)
    assert crowding(night_scores, last, np.full(60, -np.inf), draws=5) == 0
    # Every second night has a higher score than all objects of the night.
    half = np.where(np.arange(60) % 2, 0.9, 0.0)
    few = crowding(night_scores, last[:8], half[:8], draws=400)
    assert few == pytest.approx(2, abs=0.25)


@pytest.fixture(scope="module")
def conditions():
    return Conditions(next(simulate(1500, seed=8))[0])


@pytest.fixture(scope="module")
def model():
    return Model.load()


def test_later_data_change_no_earlier_score(conditions, model, monkeypatch):
    # The number of old detections is random, and the shorter replay draws other numbers.
    never = tuple((edge, 0.0) for edge, _ in injected_alerts._OLD_DETECTIONS)
    monkeypatch.setattr(injected_alerts, "_OLD_DETECTIONS", never)
    days, magnitudes = [-20, 0, 0.05, 1, 3, 8], [np.nan, 18.5, 18.5, 18.9, 19.6, 20.3]
    table = pd.concat(
        [curve(days, magnitudes), curve(days, magnitudes, "ZTF20aaaaaab")], ignore_index=True
    )
    exposures = as_exposures(table).assign(
        event=lambda t: (t["objectId"] == "ZTF20aaaaaab").astype(int)
    )
    contexts = conditions.night.alerts[conditions.good]
    last, tables, _ = replay(conditions, model, exposures, ["x", "y"], contexts)
    assert last.groupby("event").size().tolist() == [4, 4]
    assert last["day"][:4].tolist() == pytest.approx([0.05, 1, 3, 8])
    assert tables[0]["n_det"][:4].tolist() == [2, 3, 4, 5]
    assert tables[0]["age"][:4].tolist() == pytest.approx([0.05, 1, 3, 8], abs=1e-6)
    early = exposures[exposures["jd"] < 2459002.0]
    _, cut, cut_night = replay(conditions, model, early, ["x", "y"], contexts)
    prefixes = ("fade", "rise", "n_", "half", "age", "confirmed_age", "ndethist", "episode")
    light = [name for name in tables[0] if name.startswith(prefixes)]
    assert "n_det_before" in light
    pd.testing.assert_frame_equal(
        cut[0][light].iloc[:2], tables[0][light].iloc[:2], check_exact=True
    )
    assert np.isfinite(score_all(cut_night, *cut)["ztfml"]).all()


def test_an_object_keeps_the_surroundings_of_its_packet(conditions, model):
    contexts = conditions.night.alerts[conditions.good].reset_index(drop=True)
    contexts = contexts[contexts["distpsnr1"].notna()].reset_index(drop=True)
    name = contexts["objectId"][5]
    exposures = as_exposures(curve([0, 1], [18.0, 18.4])).assign(event=0)
    _, _, night = replay(conditions, model, exposures, [name], contexts)
    for field in ("ra", "dec", "distpsnr1", "sgscore1"):
        assert (night.alerts[field] == contexts[field][5]).all()
    # The season is that of the packet.
    assert abs(night.alerts["jd"].iloc[0] - contexts["jd"][5]) <= 0.5 + 0.3


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_all_groups_have_light_curves(shared_data, group):
    exposures, objects = read_group(group, shared_data)
    assert len(objects) >= 1
    assert group.max_objects is None or len(objects) <= group.max_objects
    assert set(exposures["event"]) == set(range(len(objects)))
    seen = exposures[exposures["detected"]]
    assert (seen["magpsf"] < seen["limit"]).all()
    assert seen["magpsf"].between(10, 22).all()


def test_drawing_objects_is_repeatable(shared_data):
    group = Group("SN Ia", ("lc_mramirezz",), "^SN Ia$", 5)
    assert read_group(group, shared_data)[1] == read_group(group, shared_data)[1]
    assert read_group(group, shared_data, seed=1)[1] != read_group(group, shared_data)[1]
