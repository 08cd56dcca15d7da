"""Label files."""

from __future__ import annotations

import functools
from pathlib import Path
from random import Random

import pandas as pd

from tests.fuzz.harness import Target
from tests.fuzz.mutations import mutate_file, mutate_frame, write_csv
from tests.fuzz.targets.night import write_night
from ztfml.io.companions import labels_beside
from ztfml.labels.label_file import labels_of, read_labels
from ztfml.night import Night
from ztfml.sources.formats import open_alerts

NAME = "night.parquet"


def mutate(rng: Random, folder: Path) -> set | None:
    touched = mutate_table(rng, labels_beside(folder / NAME), "candid")
    return None if touched is None else set(map(int, touched))


def mutate_table(rng: Random, path: Path, key: str) -> set | None:
    """Mutate the cells, columns or bytes of a CSV file; text has no checksum.

    Returns
    -------
    set or None
        The values of the column `key` in the rows whose results may change, None for all.
    """
    if rng.random() < 0.7:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False)
        changed, touched = mutate_frame(rng, frame)
        if write_csv(rng, path, changed):
            return set(frame[key].iloc[sorted(touched)])
    else:
        mutate_file(rng, path)
    return None


@functools.cache
def _read_once(path):
    return open_alerts(path)


def undamaged_alerts(folder: Path) -> Night:
    """Return the alerts from the folder of the undamaged input."""
    base = folder if folder.name == "base" else folder.parent.parent / "base"
    return _read_once(base / NAME)


def run(folder: Path) -> dict:
    night = undamaged_alerts(folder)
    labels = labels_of(night, read_labels(labels_beside(folder / NAME)))
    return dict(zip(night.alerts["candid"], map(str, labels), strict=True))


TARGET = Target(lambda folder: write_night(folder) and None, mutate, run)
