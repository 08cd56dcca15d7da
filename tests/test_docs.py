"""Commands, imports and generated tables in the documentation match the package."""

import ast
import importlib
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import ztfml
from ztfml.cli import main
from ztfml.features import FEATURES, OPTIONAL
from ztfml.io.companions import history_beside, labels_beside
from ztfml.ranking import TERMS
from ztfml.simulate import POPULATIONS, write_nights

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if "_generated" not in page.parts
)
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))


@pytest.fixture(scope="module")
def tables():
    sys.path.insert(0, str(ROOT / "docs/_ext"))
    try:
        return importlib.import_module("tables").TABLES
    finally:
        sys.path.pop(0)


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_exist(page):
    text = "\n".join(blocks(page, "")).replace("\\\n", " ")
    for line in re.findall(r"^ztfml (.*)$", text, re.MULTILINE):
        words = shlex.split(line, comments=True)
        command = main
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert command is not main or used, f"no command in: ztfml {line}"
        assert used <= known | {"--help", "--version"}, f"unknown option in: ztfml {line}"


def code_of(page):
    if page.suffix != ".ipynb":
        return blocks(page, "python")
    cells = [cell for cell in json.loads(page.read_text())["cells"] if cell["cell_type"] == "code"]
    return ["".join(cell["source"]).replace("%matplotlib", "# ") for cell in cells]


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda page: str(page.relative_to(ROOT)))
def test_imported_names_exist(page):
    for code in code_of(page):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "ztfml":
                module = importlib.import_module(node.module)
                for alias in node.names:
                    assert hasattr(module, alias.name) or importlib.import_module(
                        f"{node.module}.{alias.name}"
                    )


def test_included_tables_are_generated(tables):
    for page in PAGES:
        for name in re.findall(r"_generated/(\w+)\.md", page.read_text()):
            assert name in {*tables, "api"}


def test_tables_have_one_row_per_entry(tables):
    features = re.findall(r"^\| `(\w+)` +\|", tables["features"](), re.MULTILINE)
    assert features == [feature.name for feature in (*FEATURES, *OPTIONAL)]
    terms = re.findall(r"^\| `(\w+)` +\|", tables["terms"](), re.MULTILINE)
    assert terms == list(TERMS)
    populations = re.findall(r"^\| ([^|]+) \|", tables["populations"](), re.MULTILINE)[2:]
    assert populations == [population.name for population in POPULATIONS]


def test_versions_agree():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    released = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert version.startswith(released.group(1))


def test_the_package_is_marked_as_typed():
    assert (Path(ztfml.__file__).parent / "py.typed").is_file()


def test_every_promise_has_a_test():
    page = (ROOT / "docs/explanation/promises.md").read_text()
    named = re.findall(r"^\|.*\| `(tests/\S+\.py)::(\w+)` \|$", page, re.MULTILINE)
    rows = [line for line in page.splitlines() if re.match(r"\| (?!promise|---)", line)]
    assert len(named) == len(rows) >= 20
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text(), f"{file} has no {test}"


@pytest.fixture
def small_night(tmp_path, monkeypatch):
    """A folder with night.parquet and its labels, as in the guides."""
    (path,) = write_nights(tmp_path, 300, 1, seed=8)
    for place in (history_beside, labels_beside, lambda name: name):
        place(path).rename(place(tmp_path / "night.parquet"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_guide_for_own_code_runs(small_night):
    pytest.importorskip("skops")
    features_file, classifier, pipeline = blocks(ROOT / "docs/howto/own_code.md", "python")
    name = features_file.partition("\n")[0].removeprefix("# ")
    (small_night / name).write_text(features_file)
    found = {}
    exec(classifier, found)
    exec(pipeline, found)
    del sys.modules["my_features"]
    assert len(found["predictions"]) == 300
    assert len(found["ranked"]) == 12
    assert found["model"].card["features"][-1]["module"] == "my_features"
    assert (found["predictions"]["label"] == found["labels"]).mean() > 0.8
    card = json.loads((small_night / "my_pipeline" / "card.json").read_text())
    assert [one["name"] for one in card["features"]][-2:] == ["depth", "range_r"]


def test_the_guide_for_the_history_store_runs(small_night):
    for code in blocks(ROOT / "docs/howto/history_store.md", "python"):
        found = {}
        exec(code, found)
    assert len(found["night"]) == 300
    assert found["store"].place.files("_nights")


def test_the_guide_for_drift_reports_runs(small_night, capsys):
    (code,) = blocks(ROOT / "docs/howto/evaluation.md", "python")
    exec(code, {})
    assert "features" in capsys.readouterr().out


def test_the_guide_for_extending_runs(small_night, capsys, monkeypatch):
    monkeypatch.setattr("ztfml.training.extend._N_BALLAST", 300)
    labels = pd.read_csv("night_labels.csv")
    labels.head(40).to_csv("night_labels_by_eye.csv", index=False)
    (code,) = blocks(ROOT / "docs/howto/extending.md", "python")
    exec(code, {})
    assert "The model predicts" in capsys.readouterr().out
    assert (small_night / "my_model" / "card.json").is_file()
