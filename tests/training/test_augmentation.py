"""Degraded copies of alerts: what they lack, and how they looked at an earlier detection."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import random_frames
from ztfml import features
from ztfml.night import Night
from ztfml.training import augmentation
from ztfml.training.augmentation import (
    COPY_FRACTIONS,
    DEGRADATIONS,
    at_earlier_detection,
    degraded_copies,
    earlier_detections,
)

JD = np.array([2459000.5, 2459010.4, 2459011.5, 2459039.5])


def one_night(**changes):
    alert = {
        "objectId": "a", "candid": 1, "candidate.jd": 2459040.5, "candidate.fid": 1,
        "candidate.magpsf": 18.0, "candidate.sigmapsf": 0.1, "candidate.isdiffpos": "t",
        "candidate.diffmaglim": 20.5, "candidate.magap": 18.2, "candidate.magfromlim": 2.3,
        "candidate.scorr": 30.0, "candidate.ndethist": 40, "candidate.ncovhist": 400,
        "candidate.jdstarthist": 2458900.5, "candidate.sgscore1": 0.2, "candidate.drb": 0.9,
    }  # fmt: skip
    rows = {"objectId": "a", "jd": JD, "fid": 1, "magpsf": 18.5, "sigmapsf": 0.2,
            "diffmaglim": 20.0, "isdiffpos": "t"}  # fmt: skip
    return Night.from_frames(pd.DataFrame([alert]), pd.DataFrame(rows | changes))


def test_thirty_days_of_history():
    night = one_night()
    recent = DEGRADATIONS["30 days of history"](night, None)
    assert (recent.first[0], recent.last[0]) == (2, 4)
    assert night.first[0] == 0


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"fid": [1, 2, 1, 2]}, [0, 2]),
        ({"isdiffpos": ["t", "f", "f", "t"]}, [0, 3]),
        ({"magpsf": [np.nan, 18.5, np.nan, np.nan]}, [1]),
        # The alert itself, repeated with a rounded jd, and later rows do not count.
        ({"jd": [2459000.5, 2459040.499999, 2459040.5, 2459041.5]}, [0]),
    ],
)
def test_earlier_detections_are_positive_and_in_the_band_of_the_alert(changes, rows):
    alert, found = earlier_detections(one_night(**changes))
    assert found.tolist() == rows
    assert alert.tolist() == [0] * len(rows)


def test_an_alert_at_an_earlier_detection():
    night = one_night(magpsf=[18.5, np.nan, 19.0, 18.2])
    then = at_earlier_detection(night, np.array([0]), np.array([2]))
    alert = then.alerts.iloc[0]
    assert alert["jd"] == JD[2]
    assert (alert["magpsf"], alert["sigmapsf"], alert["diffmaglim"]) == (19.0, 0.2, 20.0)
    assert np.isclose(alert["magap"], 19.2)
    assert np.isclose(alert["magfromlim"], 20.0 - 19.2)
    assert np.isclose(alert["scorr"], 15.0)
    # One detection and one exposure lie between, and the alert itself is not counted.
    assert (alert["ndethist"], alert["ncovhist"]) == (38, 398)
    assert alert["jdstarthist"] == 2458900.5
    assert (alert["sgscore1"], alert["drb"]) == (0.2, 0.9)
    assert (then.first[0], then.last[0]) == (0, 2)
    assert night.alerts["jd"].iloc[0] == 2459040.5


def test_later_history_does_not_affect_an_earlier_copy():
    """The features of a copy are those of a night that ends with that detection."""
    night = one_night()
    then = at_earlier_detection(night, np.array([0]), np.array([1]))
    past = pd.DataFrame(night.history.rows(0, 1)).assign(objectId="a", isdiffpos="t")
    in_file = {name: [value] for name, value in then.alerts.iloc[0].items()}
    renamed = {k if k in ("objectId", "candid") else f"candidate.{k}": v
               for k, v in in_file.items()}  # fmt: skip
    alone = Night.from_frames(pd.DataFrame(renamed | {"candidate.isdiffpos": ["t"]}), past)
    pd.testing.assert_frame_equal(features.compute(then), features.compute(alone))


@pytest.fixture(scope="module")
def night():
    return Night.from_frames(*random_frames(5, n_objects=150, max_rows=12))


def test_copies_are_the_same_in_every_run_and_have_the_declared_number(night):
    y = np.resize(["star", "sso", "transient"], len(night))
    found, again = list(degraded_copies(night, y)), list(degraded_copies(night, y))
    for (name, some, copied), (_, same, _) in zip(found, again, strict=True):
        assert np.array_equal(some, same)
        assert len(copied) == len(some)
        assert (copied.alerts["candid"].to_numpy() == night.alerts["candid"].to_numpy()[some]).all()
        assert len(some) < 2 * COPY_FRACTIONS[name] * len(night)
    assert {name for name, _, _ in found} == set(COPY_FRACTIONS)


def test_simulated_alerts_get_fewer_copies(night, monkeypatch):
    y, simulated = np.resize(["star", "transient"], len(night)), np.arange(len(night)) >= 50
    some = np.concatenate([rows for _, rows, _ in degraded_copies(night, y, simulated)])
    per_alert = np.bincount(some, minlength=len(night))
    assert 0 < per_alert[50:].mean() < 0.6 * per_alert[:50].mean()
    monkeypatch.setattr("ztfml.training.augmentation.SIMULATED_COPIES", 0.0)
    kinds = [name for name, _, _ in degraded_copies(night, y, np.ones(len(night), bool))]
    assert kinds == ["low drb"]


def test_an_unknown_asteroid_has_no_ephemeris(night):
    y = np.resize(["star", "sso", "transient"], len(night))
    known = night.replace(alerts=night.alerts.assign(ssdistnr=0.3, ssmagnr=18.0))
    copied = {name: (some, other) for name, some, other in degraded_copies(known, y)}
    some, unknown = copied["unknown asteroid"]
    assert set(y[some]) == {"sso"}
    assert unknown.alerts[["ssdistnr", "ssmagnr"]].isna().all(axis=None)
    assert copied["no drb"][1].alerts["ssdistnr"].notna().all()


def test_only_stars_agn_and_transients_get_earlier_copies(night):
    y = np.resize(["star", "sso", "artifact"], len(night))
    earlier = {name: (some, copied) for name, some, copied in degraded_copies(night, y)}[
        "earlier detection"
    ]
    some, copied = earlier
    assert len(some)
    assert set(y[some]) == {"star"}
    assert (copied.alerts["jd"].to_numpy() < night.alerts["jd"].to_numpy()[some]).all()
    assert np.isfinite(copied.alerts["magpsf"]).all()


def test_no_earlier_copy_without_history(night):
    y = np.full(len(night), "star")
    assert "earlier detection" not in {
        name for name, _, _ in degraded_copies(night.replace(history_days=0), y)
    }


@pytest.mark.parametrize(
    ("jd", "on_first"),
    [
        (JD, JD[0]),
        # The last detection of the first night, not the first; later nights do not count.
        ([2459000.5, 2459000.6, 2459001.5, 2459039.5], 2459000.6),
    ],
)
def test_a_copy_of_the_first_night_is_its_last_detection(jd, on_first):
    night = one_night(jd=jd)
    rows, copy = augmentation._on_first_night(night, np.array([0]))
    assert rows.tolist() == [0]
    assert copy.alerts["jd"].tolist() == [on_first]


def test_no_copy_of_the_first_night_without_a_usable_detection_on_it():
    for changes in ({"isdiffpos": ["f", "t", "t", "t"]}, {"fid": [2, 1, 1, 1]}):
        assert len(augmentation._on_first_night(one_night(**changes), np.array([0]))[0]) == 0
    limits = {"magpsf": [np.nan, 18.5, 18.5, 18.5]}
    assert (
        augmentation._on_first_night(one_night(**limits), np.array([0]))[1].alerts["jd"][0] == JD[1]
    )


@pytest.mark.parametrize(
    ("export", "lacking", "present"),
    [("BTSbot", "magap", "sgscore1"), ("ALeRCE", "sgscore1", "magap"),
     ("summer school", "scorr", "sgscore1")],
)  # fmt: skip
def test_copies_as_in_exports_lack_other_fields(export, lacking, present):
    alerts = DEGRADATIONS[f"as in {export}"](one_night(), None).alerts
    assert alerts[lacking].isna().all()
    assert alerts[present].notna().all()


def test_early_detections_are_more_likely():
    night = one_night()
    rng = np.random.default_rng(0)
    move_back = augmentation._at_random_earlier_detection
    moved = [move_back(night, np.array([0]), rng)[1] for _ in range(200)]
    counts = pd.Series([one.alerts["jd"].iloc[0] for one in moved]).value_counts()
    assert set(counts.index) == set(JD)
    assert counts[JD[0]] > 2 * counts[JD[3]]


def test_an_asteroid_nearby_is_put_only_beside_objects_seen_before():
    frames = random_frames(0)
    night = Night.from_frames(*frames)
    y = np.full(len(night), "star")
    copies = {name: (rows, copy) for name, rows, copy in degraded_copies(night, y)}
    rows, copy = copies["asteroid nearby"]
    alerts = copy.alerts
    age = (alerts["jd"] - alerts["jdstarthist"]).to_numpy()
    assert (age > 0.5).all()
    assert alerts["ssdistnr"].between(3, 30).all()
    assert (alerts["ssmagnr"] - alerts["magpsf"]).max() <= 4.05
    unchanged = night.alerts.iloc[rows].drop(columns=["ssdistnr", "ssmagnr"], errors="ignore")
    pd.testing.assert_frame_equal(
        alerts[unchanged.columns].reset_index(drop=True), unchanged.reset_index(drop=True)
    )


def test_asteroids_get_no_asteroid_nearby():
    night = Night.from_frames(*random_frames(0))
    names = [name for name, _, _ in degraded_copies(night, np.full(len(night), "sso"))]
    assert "unknown asteroid" in names
    assert "asteroid nearby" not in names
