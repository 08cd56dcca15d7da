"""A small simulated night, shared by several targets."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.io.companions import history_beside, labels_beside
from ztfml.model.classifier import AlertClassifier
from ztfml.model.model import Model
from ztfml.model.save import save_model
from ztfml.night import Night
from ztfml.simulate.nights import write_nights

N_ALERTS = 40


def write_night(folder: Path) -> Path:
    """Write a night with history and labels."""
    (written,) = write_nights(folder, N_ALERTS, 1, seed=8, mix="balanced")
    path = folder / "night.parquet"
    for place in (history_beside, labels_beside, lambda name: name):
        place(written).rename(place(path))
    return path


def write_model(folder: Path, path: Path) -> Path:
    """Train a model with few trees on a night."""
    night = Night.load(path)
    table = features.compute(night)
    labels = pd.read_csv(labels_beside(path))["label"]
    classifier = AlertClassifier(
        n_estimators=3, min_child_samples=2, early_stopping_rounds=None, n_jobs=1
    )
    return save_model(classifier.fit(table, labels), folder / "model", {}, table)


@functools.cache
def shipped_model() -> Model:
    """Return the shipped model, read once."""
    return Model.load()


def feature_bytes(night: Night, table: pd.DataFrame) -> dict[int, bytes]:
    """Return the features of each alert, by candid."""
    rows = table.to_numpy(np.float64)
    return {
        int(candid): row.tobytes() for candid, row in zip(night.alerts["candid"], rows, strict=True)
    }
