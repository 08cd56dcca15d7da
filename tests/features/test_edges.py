"""All features on unusual histories: empty, unsorted, repeated or extreme rows."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import JD as MIDNIGHT
from tests.nights import random_night
from ztfml.errors import DataError
from ztfml.features import FEATURES, compute, of_light_curve
from ztfml.night import Night

# Whole and half days would be refused.
JD = MIDNIGHT + 0.0625

NAMES = [feature.name for feature in FEATURES]
# Zero is a true value here, not a missing one: one detection in r, by the alert itself.
ZERO_ON_ONE_POINT = {
    "n_limit", "n_det_g", "n_det_i", "n_limit_g", "n_limit_r", "n_limit_i", "age",
    "days_since_peak_r", "days_since_peak", "above_half_r", "n_earlier_episodes", "confirmed_age",
}  # fmt: skip
KNOWN_ON_ONE_POINT = {
    "magpsf", "sigmapsf", "positive", "n_det", "n_det_r", "n_nights", "frac_positive",
    "n_det_tonight", "n_episodes", "duty", "peak_mag_r", "first_mag_r", "last_mag_r", "peak_mag",
    "episode_n_det", "episode_n_nights", "episode_frac_positive",
}  # fmt: skip


def alert(**fields):
    row = {"jd": JD + 10.3, "fid": 2, "magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "t"} | fields
    columns = {f"candidate.{name}": value for name, value in row.items()}
    return pd.DataFrame([{"objectId": "ZTF20a", "candid": 1} | columns])


def rows(jd, **columns):
    n = len(jd)
    base = {"objectId": ["ZTF20a"] * n, "jd": jd, "fid": [2] * n, "magpsf": [19.5] * n,
            "sigmapsf": [0.1] * n, "diffmaglim": [20.5] * n, "isdiffpos": ["t"] * n}  # fmt: skip
    return pd.DataFrame(base | columns)


def features(history=None, **fields):
    return compute(Night.from_frames(alert(**fields), history)).iloc[0]


@pytest.fixture(scope="module")
def one_point():
    return features()


@pytest.mark.parametrize("name", NAMES)
def test_features_that_need_more_than_one_point_are_nan(one_point, name):
    value = one_point[name]
    if name in ZERO_ON_ONE_POINT:
        assert value == 0
    elif name in KNOWN_ON_ONE_POINT:
        assert np.isfinite(value)
        assert value != 0
    else:
        assert np.isnan(value), f"{name} is {value} but needs more data"


@pytest.fixture(scope="module")
def without_a_time():
    alerts = pd.concat([alert(), alert(jd=np.nan).assign(candid=2)])
    return compute(Night.from_frames(alerts, rows([JD + 1.0, JD + 2.0]))).loc[1]


@pytest.mark.parametrize("name", NAMES)
def test_light_curve_features_of_an_alert_without_time_are_nan(without_a_time, name):
    value = without_a_time[name]
    by_column = next(f for f in FEATURES if f.name == name).column is not None
    assert np.isnan(value) or (by_column and name in ("magpsf", "sigmapsf", "positive"))


HISTORIES = {
    "empty": rows([]).astype({"jd": float}),
    "one row": rows([JD + 1]),
    "limits only": rows([JD + 1, JD + 2], magpsf=[np.nan] * 2, sigmapsf=[np.nan] * 2),
    "nothing known": rows([JD + 1, JD + 2], magpsf=[np.nan] * 2, diffmaglim=[np.nan] * 2),
    "unsorted": rows([JD + 3, JD + 1, JD + 2], magpsf=[18.0, 19.0, 20.0]),
    "duplicate times": rows([JD + 1] * 4, magpsf=[18.0, 18.0, 19.0, np.nan]),
    "all at once": rows([JD + 1] * 4, magpsf=[18.0, 18.1, 18.2, 18.3], fid=[1, 2, 3, 1]),
    "negative only": rows([JD + 1, JD + 2, JD + 4], isdiffpos=["f"] * 3),
    "no errors": rows([JD + 1, JD + 2, JD + 4], sigmapsf=[np.nan] * 3),
    "zero errors": rows([JD + 1, JD + 2, JD + 4], sigmapsf=[0.0] * 3),
    "equal magnitudes": rows([JD + 1, JD + 2, JD + 4, JD + 6], magpsf=[19.0] * 4),
    "wild magnitudes": rows([JD + 1, JD + 2, JD + 3], magpsf=[99.0, 18.0, 19.0]),
    "unknown band": rows([JD + 1, JD + 2, JD + 3, JD + 4], fid=[0, 7, 2, 2]),
    "long": rows(list(JD - np.arange(10_000) / 7)),
}


@pytest.mark.parametrize("case", HISTORIES)
def test_no_history_gives_infinite_features(case):
    values = features(HISTORIES[case])
    assert list(values.index) == NAMES
    assert not np.isinf(values.to_numpy()).any()
    if case in ("empty", "nothing known"):
        pd.testing.assert_series_equal(values, features(), check_names=False)


@pytest.mark.parametrize("case", HISTORIES)
def test_rates_need_two_nights_of_a_band(case):
    values = features(HISTORIES[case], fid=1, magpsf=18.0)
    for band, other in (("i", "g"), ("i", "r")):
        assert np.isnan(values[f"rise_rate_{band}"]), other
        assert np.isnan(values[f"fade_rate_{band}"]), other


def test_row_order_and_duplicates_change_nothing():
    history = rows([JD + 3, JD + 1, JD + 2], magpsf=[18.0, 19.0, 20.0])
    repeated = pd.concat([history, history])
    pd.testing.assert_series_equal(features(history), features(repeated.sort_values("magpsf")))


def test_an_alert_repeated_in_the_history_counts_once():
    again = rows([JD + 10.3 - 4e-6], magpsf=[19.0004])
    pd.testing.assert_series_equal(features(again), features(), check_names=False)


def test_two_candidates_of_one_exposure_count_once():
    assert features(rows([JD + 1, JD + 1], magpsf=[18.0, 19.0]))["n_det"] == 2


def test_of_light_curve_equals_compute():
    night = random_night(7)
    table = compute(night)
    for k, alert in night.alerts.iterrows():
        curve = night.light_curve(alert["objectId"], as_of=alert["jd"])
        packet = alert.drop(["objectId", "candid", "isdiffpos"]).to_dict()
        pd.testing.assert_series_equal(
            of_light_curve(curve, packet), table.loc[k], check_names=False
        )


def test_a_light_curve_without_a_detection_is_an_error():
    curve = pd.DataFrame({"jd": [JD], "fid": [1], "magpsf": [np.nan], "isdiffpos": [0]})
    with pytest.raises(DataError, match="no detection"):
        of_light_curve(curve)
