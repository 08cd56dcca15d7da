"""Simulated nights and a model for the tests of the commands."""

import pytest

from tests.cli.run import ztfml
from ztfml.simulate import write_nights
from ztfml.taxonomy import LABELS


@pytest.fixture(scope="session")
def nights(tmp_path_factory):
    return write_nights(tmp_path_factory.mktemp("nights"), 1200, 3, seed=11)


@pytest.fixture(scope="session")
def model(nights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "mine"
    # Two small nights have few transients.
    result = ztfml("train", *nights[:2], "--classes", ",".join(LABELS), "-o", folder)
    assert result.stdout.startswith("Sources not used in training")
    return folder
