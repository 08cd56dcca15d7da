"""Figures of the performance of a classifier."""

import numpy as np
from matplotlib.axes import Axes

from ztfml.plots.style import CLASS_STYLES, INK, KEPT


def confusion(ax: Axes, metrics: dict) -> Axes:
    """Draw the confusion matrix with row fractions and counts.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    metrics : dict
        Result of `ztfml.evaluation.metrics.metrics`.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> from ztfml.training.evaluate import evaluate
    >>> metrics = evaluate(night, "night_labels.csv", model)
    >>> fig, (ax,) = figure()
    >>> confusion(ax, metrics).get_xlabel()
    'Predicted'
    """
    labels, counts = metrics["labels"], np.array(metrics["confusion"])
    fraction = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(fraction, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        if counts[row].sum():
            ink = "white" if fraction[row, column] > 0.5 else INK
            text = f"{fraction[row, column]:.0%}\n{count:,}" if count else "0"
            ax.text(column, row, text, ha="center", va="center", color=ink)
    ax.set_xticks(range(len(labels)), labels)
    ax.set_yticks(range(len(labels)), labels)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_xlabel("Predicted")
    ax.set_ylabel("Label")
    low, high = metrics["intervals"]["macro_f1"]
    ax.set_title(f"Macro-F1 {metrics['macro_f1']:.2f} ({low:.2f} to {high:.2f})")
    return ax


def reliability(ax: Axes, metrics: dict) -> Axes:
    """Draw the fraction of correct predictions against their probability.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    metrics : dict
        Result of `ztfml.evaluation.metrics.metrics` for probabilities.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> from ztfml.training.evaluate import evaluate
    >>> metrics = evaluate(night, "night_labels.csv", model)
    >>> fig, (ax,) = figure()
    >>> reliability(ax, metrics).get_ylabel()
    'Fraction correct'
    """
    # Imported here because it takes 0.3 s, and the page of a night needs other figures only.
    from astropy.stats import binom_conf_interval

    curve = metrics["reliability"]
    right, n = np.array(curve["fraction_right"]), np.array(curve["n"])
    low, high = binom_conf_interval(np.round(right * n), n, confidence_level=0.9, interval="wilson")
    # At fractions of 0 and 1, rounding may put the fraction outside its interval.
    low, high = np.minimum(low, right), np.maximum(high, right)
    ax.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle=":", label="perfectly calibrated")
    ax.errorbar(
        curve["confidence"],
        right,
        yerr=[right - low, high - right],
        fmt="o",
        color=KEPT,
        markersize=6,
        elinewidth=1.0,
        label=f"{n.min():,} to {n.max():,} alerts each",
    )
    begin = max(0.0, min(*low, *curve["confidence"]) - 0.05)
    ax.set_xlim(begin, 1.01)
    ax.set_ylim(begin, 1.01)
    ax.grid(alpha=0.25)
    ax.set_xlabel("Probability of the predicted class")
    ax.set_ylabel("Fraction correct")
    ax.set_title(
        f"Calibration error {metrics['calibration_error']:.3f} "
        f"({metrics['calibration_noise']:.3f} by chance)"
    )
    ax.legend(loc="upper left", frameon=False)
    return ax


def precision_recall(ax: Axes, metrics: dict) -> Axes:
    """Draw the precision-recall curve of each class.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    metrics : dict
        Result of `ztfml.evaluation.slices.assess`.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> from ztfml.training.evaluate import evaluate
    >>> metrics = evaluate(night, "night_labels.csv", model)
    >>> fig, (ax,) = figure()
    >>> precision_recall(ax, metrics).get_xlabel()
    'Recall'
    """
    for label, curves in metrics["curves"].items():
        if curves is None:
            continue
        style, curve = CLASS_STYLES[label], curves["precision_recall"]
        ax.plot(
            curve["recall"],
            curve["precision"],
            color=style["color"],
            linestyle=style["linestyle"],
            linewidth=2.0,
            label=f"{label}, {curve['average_precision']:.3f}",
        )
        point = metrics["per_class"][label]
        ax.plot(point["recall"], point["precision"], style["marker"], color=style["color"],
                markersize=8, markeredgecolor="white")  # fmt: skip
    ax.plot([], [], "o", color="white", markeredgecolor=INK, label="predicted label")
    ax.set_xlim(-0.01, 1.02)
    ax.set_ylim(-0.01, 1.02)
    ax.grid(alpha=0.25)
    ax.set_xlabel("Recall")
    ax.set_ylabel("Precision")
    ax.legend(loc="lower left", frameon=False, title="Class, average precision", handlelength=3.5,
              alignment="left")  # fmt: skip
    return ax


def scores_by_magnitude(ax: Axes, metrics: dict) -> Axes:
    """Draw the F1 score of each class against the magnitude of the alert, with intervals.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    metrics : dict
        Result of `ztfml.evaluation.slices.assess`.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> from ztfml.training.evaluate import evaluate
    >>> metrics = evaluate(night, "night_labels.csv", model)
    >>> fig, (ax,) = figure()
    >>> scores_by_magnitude(ax, metrics).get_ylabel()
    'F1'
    """
    parts = metrics["slices"]["magnitude"]
    for k, label in enumerate(metrics["labels"]):
        # Shifted sideways, so that symbols do not overlap.
        place = np.arange(len(parts)) + 0.1 * (k - 2)
        f1 = np.array([part["per_class"][label]["f1"] for part in parts.values()], float)
        ends = np.array([part["intervals"]["f1"][label] for part in parts.values()], float)
        if np.isnan(f1).all():
            continue
        # The score of a class with few objects may lie outside its bootstrap interval.
        err = np.clip([f1 - ends[:, 0], ends[:, 1] - f1], 0.0, None)
        ax.errorbar(place, f1, yerr=err, label=label, **CLASS_STYLES[label], linewidth=1.2,
                    markersize=6, elinewidth=1.0)  # fmt: skip
    names = [f"{name}\n({part['n']:,})" for name, part in parts.items()]
    ax.set_xticks(range(len(parts)), names)
    ax.set_ylim(-0.02, 1.05)
    ax.grid(alpha=0.25, axis="y")
    ax.set_xlabel("Magnitude of the alert (number of alerts)")
    ax.set_ylabel("F1")
    ax.legend(loc="lower left", frameon=False, ncols=3, handlelength=3.5)
    return ax
