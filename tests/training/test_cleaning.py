"""Alerts and values that contradict a fact about the survey are not used in training."""

import numpy as np
import pandas as pd
import pytest

from ztfml.night import Night
from ztfml.training.cleaning import RULES, clean, with_reference_columns

ALERT = {
    "candidate.jd": 2460236.7, "candidate.fid": 1, "candidate.magpsf": 18.0,
    "candidate.sigmapsf": 0.1, "candidate.isdiffpos": "t", "candidate.ra": 150.0,
    "candidate.dec": 60.0, "candidate.distnr": 1.0, "candidate.distpsnr1": 0.7,
    "candidate.sgscore1": 0.2, "candidate.sgmag1": 19.0, "candidate.srmag1": 18.5,
    "candidate.ndethist": 5, "candidate.ncovhist": 400, "candidate.jdstarthist": 2460200.7,
    "candidate.fwhm": 2.1, "candidate.ranr": 150.0, "candidate.decnr": 60.0 + 1.01 / 3600,
    "candidate.jdendref": 2458300.5,
}  # fmt: skip


def night_of_alerts(tmp_path, *changes, **history):
    """Alerts with some fields changed, far from each other, read with the reference columns."""
    rows = [
        ALERT
        | {"objectId": f"a{k}", "candid": k + 1, "candidate.distpsnr1": 0.7 + k / 100}
        | {"candidate.dec": 60.0 + k, "candidate.decnr": 60.0 + k + 1.01 / 3600}
        | change
        for k, change in enumerate(changes)
    ]
    past = {"objectId": "a0", "jd": [2460230.7], "fid": 1, "magpsf": 18.5, "sigmapsf": 0.2,
            "diffmaglim": 20.0, "isdiffpos": "f"}  # fmt: skip
    path = tmp_path / "night.parquet"
    pd.DataFrame(rows).to_parquet(path)
    night = Night.from_frames(pd.DataFrame(rows), pd.DataFrame(past | history))
    return with_reference_columns(path, night)


def cleaned(tmp_path, label, *changes, **history):
    night = night_of_alerts(tmp_path, *changes, **history)
    return clean(night, np.full(len(night), label))


def test_a_normal_alert_is_unchanged(tmp_path):
    night, kept, counts = cleaned(tmp_path, "star", {}, {}, {})
    assert kept.all()
    assert counts == {}
    assert "ranr" not in night.alerts
    assert night.alerts["ndethist"].tolist() == [5, 5, 5]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"candidate.ra": 20.0}, "position far from its reference source"),
        ({"candidate.dec": 60.01}, "position far from its reference source"),
        ({"candidate.jdendref": 2460300.5}, "reference image later than the alert"),
        ({"candidate.jd": 2457000.5, "candidate.jdstarthist": 2457000.5,
          "candidate.jdendref": 2456990.5}, "date before first light"),
    ],
)  # fmt: skip
def test_impossible_alerts_are_removed(tmp_path, change, rule):
    night, kept, counts = cleaned(tmp_path, "star", change, {})
    assert kept.tolist() == [False, True]
    assert counts == {rule: 1}
    assert len(night) == 1


@pytest.mark.parametrize(
    ("change", "blank"),
    [
        ({"candidate.ndethist": 500}, ["ndethist", "ncovhist"]),
        ({"candidate.jdstarthist": 2460240.7}, ["jdstarthist"]),
        ({"candidate.fwhm": 70.0}, ["fwhm"]),
        ({"candidate.fwhm": 0.0}, ["fwhm"]),
    ],
)
def test_impossible_values_become_missing(tmp_path, change, blank):
    night, kept, counts = cleaned(tmp_path, "star", change, {})
    assert kept.all()
    assert list(counts.values()) == [1]
    missing = night.alerts.columns[night.alerts.iloc[0].isna() & night.alerts.iloc[1].notna()]
    assert sorted(missing) == sorted(blank)


def test_one_position_at_the_meridian_is_not_moved(tmp_path):
    change = {"candidate.ra": 0.0001, "candidate.ranr": 359.9999, "candidate.distnr": 0.36}
    change |= {"candidate.dec": 60.0, "candidate.decnr": 60.0}
    assert cleaned(tmp_path, "star", change)[2] == {}


def test_a_neighbour_at_three_places_is_invented_and_at_two_it_is_not(tmp_path):
    same = {"candidate.distpsnr1": 0.7}
    night, kept, counts = cleaned(tmp_path, "star", same, same, same)
    assert kept.all()
    assert counts == {"the same PS1 neighbour at three or more places": 3}
    assert night.alerts["sgscore1"].isna().all()
    assert cleaned(tmp_path, "star", same, same)[2] == {}


def test_a_transient_needs_a_detection_above_the_reference(tmp_path):
    negative = {"candidate.isdiffpos": "f"}
    rule = "transient that is always below the reference image"
    assert cleaned(tmp_path, "transient", negative)[2] == {rule: 1}
    assert cleaned(tmp_path, "agn", negative)[2] == {}
    assert cleaned(tmp_path, "transient", negative, isdiffpos="t")[2] == {}
    assert cleaned(tmp_path, "transient", negative, isdiffpos="t", magpsf=np.nan)[2] == {rule: 1}


def test_an_asteroid_does_not_stay(tmp_path):
    rule = "asteroid with three or more detections at this place on earlier nights"
    earlier = {"objectId": "a0", "jd": 2460236.7 - np.array([0.9, 0.8, 0.7])}
    assert cleaned(tmp_path, "sso", {}, {}, **earlier)[2] == {rule: 1}
    assert cleaned(tmp_path, "sso", {}, {}, **earlier)[1].tolist() == [False, True]
    assert cleaned(tmp_path, "star", {}, {}, **earlier)[2] == {}
    # Two detections on an earlier night, several tonight, or limits: nothing is wrong.
    for jd in ([0.9, 0.8], [0.03, 0.02, 0.01], [0.9, 0.8, 0.01]):
        moving = {"objectId": "a0", "jd": 2460236.7 - np.array(jd)}
        assert cleaned(tmp_path, "sso", {}, **moving)[2] == {}
    assert cleaned(tmp_path, "sso", {}, **earlier, magpsf=np.nan)[2] == {}


def test_a_transient_does_not_last_for_years_in_hundreds_of_detections(tmp_path):
    old = {"candidate.jdstarthist": 2458300.5}
    many = {"candidate.ndethist": 350}
    assert cleaned(tmp_path, "transient", old | many)[2] == {
        "transient with more than 300 detections over more than two years": 1
    }
    for change in (old, many):
        assert cleaned(tmp_path, "transient", change)[2] == {}
    assert cleaned(tmp_path, "star", old | many)[2] == {}


def test_every_rule_has_a_reason_and_a_name_of_its_own():
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(len(rule.reason) > 20 for rule in RULES)
