"""Order of the history, exact duplicates, and the rows that an alert sees."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tests.night_files import JD, REAL, TWO, alerts_frame, history_frame, rows_of, save, sees
from tests.nights import random_frames
from ztfml.io.companions import history_beside
from ztfml.lightcurves.history import order_rows, visible_rows
from ztfml.night import Night


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
    # Non-detections have no error.
    error = history["sigmapsf"].where(history["magpsf"].notna())
    history = history.assign(isdiffpos=sign, sigmapsf=error).drop_duplicates(["objectId", *columns])
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
