"""Turn the packets received so far into a night, its ranked list and its page."""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ztfml.io.atomic import write_beside
from ztfml.io.parquet import write_table
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer, Selection
from ztfml.ranking.settings import PALOMAR, Observatory
from ztfml.report import render, summarize
from ztfml.report.summary import LISTED
from ztfml.sources.packet_night import write_packet_night
from ztfml.stream.parts import Parts

log = logging.getLogger(__name__)

NIGHT, RANKED, PAGE, SKIPPED = "night.parquet", "ranked.csv", "night.html", "skipped"
"""Names in the output folder: alerts, list, page, and the folder of messages not decoded."""


class Ranker(NamedTuple):
    """How a live night is ranked.

    Parameters
    ----------
    model : Model
    scorer : FastTransientScorer
    selection : Selection
    match : callable
        Adds to a night what the ranking uses: history of a store, galaxies and a sky map.
    top : int
        Number of objects in the list.
    observatory : Observatory
        From where the objects can be observed in the next night.

    Examples
    --------
    >>> from ztfml.ranking import FastTransientScorer, Selection
    >>> Ranker(model, FastTransientScorer(), Selection(), lambda night: night).top
    12
    """

    model: Model
    scorer: FastTransientScorer
    selection: Selection
    match: Callable[[Night], Night]
    top: int = 12
    observatory: Observatory = PALOMAR


class Round(NamedTuple):
    """The night after a round.

    Parameters
    ----------
    night : Night
    ranked : pandas.DataFrame
        More rows than the list; see `ztfml.report.summary.LISTED`.

    Examples
    --------
    >>> len(Round(night, ranked).night)
    300
    """

    night: Night
    ranked: pd.DataFrame


def run_round(parts: Parts, folder: Path, ranker: Ranker, reload: float | None = None) -> Round:
    """Write the night, its list and its page, each replaced as a whole.

    Parameters
    ----------
    parts : Parts
        With at least one packet.
    folder : Path
        The output folder.
    ranker : Ranker
    reload : float, optional, s
        Time to the next round, after which the page can reload itself.

    Returns
    -------
    Round

    Raises
    ------
    DataError
        If an output cannot be written; the outputs of the last round then stay.

    Examples
    --------
    >>> from ztfml.sources.avro_packets import PacketAlert
    >>> from ztfml.sources.packet_tables import to_tables
    >>> from ztfml.ranking import FastTransientScorer, Selection
    >>> folder = Path("tonight")
    >>> parts = Parts(folder / "parts")
    >>> candidate = {"jd": 2460000.5, "fid": 1, "magpsf": 18.0, "isdiffpos": "t"}
    >>> alert = PacketAlert("ZTF18abukavn", 7, "3.3", "ZTF", candidate, [], [], [])
    >>> parts.save(to_tables([alert]))
    >>> ranker = Ranker(model, FastTransientScorer(), Selection(), lambda night: night)
    >>> len(run_round(parts, folder, ranker).night)
    1
    """
    path = folder / NIGHT
    write_packet_night(parts.batches(), path, skipped_messages(folder))
    night = ranker.match(Night.load(path))
    n_rows = max(LISTED, ranker.top)
    predictions, ranked = ranker.model.predict_and_rank(
        night, n_rows, ranker.scorer, None, ranker.selection
    )
    summary = summarize(
        night, predictions, ranked, ranker.model, None, n_rows, observatory=ranker.observatory
    )
    write_table(ranked.head(ranker.top), folder / RANKED)
    summary["reload"] = reload
    with write_beside(folder / PAGE) as part:
        part.write_text(render(summary), encoding="utf-8")
    return Round(night, ranked)


def skipped_messages(folder: Path) -> list[tuple[str, str]]:
    """List the messages that could not be decoded.

    Parameters
    ----------
    folder : Path
        The output folder.

    Returns
    -------
    list of (str, str)
        Name and reason of each message.

    Examples
    --------
    >>> skipped_messages(Path("."))
    []
    """
    found = []
    for path in sorted((folder / SKIPPED).glob("*.csv")):
        with open(path, newline="", encoding="utf-8") as file:
            found += [(row[0], row[1]) for row in csv.reader(file) if len(row) == 2]
    return found
