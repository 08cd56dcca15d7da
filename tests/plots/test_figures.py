"""Figures of candidates, importances, rates and the sky: labels, units and data."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from tests.report import nights
from ztfml import features, plots
from ztfml.errors import DataError, ModelError
from ztfml.model.classifier import AlertClassifier
from ztfml.model.shap import contributions, tree_shap
from ztfml.night import Night
from ztfml.plots.light_curves import points_of, rates_of
from ztfml.plots.packet_summary import date_of, packet_summary
from ztfml.plots.sky import great_circle
from ztfml.plots.stamps import STAMPS
from ztfml.ranking import TERMS
from ztfml.sources.fetched_folder import Cutouts

pytestmark = pytest.mark.filterwarnings("error")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(axis):
    return [tick.get_text() for tick in axis.get_ticklabels()]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.fixture(scope="module")
def night():
    return nights.odd_night()


@pytest.fixture(scope="module")
def ranked(night):
    return nights.ranked_of(night, nights.predictions_of(night)).set_index("objectId", drop=False)


# --- light curves, whole ----------------------------------------------------------------


def curve(days, mags, **changes):
    return nights.rows_of(nights.FADING, days, mags, **changes).assign(
        isdiffpos=1, band=lambda rows: rows["fid"].map({1: "g", 2: "r"})
    )


def days_seen(points):
    days = np.round(points["jd"] - nights.NOW, 6)
    return dict(zip(days, points["seen"], strict=True))


def test_an_alert_sees_earlier_data_and_itself(night):
    points = points_of(night, nights.FADING, nights.NOW - 1.5)
    assert days_seen(points) == {-12: True, -3: True, -2: True, -1: False, 0: False}
    assert points_of(night, nights.FADING, nights.NOW)["seen"].all()


def test_more_photometry_fills_missing_exposures(night):
    more = curve(
        [-40.0, -12.0, -3.0, -2.0, 1.0, 2.0], [20.3, 20.4, 16.05, np.nan, 18.5, np.nan]
    )  # fmt: skip
    points = points_of(night, nights.FADING, nights.NOW, more)
    extra = points[~points["seen"]]
    # At -12 d a detection replaces the limit of the night; the night has detections at -3 and -2 d.
    assert np.round(extra["jd"] - nights.NOW, 6).tolist() == [-40.0, -12.0, 1.0, 2.0]
    assert (points["seen"]).sum() == 4


def test_another_band_at_the_same_time_is_another_exposure(night):
    more = curve([-3.0], [16.3], fid=2)
    assert len(points_of(night, nights.FADING, nights.NOW, more)) == 6


def test_photometry_outside_the_history_is_lighter(night):
    fig, (ax,) = plots.figure()
    more = curve([3.0], [19.5])
    assert plots.light_curve(night, nights.FADING, ax, whole=True, more=more) is ax
    fig.canvas.draw()
    # Days since the first detection: the alert is at 3 d, the later point at 6 d.
    seen, later = (container.lines[0] for container in ax.containers)
    assert seen.get_xdata() == pytest.approx([0.0, 1.0, 2.0, 3.0])
    assert later.get_xdata() == pytest.approx([6.0])
    assert (seen.get_alpha(), later.get_alpha()) == (1.0, 0.35)
    assert legend(ax).count("g detection") == 1
    assert "lighter: not in the history of this alert" in legend(ax)


def test_more_photometry_is_not_drawn_by_default(night):
    _, (ax,) = plots.figure()
    plots.light_curve(night, nights.FADING, ax, more=curve([3.0], [19.5]))
    assert len(ax.containers) == 1


def test_rates_are_those_of_the_features(night):
    alert = int(np.flatnonzero(night.alerts["objectId"] == nights.FADING)[0])
    lines, peak = rates_of(night, alert)
    row = features.compute(night).iloc[alert]
    (line,) = lines
    assert (line.band, line.verb) == ("g", "fading")
    assert (line.rate, line.err) == (row["fade_rate_g"], row["fade_rate_err_g"])
    assert (peak.band, peak.mag) == ("g", pytest.approx(16.0))


# --- stamps -----------------------------------------------------------------------------


def test_a_stamp_has_north_up_and_east_left():
    fig, (ax,) = plots.figure()
    image = np.zeros((63, 63))
    image[0, 0] = 1.0  # the north-eastern corner
    assert plots.stamp(ax, image, "difference") is ax
    fig.canvas.draw()
    east, west, south, north = ax.images[0].get_extent()
    assert (east, north) == pytest.approx((31.8, 31.8), abs=0.05)
    assert (west, south) == pytest.approx((-31.8, -31.8), abs=0.05)
    assert ax.get_xlim()[0] > ax.get_xlim()[1], "east grows to the left"
    assert "arcsec" in ax.get_xlabel()
    assert "arcsec" in ax.get_ylabel()
    assert ax.images[0].origin == "upper"
    assert ax.get_title() == "difference"


# --- a candidate ------------------------------------------------------------------------


def panel(night, row, **options):
    fig = Figure(figsize=(12, 8), layout="constrained")
    assert plots.candidate(fig, night, row, **options) is fig
    fig.canvas.draw()
    return fig, {ax.get_label(): ax for ax in fig.axes}


def test_a_panel_shows_the_candidate(night, ranked):
    images = [np.random.default_rng(k).normal(size=(63, 63)) for k in range(3)]
    row = ranked.loc[nights.FADING]
    fig, axes = panel(night, row, stamps=Cutouts(1, *images))
    assert set(axes) == {"light curve", "packet summary", "terms", *STAMPS}
    assert nights.FADING in fig.get_suptitle()
    assert f"{row['score']:.2f}" in fig.get_suptitle()
    assert axes["light curve"].yaxis_inverted()
    text = " ".join(texts(axes["packet summary"]))
    assert "18.00 ± 0.10 in g" in text
    for reason in row["reasons"].split("; "):
        assert reason[:20] in text
    bars = [bar.get_width() for bar in axes["terms"].containers[0]]
    assert sum(bars) == pytest.approx(row["log_odds"], abs=1e-9)
    assert ticks(axes["terms"].yaxis)[-2:] == ["other terms", "base"]
    size = [abs(row[f"term_{name}"]) for name in TERMS]
    assert sorted(np.abs(bars[:-2])) == pytest.approx(sorted(size)[-len(bars) + 2 :])


@pytest.mark.parametrize("name", nights.NAMES)
def test_panels_of_unusual_objects(night, ranked, name):
    fig, axes = panel(night, ranked.loc[name])
    assert set(axes) == {"light curve", "packet summary", "terms"}
    assert name in fig.get_suptitle()


def test_packet_summary():
    entries = dict(
        packet_summary(
            {
                "ra": 10.684708, "dec": 41.268750, "jd": 2460000.75, "fid": 2.0, "magpsf": 18.123,
                "sigmapsf": 0.05, "isdiffpos": -1, "distnr": 2.0, "magnr": 17.0, "distpsnr1": 0.4,
                "sgscore1": 0.98, "srmag1": np.nan, "rb": 0.7, "drb": np.nan, "ssdistnr": 3.0,
                "ssmagnr": 18.2, "ssnamenr": "433",
            }
        )
    )  # fmt: skip
    assert entries["position (J2000)"] == "00:42:44.33 +41:16:07.5"
    assert entries["RA, Dec (deg)"] == "10.68471 +41.26875"
    # M31 is at l = 121.17, b = -21.57.
    assert entries["Galactic l, b"] == "121.2°, −21.6°"
    assert entries["magnitude"] == "18.12 ± 0.05 in r, below the reference"
    assert entries["real-bogus score"] == "rb 0.70"
    assert entries["reference source"] == "2.0″ away, 17.0 mag"
    assert entries["nearest PS1 source"] == "0.4″ away, sgscore 0.98 (star)"
    assert entries["known asteroid"] == "433, 3.0″ away, predicted at 18.2 mag"
    assert "nearest Gaia source" not in entries
    assert packet_summary({}) == []
    assert date_of(2451545.0) == "2000-01-01 12:00"


# --- importances ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classifier():
    """A classifier that calls faint sources stars and bright ones transients."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame(
        {"magpsf": rng.uniform(15, 20, 400), "drb": rng.uniform(0, 1, 400), "age": np.nan}
    )
    y = np.where(table["magpsf"] > 17.5, "star", "transient")
    return AlertClassifier(random_state=0, n_jobs=1).fit(table, y, groups=np.arange(400)), table


def test_contributions_add_up_to_the_score(classifier):
    model, _ = classifier
    row = pd.Series({"magpsf": 15.5, "drb": 0.5, "age": np.nan})
    found = contributions(model, row, "transient")
    assert found["features"][0]["name"] == "magpsf"
    assert found["features"][0]["shap"] > 0
    total = found["base"] + sum(one["shap"] for one in found["features"])
    assert total == pytest.approx(found["score"])
    raw = model.booster_.predict(row.to_frame().T.to_numpy(float), raw_score=True)
    assert found["score"] == pytest.approx(np.ravel(raw)[list(model.classes_).index("transient")])
    with pytest.raises(ModelError, match="agn"):
        contributions(model, row, "agn")


def test_feature_contributions_show_values_and_units(classifier):
    model, _ = classifier
    row = pd.Series({"magpsf": 15.5, "drb": 0.5, "age": np.nan})
    found = contributions(model, row, "transient")
    _, (ax,) = plots.figure()
    assert plots.feature_contributions(ax, found, n=1) is ax
    ax.figure.canvas.draw()
    assert ticks(ax.yaxis) == ["magpsf = 15.5 mag", "2 other features"]
    first, rest = ax.containers[0]
    assert first.get_x() == pytest.approx(found["base"])
    assert rest.get_x() + rest.get_width() == pytest.approx(found["score"])
    assert "log-odds" in ax.get_xlabel()
    complete = plots.figure()[1][0]
    plots.feature_contributions(complete, found)
    assert "age missing" in ticks(complete.yaxis)


def test_importances_by_group_and_feature(classifier):
    model, table = classifier
    found = tree_shap(model, table, {"magpsf": "packet", "drb": "packet", "age": "timing"})
    _, (groups, features_) = plots.figure(2)
    assert plots.group_importance(groups, found) is groups
    assert plots.feature_importance(features_, found, "star") is features_
    groups.figure.canvas.draw()
    assert ticks(groups.yaxis) == ["packet"]
    widths = [bars[0].get_width() for bars in groups.containers]
    assert sum(widths) == pytest.approx(
        found["groups"][0]["star"] + found["groups"][0]["transient"]
    )
    assert ticks(features_.yaxis)[0] == "magpsf (mag)"
    assert features_.containers[0][0].get_width() == found["features"][0]["star"]
    assert features_.get_xlabel().endswith("to star")
    for ax in (groups, features_):
        assert "log-odds" in ax.get_xlabel()
    assert legend(features_) == ["packet"]


# --- rates ------------------------------------------------------------------------------


def rates(*rows):
    columns = ("best_fade_rate", "best_fade_rate_err", "best_rise_rate", "best_rise_rate_err")
    return pd.DataFrame(rows, columns=columns, dtype=float)


def test_rise_against_fade():
    table = rates(
        (0.5, 0.1, 0.1, 0.05), (0.05, 0.01, 0.02, 0.01), (2.0, 0.5, np.nan, np.nan), [np.nan] * 4
    )
    _, (ax,) = plots.figure()
    assert plots.rise_fade(ax, table, ["transient", "star", "transient", "agn"]) is ax
    ax.figure.canvas.draw()
    assert legend(ax) == ["star (1)", "transient (2)", "faster than 0.3 mag/day"]
    drawn = {c.get_label(): c.lines[0].get_xydata() for c in ax.containers}
    assert drawn["star (1)"].tolist() == [[0.05, 0.02]]
    both, one = drawn["transient (2)"]
    assert both.tolist() == [0.5, 0.1]
    assert one[0] == 2.0
    strip = dict(zip(ticks(ax.yaxis), ax.get_yticks(), strict=True))["not\nknown"]
    assert one[1] == strip < 0
    assert ax.get_xlabel() == "Fade rate (mag/day)"
    assert ax.get_ylabel() == "Rise rate (mag/day)"
    assert ax.get_xlim()[1] > 2.0


@pytest.mark.parametrize("table", [rates(), rates([np.nan] * 4), rates((-3.0, 0.1, np.nan, 1.0))])
def test_rates_of_few_or_no_sources(table):
    _, (ax,) = plots.figure()
    plots.rise_fade(ax, table)
    ax.figure.canvas.draw()
    assert legend(ax)[-1] == "faster than 0.3 mag/day"


# --- the sky ----------------------------------------------------------------------------


def test_the_sky_map_has_all_alerts_and_great_circles(night, ranked):
    fig, (ax,) = plots.figure(projection="mollweide")
    assert plots.sky(ax, night, ["star"] * 4 + ["agn"], ranked[:2]) is ax
    fig.canvas.draw()
    assert legend(ax) == ["star (4)", "agn (1)", "galactic plane", "ecliptic", "ranked"]
    stars, agn = (np.asarray(points.get_offsets()) for points in ax.collections[:2])
    # 12h is at the centre, right ascension increases to the left.
    alerts = night.alerts
    expected = np.radians(np.stack([180.0 - alerts["ra"], alerts["dec"]], axis=1))
    assert np.concatenate([stars, agn]) == pytest.approx(expected)
    assert "J2000" in ax.get_xlabel()
    assert "J2000" in ax.get_ylabel()
    assert texts(ax) == ["1", "2"]


def test_great_circles():
    ra, dec = great_circle("galactic")
    # The galactic centre (l = 0) is at 266.4, -28.9 degrees.
    assert (ra[0], dec[0]) == pytest.approx((266.405, -28.936), abs=0.01)
    ra, dec = great_circle("barycentricmeanecliptic")
    assert dec.max() == pytest.approx(23.44, abs=0.01)
    assert (ra[0], dec[0]) == pytest.approx((0.0, 0.0), abs=0.01) or ra[0] > 359.99


def test_a_sky_map_needs_positions(night):
    alerts = pd.DataFrame(
        {
            "objectId": ["ZTF1"], "candid": [1], "candidate.jd": [nights.NOW],
            "candidate.fid": [1], "candidate.magpsf": [18.0], "candidate.sigmapsf": [0.1],
            "candidate.isdiffpos": ["t"],
        }
    )  # fmt: skip
    with pytest.raises(DataError, match=r"candidate\.ra or candidate\.dec is missing"):
        plots.sky(plots.figure(projection="mollweide")[1][0], Night.from_frames(alerts))
