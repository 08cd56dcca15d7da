"""Time a full simulated night, step by step and as typed, beside the bare read of its columns.

Run as ``python -m tests.benchmarks.full_night`` (or ``make bench``). The night, of the size of
the public night of JD 2460474.5, is simulated once and kept in ``.bench``.
"""

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(".bench")
N_ALERTS = 153_489
RUNS = 5

_BARE_READ = """
import pyarrow.parquet as pq
from ztfml.night import history_beside
from ztfml.schema import ALERT_COLUMNS, HISTORY_COLUMNS
for path, columns in ((night, ALERT_COLUMNS), (history_beside(night), HISTORY_COLUMNS)):
    names = set(pq.read_schema(path).names)
    wanted = [column.in_file for column in columns if column.in_file in names]
    pq.read_table(path, columns=wanted, read_dictionary=["objectId", "isdiffpos"])
"""
_LOAD = "from ztfml.night import Night; loaded = Night.load(night)"
_STEPS = f"""
import time
from ztfml.modelfile import load_model
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer
from ztfml import features
from ztfml.classifier import probabilities
loaded_model = load_model(model)
features.compute(Night.load(night).subset(range(100)))   # loads the compiled code
clock = time.perf_counter
begun = clock(); {_BARE_READ.strip()}
print("bare read of the columns,", clock() - begun)
begun = clock(); loaded = Night.load(night); print("Night.load,", clock() - begun)
begun = clock(); table = features.compute(loaded); print("features,", clock() - begun)
begun = clock(); p = probabilities(loaded_model.classifier, table)
print("probabilities,", clock() - begun)
begun = clock(); FastTransientScorer().rank(loaded, table, p, top=12)
print("ranking,", clock() - begun)
"""


def main():
    """Print the table."""
    night, model = _prepare()
    rows = Path(f"{night.with_suffix('')}_prv_candidates.parquet")
    import pyarrow.parquet as pq

    n_rows = pq.ParquetFile(rows).metadata.num_rows
    print(
        f"\n{N_ALERTS:,} alerts, {n_rows:,} history rows; {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}; median of {RUNS} runs\n"
    )
    print("| step, in one process | seconds | times the bare read |\n| --- | ---: | ---: |")
    setting = f"night, model = {str(night)!r}, {str(model)!r}\n"
    steps = [_parts(_python(setting + _STEPS)[2]) for _ in range(RUNS)]
    bare = statistics.median(run["bare read of the columns"] for run in steps)
    for step in steps[0]:
        seconds = statistics.median(run[step] for run in steps)
        print(f"| {step} | {seconds:.2f} | {seconds / bare:.1f} |")
    print("\n| whole process | seconds | times the bare read | peak memory, GB |")
    print("| --- | ---: | ---: | ---: |")
    ztfml = [sys.executable, "-m", "ztfml"]
    out = FOLDER / "out"
    commands = {
        "bare read": [sys.executable, "-c", setting + _BARE_READ],
        "Night.load": [sys.executable, "-c", setting + _LOAD],
        "ztfml features": [*ztfml, "features", night, "-o", f"{out}.parquet"],
        "ztfml predict": [*ztfml, "predict", night, "-m", model, "-o", f"{out}.parquet"],
        "ztfml rank": [*ztfml, "rank", night, "-m", model, "-o", f"{out}.csv"],
    }
    bare = None
    for name, command in commands.items():
        runs = [_run(list(map(str, command)))[:2] for _ in range(RUNS)]
        seconds = statistics.median(run[0] for run in runs)
        bare = bare or seconds
        memory = max(run[1] for run in runs)
        print(f"| {name} | {seconds:.2f} | {seconds / bare:.1f} | {memory:.2f} |")


def _prepare():
    """The full night and a model, made on the first run."""
    from ztfml.sources.simulate import write_nights
    from ztfml.training import train

    FOLDER.mkdir(exist_ok=True)
    model = FOLDER / "model"
    if not model.exists():
        train(write_nights(FOLDER, 5000, 2, seed=2, start_jd=2460400.5), model)
    night = FOLDER / "ztf_alerts_2460474.5.parquet"
    if not night.exists():
        begun = time.perf_counter()
        write_nights(FOLDER, N_ALERTS, 1, seed=1)
        print(f"simulated the night in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return night, model


def _parts(output):
    lines = (line.rsplit(",", 1) for line in output.splitlines())
    return {name: float(seconds) for name, seconds in lines}


def _python(code):
    return _run([sys.executable, "-c", code])


def _run(command):
    """Wall seconds, peak memory in GB and the output of a process."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    if status != 0:
        raise SystemExit(f"failed: {' '.join(command)[:200]}")
    return seconds, usage.ru_maxrss * 1024 / 1e9, output


if __name__ == "__main__":
    main()
