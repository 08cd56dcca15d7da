"""Coverage of the history, and its table."""

import logging

import numpy as np
import pandas as pd
import pytest

from tests.night_files import JD, ONE, TWO, alerts_frame, history_frame
from ztfml.lightcurves.history_table import history_to_arrow
from ztfml.night import Night


def coverage(caplog, alerts, history):
    with caplog.at_level(logging.INFO):
        Night.from_frames(alerts, history)
    (record,) = [r for r in caplog.records if ": history for" in r.getMessage()]
    return record.levelname, record.getMessage()


def test_the_coverage_is_reported(caplog):
    level, text = coverage(caplog, alerts_frame(), history_frame())
    assert (level, text) == (
        "INFO",
        "night (history): history for 1 of 2 objects, from 2020-05-25 to 2020-06-01",
    )


def test_a_history_of_few_objects_is_a_warning(caplog):
    many = [alerts_frame().iloc[:1].assign(objectId=f"ZTF20b{k}", candid=k) for k in range(20)]
    level, text = coverage(caplog, pd.concat([alerts_frame(), *many]), history_frame())
    assert level == "WARNING"
    assert "history for 1 of 22 objects" in text


@pytest.mark.parametrize("days", [30, 400])
def test_a_later_history_is_a_warning(caplog, days):
    history = history_frame()
    level, text = coverage(caplog, alerts_frame(), history.assign(jd=history["jd"] + days))
    assert level == "WARNING"
    assert "no row is before the alert" in text


def test_an_unknown_band_is_null_in_a_file():
    night = Night.from_frames(alerts_frame(), history_frame(fid=[1, 2, 7, 2]))
    table = history_to_arrow(night.history, night.object_ids)
    assert table["fid"].to_pylist() == [1, 2, None, 2]
    again = Night.from_frames(alerts_frame(), table.to_pandas())
    np.testing.assert_array_equal(again.history.fid, night.history.fid)
    assert (night.alerts["objectId"] == [ONE, ONE, TWO]).all()
    assert night.history.jd[0] == JD - 6
