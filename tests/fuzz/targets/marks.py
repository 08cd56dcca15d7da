"""Marks of people, exported by the page and used as labels."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pandas as pd

from tests.fuzz.harness import Target
from tests.fuzz.targets import labels
from ztfml.io.companions import labels_beside


def prepare(folder: Path) -> None:
    path = labels_beside(folder / labels.NAME)
    labels.TARGET.prepare(folder)
    table = pd.read_csv(path)[["candid", "objectId", "label"]]
    table.insert(2, "mark", ["star", ""] * (len(table) // 2) + [""] * (len(table) % 2))
    table.assign(note=['a "quoted" note, with commas'] * len(table)).to_csv(path, index=False)


def mutate(rng: Random, folder: Path) -> set | None:
    return labels.mutate(rng, folder)


TARGET = Target(prepare, mutate, labels.run)
