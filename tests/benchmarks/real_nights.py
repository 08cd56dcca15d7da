"""How good the classifier is on real nights and sources that it was not trained on.

    python -m tests.benchmarks.real_nights [DATA]

DATA is the folder that holds ``alerts/``; by default that of the tests. Prints macro-F1 and
the recall of every class, of models trained on real nights, on simulated ones, and on both.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from tests.conftest import SHARED_DATA
from ztfml.classifier import AlertClassifier, object_folds, probabilities
from ztfml.evaluation import metrics, out_of_part
from ztfml.files import open_parquet
from ztfml.scorecard import table_rows
from ztfml.sources.simulate import write_nights
from ztfml.taxonomy import LABELS
from ztfml.training import N_FOLDS, TrainingSet, read_training_set

OLD = ("ztf_alerts_2458312.5", "ztf_alerts_2458451.5")
NEW = ("ztf_alerts_2460235.5",)
ALL = "ztf_alerts_real"
SIMULATED = {"n_alerts": 6000, "n_nights": 3, "seed": 11}
FEWEST_LABELS = 30


def main(data):
    """Print both tables."""
    sets = {name: read_training_set([data / f"{name}.parquet"]) for name in (*OLD, *NEW, ALL)}
    with tempfile.TemporaryDirectory() as folder:
        simulated = read_training_set(write_nights(folder, **SIMULATED))
    classifier = AlertClassifier(class_weight="balanced")
    _print_nights(classifier, sets, simulated)
    _print_sources(classifier, sets[ALL], _sources(data, sets[ALL]), simulated)


def _print_nights(classifier, sets, simulated):
    rows = []
    for trained, tested in ((NEW, OLD), (OLD, NEW)):
        real = [sets[name] for name in trained]
        for what, known in (
            ("real", _join(real)),
            ("simulated", simulated),
            ("both", _join([*real, simulated])),
        ):
            for name in tested:
                names = " + ".join(night.removeprefix("ztf_alerts_") for night in trained)
                case = f"{names if what != 'simulated' else '-'}, {what}"
                figures = _score(classifier, known, sets[name])
                rows.append([case, name.removeprefix("ztf_alerts_"), *_cells(figures)])
    _print_table("Nights never seen", ["trained on", "tested on"], rows)


def _print_sources(classifier, real, sources, simulated):
    n_real = len(real.labels)
    both = _join([real, simulated])
    with_simulated = np.concatenate([sources, np.full(len(simulated.labels), "simulated")])
    code = pd.Index(LABELS).get_indexer(real.y)
    folds = object_folds(code, real.objects, N_FOLDS, seed=0)
    counts = pd.Series(sources).value_counts()
    large = counts.index[counts >= FEWEST_LABELS]
    cases = (
        ("five folds by object", "real", real, folds, range(N_FOLDS)),
        ("one source left out", "real", real, sources, large),
        ("one source left out", "both", both, with_simulated, large),
    )
    rows, by_source = [], []
    for split, what, known, parts, left_out in cases:
        predicted = out_of_part(
            classifier, known.table, known.y, known.objects, parts, known.weight, left_out
        ).iloc[:n_real]
        scored = predicted.notna().all(axis=1).to_numpy()
        for kind, chosen in (("all", scored), ("not circular", scored & ~_circular(real))):
            figures = metrics(real.y[chosen], predicted[chosen], real.objects[chosen])
            rows.append([split, f"{what}, {kind} labels", *_cells(figures)])
        if split == "one source left out":
            for source in large:
                here = scored & (sources == source)
                figures = metrics(real.y[here], predicted[here], real.objects[here])
                by_source.append([source, what, *_cells(figures)])
    _print_table(f"All of {ALL}", ["split", "trained and tested on"], rows)
    _print_table("Each source left out", ["source", "trained on"], by_source)


def _score(classifier, known, test):
    """Figures on a night, without objects that were trained on."""
    classifier.fit(known.table, known.y, sample_weight=known.weight, groups=known.objects)
    new = ~np.isin(test.objects, known.objects)
    predicted = probabilities(classifier, test.table[new])
    return metrics(test.y[new], predicted, test.objects[new])


def _join(sets):
    return TrainingSet(
        pd.concat([one.table for one in sets], ignore_index=True),
        pd.concat([one.labels for one in sets], ignore_index=True),
        [night for one in sets for night in one.nights],
    )


def _sources(data, known):
    # Where an alert was found is no field of a packet, so Night does not carry it.
    path = data / f"{ALL}.parquet"
    columns = open_parquet(path).read(["candid", "source_key"]).to_pandas()
    return columns.set_index("candid")["source_key"][known.labels["candid"]].to_numpy(str)


def _circular(known):
    return known.labels["circular"].to_numpy()


def _cells(figures):
    low, high = figures["intervals"]["macro_f1"]
    cells = [f"{figures['n']}", f"{figures['macro_f1']:.2f} ({low:.2f} to {high:.2f})"]
    for label in LABELS:
        one = figures["per_class"][label]
        found = "-" if one["recall"] is None else f"{one['recall']:.2f} of {one['support']}"
        cells.append(found)
    return cells


def _print_table(title, head, rows):
    head = [*head, "n", "macro-F1", *LABELS]
    print(f"\n{title}; by class: recall of how many\n")
    print("\n".join(table_rows([head, *rows])), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else SHARED_DATA) / "alerts")
