"""Ctrl-C and SIGTERM end a command within a second, with one line and without leftovers."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.faults.writers import names_in

SIGNALS = {signal.SIGINT: (130, "Interrupted."), signal.SIGTERM: (143, "Terminated.")}
# A second, and time for a busy computer.
MOST_SECONDS = 5.0


def run_until_ready(command, path):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.stuck", command, path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    "command", ["python-code", "compiled-code", "restarted-code", "workers", "executor"]
)
def test_a_signal_ends_a_command(command, number, tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    process = run_until_ready(command, path)
    time.sleep(0.2)
    children = children_of(process.pid)
    begin = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - begin < MOST_SECONDS
    code, message = SIGNALS[number]
    assert process.returncode == code
    assert errors == f"{message}\n"
    assert path.read_text() == "old"
    assert names_in(tmp_path) == {"out.csv"}
    for child in children:
        wait_until_gone(child)


INTERRUPTED_IMPORT = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, *_):
        if name == sys.argv[-1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from ztfml.__main__ import run
run()
"""


@pytest.mark.parametrize("module", ["click", "ztfml.cli.group", "pandas", "ztfml.io.parquet"])
def test_ctrl_c_during_an_import(module):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IMPORT, "features", "-o", "a.csv", "none.csv", module],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(number) for number in file.read().split()]


def wait_until_gone(pid):
    deadline = time.monotonic() + MOST_SECONDS
    while os.path.exists(f"/proc/{pid}"):
        with open(f"/proc/{pid}/stat") as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                return
        assert time.monotonic() < deadline, "a worker process runs on"
        time.sleep(0.02)
