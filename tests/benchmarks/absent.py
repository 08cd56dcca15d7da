"""Measure how much a model loses on real labels without each packet field and each group.

    python -m tests.benchmarks.absent NIGHTS [MODEL]

NIGHTS is the folder written by ``make model`` (``build/nights``). Each of five folds of objects is
predicted by a model that was trained without it. The table is also written to the card of MODEL, a
model folder.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks.held_out import held_out
from tests.benchmarks.unseen import POOLED, SCORES_SHAPE_PS1, scores
from tests.conftest import SHARED_DATA
from ztfml import features
from ztfml.evaluation.metrics import labels_from
from ztfml.io.folder_writing import card_bytes, write_folder
from ztfml.io.verified_folder import CARD, README, TREES
from ztfml.model.card_page import absent_table, model_page
from ztfml.model.folder import read_model
from ztfml.model.folds import object_folds
from ztfml.taxonomy import LABELS
from ztfml.training.missing_fields import EXPORTS, FIELD_GROUPS, OPTIONAL_FIELDS, without_fields
from ztfml.training.train import N_RANDOM_FOLDS

SEED = 1


def absent_rows(bench):
    """Compute the scores without each field, group and export.

    Parameters
    ----------
    bench : Bench

    Returns
    -------
    list of dict
        ``name`` of what was removed, ``accuracy``, ``macro_f1`` and ``called_artifact`` (of
        stars, AGN and transients); complete alerts, then the largest loss of accuracy first.
    """
    every = np.arange(len(bench.y))
    views = {name: bench.views[name] for name in ("whole", "no history", "no history and no drb")}
    groups = [f"no {name}" for name in FIELD_GROUPS] + [f"as in {name}" for name in EXPORTS]
    views |= {name: bench.views[name] for name in (*groups, SCORES_SHAPE_PS1)}
    for field in OPTIONAL_FIELDS:
        night = without_fields(bench.night, (field,))
        views[f"no {field}"] = (features.compute(night), every)
    code = pd.Index(LABELS).get_indexer(bench.y)
    folds = object_folds(code, bench.objects, N_RANDOM_FOLDS, seed=0)
    run = bench.predict(folds, range(N_RANDOM_FOLDS), SEED, views)
    rows = bench.sure & np.isin(bench.y, POOLED)
    real = rows & ~bench.bogus & (bench.y != "sso")
    found = []
    for name, predicted in run.items():
        one = scores(bench, predicted, rows)
        artifact = np.mean(labels_from(predicted[real]) == "artifact")
        found.append(
            {
                "name": "complete" if name == "whole" else name,
                "accuracy": float(one["accuracy"]),
                "macro_f1": float(one["macro_f1"]),
                "called_artifact": float(artifact),
            }
        )
    return [found[0], *sorted(found[1:], key=lambda row: row["accuracy"])]


def write_to_card(folder, rows):
    """Write the table to the card of a model and to its page."""
    _, card = read_model(folder)
    card["absent"] = rows
    files = {
        TREES: (folder / TREES).read_bytes(),
        CARD: card_bytes(card),
        README: model_page(card, folder.resolve().name).encode(),
    }
    write_folder(folder, files, read=read_model, overwrite=True)


def main(arguments):
    """Print the table, and write it to the card of a model if one is named."""
    nights, *model = arguments
    rows = absent_rows(held_out(Path(nights), SHARED_DATA))
    print(absent_table(rows))
    if model:
        write_to_card(Path(model[0]), rows)


if __name__ == "__main__":
    main(sys.argv[1:])
