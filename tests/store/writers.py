"""Processes that add nights to a store and are killed."""

import os
import random
import signal
import time

from tests.store.small import PLACES, curves, night_of
from ztfml.errors import DataError
from ztfml.store.add import add_night
from ztfml.store.store import Store

N_NIGHTS = 6


def make_nights(folder):
    return [night_of(folder, day) for day in range(N_NIGHTS)]


def add_all(folder, paths, seed=None, again=False):
    """Add nights, with a seed in a random order."""
    paths = list(paths)
    if seed is not None:
        random.Random(seed).shuffle(paths)
    for path in paths:
        add_night(Store.create(folder), path, again)


def add_without_end(folder, paths, seed):
    while True:
        add_all(folder, paths, seed, again=True)


def add_and_kill(folder, path, n_changes):
    """Add a night, and kill this process before the change number n_changes of the file system."""
    done = 0

    def counted(change):
        def call(*args, **kwargs):
            nonlocal done
            done += 1
            if done > n_changes:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*args, **kwargs)

        return call

    for function in ("rename", "replace", "unlink", "mkdir", "fsync"):
        setattr(os, function, counted(getattr(os, function)))
    add_night(Store.create(folder), path)


def read_all_the_time(folder, seconds):
    """Read while others write, and fail if a row of an added night is absent."""
    store = Store.open(folder)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        n_nights = len(store.records())
        try:
            found = curves(store)
        except DataError:
            assert n_nights == 0
            continue
        for name in PLACES:
            assert found[name]["magpsf"].notna().sum() >= n_nights
