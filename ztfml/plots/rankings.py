"""Figures of the ranking: the shape of each term, and its contribution to a score."""

import inspect
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ztfml.plots.style import KEPT, REMOVED
from ztfml.ranking import TERMS, RankingModel, load_ranking


def term_shape(ax: Axes, name: str, ranking: RankingModel | None = None) -> Axes:
    """Draw what a term adds to the log odds of the score, against its main quantity.

    A fixed term is drawn for typical values of its other quantities, which the title gives. A
    learned term depends on all inputs of the trees, so it is drawn for each of the probe rows in
    the card of the ranking (thin lines), with their mean (thick line).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    name : str
        One of `ztfml.ranking.TERMS`.
    ranking : RankingModel, optional
        Default: the ranking that ships with ztfml.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> term_shape(figure()[1][0], "young").get_xlabel()
    'days since the first detection at this position'
    """
    term, ranking = TERMS[name], ranking or load_ranking()
    x = np.linspace(*term.x_range, 400)
    if term.function is None:
        curves = _learned_curves(ranking, name, x)
        ax.plot(x, curves.T, color=REMOVED, linewidth=0.6, alpha=0.7)
        y = curves.mean(axis=0)
    else:
        y = ranking.weights.get(name, 0.0) * _fixed_values(ranking, term, x)
    ax.plot(x, y, color=KEPT, linewidth=2.0)
    constants = ", ".join(f"{other} {value:g}" for other, value in term.others.items()
                     if not np.isnan(value))  # fmt: skip
    ax.set_xlim(*term.x_range)
    ax.grid(alpha=0.25)
    ax.set_xlabel(term.label)
    ax.set_ylabel("Adds to the log odds")
    ax.set_title(name + (f"   ({constants})" if constants else ""), fontsize=10)
    return ax


def _fixed_values(ranking, term, x):
    inputs = {"instrument": ranking.instrument, term.x: x}
    inputs |= {other: np.full(len(x), value) for other, value in term.others.items()}
    parameters = inspect.signature(term.function).parameters
    with np.errstate(divide="ignore"):
        return term.function(*(inputs[one] for one in parameters))


def _learned_curves(ranking, name, x):
    """One row for each probe row, with the main quantity replaced by each of `x`."""
    probes = np.array(ranking.card["probes"]["values"], float)
    rows = np.repeat(probes, len(x), axis=0)
    rows[:, ranking.trees.inputs.index(TERMS[name].x)] = np.tile(x, len(probes))
    adds = ranking.weights["trees"] * ranking.trees.terms(rows)[name]
    return adds.reshape(len(probes), len(x))


def contributions(ax: Axes, terms: pd.DataFrame, row: pd.Series) -> Axes:
    """Draw what each term adds to the log odds of the score of one object.

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
    draw_bars(ax, terms["term"], terms["adds"])
    ax.set_xlabel(f"Adds to the log odds of the score (sum {row['log_odds']:.2f})")
    ax.set_title(
        fill(f"Score {row['score']:.3f}, rank {row['rank']}: {row['reasons']}", 110), fontsize=10,
        parse_math=False,
    )  # fmt: skip
    return ax


def draw_bars(ax: Axes, names: pd.Series, adds: pd.Series, fontsize: str = "small") -> None:
    """Draw one horizontal bar for each term, from top to bottom, with its value.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : pandas.Series of str
    adds : pandas.Series of float
        What each term adds to the log odds.
    fontsize : str

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure()
    >>> draw_bars(ax, pd.Series(["base", "fading"]), pd.Series([-8.0, 2.5]))
    >>> [float(bar.get_width()) for bar in ax.containers[0]]
    [-8.0, 2.5]
    """
    values = np.asarray(adds, float)
    place = np.arange(len(values))
    ax.barh(place, values, color=np.where(values < 0, REMOVED, KEPT), height=0.7)
    for k, value in enumerate(values):
        ax.text(max(value, 0.0), k, f" {value:+.2f}".replace("-", "−"), va="center",
                fontsize=fontsize)  # fmt: skip
    ax.axvline(0.0, color="#888888", linewidth=0.8)
    ax.set_yticks(place, [str(name).replace("_", " ") for name in names], fontsize=fontsize)
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.spines[["top", "right"]].set_visible(False)
