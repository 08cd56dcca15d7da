"""The card of a model."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from tests.fuzz.harness import Target
from tests.fuzz.mutations import mutate_file, mutate_json, write_json
from tests.fuzz.targets.night import write_model, write_night
from ztfml.model.folder import describe_model, verify_model
from ztfml.model.model import Model
from ztfml.sources.formats import open_night

_NUMBERS = (0, -1, 1, 100_000, 2**31, 2**70, 1e300)


def prepare(folder: Path) -> None:
    write_model(folder, write_night(folder))


def mutate(rng: Random, folder: Path) -> set | None:
    """Mutate the card; a model that passes all checks must predict the same."""
    path = folder / "model" / "card.json"
    if rng.random() < 0.2:
        mutate_file(rng, path)
        return set()
    card = json.loads(path.read_bytes())
    if rng.random() < 0.3:
        parameters = card["parameters"]
        parameters[rng.choice(list(parameters))] = rng.choice(_NUMBERS)
    else:
        card = mutate_json(rng, card)
    write_json(rng, path, card)
    return set()


def run(folder: Path) -> dict:
    describe_model(folder / "model")
    return predictions_of(folder)


def predictions_of(folder: Path) -> dict:
    """Verify and load the model, and return its predictions by candid."""
    verify_model(folder / "model")
    model = Model.load(folder / "model")
    repr(model)
    night = open_night(folder / "night.parquet")
    predictions = model.predict(night)
    values = predictions.select_dtypes("number").to_numpy()
    return {int(row[0]): tuple(row) for row in values.tolist()}


TARGET = Target(prepare, mutate, run)
