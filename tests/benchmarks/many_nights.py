"""Time many nights in one command: nights per minute with 1 and 2 processes, and the memory.

Run as ``python -m tests.benchmarks.many_nights`` (it is part of ``make bench``). The nights are
hard links to the simulated nights of `tests.benchmarks.inputs`.
"""

import shutil
import sys

from tests.benchmarks.inputs import FOLDER, FULL, SIZES, SMALLEST, companions_of, night_of
from tests.benchmarks.tables import memory_table, survey_table, throughput_table
from tests.benchmarks.timing import machine, run, run_module

COMMANDS = ("features", "predict", "rank")
JOBS = (1, 2)
FULL_NIGHTS = 4
FEW, MANY = 3, 300
_OUT = FOLDER / "many_out"


def links_to(size, number):
    """Make nights that are hard links to one night, because a batch resolves symbolic links."""
    folder = FOLDER / "many" / str(SIZES[size])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    night = night_of(size)
    links = [folder / f"night_{k:03}.parquet" for k in range(number)]
    for link in links:
        link.hardlink_to(night)
        for file in companions_of(night):
            (folder / file.name.replace(night.stem, link.stem)).hardlink_to(file)
    return links


def time_batch(command, nights, jobs=1):
    """Process nights into an empty folder."""
    shutil.rmtree(_OUT, ignore_errors=True)
    start = [sys.executable, "-m", "ztfml", command]
    try:
        return run([*start, *nights, "-o", f"{_OUT}/", "--jobs", jobs, "-q"])
    finally:
        shutil.rmtree(_OUT, ignore_errors=True)


def measure():
    """Print the tables."""
    nights = links_to(FULL, FULL_NIGHTS)
    seconds = {
        command: [time_batch(command, nights, jobs).seconds for jobs in JOBS]
        for command in COMMANDS
    }
    print(throughput_table(seconds, JOBS, FULL_NIGHTS), flush=True)
    print(survey_table(seconds, JOBS, FULL_NIGHTS), flush=True)
    nights = links_to(SMALLEST, MANY)
    done = {number: time_batch("rank", nights[:number]) for number in (FEW, MANY)}
    print(memory_table(done, SIZES[SMALLEST]), flush=True)
    shutil.rmtree(FOLDER / "many")


if __name__ == "__main__":
    run_module("inputs")
    print(f"{machine()}.\n", flush=True)
    measure()
