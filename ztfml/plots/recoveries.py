"""How many injected fast transients a list puts on top."""

from textwrap import fill

import numpy as np

from ztfml.plots.style import INK

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
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=INK)
    ax.set_axis_off()
    return ax
