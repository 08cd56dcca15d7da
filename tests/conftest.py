"""What all tests share."""

import os
import signal
from pathlib import Path

import pytest

from tests.nights import random_night
from ztfml.features import compute

# A shell ignores Ctrl-C in commands it starts in the background, and their children inherit this.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED_DATA = Path(os.environ.get("ZTFML_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real alerts, light curves, packets and catalogues."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA}; set ZTFML_TEST_DATA to its folder")
    return SHARED_DATA


def pytest_sessionstart(session):
    """Compile the features once, before several processes need them."""
    runs_processes = getattr(session.config.option, "numprocesses", None)
    if runs_processes and not hasattr(session.config, "workerinput"):
        compute(random_night(1))
