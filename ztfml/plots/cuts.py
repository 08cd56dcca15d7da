"""The cuts made by hand: what they see, what they take and leave."""

from textwrap import fill

import numpy as np

from ztfml.plots.style import CUT_AWAY, INK, KEPT
from ztfml.schema import ALERT_BY_NAME


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
        color=[CUT_AWAY, KEPT],
        edgecolor="white",
        linewidth=0.4,
        label=[f"{below.sum():,} below {cut:g}", f"{(~below).sum():,} at or above"],
    )
    ax.axvline(cut, color=INK, linewidth=1.2, linestyle="--")
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
    ax.barh(place, left, color=KEPT, label="alerts left")
    ax.barh(place, removed, left=left, color=CUT_AWAY, hatch="///", edgecolor="white",
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
