"""Processes that are forked from one that has imported everything."""

import multiprocessing

import pytest

from tests.nights import random_night
from ztfml.features import compute


@pytest.fixture(scope="session")
def start():
    """Start a function of `tests.faults` in a new process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.commands"])

    def start(function, *args):
        process = context.Process(target=function, args=args)
        process.start()
        return process

    return start


@pytest.fixture(scope="session")
def compiled():
    """Compile the feature functions, so that time limits of commands do not include it."""
    compute(random_night(0))
