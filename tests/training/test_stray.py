"""One old stray detection at the position of a transient."""

import numpy as np

from tests.training.test_augmentation import one_night
from ztfml.night import Night
from ztfml.training.stray import AGE, with_stray_detection


def test_a_stray_detection_is_the_first_of_the_object():
    night = one_night()
    stray = with_stray_detection(night, np.random.default_rng(3))
    assert len(stray.history.jd) == len(night.history.jd) + 1
    assert stray.last[0] - stray.first[0] == night.last[0] - night.first[0] + 1
    alert = stray.alerts.iloc[0]
    assert alert["jdstarthist"] == stray.history.jd[0]
    assert AGE[0] <= night.alerts["jdstarthist"][0] - alert["jdstarthist"] <= AGE[1]
    assert (alert["ndethist"], alert["ncovhist"]) == (41, 400)
    assert np.isfinite(stray.history.magpsf[0])
    assert stray.history.jd[1:].tolist() == night.history.jd.tolist()
    assert (np.diff(stray.history.jd) > 0).all()


def test_stray_detections_have_both_signs_and_the_night_is_unchanged():
    night = one_night()
    before = night.history.jd.copy()
    signs = {
        int(with_stray_detection(night, np.random.default_rng(seed)).history.isdiffpos[0])
        for seed in range(12)
    }
    assert signs == {-1, 1}
    assert night.history.jd.tolist() == before.tolist()


def test_a_stray_detection_without_history_is_only_in_the_packet():
    frame = one_night().alerts
    night = one_night().replace(history_days=0)
    stray = with_stray_detection(night, np.random.default_rng(3))
    assert stray.first[0] == stray.last[0]
    assert stray.alerts["jdstarthist"][0] < frame["jdstarthist"][0]


def test_objects_without_rows_get_a_stray_detection_each():
    night = one_night()
    alerts = night.alerts.assign(objectId="b", candid=2)
    other = Night(alerts, night.history, night.object_ids, night.name)
    stray = with_stray_detection(other, np.random.default_rng(3))
    assert stray.alerts["jdstarthist"][0] < 2458900.5 - AGE[0]
    assert stray.alerts["ndethist"][0] == 41
