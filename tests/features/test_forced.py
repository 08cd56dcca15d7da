"""Features of forced photometry: values by hand, no look-ahead, order and batch independence."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nights import JD, random_frames
from ztfml.features import FEATURES, FORCED, compute
from ztfml.lightcurves.forced import make_forced
from ztfml.night import Night

pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = [feature.name for feature in FORCED.features]
SEEDS = st.integers(0, 2**32 - 1)
DAY = JD + 0.2
SIGMA = (0.1**2 - 0.015**2) ** 0.5  # with the systematic floor it becomes 0.1


def forced_of(frame):
    return make_forced(pa.Table.from_pandas(frame, preserve_index=False))


def values(rows, history=(), object_id="ZTF20a", jd=DAY + 10):
    """Features of a detection of 19 mag in r on day 10, given (day, fid, flux, error) in uJy."""
    alert = {"jd": jd, "fid": 2, "magpsf": 19.0, "sigmapsf": SIGMA, "isdiffpos": "t"}
    alert = {f"candidate.{name}": value for name, value in alert.items()}
    alerts = pd.DataFrame([{"objectId": "ZTF20a", "candid": 1} | alert])
    past = pd.DataFrame(
        [
            {"objectId": "ZTF20a", "jd": DAY + day, "fid": fid, "magpsf": mag, "sigmapsf": SIGMA,
             "isdiffpos": "t"}
            for day, fid, mag in history
        ]
    )  # fmt: skip
    night = Night.from_frames(alerts, past if len(past) else None)
    frame = pd.DataFrame(rows, columns=["day", "fid", "flux", "flux_err"])
    frame = frame.assign(objectId=object_id, jd=DAY + frame["day"])
    frame[["flux", "flux_err"]] *= 1000.0  # nJy
    return compute(night.replace(forced=forced_of(frame))).iloc[0][NAMES]


def mag(flux):
    return 23.9 - 2.5 * np.log10(flux)


BEFORE = [(2, 2, 3.0, 4.0), (8, 2, 2.0, 1.0), (8.1, 2, 4.0, 1.0), (8, 1, -3.0, 1.0)]


def test_before_the_first_detection():
    found = values(BEFORE)
    assert found["forced_n"] == 4
    # r: 3 +- 4 on day 2, 3 +- 1 / sqrt(2) on day 8
    weights = 1 / 16 + 2
    assert found["forced_before_sigma_r"] == pytest.approx((3 / 16 + 6) / weights**0.5)
    assert found["forced_last_before_sigma_r"] == pytest.approx(3 * 2**0.5)
    assert found["forced_before_trend_r"] == pytest.approx(0, abs=1e-9)
    assert found["forced_limit_r"] == pytest.approx(mag(3 + 3 / 2**0.5))
    rate = (mag(3 + 3 / 2**0.5) - 19.0 - 0.1) / (10 - 8.05)
    assert found["forced_rise_bound_r"] == pytest.approx(rate)
    assert found["forced_before_sigma_g"] == pytest.approx(-3)
    assert found["forced_limit_g"] == pytest.approx(mag(3.0)), "a negative flux counts as 0"
    assert np.isnan(found["forced_rise_bound_g"]), "g has no detection"
    assert np.isnan(found["forced_before_trend_g"])
    assert found[[name for name in NAMES if name.endswith("_i")]].isna().all()


def test_a_significantly_negative_flux_gives_no_limit():
    """A source in the reference image, or a bad subtraction."""
    found = values([(8, 2, -5.0, 1.0)])
    assert found["forced_before_sigma_r"] == -5
    assert found[["forced_limit_r", "forced_rise_bound_r"]].isna().all()
    found = values([(6, 2, 0.0, 1.0), (8, 2, -5.0, 1.0)])
    assert found["forced_limit_r"] == pytest.approx(mag(3.0))


def test_a_source_that_brightens_before_it_is_detected():
    found = values([(6, 2, 1.0, 1.0), (7, 2, 4.0, 1.0), (8, 2, 7.0, 1.0)])
    assert found["forced_before_trend_r"] == pytest.approx(3 * 2**0.5)
    assert found["forced_last_before_sigma_r"] == 7


def test_after_the_last_detection_in_a_band():
    """Detected in g on day 0; the alert in r is on day 10. Forced fluxes in g until then."""
    found = values([(-2, 1, 0.0, 1.0), (4, 1, 1.0, 1.0), (6, 1, 3.0, 1.0)], [(0, 1, 19.0)])
    assert found["forced_after_sigma_g"] == pytest.approx(4 / 2**0.5)
    assert found["forced_fade_bound_g"] == pytest.approx((mag(4.0) - 19.1) / 4)
    assert found["forced_rise_bound_g"] == pytest.approx((mag(3.0) - 19.1) / 2)
    assert found["forced_before_sigma_g"] == 0
    assert np.isnan(found["forced_after_sigma_r"])


def test_exposures_of_the_night_of_the_detection_are_not_before_it():
    found = values([(9.95, 2, 90.0, 1.0), (10.1, 2, 90.0, 1.0)])
    assert found["forced_n"] == 1, "a later exposure is not seen"
    assert found.drop("forced_n").isna().all()


def test_rows_of_one_exposure_count_once():
    rows = [(8, 2, 2.0, 1.0), (8 + 1e-5, 2, 4.0, 0.5), (8 + 2e-5, 2, 9.0, 2.0)]
    found = values(rows)
    assert found["forced_n"] == 1
    assert found["forced_before_sigma_r"] == 8
    assert values([*rows, (8, 1, 1.0, 1.0)])["forced_n"] == 2


@pytest.mark.parametrize("bad", [(8, 2, np.nan, 1.0), (8, 2, 1.0, np.nan), (8, 2, 1.0, 0.0)])
def test_rows_without_flux_or_error_are_left_out(bad):
    assert values([(6, 2, 1.0, 1.0), bad])["forced_n"] == 1
    assert forced_of(pd.DataFrame(
        {"objectId": ["a"], "jd": [DAY], "fid": [1], "flux": [bad[2]], "flux_err": [bad[3]]}
    )) is None  # fmt: skip


def test_forced_photometry_of_another_object():
    found = values(BEFORE, object_id="ZTF20b")
    assert found["forced_n"] == 0
    assert found.drop("forced_n").isna().all()


def test_nights_without_forced_photometry_do_not_have_the_features():
    night = Night.from_frames(*random_frames(3))
    assert list(compute(night)) == [feature.name for feature in FEATURES]


# --- no look-ahead ------------------------------------------------------------------------------


def random_forced(seed, alerts):
    """Forced photometry of the objects of some alerts, with ties and missing values."""
    rng = np.random.default_rng(seed)
    n = 200
    return pd.DataFrame(
        {
            "objectId": rng.choice([*alerts["objectId"].unique(), "ZTF20stranger"], n),
            "jd": JD + 0.2 + np.round(rng.uniform(-5, 12, n), rng.choice([0, 1, 5])),
            "fid": rng.integers(1, 4, n),
            "flux": rng.choice([np.nan, 1e3, *rng.normal(0, 1e4, 8)], n),
            "flux_err": rng.choice([np.nan, 0.0, *rng.uniform(500, 5e3, 8)], n),
        }
    )


def features_of(alerts, history, forced):
    night = Night.from_frames(alerts, history).replace(forced=forced_of(forced))
    return compute(night).set_index(night.alerts["candid"].to_numpy()).reindex(columns=NAMES)


def assert_identical(before, after):
    assert list(before) == list(after)
    assert before.to_numpy().tobytes() == after.loc[before.index].to_numpy().tobytes()


@settings(deadline=None, max_examples=15)
@given(SEEDS)
def test_later_forced_photometry_changes_nothing(seed):
    alerts, history = random_frames(seed)
    forced = random_forced(seed, alerts)
    whole = features_of(alerts, history, forced)
    for row in alerts.itertuples(index=False):
        alert = alerts[alerts["candid"] == row[1]]
        past = forced[(forced["jd"] < row[2]) | (forced["objectId"] != row[0])]
        seen = history[(history["objectId"] == row[0]) & (history["jd"] < row[2])]
        assert_identical(features_of(alert, seen if len(seen) else None, past), whole)


@settings(deadline=None, max_examples=15)
@given(SEEDS, SEEDS)
def test_the_order_of_rows_and_other_objects_change_nothing(seed, order):
    alerts, history = random_frames(seed)
    forced = random_forced(seed, alerts)
    before = features_of(alerts, history, forced)
    others = random_forced(order, alerts.iloc[:0])
    assert_identical(before, features_of(
        alerts.sample(frac=1, random_state=order), history.sample(frac=1, random_state=order),
        pd.concat([forced, others]).sample(frac=1, random_state=order),
    ))  # fmt: skip


@settings(deadline=None, max_examples=8)
@given(SEEDS)
def test_single_alerts_equal_the_whole_night(seed):
    alerts, history = random_frames(seed)
    night = Night.from_frames(alerts, history)
    night = night.replace(forced=forced_of(random_forced(seed, alerts)))
    whole = compute(night)
    assert whole["forced_n"].max() > 0
    for k in range(len(night)):
        assert_identical(
            compute(night.subset([k])).set_index(whole.index[[k]])[NAMES], whole[NAMES]
        )


def test_history_days_hide_forced_photometry():
    alerts, history = random_frames(5)
    night = Night.from_frames(alerts, history)
    night = night.replace(forced=forced_of(random_forced(5, alerts)))
    assert (
        compute(night)["forced_n"].sum() > compute(night.replace(history_days=2))["forced_n"].sum()
    )
    assert compute(night.replace(history_days=0))["forced_n"].sum() == 0


def test_a_saved_night_keeps_its_forced_photometry(tmp_path):
    alerts, history = random_frames(5)
    night = Night.from_frames(alerts, history)
    night = night.replace(forced=forced_of(random_forced(5, alerts)))
    night.save(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(
        compute(Night.load(tmp_path / "a.parquet"))[NAMES], compute(night)[NAMES], rtol=1e-12
    )
    Night.from_frames(alerts, history).save(tmp_path / "a.parquet")
    assert Night.load(tmp_path / "a.parquet").forced is None


def test_the_order_of_the_rows_does_not_matter():
    rng = np.random.default_rng(4)
    n = 400
    rows = pd.DataFrame(
        {
            "objectId": rng.choice(["b", "a", "d", "c"], n),
            # Several rows have the same time, band or flux.
            "jd": 2459000.5 + rng.integers(0, 60, n),
            "fid": rng.integers(0, 5, n),
            "flux": rng.choice([100.0, 200.0, np.nan], n),
            "flux_err": rng.choice([10.0, 20.0, -1.0], n),
        }
    )
    rows.loc[rows["objectId"] == "d", "flux"] = np.inf
    expected = make_forced(pa.Table.from_pandas(rows, preserve_index=False))
    assert expected.object_ids.to_pylist() == ["a", "b", "c"]
    by_object = rows.sort_values(
        ["objectId", "jd", "fid", "flux_err", "flux"], ascending=[False] + 4 * [True]
    )
    for other in (
        rows.sample(frac=1, random_state=1),
        by_object,
        by_object.astype({"objectId": "category"}),
    ):
        found = make_forced(pa.Table.from_pandas(other, preserve_index=False))
        for name in ("jd", "fid", "flux", "flux_err", "start"):
            assert np.array_equal(getattr(found, name), getattr(expected, name)), name
        assert found.object_ids.equals(expected.object_ids)
