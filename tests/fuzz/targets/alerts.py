"""The alerts of a night, up to the page."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyarrow.parquet as pq

from tests.fuzz.harness import Target
from tests.fuzz.mutations import mutate_file, mutate_frame, write_parquet
from tests.fuzz.targets.night import feature_bytes, shipped_model, write_night
from ztfml import features
from ztfml.report import summarize
from ztfml.report.page import render
from ztfml.sources.formats import open_night

NAME = "night.parquet"


def prepare(folder: Path) -> None:
    path = write_night(folder)
    write_parquet(Random(1), path, pq.read_table(path).to_pandas())


def mutate(rng: Random, folder: Path) -> set | None:
    return mutate_parquet(rng, folder / NAME, "candid")


def mutate_parquet(rng: Random, path: Path, key: str) -> set | None:
    """Mutate the values or the bytes of a parquet file."""
    frame = pq.read_table(path).to_pandas()
    if rng.random() < 0.7:
        changed, touched = mutate_frame(rng, frame)
        write_parquet(rng, path, changed)
        return set(frame[key].iloc[sorted(touched)])
    before = path.read_bytes()
    mutate_file(rng, path)
    return set() if _same_ends(before, path.read_bytes()) else None


def _same_ends(before, after):
    # The footer of parquet has no checksum; a bit there can rename a column.
    n_footer = int.from_bytes(before[-8:-4], "little") + 8
    return len(before) == len(after) and before[-n_footer:] == after[-n_footer:]


def run(folder: Path) -> dict:
    night = open_night(folder / NAME)
    table = features.compute(night)
    model = shipped_model()
    predictions, ranked = model.predict_and_rank(night, table=table)
    render(summarize(night, predictions, ranked, model, top=1))
    return feature_bytes(night, table)


TARGET = Target(prepare, mutate, run)
