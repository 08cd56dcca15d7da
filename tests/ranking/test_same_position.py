"""Remarks about two names of one source in the ranked list."""

import numpy as np
import pytest

from tests.nights import random_night
from tests.ranking.rows import probabilities_of
from ztfml.features import compute
from ztfml.ranking import FastTransientScorer

ARCSEC = 1 / 3600


def ranked_at(positions, top=None):
    """Rank a night of one object per position."""
    night = random_night(3, n_objects=len(positions), max_alerts=1)
    ra, dec = np.array(positions, float).T
    order = np.argsort(np.argsort(night.alerts["objectId"].to_numpy(str)))
    night = night.replace(alerts=night.alerts.assign(ra=ra[order], dec=dec[order]))
    ranked = FastTransientScorer().rank(night, compute(night), probabilities_of(night), top)
    return ranked.set_index("objectId").sort_index()


@pytest.mark.parametrize(
    ("first", "second", "arcsec"),
    [
        ((150.0, 2.0), (150.0, 2.0 + 0.6 * ARCSEC), "0.6"),
        ((150.0, 60.0), (150.0 + 2 * ARCSEC, 60.0), "1.0"),
        ((359.9999, 0.0), (0.0001, 0.0), "0.7"),
        ((0.0, 89.9999), (180.0, 89.9999), "0.7"),
        ((150.0, 2.0), (150.0, 2.0), "0.0"),
        ((150.0, 2.0), (150.0, 2.0 + 1.6 * ARCSEC), None),
        ((150.0, 2.0), (np.nan, np.nan), None),
    ],
)
def test_two_objects_at_one_position_name_each_other(first, second, arcsec):
    ranked = ranked_at([first, second, (30.0, 10.0)])
    names = list(ranked.index)
    same = [text.partition("; same position as ")[2] for text in ranked["reasons"]]
    if arcsec is None:
        assert same == ["", "", ""]
    else:
        ending = f", {arcsec}″ away: one source with two names?"
        assert same == [names[1] + ending, names[0] + ending, ""]


def test_the_other_object_need_not_be_in_the_list():
    places = [(150.0, 2.0), (150.0, 2.0 + 0.6 * ARCSEC)]
    assert "same position as" in ranked_at(places, top=1)["reasons"].iloc[0]


def test_more_than_two_names_are_counted():
    places = [(150.0, 2.0), (150.0, 2.0 + 0.6 * ARCSEC), (150.0, 2.0 + 1.0 * ARCSEC)]
    text = ranked_at(places)["reasons"].iloc[0]
    assert text.endswith("and 1 more, 0.6″ away: one source with several names?")
