"""Measure how much a model loses on real labels without each packet field and each group.

    python -m tests.benchmarks.absent NIGHTS [DATA]

NIGHTS is the folder written by ``make model`` (``build/nights``). Each of five folds of objects is
predicted by a model that was trained without it, with the parameters of the shipped model.
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
from ztfml.io.text_tables import markdown_table
from ztfml.model.classifier import object_folds
from ztfml.taxonomy import LABELS
from ztfml.training.missing_fields import EXPORTS, FIELD_GROUPS, OPTIONAL_FIELDS, without_fields
from ztfml.training.train import N_RANDOM_FOLDS

SEED = 1


def absent_table(bench):
    """Compute the scores without each field, group and export.

    Parameters
    ----------
    bench : Bench

    Returns
    -------
    list of list of str
        The rows of a table, the largest loss of accuracy first.
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
    table = []
    for name, predicted in run.items():
        found = scores(bench, predicted, rows)
        artifact = np.mean(labels_from(predicted[real]) == "artifact")
        table.append((name, found["accuracy"], found["macro_f1"], artifact))
    whole = table[0][1]
    table = [table[0], *sorted(table[1:], key=lambda row: row[1])]
    return [
        [name, f"{accuracy:.3f}", f"{accuracy - whole:+.3f}", f"{f1:.3f}", f"{artifact:.2%}"]
        for name, accuracy, f1, artifact in table
    ]


HEAD = ["", "accuracy", "change", "macro-F1", "stars, AGN, transients called artifact"]


def main(nights, data=SHARED_DATA):
    """Print the table."""
    bench = held_out(Path(nights), Path(data))
    print("\n".join(markdown_table([HEAD, *absent_table(bench)])))


if __name__ == "__main__":
    main(*sys.argv[1:])
