"""What each feature costs on the full simulated night, on one core.

    python -m tests.benchmarks.each_feature

Features of alert columns are timed one by one. Those of light curves are written by compiled
code, a group at a time: of a group the time is given that a loop over the night takes longer
with it than without, and the mean of its features. All values are compared with those of
`features.compute`, so that what is timed is what is computed. Needs the night that
``python -m tests.benchmarks.inputs`` makes.
"""

import sys
from typing import NamedTuple

import numpy as np

from tests.benchmarks.inputs import FULL, night_of
from tests.benchmarks.timing import machine, seconds_of
from ztfml import features
from ztfml.compiled import kernel
from ztfml.features import (
    FEATURES,
    colour,
    counts,
    episodes,
    rates,
    timescales,
    timing,
    tonight,
    variability,
)
from ztfml.features.packet import packet_fields, packet_of
from ztfml.features.table import RECORD, RECORD_POSITIONS
from ztfml.io.text_tables import markdown_table
from ztfml.lightcurves.light_curve import light_curve_of, make_workspace
from ztfml.lightcurves.night_means import night_means_of
from ztfml.night import Night

RUNS = 5
TOO_MUCH = 0.1
WORTH_A_ROW = 0.005

_ALERT = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")


def main():
    """Print what costs most, and sum up the rest."""
    night = Night.load(night_of(FULL))
    values = np.full((len(night), len(FEATURES)), np.nan)
    costs = _time_columns(night.alerts, values)
    records = np.full((len(night), len(RECORD_POSITIONS)), np.nan)
    costs += _time_groups(night, records.view(RECORD)[:, 0])
    values[:, RECORD_POSITIONS] = records
    _check(values, features.compute(night))
    costs.sort(key=lambda cost: -cost.seconds)
    whole = sum(cost.seconds for cost in costs)
    shown = [cost for cost in costs if cost.most() > WORTH_A_ROW * whole]
    print(
        f"{machine()}.\n{len(night):,} alerts, {len(FEATURES)} features in {whole:.2f} s "
        f"on one core, the fastest of {RUNS} runs each:\n"
    )
    head = ["group or feature", "features", "ms", "ms, first call", "share", "of a feature", ""]
    print("\n".join(markdown_table([head, *(_row(cost, whole) for cost in shown)])))
    print(f"\n{len(costs) - len(shown)} others, each at most {WORTH_A_ROW:.1%}.")


class Cost(NamedTuple):
    """What some features cost; ``first`` is that of a first call where one was timed."""

    name: str
    features: int
    seconds: float
    first: float | None = None

    def most(self):
        """The larger of both."""
        return max(self.seconds, self.first or 0.0)


def _row(cost, whole):
    return [
        cost.name,
        str(cost.features or "-"),
        f"{1e3 * cost.seconds:.1f}",
        "-" if cost.first is None else f"{1e3 * cost.first:.1f}",
        f"{cost.seconds / whole:.1%}",
        f"{cost.seconds / whole / cost.features:.1%}" if cost.features else "-",
        "above a tenth" if cost.most() > TOO_MUCH * whole else "",
    ]


# --- features of alert columns -----------------------------------------------------------


def _time_columns(alerts, values):
    costs = []
    for position, feature in enumerate(FEATURES):
        if feature.column is not None:
            call = (_fill_column, alerts, feature, values[:, position])
            first, *again = [seconds_of(*call)[0] for _ in range(RUNS + 1)]
            costs.append(Cost(feature.name, 1, min(again), first))
    return costs


def _fill_column(alerts, feature, out):
    missing = np.full(len(alerts), np.nan)
    fields = (field.rpartition(".")[2] for field in feature.reads)
    out[:] = feature.column(*(alerts[f].to_numpy() if f in alerts else missing for f in fields))


# --- features of light curves ------------------------------------------------------------


@kernel
def _nothing(curve, means, packet, workspace, row):
    pass


# The compiled function of each group of features of light curves.
_GROUPS = {
    module.GROUP: module.write
    for module in (counts, timing, episodes, rates, tonight, colour, variability, timescales)
}


def _loop_over_curves():
    @kernel
    def loop(history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, fields, workspace, rows):
        total = 0.0  # so that nothing is optimised away
        for k in range(len(rows)):
            curve = light_curve_of(
                history, first[k], last[k], jd[k], fid[k], magpsf[k], sigmapsf[k], isdiffpos[k],
                workspace,
            )  # fmt: skip
            total += curve.g.flux.sum() + curve.r.flux.sum() + len(curve.limit_jd)
        return total

    return loop


def _loop_over(write):
    @kernel
    def loop(history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, fields, workspace, rows):
        total = 0.0
        for k in range(len(rows)):
            curve = light_curve_of(
                history, first[k], last[k], jd[k], fid[k], magpsf[k], sigmapsf[k], isdiffpos[k],
                workspace,
            )  # fmt: skip
            means = night_means_of(curve, workspace)
            total += curve.g.flux.sum() + curve.r.flux.sum() + len(curve.limit_jd)
            total += means[0].mag.sum() + means[1].mag.sum() + means[2].mag.sum()
            write(curve, means, packet_of(fields, k), workspace, rows[k])
        return total

    return loop


def _time_groups(night, rows):
    alert = [night.alerts[field].to_numpy() for field in _ALERT]
    workspace = make_workspace((night.last - night.first).max())
    given = (
        night.history,
        night.first,
        night.last,
        *alert,
        packet_fields(night.alerts),
        workspace,
        rows,
    )
    loops = [_loop_over_curves(), _loop_over(_nothing), *map(_loop_over, _GROUPS.values())]
    for loop in loops:
        loop(*given)  # compiles
    # In turn, so that a slow moment of the machine hits all alike.
    rounds = [[seconds_of(loop, *given)[0] for loop in loops] for _ in range(RUNS)]
    curves, means, *groups = map(min, zip(*rounds, strict=True))
    costs = [
        Cost("(light curves as of the alerts)", 0, curves),
        Cost("(night means)", 0, means - curves),
    ]
    for group, seconds in zip(_GROUPS, groups, strict=True):
        number = sum(feature.column is None for feature in group.features)
        costs.append(Cost(f"({group.name})", number, max(seconds - means, 0.0)))
    return costs


def _check(values, expected):
    same = np.isclose(values, expected.to_numpy(), rtol=1e-9, atol=0, equal_nan=True).all(axis=0)
    if not same.all():
        names = ", ".join(expected.columns[~same])
        sys.exit(f"what is timed is not what features.compute gives: {names}")


if __name__ == "__main__":
    main()
