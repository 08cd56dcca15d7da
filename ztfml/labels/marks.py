"""Marks that people give to objects on the page of a night: read, merge, and use as labels."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ztfml.errors import LabelError
from ztfml.io.regular import refuse_pipe
from ztfml.taxonomy import LABELS

MARKS = ("follow", "reject", "skip")
"""Decisions about an object."""

COLUMNS = (
    "candid", "objectId", "mark", "label", "note", "who", "when", "jd", "predicted", "rate",
)  # fmt: skip
"""Columns of a file of marks; ``jd``, ``predicted`` (class) and ``rate`` describe the alert that
was on the page."""

_DECISIONS = {"mark": MARKS, "label": LABELS}
_MAX_BYTES = 100_000_000


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
        The columns `COLUMNS` as text, '' if missing.

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
    path = Path(path)
    table = _read(path)
    table.columns = [str(name).strip() for name in table.columns]
    if "objectId" not in table or not {"mark", "label", "note"} & set(table.columns):
        raise LabelError(
            f"{path}: is not a file of marks; it needs the column objectId, and mark, label or "
            "note; export marks.csv on the page of a night"
        )
    if not table.columns.is_unique:
        raise LabelError(f"{path}: two columns have the same name; keep one of them")
    table = table.reindex(columns=list(COLUMNS)).fillna("")
    table = table.apply(lambda column: column.str.strip().str.replace(r"^'(?=[=+\-@])", "", regex=True))
    for name, allowed in _DECISIONS.items():
        table[name] = table[name].str.lower()
        unknown = ~table[name].isin(["", *allowed])
        if unknown.any():
            row = int(unknown.idxmax())
            raise LabelError(
                f"{path}: row {row + 2}: the {name} {table[name][row]!r} is not one of "
                f"{', '.join(allowed)} ({int(unknown.sum())} such rows); correct it"
            )
    return table[table["objectId"] != ""].reset_index(drop=True)


def _read(path):
    refuse_pipe(path, LabelError)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LabelError(f"{path}: is larger than 100 MB; it is not a file of marks")
        with open(path, encoding="utf-8-sig", newline="") as file:
            header = file.readline()
        separator = max(",;\t", key=header.count)
        return pd.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig",
            index_col=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise LabelError(
            f"{path}: there is no such file; export marks.csv on the page of a night"
        ) from error
    except pd.errors.EmptyDataError as error:
        raise LabelError(f"{path}: the file is empty; export marks.csv again") from error
    except (OSError, UnicodeError, pd.errors.ParserError, csv.Error, ValueError) as error:
        first = str(error).strip().split("\n")[0]
        raise LabelError(f"{path}: cannot be read as CSV ({first}); export marks.csv again") from error


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
    >>> tables = [table.reindex(columns=list(COLUMNS)).fillna("") for table in (ada, bob)]
    >>> merged = merge_marks(tables, ["Ada", "Bob"])
    >>> merged.marks["mark"].tolist(), merged.disagreements["values"].tolist()
    (['reject', 'reject'], ['follow (Ada), reject (Bob, 2026-03-01)'])
    """
    every = pd.concat(
        [
            table.assign(person=table["who"].where(table["who"] != "", name))
            for table, name in zip(tables, names, strict=True)
        ],
        ignore_index=True,
    )
    every["time"] = pd.to_datetime(every["when"], errors="coerce", utc=True, format="ISO8601")
    # Without a time, the order of the files counts.
    every = every.sort_values("time", kind="stable", na_position="first")
    marks, disagreements = [], []
    for object_id, rows in every.groupby("objectId", sort=True):
        marks.append(_newest(rows))
        disagreements += _disagreements(object_id, rows)
    columns = ["objectId", "what", "values", "kept"]
    return MergedMarks(
        pd.DataFrame(marks, columns=list(COLUMNS)),
        pd.DataFrame(disagreements, columns=columns),
    )


def _newest(rows):
    """Return the newest value of each decision of one object, and all notes."""
    decided = rows[(rows["mark"] != "") | (rows["label"] != "")]
    newest = (decided if len(decided) else rows).iloc[-1]
    merged = {name: newest[name] for name in COLUMNS}
    for name in _DECISIONS:
        values = rows.loc[rows[name] != "", name]
        merged[name] = values.iloc[-1] if len(values) else ""
    merged["note"] = "; ".join(dict.fromkeys(note for note in rows["note"] if note))
    return merged


def _disagreements(object_id, rows):
    found = []
    for name in _DECISIONS:
        latest = rows[rows[name] != ""].drop_duplicates("person", keep="last")
        if latest[name].nunique() > 1:
            values = [
                f"{row[name]} ({', '.join(filter(None, [row['person'], row['when'][:10]]))})"
                for _, row in latest.iterrows()
            ]
            found.append([object_id, name, ", ".join(values), latest[name].iloc[-1]])
    return found


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
    >>> merged = merge_marks([rows.reindex(columns=list(COLUMNS)).fillna("")], ["Ada"])
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
