"""A broker for the tests that need one."""

import pytest

from tests.stream.broker import Broker, NoBrokerError


@pytest.fixture
def broker(tmp_path):
    with open(tmp_path / "broker.log", "w") as log:
        try:
            one = Broker(log)
            one.start()
        except NoBrokerError as reason:
            pytest.skip(str(reason))
        yield one
        one.kill()
