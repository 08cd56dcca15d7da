"""Figures of the cuts: score distributions and the cut flow."""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ztfml.night import Night
from ztfml.plots.style import INK, KEPT, REMOVED
from ztfml.schema import ALERT_BY_NAME


def score_histogram(ax: Axes, night: Night, field: str, cut: float) -> Axes:
    """Draw the distribution of a score with a cut and the number of alerts on both sides.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    night : Night
    field : str
        Name of a packet field between 0 and 1, without ``candidate.``, e.g. ``"drb"``.
    cut : float

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure()
    >>> score_histogram(ax, night, "drb", 0.5).get_ylabel()
    'Alerts'
    """
    score = night.alerts[field].to_numpy() if field in night.alerts else np.empty(0)
    score = score[~np.isnan(score)]
    below = score < cut
    counts, _, _ = ax.hist(
        [score[below], score[~below]],
        np.linspace(0.0, 1.0, 51),
        stacked=True,
        color=[REMOVED, KEPT],
        edgecolor="white",
        linewidth=0.4,
        label=[f"{below.sum():,} below {cut:g}", f"{(~below).sum():,} at or above"],
    )
    ax.axvline(cut, color=INK, linewidth=1.2, linestyle="--")
    if len(score) < len(night):
        ax.plot([], [], " ", label=f"{len(night) - len(score):,} without {field}")
    # Most scores are close to 0 or 1: a logarithmic axis shows those in between.
    ax.set_ylim(0.5, max(10.0, 1.5 * np.max(counts)))
    ax.set_yscale("log")
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel(fill(f"{field}: {ALERT_BY_NAME[field].meaning}", 50))
    ax.set_ylabel("Alerts")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    return ax


def cut_flow(ax: Axes, flow: pd.DataFrame) -> Axes:
    """Draw how many alerts each cut removes and keeps.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    flow : pandas.DataFrame
        `ztfml.labels.rules.CutResult.flow`.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.labels.rules import apply_cuts
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure()
    >>> cut_flow(ax, apply_cuts(night).flow).get_xlabel()
    'Alerts'
    """
    place = np.arange(len(flow))
    left, removed = flow["alerts_left"], flow["alerts_removed"]
    ax.barh(place, left, color=KEPT, label="alerts left")
    ax.barh(place, removed, left=left, color=REMOVED, hatch="///", edgecolor="white",
            label="removed by this cut")  # fmt: skip
    most = left.max()
    for k, row in enumerate(flow.itertuples()):
        text = f"{row.alerts_left:,} alerts, {row.objects_left:,} objects"
        if row.alerts_removed:
            text += f"  (−{row.alerts_removed:,})"
        ax.text(row.alerts_left + row.alerts_removed + 0.015 * most, k, text, va="center")
    ax.set_yticks(place, flow["cut"])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.6 * max(most, 1))
    ax.set_xlabel("Alerts")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return ax
