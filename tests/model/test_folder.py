"""Model folders are written completely, and every kind of damage is refused in one sentence."""

import hashlib
import json
import logging
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ztfml.errors import ModelError
from ztfml.evaluation.metrics import metrics
from ztfml.io.folder_writing import check_place
from ztfml.model.classifier import AlertClassifier
from ztfml.model.folder import describe_model, verify_model
from ztfml.model.model import Model
from ztfml.model.save import save_model

FEATURES = ["drb", "fade_rate", "sgscore1", "ssdistnr"]
TRAINING = {
    "nights": [
        {
            "name": "2460235.5",
            "alerts": 776,
            "labelled": 244,
            "objects": 230,
            "impossible": {"date before first light": 2},
        }
    ],
    "labels": [{"label": "agn", "evidence": "simbad", "circular": False, "alerts": 61}],
    "rules": ["Objects stay whole."],
}


def _table(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(["agn", "sso", "star"], n)
    values = rng.normal(size=(n, 4))
    values[np.arange(n), np.searchsorted(["agn", "sso", "star"], y)] += 2
    values[rng.random(values.shape) < 0.1] = np.nan
    return pd.DataFrame(values, columns=FEATURES), y


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    table, y = _table(400, 1)
    classifier = AlertClassifier(n_estimators=4, num_leaves=5, n_jobs=1).fit(table, y)
    figures = metrics(y, classifier.predict(table), groups=np.arange(400))
    card = {
        "features": [
            {"name": n, "unit": "mag / d", "version": 1, "group": "packet"} for n in FEATURES
        ],
        "training": TRAINING,
        "metrics": [{"title": "Nights never seen", "rule": "By night.", **figures}],
    }
    folder = tmp_path_factory.mktemp("models") / "small"
    save_model(classifier, folder, card, table)
    return folder, classifier


@pytest.fixture
def folder(saved, tmp_path):
    """A copy of the model to damage."""
    return shutil.copytree(saved[0], tmp_path / "small")


def _edit_card(folder, change):
    path = folder / "card.json"
    card = json.loads(path.read_text())
    change(card)
    path.write_text(json.dumps(card))


def _forge(folder, text):
    """Put another text in place of the trees, with a card that says it belongs there."""
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "model.txt").write_bytes(data)
    seal = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    _edit_card(folder, lambda card: card.update(model=seal))


def _trees(folder):
    return (folder / "model.txt").read_text()


def _edit_tree(folder, name, change, tree=0):
    """Change one array of one tree and mend the sizes, so that only the structure is wrong."""
    head, *trees = _trees(folder).removesuffix("end of trees\n").split("Tree=")
    lines = trees[tree].split("\n")
    at = next(k for k, line in enumerate(lines) if line.startswith(f"{name}="))
    lines[at] = f"{name}={change(lines[at].partition('=')[2])}"
    trees[tree] = "\n".join(lines)
    sizes = " ".join(str(len(f"Tree={one}")) for one in trees)
    head = head[: head.index("tree_sizes=")] + f"tree_sizes={sizes}\n\n"
    _forge(folder, head + "".join(f"Tree={one}" for one in trees) + "end of trees\n")


def test_a_saved_model_is_read_unchanged(saved):
    folder, classifier = saved
    table, _ = _table(1000, 2)
    loaded = Model.load(folder)
    assert np.array_equal(loaded.classifier.predict_proba(table), classifier.predict_proba(table))
    assert loaded.classifier.classes_.tolist() == ["agn", "sso", "star"]
    assert loaded.card["training"] == TRAINING
    parameters = loaded.classifier.get_params()
    assert parameters == {**classifier.get_params(), "n_jobs": None}


def test_saving_a_loaded_model_gives_the_same_bytes(saved, tmp_path):
    loaded = Model.load(saved[0])
    values = np.array(loaded.card["probes"]["values"], dtype=float)
    probes = pd.DataFrame(values, columns=FEATURES)
    again = save_model(loaded.classifier, tmp_path / "small", loaded.card, probes)
    for name in ("model.txt", "card.json", "README.md"):
        assert (again / name).read_bytes() == (saved[0] / name).read_bytes()


def test_a_folder_has_three_files(saved):
    assert sorted(p.name for p in saved[0].iterdir()) == ["README.md", "card.json", "model.txt"]
    assert [p.name for p in saved[0].parent.iterdir()] == ["small"]


def test_missing_values_of_probes_are_null(saved):
    card = json.loads((saved[0] / "card.json").read_text())
    assert len(card["probes"]["values"]) == 16
    assert any(None in row for row in card["probes"]["values"])


def test_the_page_describes_the_model(saved):
    page = (saved[0] / "README.md").read_text()
    assert page == describe_model(saved[0])
    assert page.index("How good the model is") < page.index("Training data")
    assert "244 labelled alerts of 1 night." in page
    assert "| date before first light |      2 |" in page
    assert "It uses 4 features" in page
    assert "parameters: " in page


def test_verify_lists_each_check(saved):
    checks = verify_model(saved[0])
    assert [check.passed for check in checks] == [True] * 6
    assert checks[2].outcome == "12 trees"


def test_verify_stops_at_the_first_fault(folder):
    _forge(folder, _trees(folder).replace("num_cat=0", "num_cat=1", 1))
    checks = verify_model(folder)
    assert [check.passed for check in checks] == [True, True, False]
    assert "tree 0" in checks[-1].outcome


def test_an_older_model_is_replaced_only_if_wanted(saved, folder):
    table, y = _table(300, 5)
    other = AlertClassifier(n_estimators=2).fit(table, y)
    with pytest.raises(ModelError, match="contains a model; name another folder, or replace it"):
        save_model(other, folder, {}, table)
    assert Model.load(folder).classifier.n_rounds_ == saved[1].n_rounds_
    save_model(other, folder, {}, table, overwrite=True)
    assert Model.load(folder).classifier.n_rounds_ == other.n_rounds_
    assert [p.name for p in folder.parent.iterdir()] == ["small"]


def test_a_folder_that_is_not_a_model_is_not_replaced(saved, tmp_path):
    table, _ = _table(20, 5)
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ModelError, match="is not a model"):
        save_model(saved[1], tmp_path, {}, table)
    with pytest.raises(ModelError, match="is not a model"):
        save_model(saved[1], tmp_path / "thesis.tex", {}, table)
    assert (tmp_path / "thesis.tex").read_text() == "x"


def test_a_relative_path_is_accepted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_place("mine")


def test_a_model_folder_with_other_files_is_not_replaced(saved, folder):
    (folder / "notes.txt").write_text("x")
    with pytest.raises(ModelError, match=r"notes\.txt"):
        save_model(saved[1], folder, {}, _table(20, 5)[0], overwrite=True)
    assert Model.load(folder)


def test_a_failed_save_leaves_the_old_model(saved, folder):
    before = (folder / "card.json").read_bytes()
    broken = AlertClassifier.restored(
        saved[1].booster_.model_to_string(),
        ["agn", "sso", "star"],
        FEATURES,
        [0.5, 0.5, 0.5],
        (1.0, 1.0),
        {},
    )
    with pytest.raises(ModelError, match="class_prior"):
        save_model(broken, folder, {}, _table(20, 5)[0], overwrite=True)
    assert (folder / "card.json").read_bytes() == before
    assert [p.name for p in folder.parent.iterdir()] == ["small"]


def test_a_missing_parent_folder_is_refused(saved, tmp_path):
    with pytest.raises(ModelError, match="does not exist"):
        save_model(saved[1], tmp_path / "absent" / "model", {}, _table(20, 5)[0])


def test_names_that_cannot_be_written(tmp_path):
    table, y = _table(100, 5)
    table.columns = ["a b", "c", "d", "e"]
    with pytest.raises(ModelError, match="rename the columns"):
        save_model(AlertClassifier(n_estimators=1).fit(table, y), tmp_path / "m", {}, table)


@pytest.mark.parametrize("name", ["model.txt", "card.json"])
def test_a_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name}: cannot be read"):
        Model.load(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"card\.json: cannot be read"):
        Model.load(tmp_path / "absent")


@pytest.mark.parametrize("keep", [0, 1, 0.5, 0.999])
def test_truncated_trees_are_refused(folder, keep):
    data = (folder / "model.txt").read_bytes()
    (folder / "model.txt").write_bytes(data[: int(len(data) * keep) if keep < 1 else -1])
    with pytest.raises(ModelError, match="bytes, not the"):
        Model.load(folder)


def test_trees_with_crlf_are_refused(folder):
    data = (folder / "model.txt").read_bytes()
    (folder / "model.txt").write_bytes(data.replace(b"\n", b"\r\n"))
    with pytest.raises(ModelError, match="CRLF"):
        Model.load(folder)
    _forge(folder, data.replace(b"\n", b"\r\n"))
    with pytest.raises(ModelError, match="its head says"):
        Model.load(folder)


def test_a_changed_byte_is_refused(folder):
    data = bytearray((folder / "model.txt").read_bytes())
    data[data.index(b"leaf_value=") + 14] ^= 1
    (folder / "model.txt").write_bytes(data)
    with pytest.raises(ModelError, match="sha256"):
        Model.load(folder)


def test_a_later_format_is_refused(folder):
    _edit_card(folder, lambda card: card.update(format=2))
    with pytest.raises(ModelError, match="install a newer ztfml"):
        Model.load(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"format": 1}', "[" * 100_000])
def test_a_card_that_is_not_a_card_is_refused(folder, text):
    (folder / "card.json").write_text(text)
    with pytest.raises(ModelError, match=r"card\.json: "):
        Model.load(folder)


def test_a_card_in_another_encoding_is_refused(folder):
    (folder / "card.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match=r"card\.json: is not valid JSON"):
        Model.load(folder)


def _swap(values, a, b):
    values[a], values[b] = values[b], values[a]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: _swap(card["classes"], 0, 1), "order of classes"),
        (lambda card: card["classes"].__setitem__(1, "srar"), "probes"),
        (lambda card: card["classes"].pop(), "class_prior"),
        (lambda card: _swap(card["features"], 0, 1), "its head says 'feature_names"),
        (lambda card: card["features"].pop(), "probes"),
        (lambda card: card["features"][2].update(name="sgscore2"), "its head says 'feature_names"),
        (lambda card: card["features"].clear(), "features: "),
        (lambda card: card["parameters"].update(n_jobs=100000), "parameters.n_jobs: 100000"),
        (lambda card: card.update(rounds="many"), "rounds: 'many'"),
        (lambda card: card["versions"].update(numpy=[1]), "versions.numpy"),
        (lambda card: card["training"].update(nights=[3]), "training.nights.0"),
        (lambda card: card["metrics"][0].update(confusion=[[1]]), "metrics cannot be used"),
        (lambda card: card["metrics"][0].update(accuracy="high"), "metrics.0.accuracy"),
        (lambda card: card["features"][0].update(unit=5), "features.0.unit"),
        (lambda card: card["calibration"].update(temperature=3.0), "off by"),
        (lambda card: card["calibration"].update(temperature="warm"), "temperature"),
        (lambda card: card["calibration"].pop("temperature_without_drb"), "temperature_without"),
        (lambda card: card.update(class_prior=[0.3, 0.3, 0.3]), "class_prior"),
        (lambda card: card["parameters"].update(shell="x"), "parameters"),
        (lambda card: card["probes"]["expected"]["agn"].__setitem__(0, 0.5), "off by"),
        (lambda card: card["probes"]["values"].pop(), "probes"),
        (lambda card: card["probes"]["values"].clear(), "probes"),
        (lambda card: card.pop("metrics"), "metrics"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(folder, change, message):
    _edit_card(folder, change)
    with pytest.raises(ModelError, match=message):
        Model.load(folder)


def test_swapped_probe_results_are_refused(folder):
    """If classes are swapped in the whole card, only the probe rows detect it."""

    def swap(card):
        expected = card["probes"]["expected"]
        _swap(expected, "agn", "star")
        _swap(card["class_prior"], 0, 2)

    _edit_card(folder, swap)
    with pytest.raises(ModelError, match="do not belong together"):
        Model.load(folder)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("left_child", lambda v: "0" + v[v.index(" ") :], "do not form one tree"),  # a cycle
        ("left_child", lambda v: "999 " + v.partition(" ")[2], "do not form one tree"),
        ("right_child", lambda v: "-77 " + v.partition(" ")[2], "do not form one tree"),
        ("split_feature", lambda v: "4" + v[1:], "does not have"),
        ("split_feature", lambda v: "-1" + v[1:], "does not have"),
        ("split_feature", lambda v: "999999999999" + v[1:], "other than numbers"),
        ("threshold", lambda v: v.partition(" ")[2], "numbers for threshold, not"),
        ("leaf_value", lambda v: v + " 1", "numbers for leaf_value, not"),
        ("leaf_value", lambda v: "nan " + v.partition(" ")[2], "other than numbers"),
        ("leaf_value", lambda v: "1e999 " + v.partition(" ")[2], "too large"),
        ("leaf_value", lambda v: "0x10 " + v.partition(" ")[2], "other than numbers"),
        ("decision_type", lambda v: "1 " + v.partition(" ")[2], "never makes"),
        ("num_leaves", lambda v: "2000000", "numbers for split_feature, not"),
        ("num_leaves", lambda v: "-3", "leaves"),
        ("num_leaves", lambda v: "", "numbers for num_leaves, not 1"),
        ("is_linear", lambda v: "1", "never makes"),
        ("shrinkage", lambda v: "0.1\nextra=1", "begin and end"),
    ],
)
def test_broken_trees_with_a_correct_hash_are_refused(folder, name, change, message):
    _edit_tree(folder, name, change)
    with pytest.raises(ModelError, match=message):
        Model.load(folder)


def test_one_leaf_trees_are_read(tmp_path):
    """With too few rows for a single split, trees are one leaf."""
    table, y = _table(200, 3)
    classifier = AlertClassifier(n_estimators=2, min_child_samples=150).fit(table, y)
    folder = save_model(classifier, tmp_path / "rare", {}, table)
    assert "num_leaves=1\n" in _trees(folder)
    assert Model.load(folder)


def test_a_split_between_known_and_missing_is_read(tmp_path):
    """LightGBM writes its threshold as inf."""
    y = np.repeat(["agn", "sso"], 200)
    known = np.random.default_rng(0).integers(0, 2, 400) * 1.0
    table = pd.DataFrame({"a": np.where(y == "agn", np.nan, known), "b": known})
    classifier = AlertClassifier(n_estimators=3, feature_fraction=1.0).fit(table, y)
    folder = save_model(classifier, tmp_path / "missing", {}, table)
    assert "threshold=inf" in _trees(folder)
    loaded = Model.load(folder).classifier
    assert np.array_equal(loaded.predict_proba(table), classifier.predict_proba(table))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_damage_is_refused_or_harmless(folder, saved, data):
    """A mutation under a mended hash never ends the process: refused, or probes still agree."""
    trees = bytearray((saved[0] / "model.txt").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(trees) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"0", b"9", b"-", b".", b" ", b"\n", b"e", b"\0", b"\xff", b"="])
            | st.binary(max_size=3)
        )
        trees[at : at + data.draw(st.integers(0, 3))] = piece
    _forge(folder, bytes(trees))
    try:
        loaded = Model.load(folder)
    except ModelError:
        return
    p = loaded.classifier.predict_proba(_table(50, 9)[0])
    assert np.isfinite(p).all()


def test_reading_writes_no_messages(saved, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        Model.load(saved[0])
    assert capfd.readouterr() == ("", "")
