"""The ranking folder: checks before use, and inputs by name and version."""

import json
import shutil

import numpy as np
import pytest

from tests.ranking.rows import INSTRUMENT, features, probabilities
from ztfml.errors import DataError, ModelError
from ztfml.features import FEATURES, OPTIONAL
from ztfml.io.folder_writing import size_and_hash
from ztfml.ranking import Instrument, load_ranking, save_ranking, verify_ranking, weight_names
from ztfml.ranking.folder import FILES, describe_ranking
from ztfml.ranking.quantities import MIN_P_TRANSIENT, QUANTITIES, UNLIKELY, Columns
from ztfml.taxonomy import PROBABILITY_COLUMNS


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(load_ranking().folder, tmp_path / "mine")


def change_card(folder, change):
    card = json.loads((folder / "card.json").read_text())
    change(card)
    (folder / "card.json").write_text(json.dumps(card))


def replace_trees(folder, text):
    (folder / "model.txt").write_bytes(text.encode())
    change_card(folder, lambda card: card.update(model=size_and_hash(text.encode())))


def test_the_shipped_ranking():
    ranking = load_ranking()
    assert set(ranking.weights) == {*weight_names(), "intercept"}
    assert ranking.instrument == Instrument("SEDM", 19.5, 12)
    assert len(ranking.trees.inputs) == len(set(ranking.trees.inputs)) == 63
    assert ranking.card["training"]["objects"] == 619_542
    checks = verify_ranking()
    assert [check.passed for check in checks] == [True] * 6
    assert checks[2].outcome == "650 trees"
    assert sorted(path.name for path in ranking.folder.iterdir()) == sorted(FILES)
    assert (ranking.folder / "README.md").read_text() == describe_ranking()


def test_inputs_are_known_columns_and_no_measure_of_quality():
    inputs = set(load_ranking().trees.inputs)
    group = {feature.name: feature.group for feature in (*FEATURES, *OPTIONAL)}
    assert inputs <= set(group) | set(PROBABILITY_COLUMNS) | set(QUANTITIES)
    packet = {name for name in inputs if group.get(name) == "packet"}
    assert packet == {"magnr", "mag_minus_ref"}
    assert "tree_log_odds" not in inputs


@pytest.mark.parametrize(
    ("p_transient", "evaluated"),
    [(MIN_P_TRANSIENT / 2, False), (MIN_P_TRANSIENT, True), (0.9, True)],
)
def test_trees_are_evaluated_for_possible_transients_only(p_transient, evaluated):
    p = probabilities(p_transient=p_transient)
    columns = Columns(features(), p, INSTRUMENT, load_ranking().trees)
    assert (columns["tree_log_odds"][0] != UNLIKELY) == evaluated


def test_log_odds_of_a_row_do_not_depend_on_the_others():
    trees = load_ranking().trees
    inputs = np.random.default_rng(0).normal(size=(500, len(trees.inputs)))
    all_rows = trees.log_odds(inputs)
    assert trees.log_odds(inputs[137:138])[0] == all_rows[137]
    assert (trees.log_odds(inputs[::-1])[::-1] == all_rows).all()
    assert trees.log_odds(inputs[:0]).shape == (0,)


def test_a_saved_ranking_is_read_back(tmp_path):
    old = load_ranking()
    weights = old.weights | {"young": 3.25}
    instrument = Instrument("DBSP", 21.0, 20)
    probes = np.array(old.card["probes"]["values"], dtype=float)
    path = save_ranking(tmp_path / "mine", weights, instrument, old.trees, old.card, probes)
    new = load_ranking(path)
    assert new.weights == weights
    assert new.instrument == instrument
    assert (new.trees.log_odds(probes) == old.trees.log_odds(probes)).all()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["mine"]
    with pytest.raises(ModelError, match="contains a model; name another folder, or replace it"):
        save_ranking(path, old.weights, instrument, old.trees, old.card, probes)
    assert load_ranking(path).weights == weights
    save_ranking(path, old.weights, instrument, old.trees, old.card, probes, overwrite=True)
    assert load_ranking(path).weights == old.weights
    (path / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"holds notes\.txt"):
        save_ranking(path, weights, instrument, old.trees, old.card, probes, overwrite=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-500], "its trees are longer or shorter than its head says"),
        (lambda text: text.replace("threshold=", "threshold=x", 1), "shorter than its head says"),
        (lambda text: text.replace(" p_artifact", " p_kilonova", 1), "its head says 'feature_nam"),
        (lambda text: text.replace("tree\n", "tree\r\n", 1), "its head says"),
    ],
)
def test_damaged_trees_are_refused_before_lightgbm_reads_them(folder, change, message):
    replace_trees(folder, change(load_ranking().trees.text))
    with pytest.raises(ModelError, match=message) as error:
        load_ranking(folder)
    assert str(error.value).startswith(str(folder / "model.txt"))
    failed = verify_ranking(folder)[-1]
    assert (failed.check, failed.passed) == ("structure of the trees", False)


def test_changed_trees_are_refused(folder):
    (folder / "model.txt").write_text(load_ranking().trees.text + "\n")
    size = load_ranking().card["model"]["bytes"]
    message = rf"model\.txt: has {size + 1:,} bytes, not the {size:,}"
    with pytest.raises(ModelError, match=message):
        load_ranking(folder)
    text = load_ranking().trees.text.replace("leaf_value=-", "leaf_value=0")
    (folder / "model.txt").write_text(text)
    with pytest.raises(ModelError, match="sha256"):
        load_ranking(folder)
    replace_trees(folder, text)
    with pytest.raises(ModelError, match=r"does not give the log odds that card\.json expects"):
        load_ranking(folder)


def test_a_ranking_with_inputs_of_no_term_is_refused(folder, monkeypatch):
    monkeypatch.setattr("ztfml.ranking.folder.learned_inputs", lambda: ("p_transient",))
    with pytest.raises(ModelError, match="the trees use p_artifact, which belongs to no term"):
        load_ranking(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card["inputs"][0].update(version=2),
         r"probability p_transient in version 2, this ztfml computes version 1; fit the ranking"),
        (lambda card: card["inputs"][-1].update(version=3),
         "the feature abs_ecl_lat in version 3"),
        (lambda card: card.update(kind="classifier"), "kind: 'ranking' was expected"),
        (lambda card: card["training"].pop("fast"), "training: 'fast' is a required"),
        (lambda card: card["metrics"].update(top="x"), "metrics.top: 'x'"),
        (lambda card: card["metrics"]["top"].pop(), "the recall in metrics"),
        (lambda card: card.update(parameters=3), "parameters: 3"),
        (lambda card: card.update(format=99), "is of format 99, this ztfml reads up to 1"),
        (lambda card: card["probes"]["expected"].pop(), "probes cannot be used"),
        (lambda card: card["inputs"].append(card["inputs"][0]), "the list of inputs"),
    ],
)  # fmt: skip
def test_a_card_that_does_not_fit_is_refused(folder, change, message):
    change_card(folder, change)
    with pytest.raises(ModelError, match=message):
        load_ranking(folder)


def test_an_unknown_input_is_refused(folder):
    replace_trees(folder, load_ranking().trees.text.replace(" p_artifact", " p_kilonova", 1))

    def rename(card):
        next(one for one in card["inputs"] if one["name"] == "p_artifact")["name"] = "p_kilonova"

    change_card(folder, rename)
    with pytest.raises(ModelError, match="p_kilonova in version 1, this ztfml does not compute it"):
        load_ranking(folder)


def test_unusable_weights_are_a_failed_check(folder):
    (folder / "ranking.toml").write_text("[weights]\nluck = 1\n")
    failed = verify_ranking(folder)[-1]
    assert (failed.check, failed.passed) == ("weights and instrument", False)
    with pytest.raises(
        DataError, match=r"ranking\.toml: weights: .intercept. is a required property"
    ):
        load_ranking(folder)


def test_a_classifier_folder_is_not_a_ranking():
    with pytest.raises(ModelError, match="'kind' is a required property"):
        load_ranking(load_ranking().folder.with_name("default"))
