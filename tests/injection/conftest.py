"""A simulated night, the shipped model, and injected events, made once for all tests here."""

import pytest

from ztfml.injection.conditions import Conditions
from ztfml.injection.recovery import InjectedNight
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
def injected_night(night, model):
    return InjectedNight(night, model, repeats=12, seed=3)
