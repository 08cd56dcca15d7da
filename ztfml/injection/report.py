"""The result of injection and recovery as text, readable in a terminal and as Markdown."""

from ztfml.io.text_tables import markdown_table

_TOP = "12"
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def recovery_report(found: dict) -> str:
    """Write the recalls as tables: the main selections first, then subsets.

    Parameters
    ----------
    found : dict
        From `recovery.measure_recall` or `recovery.recover`.

    Returns
    -------
    str

    Examples
    --------
    >>> from ztfml.injection.recovery import recover
    >>> text = recovery_report(recover(night, model, repeats=2))
    >>> text.splitlines()[1]
    'Recall in the first 12, 25, 50 rows (in brackets: 90 % interval for the first 12).'
    """
    n_events = len(found["events"])
    lines = [
        f"{n_events} fast transients, {found['per_night']} per night, among the "
        f"{found['n_objects']:,} objects of {found['night']} (seed {found['seed']}"
        f"{_excluded(found['n_excluded'])}).",
        "Recall in the first 12, 25, 50 rows (in brackets: 90 % interval for the first 12).",
        "",
    ]
    methods = list(next(iter(found["recall"]["cells"].values()))["recall"])
    rows = [_row(name, part) for name, part in found["recall"]["cells"].items()]
    lines += markdown_table([["", "events", *methods], *rows])
    for title, parts in found["recall"].items():
        if title == "cells":
            continue
        rows = [_row(name, part) for name, part in parts.items()]
        lines += ["", *markdown_table([[title, "events", *methods], *rows])]
    lines += ["", *_by_night(found["first_listed"])]
    if found["first_rows"]:
        rows = [
            [method, *(f"{number:.2f}" for number in numbers.values())]
            for method, numbers in found["first_rows"].items()
        ]
        labels = next(iter(found["first_rows"].values()))
        head = [f"objects of the night in the first {_TOP}", *labels]
        lines += ["", *markdown_table([head, *rows])]
    return "\n".join(lines)


def _excluded(number):
    return f"; {number} objects labelled as fast transients are excluded" if number else ""


def _row(name, part):
    cells = []
    for by_top in part["recall"].values():
        text = " ".join(f"{one['value']:.2f}" for one in by_top.values())
        low, high = by_top[_TOP]["interval"]
        cells.append(f"{text} ({low:.2f}-{high:.2f})")
    return [name, str(part["n"]), *cells]


def _by_night(first):
    heads = [f"{ordinal} ({n})" for ordinal, n in zip(_ORDINALS, first["n"], strict=True)]
    rows = [
        [method, *("-" if fraction is None else f"{fraction:.2f}" for fraction in fractions)]
        for method, fractions in first["listed"].items()
    ]
    title = f"in the first {_TOP} by night of detection (events)"
    return markdown_table([[title, *heads], *rows])
