"""Figures: each takes an Axes, draws on it, and returns it.

`figure` makes one to draw on without a display, `save` writes it.
"""

import inspect
from pathlib import Path
from textwrap import fill

import matplotlib as mpl
import numpy as np
from matplotlib import dates
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ztfml.errors import DataError
from ztfml.features.nights import fit_slope, night_means, peak_of
from ztfml.files import write_beside
from ztfml.lightcurve import light_curve_of
from ztfml.ranking import TERMS, read_instrument
from ztfml.schema import ALERT_BY_NAME, BANDS

BAND_COLOURS = {"g": "#009E73", "r": "#B2182B", "i": "#F0A000"}
"""Green, red and orange that differ in lightness, too, and so for colour-blind readers and in
grey print (CIELAB distances of 30 and more in Machado et al. 2009's simulations)."""

BAND_MARKERS = {"g": "o", "r": "s", "i": "D"}

# Okabe & Ito (2008), with a line and a symbol of its own for each class.
_CLASS_STYLES = {
    "artifact": {"color": "#555555", "linestyle": ":", "marker": "X"},
    "sso": {"color": "#E69F00", "linestyle": (0, (6, 2)), "marker": "D"},
    "star": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "agn": {"color": "#CC79A7", "linestyle": "--", "marker": "s"},
    "transient": {"color": "#009E73", "linestyle": "-.", "marker": "^"},
}

_UNKNOWN_BAND = "#777777"
_INK = "#222222"
_KEPT, _CUT_AWAY = "#4477AA", "#BBBBBB"

# Julian date of matplotlib's day 0, 1970-01-01 UTC.
_JD_OF_DATE_0 = 2440587.5
# From so many points on, symbols must be small to be seen one by one.
_MANY_POINTS = 150
# A figure of one point must not look as if its error were large.
_LEAST_MAGNITUDES = 2.0
# A shorter time has the hours on its date axis.
_DAYS_WITH_HOURS = 4.0


def figure(n_axes=1, width=9.0, height=5.0, n_columns=None):
    """Make an empty figure with axes side by side.

    Parameters
    ----------
    n_axes : int
    width, height : float, inch
        Of each of the axes with its margins and legend.
    n_columns : int, optional
        How many stand in a row; by default all.

    Returns
    -------
    fig : matplotlib.figure.Figure
    axes : list of matplotlib.axes.Axes

    Examples
    --------
    >>> fig, axes = figure(2)
    >>> len(axes)
    2
    """
    n_columns = n_columns or n_axes
    n_rows = -(-n_axes // n_columns)
    fig = Figure(figsize=(width * n_columns, height * n_rows), layout="constrained")
    FigureCanvasAgg(fig)
    return fig, list(np.ravel(fig.subplots(n_rows, n_columns)))[:n_axes]


def save(fig, path):
    """Write a figure as png, pdf or svg, as the name ends.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    path : str or Path

    Raises
    ------
    DataError
        If the name ends otherwise, or the folder cannot be written to.

    Examples
    --------
    >>> save(fig, "ZTF18abukavn.png")   # doctest: +SKIP
    """
    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in _UNDATED:
        raise DataError(f"{path}: not a kind of figure; let the name end in .png, .pdf or .svg")
    # Without a date and with a fixed salt, the same figure is the same file.
    with write_beside(path) as part, mpl.rc_context({"svg.hashsalt": "ztfml"}):
        fig.savefig(part, format=kind, dpi=150, bbox_inches="tight", metadata=_UNDATED[kind])


_UNDATED = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}


# --- a light curve ----------------------------------------------------------------------


def light_curve(ax, night, object_id, as_of=None):
    """Draw one object's light curve as one of its alerts saw it.

    Filled symbols are brighter than the reference image, open ones fainter; triangles are
    5-sigma limits of exposures without a detection. The rise and fade lines and their rates
    are the features ``rise_rate_*`` and ``fade_rate_*`` of the alert.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    night : Night
    object_id : str
    as_of : float, optional
        A Julian date: what came later is not drawn, and the latest alert up to it is marked.
        By default that of the object's latest alert.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Raises
    ------
    DataError
        If the night does not know the object, or nothing of it by that date.

    Examples
    --------
    >>> light_curve(figure()[1][0], night, "ZTF18abukavn")   # doctest: +SKIP
    """
    alert = _latest_alert(night, object_id, as_of)
    if as_of is None and alert is not None:
        as_of = night.alerts["jd"].iloc[alert]
    rows = night.light_curve(object_id, as_of)
    rows = rows[rows["jd"].notna()]
    if rows.empty:
        raise DataError(f"{night.name}: nothing of {object_id} up to JD {as_of}; name a later date")
    detected = rows[rows["magpsf"].notna()]
    limits = rows[rows["magpsf"].isna() & rows["diffmaglim"].notna()]
    origin = (rows if detected.empty else detected)["jd"].min()

    small = len(detected) > _MANY_POINTS
    for band in (*BANDS, None):
        _draw_detections(ax, _of_band(detected, band), band, origin, small)
    if alert is not None:
        _mark_alert(ax, night.alerts.iloc[alert], origin)
        _draw_fits(ax, night, alert, origin)
    for band in (*BANDS, None):
        _draw_limits(ax, _of_band(limits, band), band, origin, small)

    _set_magnitude_axis(ax, detected, limits)
    _set_time_axes(ax, rows["jd"], origin)
    what = "first detection" if len(detected) else "first exposure"
    ax.set_xlabel(f"Days since {what}")
    ax.set_ylabel("Difference magnitude (AB)")
    # Names come from files: none of it is mathematics.
    ax.set_title(object_id, parse_math=False, fontweight="bold")
    ax.grid(alpha=0.25)
    _set_legend(ax)
    return ax


def _latest_alert(night, object_id, as_of):
    """Position of the object's latest alert up to a date, None without one."""
    jd = night.alerts["jd"].to_numpy()
    own = (night.alerts["objectId"] == object_id).to_numpy()
    own = own & (jd <= (np.inf if as_of is None else as_of))
    return int(np.argmax(np.where(own, jd, -np.inf))) if own.any() else None


def _of_band(rows, band):
    return rows[rows["band"].isna() if band is None else rows["band"] == band]


def _colour(band):
    return BAND_COLOURS.get(band, _UNKNOWN_BAND)


def _draw_limits(ax, limits, band, origin, small):
    if limits.empty:
        return
    ax.plot(
        limits["jd"] - origin,
        limits["diffmaglim"],
        "v",
        color=_colour(band),
        markersize=4 if small else 5,
        markeredgewidth=0,
        alpha=0.4,
        zorder=1,
        label=f"{band or 'unknown band'} limit (5σ)",
    )


def _draw_detections(ax, detected, band, origin, small):
    for sign, inside, what in ((1, _colour(band), "detection"), (-1, "white", "below reference")):
        rows = detected[(detected["isdiffpos"] < 0) == (sign < 0)]
        if rows.empty:
            continue
        ax.errorbar(
            rows["jd"] - origin,
            rows["magpsf"],
            yerr=rows["sigmapsf"],
            fmt=BAND_MARKERS.get(band, "X"),
            color=_colour(band),
            markerfacecolor=inside,
            markersize=3 if small else 6,
            markeredgewidth=0.8 if small else 1.2,
            elinewidth=0.6 if small else 1.0,
            capsize=0,
            zorder=3,
            label=f"{band or 'unknown band'} {what}",
        )


def _mark_alert(ax, alert, origin):
    days = alert["jd"] - origin
    ax.axvline(days, color=_INK, linewidth=0.9, linestyle=":", zorder=0.5)
    ax.plot(
        days,
        alert["magpsf"],
        "o",
        markersize=16,
        markerfacecolor="none",
        markeredgecolor=_INK,
        markeredgewidth=1.0,
        zorder=4,
        label=f"this alert, {_date(alert['jd']):%Y-%m-%d %H:%M}",
    )


def _draw_fits(ax, night, alert, origin):
    """The lines behind the alert's rise and fade rates, and its brightest night."""
    fields = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
    curve = light_curve_of(
        night.history,
        night.first[alert],
        night.last[alert],
        *(float(night.alerts[field].iloc[alert]) for field in fields),
    )
    brightest = (np.inf, None, None)
    for number, band in enumerate(BANDS):
        nights = night_means(curve, number)
        if len(nights.jd) == 0:
            continue
        peak = peak_of(nights)
        if len(nights.jd) > 1:
            brightest = min(brightest, (nights.mag[peak], nights.jd[peak], band))
        for part, sign, verb in (
            (slice(None, peak + 1), -1, "rising"),
            (slice(peak, None), 1, "fading"),
        ):
            jd = nights.jd[part]
            fit = fit_slope(jd, nights.mag[part], nights.err[part])
            if not np.isnan(fit.slope):
                ends = jd[[0, -1]]
                ax.plot(
                    ends - origin,
                    fit.mean_mag + fit.slope * (ends - fit.mean_jd),
                    color=_colour(band),
                    linewidth=1.8,
                    linestyle="-" if verb == "fading" else "--",
                    zorder=2,
                    label=f"{verb} {_with_error(sign * fit.slope, fit.err)} mag/d in {band}",
                )
    mag, jd, band = brightest
    if band:
        ax.plot(
            jd - origin,
            mag,
            "*",
            markersize=13,
            markerfacecolor="none",
            markeredgecolor=_INK,
            markeredgewidth=1.0,
            zorder=5,
            label=f"peak {mag:.2f} mag in {band}",
        )


def _with_error(value, err):
    """A number with as many digits as its error allows.

    >>> _with_error(0.6231, 0.052), _with_error(-0.00312, 0.0004)
    ('0.62 ± 0.05', '−0.0031 ± 0.0004')
    """
    digits = int(np.clip(np.ceil(-np.log10(err)), 2, 4))
    # Adding 0 turns a rounded -0 into 0.
    return f"{round(value, digits) + 0.0:.{digits}f} ± {err:.{digits}f}".replace("-", "−")


def _set_magnitude_axis(ax, detected, limits):
    """Bright is up; error bars and limits fit in."""
    # An error of magnitudes must not squeeze all else into a line.
    err = detected["sigmapsf"].fillna(0.0).clip(upper=1.0)
    values = np.concatenate(
        [detected["magpsf"] - err, detected["magpsf"] + err, limits["diffmaglim"]]
    )
    if len(values):
        low, high = values.min(), values.max()
        margin = max(0.08 * (high - low), 0.5 * (_LEAST_MAGNITUDES - (high - low)))
        ax.set_ylim(high + margin, low - margin)
    elif not ax.yaxis_inverted():
        ax.invert_yaxis()


def _set_time_axes(ax, jd, origin):
    """Days below, dates (UTC) above."""
    low, high = jd.min() - origin, jd.max() - origin
    margin = max(0.05 * (high - low), 0.02 if high - low > 0.01 else 0.5)
    ax.set_xlim(low - margin, high + margin)
    offset = origin - _JD_OF_DATE_0
    top = ax.secondary_xaxis("top", functions=(lambda t: t + offset, lambda t: t - offset))
    if high - low < _DAYS_WITH_HOURS:
        locator, style = dates.AutoDateLocator(tz="UTC", maxticks=5), "%Y-%m-%d\n%H:%M"
    else:
        locator, style = MaxNLocator(6, integer=True), "%Y-%m-%d"
    top.xaxis.set_major_locator(locator)
    top.xaxis.set_major_formatter(dates.DateFormatter(style, tz="UTC"))
    top.set_xlabel("Date (UTC)")


def _set_legend(ax):
    """Beside the axes, where no data can be; the detections first."""
    entries = list(zip(*ax.get_legend_handles_labels(), strict=True))
    entries.sort(key=lambda entry: not isinstance(entry[0], ErrorbarContainer))
    ax.legend(
        [handle for handle, _ in entries],
        [label for _, label in entries],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        borderaxespad=0.0,
    )


def _date(jd):
    return dates.num2date(jd - _JD_OF_DATE_0, tz="UTC")


# --- the cuts ---------------------------------------------------------------------------


def score_histogram(ax, night, field, cut):
    """Draw the distribution of a score with a cut, and count the alerts on both sides.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    night : Night
    field : str
        A packet field between 0 and 1, named without ``candidate.``, e.g. ``"drb"``.
    cut : float

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> score_histogram(figure()[1][0], night, "drb", 0.5)   # doctest: +SKIP
    """
    score = night.alerts[field].to_numpy() if field in night.alerts else np.empty(0)
    score = score[~np.isnan(score)]
    below = score < cut
    counts, _, _ = ax.hist(
        [score[below], score[~below]],
        np.linspace(0.0, 1.0, 51),
        stacked=True,
        color=[_CUT_AWAY, _KEPT],
        edgecolor="white",
        linewidth=0.4,
        label=[f"{below.sum():,} below {cut:g}", f"{(~below).sum():,} at or above"],
    )
    ax.axvline(cut, color=_INK, linewidth=1.2, linestyle="--")
    if len(score) < len(night):
        ax.plot([], [], " ", label=f"{len(night) - len(score):,} without {field}")
    # Both ends of a score are crowded and what lies between is thin.
    ax.set_ylim(0.5, max(10.0, 1.5 * np.max(counts)))
    ax.set_yscale("log")
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel(fill(f"{field}: {ALERT_BY_NAME[field].meaning}", 50))
    ax.set_ylabel("Alerts")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    return ax


def cut_flow(ax, flow):
    """Draw how many alerts each cut takes and leaves.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    flow : pandas.DataFrame
        As `CutResult.flow`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> cut_flow(figure()[1][0], apply_cuts(night).flow)   # doctest: +SKIP
    """
    place = np.arange(len(flow))
    left, removed = flow["alerts_left"], flow["alerts_removed"]
    ax.barh(place, left, color=_KEPT, label="alerts left")
    ax.barh(place, removed, left=left, color=_CUT_AWAY, hatch="///", edgecolor="white",
            label="removed by this cut")  # fmt: skip
    whole = left.max()
    for k, row in enumerate(flow.itertuples()):
        text = f"{row.alerts_left:,} alerts, {row.objects_left:,} objects"
        if row.alerts_removed:
            text += f"  (−{row.alerts_removed:,})"
        ax.text(row.alerts_left + row.alerts_removed + 0.015 * whole, k, text, va="center")
    ax.set_yticks(place, flow["cut"])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.6 * max(whole, 1))
    ax.set_xlabel("Alerts")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return ax


# --- an evaluation ----------------------------------------------------------------------


def confusion(ax, metrics):
    """Draw the confusion matrix, its rows shaded by fraction and marked with counts.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    metrics : dict
        As of `ztfml.evaluation.metrics`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> confusion(figure()[1][0], metrics)   # doctest: +SKIP
    """
    labels, counts = metrics["labels"], np.array(metrics["confusion"])
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        if counts[row].sum():
            ink = "white" if share[row, column] > 0.5 else _INK
            text = f"{share[row, column]:.0%}\n{count:,}" if count else "0"
            ax.text(column, row, text, ha="center", va="center", color=ink)
    ax.set_xticks(range(len(labels)), labels)
    ax.set_yticks(range(len(labels)), labels)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_xlabel("Predicted")
    ax.set_ylabel("Label")
    low, high = metrics["intervals"]["macro_f1"]
    ax.set_title(f"Macro-F1 {metrics['macro_f1']:.2f} ({low:.2f} to {high:.2f})")
    return ax


def reliability(ax, metrics):
    """Draw how often predictions were right against how sure they were.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    metrics : dict
        As of `ztfml.evaluation.metrics`, from probabilities.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> reliability(figure()[1][0], metrics)   # doctest: +SKIP
    """
    curve = metrics["reliability"]
    right, n = np.array(curve["fraction_right"]), np.array(curve["n"])
    low, high = _wilson(right, n)
    ax.plot([0, 1], [0, 1], color=_INK, linewidth=0.9, linestyle=":", label="perfectly calibrated")
    ax.errorbar(
        curve["confidence"],
        right,
        yerr=[right - low, high - right],
        fmt="o",
        color=_KEPT,
        markersize=6,
        elinewidth=1.0,
        label=f"{n.min():,} to {n.max():,} alerts each",
    )
    begin = max(0.0, min(*low, *curve["confidence"]) - 0.05)
    ax.set_xlim(begin, 1.01)
    ax.set_ylim(begin, 1.01)
    ax.grid(alpha=0.25)
    ax.set_xlabel("Probability of the predicted class")
    ax.set_ylabel("Fraction right")
    ax.set_title(
        f"Calibration error {metrics['calibration_error']:.3f} "
        f"({metrics['calibration_noise']:.3f} by chance)"
    )
    ax.legend(loc="upper left", frameon=False)
    return ax


def _wilson(fraction, n, z=1.645):
    """The interval of a fraction that holds nine of ten (Wilson 1927)."""
    centre = (fraction + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(fraction * (1 - fraction) / n + z**2 / (4 * n**2))
    # At fractions 0 and 1 an end may miss the fraction itself by a rounding.
    return np.minimum(centre - half, fraction), np.maximum(centre + half, fraction)


def precision_recall(ax, found):
    """Draw precision against recall of each class as its threshold falls.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.assessment.assess`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> precision_recall(figure()[1][0], found)   # doctest: +SKIP
    """
    for label, curves in found["curves"].items():
        if curves is None:
            continue
        style, curve = _CLASS_STYLES[label], curves["precision_recall"]
        ax.plot(
            curve["recall"],
            curve["precision"],
            color=style["color"],
            linestyle=style["linestyle"],
            linewidth=2.0,
            label=f"{label}, {curve['average_precision']:.3f}",
        )
        now = found["per_class"][label]
        ax.plot(now["recall"], now["precision"], style["marker"], color=style["color"],
                markersize=8, markeredgecolor="white")  # fmt: skip
    ax.plot([], [], "o", color="white", markeredgecolor=_INK, label="the label that is given")
    ax.set_xlim(-0.01, 1.02)
    ax.set_ylim(-0.01, 1.02)
    ax.grid(alpha=0.25)
    ax.set_xlabel("Recall")
    ax.set_ylabel("Precision")
    ax.legend(loc="lower left", frameon=False, title="Class, average precision", handlelength=3.5,
              alignment="left")  # fmt: skip
    return ax


def scores_by_magnitude(ax, found):
    """Draw the F1 of each class by the alert's magnitude, with intervals.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.assessment.assess`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> scores_by_magnitude(figure()[1][0], found)   # doctest: +SKIP
    """
    parts = found["slices"]["magnitude"]
    for k, label in enumerate(found["labels"]):
        # Side by side, so that no symbol hides another.
        place = np.arange(len(parts)) + 0.1 * (k - 2)
        f1 = np.array([part["per_class"][label]["f1"] for part in parts.values()], float)
        ends = np.array([part["intervals"]["f1"][label] for part in parts.values()], float)
        if np.isnan(f1).all():
            continue
        # A class of few objects may lie outside of nine of ten of its draws.
        err = np.clip([f1 - ends[:, 0], ends[:, 1] - f1], 0.0, None)
        ax.errorbar(place, f1, yerr=err, label=label, **_CLASS_STYLES[label], linewidth=1.2,
                    markersize=6, elinewidth=1.0)  # fmt: skip
    names = [f"{name}\n({part['n']:,})" for name, part in parts.items()]
    ax.set_xticks(range(len(parts)), names)
    ax.set_ylim(-0.02, 1.05)
    ax.grid(alpha=0.25, axis="y")
    ax.set_xlabel("Magnitude of the alert (number of alerts)")
    ax.set_ylabel("F1")
    ax.legend(loc="lower left", frameon=False, ncols=3, handlelength=3.5)
    return ax


# --- injection and recovery ---------------------------------------------------------------

# Ours in a full line, the others apart in colour, line and symbol (Okabe & Ito 2008).
_WAY_STYLES = (
    {"color": "#D55E00", "linestyle": "-", "marker": "o", "linewidth": 2.0},
    {"color": "#0072B2", "linestyle": "--", "marker": "s", "linewidth": 1.2},
    {"color": "#009E73", "linestyle": "-.", "marker": "^", "linewidth": 1.2},
    {"color": "#555555", "linestyle": ":", "marker": "D", "linewidth": 1.2},
    {"color": "#CC79A7", "linestyle": (0, (6, 2)), "marker": "X", "linewidth": 1.2},
)


def recall_by_top(ax, found, cell="two nights or more, peak < 20"):
    """Draw the recall of injected events against the number of rows looked at.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.injection.recovery.judge`.
    cell : str
        Which events.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> recall_by_top(figure()[1][0], found)   # doctest: +SKIP
    """
    part = found["recall"]["cells"].get(cell)
    if part is None:
        return _nothing(ax, f"No event with {cell}")
    for (method, by_top), style in zip(part["recall"].items(), _WAY_STYLES, strict=False):
        _with_intervals(ax, np.array([int(top) for top in by_top]), by_top.values(), method, style)
    ax.set_xticks([int(top) for top in by_top])
    ax.set_xlabel("Rows of the list")
    ax.set_title(f"{cell}: {part['n']} events")
    return _recall_axis(ax)


def recall_by_part(ax, found, title, top=12):
    """Draw the recall of injected events in the first rows by their kind, peak or rate.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.injection.recovery.judge`.
    title : str
        A slice of its ``recall``: ``kind``, ``peak magnitude``, ``rate`` or ``nights``.
    top : int

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> recall_by_part(figure()[1][0], found, "kind")   # doctest: +SKIP
    """
    parts = found["recall"][title]
    if not parts:
        return _nothing(ax, "No events")
    methods = list(next(iter(parts.values()))["recall"])
    for k, (method, style) in enumerate(zip(methods, _WAY_STYLES, strict=False)):
        # Side by side, so that no symbol hides another.
        place = np.arange(len(parts)) + 0.1 * (k - (len(methods) - 1) / 2)
        values = [part["recall"][method][str(top)] for part in parts.values()]
        _with_intervals(ax, place, values, method, style | {"linestyle": "none"})
    names = [f"{fill(name, 12)}\n({part['n']})" for name, part in parts.items()]
    ax.set_xticks(range(len(parts)), names, fontsize="small")
    ax.set_xlabel(f"{_SLICE_TITLES[title]} (events)")
    ax.set_title(f"In the first {top} rows")
    return _recall_axis(ax)


_SLICE_TITLES = {
    "kind": "Kind",
    "peak magnitude": "Brightest detection so far, mag",
    "rate": "Change in g or r, mag/day",
    "nights": "Nights with a detection",
}


def first_listed(ax, found):
    """Draw which part of the events has been in the first 12 by their nth night.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.injection.recovery.judge`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> first_listed(figure()[1][0], found)   # doctest: +SKIP
    """
    first = found["first_listed"]
    nth = np.arange(1, len(first["n"]) + 1)
    for (method, shares), style in zip(first["listed"].items(), _WAY_STYLES, strict=False):
        ax.plot(nth, np.array(shares, float), label=method, markersize=6, **style)
    ax.set_xticks(nth, [f"{k}\n({n})" for k, n in zip(nth, first["n"], strict=True)])
    ax.set_xlabel("Night with a detection (events that live to see it)")
    ax.set_title("In the first 12 rows by then")
    return _recall_axis(ax)


def _with_intervals(ax, place, values, label, style):
    values = list(values)
    middle = np.array([one["value"] for one in values])
    ends = np.array([one["interval"] for one in values])
    err = np.clip([middle - ends[:, 0], ends[:, 1] - middle], 0.0, None)
    ax.errorbar(place, middle, yerr=err, label=label, markersize=6, elinewidth=1.0, **style)


def _recall_axis(ax):
    # Above 1 there is room for the legend.
    ax.set_ylim(-0.03, 1.28)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_ylabel("Recall")
    ax.grid(alpha=0.25, axis="y")
    ax.legend(loc="upper center", frameon=False, fontsize="small", ncols=3, handlelength=3.0)
    return ax


def _nothing(ax, text):
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=_INK)
    ax.set_axis_off()
    return ax


# --- the ranking ------------------------------------------------------------------------


def term_shape(ax, name, instrument=None):
    """Draw a term of the ranking over the quantity that it mostly rests on.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    name : str
        One of `ztfml.ranking.TERMS`.
    instrument : Instrument, optional
        By default the package's own.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> term_shape(figure()[1][0], "fading").get_xlabel()
    'fade rate less its error, mag/day'
    """
    term = TERMS[name]
    x = np.linspace(*term.span, 400)
    given = {"instrument": instrument or read_instrument(), term.over: x}
    given |= {other: np.full(len(x), value) for other, value in term.beside.items()}
    parameters = inspect.signature(term.function).parameters
    with np.errstate(divide="ignore"):
        ax.plot(x, term.function(*(given[one] for one in parameters)), color=_KEPT, linewidth=2.0)
    told = ", ".join(f"{other} {value:g}" for other, value in term.beside.items()
                     if not np.isnan(value))  # fmt: skip
    ax.set_xlim(*term.span)
    ax.set_ylim(-0.03, 1.03)
    ax.grid(alpha=0.25)
    ax.set_xlabel(term.label)
    ax.set_ylabel("Term")
    ax.set_title(name + (f"   ({told})" if told else ""), fontsize=10)
    return ax


def contributions(ax, terms, row):
    """Draw what each term adds to the score of one object.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    terms : pandas.DataFrame
        From `FastTransientScorer.explain`.
    row : pandas.Series
        The object's row of the ranked list.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> contributions(figure()[1][0], terms, row)   # doctest: +SKIP
    """
    place = np.arange(len(terms))
    ax.barh(place, terms["weight"], color=_CUT_AWAY, alpha=0.5, label="at most: its weight")
    ax.barh(place, terms["adds"], color=_KEPT, height=0.55, label="adds: weight times term")
    for k, term in enumerate(terms.itertuples()):
        ax.text(term.weight, k, f"  {term.value:.2f}", va="center", color=_INK, fontsize=9)
    ax.set_yticks(place, terms["term"])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12 * max(terms["weight"].max(), 1e-3))
    ax.set_xlabel("Added to the logit of the score (numbers: the term, 0 to 1)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(
        fill(f"Score {row['score']:.3f}, rank {row['rank']}: {row['reasons']}", 110), fontsize=10,
        parse_math=False,
    )  # fmt: skip
    ax.legend(loc="lower right", frameon=False)
    return ax
