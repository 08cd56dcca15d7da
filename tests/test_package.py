"""The names that `ztfml` exports."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import ztfml


def test_exported_names_are_importable():
    assert set(ztfml.__all__) <= set(dir(ztfml))
    for name in set(ztfml.__all__) - {"__version__"}:
        assert getattr(ztfml, name).__name__ == name
    assert ztfml.__version__ == version("ztfml")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'ztfml' has no attribute 'Knight'"):
        ztfml.Knight  # noqa: B018


def test_importing_ztfml_loads_no_large_package():
    code = "import sys, ztfml; sys.exit(any(m in sys.modules for m in ('numpy', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
