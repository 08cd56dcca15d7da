"""One exposure is one measurement, in features, light curves and everything made of them."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.curves import curves_frames
from ztfml import features
from ztfml.lightcurves.exposures import (
    SAME_EXPOSURE,
    in_exposures_of,
    measurements,
    one_per_exposure,
)
from ztfml.lightcurves.history import History, order_rows
from ztfml.night import Night

JD = 2460474.7123
NAME = "ZTF24aaabbcd"


def alert_frame(**changes):
    alert = {"jd": JD, "fid": 2, "magpsf": 18.9, "sigmapsf": 0.08, "isdiffpos": "t"} | changes
    row = {f"candidate.{name}": value for name, value in alert.items()}
    return pd.DataFrame([{"objectId": NAME, "candid": 1, **row}])


def rows(*values):
    """History rows of (jd, fid, magpsf, sigmapsf, diffmaglim)."""
    frame = pd.DataFrame(values, columns=["jd", "fid", "magpsf", "sigmapsf", "diffmaglim"])
    return frame.assign(objectId=NAME, isdiffpos=np.where(frame["magpsf"].isna(), None, "t"))


def features_of(*values, **alert):
    return features.compute(Night.from_frames(alert_frame(**alert), rows(*values))).iloc[0]


def curve_of(*values):
    return Night.from_frames(alert_frame(), rows(*values)).light_curve(NAME)


DETECTION = (JD - 2, 1, 18.0, 0.05, 20.5)
LIMIT = (JD - 4, 1, np.nan, np.nan, 20.6)


def moved(row, days=0.0, **changes):
    names = ("jd", "fid", "magpsf", "sigmapsf", "diffmaglim")
    values = dict(zip(names, row, strict=True)) | changes
    return (values.pop("jd") + days, *values.values())


@pytest.mark.parametrize("days", [0.0, 5e-6, 5e-5, 2e-4, -2e-4])
def test_repeated_rows_count_once(days):
    seen = features_of(DETECTION, moved(DETECTION, days), LIMIT, moved(LIMIT, days))
    assert (seen["n_det"], seen["n_det_g"], seen["n_limit"], seen["n_limit_g"]) == (2, 1, 1, 1)
    assert len(curve_of(DETECTION, moved(DETECTION, days), LIMIT, moved(LIMIT, days))) == 3


@pytest.mark.parametrize("days", [3e-4, 4.4e-4])
def test_the_next_exposure_counts(days):
    seen = features_of(DETECTION, moved(DETECTION, days), LIMIT, moved(LIMIT, days))
    assert (seen["n_det"], seen["n_limit"]) == (3, 2)


def test_the_row_with_the_smaller_error_is_kept():
    worse = moved(DETECTION, magpsf=17.9, sigmapsf=0.06)
    for pair in ((DETECTION, worse), (worse, DETECTION)):
        assert features_of(*pair)["last_mag_g"] == pytest.approx(18.0, abs=1e-12)


@pytest.mark.parametrize("error", [0.0, np.nan])
def test_a_row_without_an_error_is_the_worst(error):
    other = moved(DETECTION, magpsf=17.0, sigmapsf=error)
    assert features_of(DETECTION, other)["last_mag_g"] == pytest.approx(18.0, abs=1e-12)


def test_of_equal_errors_the_brighter_row_is_kept():
    assert features_of(DETECTION, moved(DETECTION, 1e-5, magpsf=17.9))[
        "last_mag_g"
    ] == pytest.approx(17.9, abs=1e-12)


def test_the_same_time_in_another_band_is_another_measurement():
    assert features_of(DETECTION, moved(DETECTION, 1e-5, fid=3))["n_det"] == 3


def test_rows_of_unknown_band_are_merged():
    unknown = moved(DETECTION, fid=np.nan)
    assert features_of(DETECTION, unknown, moved(unknown, 1e-5))["n_det"] == 3


@pytest.mark.parametrize("days", [-2e-4, -5e-5, -1e-6])
@pytest.mark.parametrize("magpsf", [18.9, 18.2, np.nan])
def test_the_history_row_of_the_alert_is_excluded(days, magpsf):
    """Also if its error is smaller, or if it is a limit."""
    own = (JD + days, 2, magpsf, 0.01, 20.4)
    seen = features_of(DETECTION, own)
    assert (seen["n_det"], seen["n_limit"]) == (2, 0)
    assert seen["days_since_detection"] == 2.0
    curve = curve_of(DETECTION, own)
    assert curve["is_alert"].tolist() == [False, True]
    assert curve["magpsf"].tolist() == [18.0, 18.9]


@pytest.mark.parametrize("days", [-2e-4, 0.0, 2e-4])
def test_a_limit_of_a_detected_exposure_is_ignored(days):
    limit = moved(DETECTION, days, magpsf=np.nan, sigmapsf=np.nan)
    assert features_of(DETECTION, limit)["n_limit"] == 0
    assert curve_of(DETECTION, limit)["magpsf"].tolist() == [18.0, 18.9]


def test_an_exposure_starts_at_its_first_row():
    """Three rows over 3e-4 d are two exposures: the third is too far from the first."""
    three = [moved(DETECTION, days) for days in (0.0, 1.5e-4, 3e-4)]
    assert features_of(*three)["n_det"] == 3


def random_duplicates(history, rng):
    """Copies of random rows with moved times and equal or larger errors."""
    copies = history.iloc[rng.integers(0, len(history), len(history))].copy()
    copies["jd"] += np.round(rng.uniform(0, 1e-4, len(copies)), 7)
    copies["sigmapsf"] *= rng.choice([1.0, 1.5], len(copies))
    copies["magpsf"] += np.where(rng.random(len(copies)) < 0.5, 0.0, 0.05)
    copies["diffmaglim"] += rng.choice([0.0, 0.1], len(copies))
    return copies


def separate(frame):
    """Leave out rows that are close to another row of the same object, band apart or not."""
    frame = frame.sort_values(["objectId", "jd"])
    gap = frame.groupby("objectId")["jd"].diff().fillna(1.0)
    return frame[gap > 1e-3]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_duplicates_change_no_feature(seed):
    alerts, history = curves_frames(seed, n_objects=8)
    alerts["candidate.isdiffpos"] = "t"
    history = separate(history)
    rng = np.random.default_rng(seed)
    more = pd.concat([history, random_duplicates(history, rng)]).sample(frac=1, random_state=seed)
    plain, repeated = Night.from_frames(alerts, history), Night.from_frames(alerts, more)
    # A copy of the row before an alert can be later than the alert; then it is not visible.
    pd.testing.assert_frame_equal(
        features.compute(plain), features.compute(repeated), check_exact=True
    )
    for name, jd in zip(plain.alerts["objectId"], plain.alerts["jd"], strict=True):
        pd.testing.assert_frame_equal(
            plain.light_curve(name, as_of=jd), repeated.light_curve(name, as_of=jd)
        )


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_measurements_and_light_curves_agree(seed):
    """The rows of a light curve as of an alert are as many as the features count."""
    rng = np.random.default_rng(seed)
    jd = JD - 1 + rng.integers(0, 8, 40) * 1e-4
    frame = rows(
        *zip(
            jd,
            rng.integers(1, 3, 40),
            np.where(rng.random(40) < 0.3, np.nan, rng.choice([18.0, 18.5], 40)),
            rng.choice([0.0, 0.05, 0.1], 40),
            rng.choice([20.0, 20.5], 40),
            strict=True,
        )
    )
    night = Night.from_frames(alert_frame(), frame)
    seen, curve = features.compute(night).iloc[0], night.light_curve(NAME, as_of=JD)
    assert seen["n_det"] == curve["magpsf"].notna().sum()
    assert seen["n_limit"] == curve["magpsf"].isna().sum()
    assert measurements(night.history).sum() == len(curve) - 1
    shuffled = frame.sample(frac=1, random_state=seed)
    assert len(one_per_exposure(shuffled.assign(isdiffpos=1))) == len(curve) - 1


def test_rows_in_the_exposures_of_others():
    jd, fid = np.array([JD, JD + 1, JD + 1, JD + 2]), np.array([1, 1, 2, np.nan])
    others = np.array([JD + SAME_EXPOSURE / 2, JD + 1, JD + 2]), np.array([1, 2, np.nan])
    assert in_exposures_of(jd, fid, *others).tolist() == [True, False, True, True]


def test_many_rows_at_one_time_take_no_long():
    """The time is proportional to the number of rows, not to its square."""
    n = 100_000
    rng = np.random.default_rng(1)
    columns = {
        "jd": np.full(n, JD),
        "fid": rng.integers(1, 4, n).astype(np.int8),
        "magpsf": rng.uniform(17, 20, n),
        "sigmapsf": rng.uniform(0.01, 0.2, n),
        "diffmaglim": np.full(n, 20.5),
        "isdiffpos": np.ones(n, np.int8),
    }
    one = {name: values[:1] for name, values in columns.items()}
    measurements(order_rows(np.zeros(1, np.int32), 1, one))  # compiles
    begin = time.process_time()
    history = order_rows(np.zeros(n, np.int32), 1, columns)
    assert measurements(history).sum() == 3
    assert time.process_time() - begin < 5
    best = columns["sigmapsf"][columns["fid"] == 1].min()
    kept = measurements(history) & (history.fid == 1)
    assert history.sigmapsf[kept].tolist() == [best]
    assert isinstance(history, History)
