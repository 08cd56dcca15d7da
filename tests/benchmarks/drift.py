"""Measure the limits of drift reports: nights as they are, and the same nights with faults.

    python -m tests.benchmarks.drift NIGHT...

For each night and each fault it prints the largest increase of missing values and of values outside
the usual range, the largest population stability index, and the number of features that differ.
"""

import sys
from pathlib import Path

import numpy as np

from ztfml import Model, Night
from ztfml.io.text_tables import markdown_table
from ztfml.training.missing_fields import EXPORTS, FIELD_GROUPS, fields_outside, without_fields


def faults(night):
    """Names and nights: the night as it is, and with faults."""
    alerts = night.alerts

    def changed(**columns):
        return night.replace(alerts=alerts.assign(**columns))

    yield "as it is", night
    for name in EXPORTS:
        yield f"as in {name}", without_fields(night, fields_outside(name))
    yield "no drb", without_fields(night, FIELD_GROUPS["drb"])
    yield "no history", night.replace(history_days=0)
    yield "0.5 mag fainter", changed(magpsf=alerts["magpsf"] + 0.5)
    yield "rb in percent", changed(rb=100 * alerts["rb"])
    yield "PS1 distances in arcmin", changed(distpsnr1=alerts["distpsnr1"] / 60)
    yield "one PS1 neighbour for all", changed(sgscore1=0.2, distpsnr1=120.0)
    yield "doubled seeing", changed(fwhm=2 * alerts["fwhm"])


def measure(night, model):
    """The row of a night in the printed table."""
    table = model.all_features(night)
    found = model.drift(table, model.predict(night, table=table)).set_index("feature")
    kinds = {
        "missing": found["missing"] - found["missing_training"],
        "outside": found["outside"] - found["outside_training"],
        "psi": found["psi"],
    }
    largest = [f"{one.max():.2f} {one.idxmax()}" for one in kinds.values()]
    return [*largest, f"{np.sum(found['differs'])}"]


def main():
    model = Model.load()
    rows = [["night", "fault", "more missing", "more outside", "PSI", "features that differ"]]
    for path in map(Path, sys.argv[1:]):
        for name, night in faults(Night.load(path)):
            rows.append([path.stem, name, *measure(night, model)])
    print("\n".join(markdown_table(rows)))


if __name__ == "__main__":
    main()
