"""A night with unusual objects and its page."""

import pytest

from tests.report import nights
from ztfml.report import render, summarize


@pytest.fixture(scope="session")
def night():
    return nights.odd_night(n_plain=60)


@pytest.fixture(scope="session")
def fetched_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd") / "odd_fetched"
    nights.fetch(folder)
    return folder


@pytest.fixture(scope="session")
def summary(night, fetched_folder):
    predictions = nights.predictions_of(night)
    return summarize(night, predictions, nights.ranked_of(night, predictions), None, fetched_folder)


@pytest.fixture(scope="session")
def page(summary, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "night.html"
    path.write_text(render(summary), encoding="utf-8")
    return path
