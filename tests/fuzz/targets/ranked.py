"""Ranked lists whose objects are fetched."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.fuzz.harness import Target
from tests.fuzz.targets.labels import mutate_table
from tests.fuzz.targets.night import shipped_model, write_night
from ztfml.sources.fetch import fetch, objects_of, read_ranked
from ztfml.sources.formats import open_night

N_OBJECTS = 10


def prepare(folder: Path) -> None:
    ranked = shipped_model().rank(open_night(write_night(folder)), N_OBJECTS)
    ranked.to_csv(folder / "ranked.csv", index=False)


def mutate(rng: Random, folder: Path) -> set | None:
    return mutate_table(rng, folder / "ranked.csv", "objectId")


def run(folder: Path) -> dict:
    objects = objects_of(folder / "night.parquet", read_ranked(folder / "ranked.csv", N_OBJECTS))
    fetched = fetch(folder / "night_fetched", objects, [])
    return dict(zip(fetched["objectId"], objects["candid"], strict=True))


TARGET = Target(prepare, mutate, run)
