"""An injection and recovery as text for people; readable in a terminal and as Markdown."""

from ztfml.io.text_tables import markdown_table

_TOP = "12"


def recovery_report(found):
    """Write what was found as tables: the cells first, then their parts.

    Parameters
    ----------
    found : dict
        As of `recovery.judge`.

    Returns
    -------
    str

    Examples
    --------
    >>> print(recovery_report(recover(night, model)))   # doctest: +SKIP
    """
    n_events = len(found["events"])
    lines = [
        f"{n_events} fast transients, {found['a_night']} a night, among the "
        f"{found['n_objects']:,} objects of {found['night']} (seed {found['seed']}"
        f"{_set_aside(found['set_aside'])}).",
        "Recall in the first 12, 25, 50 rows (first 12: nine of ten draws of the events).",
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
        lines += ["", *markdown_table([[f"the night's own in the first {_TOP}", *labels], *rows])]
    return "\n".join(lines)


def _set_aside(number):
    return f"; {number} that are labelled as fast transients are set aside" if number else ""


def _row(name, part):
    cells = []
    for by_top in part["recall"].values():
        text = " ".join(f"{one['value']:.2f}" for one in by_top.values())
        low, high = by_top[_TOP]["interval"]
        cells.append(f"{text} ({low:.2f}-{high:.2f})")
    return [name, str(part["n"]), *cells]


def _by_night(first):
    heads = [f"{nth} ({n})" for nth, n in zip(_NTH, first["n"], strict=True)]
    rows = [
        [method, *("-" if share is None else f"{share:.2f}" for share in shares)]
        for method, shares in first["listed"].items()
    ]
    title = f"in the first {_TOP} by its night of detection (events)"
    return markdown_table([[title, *heads], *rows])


_NTH = ("first", "second", "third", "fourth", "fifth")
