"""What a model looks at: in general, and in one alert."""

import numpy as np
from matplotlib.patches import Patch

from ztfml.features import FEATURES
from ztfml.plots.style import CLASS_STYLES, CUT_AWAY, INK
from ztfml.taxonomy import LABELS

# Tol's muted scheme (Tol 2021, SRON/EPS/TN/09-002): distinct for colour-blind readers.
_GROUP_COLOURS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255",
)  # fmt: skip
_TOWARDS, _AWAY = "#0072B2", "#D55E00"
_SHAP = "Mean size of the contribution (TreeSHAP, log-odds)"


def group_importance(ax, found):
    """Draw how far each group of features moves the score of each class.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.model.shap.tree_shap`; a model's card holds one as ``importance``.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> group_importance(figure()[1][0], model.card["importance"])   # doctest: +SKIP
    """
    groups = found["groups"]
    left = np.zeros(len(groups))
    for label in LABELS:
        size = np.array([group.get(label, 0.0) for group in groups])
        ax.barh(range(len(groups)), size, left=left, color=CLASS_STYLES[label]["color"],
                edgecolor="white", label=label)  # fmt: skip
        left += size
    ax.set_yticks(range(len(groups)), [group["name"] for group in groups])
    _finish(ax, _SHAP)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5, frameon=False)
    ax.set_ylabel("Group of features")
    return ax


def feature_importance(ax, found, label=None, n=20):
    """Draw the features that move the scores most, group by group, with their units.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.model.shap.tree_shap`.
    label : str, optional
        Of which class; by default the sum of all.
    n : int, default 20
        How many features.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> feature_importance(figure()[1][0], card["importance"], "agn")   # doctest: +SKIP
    """
    classes = [label] if label else LABELS
    declared = {feature.name: feature for feature in FEATURES}
    sizes = {one["name"]: sum(one.get(k, 0.0) for k in classes) for one in found["features"]}
    most = sorted(sizes, key=sizes.get, reverse=True)[:n]
    groups = list(dict.fromkeys(declared[name].group for name in most))
    most.sort(key=lambda name: groups.index(declared[name].group))
    colours = _colours()
    ax.barh(
        range(len(most)),
        [sizes[name] for name in most],
        color=[colours[declared[name].group] for name in most],
    )
    ax.set_yticks(range(len(most)), [_with_unit(name) for name in most])
    _finish(ax, _SHAP + (f" to {label}" if label else ", all classes"))
    ax.legend(
        handles=[Patch(color=colours[group], label=group) for group in groups],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=4,
        frameon=False,
    )
    return ax


def feature_contributions(ax, found, n=12):
    """Draw what speaks for and against a class in one alert.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.model.shap.contributions`.
    n : int, default 12
        How many features stand alone; the rest are one bar.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> feature_contributions(figure()[1][0], found)   # doctest: +SKIP
    """
    shown, rest = found["features"][:n], found["features"][n:]
    names = [_with_unit(one["name"], one["value"]) for one in shown]
    size = [one["shap"] for one in shown]
    if rest:
        names.append(f"{len(rest)} other features")
        size.append(sum(one["shap"] for one in rest))
    end = found["base"] + np.cumsum(size)
    begin = end - size
    colours = np.where(np.array(size) >= 0, _TOWARDS, _AWAY)
    ax.barh(range(len(size)), size, left=begin, color=colours)
    ax.vlines(end[:-1], np.arange(len(end) - 1) - 0.4, np.arange(1, len(end)) + 0.4,
              color=CUT_AWAY, linewidth=0.8, zorder=0)  # fmt: skip
    low, high = min(end.min(), found["base"]), max(end.max(), found["base"])
    reach = max(high - low, 1e-3)
    for k, value in enumerate(size):
        side, align = (0.01, "left") if value >= 0 else (-0.01, "right")
        number = f"{value:+.2f}".replace("-", "−")
        ax.text(end[k] + side * reach, k, number, va="center", ha=align, fontsize="small")
    ax.axvline(found["base"], color=INK, linewidth=0.9, linestyle=":")
    ax.axvline(found["score"], color=INK, linewidth=0.9, linestyle="--")
    ax.set_yticks(range(len(size)), names)
    ax.set_xlim(low - 0.12 * reach, high + 0.12 * reach)
    _finish(ax, f"Score of {found['label']} (log-odds), from the mean ⋯ to this alert - -")
    ax.set_title(
        f"{found['label']}: {found['base']:+.2f} → {found['score']:+.2f}".replace("-", "−")
    )
    return ax


def _finish(ax, label):
    ax.invert_yaxis()
    ax.set_xlabel(label)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _colours():
    """One colour for each group, in the order in which they are declared."""
    groups = dict.fromkeys(feature.group for feature in FEATURES)
    return dict(zip(groups, _GROUP_COLOURS, strict=False))


def _with_unit(name, value=None):
    unit = next(feature.unit for feature in FEATURES if feature.name == name)
    if value is None:
        return f"{name} ({unit})" if unit else name
    if np.isnan(value):
        return f"{name} missing"
    return f"{name} = {value:.3g} {unit}".rstrip().replace("-", "−")
