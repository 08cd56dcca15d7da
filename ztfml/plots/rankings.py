"""Figures of the ranking: the shape of each term, and its contribution to a score."""

import inspect
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ztfml.plots.style import INK, KEPT, REMOVED
from ztfml.ranking import TERMS, load_ranking
from ztfml.ranking.settings import Instrument


def term_shape(ax: Axes, name: str, instrument: Instrument | None = None) -> Axes:
    """Draw a term of the ranking against its main quantity.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    name : str
        One of `ztfml.ranking.TERMS`.
    instrument : Instrument, optional
        Default: the instrument in the settings of the package.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> term_shape(figure()[1][0], "fading").get_xlabel()
    'fade rate minus its error, mag/day'
    """
    term = TERMS[name]
    x = np.linspace(*term.x_range, 400)
    inputs = {"instrument": instrument or load_ranking().instrument, term.x: x}
    inputs |= {other: np.full(len(x), value) for other, value in term.others.items()}
    parameters = inspect.signature(term.function).parameters
    with np.errstate(divide="ignore"):
        ax.plot(x, term.function(*(inputs[one] for one in parameters)), color=KEPT, linewidth=2.0)
    constants = ", ".join(f"{other} {value:g}" for other, value in term.others.items()
                     if not np.isnan(value))  # fmt: skip
    ax.set_xlim(*term.x_range)
    ax.set_ylim(-0.03, 1.03)
    ax.grid(alpha=0.25)
    ax.set_xlabel(term.label)
    ax.set_ylabel("Term")
    ax.set_title(name + (f"   ({constants})" if constants else ""), fontsize=10)
    return ax


def contributions(ax: Axes, terms: pd.DataFrame, row: pd.Series) -> Axes:
    """Draw the contribution of each term to the score of one object.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    terms : pandas.DataFrame
        From `FastTransientScorer.explain`.
    row : pandas.Series
        Row of the ranked list.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> from ztfml.ranking import FastTransientScorer
    >>> terms = FastTransientScorer().explain(ranked, object_id)
    >>> fig, (ax,) = figure()
    >>> ax = contributions(ax, terms, ranked.iloc[0])
    >>> len(ax.get_yticklabels()) == len(terms)
    True
    """
    position = np.arange(len(terms))
    ax.barh(
        position,
        terms["weight"],
        color=REMOVED,
        alpha=0.5,
        label="weight (largest possible contribution)",
    )
    ax.barh(position, terms["adds"], color=KEPT, height=0.55, label="contribution (weight × term)")
    for k, term in enumerate(terms.itertuples()):
        ax.text(term.weight, k, f"  {term.value:.2f}", va="center", color=INK, fontsize=9)
    ax.set_yticks(position, terms["term"])
    ax.invert_yaxis()
    ax.set_xlim(0, 1.12 * max(terms["weight"].max(), 1e-3))
    ax.set_xlabel("Contribution to the logit of the score (numbers: value of the term, 0 to 1)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(
        fill(f"Score {row['score']:.3f}, rank {row['rank']}: {row['reasons']}", 110), fontsize=10,
        parse_math=False,
    )  # fmt: skip
    ax.legend(loc="lower right", frameon=False)
    return ax
