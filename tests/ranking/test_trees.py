"""The trees of the ranking: what they see, and files that cannot be theirs."""

import hashlib

import numpy as np
import pytest

from tests.ranking.rows import INSTRUMENT, features, probabilities
from ztfml.errors import DataError
from ztfml.features import FEATURES
from ztfml.ranking import read_trees
from ztfml.ranking.quantities import QUANTITIES, Columns
from ztfml.ranking.trees import INPUTS, LEAST_CHANCE, grow, load_trees
from ztfml.taxonomy import PROBABILITY_COLUMNS

_GROUP = {feature.name: feature.group for feature in FEATURES}


def test_inputs_are_known_columns_and_no_measure_of_quality():
    assert set(INPUTS) <= set(_GROUP) | set(PROBABILITY_COLUMNS) | set(QUANTITIES)
    assert not {name for name in INPUTS if _GROUP.get(name) == "packet"}
    assert "fast_odds" not in INPUTS


def test_what_is_hardly_a_transient_is_not_asked_about():
    trees = read_trees()
    for chance, asked in ((LEAST_CHANCE / 2, False), (LEAST_CHANCE, True), (0.9, True)):
        columns = Columns(features(), probabilities(p_transient=chance), INSTRUMENT, trees)
        assert np.isfinite(columns["fast_odds"][0]) == asked


def test_odds_of_a_row_do_not_depend_on_the_others():
    inputs = np.random.default_rng(0).normal(size=(500, len(INPUTS)))
    whole = read_trees().log_odds(inputs)
    assert read_trees().log_odds(inputs[137:138])[0] == whole[137]
    assert (read_trees().log_odds(inputs[::-1])[::-1] == whole).all()
    assert read_trees().log_odds(inputs[:0]).shape == (0,)


def _fewer(text):
    """The same trees for another list of inputs."""
    return text.replace(" p_transient", " p_kilonova", 1)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text[:-500], "its trees are longer or shorter than its head says"),
        (lambda text: text.replace("threshold=", "threshold=x", 1), "shorter than its head says"),
        (_fewer, "its head says 'feature_names="),
        (lambda text: text.replace("tree\n", "tree\r\n", 1), "its head says"),
        (lambda text: "é" + text, "not plain text"),
    ],
)
def test_damaged_trees_are_one_sentence(tmp_path, change, told):
    path = tmp_path / "trees.txt"
    path.write_bytes(change(read_trees().text).encode())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(DataError, match=told) as error:
        load_trees(path, sha256)
    assert str(error.value).startswith(str(path))


def test_trees_read_again_give_the_same_odds(tmp_path):
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(400, len(INPUTS)))
    trees = grow(inputs, inputs[:, 3] > 1, np.ones(400))
    path = tmp_path / "trees.txt"
    path.write_text(trees.text, encoding="ascii", newline="\n")
    read = load_trees(path, trees.sha256)
    assert (read.log_odds(inputs) == trees.log_odds(inputs)).all()
