"""Positions in the drawings of light curves and of the sky."""

import numpy as np
import pandas as pd
import pytest

from ztfml.plots.light_curves import Peak, RateLine
from ztfml.report.curve import HEIGHT, WIDTH, layout_light_curve
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


def draw(*rows, lines=(), peak=None, mag=18.0):
    return layout_light_curve(points(*rows), list(lines), peak, {"jd": NOW, "magpsf": mag})


def test_time_increases_to_the_right_and_bright_is_up():
    plot = draw(
        (-10.0, 19.0, 0.1, 20.5, {}),
        (-5.0, 17.0, 0.1, 20.5, {"band": "r", "isdiffpos": -1}),
        (0.0, 18.0, 0.1, 20.5, {}),
        (-12.0, np.nan, np.nan, 20.0, {}),
    )
    faint, bright, now = plot["detections"]
    (limit,) = plot["limits"]
    assert limit["x"] < faint["x"] < bright["x"] < now["x"] == plot["now"]["x"]
    assert bright["y"] < now["y"] < faint["y"] < limit["y"]
    # Linear scale: 18.0 is midway between 17.0 and 19.0.
    assert now["y"] == pytest.approx((bright["y"] + faint["y"]) / 2, abs=0.11)
    assert bright["x"] == pytest.approx((faint["x"] + now["x"]) / 2, abs=0.11)
    assert (bright["band"], bright["below"]) == ("r", True)
    assert faint["high"] < faint["y"] < faint["low"]
    assert faint["text"] == "19.00 ± 0.10 in g, 2023-02-15 06:00"


def test_ticks_are_round_and_correct():
    plot = draw((-10.0, 19.3, 0.1, 20.5, {}), (0.0, 17.1, 0.1, 20.5, {}))
    first, last = plot["detections"]
    for ticks, low, high, ends in (
        (plot["x_ticks"], -10.0, 0.0, (first["x"], last["x"])),
        (plot["y_ticks"], 19.3, 17.1, (first["y"], last["y"])),
    ):
        assert 4 <= len(ticks) <= 9
        for place, text in ticks:
            value = float(text.replace("−", "-"))
            expected = ends[0] + (value - low) / (high - low) * (ends[1] - ends[0])
            assert place == pytest.approx(expected, abs=0.2)
    assert plot["x_label"] == "Days since this alert (2023-02-25 06:00 UTC)"


@pytest.mark.parametrize(
    "row",
    [
        (0.0, 18.0, 0.1, 20.5, {}),
        (0.0, 18.0, np.nan, np.nan, {"band": np.nan}),
        (0.0, 18.0, 50.0, np.nan, {}),
        (0.0, np.nan, np.nan, np.nan, {}),
        (-1e-6, np.nan, np.nan, 20.0, {}),
    ],
)
def test_one_row_is_enough(row):
    plot = draw(row, mag=np.nan)
    assert len(plot["x_ticks"]) > 1
    assert len(plot["y_ticks"]) > 1
    for point in plot["detections"]:
        assert 0 < point["high"] <= point["y"] <= point["low"] < HEIGHT
        assert 0 < point["x"] < WIDTH


def test_rate_lines_are_drawn_where_they_were_fitted():
    line = RateLine("g", "fading", 0.5, 0.1, np.array([NOW - 2, NOW]), np.array([17.0, 18.0]))
    plot = draw(
        (-2.0, 17.0, 0.1, 20.5, {}),
        (0.0, 18.0, 0.1, 20.5, {}),
        lines=[line],
        peak=Peak(NOW - 2, 17.0, "g"),
    )
    begin, end = plot["detections"]
    (drawn,) = plot["lines"]
    assert drawn["x"] == [begin["x"], end["x"]]
    assert drawn["y"] == [begin["y"], end["y"]]
    assert drawn["text"] == "fading 0.50 ± 0.10 mag/day in g"
    assert (plot["peak"]["x"], plot["peak"]["y"]) == (begin["x"], begin["y"])


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
