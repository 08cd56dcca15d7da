"""The server of the fuzz tests, started once."""

import pytest

from tests.fuzz.harness import Server


@pytest.fixture(scope="session")
def fuzz_server():
    pytest.importorskip("alerce")
    with Server() as server:
        yield server
