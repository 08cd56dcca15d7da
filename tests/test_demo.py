"""The demonstration goes all the way, and the notebooks run on what it made."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ztfml.cli import main
from ztfml.demo import demo_folder

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder, and what the command printed."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    done = CliRunner().invoke(main, ["demo", str(folder)])
    assert done.exit_code == 0, done.output
    return folder, done.stdout


def test_demo_goes_all_the_way(demo):
    folder, said = demo
    names = {path.name for path in folder.iterdir()}
    assert {"predictions.parquet", "ranked.csv", "model", "night.html"} <= names
    assert any(name.endswith(".png") for name in names)
    assert "macro-F1" in said
    again = CliRunner().invoke(main, ["demo", str(folder)])
    assert again.exit_code == 1
    assert "not empty" in again.stderr


def test_a_demo_that_is_there_is_not_made_again(demo, monkeypatch, tmp_path):
    folder, _ = demo
    page = (folder / "night.html").stat()
    assert demo_folder(folder) == folder
    monkeypatch.setenv("ZTFML_DEMO", str(folder))
    assert demo_folder(tmp_path / "other") == folder
    assert (folder / "night.html").stat() == page
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(demo, notebook, tmp_path):
    pytest.importorskip("nbmake", reason="no nbmake; pip install 'ztfml[test]'")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=300", "-q",
         "-p", "no:cacheprovider", notebook],
        env={
            **os.environ,
            "ZTFML_DEMO": str(demo[0]),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


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
