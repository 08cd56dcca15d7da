"""Metrics as text, for the terminal and for Markdown."""

import pandas as pd

from ztfml.io.text_tables import markdown_table

_SLICES = {
    "labels": "label",
    "magnitude": "mag",
    "detections": "detections",
    "history": "",
}


def metrics_table(metrics: dict) -> str:
    """Write metrics as a summary line, a table by class and a confusion matrix.

    If the metrics were computed from probabilities, a table of their reliability follows.

    Parameters
    ----------
    metrics : dict
        As from `ztfml.evaluation.metrics.metrics`.

    Returns
    -------
    str

    Examples
    --------
    >>> metrics_table(model.card["metrics"][0]).splitlines()[0][:28]
    'macro-F1 0.96 (0.95 to 0.97)'
    """
    return "\n".join([headline(metrics), "", *_tables(metrics)])


def per_class(metrics: dict) -> pd.DataFrame:
    """Return the precision, recall, F1 and number of alerts of each class.

    Parameters
    ----------
    metrics : dict
        As from `ztfml.evaluation.metrics.metrics`.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> per_class(model.card["metrics"][0])["label"].tolist()
    ['artifact', 'sso', 'star', 'agn', 'transient']
    """
    names = ("precision", "recall", "f1", "support")
    rows = [
        {"label": label} | {name: values[name] for name in names}
        for label, values in metrics["per_class"].items()
    ]
    return pd.DataFrame(rows)


def _tables(metrics):
    lines = [*_class_rows(metrics), "", *_confusion_rows(metrics)]
    if metrics.get("reliability"):
        lines += ["", *_reliability_rows(metrics["reliability"])]
    return lines


def evaluation_report(found: dict) -> str:
    """Write the evaluation of a night as text: the most reliable metrics first, then all tables.

    Parameters
    ----------
    found : dict
        As from `ztfml.training.evaluate.evaluate`.

    Returns
    -------
    str

    Examples
    --------
    >>> from ztfml.training.evaluate import evaluate
    >>> report = evaluation_report(evaluate(night, "night_labels.csv", model))
    >>> report.splitlines()[0]
    'Objects not used in training, labels independent of the features:'
    """
    lines = [*_honest_first(found), "", *_tables(found), "", *_slice_rows(found["slices"])]
    return "\n".join(lines)


def _honest_first(found):
    objects = "Objects not used in training" if found["honest"] else "TOO GOOD, training objects"
    by_label = found["slices"]["labels"]
    if "not circular" in by_label:
        yield f"{objects}, labels independent of the features:"
        yield headline(by_label["not circular"])
    else:
        yield f"{objects}; no label is independent of the features"
    if "circular" in by_label:
        yield "Including circular labels (derived from a feature):"
        yield headline(found)
    if found["honest"] and found["trained_on"]["n"]:
        yield f"Left out: {found['trained_on']['n']:,} labelled alerts of training objects."
    if found["n_simulated"]:
        yield f"{found['n_simulated']:,} alerts are simulated; results for real alerts differ."


def _slice_rows(slices):
    """A row for each subset of the night."""
    parts = [
        (f"{_SLICES[kind]} {name}".strip(), metrics)
        for kind, of_kind in slices.items()
        for name, metrics in of_kind.items()
    ]
    labels = parts[0][1]["labels"]
    rows = [["part", "alerts", "accuracy", "macro-F1", *(f"F1 {label}" for label in labels)]]
    for name, metrics in parts:
        of_class = metrics["per_class"].values()
        rows.append(
            [
                name,
                f"{metrics['n']:,}",
                _figure(metrics["accuracy"]),
                _figure(metrics["macro_f1"], metrics["intervals"]["macro_f1"]),
                *(_figure(one["f1"]) for one in of_class),
            ]
        )
    return markdown_table(rows)


def _reliability_rows(curve):
    """One column per bin: mean probability, fraction right, number of alerts."""
    columns = [
        [f"{confidence:.2f}", f"{right:.2f}", f"{n:,}"]
        for confidence, right, n in zip(*(curve[name] for name in curve), strict=True)
    ]
    names = ["mean probability", "fraction right", "alerts"]
    return markdown_table([list(row) for row in zip(names, *columns, strict=True)])


def headline(metrics: dict) -> str:
    """Write metrics in one line: macro-F1, accuracy, calibration error, number of alerts.

    Parameters
    ----------
    metrics : dict
        As from `ztfml.evaluation.metrics.metrics`.

    Returns
    -------
    str

    Examples
    --------
    >>> headline({"macro_f1": 0.5, "accuracy": 0.75, "n": 4})
    'macro-F1 0.50, accuracy 0.75, on 4 labelled alerts'
    """
    intervals = metrics.get("intervals", {})
    figures = [
        f"macro-F1 {_figure(metrics['macro_f1'], intervals.get('macro_f1'))}",
        f"accuracy {_figure(metrics['accuracy'], intervals.get('accuracy'))}",
    ]
    if metrics.get("calibration_error") is not None:
        noise = metrics.get("calibration_noise")
        of_chance = "" if noise is None else f" ({noise:.3f} by chance)"
        figures.append(f"calibration error {metrics['calibration_error']:.3f}{of_chance}")
    of = f" of {metrics['n_objects']:,} objects" if "n_objects" in metrics else ""
    return f"{', '.join(figures)}, on {metrics['n']:,} labelled alerts{of}"


def _class_rows(metrics):
    intervals = metrics.get("intervals", {})
    curves = metrics.get("curves")
    names = ("recall", "precision", "f1")
    rows = [["class", "alerts", "recall", "precision", "F1", *["AUC", "AP"] * bool(curves)]]
    for label, one in metrics["per_class"].items():
        figures = [_figure(one[name], intervals.get(name, {}).get(label)) for name in names]
        areas = _areas(curves[label]) if curves else []
        rows.append([label, f"{one['support']:,}", *figures, *areas])
    return markdown_table(rows)


def _areas(curves):
    """The areas under the ROC and the precision-recall curve."""
    if curves is None:
        return ["-", "-"]
    areas = curves["roc"]["auc"], curves["precision_recall"]["average_precision"]
    return [f"{area:.3f}" for area in areas]


def _confusion_rows(metrics):
    labels = metrics["labels"]
    rows = [["label \\ prediction", *labels]]
    for label, counts in zip(labels, metrics["confusion"], strict=True):
        rows.append([label, *(f"{count:,}" for count in counts)])
    return markdown_table(rows)


def _figure(value, interval=None):
    if value is None:
        return "-"
    if not interval or None in interval:
        return f"{value:.2f}"
    return f"{value:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"
