"""Imports point downward only, and the command line starts quickly."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ztfml

PACKAGE = Path(ztfml.__file__).parent

# Each module may import those of its own layer and of the layers above it in this list.
LAYERS = [
    ("errors", "taxonomy", "schema", "astrophysics", "compiled", "cpus"),
    ("io",),
    ("trees",),
    ("lightcurves",),
    ("night",),
    ("features",),
    ("sources", "catalogs", "evaluation"),
    ("labels", "simulate"),
    ("ranking",),
    ("model",),
    ("injection",),
    ("training",),
    ("plots",),
    ("report",),
    ("nights",),
    ("store",),
    ("stream",),
    ("config",),
    ("demo",),
    ("cli", "__main__"),
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def layer_of(module):
    for depth, names in enumerate(LAYERS):
        if module in names:
            return depth
    raise AssertionError(f"{module} is in no layer; add it to one")


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            parts = node.module.split(".")
            if parts[0] == "ztfml":
                yield from ([parts[1]] if len(parts) > 1 else [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "ztfml" and len(parts) > 1:
                    yield parts[1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path):
    package = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports_of(path):
        assert layer_of(name) <= layer_of(package), f"{path.name} imports {name} from a layer above"


def test_every_public_name_has_a_docstring_with_an_example():
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"


def cpu_seconds(*command):
    """The least CPU time of five runs, which a busy machine changes little."""
    times = []
    for _ in range(5):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        times.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    return min(times)


def test_help_needs_little_cpu_time():
    bare = cpu_seconds(sys.executable, "-c", "pass")
    assert cpu_seconds(sys.executable, "-m", "ztfml", "--help") - bare < 0.2


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from ztfml.cli import main; main(['--help'], standalone_mode=False);"
        "print(*(m for m in ('numpy', 'pandas', 'numba', 'lightgbm', 'matplotlib', 'astropy', "
        "'pyarrow') if m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr.strip() == ""


def loaded_by(code, *modules):
    code += f"; import sys; print(*(m for m in {modules} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


# Each of these takes a tenth of a second or more.
SLOW = ("sklearn", "lightgbm", "scipy.stats", "astropy", "joblib", "jsonschema", "matplotlib")


def test_predictions_and_the_ranking_load_only_what_they_need():
    predict = (
        "import ztfml.cli.models, ztfml.io.parquet, ztfml.sources.formats;"
        "from ztfml.model.model import Model; Model.load()"
    )
    assert loaded_by(predict, *SLOW, "scipy.special", "ztfml.ranking") == ""
    rank = "import ztfml.cli.ranking; from ztfml.ranking import load_ranking; load_ranking()"
    assert loaded_by(rank, *SLOW) == ""


BENCHMARKS = sorted((Path(__file__).parent / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_longer_measurements_can_be_started(path):
    """They run by hand only, so other tests do not notice a renamed import."""
    importlib.import_module(f"tests.benchmarks.{path.stem}")
