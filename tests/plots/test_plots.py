"""Figures: positions, units and labels, also for unusual objects."""

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib import dates
from matplotlib.container import ErrorbarContainer

from ztfml import features, plots
from ztfml.errors import DataError
from ztfml.evaluation.slices import assess
from ztfml.labels.rules import apply_cuts
from ztfml.night import Night
from ztfml.plots import light_curves
from ztfml.ranking import TERMS
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS

NOW = 2460000.75  # 2023-02-25 06:00 UTC

pytestmark = pytest.mark.filterwarnings("error")


def make_night(rows, alerts=((0.0, 18.0),), name="ZTF23aaaaaaa"):
    """Make a night of one object; rows are (days, magpsf, changes), alerts (days, magpsf)."""
    alerts = pd.DataFrame(
        {
            "objectId": name,
            "candid": 2200000000000000000 + k,
            "candidate.jd": NOW + days,
            "candidate.fid": 2,
            "candidate.magpsf": mag,
            "candidate.sigmapsf": 0.1,
            "candidate.isdiffpos": "t",
            "candidate.diffmaglim": 20.5,
        }
        for k, (days, mag) in enumerate(alerts)
    )
    history = pd.DataFrame(
        {
            "objectId": name,
            "jd": NOW + days,
            "fid": 2,
            "magpsf": mag,
            "sigmapsf": 0.1,
            "diffmaglim": 20.5,
            "isdiffpos": "t",
        }
        | changes
        for days, mag, changes in rows
    )
    return Night.from_frames(alerts, history if len(history) else None)


def draw(night, name="ZTF23aaaaaaa", **options):
    fig, (ax,) = plots.figure()
    assert plots.light_curve(night, name, ax, **options) is ax
    fig.canvas.draw()
    return ax


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def points(ax, label):
    """Return the points of a legend entry as an array of x, y."""
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    drawn = handles[label]
    return (drawn.lines[0] if isinstance(drawn, ErrorbarContainer) else drawn).get_xydata()


SUPERNOVA = [
    (-12.0, np.nan, {}),
    (-10.0, 18.6, {}),
    (-8.0, 18.2, {}),
    (-6.0, 17.8, {}),
    (-6.0, 17.6, {"fid": 1}),
    (-4.0, 17.8 + 0.2, {"isdiffpos": "f", "fid": 3}),
    (-3.0, 17.9, {}),
    (3.0, 12.0, {}),
]


def test_points_are_at_their_dates_and_magnitudes():
    ax = draw(make_night(SUPERNOVA))
    assert points(ax, "r detection").tolist() == [
        [0.0, 18.6], [2.0, 18.2], [4.0, 17.8], [7.0, 17.9], [10.0, 18.0],
    ]  # fmt: skip
    assert points(ax, "g detection").tolist() == [[4.0, 17.6]]
    assert points(ax, "i below reference").tolist() == [[6.0, 18.0]]
    assert points(ax, "r limit (5σ)").tolist() == [[-2.0, 20.5]]


def test_axes_labels_and_units():
    ax = draw(make_night(SUPERNOVA))
    assert ax.yaxis_inverted()
    assert "mag" in ax.get_ylabel()
    assert ax.get_xlabel() == "Days since first detection"
    assert ax.get_title() == "ZTF23aaaaaaa"
    (top,) = ax.child_axes
    assert top.get_xlabel() == "Date (UTC)"
    low, high = top.get_xlim()
    first = dates.date2num(pd.Timestamp("2023-02-15 06:00"))
    assert [low - first, high - first] == pytest.approx(ax.get_xlim(), abs=1e-6)
    ticks = [tick.get_text() for tick in top.get_xticklabels()]
    assert all(pd.Timestamp(tick) for tick in ticks)


def test_bands_differ_in_colour_and_symbol():
    ax = draw(make_night(SUPERNOVA))
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    for band, sign in (("g", "detection"), ("r", "detection"), ("i", "below reference")):
        line = handles[f"{band} {sign}"].lines[0]
        assert line.get_color() == plots.BAND_COLOURS[band]
        assert line.get_marker() == plots.BAND_MARKERS[band]
        assert (line.get_markerfacecolor() == "white") == (sign == "below reference")
    assert handles["r limit (5σ)"].get_marker() == "v"
    assert len(set(plots.BAND_MARKERS.values())) == len(plots.BAND_COLOURS) == 3


def test_error_bars_are_one_sigma():
    ax = draw(make_night([]))
    (container,) = ax.containers
    (bar,) = container.lines[2][0].get_segments()
    assert bar.tolist() == pytest.approx(np.array([[0.0, 17.9], [0.0, 18.1]]))


def test_later_data_are_not_drawn():
    night = make_night(SUPERNOVA, alerts=((-2.0, 17.95), (0.0, 18.0)))
    ax = draw(night, as_of=NOW - 2.0)
    assert points(ax, "r detection")[:, 0].max() == 8.0
    assert points(ax, "this alert, 2023-02-23 06:00").tolist() == [[8.0, 17.95]]
    latest = draw(night)
    assert points(latest, "r detection")[:, 0].max() == 10.0
    assert points(latest, "this alert, 2023-02-25 06:00").tolist() == [[10.0, 18.0]]
    without_future = make_night(SUPERNOVA[:-1], alerts=((-2.0, 17.95),))
    assert legend(draw(without_future)) == legend(ax)
    assert draw(without_future).get_ylim() == ax.get_ylim()


def test_only_history_before_the_first_alert():
    ax = draw(make_night(SUPERNOVA), as_of=NOW - 5.0)
    assert points(ax, "r detection")[:, 0].tolist() == [0.0, 2.0, 4.0]
    assert not any("alert" in entry or "mag/d" in entry for entry in legend(ax))


def test_lines_show_the_rate_features():
    night = make_night(SUPERNOVA)
    ax = draw(night)
    row = features.compute(night).iloc[0]
    rise = f"rising {row['rise_rate_r']:.2f} ± {row['rise_rate_err_r']:.2f} mag/d in r"
    fade = f"fading {row['fade_rate_r']:.2f} ± {row['fade_rate_err_r']:.2f} mag/d in r"
    assert rise == "rising 0.20 ± 0.04 mag/d in r"
    assert {rise, fade} <= set(legend(ax))
    # 18.6, 18.2 and 17.8 are on a line.
    assert points(ax, rise) == pytest.approx(np.array([[0.0, 18.6], [4.0, 17.8]]))
    assert points(ax, "peak 17.80 mag in r") == pytest.approx(np.array([[4.0, 17.8]]))


def test_values_have_as_many_digits_as_their_error():
    assert light_curves.with_error(0.6231, 0.052) == "0.62 ± 0.05"
    assert light_curves.with_error(-0.00312, 0.0004) == "−0.0031 ± 0.0004"
    assert light_curves.with_error(-0.0001, 0.2) == "0.00 ± 0.20"
    assert light_curves.with_error(3.0, 12.0) == "3.00 ± 12.00"


rng = np.random.default_rng(1)
MANY = [
    (days, float(mag), {"fid": int(fid), "isdiffpos": sign})
    for days, mag, fid, sign in zip(
        np.linspace(-2000, -1, 900),
        rng.normal(17, 1, 900),
        rng.integers(1, 4, 900),
        rng.choice(["t", "f"], 900),
        strict=True,
    )
]
ODD = {
    "no history": ([], ((0.0, 18.0),)),
    "limits only before": ([(-5.0, np.nan, {}), (-3.0, np.nan, {})], ((0.0, 18.0),)),
    "900 points": (MANY, ((0.0, 18.0),)),
    "an alert without a magnitude": ([(-5.0, np.nan, {})], ((0.0, np.nan), (0.1, 18.0))),
    "no errors": ([(-5.0, 18.0, {"sigmapsf": np.nan})], ((0.0, 18.0),)),
    "no limits given": ([(-5.0, np.nan, {"diffmaglim": np.nan})], ((0.0, 18.0),)),
    "unknown band and sign": (
        [(-5.0, 18.0, {"fid": None, "isdiffpos": None}), (-4.0, 18.0, {})],
        ((0.0, 18.0),),
    ),
    "an enormous error": ([(-5.0, 18.0, {"sigmapsf": 9.0})], ((0.0, 18.0),)),
    "one epoch": ([(-1e-6, 19.0, {})], ((0.0, 18.0),)),
}


@pytest.mark.parametrize("kind", ODD)
def test_unusual_objects_are_drawn(kind):
    ax = draw(make_night(*ODD[kind]))
    low, high = sorted(ax.get_ylim())
    assert high - low < 15
    assert np.isfinite(ax.get_xlim()).all()


def test_an_object_without_any_values():
    history = [(-5.0, np.nan, {"diffmaglim": np.nan}), (-4.0, np.nan, {"diffmaglim": np.nan})]
    night = make_night(history, ((0.0, np.nan), (0.1, 18.0)))
    ax = draw(night, as_of=NOW)
    assert ax.yaxis_inverted()
    assert ax.get_xlabel() == "Days since first exposure"
    assert legend(draw(night, as_of=NOW - 1.0)) == []


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("$\\frac{1}{$", "png"),
        ("$\\frac{1}{$", "pdf"),
        ("<b>&amp;</b>$$", "svg"),
        ("a_b^c\\", "png"),
        ("100 % $x_y {}", "svg"),
    ],
)
def test_names_are_not_parsed_as_mathematics(name, suffix, tmp_path):
    fig, (ax,) = plots.figure()
    plots.light_curve(make_night([], name=name), name, ax)
    plots.save(fig, tmp_path / f"name.{suffix}")
    assert ax.get_title() == name


def test_an_unknown_object_or_a_date_too_early():
    night = make_night(SUPERNOVA)
    with pytest.raises(DataError, match="ZTF00nothing"):
        draw(night, "ZTF00nothing")
    with pytest.raises(DataError, match="later date"):
        draw(night, as_of=NOW - 1000.0)


# --- saving -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("SVG", b"<?xml")]
)
def test_the_file_name_determines_the_format(suffix, begins, tmp_path):
    files = []
    for name in ("one", "two"):
        fig, (ax,) = plots.figure()
        plots.light_curve(make_night(SUPERNOVA), "ZTF23aaaaaaa", ax)
        plots.save(fig, tmp_path / f"{name}.{suffix}")
        files.append((tmp_path / f"{name}.{suffix}").read_bytes())
    assert files[0].startswith(begins)
    assert files[0] == files[1], "equal figures give identical files"


@pytest.mark.parametrize("name", ["figure.gif", "figure", "figure.csv"])
def test_other_formats_are_refused_and_nothing_is_written(name, tmp_path):
    with pytest.raises(DataError, match=r"\.png, \.pdf or \.svg"):
        plots.save(plots.figure()[0], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_output_folder(tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        plots.save(plots.figure()[0], tmp_path / "none" / "figure.png")


# --- the cuts ---------------------------------------------------------------------------


def scored(scores):
    night = pd.DataFrame(
        {
            "objectId": [f"ZTF{k}" for k in range(len(scores))],
            "candid": 2200000000000000000 + np.arange(len(scores)),
            "candidate.jd": NOW,
            "candidate.fid": 1,
            "candidate.magpsf": 18.0,
            "candidate.sigmapsf": 0.1,
            "candidate.isdiffpos": "t",
            "candidate.drb": scores,
        }
    )
    return Night.from_frames(night)


def test_the_histogram_counts_both_sides_of_the_cut():
    fig, (ax,) = plots.figure()
    night = scored([0.0, 0.1, 0.49, 0.5, 0.9, 1.0, 1.0, np.nan])
    assert plots.score_histogram(ax, night, "drb", 0.5) is ax
    fig.canvas.draw()
    assert legend(ax) == ["3 below 0.5", "4 at or above", "1 without drb"]
    assert "real-bogus" in ax.get_xlabel()
    assert ax.get_ylabel() == "Alerts"
    assert sum(bar.get_height() for bar in ax.containers[0]) == 3
    assert sum(bar.get_height() for bar in ax.containers[1]) == 4
    assert list(ax.lines[0].get_xdata()) == [0.5, 0.5]


@pytest.mark.parametrize("field", ["drb", "sgscore1"])
def test_a_score_that_no_alert_has(field):
    fig, (ax,) = plots.figure()
    plots.score_histogram(ax, scored([np.nan]), field, 0.5)
    fig.canvas.draw()
    assert legend(ax)[-1] == f"1 without {field}"


def test_the_cut_flow_shows_counts():
    fig, (ax,) = plots.figure()
    flow = apply_cuts(scored([0.1, 0.9, 0.9])).flow
    assert plots.cut_flow(ax, flow) is ax
    fig.canvas.draw()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == flow["cut"].tolist()
    assert ax.yaxis_inverted()
    assert ax.get_xlabel() == "Alerts"
    assert [text.get_text() for text in ax.texts][:3] == [
        "3 alerts, 3 objects",
        "2 alerts, 2 objects  (−1)",
        "2 alerts, 2 objects",
    ]


def test_real_objects_are_drawn_without_a_warning(shared_data):
    night = Night.load(shared_data / "alerts" / "ztf_alerts_2458451.5.parquet")
    for name in night.alerts["objectId"].iloc[::60]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ax = draw(night, name)
        assert ax.yaxis_inverted()
        assert ax.get_legend() is not None


# --- an evaluation ----------------------------------------------------------------------


def evaluation(n=300, labels=LABELS):
    """Assess a simulated classifier that is better than chance."""
    rng = np.random.default_rng(6)
    code = rng.choice([LABELS.index(label) for label in labels], n)
    p = np.exp(rng.normal(size=(n, 5)) + 2 * np.eye(5)[code])
    p /= p.sum(axis=1, keepdims=True)
    alerts = pd.DataFrame(
        {
            "objectId": np.arange(n),
            "magpsf": rng.uniform(16.5, 19.5, n),
            "n_det": 1,
            "circular": False,
            "has_history": False,
        }
    )
    predicted = pd.DataFrame(p, columns=list(PROBABILITY_COLUMNS))
    return assess(np.array(LABELS)[code], predicted, alerts)


def test_confusion_shows_counts():
    found = evaluation(labels=("star", "agn"))
    _, (ax,) = plots.figure()
    plots.confusion(ax, found)
    ax.figure.canvas.draw()
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    star, agn = LABELS.index("star"), LABELS.index("agn")
    count = found["confusion"][star][agn]
    assert texts[agn, star].endswith(f"\n{count}")
    # A row without alerts has no fractions.
    assert {row for _, row in texts} == {star, agn}


def test_reliability_shows_every_bin_with_an_interval():
    found = evaluation()
    _, (ax,) = plots.figure()
    plots.reliability(ax, found)
    ax.figure.canvas.draw()
    (bars,) = (c for c in ax.containers if isinstance(c, ErrorbarContainer))
    points = bars.lines[0]
    assert points.get_xdata().tolist() == found["reliability"]["confidence"]
    assert points.get_ydata().tolist() == found["reliability"]["fraction_right"]
    # Wilson (1927) intervals, z = 1.645: p + z^2 / 2n ± z sqrt(p (1 - p) / n + z^2 / 4n^2).
    p, n, z = points.get_ydata(), np.array(found["reliability"]["n"]), 1.645
    centre, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    ends = np.array([segment[:, 1] for segment in bars.lines[2][0].get_segments()])
    expected = np.stack([centre - half, centre + half], axis=1) / (1 + z**2 / n)[:, None]
    assert ends == pytest.approx(expected, abs=2e-4)
    assert f"{found['calibration_error']:.3f}" in ax.get_title()


def test_precision_recall_marks_the_predicted_labels():
    found = evaluation(labels=("sso", "star", "transient"))
    _, (ax,) = plots.figure()
    plots.precision_recall(ax, found)
    ax.figure.canvas.draw()
    shown = legend(ax)
    assert [text.split(",")[0] for text in shown[:3]] == ["sso", "star", "transient"]
    marks = [line for line in ax.lines if len(line.get_xdata()) == 1]
    star = found["per_class"]["star"]
    assert (star["recall"], star["precision"]) in {
        (line.get_xdata()[0], line.get_ydata()[0]) for line in marks
    }


def test_scores_by_magnitude_leave_out_absent_classes():
    found = evaluation(labels=("star", "agn"))
    _, (ax,) = plots.figure()
    plots.scores_by_magnitude(ax, found)
    ax.figure.canvas.draw()
    assert legend(ax) == ["star", "agn"]
    parts = found["slices"]["magnitude"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [
        f"{name}\n({part['n']})" for name, part in parts.items()
    ]


def test_axes_in_rows():
    fig, axes = plots.figure(3, width=4.0, height=3.0, n_columns=2)
    assert len(axes) == 3
    assert fig.get_size_inches().tolist() == [8.0, 6.0]


# --- the ranking ------------------------------------------------------------------------


@pytest.mark.parametrize("name", TERMS)
def test_a_term_is_drawn_against_its_main_quantity(name):
    ax = plots.term_shape(plots.figure()[1][0], name)
    line = ax.get_lines()[-1]
    x, y = line.get_data()
    assert (x[0], x[-1]) == TERMS[name].x_range
    assert np.isfinite(y).all()
    if TERMS[name].function is not None:
        # A fixed term depends on this quantity monotonically.
        steps = np.diff(y)
        assert (steps >= -1e-12).all() or (steps <= 1e-12).all()
    assert ax.get_title().startswith(name)


def test_contributions_are_bars_for_and_against():
    terms = pd.DataFrame({"term": ["base", "not_stellar"], "adds": [-6.0, 0.5]})
    row = pd.Series({"score": 0.8, "log_odds": -5.5, "rank": 3, "reasons": "fading at $1 a day"})
    ax = plots.contributions(plots.figure()[1][0], terms, row)
    assert [bar.get_width() for bar in ax.containers[0]] == [-6.0, 0.5]
    assert "rank 3: fading at $1 a day" in ax.get_title()
    assert "sum -5.50" in ax.get_xlabel()
    assert [text.get_text().strip() for text in ax.texts] == ["−6.00", "+0.50"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["base", "not stellar"]
