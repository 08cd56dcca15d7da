"""What all tests share."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(os.environ.get("ZTFML_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real alerts, light curves, packets and catalogues."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data at {SHARED_DATA}; set ZTFML_TEST_DATA to its folder")
    return SHARED_DATA
