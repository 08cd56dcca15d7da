"""Figures of the recall of injected fast transients."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from ztfml.plots.style import INK

# ztfml has a solid line; all methods differ in colour, line and symbol (Okabe & Ito 2008).
_METHOD_STYLES = (
    {"color": "#D55E00", "linestyle": "-", "marker": "o", "linewidth": 2.0},
    {"color": "#0072B2", "linestyle": "--", "marker": "s", "linewidth": 1.2},
    {"color": "#009E73", "linestyle": "-.", "marker": "^", "linewidth": 1.2},
    {"color": "#555555", "linestyle": ":", "marker": "D", "linewidth": 1.2},
    {"color": "#CC79A7", "linestyle": (0, (6, 2)), "marker": "X", "linewidth": 1.2},
)


def recall_by_top(ax: Axes, result: dict, cell: str = "two nights or more, peak < 20") -> Axes:
    """Draw the recall of injected events against the number of inspected rows.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    result : dict
        Result of `ztfml.injection.recovery.measure_recall` or `recover`.
    cell : str
        Name of the group of events.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.injection.recovery import recover
    >>> from ztfml.plots import figure
    >>> result = recover(night, model, repeats=2, per_night=4, seed=1)
    >>> fig, (ax,) = figure()
    >>> ax = recall_by_top(ax, result)
    >>> ax.figure is fig
    True
    """
    part = result["recall"]["cells"].get(cell)
    if part is None:
        return _write_message(ax, f"No event with {cell}")
    for (method, by_top), style in zip(part["recall"].items(), _METHOD_STYLES, strict=False):
        _with_intervals(ax, np.array([int(top) for top in by_top]), by_top.values(), method, style)
    ax.set_xticks([int(top) for top in by_top])
    ax.set_xlabel("Rows of the list")
    ax.set_title(f"{cell}: {part['n']} events")
    return _recall_axis(ax)


def recall_by_part(ax: Axes, result: dict, title: str, top: int = 12) -> Axes:
    """Draw the recall of injected events in the first rows by type, peak or rate.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    result : dict
        Result of `ztfml.injection.recovery.measure_recall` or `recover`.
    title : str
        Key of ``recall``: ``kind``, ``peak magnitude``, ``rate`` or ``nights``.
    top : int

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.injection.recovery import recover
    >>> from ztfml.plots import figure
    >>> result = recover(night, model, repeats=2, per_night=4, seed=1)
    >>> fig, (ax,) = figure()
    >>> ax = recall_by_part(ax, result, "kind")
    >>> ax.figure is fig
    True
    """
    parts = result["recall"][title]
    if not parts:
        return _write_message(ax, "No events")
    methods = list(next(iter(parts.values()))["recall"])
    for k, (method, style) in enumerate(zip(methods, _METHOD_STYLES, strict=False)):
        # Shifted sideways, so that symbols do not overlap.
        place = np.arange(len(parts)) + 0.1 * (k - (len(methods) - 1) / 2)
        values = [part["recall"][method][str(top)] for part in parts.values()]
        _with_intervals(ax, place, values, method, style | {"linestyle": "none"})
    names = [f"{fill(name, 12)}\n({part['n']})" for name, part in parts.items()]
    ax.set_xticks(range(len(parts)), names, fontsize="small")
    ax.set_xlabel(f"{_SLICE_TITLES[title]} (events)")
    ax.set_title(f"In the first {top} rows")
    return _recall_axis(ax)


_SLICE_TITLES = {
    "kind": "Type",
    "peak magnitude": "Brightest detection (mag)",
    "rate": "Rate in g or r (mag/day)",
    "nights": "Nights with a detection",
}


def first_listed(ax: Axes, result: dict) -> Axes:
    """Draw the fraction of events in the first 12 rows by their nth night.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    result : dict
        Result of `ztfml.injection.recovery.measure_recall` or `recover`.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.injection.recovery import recover
    >>> from ztfml.plots import figure
    >>> result = recover(night, model, repeats=2, per_night=4, seed=1)
    >>> fig, (ax,) = figure()
    >>> ax = first_listed(ax, result)
    >>> ax.figure is fig
    True
    """
    first = result["first_listed"]
    nth = np.arange(1, len(first["n"]) + 1)
    for (method, shares), style in zip(first["listed"].items(), _METHOD_STYLES, strict=False):
        ax.plot(nth, np.array(shares, float), label=method, markersize=6, **style)
    ax.set_xticks(nth, [f"{k}\n({n})" for k, n in zip(nth, first["n"], strict=True)])
    ax.set_xlabel("Night with a detection (number of events)")
    ax.set_title("Events in the first 12 rows up to this night")
    return _recall_axis(ax)


def _with_intervals(ax, place, values, label, style):
    values = list(values)
    middle = np.array([one["value"] for one in values])
    ends = np.array([one["interval"] for one in values])
    err = np.clip([middle - ends[:, 0], ends[:, 1] - middle], 0.0, None)
    ax.errorbar(place, middle, yerr=err, label=label, markersize=6, elinewidth=1.0, **style)


def _recall_axis(ax):
    # The space above 1 is for the legend.
    ax.set_ylim(-0.03, 1.28)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_ylabel("Recall")
    ax.grid(alpha=0.25, axis="y")
    ax.legend(loc="upper center", frameon=False, fontsize="small", ncols=3, handlelength=3.0)
    return ax


def _write_message(ax, text):
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=INK)
    ax.set_axis_off()
    return ax
