"""The terms of the ranking, calculated by hand and as properties."""

import numpy as np
import pytest

from tests.nights import random_night
from tests.ranking.rows import INSTRUMENT, probabilities_of, term
from ztfml.features import compute
from ztfml.ranking import TERMS, load_ranking
from ztfml.ranking.learned import LEARNED, learned_inputs
from ztfml.ranking.quantities import Columns
from ztfml.ranking.terms import FIXED


def test_ages():
    assert term("young", confirmed_age=12.0) == pytest.approx(0.5)
    assert term("young", confirmed_age=1500.0) < 0.001


def test_stars():
    assert term("not_stellar", sgscore1=1.0, distpsnr1=0.3, star_offset=0.3) == 0
    assert term("not_stellar", sgscore1=0.02, distpsnr1=0.5) == pytest.approx(0.98)
    assert term("not_stellar") == 1


def test_a_single_detection_may_be_an_asteroid():
    once = {"n_det": 1.0, "n_nights": 1.0, "abs_ecl_lat": 3.0, "max_separation": np.nan}
    assert term("stationary", **once) == pytest.approx(0.05)
    assert term("stationary", **once | {"abs_ecl_lat": 60.0}) == 1
    assert term("stationary", **once | {"max_separation": 0.04}) == 1
    # Half an hour is enough, minutes are not.
    assert term("stationary", **once | {"max_separation": 0.002}) == pytest.approx(0.1)
    assert term("stationary", **once | {"max_separation": 0.04, "ssdistnr": 2.0}) == 0
    assert term("stationary", n_nights=3.0, max_separation=5.0, ssdistnr=2.0) == 1


def test_bright_and_real():
    limit = INSTRUMENT.limiting_magnitude
    assert term("bright", magpsf=limit, positive=1.0) == 0.5
    assert term("bright", magpsf=limit - 3, positive=0.0) == 0
    assert term("bright") == 0.5
    assert term("real", drb=0.9, rb=0.1, frac_positive=1.0, positive=1.0) == pytest.approx(0.9)
    assert term("real", rb=0.6, frac_positive=0.5, positive=1.0) == pytest.approx(0.3)
    assert term("real", drb=0.9, frac_positive=0.5, positive=0.0) == 0


@pytest.mark.filterwarnings("ignore")
def test_fixed_terms_are_between_0_and_1_and_never_nan():
    for seed in range(30):
        night = random_night(seed)
        columns = Columns(compute(night), probabilities_of(night, seed), INSTRUMENT, None)
        for name in FIXED:
            values = columns.call(TERMS[name].function)
            assert values.min() >= 0, name
            assert values.max() <= 1, name


def test_each_term_declares_its_plot():
    for name, term_ in TERMS.items():
        names = term_.function.__code__.co_varnames if name in FIXED else LEARNED[name].inputs
        assert term_.x in names, name
        assert term_.x_range[0] < term_.x_range[1]
        assert term_.meaning.endswith(".")


def test_each_input_of_the_trees_belongs_to_one_term():
    inputs = learned_inputs()
    assert len(inputs) == len(set(inputs))
    assert set(load_ranking().trees.inputs) == set(inputs)


def test_learned_terms_follow_their_inputs():
    """Rows of which only the inputs of one term differ."""
    trees = load_ranking().trees
    rows = np.array(load_ranking().card["probes"]["values"], float)
    other = rows.copy()
    for name in LEARNED["brightness"].inputs:
        other[:, trees.inputs.index(name)] += 2.0
    change = trees.log_odds(other) - trees.log_odds(rows)
    before, after = trees.terms(rows), trees.terms(other)
    assert np.abs(change).max() > 0.01
    assert sum(after[name] - before[name] for name in LEARNED) == pytest.approx(change, abs=1e-9)
