"""The previous candidates of a night."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pyarrow.parquet as pq

from tests.fuzz.harness import Target
from tests.fuzz.mutations import write_parquet
from tests.fuzz.targets.alerts import mutate_parquet
from tests.fuzz.targets.night import feature_bytes, write_night
from ztfml import features
from ztfml.io.companions import history_beside
from ztfml.sources.formats import open_night

NAME = "night.parquet"


def prepare(folder: Path) -> None:
    path = history_beside(write_night(folder))
    write_parquet(Random(1), path, pq.read_table(path).to_pandas().reset_index())


def mutate(rng: Random, folder: Path) -> set | None:
    touched = mutate_parquet(rng, history_beside(folder / NAME), "objectId")
    if not touched:
        return touched
    alerts = pq.read_table(folder / NAME, columns=["objectId", "candid"]).to_pandas()
    return set(alerts["candid"][alerts["objectId"].isin(list(map(str, touched)))])


def run(folder: Path) -> dict:
    night = open_night(folder / NAME)
    return feature_bytes(night, features.compute(night))


TARGET = Target(prepare, mutate, run)
