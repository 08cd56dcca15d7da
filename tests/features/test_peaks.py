"""Half-times, peaks across gaps, rebrightening and single bright points, computed by hand."""

import numpy as np
import pandas as pd
import pytest

from ztfml.features import of_light_curve

JD = 2459000.7
ERR = np.hypot(0.1, 0.015)


def curve(points, limits=()):
    """A light curve of (day, band, magnitude[, sign]) and limits of (day, band, magnitude)."""
    rows = [(day, band, mag, 0.1, sign) for day, band, mag, sign in
            ((*point, 1)[:4] for point in points)]  # fmt: skip
    rows += [(day, band, np.nan, np.nan, 0) for day, band, _ in limits]
    table = pd.DataFrame(rows, columns=["day", "band", "magpsf", "sigmapsf", "isdiffpos"])
    limit = [20.5] * len(points) + [mag for *_, mag in limits]
    fid = table["band"].map({"g": 1, "r": 2, "i": 3})
    return table.assign(jd=JD + table["day"], fid=fid, diffmaglim=limit)


def values_of(points, limits=()):
    return of_light_curve(curve(points, limits))


def in_r(*mags, step=2):
    return [(step * k, "r", mag) for k, mag in enumerate(mags)]


# --- half-time ------------------------------------------------------------------------------


def test_a_half_time_needs_a_night_below_half_on_both_sides():
    """From 19 to 18 in 2 d and back: half of the peak is crossed at the same flux on both sides."""
    flux = 10 ** (-0.4 * np.array([19.0, 18.0]))
    crossing = 2 * (flux[1] / 2 - flux[0]) / (flux[1] - flux[0])
    values = values_of(in_r(19.0, 18.0, 19.0))
    assert values["half_time_r"] == pytest.approx(4 - 2 * crossing)
    assert values["half_time_max_r"] == pytest.approx(4)
    assert values["above_half_r"] == 0


def test_a_non_detection_replaces_a_night_below_half_that_is_farther_from_the_peak():
    """19.5 on day 0, below 19.58 on day 8, 18 on day 10, below 19.05 on day 11, 19 on day 12."""
    points = [(0, "r", 19.5), (10, "r", 18.0), (12, "r", 19.0)]
    values = values_of(points, [(8, "r", 19.58), (5, "r", 19.5), (11, "r", 19.05)])
    peak, before, after = (10 ** (-0.4 * mag) for mag in (18.0, 19.58, 19.05))
    rise = 2 * (peak / 2) / (peak - before)
    fade = 1 * (peak / 2) / (peak - after)
    assert values["half_time_r"] == pytest.approx(rise + fade)
    assert values["half_time_max_r"] == pytest.approx(3)


@pytest.mark.parametrize(
    ("points", "limits", "longest"),
    [
        (in_r(18.0, 19.0), [(-3, "r", 20.0)], 5),
        (in_r(19.0, 18.0), [(6, "r", 20.0)], np.nan),  # the alert does not see a later limit
        (in_r(18.0, 18.2, 19.0), [(-3, "r", 20.0), (-9, "r", 20.0), (-1, "r", 18.5)], 7),
        (in_r(18.0, 19.0), [], np.nan),
    ],
)
def test_an_open_end_gives_bounds(points, limits, longest):
    values = values_of(points, limits)
    assert np.isnan(values["half_time_r"])
    np.testing.assert_allclose(values["half_time_max_r"], longest)
    assert values["above_half_r"] in (0, 2)


# --- gaps -----------------------------------------------------------------------------------

SEASON = [(0, "r", 17.0), (10, "r", 17.1), (20, "r", 17.2)]
NEXT = [(170, "r", 17.8), (175, "r", 17.8)]


def test_the_peak_is_kept_across_the_gap_between_two_seasons():
    values = values_of(SEASON + NEXT)
    assert values["peak_mag_r"] == pytest.approx(17.0)
    assert values["days_since_peak"] == pytest.approx(175)
    assert values["age"] == pytest.approx(175)
    assert (values["n_episodes"], values["n_earlier_episodes"]) == (2, 0)


@pytest.mark.parametrize(
    ("before", "limits"),
    [
        (SEASON, [(165, "r", 20.0)]),  # it was fainter in the gap
        ([(0, "r", 15.0), (10, "r", 15.5), (20, "r", 16.0)], []),  # another level
        ([(20, "r", 17.2)], []),  # one detection only
        ([(20, "r", 17.2), (20.1, "r", 17.2)], []),  # one night only
        ([(day, "r", mag, -1) for day, _, mag in SEASON], []),  # fainter than the reference
        ([(day, "g", mag) for day, _, mag in SEASON], []),  # another band
        ([(day - 200, "r", mag) for day, _, mag in SEASON], []),  # too long ago
    ],
)
def test_another_outburst_is_another_episode(before, limits):
    values = values_of(before + NEXT, limits)
    assert values["age"] == pytest.approx(5)
    assert values["peak_mag_r"] == pytest.approx(17.8)


def test_a_limit_brighter_than_the_source_does_not_end_an_episode():
    values = values_of(SEASON + NEXT, [(165, "r", 17.5), (160, "g", 20.5)])
    assert values["age"] == pytest.approx(175)


# --- rebrightening --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mags", "depth"),
    [
        ((18, 19, 20, 18.5), 20 - 18.5 - 4 * ERR),
        ((18.5, 20, 19, 18), 20 - 18.5 - 4 * ERR),
        ((18, 19, 20, 20), 0),
        ((18, 18.2, 18), 0),
    ],
)
def test_rebrightening(mags, depth):
    assert values_of(in_r(*mags))["rebrightening_r"] == pytest.approx(depth)
    assert np.isnan(values_of(in_r(18, 19))["rebrightening_r"])


# --- single bright points -------------------------------------------------------------------

PLATEAU = in_r(18.9, 18.95, 18.9)
POINT = (6, "r", 16.9)
AFTER = [(8, "r", 18.95), (10, "r", 18.9)]


def test_a_single_bright_point_on_a_plateau_is_not_a_peak():
    values = values_of([*PLATEAU, POINT, *AFTER])
    assert values["peak_mag_r"] > 18.8
    assert not values["best_fade_rate"] > 0.05
    assert abs(values["recent_slope_r"]) < 0.1
    assert values["amplitude_r"] == pytest.approx(0.05)


@pytest.mark.parametrize(
    "points",
    [
        [*PLATEAU, POINT],  # nothing after it yet
        [POINT, *AFTER, (12, "r", 18.9)],  # nothing before it: an afterglow
        [*PLATEAU, POINT, (6.05, "r", 17.0), *AFTER],  # a second exposure
        [*PLATEAU, POINT, (6.05, "g", 17.3), *AFTER],  # another band
        [(0, "r", 20.0), (3, "r", 19.4), POINT, (9, "r", 19.3), (12, "r", 20.2)],  # rise and fade
        [*PLATEAU, (6, "r", 18.3), *AFTER],  # too small
    ],
)
def test_the_peak_of_a_fast_transient_is_kept(points):
    peak = min(mag for _, _, mag in points)
    values = values_of(points)
    assert values["peak_mag"] == pytest.approx(peak, abs=0.1)


def test_a_bright_point_averaged_with_a_good_one_is_not_a_peak():
    """The good point has the smaller error in flux: the mean of the night is 18.77 mag."""
    values = values_of([*PLATEAU, POINT, (6.05, "r", 18.9), *AFTER])
    assert values["peak_mag_r"] > 18.7
