"""Figure of the drift of a night."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ztfml.evaluation.drift import MAX_PSI
from ztfml.plots.style import INK, KEPT, UNUSUAL


def drift(ax: Axes, table: pd.DataFrame, title: str = "", n: int = 15) -> Axes:
    """Draw the features with the largest drift, with their missing and unusual values.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : DataFrame
        Result of `ztfml.evaluation.drift.drift_table`.
    title : str
        The title, for example the result of `ztfml.evaluation.drift.describe_drift`.
    n : int, default 15
        Number of features.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure()
    >>> ax = drift(ax, model.drift(table, predictions), n=5)
    >>> len(ax.get_yticklabels())
    5
    """
    rows = table[:n]
    place = np.arange(len(rows))
    colours = np.where(rows["differs"], UNUSUAL, KEPT)
    ax.barh(place, rows["psi"], color=colours)
    ax.axvline(MAX_PSI, color=INK, linewidth=0.9, linestyle=":")
    ax.set_yticks(place, rows["feature"])
    ax.set_xlim(0, 1.6 * max(rows["psi"].max(), MAX_PSI))
    for k, row in enumerate(rows.itertuples()):
        notes = [
            f"{name} {100 * training:.0f} → {100 * now:.0f} %"
            for name, training, now in (
                ("missing", row.missing_training, row.missing),
                ("outside", row.outside_training, row.outside),
            )
            if abs(now - training) > _WORTH_A_NOTE
        ]
        ax.text(row.psi, k, "  " + ", ".join(notes), va="center", fontsize="small")
    ax.invert_yaxis()
    ax.set_xlabel("Population stability index (dotted: limit)")
    ax.set_ylabel("Feature")
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    kinds = {"differs from training": UNUSUAL, "like training": KEPT}
    handles = [Patch(color=colour, label=name) for name, colour in kinds.items()]
    ax.legend(handles=handles, loc="lower right", frameon=False)
    ax.set_title("\n".join(textwrap.wrap(title, _WIDTH)))
    return ax


_WORTH_A_NOTE = 0.05
_WIDTH = 90
