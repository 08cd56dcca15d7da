"""What the tests of sources share."""

import pytest


@pytest.fixture
def session(tmp_path):
    """A session without waiting times, with a separate cache."""
    pytest.importorskip("requests_cache")
    from ztfml.sources.web import open_session

    return open_session(cache=tmp_path / "cache" / "brokers.sqlite", timeout=0.8, backoff=0.0)


@pytest.fixture
def output(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "night.parquet"
