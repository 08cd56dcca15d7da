"""Alerts and histories agree with each other as in real packets, also over successive nights."""

import numpy as np
import pandas as pd

from tests.simulate.helpers import N_ALERTS, history_of
from ztfml.simulate import simulate


def test_alerts_are_detections(two_nights, balanced):
    for night in (*two_nights.nights, balanced[0]):
        alerts = night.alerts
        assert (alerts["magpsf"] < alerts["diffmaglim"]).all()
        assert (alerts["sigmapsf"] < 1.0857 / 5).all()
        assert (alerts["sigmapsf"] > 0.01).all()
        assert (alerts["scorr"] >= 5).all()
        assert (alerts["nbad"] == 0).all()
        np.testing.assert_allclose(alerts["magap"] - alerts["magpsf"], alerts["magdiff"])
        np.testing.assert_allclose(alerts["diffmaglim"] - alerts["magap"], alerts["magfromlim"])
        np.testing.assert_allclose(alerts["aimage"] / alerts["bimage"], alerts["elong"])


def test_alerts_belong_to_the_night_and_its_exposures(two_nights):
    for number, night in enumerate(two_nights.nights):
        jd = night.alerts["jd"]
        assert jd.between(2460474.5 + number, 2460475.5 + number).all()
        assert len(np.unique(jd)) < 450  # exposures of a night, not one an alert
        assert (night.alerts.groupby("jd")["fid"].nunique() == 1).all()


def test_counts_agree_with_the_history(two_nights, balanced):
    for night in (*two_nights.nights, balanced[0]):
        alerts, history = night.alerts, night.history
        found = np.concatenate([[0], np.cumsum(~np.isnan(history.magpsf))])
        before = found[night.last] - found[night.first]
        assert (alerts["ndethist"] >= before + 1).all()
        assert (alerts["ncovhist"] > alerts["ndethist"]).all()
        assert (alerts["jdstarthist"] <= alerts["jd"]).all()
        rows = np.flatnonzero(before)
        first = [
            history.jd[a:b][~np.isnan(history.magpsf[a:b])].min()
            for a, b in zip(night.first[rows], night.last[rows], strict=True)
        ]
        assert (alerts["jdstarthist"].to_numpy()[rows] <= np.array(first) + 1e-9).all()


def test_history_rows(two_nights):
    night = two_nights.nights[1]
    history = night.history
    missed = np.isnan(history.magpsf)
    assert missed.any()
    assert (~missed).any()
    np.testing.assert_array_equal(missed, np.isnan(history.sigmapsf))
    np.testing.assert_array_equal(missed, history.isdiffpos == 0)
    assert (history.magpsf[~missed] < history.diffmaglim[~missed]).all()
    assert np.isfinite(history.diffmaglim).all()
    assert (history.jd < 2460476.5).all()


def test_history_rows_are_in_the_packet_of_a_detection(two_nights):
    """Each row lies within 30 d before a detection, or in the night itself."""
    night = two_nights.nights[0]
    history = night.history
    for a, b in zip(history.start[:-1], history.start[1:], strict=True):
        jd = history.jd[a:b]
        found = jd[~np.isnan(history.magpsf[a:b])]
        following = np.append(found, np.inf)[np.searchsorted(found, jd)]
        assert ((following - jd <= 30) | (jd >= 2460474.5)).all()


def test_history_can_contain_later_exposures_of_the_night(two_nights):
    night = two_nights.nights[0]
    code = night.object_code
    with_rows = code >= 0
    end = night.history.start[code[with_rows] + 1]
    assert (end > night.last[with_rows]).any()


def test_histories_come_from_packets_or_brokers_or_are_missing(two_nights):
    night, labels = two_nights.nights[0], two_nights.labels[0]
    alone = pd.Series(night.object_code < 0).groupby(labels["label"]).mean()
    # Brokers keep no history of what looks bogus.
    assert 0.3 < alone["artifact"] < 0.6
    assert 0.01 < alone["star"] < 0.15
    old = (night.last > night.first) & (labels["label"] == "star")
    span = night.alerts["jd"][old] - night.history.jd[night.first[old]]
    assert 0.4 < (span <= 31).mean() < 0.8
    assert 0.2 < (span > 60).mean() < 0.5


def test_long_histories_leave_the_alerts_unchanged():
    (mixed, _), (long, _) = (
        next(simulate(300, seed=3, histories=how)) for how in ("mixed", "long")
    )
    pd.testing.assert_frame_equal(mixed.alerts, long.alerts)
    assert len(long.history.jd) > 1.3 * len(mixed.history.jd)


def test_histories_are_as_long_as_real_ones(two_nights):
    rows = np.mean([len(night.history.jd) / len(night) for night in two_nights.nights])
    assert 20 < rows < 60


def test_variable_objects_appear_again(two_nights):
    one, two = (set(night.alerts["objectId"]) for night in two_nights.nights)
    again = one & two
    assert len(again) > 0.03 * N_ALERTS
    classes = pd.concat(two_nights.labels).set_index("objectId")["label"]
    assert set(classes[list(again)]) >= {"star", "agn"}
    assert "sso" not in set(classes[list(again)])
    assert classes.groupby(level=0).nunique().max() == 1


def test_history_grows_and_keeps_all_rows(two_nights):
    one, two = two_nights.nights
    again = sorted(set(one.alerts["objectId"]) & set(two.alerts["objectId"]))[:150]
    grown = 0
    for object_id in again:
        first, second = history_of(one, object_id), history_of(two, object_id)
        if len(first) == 0:
            continue
        both = first.merge(second, on=["jd", "fid", "diffmaglim"], suffixes=("", "_later"))
        assert len(both) == len(first)
        np.testing.assert_array_equal(both["magpsf"], both["magpsf_later"])
        grown += len(second) > len(first)
    assert grown > 0


def test_alerts_of_the_first_night_are_history_of_the_second(two_nights):
    one, two = two_nights.nights
    alerts = one.alerts[one.alerts["objectId"].isin(two.alerts["objectId"])].head(80)
    seen = 0
    for alert in alerts.itertuples():
        rows = history_of(two, alert.objectId)
        if len(rows):
            match = rows[(rows["jd"] == alert.jd) & (rows["magpsf"] == alert.magpsf)]
            assert len(match) == 1
            seen += 1
    assert seen > 20


def test_catalogue_fields_of_an_object_stay_the_same(two_nights):
    one, two = (night.alerts.drop_duplicates("objectId") for night in two_nights.nights)
    both = one.merge(two, on="objectId", suffixes=("", "_later"))
    for name in ("sgscore1", "distpsnr1", "srmag1", "nmtchps", "neargaia"):
        np.testing.assert_array_equal(both[name], both[f"{name}_later"])
    assert (np.abs(both["dec"] - both["dec_later"]) * 3600 < 3).all()
    assert (both["ndethist_later"] > both["ndethist"]).all()
