"""Changes within the night of the alert, against values computed by hand and simulated truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nights import JD
from ztfml.features import FEATURES, compute, of_light_curve
from ztfml.night import Night

pytestmark = pytest.mark.filterwarnings("ignore")

FLOOR = 0.015
SIGMA = (0.1**2 - FLOOR**2) ** 0.5  # with the systematic floor it becomes 0.1
NAMES = [feature.name for feature in FEATURES if feature.group == "tonight"]
RELATIVE = 0.4 * np.log(10)


def curve(*points, sigma=SIGMA):
    """A light curve of (hours, band, magnitude[, sign]); "limit" as sign makes a non-detection.

    Hour 0 is 0.2 d after the start of the night. The last point is the alert.
    """
    rows = [(*point, *(1,)[len(point) - 3 :]) for point in points]
    table = pd.DataFrame(rows, columns=["hours", "band", "mag", "sign"])
    limit = table["sign"] == "limit"
    return pd.DataFrame(
        {
            "jd": JD + 0.2 + table["hours"] / 24,
            "fid": table["band"].map({"g": 1, "r": 2, "i": 3}),
            "magpsf": table["mag"].where(~limit),
            "sigmapsf": np.where(limit, np.nan, sigma),
            "diffmaglim": table["mag"].where(limit, 20.5),
            "isdiffpos": table["sign"].where(~limit, 0).astype(int),
        }
    )


def flux(mag):
    return 10 ** (-0.4 * (np.asarray(mag, float) - 23.9))


def in_errors(first, last, signs=(1, 1)):
    """Change of flux in errors, for total errors of 0.1 mag."""
    change = signs[0] * flux(first) - signs[1] * flux(last)
    return change / np.hypot(RELATIVE * 0.1 * flux(first), RELATIVE * 0.1 * flux(last))


def test_an_afterglow_fades_within_hours():
    """1.6 mag in two hours in r; g is an hour apart and 0.8 mag fainter at the end."""
    values = of_light_curve(
        curve((0, "r", 18.0), (0.5, "g", 18.5), (1.5, "g", 19.3), (2, "r", 19.6))
    )
    assert values["tonight_slope_r"] == pytest.approx(1.6 / (2 / 24))
    assert values["tonight_slope_err_r"] == pytest.approx(0.02**0.5 / (2 / 24))
    assert values["tonight_n_r"] == 2
    assert values["tonight_base_r"] == pytest.approx(2 / 24)
    assert values["tonight_slope_g"] == pytest.approx(0.8 * 24)
    # Weights are half of the squared time bases: 4 to 1 for two hours and one hour.
    assert values["tonight_slope"] == pytest.approx(0.8 * 24)
    assert values["tonight_slope_err"] == pytest.approx((0.02 / (4 + 1)) ** 0.5 * 24)
    assert values["tonight_n"] == 4
    assert values["tonight_base"] == pytest.approx(2 / 24)
    assert values["tonight_slope_chi2"] == pytest.approx(0, abs=1e-9)
    assert values["tonight_change_r"] == pytest.approx(in_errors(18.0, 19.6))
    assert values["tonight_change"] == values["tonight_change_r"]
    assert np.isnan(values["tonight_slope_i"])
    assert np.isnan(values["tonight_excess"]), "there is no earlier night"
    assert np.isnan(values["earlier_nights_chi2"])


def test_chi2_about_the_mean():
    """Two points in each of two bands: half of the squared change of each, over 2 in total."""
    values = of_light_curve(
        curve((0, "r", 18.0), (0.5, "g", 18.5), (1.5, "g", 19.3), (2, "r", 19.6))
    )
    expected = (in_errors(18.0, 19.6) ** 2 + in_errors(18.5, 19.3) ** 2) / 2
    assert values["tonight_chi2"] == pytest.approx(expected)


def test_two_points_minutes_apart_have_no_slope():
    """Half a magnitude in 0.4 h would be 30 mag/day; 0.02 d are 0.48 h."""
    values = of_light_curve(curve((0, "r", 18.0), (0.4, "r", 18.5)))
    assert values[NAMES].dropna().index.tolist() == ["tonight_chi2"]
    assert of_light_curve(curve((0, "r", 18.0), (0.5, "r", 18.5)))["tonight_slope_r"] > 20


def test_earlier_nights_do_not_change_the_slope_of_this_night():
    tonight = [(48, "r", 18.0), (50, "r", 18.3)]
    alone = of_light_curve(curve(*tonight))
    values = of_light_curve(curve((0, "r", 19.0), (2, "r", 19.4), *tonight))
    same = [name for name in NAMES if name not in ("tonight_excess", "earlier_nights_chi2")]
    pd.testing.assert_series_equal(alone[same], values[same])
    assert values["earlier_nights_chi2"] == pytest.approx(in_errors(19.0, 19.4) ** 2)


def test_the_excess_compares_the_slope_with_that_of_the_nights():
    """1.2 mag/day within the night; 0.4 mag/day between nights, with one detection in the first."""
    values = of_light_curve(curve((-48, "r", 18.0), (0, "r", 18.7), (4, "r", 18.9)))
    within, error = 0.2 / (4 / 24), 0.02**0.5 / (4 / 24)
    nights, nights_error = values["recent_slope_r"], values["recent_slope_err_r"]
    assert nights == pytest.approx(0.38, abs=0.02)
    expected = (within - nights) / np.hypot(error, nights_error)
    assert values["tonight_excess"] == pytest.approx(expected)


def test_a_source_that_falls_below_the_reference_fades():
    """An eclipsing star: its flux changes sign, so there is a change but no slope in magnitudes."""
    values = of_light_curve(curve((0, "r", 18.0), (3, "r", 18.5, -1)))
    assert np.isnan(values["tonight_slope_r"])
    assert values["tonight_change_r"] == pytest.approx(in_errors(18.0, 18.5, (1, -1)))
    deeper = of_light_curve(curve((0, "r", 19.5, -1), (3, "r", 18.5, -1)))
    assert deeper["tonight_change"] == pytest.approx(in_errors(19.5, 18.5, (-1, -1)))
    assert deeper["tonight_change"] > 0


def test_the_most_significant_band_counts():
    values = of_light_curve(
        curve((0, "g", 18.0), (0, "i", 19.0), (2, "g", 17.0), (2, "r", 18.0), (3, "i", 19.1))
    )
    assert values["tonight_change"] == values["tonight_change_g"] < -5
    assert np.isnan(values["tonight_change_r"])


RISES = {
    "a limit an hour before": ([(0, "r", 20.5, "limit"), (1, "r", 18.5)], (20.5 - 18.6) * 24),
    "a limit minutes before": ([(0, "r", 20.5, "limit"), (0.4, "r", 18.5)], np.nan),
    "a limit of another band": ([(0, "g", 20.5, "limit"), (1, "r", 18.5)], np.nan),
    "a limit of the night before": ([(-24, "r", 20.5, "limit"), (1, "r", 18.5)], np.nan),
    "a limit that is not deeper": ([(0, "r", 18.55, "limit"), (1, "r", 18.5)], np.nan),
    "bright on the night before": (
        [(-24, "r", 19.0), (0, "r", 20.5, "limit"), (1, "r", 18.5)],
        np.nan,
    ),
    "bright in another band before": (
        [(0, "g", 19.0), (0.1, "r", 20.5, "limit"), (1, "r", 18.5)],
        np.nan,
    ),
    "faint before": (
        [(-24, "r", 20.1), (0, "r", 20.5, "limit"), (1, "r", 18.5)],
        (20.5 - 18.6) * 24,
    ),
    "bright in an earlier episode": (
        [(-24 * 40, "r", 18.0), (0, "r", 20.5, "limit"), (1, "r", 18.5)],
        (20.5 - 18.6) * 24,
    ),
    "below the reference before": (
        [(-24, "r", 18.0, -1), (0, "r", 20.5, "limit"), (1, "r", 18.5)],
        (20.5 - 18.6) * 24,
    ),
    "the larger of two": (
        [(0, "r", 20.5, "limit"), (1, "r", 20.4, "limit"), (2, "r", 18.5)],
        (20.4 - 18.6) * 24,
    ),
    "below the reference now": ([(0, "r", 20.5, "limit"), (1, "r", 18.5, -1)], np.nan),
}


@pytest.mark.parametrize("case", RISES)
def test_bound_on_the_rise(case):
    points, expected = RISES[case]
    value = of_light_curve(curve(*points))["tonight_rise_bound_r"]
    assert value == pytest.approx(expected, nan_ok=True)


def test_midnight_at_greenwich_divides_nights():
    """Nights at Palomar lie within one UT date: JD + 0.9 and JD + 1.1 are two nights."""
    one = of_light_curve(curve((0.1 * 24, "r", 18.0), (0.75 * 24, "r", 18.5)))
    two = of_light_curve(curve((0.7 * 24, "r", 18.0), (0.9 * 24, "r", 18.5)))
    assert one["tonight_n_r"] == 2
    assert np.isnan(two["tonight_n_r"])


# --- errors -----------------------------------------------------------------------------------


def nights_of(mag, hours, sigma, rng):
    """Features of one night of each source; the noise is Gaussian in flux plus the floor."""
    n = len(mag)
    mag = mag + FLOOR * rng.normal(size=mag.shape)
    true = flux(mag)
    error = true * RELATIVE * sigma
    seen = true + error * rng.normal(size=mag.shape)
    rows = pd.DataFrame(
        {
            "objectId": np.repeat([f"ZTF20{k:07d}" for k in range(n)], mag.shape[1]),
            "jd": JD + 0.2 + np.tile(hours, n) / 24,
            "fid": 2,
            "magpsf": 23.9 - 2.5 * np.log10(seen.ravel()),
            "sigmapsf": (error / seen / RELATIVE).ravel(),
            "isdiffpos": "t",
        }
    )
    alerts = rows.iloc[mag.shape[1] - 1 :: mag.shape[1]]
    alerts = alerts.set_index("objectId").add_prefix("candidate.").reset_index()
    return compute(Night.from_frames(alerts.assign(candid=range(n)), rows))


@pytest.mark.parametrize("slope", [0.0, 3.0, -15.0])
@pytest.mark.parametrize("hours", [(0, 1.5), (0, 1, 4)])
def test_errors_cover_the_truth(hours, slope):
    hours = np.array(hours)
    mag = np.broadcast_to(18 + slope * hours / 24, (3000, len(hours)))
    values = nights_of(mag, hours, 0.05, np.random.default_rng(3))
    pull = (values["tonight_slope"] - slope) / values["tonight_slope_err"]
    assert 0.66 < (pull.abs() < 1).mean() < 0.76
    assert 0.94 < (pull.abs() < 1.96).mean() < 0.98
    assert abs(pull.mean()) < 0.1
    if slope == 0:
        assert 0.9 < values["tonight_chi2"].mean() < 1.1
        assert (values["tonight_change"].abs() > 4).mean() < 0.002


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.floats(0, 10), st.floats(16, 20)), min_size=2, max_size=8))
def test_reversing_time_reverses_slope_and_change(points):
    """Fading becomes rising, with equal error and chi-square."""
    hours = np.unique([round(hour, 1) for hour, _ in points])
    mags = [mag for _, mag in points][: len(hours)]
    forward = of_light_curve(curve(*((h, "r", m) for h, m in zip(hours, mags, strict=True))))
    mirrored = sorted((10 - h, "r", m) for h, m in zip(hours, mags, strict=True))
    backward = of_light_curve(curve(*mirrored))
    odd = ["tonight_slope", "tonight_slope_r", "tonight_change", "tonight_change_r"]
    even = [name for name in NAMES if name not in odd]
    kwargs = {"rtol": 1e-6, "atol": 1e-7}
    pd.testing.assert_series_equal(forward[odd], -backward[odd], **kwargs)
    pd.testing.assert_series_equal(forward[even], backward[even], **kwargs)
