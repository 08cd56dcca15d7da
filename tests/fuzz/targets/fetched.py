"""The fetched folder of a night: damage is a remark, never the end of the page."""

from __future__ import annotations

import functools
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from tests.fuzz.harness import Target
from tests.fuzz.mutations import ODD_TEXTS, mutate_file, mutate_frame, write_csv, write_parquet
from tests.fuzz.targets.night import shipped_model, write_night
from ztfml.report import summarize
from ztfml.report.page import render
from ztfml.sources import fetched_folder
from ztfml.sources.formats import open_night

FOLDER = "night_fetched"
N_ALERTS = 8


@functools.cache
def _night(path):
    night = open_night(path).subset(range(N_ALERTS))
    predictions, ranked = shipped_model().predict_and_rank(night)
    return night, predictions, ranked


def prepare(folder: Path) -> None:
    _, _, ranked = _night(write_night(folder))
    name, candid = ranked["objectId"][0], int(ranked["candid"][0])
    row = {"jd": 2460470.5, "fid": 1, "magpsf": 18.0, "sigmapsf": 0.1, "forced": False}
    curve = fetched_folder.make_curve([row | {"jd": row["jd"] + k} for k in range(5)])
    fetched_folder.write_light_curve(folder / FOLDER, name, curve)
    image = np.arange(3969.0).reshape(63, 63)
    stamps = fetched_folder.Cutouts(candid, image, image, image)
    fetched_folder.write_cutouts(folder / FOLDER, name, stamps)
    entry = {"objectId": name, "catalog": "VSX", "name": "V1", "kind": "RR"}
    entry |= {"separation_arcsec": "0.5", "redshift": "0.1", "note": "already classified as RR"}
    fetched_folder.write_context(folder / FOLDER, pd.DataFrame([entry] * 3))


def mutate(rng: Random, folder: Path) -> set | None:
    path = rng.choice(sorted((folder / FOLDER).iterdir()))
    # All of it is about the first object, so the others must not change.
    touched = {_night(folder.parent.parent / "base" / "night.parquet")[2]["objectId"][0]}
    if rng.random() < 0.4:
        mutate_file(rng, path)
    elif path.suffix == ".csv":
        write_csv(rng, path, mutate_frame(rng, pd.read_csv(path, dtype="str"))[0])
    elif path.suffix == ".parquet":
        write_parquet(
            rng, path, mutate_frame(rng, pq.read_table(path).to_pandas().reset_index())[0]
        )
    else:
        np.savez_compressed(path, **_odd_images(rng))
    return touched


def _odd_images(rng):
    names = ["science", "reference", "difference", rng.choice(ODD_TEXTS[:6])]
    images = (
        np.zeros((63, 63)),
        np.broadcast_to(np.int8(0), (1100, 1100)),
        np.zeros(5),
        np.zeros((0, 5)),
        np.full((9, 9), np.nan),
        np.full((9, 9), np.inf),
        np.full((9, 9), 1e300),
        np.zeros((3, 3), complex),
        np.zeros((3, 3), [("a", "f4")]),
        np.full((3, 3), "x"),
        np.array(1.0),
        np.zeros((2, 2), bool),
        np.zeros((2, 2), "M8[s]"),
        np.zeros((2, 2), np.float16),
    )
    return {name or "x": rng.choice(images) for name in names[: rng.choice((2, 3, 4))]}


def run(folder: Path) -> dict:
    base = folder if folder.name == "base" else folder.parent.parent / "base"
    night, predictions, ranked = _night(base / "night.parquet")
    summary = summarize(night, predictions, ranked, None, folder / FOLDER, top=1)
    page = render(summary)
    of_objects = {card["objectId"]: [str(card)] for card in summary["cards"]}
    return of_objects | {"page": page.startswith("<!doctype html>")}


TARGET = Target(prepare, mutate, run, optional=True)
