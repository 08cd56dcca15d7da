"""Panels of the first objects of a ranked list, as files or as pages of one PDF."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.io.csv_text import read_csv_text
from ztfml.io.safe_text import file_name
from ztfml.io.similar import to_rename
from ztfml.night import Night
from ztfml.plots.candidates import candidate
from ztfml.plots.canvas import save
from ztfml.ranking import TERMS
from ztfml.sources import fetched_folder as fetched

_SIZE = (12, 8)  # inch


def read_rows(path: str | Path, top: int) -> pd.DataFrame:
    """Read the first rows of a ranked list with their terms.

    Parameters
    ----------
    path : str or Path
        A file written by ``ztfml rank``.
    top : int
        Number of rows.

    Returns
    -------
    pandas.DataFrame
        ``rank``, ``objectId``, ``candid``, ``score``, ``reasons``, ``log_odds`` and the terms.

    Raises
    ------
    DataError
        If the file cannot be read, or a column or a number is missing.

    Examples
    --------
    >>> ranked.to_csv("ranked.csv", index=False)
    >>> read_rows("ranked.csv", 3)["rank"].tolist()
    [1, 2, 3]
    """
    remedy = f"make it with ztfml rank NIGHT -o {path}"
    rows = read_csv_text(Path(path), remedy, n_rows=top)
    whole = ["rank", "candid"]
    numbers = ["score", "log_odds", "term_base", *(f"term_{name}" for name in TERMS)]
    for name in (*whole, *numbers, "objectId", "reasons"):
        if name not in rows:
            rename = to_rename(name, rows.columns)
            raise DataError(f"{path}: has no column {name}; {rename}{remedy}")
    rows = rows[[*whole, *numbers, "objectId", "reasons"]].fillna("")
    try:
        # Not through float64, which a candid does not fit in.
        rows = rows.assign(**{name: [int(text) for text in rows[name]] for name in whole})
        return rows.assign(**{name: rows[name].astype(float) for name in numbers})
    except ValueError as error:
        raise DataError(f"{path}: {error}; {remedy}") from error


def panels(
    night: Night, rows: pd.DataFrame, folder: str | Path | None = None
) -> Iterator[tuple[str, Figure]]:
    """Draw a panel of each row of a ranked list.

    Parameters
    ----------
    night : Night
    rows : pandas.DataFrame
        Rows of the ranked list, or the result of `read_rows`.
    folder : str or Path, optional
        Folder of fetched data of the night, for cutouts and more photometry.

    Yields
    ------
    name : str
        A file name without suffix, from rank and object.
    fig : matplotlib.figure.Figure

    Raises
    ------
    DataError
        If the night does not contain an alert of the list.

    Examples
    --------
    >>> [name for name, fig in panels(night, ranked[:1])] == [f"01_{object_id}"]
    True
    """
    candids = set(night.alerts["candid"])
    for _, row in rows.iterrows():
        name = row["objectId"]
        if row["candid"] not in candids:
            raise DataError(
                f"{night.name}: has no alert {row['candid']} of {name}; give the night of the "
                "ranked list"
            )
        stamps = curve = None
        if folder is not None:
            stamps = fetched.cutouts(folder, name, row["candid"]) or fetched.cutouts(folder, name)
            curve = fetched.light_curve(folder, name)
        fig = candidate(Figure(figsize=_SIZE, layout="constrained"), night, row, stamps, curve)
        # Names from files may contain anything.
        yield f"{row['rank']:02d}_{name if fetched.is_object_name(name) else 'object'}", fig


def save_panels(figures: Iterator[tuple[str, Figure]], folder: str | Path) -> list[Path]:
    """Write each panel as a PNG file.

    Parameters
    ----------
    figures : iterator of (str, Figure)
        From `panels`.
    folder : str or Path
        It is created if it does not exist.

    Returns
    -------
    list of Path

    Examples
    --------
    >>> len(save_panels(panels(night, ranked[:2]), "panels"))
    2
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror})") from error
    paths = []
    for name, fig in figures:
        paths.append(Path(folder) / f"{file_name(name)}.png")
        save(fig, paths[-1])
    return paths


def save_pdf(figures: Iterator[tuple[str, Figure]], path: str | Path) -> int:
    """Write all panels as pages of one PDF.

    Parameters
    ----------
    figures : iterator of (str, Figure)
        From `panels`.
    path : str or Path

    Returns
    -------
    int
        Number of pages.

    Examples
    --------
    >>> save_pdf(panels(night, ranked[:2]), "best.pdf")
    2
    """
    from matplotlib.backends.backend_pdf import PdfPages

    with write_beside(path) as part, PdfPages(part, metadata={"CreationDate": None}) as pages:
        for _, fig in figures:
            pages.savefig(fig)
        return pages.get_pagecount()
