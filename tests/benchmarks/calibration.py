"""Count the fast transients among the objects of each score, on a night with injected events.

    python -m tests.benchmarks.calibration NIGHT.parquet [--seed SEED] [--repeats N]

NIGHT is a night of ``ztfml simulate`` with its labels. Its own fast transients do not count.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.special import expit

from ztfml.injection.recovery import InjectedNight, final_log_odds
from ztfml.io.companions import labels_beside
from ztfml.labels.label_file import read_labels
from ztfml.model.model import Model
from ztfml.ranking import FastTransientScorer
from ztfml.sources.formats import open_night

EDGES = (0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("night", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=60)
    args = parser.parse_args()
    night, scorer = open_night(args.night), FastTransientScorer()
    made = InjectedNight(night, Model.load(), args.repeats, seed=args.seed)
    labels = read_labels(labels_beside(args.night))
    others, events = map(expit, final_log_odds(made, scorer, labels))
    print("| score | events per night | other objects | fraction fast | mean score |")
    print("| --- | --- | --- | --- | --- |")
    for low, high in pairwise(EDGES):
        found = [one[(one >= low) & (one < high)] for one in (events, others)]
        n_events, n_others = len(found[0]) / args.repeats, len(found[1])
        total = n_events + n_others
        mean = (found[0].sum() / args.repeats + found[1].sum()) / total if total else np.nan
        fraction = n_events / total if total else np.nan
        print(f"| {low} to {high} | {n_events:.2f} | {n_others} | {fraction:.2f} | {mean:.2f} |")


if __name__ == "__main__":
    main()
