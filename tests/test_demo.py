"""The demonstration runs all steps and can be repeated; the notebooks run on its files."""

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ztfml.cli import main
from ztfml.demo import MARKER, demo_folder

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder, and the result of the command."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = CliRunner().invoke(main, ["demo", str(folder)])
    assert done.exit_code == 0, done.output
    return folder, done


def test_the_demo_runs_all_steps(demo):
    folder, done = demo
    names = {path.name for path in folder.iterdir()}
    assert {"predictions.parquet", "ranked.csv", "model", "light_curve.png", "night.html"} <= names
    assert json.loads((folder / MARKER).read_text())["complete"]
    # Results are printed on stdout, progress on stderr.
    assert "macro-F1" in done.stdout
    assert done.stdout.startswith("Fast transients of the last night")
    rank, _, score, population = done.stdout.splitlines()[1].split()
    assert (rank, population) == ("1", "FBOT")
    assert float(score) > 0.5
    assert "simulated 4 nights" in done.stderr
    assert "simulated 4 nights" not in done.stdout


def test_the_demo_replaces_its_own_files_and_keeps_others(tmp_path, monkeypatch):
    monkeypatch.setattr("ztfml.demo.N_ALERTS", 500)
    monkeypatch.setattr("ztfml.demo.N_TRAINING_NIGHTS", 1)
    monkeypatch.setattr("ztfml.training.train.MIN_OBJECTS_OF_CLASS", 1)
    folder = tmp_path / "demo"
    first = CliRunner().invoke(main, ["demo", str(folder), "-q"])
    assert first.exit_code == 0, first.output
    assert first.stderr == ""
    (folder / "notes.txt").write_text("mine")
    # As after a run that was killed.
    (folder / MARKER).write_text('{"program": "ztfml demo", "seed": 62, "complete": false}')
    (folder / "ranked.csv").unlink()
    names = {path.name for path in folder.iterdir()}
    second = CliRunner().invoke(main, ["demo", str(folder), "-q"])
    assert second.exit_code == 0, second.output
    assert second.stdout == first.stdout
    assert {path.name for path in folder.iterdir()} == names | {"ranked.csv"}
    assert (folder / "notes.txt").read_text() == "mine"
    assert json.loads((folder / MARKER).read_text())["complete"]


@pytest.mark.parametrize(
    ("name", "text"), [("notes.txt", "mine"), (MARKER, '{"title": "my demo"}'), (MARKER, "[1")]
)
def test_the_demo_refuses_a_folder_with_other_files(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    done = CliRunner().invoke(main, ["demo", str(tmp_path)])
    assert done.exit_code == 1
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == text


def test_a_complete_demo_is_not_run_again(demo, monkeypatch, tmp_path):
    folder, _ = demo
    page = (folder / "night.html").stat()
    assert demo_folder(folder) == folder
    monkeypatch.setenv("ZTFML_DEMO", str(folder))
    assert demo_folder(tmp_path / "other") == folder
    assert (folder / "night.html").stat() == page
    assert not (tmp_path / "other").exists()


def code_of(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_output(notebook):
    code = code_of(notebook)
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_use_public_names_only(notebook):
    for cell in code_of(notebook):
        # What IPython takes for itself is no Python.
        lines = [line for line in cell["source"] if not line.startswith("%")]
        for node in ast.walk(ast.parse("".join(lines))):
            if isinstance(node, ast.Attribute):
                assert node.attr == "__doc__" or not node.attr.startswith("_")
            if isinstance(node, ast.ImportFrom) and node.module.startswith("ztfml"):
                assert not any(alias.name.startswith("_") for alias in node.names)
