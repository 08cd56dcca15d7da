"""Time a full simulated night, step by step, and compare it with other programs.

Run as ``python -m tests.benchmarks.full_night`` (or ``make bench``). The night has the size of
the public night of JD 2460474.5. It and smaller nights are simulated once and kept in ``.bench``.
Each table is printed as soon as it is complete.
"""

import json
import shutil
import subprocess
import sys

from tests.benchmarks import many_nights, tables
from tests.benchmarks.inputs import FEATURES, FOLDER, FULL, SIZES, SMALLEST, links_to_full, night_of
from tests.benchmarks.timing import machine, median_run, run, run_module

RUNS = 5
NIGHTS = (1, 10, 30)
ZTFML = [sys.executable, "-m", "ztfml"]


def main():
    """Measure and print."""
    made = _make_inputs()
    night, history_rows = night_of(FULL), made["history_rows"]
    for command in _commands(night_of(SMALLEST), made).values():
        run(command)  # compiles what is not compiled yet
    _print(f"{machine()}.", f"{SIZES[FULL]:,} alerts, {history_rows[FULL]:,} history rows.\n")

    steps = json.loads(run_module("steps", night, made["model"], RUNS).output)
    _check_space(max(NIGHTS))
    _print(tables.steps_table(steps))

    bare = median_run([sys.executable, "-m", "tests.benchmarks.bare", night], RUNS)
    typed = _time_commands(night, made)
    _print(tables.processes_table({"bare read": bare, **typed}, RUNS, made["ships"]))

    by_size = {
        size: typed if size == FULL else _time_commands(night_of(size), made) for size in SIZES
    }
    _print(tables.growth_table(by_size, history_rows))

    _print(tables.nights_table({number: _time_nights(number) for number in NIGHTS}))

    many_nights.measure()

    ways = {name: _time_way(name, night) for name in tables.WAYS}
    _print(tables.ways_table(ways, steps, RUNS))

    exercise = {name: _time_way(name, night)[0]["seconds"] for name in tables.EXERCISE}
    _print(tables.exercise_table(exercise, steps))


def _make_inputs():
    # Its remarks go to the terminal, for the first time takes minutes.
    command = [sys.executable, "-m", "tests.benchmarks.inputs"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def _commands(night, made):
    model = [] if made["ships"] else ["-m", made["model"]]
    return {
        "ztfml features": [*ZTFML, "features", night, "-o", FEATURES],
        "ztfml predict": [*ZTFML, "predict", night, *model, "-o", FOLDER / "predictions.parquet"],
        "ztfml rank": [*ZTFML, "rank", night, *model, "-o", FOLDER / "ranked.csv"],
    }


def _time_commands(night, made):
    return {name: median_run(command, RUNS) for name, command in _commands(night, made).items()}


def _check_space(n_nights):
    """Refuse to fill the disk with the features of many nights."""
    needed = 1.2 * n_nights * FEATURES.stat().st_size
    free = shutil.disk_usage(FOLDER).free
    if needed > free:
        raise SystemExit(
            f"{FOLDER}: {n_nights} nights of features need {needed / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free"
        )


def _time_nights(number):
    out = FOLDER / "nights.parquet"
    try:
        return run([*ZTFML, "features", *links_to_full(number), "-o", out])
    finally:
        out.unlink(missing_ok=True)


def _time_way(name, night):
    """What a comparator printed, and its process."""
    process = run_module("comparators", name, night, RUNS)
    return json.loads(process.output), process


def _print(*lines):
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()
