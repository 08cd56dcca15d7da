"""Figures of feature importance: for a model, and for one alert."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ztfml.features import FEATURES
from ztfml.plots.style import CLASS_STYLES, INK, REMOVED
from ztfml.taxonomy import LABELS

# Tol's muted scheme (Tol 2021, SRON/EPS/TN/09-002): distinct for colour-blind readers.
_GROUP_COLOURS = (
    "#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255",
    "#AA4499", "#777777",
)  # fmt: skip
_OTHER = "#BBBBBB"
_FOR, _AGAINST = "#0072B2", "#D55E00"
_SHAP = "Mean absolute contribution (TreeSHAP, log-odds)"


def group_importance(ax: Axes, shap: dict) -> Axes:
    """Draw the mean contribution of each feature group to the score of each class.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    shap : dict
        Result of `ztfml.model.shap.tree_shap`; a model card has it as ``importance``.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure()
    >>> group_importance(ax, model.card["importance"]).get_ylabel()
    'Feature group'
    """
    groups = shap["groups"]
    left = np.zeros(len(groups))
    for label in LABELS:
        size = np.array([group.get(label, 0.0) for group in groups])
        ax.barh(range(len(groups)), size, left=left, color=CLASS_STYLES[label]["color"],
                edgecolor="white", label=label)  # fmt: skip
        left += size
    ax.set_yticks(range(len(groups)), [group["name"] for group in groups])
    _format_axes(ax, _SHAP)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5, frameon=False)
    ax.set_ylabel("Feature group")
    return ax


def feature_importance(ax: Axes, shap: dict, label: str | None = None, n: int = 20) -> Axes:
    """Draw the features with the largest contributions, by group, with units.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    shap : dict
        Result of `ztfml.model.shap.tree_shap`.
    label : str, optional
        The class; by default the sum over all classes.
    n : int, default 20
        Number of features.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure()
    >>> ax = feature_importance(ax, model.card["importance"], "agn", n=5)
    >>> len(ax.get_yticklabels())
    5
    """
    classes = [label] if label else LABELS
    declared = {feature.name: feature for feature in FEATURES}
    sizes = {one["name"]: sum(one.get(k, 0.0) for k in classes) for one in shap["features"]}
    most = sorted(sizes, key=sizes.__getitem__, reverse=True)[:n]
    groups = list(dict.fromkeys(declared[name].group for name in most))
    most.sort(key=lambda name: groups.index(declared[name].group))
    colours = _colours()
    ax.barh(
        range(len(most)),
        [sizes[name] for name in most],
        color=[colours[declared[name].group] for name in most],
    )
    ax.set_yticks(range(len(most)), [_with_unit(name) for name in most])
    _format_axes(ax, _SHAP + (f" to {label}" if label else ", all classes"))
    ax.legend(
        handles=[Patch(color=colours[group], label=group) for group in groups],
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=4,
        frameon=False,
    )
    return ax


def permutation_losses(ax: Axes, found: dict, label: str | None = None) -> Axes:
    """Draw the loss if the features of each group are exchanged between objects.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        Result of `ztfml.model.permutation.permutation_importance`.
    label : str, optional
        Draw the loss of recall of this class; by default the loss of macro-F1, with its range.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.model.permutation import permutation_importance
    >>> from ztfml.plots import figure
    >>> labels, objects = pd.read_csv("night_labels.csv")["label"], night.alerts["objectId"]
    >>> groups = {feature["name"]: feature["group"] for feature in model.card["features"]}
    >>> found = permutation_importance(model.classifier, table, labels, objects, groups, 1)
    >>> fig, (ax,) = figure()
    >>> permutation_losses(ax, found).get_ylabel()
    'Exchanged group'
    """
    groups, colours = found["groups"], _colours()
    loss = [group["recall"][label] if label else group["macro_f1"] for group in groups]
    place = range(len(groups))
    fill = [colours.get(group["name"], _OTHER) for group in groups]
    ax.barh(place, loss, color=fill)
    if label is None:
        low, high = np.array([group["range"] for group in groups]).T
        ax.errorbar(loss, place, xerr=[loss - low, high - loss], fmt="none", color=INK)
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.set_yticks(place, [group["name"] for group in groups])
    before = found["recall"][label] if label else found["macro_f1"]
    what = f"recall of {label}" if label else "macro-F1"
    _format_axes(ax, f"Loss of {what} ({before:.2f} with all features)")
    ax.set_ylabel("Exchanged group")
    return ax


def feature_contributions(ax: Axes, shap: dict, n: int = 12) -> Axes:
    """Draw the contributions of the features to the score of one class for one alert.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    shap : dict
        Result of `ztfml.model.shap.contributions`.
    n : int, default 12
        Number of features with a bar of their own; the others share one bar.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.model.shap import contributions
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure()
    >>> shap = contributions(model.classifier, table.iloc[0], "transient")
    >>> ax = feature_contributions(ax, shap, n=5)
    >>> len(ax.get_yticklabels())
    6
    """
    shown, rest = shap["features"][:n], shap["features"][n:]
    names = [_with_unit(one["name"], one["value"]) for one in shown]
    size = [one["shap"] for one in shown]
    if rest:
        names.append(f"{len(rest)} other features")
        size.append(sum(one["shap"] for one in rest))
    end = shap["base"] + np.cumsum(size)
    begin = end - size
    colours = np.where(np.array(size) >= 0, _FOR, _AGAINST)
    ax.barh(range(len(size)), size, left=begin, color=colours)
    ax.vlines(end[:-1], np.arange(len(end) - 1) - 0.4, np.arange(1, len(end)) + 0.4,
              color=REMOVED, linewidth=0.8, zorder=0)  # fmt: skip
    low, high = min(end.min(), shap["base"]), max(end.max(), shap["base"])
    reach = max(high - low, 1e-3)
    for k, value in enumerate(size):
        side, align = (0.01, "left") if value >= 0 else (-0.01, "right")
        number = f"{value:+.2f}".replace("-", "−")
        ax.text(end[k] + side * reach, k, number, va="center", ha=align, fontsize="small")
    ax.axvline(shap["base"], color=INK, linewidth=0.9, linestyle=":")
    ax.axvline(shap["score"], color=INK, linewidth=0.9, linestyle="--")
    ax.set_yticks(range(len(size)), names)
    ax.set_xlim(low - 0.12 * reach, high + 0.12 * reach)
    _format_axes(ax, f"Score of {shap['label']} (log-odds); dotted: mean, dashed: this alert")
    ax.set_title(f"{shap['label']}: {shap['base']:+.2f} → {shap['score']:+.2f}".replace("-", "−"))
    return ax


def _format_axes(ax, label):
    ax.invert_yaxis()
    ax.set_xlabel(label)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _colours():
    """Assign a colour to each feature group, in the order of declaration."""
    groups = dict.fromkeys(feature.group for feature in FEATURES)
    return dict(zip(groups, _GROUP_COLOURS, strict=True))


def _with_unit(name, value=None):
    unit = next(feature.unit for feature in FEATURES if feature.name == name)
    if value is None:
        return f"{name} ({unit})" if unit else name
    if np.isnan(value):
        return f"{name} missing"
    return f"{name} = {value:.3g} {unit}".rstrip().replace("-", "−")
