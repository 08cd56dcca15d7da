"""Features of episodes and timescales, compared with values computed by hand."""

import numpy as np
import pandas as pd
import pytest

from ztfml.features import compute
from ztfml.night import Night

DAY = 2459000.7
NOW = DAY + 10


def values_of(points, **packet):
    """The features of an r-band alert of 19 mag on day 10, after (day, band, mag, sign)."""
    rows = pd.DataFrame(
        [
            {"objectId": "ZTF20aaa", "jd": DAY + day, "fid": " gri".index(band), "magpsf": mag,
             "sigmapsf": 0.1, "diffmaglim": 20.5, "isdiffpos": "t" if sign > 0 else "f"}
            for day, band, mag, sign in points
        ]
    )  # fmt: skip
    alert = {"jd": NOW, "fid": 2, "magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "t"} | packet
    alert = {f"candidate.{name}": value for name, value in alert.items()}
    alerts = pd.DataFrame([{"objectId": "ZTF20aaa", "candid": 1} | alert])
    return compute(Night.from_frames(alerts, rows)).iloc[0]


NEW = [(4, "r", 19.6, 1), (4.05, "g", 19.8, 1), (7, "r", 19.3, 1)]


@pytest.mark.parametrize("sign", [1, -1])
def test_one_old_stray_detection_does_not_make_a_source_old(sign):
    stray = [(-271, "g", 19.5, sign), *NEW]
    packet = {"ndethist": 5, "jdstarthist": DAY - 271}
    values = values_of(stray, **packet)
    assert values["confirmed_age"] == pytest.approx(6)
    assert values["age_hist"] == pytest.approx(281)
    assert values["n_earlier_episodes"] == 0
    assert values["episode_frac_positive"] == 1
    assert values["n_det_before"] == 1
    assert (values["episode_n_det"], values["episode_n_nights"]) == (4, 3)
    # The packet alone, which has only 30 d of history, gives the same age.
    assert values_of(NEW, **packet)["confirmed_age"] == pytest.approx(6)


def test_detections_that_are_not_in_the_history_make_a_source_old():
    packet = {"ndethist": 6, "jdstarthist": DAY - 271}
    assert values_of(NEW, **packet)["confirmed_age"] == pytest.approx(281)
    assert values_of(NEW, **packet)["n_det_before"] == 2
    assert values_of(NEW)["confirmed_age"] == pytest.approx(6)
    assert np.isnan(values_of(NEW)["n_det_before"])


def test_earlier_outbursts():
    """Two outbursts of two detections each; the stray detection between them does not count."""
    first = [(-190, "r", 18.2, 1), (-188, "r", 18.9, 1)]
    second = [(-80, "g", 18.6, 1), (-79, "r", 15.0, -1), (-78, "g", 18.8, 1)]
    values = values_of([*first, (-130, "r", 17.0, 1), *second, *NEW])
    assert values["n_earlier_episodes"] == 2
    assert values["days_between_episodes"] == pytest.approx(82)
    assert values["peak_minus_earlier"] == pytest.approx(19.0 - 18.2)
    assert values["confirmed_age"] == pytest.approx(200)


def test_fast_and_slow_variability():
    """Four alternating fluxes within hours against the same values in a slow trend."""
    fast = values_of([(9.9, "r", 18.0, 1), (9.95, "r", 19.0, 1), (9.8, "r", 19.0, 1)])
    slow = values_of([(9.8, "r", 18.0, 1), (9.9, "r", 18.0, 1), (9.95, "r", 19.0, 1)])
    f, err = 10 ** (-0.4 * (np.array([18.0, 19.0]) - 23.9)), 0.4 * np.log(10) * np.hypot(0.1, 0.015)
    change, noise = (f[0] - f[1]) ** 2, err**2 * (f**2).sum()
    assert fast["hourly_chi2"] == pytest.approx(change / noise * 2 / 3)
    assert slow["hourly_chi2"] == pytest.approx(change / noise / 3)
    intrinsic = np.var([f[0], f[1], f[1], f[1]], ddof=1) - err**2 * (f[0] ** 2 + 3 * f[1] ** 2) / 4
    pairs = 2 * (change - noise) - err**2 * 2 * f[1] ** 2
    assert fast["hourly_variability"] == pytest.approx(pairs / 2 / 3 / intrinsic)
    assert slow["hourly_variability"] < 0.7
    assert (fast["turning_points"], slow["turning_points"]) == (0.5, 0)
    assert np.isnan(fast["nightly_variability"])


def test_noise_is_not_variability():
    days = np.arange(-15, 10, 0.25)
    mags = 18.5 + 0.1 * np.random.default_rng(1).normal(size=len(days))
    values = values_of([(d, "r", m, 1) for d, m in zip(days, mags, strict=True)], magpsf=18.5)
    assert 0.7 < values["hourly_chi2"] < 1.3
    assert values["turning_points"] < 0.1


@pytest.mark.parametrize(("distnr", "magnr"), [(1.6, 18.0), (0.5, -999.0), (-999.0, 18.0)])
def test_the_total_amplitude_needs_a_reference_source(distnr, magnr):
    points = [(5, "r", 19.0, -1), (-25, "r", 15.0, 1), (5, "g", 16.0, 1)]
    values = values_of(points, distnr=distnr, magnr=magnr)
    assert np.isnan(values["total_amplitude"])
    near = values_of(points, distnr=0.5, magnr=18.0)["total_amplitude"]
    change = 10**-0.4 * (1 - 0.4 * np.log(10) * np.hypot(0.1, 0.015))
    assert near == pytest.approx(2.5 * np.log10((1 + change) / (1 - change)))


def test_limits_that_are_deeper_than_both_neighbours():
    """Of three limits in r between detections one is deeper than the detections beside it."""
    points = [(2, "r", 19.2, 1), (3, "r", np.nan, 1), (4, "r", 20.6, 1), (5, "r", np.nan, 1),
              (-25, "r", 19.0, 1), (-22, "r", np.nan, 1), (6, "g", np.nan, 1)]  # fmt: skip
    values = values_of(points)
    # The limit is 20.5: 20.6 before or after is fainter. That of day -22 is older than 30 d.
    assert values["deep_limits"] == 0
    values = values_of([(2, "r", 19.2, 1), (3, "r", np.nan, 1), *points[2:]])
    assert values["deep_limits"] == 0
    values = values_of([(1, "r", 19.4, 1), (1.5, "r", np.nan, 1), *points])
    assert values["deep_limits"] == pytest.approx(1 / 3)
    assert np.isnan(values_of([(6, "g", np.nan, 1), (3, "r", 19.0, 1)])["deep_limits"])


@pytest.mark.parametrize("sign", [1, -1])
def test_the_colour_of_changes_has_no_sign(sign):
    points = [(1, "r", 19.0, sign), (1.1, "g", 19.3, sign), (4, "r", 19.0, sign),
              (4.1, "g", 19.5, sign), (6, "r", 19.0, sign), (6.1, "g", 15.0, -sign)]  # fmt: skip
    packet = {"distpsnr1": 0.3, "sgmag1": 18.2, "srmag1": 18.0}
    values = values_of(points, **packet)
    assert values["change_g_r"] == pytest.approx(0.4)
    assert values["change_g_r_chi2"] == pytest.approx(0.02 / (0.1**2 + 0.015**2) / 2)
    assert values["change_g_r_minus_ps1"] == pytest.approx(0.2)
    assert np.isnan(values["g_r"]) == (sign < 0)
    far = values_of(points, **packet | {"distpsnr1": 1.5})
    assert np.isnan(far["change_g_r_minus_ps1"])
    assert far["change_g_r"] == values["change_g_r"]


def test_signs_are_compared_within_a_band():
    """g is above and r below the reference, as if the source changed between the references."""
    points = [(1, "g", 19, 1), (1.1, "r", 19, -1), (4, "g", 19, 1), (4.1, "r", 19, -1)]
    assert values_of(points, isdiffpos="f")["sign_changes"] == 0
    assert values_of(points)["sign_changes"] == pytest.approx(1 / 3)
