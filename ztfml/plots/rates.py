"""How fast the sources of a night rise and fade."""

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import NullLocator

from ztfml.astrophysics import FAST_RATE
from ztfml.plots.style import CLASS_STYLES, INK
from ztfml.taxonomy import LABELS

# Below it rates are drawn evenly, above by their logarithm.
_EVEN_RATE = 0.1
_TICKS = (-1.0, -0.3, 0.0, 0.3, 1.0, 3.0)
_FAST = "#FBE3C0"
# So few have error bars.
_FEW = 50


def rise_fade(ax, table, labels=None):
    """Draw rise against fade rate, and where a source is fast.

    Sources of which only one rate is known stand in a strip beside the axes' low ends.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : pandas.DataFrame
        Features, one row an alert: ``best_rise_rate``, ``best_fade_rate`` (mag/day) and
        their errors.
    labels : sequence of str, optional
        The class of each row, as of `ztfml.taxonomy.LABELS`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> rise_fade(figure()[1][0], features.compute(night))   # doctest: +SKIP
    """
    fade, rise = (table[f"best_{way}_rate"].to_numpy() for way in ("fade", "rise"))
    errors = [table[f"best_{way}_rate_err"].to_numpy() for way in ("fade", "rise")]
    known = ~(np.isnan(fade) & np.isnan(rise))
    rates = np.concatenate([fade, rise])
    low = np.nanmin(rates, initial=-_EVEN_RATE)
    high = np.nanmax(rates, initial=1.0)
    strip, edge, top = _beyond(low, -0.5), _beyond(low, -1.0), _beyond(high, 0.5)
    fade, rise = (np.where(np.isnan(rate), strip, rate) for rate in (fade, rise))

    ax.fill_between([FAST_RATE, top], edge, top, color=_FAST, linewidth=0, zorder=0)
    ax.fill_between([edge, FAST_RATE], FAST_RATE, top, color=_FAST, linewidth=0, zorder=0)
    colours = labels is not None
    of_row = np.asarray(labels) if colours else np.full(len(table), "")
    for label in LABELS if colours else ("",):
        own = known & (of_row == label)
        if not own.any():
            continue
        style = CLASS_STYLES[label] if colours else {"color": INK, "marker": "o"}
        few = own.sum() < _FEW
        ax.errorbar(
            fade[own],
            rise[own],
            xerr=_shown(errors[0], fade, strip)[own] if few else None,
            yerr=_shown(errors[1], rise, strip)[own] if few else None,
            fmt=style["marker"],
            color=style["color"],
            markersize=5 if few else 2.5,
            markeredgewidth=0,
            elinewidth=0.6,
            alpha=0.9 if few else 0.4,
            zorder=3 if few else 2,
            label=f"{label or 'alerts'} ({own.sum():,})",
        )
    for draw in (ax.axvline, ax.axhline):
        draw(FAST_RATE, color=INK, linewidth=0.9, linestyle="--")
        draw(0.0, color=INK, linewidth=0.5)
    for axis in ("x", "y"):
        getattr(ax, f"set_{axis}scale")("asinh", linear_width=_EVEN_RATE)
        getattr(ax, f"set_{axis}lim")(edge, top)
        ticks = [tick for tick in _TICKS if low <= tick <= top]
        names = [f"{tick:g}".replace("-", "−") for tick in ticks]
        getattr(ax, f"set_{axis}ticks")([strip, *ticks], ["not\nknown", *names])
        getattr(ax, f"{axis}axis").set_minor_locator(NullLocator())
    ax.set_xlabel("Fade rate (mag/day)")
    ax.set_ylabel("Rise rate (mag/day)")
    handles, names = ax.get_legend_handles_labels()
    fast = Patch(color=_FAST, label=f"faster than {FAST_RATE:g} mag/day")
    ax.legend(
        [*handles, fast], [*names, fast.get_label()], loc="upper left", bbox_to_anchor=(1.01, 1.0),
        frameon=False, borderaxespad=0.0,
    )  # fmt: skip
    return ax


def _beyond(rate, step):
    """A step further than a rate, by the scale of the axes."""
    return _EVEN_RATE * np.sinh(np.arcsinh(rate / _EVEN_RATE) + step)


def _shown(err, rate, strip):
    """Errors of known rates only."""
    return np.where(np.isnan(err) | (rate == strip), 0.0, err)
