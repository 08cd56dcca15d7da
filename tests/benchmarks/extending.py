"""Measure what a few labels of a new source change in a model that was trained without it.

    python -m tests.benchmarks.extending NIGHTS [DATA]

NIGHTS is the folder written by ``make model`` (``build/nights``), DATA that with ``alerts/`` and
``lightcurves/``, by default that of the tests. The features are kept in a file beside the nights,
as by `tests.benchmarks.unseen`; without this file they take three CPU minutes. The rest takes eight
CPU minutes, nearly all of them for 18 trainings and 45 extensions.

For each source and seed, a model is trained without the objects of the source and without a quarter
of the objects of the other sources. It is extended with labels of random objects of the source, and
both models predict the other objects of the source, and the quarter. Each object has the same
weight; artifacts are left out of the scores, and so are classes with fewer than 5 objects.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks.held_out import held_out
from tests.conftest import SHARED_DATA
from ztfml.io.text_tables import markdown_table
from ztfml.model.classifier import AlertClassifier
from ztfml.training.dataset import BOGUS_EVIDENCE
from ztfml.training.extend import Extension, simulated_ballast

SOURCES = {
    "early TDE": ("early_tde_classification",),
    "Fink, distributed": ("fink_broker_distribute",),
    "Fink, other": (
        "fink-client", "fink_alert_simulator", "fink_broker", "fink_filters", "fink_science",
        "fink_grandma_kn", "fink_grandma_kn_hist", "fink_utils",
    ),
    "summer school": ("ztfss18_20180713",),
    "ALeRCE": ("alerce_lc_correction", "alerce_pipeline"),
    "AMPEL": ("ampel_nuclear_bg", "ampel_ztf", "ampel_mod1000", "ampel_veritas"),
}  # fmt: skip
SEEDS = (0, 1, 2)
N_LABELS = (30, 100, 300)
FEWEST_OBJECTS, FEWEST_OF_CLASS = 25, 5
CLASSES = ("sso", "star", "agn", "transient")


def main(nights, shared):
    """Print the change of macro-F1 by source and number of labels."""
    data = held_out(nights, shared).known
    names = list(data.table.columns)
    real = ~data.labels["simulated"].to_numpy()
    scored = real & data.is_original & (data.y != "artifact")
    ballast_table, results = None, []
    for seed in SEEDS:
        objects, of_row = np.unique(data.objects, return_inverse=True)
        quarter = np.random.default_rng(seed).integers(0, 4, len(objects))[of_row] == 0
        for name, keys in SOURCES.items():
            of_source = np.isin(data.labels["source"], keys) & real
            new = np.isin(data.objects, data.objects[of_source])
            base = train(data.subset(~new & ~(real & quarter)), seed)
            if ballast_table is None:
                ballast_table = simulated_ballast(base, names)[0]
            ballast = ballast_table, raw_probabilities(base, ballast_table)
            others = scored & quarter & ~new
            for n_labels in N_LABELS:
                marked, rest = draw(data, scored & of_source, n_labels, seed)
                if rest.any():
                    extended = extend(base, data, names, ballast, marked, seed)
                    of_class = [(data, rows, one) for rows in (rest, others)
                                for one in (base, extended)]  # fmt: skip
                    results.append((name, n_labels, *(macro_f1(*one) for one in of_class)))
    report(results)


def train(data, seed):
    """Train a model with the settings of the shipped one."""
    # Several threads need more CPU time.
    classifier = AlertClassifier(early_stopping_rounds=None, random_state=seed, n_jobs=1)
    return classifier.fit(data.table, data.y, sample_weight=data.balanced_weight)


def raw_probabilities(base, table):
    """Probabilities from the raw scores; the temperature of these models is 1."""
    return base.predict_proba(table)


def draw(data, rows, n_labels, seed):
    """Masks of the labelled alerts of random objects, and of the alerts of all other objects."""
    positions = np.flatnonzero(rows & (data.labels["evidence"] != BOGUS_EVIDENCE).to_numpy())
    order = np.random.default_rng(100 + seed).permutation(np.unique(data.objects[positions]))
    rank = pd.Index(order).get_indexer(data.objects[positions])
    chosen = positions[np.argsort(rank, kind="stable")][:n_labels]
    marked, rest = np.zeros((2, len(rows)), bool)
    marked[chosen] = True
    rest[positions] = ~np.isin(data.objects[positions], data.objects[chosen])
    if len(chosen) < n_labels or len(np.unique(data.objects[rest])) < FEWEST_OBJECTS:
        rest[:] = False
    return marked, rest


def extend(base, data, names, ballast, marked, seed):
    """Extend the model with the marked alerts and their degraded copies."""
    with_copies = data.labels["candid"].isin(data.labels["candid"][marked]).to_numpy()
    some = data.subset(with_copies & (data.labels["copy"] != "low drb").to_numpy())
    extension = Extension(base, some, names, ballast, seed)
    return extension.fit(extension.cross_validate()[0])


def macro_f1(data, rows, classifier):
    """Macro-F1 over the classes with enough objects; every object has the same weight."""
    y, objects = data.y[rows], data.objects[rows]
    predicted = classifier.predict(data.table[rows])
    weight = 1 / pd.Series(objects).groupby(objects).transform("size").to_numpy()
    scores = []
    for label in CLASSES:
        true, called = y == label, predicted == label
        if len(np.unique(objects[true])) >= FEWEST_OF_CLASS:
            both = weight[true].sum() + weight[called].sum()
            scores.append(2 * weight[true & called].sum() / both)
    return np.mean(scores)


def report(results):
    """Print means over the seeds."""
    columns = ["source", "labels", "rest before", "rest after", "others before", "others after"]
    table = pd.DataFrame(results, columns=columns)
    means = table.groupby(["source", "labels"], sort=False).mean().reset_index()
    overall = table.groupby("labels").mean(numeric_only=True).reset_index()
    means = pd.concat([means, overall.assign(source="mean")], ignore_index=True)
    rows = [[*columns, "change rest", "change others"]]
    for one in means[columns].itertuples(index=False):
        scores = one[2:]
        changes = (scores[1] - scores[0], scores[3] - scores[2])
        rows.append([one[0], str(one[1]), *(f"{score:.3f}" for score in scores),
                     *(f"{change:+.4f}" for change in changes)])  # fmt: skip
    print("\n".join(markdown_table(rows)), flush=True)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else SHARED_DATA)
