"""A simulated night in the layout of ztfml, to be written in other formats."""

import pytest

from tests.sources.formats.test_same_night import simulated
from ztfml import Night


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="module")
def expected(tables):
    return Night.from_frames(*tables)
