"""One candidate on one page: cutouts, light curve, packet, reasons and terms."""

from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ztfml.night import Night
from ztfml.plots.light_curves import light_curve
from ztfml.plots.packet_summary import packet_summary
from ztfml.plots.rankings import draw_bars
from ztfml.plots.stamps import STAMPS, stamp
from ztfml.plots.style import INK
from ztfml.ranking import TERMS
from ztfml.sources.fetched_folder import Cutouts

_TERMS_SHOWN = 10


def candidate(
    fig: Figure,
    night: Night,
    row: pd.Series,
    stamps: Cutouts | None = None,
    more: pd.DataFrame | None = None,
) -> Figure:
    """Draw a candidate on one page: cutouts, light curve, packet summary, reasons and terms.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        An empty figure, e.g. ``Figure(figsize=(12, 8), layout="constrained")``.
    night : Night
    row : pandas.Series
        A row of the ranked list.
    stamps : ztfml.sources.fetched_folder.Cutouts, optional
        Image cutouts, north up (see `stamp`). Without them, the light curve takes their place.
    more : pandas.DataFrame, optional
        More photometry of the object, as for `light_curve`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure that was given. Its axes have the labels ``light curve``, ``packet
        summary``, ``terms`` and the kinds of the cutouts.

    Raises
    ------
    DataError
        If the night has no data of the object.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> fig = Figure(figsize=(12, 8), layout="constrained")
    >>> fig = candidate(fig, night, ranked.iloc[0])
    >>> [ax.get_label() for ax in fig.axes]
    ['light curve', 'packet summary', 'terms']
    """
    above, below = fig.subfigures(2, 1, height_ratios=(2.0, 1.0))
    curve = above
    if stamps is not None:
        images, curve = above.subfigures(1, 2, width_ratios=(1.0, 4.2))
        for ax, kind in zip(images.subplots(3, 1), STAMPS, strict=True):
            ax.set_label(kind)
            stamp(ax, getattr(stamps, kind), kind)
            if kind != STAMPS[-1]:
                ax.set_xlabel("")
                ax.set_xticklabels([])
    ax = curve.add_subplot(label="light curve")
    light_curve(night, row["objectId"], ax, whole=more is not None, more=more)
    ax.set_title("")
    summary, terms = below.subplots(1, 2, width_ratios=(2.3, 1.0))
    _write_summary(summary, night, row)
    _draw_terms(terms, row)
    fig.suptitle(
        f"Rank {row['rank']}   {row['objectId']}   score {row['score']:.2f}",
        fontweight="bold",
        parse_math=False,
    )
    return fig


def _write_summary(ax, night, row):
    ax.set_label("packet summary")
    ax.set_axis_off()
    alert = night.alerts[night.alerts["candid"] == row["candid"]].iloc[0]
    entries = packet_summary(alert)
    for x, lines, colour in (
        (0.0, [name for name, _ in entries], "#666666"),
        (0.17, [value for _, value in entries], INK),
        (0.62, ["Reasons for the rank", *_lines(row["reasons"])], INK),
    ):
        for k, line in enumerate(lines):
            # Line by line, because some symbols are taller than letters.
            ax.text(x, 0.99 - 0.085 * k, line, va="top", color=colour, fontsize="small",
                    parse_math=False)  # fmt: skip


def _lines(reasons):
    for reason in reasons.split("; "):
        yield from wrap(reason, 48, initial_indent="•  ", subsequent_indent="    ")


def _draw_terms(ax, row):
    """The terms that change the log odds most, and the sum of the others."""
    ax.set_label("terms")
    terms = pd.Series({name: row[f"term_{name}"] for name in TERMS}, dtype=float)
    terms = terms.iloc[np.argsort(-terms.abs().to_numpy(), kind="stable")]
    shown = terms.iloc[:_TERMS_SHOWN].sort_values(ascending=False, kind="stable")
    others = {"other terms": terms.iloc[_TERMS_SHOWN:].sum(), "base": row["term_base"]}
    shown = pd.concat([shown, pd.Series(others)])
    draw_bars(ax, shown.index.to_series(), shown, "x-small")
    ax.tick_params(axis="x", labelsize="x-small")
    ax.set_xlabel(f"Adds to the log odds (sum {row['log_odds']:.2f})", fontsize="small")
