"""A simulated night to inject into, and the model that ships, once for all tests here."""

import pytest

from ztfml.injection.conditions import Conditions
from ztfml.injection.recovery import Stage
from ztfml.io.companions import labels_beside
from ztfml.labels.label_file import read_labels
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.simulate import write_nights


@pytest.fixture(scope="session")
def night_path(tmp_path_factory):
    (path,) = write_nights(tmp_path_factory.mktemp("injection"), 2500, seed=21)
    return path


@pytest.fixture(scope="session")
def night(night_path):
    return Night.load(night_path)


@pytest.fixture(scope="session")
def labels(night_path):
    return read_labels(labels_beside(night_path))


@pytest.fixture(scope="session")
def model():
    return Model.load()


@pytest.fixture(scope="session")
def conditions(night):
    return Conditions(night)


@pytest.fixture(scope="session")
def stage(night, model):
    return Stage(night, model, repeats=12, seed=3)
