"""Measure time and memory of a process or a call, and describe the machine."""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

from joblib import cpu_count


class Run(NamedTuple):
    """A process that has ended: wall seconds, peak resident memory in GB, standard output."""

    seconds: float
    memory: float
    output: str


def run(command):
    """Run a process to its end.

    Linux counts the memory of the parent at the time of the fork in the peak of the child, so the
    calling program must use little memory.
    """
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status != 0:
            errors.seek(0)
            why = errors.read().decode().strip().splitlines()[-1:]
            raise SystemExit(f"failed: {' '.join(command)[:300]}: {' '.join(why)}")
    return Run(seconds, usage.ru_maxrss * 1024 / 1e9, output)


def run_module(name, *arguments):
    """Run a module of these benchmarks in a separate process."""
    return run([sys.executable, "-m", f"tests.benchmarks.{name}", *arguments])


def seconds_of(function, *arguments):
    """Return the seconds that a call takes, and its result."""
    started = time.perf_counter()
    value = function(*arguments)
    return time.perf_counter() - started, value


def median_run(command, runs):
    """Median seconds and largest memory of several runs of a process."""
    done = [run(command) for _ in range(runs)]
    seconds = statistics.median(one.seconds for one in done)
    return Run(seconds, max(one.memory for one in done), done[-1].output)


def machine():
    """Date, processor, cores, memory and Python in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{date.today()}; {_processor()}, {cpu_count()} cores, {memory:.0f} GB; "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
