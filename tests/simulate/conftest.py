"""Simulated nights for the tests of the simulator, made once per session."""

from types import SimpleNamespace

import numpy as np
import pytest

from tests.simulate.helpers import N_ALERTS
from ztfml.simulate import simulate
from ztfml.simulate.source import ObservedNights
from ztfml.simulate.survey import observe


@pytest.fixture(scope="session")
def two_nights():
    nights, labels = zip(*simulate(N_ALERTS, n_nights=2, seed=4), strict=True)
    return SimpleNamespace(nights=nights, labels=labels)


@pytest.fixture(scope="session")
def balanced():
    return next(simulate(N_ALERTS, seed=9, mix="balanced"))


@pytest.fixture(scope="session")
def observed():
    survey = observe(np.random.default_rng(0), 2460474.5, 1)
    exposures = survey.of_night(0)
    fields = np.unique(survey.field[exposures])
    return ObservedNights(survey, fields, exposures, 2460474.5, 2460475.5)
