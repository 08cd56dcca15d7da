"""No look-ahead: features use rows of the object before the alert, the alert, nothing else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nights import random_frames
from ztfml import features
from ztfml.features import compute, table
from ztfml.night import Night

SEEDS = st.integers(0, 2**32 - 1)
pytestmark = pytest.mark.filterwarnings("ignore")


def features_by_candid(alerts, history):
    night = Night.from_frames(alerts, history)
    return compute(night).set_index(night.alerts["candid"].to_numpy())


def assert_identical(before, after):
    """Assert that two tables are equal to the bit, including NaN."""
    assert list(before.columns) == list(after.columns)
    assert before.to_numpy().tobytes() == after.loc[before.index].to_numpy().tobytes()


@settings(deadline=None, max_examples=20)
@given(SEEDS, SEEDS)
def test_rows_at_or_after_an_alert_change_nothing(seed, other_seed):
    alerts, history = random_frames(seed)
    # What is added lies at the alerts' own epochs or later, for each object.
    latest = alerts.groupby("objectId")["candidate.jd"].max()
    added = random_frames(other_seed)[1]
    added["jd"] = added["objectId"].map(latest) + (added["jd"] - added["jd"].min())
    before = features_by_candid(alerts, history)
    after = features_by_candid(alerts, pd.concat([history, added], ignore_index=True))
    assert_identical(before, after)


@settings(deadline=None, max_examples=12)
@given(SEEDS)
def test_later_rows_do_not_change_earlier_alerts(seed):
    alerts, history = random_frames(seed)
    whole = features_by_candid(alerts, history)
    for row in alerts.itertuples(index=False):
        past = history[(history["objectId"] == row[0]) & (history["jd"] < row[2])]
        alone = features_by_candid(alerts[alerts["candid"] == row[1]], past if len(past) else None)
        assert_identical(alone, whole)


@settings(deadline=None, max_examples=20)
@given(SEEDS, SEEDS)
def test_later_alerts_and_other_objects_change_nothing(seed, other_seed):
    alerts, history = random_frames(seed)
    more_alerts, more_history = random_frames(other_seed)
    more_alerts["candid"] += 1000
    more_alerts["candidate.jd"] += 100
    stranger = {"objectId": more_alerts["objectId"] + "x"}
    before = features_by_candid(alerts, history)
    after = features_by_candid(
        pd.concat([alerts, more_alerts, more_alerts.assign(**stranger, candid=7)]).drop_duplicates(
            "candid"
        ),
        pd.concat([history, more_history.assign(objectId=more_history["objectId"] + "x")]),
    )
    assert_identical(before, after)


@settings(deadline=None, max_examples=20)
@given(SEEDS, SEEDS)
def test_the_order_of_rows_and_alerts_changes_nothing(seed, order):
    alerts, history = random_frames(seed)
    before = features_by_candid(alerts, history)
    after = features_by_candid(
        alerts.sample(frac=1, random_state=order), history.sample(frac=1, random_state=order)
    )
    assert_identical(before, after)


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_single_alerts_equal_the_whole_night(seed):
    night = Night.from_frames(*random_frames(seed))
    whole = compute(night).to_numpy()
    for k in range(len(night)):
        assert compute(night.subset([k])).to_numpy().tobytes() == whole[k].tobytes()


def test_parts_equal_the_whole_night(monkeypatch):
    night = Night.from_frames(*random_frames(5))
    monkeypatch.setattr(table, "_PART", 2)
    parts = list(features.compute_in_parts(night, broker=True))
    assert len(parts) == (len(night) + 1) // 2 > 1
    pd.testing.assert_frame_equal(pd.concat(parts), compute(night, broker=True), check_exact=True)


@pytest.mark.parametrize("name", ["2458312.5", "2458451.5", "2460235.5", "real"])
def test_later_rows_do_not_change_real_alerts(shared_data, name):
    stem = shared_data / "alerts" / f"ztf_alerts_{name}"
    alerts = pd.read_parquet(f"{stem}.parquet")
    history = pd.read_parquet(f"{stem}_prv_candidates.parquet").reset_index()
    before = features_by_candid(alerts, history)
    latest = alerts.groupby("objectId")["candidate.jd"].max()
    seen = history[~(history["jd"] >= history["objectId"].map(latest))]
    rng = np.random.default_rng(1)
    order = rng.permutation(len(seen))
    assert len(seen) < len(history) or name != "real"
    assert_identical(before, features_by_candid(alerts, seen.iloc[order]))
