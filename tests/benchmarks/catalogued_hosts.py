"""How many injected events and other alerts have a host in the catalogue of a simulated night.

Run with ``python -m tests.benchmarks.catalogued_hosts NIGHT`` on a night of ``ztfml simulate``.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.catalogs.galaxies import GalaxyCatalog
from ztfml.features import compute
from ztfml.injection.conditions import Conditions
from ztfml.injection.host_galaxies import match_injected
from ztfml.injection.observing import inject
from ztfml.injection.populations import KINDS
from ztfml.io.companions import galaxies_beside, labels_beside
from ztfml.labels.label_file import read_labels
from ztfml.night import Night

PEAK = 20.0
CHANCE = 0.1
PER_KIND = 40


def main():
    """Print fractions by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("night", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    night = Night.load(options.night)
    path = galaxies_beside(options.night)
    catalog = GalaxyCatalog.load(path, cache=False)
    injected = inject(Conditions(night), dict.fromkeys(KINDS, PER_KIND), options.seed)
    matched = match_injected(injected, catalog, options.seed)
    events = injected.events
    last = ~pd.Series(injected.event).duplicated(keep="last").to_numpy()
    table = compute(matched)[last].set_axis(injected.event[last])
    table = table.assign(
        kind=events["kind"], peak=events["peak_mag"], true_z=events["z"], r=events["host_total"],
        nights=events["n_nights"], host=matched.alerts["galaxy_name"].to_numpy()[last] == "host",
    )  # fmt: skip
    table = table[table["peak"] < PEAK]
    print(f"injected events, peak < {PEAK:.0f}; host: its host is the catalogued galaxy")
    by_kind = table.groupby("kind").agg(
        events=("host", "size"), z=("true_z", "median"), host_r=("r", "median"),
        host=("host", "mean"), abs_mag=("abs_mag", "median"),
    )  # fmt: skip
    print(by_kind.round(2).to_string())
    one = table["nights"] < 2
    print(f"all kinds: {table['host'].mean():.2f}; one night: {table['host'][one].mean():.2f}")
    labels = read_labels(labels_beside(options.night))
    others = compute(catalog.match(night))
    candid = pd.Series(labels["label"].to_numpy(), index=labels["candid"].to_numpy())
    label = candid.reindex(night.alerts["candid"]).to_numpy()
    near = np.asarray(others["galaxy_chance"] < CHANCE)
    print(f"alerts of the night with a catalogued galaxy of chance < {CHANCE}, by class")
    print(pd.Series(near).groupby(label).agg(["size", "mean"]).round(3).to_string())


if __name__ == "__main__":
    main()
