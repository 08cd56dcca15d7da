"""A metrics dictionary as text for people; readable in a terminal and as Markdown."""


def metrics_table(metrics):
    """Write a metrics dictionary as two lines of figures, a table by class and the confusion.

    Parameters
    ----------
    metrics : dict
        As of `ztfml.evaluation.metrics`.

    Returns
    -------
    str

    Examples
    --------
    >>> print(metrics_table(metrics))   # doctest: +SKIP
    macro-F1 0.78 (0.74 to 0.81), accuracy 0.91 (0.90 to 0.92)
    """
    lines = [headline(metrics), "", *_class_rows(metrics), "", *_confusion_rows(metrics)]
    return "\n".join(lines)


def headline(metrics):
    """Say a metrics dictionary in one line: macro-F1, accuracy, calibration, on how many.

    Parameters
    ----------
    metrics : dict
        As of `ztfml.evaluation.metrics`.

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
        figures.append(f"calibration error {metrics['calibration_error']:.3f}")
    of = f" of {metrics['n_objects']:,} objects" if "n_objects" in metrics else ""
    return f"{', '.join(figures)}, on {metrics['n']:,} labelled alerts{of}"


def _class_rows(metrics):
    recalls = metrics.get("intervals", {}).get("recall", {})
    rows = [["class", "alerts", "recall", "precision", "F1"]]
    for label, one in metrics["per_class"].items():
        rows.append(
            [
                label,
                f"{one['support']:,}",
                _figure(one["recall"], recalls.get(label)),
                _figure(one["precision"]),
                _figure(one["f1"]),
            ]
        )
    return table_rows(rows)


def _confusion_rows(metrics):
    labels = metrics["labels"]
    rows = [["label \\ prediction", *labels]]
    for label, counts in zip(labels, metrics["confusion"], strict=True):
        rows.append([label, *(f"{count:,}" for count in counts)])
    return table_rows(rows)


def _figure(value, interval=None):
    if value is None:
        return "-"
    if not interval or None in interval:
        return f"{value:.2f}"
    return f"{value:.2f} ({interval[0]:.2f} to {interval[1]:.2f})"


def table_rows(rows):
    """Align rows of text as a Markdown table; the first is the head.

    Parameters
    ----------
    rows : list of list of str

    Returns
    -------
    list of str

    Examples
    --------
    >>> table_rows([["class", "alerts"], ["agn", "61"]])
    ['| class | alerts |', '| :---- | -----: |', '| agn   |     61 |']
    """
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, f"| {' | '.join(rule)} |")
    return lines
