"""What all tests share."""

import os
from pathlib import Path

import pytest

_SHARED = Path(os.environ.get("ZTFML_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real alerts, light curves, packets and catalogues."""
    if not _SHARED.is_dir():
        pytest.skip(f"no real data at {_SHARED}; set ZTFML_TEST_DATA to its folder")
    return _SHARED
