"""A small simulated night for the examples in docstrings, in a temporary folder."""

import logging

import pytest
from _pytest.doctest import DoctestItem

JD = 2460477.5


@pytest.fixture(scope="session")
def example_night(tmp_path_factory):
    """A folder with ``night.parquet``, its history and labels, and the names in the examples."""
    import numpy as np
    import pandas as pd

    from ztfml import Model, Night, features
    from ztfml.io.companions import galaxies_beside, history_beside, labels_beside
    from ztfml.simulate import write_nights

    folder = tmp_path_factory.mktemp("examples")
    (written,) = write_nights(folder, 300, 1, seed=8, start_jd=JD)
    path = folder / "night.parquet"
    for place in (history_beside, labels_beside, galaxies_beside, lambda name: name):
        place(written).rename(place(path))
    night = Night.load(path)
    model = Model.load()
    predictions, ranked = model.predict_and_rank(night)
    return folder, {
        "np": np,
        "pd": pd,
        "Model": Model,
        "Night": Night,
        "features": features,
        "night": night,
        "model": model,
        "table": features.compute(night),
        "predictions": predictions,
        "ranked": ranked,
        "object_id": ranked["objectId"][0],
    }


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_user(tmp_path_factory):
    """Hide the ztfml.toml of the person who runs the tests, also from subprocesses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config_home")))
        yield


@pytest.fixture(autouse=True)
def _examples_have_a_night(request, doctest_namespace, monkeypatch):
    """Run every docstring example in the folder of the example night."""
    if isinstance(request.node, DoctestItem):
        folder, names = request.getfixturevalue("example_night")
        doctest_namespace.update(names)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))


@pytest.fixture(autouse=True)
def _logger_of_a_new_process():
    """Undo what a command sets: each sends the messages of ztfml to its own standard error.

    A fixture of a module may have run a command before the test.
    """
    logger = logging.getLogger("ztfml")
    logger.setLevel(logging.NOTSET)
    logger.propagate, logger.handlers = True, []
