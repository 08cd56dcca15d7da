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
from ztfml.sources.formats import open_alerts

NAME = "night.parquet"


def mutate(rng: Random, folder: Path) -> set | None:
    return mutate_table(rng, labels_beside(folder / NAME))


def mutate_table(rng: Random, path: Path) -> set | None:
    """Mutate the cells, columns or bytes of a CSV file; text has no checksum."""
    if rng.random() < 0.7:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False)
        write_csv(rng, path, mutate_frame(rng, frame)[0])
    else:
        mutate_file(rng, path)
    return None


@functools.cache
def _night(path):
    return open_alerts(path)


def run(folder: Path) -> dict:
    night = _night(folder.parent.parent / "base" / NAME if folder.name != "base" else folder / NAME)
    labels = labels_of(night, read_labels(labels_beside(folder / NAME)))
    return dict(zip(night.alerts["candid"], map(str, labels), strict=True))


TARGET = Target(lambda folder: write_night(folder) and None, mutate, run)
