"""Compare whole commands of this version with those of another, in alternation.

Run as ``python -m tests.benchmarks.side_by_side OTHER NIGHT``, where OTHER is the folder of another
version of the source and NIGHT an alerts file. The load of a shared computer changes both versions
alike, so the ratios are more reliable than the seconds.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ztfml.io.text_tables import markdown_table

RUNS = 3
COMMANDS = {"features": ".parquet", "predict": ".parquet", "rank": ".csv", "report": ".html"}


def cost(source, command, night, output):
    """CPU seconds, wall seconds and peak memory (MB) of a command with the code in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(source)}
    arguments = [sys.executable, "-m", "ztfml", command, str(night), "-q", "-o", str(output)]
    started = time.perf_counter()
    # With -m, Python imports from the working folder first.
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, env=environment, cwd=source)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {' '.join(arguments)}")
    wall = time.perf_counter() - started
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


def main(other, night):
    """Print a table of medians and ratios."""
    sources, night = (Path(other).resolve(), Path.cwd()), Path(night).resolve()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for command, suffix in COMMANDS.items():
            output = Path(folder) / f"output{suffix}"
            for source in sources:
                cost(source, command, night, output)  # compiles what is not compiled yet
            runs = [[cost(one, command, night, output) for one in sources] for _ in range(RUNS)]
            medians = [
                [statistics.median(run[k][value] for run in runs) for value in range(3)]
                for k in range(2)
            ]
            ratios = [f"{now / before:.2f}" for before, now in zip(*medians, strict=True)]
            rows.append(
                [f"ztfml {command}", f"{medians[0][0]:.1f}", f"{medians[1][0]:.1f}", *ratios]
            )
    head = ["command", "before, CPU s", "now, CPU s", "ratio, CPU", "ratio, wall", "ratio, memory"]
    print(*markdown_table([head, *rows]), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
