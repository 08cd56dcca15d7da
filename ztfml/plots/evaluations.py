"""How good a model is, drawn from an evaluation."""

import numpy as np

from ztfml.plots.style import CLASS_STYLES, INK, KEPT


def confusion(ax, metrics):
    """Draw the confusion matrix, its rows shaded by fraction and marked with counts.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    metrics : dict
        As of `ztfml.evaluation.metrics.metrics`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> confusion(figure()[1][0], metrics)   # doctest: +SKIP
    """
    labels, counts = metrics["labels"], np.array(metrics["confusion"])
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        if counts[row].sum():
            ink = "white" if share[row, column] > 0.5 else INK
            text = f"{share[row, column]:.0%}\n{count:,}" if count else "0"
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


def reliability(ax, metrics):
    """Draw how often predictions were right against how sure they were.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    metrics : dict
        As of `ztfml.evaluation.metrics.metrics`, from probabilities.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> reliability(figure()[1][0], metrics)   # doctest: +SKIP
    """
    curve = metrics["reliability"]
    right, n = np.array(curve["fraction_right"]), np.array(curve["n"])
    low, high = _wilson(right, n)
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
    ax.set_ylabel("Fraction right")
    ax.set_title(
        f"Calibration error {metrics['calibration_error']:.3f} "
        f"({metrics['calibration_noise']:.3f} by chance)"
    )
    ax.legend(loc="upper left", frameon=False)
    return ax


def _wilson(fraction, n, z=1.645):
    """The interval of a fraction that holds nine of ten (Wilson 1927)."""
    centre = (fraction + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(fraction * (1 - fraction) / n + z**2 / (4 * n**2))
    # At fractions 0 and 1 an end may miss the fraction itself by a rounding.
    return np.minimum(centre - half, fraction), np.maximum(centre + half, fraction)


def precision_recall(ax, found):
    """Draw precision against recall of each class as its threshold falls.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.evaluation.slices.assess`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> precision_recall(figure()[1][0], found)   # doctest: +SKIP
    """
    for label, curves in found["curves"].items():
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
        now = found["per_class"][label]
        ax.plot(now["recall"], now["precision"], style["marker"], color=style["color"],
                markersize=8, markeredgecolor="white")  # fmt: skip
    ax.plot([], [], "o", color="white", markeredgecolor=INK, label="the label that is given")
    ax.set_xlim(-0.01, 1.02)
    ax.set_ylim(-0.01, 1.02)
    ax.grid(alpha=0.25)
    ax.set_xlabel("Recall")
    ax.set_ylabel("Precision")
    ax.legend(loc="lower left", frameon=False, title="Class, average precision", handlelength=3.5,
              alignment="left")  # fmt: skip
    return ax


def scores_by_magnitude(ax, found):
    """Draw the F1 of each class by the alert's magnitude, with intervals.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    found : dict
        As of `ztfml.evaluation.slices.assess`.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> scores_by_magnitude(figure()[1][0], found)   # doctest: +SKIP
    """
    parts = found["slices"]["magnitude"]
    for k, label in enumerate(found["labels"]):
        # Side by side, so that no symbol hides another.
        place = np.arange(len(parts)) + 0.1 * (k - 2)
        f1 = np.array([part["per_class"][label]["f1"] for part in parts.values()], float)
        ends = np.array([part["intervals"]["f1"][label] for part in parts.values()], float)
        if np.isnan(f1).all():
            continue
        # A class of few objects may lie outside of nine of ten of its draws.
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
