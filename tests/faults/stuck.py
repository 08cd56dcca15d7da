"""Commands that do not end, to test signals: ``python -m tests.faults.stuck COMMAND FILE``."""

import ctypes
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from ztfml.cli.group import ZtfmlGroup
from ztfml.io.atomic import write_beside

LONG = 60


@click.group(cls=ZtfmlGroup)
def main():
    pass


def _stuck(function):
    @click.argument("path", type=click.Path(path_type=Path))
    def command(path):
        with write_beside(path) as part:
            part.write_text("incomplete")
            print("ready", flush=True)
            function()

    main.command(function.__name__.replace("_", "-"))(command)


@_stuck
def python_code():
    while True:
        time.sleep(0.01)


@_stuck
def compiled_code():
    # Like a compiled loop: Python code does not run in this thread until it ends.
    ctypes.CDLL(None).nanosleep((ctypes.c_long * 2)(LONG, 0), None)


class _Interrupted(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


@_stuck
def restarted_code():
    # nanosleep ends at a signal; a compiled loop does not.
    rest = _Interrupted(LONG, 0)
    library = ctypes.CDLL(None)

    def wait():
        while library.nanosleep(ctypes.byref(rest), ctypes.byref(rest)):
            pass

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: wait(), range(2)))


@_stuck
def workers():
    import joblib

    joblib.Parallel(n_jobs=2)(joblib.delayed(time.sleep)(LONG) for _ in range(2))


@_stuck
def executor():
    from joblib.externals.loky import ProcessPoolExecutor

    futures = [ProcessPoolExecutor(2).submit(time.sleep, LONG)]
    futures[0].result()


if __name__ == "__main__":
    main(sys.argv[1:])
