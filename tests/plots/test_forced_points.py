"""Forced photometry in figures and on the page."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.nights import JD
from ztfml.lightcurves.forced import make_forced
from ztfml.night import Night
from ztfml.plots import figure
from ztfml.plots.forced_points import forced_points
from ztfml.plots.light_curves import light_curve, points_of, rates_of
from ztfml.report.curve import light_curve_data

DAY = JD + 0.2


@pytest.fixture
def night():
    """A detection in r on day 10, and one on day 9; forced fluxes until day 11."""
    alert = {"jd": DAY + 10, "fid": 2, "magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": "t"}
    alert = {f"candidate.{name}": value for name, value in alert.items()}
    past = {"jd": [DAY + 9], "fid": 2, "magpsf": 19.5, "sigmapsf": 0.1, "isdiffpos": "t"}
    forced = pd.DataFrame(
        [
            (DAY + 6, 2, -1000.0, 500.0),
            (DAY + 8, 1, 10000.0, 1000.0),
            (DAY + 9, 2, 60000.0, 1000.0),
            (DAY + 11, 2, 90000.0, 1000.0),
        ],
        columns=["jd", "fid", "flux", "flux_err"],
    ).assign(objectId="ZTF20a")
    night = Night.from_frames(
        pd.DataFrame([{"objectId": "ZTF20a", "candid": 1} | alert]),
        pd.DataFrame(past).assign(objectId="ZTF20a"),
    )
    return night.replace(forced=make_forced(pa.Table.from_pandas(forced, preserve_index=False)))


def test_exposures_with_a_detection_and_later_ones_are_left_out(night):
    points = forced_points(night, 0)
    assert points["band"].tolist() == ["r", "g"]
    assert np.isnan(points["magpsf"][0])
    assert points["limit"][0] == pytest.approx(23.9 - 2.5 * np.log10(1.5))
    assert points["magpsf"][1] == pytest.approx(23.9 - 2.5 * np.log10(10))
    assert points["sigmapsf"][1] == pytest.approx(2.5 / np.log(10) / 10)
    assert np.isnan(points["limit"][1])


def test_the_figure_shows_forced_photometry(night):
    _, (ax,) = figure()
    light_curve(night, "ZTF20a", ax)
    labels = ax.get_legend_handles_labels()[1]
    assert "g forced photometry" in labels
    assert "r forced limit (3σ)" in labels
    faint, bright = ax.get_ylim()
    assert faint > 23.4 > bright


def test_the_page_shows_forced_photometry(night):
    points = points_of(night, "ZTF20a", DAY + 10)
    alert = {"jd": DAY + 10, "magpsf": 19.0}
    curve = light_curve_data(points, *rates_of(night, 0), alert, forced_points(night, 0))
    limit, measured = curve["forced"]
    assert limit == [-4.0, None, None, 23.46, 1]
    assert measured == [-2.0, 21.4, 0.109, None, 0]
    seen = forced_points(night, 0, points[points["seen"]])
    pd.testing.assert_frame_equal(seen, forced_points(night, 0))
