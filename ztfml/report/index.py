"""The page of several nights: a calendar, the best of each night, and marked objects.

Each page of a night has a short record in its head. The index reads these records from the files in
its folder, so it always fits to the pages that are there.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ztfml.astrophysics import night_of
from ztfml.io.atomic import write_beside
from ztfml.plots.packet_summary import date_of

INDEX = "index.html"
"""Name of the page of all nights in a folder of pages."""

BEST = 5
"""Number of objects of each night in the index."""

_HEAD_BYTES = 1 << 20
_RECORD = re.compile(r'<meta name="ztfml-night" content="([^"]*)">')
_FIELDS = {
    "title": str, "date": str, "headline": str, "alerts": int, "objects": int, "n_ranked": int,
    "n_fast": int, "best": list, "listed": list,
}  # fmt: skip


def night_record(summary: dict) -> dict:
    """Return what the index shows of a night.

    Parameters
    ----------
    summary : dict
        Result of `ztfml.report.summarize`.

    Returns
    -------
    dict
        ``title``, ``date`` ('' if unknown), ``headline``, ``alerts``, ``objects``, ``n_ranked``,
        ``n_fast``, ``best`` (name, score, class and first reason of the best objects) and
        ``listed`` (names).

    Examples
    --------
    >>> from ztfml.report import summarize
    >>> record = night_record(summarize(night, predictions, ranked))
    >>> record["alerts"], record["date"], len(record["best"])
    (300, '2024-06-16', 5)
    """
    night, cards = summary["night"], summary["cards"]
    return {
        "title": night["title"],
        "date": "" if night["jd"] is None else date_of(night_of(night["jd"]), "%Y-%m-%d"),
        "headline": summary["headline"],
        "alerts": night["alerts"],
        "objects": night["objects"],
        "n_ranked": summary["n_ranked"],
        "n_fast": summary["n_fast"],
        "best": [
            [card["objectId"], card["score"], card["label"], card["reasons"].split("; ")[0]]
            for card in cards[:BEST]
        ],
        "listed": [card["objectId"] for card in cards],
    }


def read_record(path: str | Path) -> dict | None:
    """Read the record of a night from its page.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict or None
        As from `night_record`; None if the file is not the page of a night.

    Examples
    --------
    >>> from ztfml.report import render, summarize
    >>> page = render(summarize(night, predictions, ranked))
    >>> _ = Path("night.html").write_text(page, encoding="utf-8")
    >>> read_record("night.html")["alerts"]
    300
    """
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES).decode("utf-8", errors="replace")
        found = _RECORD.search(head)
        record = json.loads(html.unescape(found[1])) if found else None
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict):
        return None
    fits = all(isinstance(record.get(name), kind) for name, kind in _FIELDS.items())
    return record if fits and all(_is_best(row) for row in record["best"]) else None


def _is_best(row):
    kinds = (str, int | float, str, str)
    return (
        isinstance(row, list)
        and len(row) == len(kinds)
        and all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True))
    )


def write_index(folder: str | Path, marks: pd.DataFrame | None = None) -> Path:
    """Write the page of all nights that have a page in a folder.

    Parameters
    ----------
    folder : str or Path
    marks : pandas.DataFrame, optional
        Earlier marks, from `ztfml.labels.marks.read_marks`.

    Returns
    -------
    Path
        The file ``index.html`` in the folder.

    Raises
    ------
    DataError
        If it cannot be written.

    Examples
    --------
    >>> from ztfml.report import write_report
    >>> Path("pages").mkdir(exist_ok=True)
    >>> _ = write_report(night, model, "pages/night.html", top=3)
    >>> write_index("pages").name
    'index.html'
    """
    from ztfml.report.page import render_index

    folder = Path(folder)
    nights = []
    for path in sorted(folder.glob("*.html")):
        record = None if path.name == INDEX else read_record(path)
        if record is not None:
            nights.append(record | {"file": path.name})
    nights.sort(key=lambda record: (record["date"], record["file"]), reverse=True)
    output = folder / INDEX
    with write_beside(output) as part:
        part.write_text(render_index(nights, _marks(marks)), encoding="utf-8")
    return output


def _marks(marks):
    from ztfml.labels.marks import merge_marks

    if marks is None:
        return []
    rows = merge_marks([marks], [""]).marks.to_dict("records")
    return [{name: value for name, value in row.items() if value} for row in rows]


def months_of(nights: Iterable[dict]) -> list[dict]:
    """Arrange nights in calendar months, the latest first.

    Parameters
    ----------
    nights : iterable of dict
        Records with ``date``.

    Returns
    -------
    list of dict
        ``name`` of the month and ``weeks``: lists of seven days, each None or a dict with ``day``
        and ``nights``.

    Examples
    --------
    >>> (month,) = months_of([{"date": "2024-06-16"}])
    >>> month["name"], month["weeks"][2][6]
    ('June 2024', {'day': 16, 'nights': [{'date': '2024-06-16'}]})
    """
    import calendar

    of_day: dict[str, list[dict]] = {}
    for night in nights:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", night["date"]):
            of_day.setdefault(night["date"], []).append(night)
    months = []
    for month in sorted({date[:7] for date in of_day}, reverse=True):
        year, number = (int(part) for part in month.split("-"))
        weeks = [
            [
                {"day": day, "nights": of_day.get(f"{month}-{day:02d}", [])} if day else None
                for day in week
            ]
            for week in calendar.Calendar().monthdayscalendar(year, number)
        ]
        months.append({"name": f"{calendar.month_name[number]} {year}", "weeks": weeks})
    return months
