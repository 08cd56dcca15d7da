"""What a batch does with each night. A step is a small record that workers can receive.

`load` reads the model and the catalogues once per process, and returns a function that reads
one night, writes one output and returns counts.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ztfml.night import Night

log = logging.getLogger(__name__)

Write = Callable[[Path, "Path | None", Path], dict[str, int]]
"""Function of the path of a night, of its history and of the output; returns counts."""


@dataclass(frozen=True)
class Step:
    """One step of processing, with its options.

    Parameters
    ----------
    trust : tuple of str
        Python code that a model may use (see `ztfml.io.trusted`).
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    trust: tuple[str, ...] = ()

    def load(self) -> Write:
        """Read what all nights need.

        Returns
        -------
        callable
            The function that processes one night.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Features(Step):
    """Compute the features of every alert.

    Parameters
    ----------
    broker : bool
        Whether to add the broker scores.
    galaxies : Path, optional
        Catalogue of galaxies.
    """

    name = "features"
    suffix = ".parquet"
    broker: bool = False
    galaxies: Path | None = None

    def load(self) -> Write:
        from ztfml.features.own import load_groups
        from ztfml.io.parquet import write_tables

        match = matcher(self.galaxies)
        groups = load_groups(self.trust) if self.trust else ()

        def write(path, history, output):
            night = match(_open(path, history))
            with write_tables(output) as append:
                write_features(night, append, self.broker, groups)
            return {"alerts": len(night)}

        return write


@dataclass(frozen=True)
class Predict(Step):
    """Predict the class probabilities of every alert.

    Parameters
    ----------
    model : Path, optional
        Model folder; by default the model that ships with ztfml.
    """

    name = "predict"
    suffix = ".parquet"
    model: Path | None = None

    def load(self) -> Write:
        from ztfml.io.parquet import write_table
        from ztfml.model.model import Model

        model = Model.load(self.model, self.trust)

        def write(path, history, output):
            predictions = model.predict(_open(path, history))
            write_table(predictions, output)
            labels = Counter(predictions["label"])
            return {"alerts": len(predictions), **dict(sorted(labels.items()))}

        return write


@dataclass(frozen=True)
class _Ranked(Step):
    model: Path | None = None
    ranking: Path | None = None
    weights: Path | None = None
    instrument: Path | None = None
    galaxies: Path | None = None
    skymap: Path | None = None
    selection: tuple[float, float, bool] = (0.0, 1.0, False)
    top: int | None = None

    def _read(self):
        from ztfml.model.model import Model
        from ztfml.ranking import FastTransientScorer, Selection

        scorer = FastTransientScorer.load(self.ranking, self.weights, self.instrument)
        model = Model.load(self.model, self.trust)
        return model, scorer, Selection(*self.selection), matcher(self.galaxies, self.skymap)


@dataclass(frozen=True)
class Rank(_Ranked):
    """Rank the fast transients of a night. The fields are the options of ``ztfml rank``."""

    name = "rank"
    suffix = ".csv"

    def load(self) -> Write:
        from ztfml.io.parquet import write_table

        model, scorer, selection, match = self._read()
        top = self.top or scorer.instrument.spectra_per_night

        def write(path, history, output):
            night = match(_open(path, history))
            ranked = model.rank(night, top, scorer, selection=selection)
            write_table(ranked, output)
            return {"alerts": len(night), "listed": len(ranked)}

        return write


@dataclass(frozen=True)
class Report(_Ranked):
    """Write the page of a night. The fields are the options of ``ztfml report``.

    Parameters
    ----------
    observatory : tuple, optional
        The fields of an `Observatory`; Palomar by default.
    """

    name = "report"
    suffix = ".html"
    top: int | None = 200
    marks: Path | None = None
    observatory: tuple[str, float, float, float] | None = None

    def load(self) -> Write:
        from ztfml.labels.marks import read_marks
        from ztfml.ranking.settings import PALOMAR, Observatory
        from ztfml.report import write_report
        from ztfml.sources.fetched_folder import fetched_beside

        model, scorer, selection, match = self._read()
        marks = None if self.marks is None else read_marks(self.marks)
        place = PALOMAR if self.observatory is None else Observatory(*self.observatory)

        def write(path, history, output):
            night, folder = match(_open(path, history)), fetched_beside(path)
            folder = folder if folder.is_dir() else None
            summary = write_report(
                night, model, output, folder, self.top, scorer, selection, marks, True, place
            )
            return {"alerts": len(night), "listed": len(summary["cards"])}

        return write


@dataclass(frozen=True)
class Ingest(Step):
    """Convert alerts in any format to a night in parquet.

    Parameters
    ----------
    cutouts : bool
        Whether to write the image cutouts of packets too.
    """

    name = "ingest"
    suffix = ".parquet"
    cutouts: bool = False

    def load(self) -> Write:
        from ztfml.sources.convert import convert

        def write(path, history, output):
            summary = convert(path, output, self.cutouts)
            return {
                "alerts": summary.n_alerts,
                "history rows": summary.n_history,
                "skipped packets": summary.n_skipped,
            }

        return write


def write_features(night: Night, append: Callable, broker: bool = False, groups: tuple = ()) -> int:
    """Compute the features of a night in parts, and append each part to a table.

    Parameters
    ----------
    night : Night
    append : callable
        Function that receives each part, a pandas.DataFrame with identifiers and features.
    broker : bool
        Whether to add the broker scores.
    groups : sequence of Group
        Own features.

    Returns
    -------
    int
        Number of features.

    Examples
    --------
    >>> parts = []
    >>> n_features = write_features(night, parts.append)
    >>> len(pd.concat(parts)), parts[0].shape[1] - n_features
    (300, 3)
    """
    import pandas as pd

    from ztfml.features import compute_in_parts, compute_own

    own = compute_own(night, groups)
    for part in compute_in_parts(night, broker=broker):
        table = part.join(own)
        ids = night.alerts.loc[table.index, ["objectId", "candid", "jd"]]
        append(pd.concat([ids, table], axis=1))
    return table.shape[1]


def matcher(galaxies: Path | None, skymap: Path | None = None) -> Callable[[Night], Night]:
    """Return a function that matches nights with a catalogue of galaxies and a sky map.

    Both files are read first, so that a wrong file is an error before the work.

    Parameters
    ----------
    galaxies : Path, optional
    skymap : Path, optional

    Returns
    -------
    callable
        Function of a `Night` that returns a `Night`.

    Examples
    --------
    >>> len(matcher(None)(night))
    300
    """
    catalogs: list[Any] = []
    if galaxies is not None:
        from ztfml.catalogs.galaxies import GalaxyCatalog

        catalogs.append(GalaxyCatalog.load(galaxies))
    if skymap is not None:
        from ztfml.catalogs.skymap import SkyMap

        catalogs.append(SkyMap.load(skymap))

    def match(night):
        if catalogs and not {"ra", "dec"} <= set(night.alerts):
            log.warning(
                "%s: without candidate.ra and candidate.dec, no alert is matched with %s",
                night.name, " and ".join(str(one) for one in (galaxies, skymap) if one),
            )  # fmt: skip
        for catalog in catalogs:
            night = catalog.match(night)
        return night

    return match


def _open(path, history):
    from ztfml.sources.formats import open_night

    return open_night(path, history)
