"""Time the steps of a night in one warm process.

Run as ``python -m tests.benchmarks.steps NIGHT MODEL RUNS``; prints the seconds of each step
and run as JSON.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from tests.benchmarks.bare import bare_read
from tests.benchmarks.inputs import FEATURES
from tests.benchmarks.tables import BARE, PARQUET_TO_PARQUET
from tests.benchmarks.timing import seconds_of
from ztfml import features
from ztfml.cli import main as ztfml
from ztfml.model.model import Model
from ztfml.model.probabilities import probabilities
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer


def parquet_to_parquet(night):
    """Run ``ztfml features`` in this process."""
    command = ["features", str(night), "-q", "-o", str(FEATURES)]
    with contextlib.redirect_stdout(io.StringIO()):
        ztfml(command, standalone_mode=False)


def time_steps(night, model):
    """Measure the seconds of each step, in order."""
    seconds = {BARE: seconds_of(bare_read, night)[0]}
    # Write to a new file: the time to remove an old one depends on the disk.
    FEATURES.unlink(missing_ok=True)
    seconds[PARQUET_TO_PARQUET] = seconds_of(parquet_to_parquet, night)[0]
    seconds["Night.load"], loaded = seconds_of(Night.load, night)
    seconds["features.compute"], table = seconds_of(features.compute, loaded)
    seconds["probabilities"], p = seconds_of(probabilities, model.predictor, table)
    rank = FastTransientScorer().rank
    seconds["ranking"], _ = seconds_of(lambda: rank(loaded, table, p, top=12))
    return seconds


def main(night, model, runs):
    """Print the seconds of all runs except the first, which is a warm-up."""
    night, model = Path(night), Model.load(model)
    time_steps(night, model)
    print(json.dumps([time_steps(night, model) for _ in range(int(runs))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
