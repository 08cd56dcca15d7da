"""Numbers of light curves, and positions on the map of the sky."""

import json

import numpy as np
import pandas as pd
import pytest

from ztfml.plots.light_curves import Peak, RateLine
from ztfml.report.curve import BELOW, UNSEEN, light_curve_data
from ztfml.report.sky import layout_sky

NOW = 2460000.75


def points(*rows):
    """Rows of (days, magpsf, sigmapsf, diffmaglim, changes)."""
    plain = {"fid": 1.0, "band": "g", "isdiffpos": 1, "is_alert": False, "seen": True}
    return pd.DataFrame(
        [
            plain
            | {"jd": NOW + days, "magpsf": mag, "sigmapsf": err, "diffmaglim": limit}
            | changes
            for days, mag, err, limit, changes in rows
        ]
    )


def data(*rows, lines=(), peak=None, mag=18.0, modulus=None):
    alert = {"jd": NOW, "magpsf": mag}
    columns = ["jd", "band", "magpsf", "sigmapsf", "limit"]
    forced = pd.DataFrame(
        [[NOW - 3, "g", 20.0, 0.2, np.nan], [NOW - 4, "r", np.nan, np.nan, 20.9]], columns=columns
    )
    return light_curve_data(points(*rows), list(lines), peak, alert, forced, modulus)


def test_points_are_days_magnitude_error_limit_and_code():
    curve = data(
        (-10.0, 19.0, 0.1, 20.5, {}),
        (-5.0, 17.0, 0.1, 20.5, {"band": "r", "isdiffpos": -1, "seen": False}),
        (0.0, 18.0, 0.1, np.nan, {"band": np.nan}),
        (-12.0, np.nan, np.nan, 20.0, {}),
    )
    assert curve["points"] == [
        [-10.0, 19.0, 0.1, 20.5, 0],
        [-5.0, 17.0, 0.1, 20.5, 1 + BELOW + UNSEEN],
        [0.0, 18.0, 0.1, None, 3],
        [-12.0, None, None, 20.0, 0],
    ]
    assert curve["forced"] == [[-3.0, 20.0, 0.2, None, 0], [-4.0, None, None, 20.9, 1]]
    assert (curve["jd"], curve["now"], curve["recent"], curve["modulus"]) == (NOW, 18.0, 30, None)


def test_rows_without_a_value_are_left_out_and_long_errors_are_clipped():
    curve = data((0.0, np.nan, np.nan, np.nan, {}), (-1.0, 18.0, 50.0, np.inf, {}), mag=np.nan)
    assert curve["points"] == [[-1.0, 18.0, 1.0, None, 0]]
    assert curve["now"] is None
    json.dumps(curve, allow_nan=False)


def test_rate_lines_have_both_ends_and_the_rate():
    line = RateLine("r", "rising", 0.5, 0.1, np.array([NOW - 2, NOW]), np.array([18.0, 17.0]))
    curve = data(
        (0.0, 18.0, 0.1, 20.5, {}), lines=[line], peak=Peak(NOW - 2, 17.0, "g"), modulus=35
    )
    assert curve["lines"] == [[-2.0, 18.0, 0.0, 17.0, 1, 1, 0.5, 0.1]]
    assert curve["peak"] == [-2.0, 17.0]
    assert curve["modulus"] == 35


def test_positions_on_the_sky_map(night):
    sky = layout_sky(night, [{"rank": 1, "objectId": "a", "ra": 180.0, "dec": 0.0},
                         {"rank": 2, "objectId": "b", "ra": 90.0, "dec": 45.0},
                         {"rank": 3, "objectId": "c", "ra": None, "dec": None}])  # fmt: skip
    middle, upper_right = sky["marks"]
    assert (middle["x"], middle["y"]) == (sky["width"] / 2, sky["height"] / 2)
    assert upper_right["x"] > middle["x"], "right ascension increases to the left"
    assert upper_right["y"] < middle["y"]
    assert sum(map(len, sky["shades"])) == 65
    for line in [*sky["galaxy"], *sky["ecliptic"], *sky["grid"]]:
        position = np.array(line)
        assert (position >= 0).all()
        assert (position <= [sky["width"], sky["height"]]).all()
        assert np.abs(np.diff(position[:, 0])).max() < sky["width"] / 4, "no line across the map"
    # The ecliptic reaches 23.4 degrees, the galactic plane 62.9.
    assert min(y for line in sky["galaxy"] for _, y in line) < min(
        y for line in sky["ecliptic"] for _, y in line
    )


@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0])
def test_ranks_on_the_sky_map_do_not_overlap(night, spread):
    rng = np.random.default_rng(1)
    ranked = [
        {"rank": k + 1, "objectId": str(k), "ra": 2.0 + spread * a, "dec": 20.0 + spread * d}
        for k, (a, d) in enumerate(rng.uniform(0, 1, (12, 2)))
    ]
    sky = layout_sky(night, [*ranked, ranked[0] | {"rank": 13}])
    assert sky["marks"][12]["label"] is None
    labels = np.array([mark["label"] for mark in sky["marks"][:12]])
    half = np.array([[3.5 * len(str(k)), 4.5] for k in range(1, 13)])
    apart = np.abs(labels[:, None] - labels) - half[:, None] - half
    assert (apart[~np.eye(12, dtype=bool)].max(axis=1) > -0.11).all()
    assert (labels - half >= -0.1).all()
    assert (labels + half <= [sky["width"] + 0.1, sky["height"] + 0.1]).all()
