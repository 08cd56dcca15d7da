"""The terms of the ranking: their shapes, and what each adds to a score."""

import inspect
from textwrap import fill

import numpy as np

from ztfml.plots.style import CUT_AWAY, INK, KEPT
from ztfml.ranking import TERMS, read_instrument


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
    >>> from ztfml.plots import figure
    >>> term_shape(figure()[1][0], "fading").get_xlabel()
    'fade rate less its error, mag/day'
    """
    term = TERMS[name]
    x = np.linspace(*term.span, 400)
    given = {"instrument": instrument or read_instrument(), term.over: x}
    given |= {other: np.full(len(x), value) for other, value in term.beside.items()}
    parameters = inspect.signature(term.function).parameters
    with np.errstate(divide="ignore"):
        ax.plot(x, term.function(*(given[one] for one in parameters)), color=KEPT, linewidth=2.0)
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
    ax.barh(place, terms["weight"], color=CUT_AWAY, alpha=0.5, label="at most: its weight")
    ax.barh(place, terms["adds"], color=KEPT, height=0.55, label="adds: weight times term")
    for k, term in enumerate(terms.itertuples()):
        ax.text(term.weight, k, f"  {term.value:.2f}", va="center", color=INK, fontsize=9)
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
