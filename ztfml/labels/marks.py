"""Marks that people give to objects on the page of a night: read, merge, and use as labels."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ztfml.errors import LabelError
from ztfml.labels.text_columns import read_text_columns
from ztfml.taxonomy import LABELS

log = logging.getLogger(__name__)

MARKS = ("follow", "reject", "skip")
"""Decisions about an object."""

COLUMNS = (
    "candid", "objectId", "mark", "label", "note", "who", "when", "jd", "predicted", "rate",
)  # fmt: skip
"""Columns of a file of marks; ``jd``, ``predicted`` (class) and ``rate`` (mag/day) describe the
alert that was on the page."""

_SPELLINGS = {
    "candid": ("candid", "alertid"),
    "objectId": ("objectid", "oid", "ztfid", "ztfobjectid", "ztfname", "object"),
    "mark": ("mark", "decision"),
    "label": ("label", "class"),
    "note": ("note", "notes", "comment", "comments"),
    "who": ("who", "person", "user", "scanner"),
    "when": ("when", "time", "date"),
    "jd": ("jd",),
    "predicted": ("predicted",),
    "rate": ("rate",),
}
_DECISIONS = {"mark": MARKS, "label": LABELS}
_EXPECTED = (
    "write a CSV with the column objectId, and mark, label or note, or export marks.csv on the "
    "page of a night"
)
_MISSING = "export marks.csv on the page of a night"


class MergedMarks(NamedTuple):
    """Marks of several people.

    Attributes
    ----------
    marks : pandas.DataFrame
        One row per object with the columns `COLUMNS`.
    disagreements : pandas.DataFrame
        ``objectId``, ``what`` (mark or label), ``values`` (each with who and when) and ``kept``.
    """

    marks: pd.DataFrame
    disagreements: pd.DataFrame


def read_marks(path: str | Path) -> pd.DataFrame:
    """Read a file of marks, as the page exports it.

    Parameters
    ----------
    path : str or Path
        A CSV with ``objectId`` and at least one of ``mark`` (follow, reject, skip), ``label`` (a
        class) and ``note``; optionally the other `COLUMNS`.

    Returns
    -------
    pandas.DataFrame
        The columns `COLUMNS` as text, '' if missing. A candid that is not a whole number is
        left out, with a message.

    Raises
    ------
    LabelError
        If the file cannot be read, a column is missing, or a mark or class is unknown.

    Examples
    --------
    >>> _ = Path("marks.csv").write_text("objectId,mark,who\\nZTF18abukavn,follow,Ada\\n")
    >>> read_marks("marks.csv").loc[0, ["objectId", "mark", "who"]].tolist()
    ['ZTF18abukavn', 'follow', 'Ada']
    """
    table = read_text_columns(path, _SPELLINGS, _MISSING, _EXPECTED)
    if "objectId" not in table or not {"mark", "label", "note"} & set(table.columns):
        raise LabelError(f"{path}: is not a file of marks; {_EXPECTED}")
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    # The apostrophe protects from formulas in spreadsheets.
    table = table.apply(lambda column: column.str.replace(r"^'(?=[=+\-@])", "", regex=True))
    for name, allowed in _DECISIONS.items():
        table[name] = table[name].str.lower().replace({f"{mark}ed": mark for mark in MARKS})
        unknown = ~table[name].isin(["", *allowed])
        if unknown.any():
            row = int(unknown.idxmax())
            raise LabelError(
                f"{path}: row {row + 2}: the {name} {table[name][row]!r} is not one of "
                f"{', '.join(allowed)} ({int(unknown.sum())} such rows); correct it"
            )
    damaged = (table["candid"] != "") & ~table["candid"].str.fullmatch(r"\d{1,19}")
    if damaged.any():
        log.warning(
            "%s: %d candids are not whole numbers, for example %s; these marks are kept without "
            "candid, and their classes cannot be used for training",
            path, damaged.sum(), table.loc[damaged, "candid"].iloc[0],
        )  # fmt: skip
        table["candid"] = table["candid"].mask(damaged, "")
    return table[table["objectId"] != ""].reset_index(drop=True)


def merge_marks(tables: Sequence[pd.DataFrame], names: Sequence[str]) -> MergedMarks:
    """Merge marks of several people; the newest decision about an object is kept.

    Parameters
    ----------
    tables : sequence of pandas.DataFrame
        From `read_marks`.
    names : sequence of str
        A name for each table, which stands for the person where ``who`` is missing.

    Returns
    -------
    MergedMarks
        A disagreement is a difference between the newest decisions of two people. Different notes
        are joined.

    Examples
    --------
    >>> ada = pd.DataFrame({"objectId": ["a", "b"], "mark": ["follow", "reject"]})
    >>> bob = pd.DataFrame({"objectId": ["a"], "mark": ["reject"], "when": ["2026-03-01"]})
    >>> tables = [one.reindex(columns=list(COLUMNS), fill_value="") for one in (ada, bob)]
    >>> merged = merge_marks(tables, ["Ada", "Bob"])
    >>> merged.marks["mark"].tolist(), merged.disagreements["values"].tolist()
    (['reject', 'reject'], ['follow (Ada), reject (Bob, 2026-03-01)'])
    """
    every = pd.concat(
        [
            table.assign(who=table["who"].where(table["who"] != "", name))
            for table, name in zip(tables, names, strict=True)
        ],
        ignore_index=True,
    )
    time = pd.to_datetime(every["when"], errors="coerce", utc=True, format="ISO8601")
    # Without a time, the order of the files counts.
    order = time.sort_values(kind="stable", na_position="first").index
    of_object: dict[str, list[dict]] = {}
    for row in every.loc[order].to_dict("records"):
        of_object.setdefault(row["objectId"], []).append(row)
    disagreements = [
        found for name in sorted(of_object) for found in _disagreements(name, of_object[name])
    ]
    columns = ["objectId", "what", "values", "kept"]
    marks = [_merged(of_object[name]) for name in sorted(of_object)]
    return MergedMarks(
        pd.DataFrame(marks, columns=list(COLUMNS), dtype="str"),
        pd.DataFrame(disagreements, columns=columns, dtype="str"),
    )


def _merged(rows):
    """Return the newest value of each decision of one object, and all notes."""
    decided = [row for row in rows if row["mark"] or row["label"]]
    merged = dict((decided or rows)[-1])
    for name in _DECISIONS:
        merged[name] = next((row[name] for row in reversed(rows) if row[name]), "")
    if merged["label"]:
        # The class belongs to the alert that the person saw.
        merged["candid"] = next(row["candid"] for row in reversed(rows) if row["label"])
    merged["note"] = "; ".join(dict.fromkeys(row["note"] for row in rows if row["note"]))
    return merged


def _disagreements(object_id, rows):
    for name in _DECISIONS:
        newest = {row["who"]: row for row in rows if row[name]}
        if len({row[name] for row in newest.values()}) > 1:
            values = [
                f"{row[name]} ({', '.join(filter(None, [row['who'], row['when'][:10]]))})"
                for row in newest.values()
            ]
            kept = next(row[name] for row in reversed(rows) if row[name])
            yield [object_id, name, ", ".join(values), kept]


def labels_of_marks(merged: MergedMarks) -> pd.DataFrame:
    """Return the classes of merged marks as a label table for training.

    Parameters
    ----------
    merged : MergedMarks

    Returns
    -------
    pandas.DataFrame
        ``candid``, ``objectId``, ``label``, ``evidence`` and ``confidence``; without objects about
        whose class people disagree.

    Examples
    --------
    >>> rows = pd.DataFrame({"candid": ["7"], "objectId": ["a"], "label": ["agn"], "who": ["Ada"]})
    >>> merged = merge_marks([rows.reindex(columns=list(COLUMNS), fill_value="")], ["Ada"])
    >>> labels_of_marks(merged).iloc[0].tolist()
    ['7', 'a', 'agn', 'by eye (Ada)', 'high']
    """
    disputed = merged.disagreements.loc[merged.disagreements["what"] == "label", "objectId"]
    marks = merged.marks
    chosen = marks[(marks["label"] != "") & (marks["candid"] != "")]
    chosen = chosen[~chosen["objectId"].isin(disputed)]
    evidence = [
        "by eye" + (f" ({row.who})" if row.who else "") + (f": {row.note}" if row.note else "")
        for row in chosen.itertuples()
    ]
    table = chosen[["candid", "objectId", "label"]].assign(evidence=evidence, confidence="high")
    return table.reset_index(drop=True)
