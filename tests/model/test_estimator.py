"""Own classifiers and own features in model folders: safe to load, and used by every command."""

import json
import re
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from tests.nights import random_frames
from ztfml import AlertFeatures, Model, Night, features
from ztfml.errors import ModelError
from ztfml.model.folder import verify_model
from ztfml.model.save import save_model
from ztfml.model.shap import contributions
from ztfml.taxonomy import PROBABILITY_COLUMNS

pytest.importorskip("skops")

TREE = "sklearn.tree._tree.Tree"
NAMES = ["drb", "magpsf", "n_det"]


def linear():
    return make_pipeline(SimpleImputer(keep_empty_features=True), LogisticRegression())


@pytest.fixture(scope="module")
def night():
    return Night.from_frames(*random_frames(3, n_objects=40, max_rows=6), name="small")


@pytest.fixture(scope="module")
def table(night):
    return features.compute(night)[NAMES]


@pytest.fixture(scope="module")
def y(table):
    return np.where(table["magpsf"] > table["magpsf"].median(), "star", "sso")


@pytest.fixture
def forest(table, y, tmp_path):
    fitted = RandomForestClassifier(5, random_state=0).fit(table, y)
    return save_model(fitted, tmp_path / "forest", {}, table)


def test_an_own_classifier_predicts_and_ranks(night, table, y, tmp_path):
    fitted = linear().fit(table, y)
    model = Model.load(save_model(fitted, tmp_path / "mine", {}, table))
    assert repr(model) == "<Model mine: 2 classes, 3 features, Pipeline>"
    found = model.predict(night)
    assert np.array_equal(found[["p_sso", "p_star"]], fitted.predict_proba(table))
    assert (found[["p_agn", "p_artifact", "p_transient"]] == 0).all(axis=None)
    assert len(model.rank(night, top=3)) == 3
    assert sorted(p.name for p in model.folder.iterdir()) == [
        "README.md", "card.json", "classifier.skops",
    ]  # fmt: skip
    assert "LogisticRegression" in (model.folder / "README.md").read_text()
    assert all(check.passed for check in model.verify())


def test_types_that_can_do_harm_must_be_allowed(forest, night):
    with pytest.raises(ModelError, match=f"types that can run code or crash Python: {TREE}"):
        Model.load(forest)
    for trust in ([TREE], ["sklearn.tree"], ["numpy", "sklearn"]):
        assert len(Model.load(forest, trust).predict(night)) == len(night)
    with pytest.raises(ModelError, match="types"):
        Model.load(forest, ["sklearn.tree._tree.TreeX", "sklearn.tr", "my_sklearn.py"])
    checks = verify_model(forest)
    assert [check.passed for check in checks] == [True, True, False]
    assert checks[2].check == "types in the classifier"
    assert TREE in (forest / "README.md").read_text()


def test_the_listed_types_are_those_of_the_file(forest):
    card = json.loads((forest / "card.json").read_text())
    card["estimator"]["types"] = []
    (forest / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="does not list the types"):
        Model.load(forest, [TREE])


@pytest.mark.parametrize("keep", [0, 0.5, 0.99])
def test_truncated_classifiers_are_refused(forest, keep):
    path = forest / "classifier.skops"
    path.write_bytes(path.read_bytes()[: int(len(path.read_bytes()) * keep)])
    with pytest.raises(ModelError, match="bytes, not the"):
        Model.load(forest, [TREE])


def _forge(folder, content):
    import hashlib

    (folder / "classifier.skops").write_bytes(content)
    card = json.loads((folder / "card.json").read_text())
    card["model"] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "card.json").write_text(json.dumps(card))


def test_files_that_are_no_classifier_are_refused(forest, tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("schema.json", "{}")
    for content in (b"no archive", (tmp_path / "other.zip").read_bytes()):
        _forge(forest, content)
        with pytest.raises(ModelError, match="the classifier cannot be read"):
            Model.load(forest, [TREE])


def test_a_huge_archive_is_not_unpacked(forest, tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(6):
            with archive.open(f"{k}.npy", "w", force_zip64=True) as member:
                for _ in range(100):
                    member.write(bytes(1_000_000))
    _forge(forest, (tmp_path / "bomb.zip").read_bytes())
    with pytest.raises(ModelError, match="more than ztfml reads"):
        Model.load(forest, [TREE])


def test_a_folder_cannot_run_a_function(table, y, tmp_path):
    """A classifier that would run a shell command when it is used."""
    from sklearn.preprocessing import FunctionTransformer

    fitted = make_pipeline(FunctionTransformer(), GaussianNB()).fit(table.fillna(0), y)
    fitted[0].func = shutil.rmtree
    from skops.io import dumps

    folder = save_model(linear().fit(table, y), tmp_path / "evil", {}, table)
    _forge(folder, dumps(fitted))
    card = json.loads((folder / "card.json").read_text())
    card["estimator"]["types"] = ["shutil.rmtree"]
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r"shutil\.rmtree"):
        Model.load(folder)


def test_unusable_classifiers_are_refused(table, y, night, tmp_path):
    complete = table.fillna(0)
    refused = {
        "a classifier that does not accept missing values": LogisticRegression().fit(complete, y),
        "has no predict_proba": RidgeClassifier().fit(complete, y),
        "fit it before it is saved": LogisticRegression(),
        "without names of features": HistGradientBoostingClassifier(max_iter=2).fit(
            table.to_numpy(), y
        ),
        "has the classes QSO, star": HistGradientBoostingClassifier(max_iter=2).fit(
            table, np.where(y == "star", "star", "QSO")
        ),
    }
    for message, classifier in refused.items():
        with pytest.raises(ModelError, match=message):
            save_model(classifier, tmp_path / "m", {}, table)
    assert not (tmp_path / "m").exists()


def test_a_pipeline_that_computes_features(night, y, table, tmp_path):
    pipeline = make_pipeline(AlertFeatures(NAMES), linear()).fit(night, y)
    model = Model.load(save_model(pipeline, tmp_path / "mine", {}, table))
    expected = pipeline.predict_proba(night)
    assert np.array_equal(model.predict(night)[["p_sso", "p_star"]], expected)


def test_class_fractions(night, table, y, tmp_path):
    fitted = linear().fit(table, y)
    without = Model.load(save_model(fitted, tmp_path / "without", {}, table))
    with pytest.raises(ModelError, match="save the model with class_prior"):
        without.predict(night, {"sso": 0.9, "star": 0.1})
    card = {"class_prior": [0.5, 0.5]}
    model = Model.load(save_model(fitted, tmp_path / "with", card, table))
    p = fitted.predict_proba(table) * [0.9, 0.1]
    found = model.predict(night, {"sso": 0.9, "star": 0.1})[["p_sso", "p_star"]]
    np.testing.assert_allclose(found, p / p.sum(axis=1, keepdims=True))


def test_trees_and_own_classifiers_replace_each_other(table, y, tmp_path):
    from ztfml import AlertClassifier

    own, trees = linear().fit(table, y), AlertClassifier(n_estimators=2).fit(table, y)
    folder = tmp_path / "m"
    for classifier, name in (
        (own, "classifier.skops"),
        (trees, "model.txt"),
        (own, "classifier.skops"),
    ):
        save_model(classifier, folder, {}, table, overwrite=True)
        assert sorted(p.name for p in folder.iterdir()) == sorted(["README.md", "card.json", name])
        assert Model.load(folder).card["classes"] == ["sso", "star"]


def test_shap_needs_trees(table, y, tmp_path):
    model = Model.load(save_model(linear().fit(table, y), tmp_path / "m", {}, table))
    with pytest.raises(ModelError, match="TreeSHAP needs the trees"):
        contributions(model.classifier, table.iloc[0], "star")


def test_a_mixed_card_is_refused(forest):
    card = json.loads((forest / "card.json").read_text())
    (forest / "card.json").write_text(json.dumps({**card, "rounds": 3}))
    with pytest.raises(ModelError, match="the kind of classifier cannot be used"):
        Model.load(forest, [TREE])


# --- own features ------------------------------------------------------------------------

SOURCE = '''
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from ztfml.features import Group

GROUP = Group("mine", "features of my project")


@GROUP.feature(unit="mag", missing="if the packet has no limit")
def depth(diffmaglim, magpsf):
    """Limiting magnitude minus magnitude."""
    return diffmaglim - magpsf


@GROUP.feature(unit="mag", missing="with fewer than two detections in r")
def range_r(curve, distnr):
    """Range of the magnitudes in r."""
    return np.ptp(curve.r.mag) if len(curve.r.mag) > 1 else np.nan


class Constant(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_, self.feature_names_in_ = np.unique(y), np.array(list(X), dtype=object)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
'''


@pytest.fixture
def module(tmp_path, request):
    """A Python file of a user with a name of its own for each test."""
    name = "own_" + re.sub(r"\W", "_", request.node.name)
    path = tmp_path / f"{name}.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def own_model(module, night, table, y, tmp_path):
    from ztfml.features.own import load_groups

    groups = load_groups([module])
    both = table.join(features.compute_own(night, groups))
    return save_model(linear().fit(both, y), tmp_path / "own", {}, both, own=groups), both


def _forget(module):
    import sys

    del sys.modules[module.stem]


def test_own_features_are_found_and_computed(own_model, module, night):
    folder, both = own_model
    _forget(module)
    model = Model.load(folder, [module])
    found = model.features(night)
    pd.testing.assert_frame_equal(found, both)
    assert len(model.predict(night)) == len(night)
    assert len(model.rank(night, top=2)) == 2
    entry = next(one for one in model.card["features"] if one["name"] == "depth")
    assert entry["module"] == module.stem
    assert (entry["unit"], entry["version"], entry["group"]) == ("mag", 1, "mine")
    assert module.stem in (folder / "README.md").read_text()


def test_a_pipeline_brings_its_own_features(module, night, y, table, tmp_path):
    from ztfml.features.own import load_groups

    groups = load_groups([module])
    step = AlertFeatures(["drb", "depth", "range_r"], own=groups)
    pipeline = make_pipeline(step, linear()).fit(night, y)
    folder = save_model(pipeline, tmp_path / "mine", {}, step.transform(night))
    _forget(module)
    model = Model.load(folder, [module])
    assert [one.get("module") for one in model.card["features"]] == [None, *2 * [module.stem]]
    expected = pipeline.predict_proba(night)
    assert np.array_equal(model.predict(night)[["p_sso", "p_star"]], expected)


def test_a_table_without_a_column_is_refused(night, table, y, tmp_path):
    model = Model.load(save_model(linear().fit(table, y), tmp_path / "m", {}, table))
    with pytest.raises(ModelError, match="lacks drb, n_det, which the model needs"):
        model.classifier.predict_proba(table[["magpsf"]])


def test_a_model_runs_no_code_that_the_user_did_not_name(own_model, module, night):
    folder, both = own_model
    _forget(module)
    module.write_text("raise SystemExit('the code ran')")
    model = Model.load(folder)
    with pytest.raises(ModelError, match=f"of the Python module {module.stem}; if you trust it"):
        model.predict(night)
    # A table that has them needs no code.
    assert len(model.predict(night, table=both)) == len(night)
    with pytest.raises(ModelError, match=r"fails when it is imported \(SystemExit"):
        Model.load(folder, [module])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def depth(", "def deep(", "depth, which the module"),
        ("diffmaglim - magpsf", "diffmaglim - magpsf + 1", "depth of the module .* is not defined"),
        ('unit="mag", missing="if', 'version=2, unit="mag", missing="if', "now 2"),
        ("import numpy as np", "import numpy_of_nobody", "there is no module numpy_of_nobody"),
    ],
)
def test_changed_features_are_refused(own_model, module, old, new, message):
    folder, _ = own_model
    _forget(module)
    import linecache

    module.write_text(SOURCE.replace(old, new))
    linecache.checkcache()
    with pytest.raises(ModelError, match=message):
        Model.load(folder, [module])


def test_a_missing_module(own_model, module):
    folder, _ = own_model
    _forget(module)
    with pytest.raises(ModelError, match="there is no such file"):
        Model.load(folder, [module.with_name("absent") / module.name])
    with pytest.raises(ModelError, match="there is no module"):
        Model.load(folder, [module.stem])


def test_a_classifier_of_the_users_own_class(module, table, y, night, tmp_path):
    from ztfml.io.trusted import import_trusted

    constant = import_trusted(module).Constant
    folder = save_model(constant().fit(table, y), tmp_path / "m", {}, table)
    _forget(module)
    with pytest.raises(ModelError, match=f"{module.stem}.Constant"):
        Model.load(folder)
    with pytest.raises(ModelError, match=f"needs the module {module.stem}; install it, or name"):
        Model.load(folder, [module.stem])
    p = Model.load(folder, [module]).predict(night)[["p_sso", "p_star"]]
    assert (p == 0.5).all(axis=None)


def test_all_probabilities_are_in_the_prediction(own_model, module, night):
    assert set(PROBABILITY_COLUMNS) <= set(Model.load(own_model[0], [module]).predict(night))
