"""The cache of compiled code notices changes, and messages say when code is compiled."""

import importlib
import logging
import sys
import time

import numba
import numpy as np
import pytest
from numba import njit

from ztfml import compiled


def test_numba_has_the_private_options_that_kernels_use():
    try:
        njit(_nrt=False, forceinline=True)(lambda x: x + 1)(1)
    except Exception as error:
        pytest.fail(
            f"numba {numba.__version__} does not accept _nrt=False: keep numba below this version "
            f"in pyproject.toml, or change ztfml.compiled.kernel ({error})"
        )
    function = njit(cache=True)(_plus_one)
    assert hasattr(function._cache, "_cache_file"), "numba.core.caching.Cache changed"
    assert function._cache._cache_file._version == numba.__version__


def _plus_one(x):
    return x + 1


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write modules to a folder, and import one of them as a new process would."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(name, **sources):
        for module, source in sources.items():
            header = "import numpy as np\nfrom typing import NamedTuple\n"
            header += "from ztfml.compiled import cached\n"
            (tmp_path / f"{module}.py").write_text(header + source)
        for module in [path.stem for path in tmp_path.glob("*.py")]:
            sys.modules.pop(module, None)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield load
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


OUTER = "import inner_a\nfrom middle_a import twice\n@cached\ndef run(x):\n    return twice(x)\n"
MIDDLE = "import inner_a\n@cached\ndef twice(x):\n    return 2 * inner_a.shift(x)\n"
INNER = "@cached\ndef shift(x):\n    return x + 1\n"


def test_a_change_two_calls_away_is_noticed(package):
    assert package("outer_a", outer_a=OUTER, middle_a=MIDDLE, inner_a=INNER).run(1) == 4
    again = package("outer_a")
    assert again.run(1) == 4
    assert sum(again.run.stats.cache_hits.values()) == 1
    changed = package("outer_a", inner_a=INNER.replace("x + 1", "x + 2"))
    assert changed.run(1) == 6
    assert sum(changed.run.stats.cache_misses.values()) == 1


def test_a_constant_of_another_module_is_noticed(package):
    user = "from values_b import SCALE\n@cached\ndef run(x):\n    return SCALE * x\n"
    assert package("user_b", user_b=user, values_b="SCALE = 2.0\n").run(1.0) == 2
    assert package("user_b", values_b="SCALE = 3.0\n").run(1.0) == 3


FIELDS = "class Pair(NamedTuple):\n    {}: float\n    {}: float\n"


def test_the_order_of_the_fields_of_an_argument_is_noticed(package):
    user = "@cached\ndef run(pair):\n    return pair.low\n"
    first = package("user_c", user_c=user, pairs_c=FIELDS.format("low", "high"))
    assert first.run(importlib.import_module("pairs_c").Pair(1.0, 2.0)) == 1
    second = package("user_c", pairs_c=FIELDS.format("high", "low"))
    assert second.run(importlib.import_module("pairs_c").Pair(1.0, 2.0)) == 2


def test_a_cache_that_names_a_class_that_has_moved_is_ignored(package):
    user = "@cached\ndef run(pair):\n    return pair.low\n"
    pair = FIELDS.format("low", "high")
    first = package("user_d", user_d=user, pairs_d=pair)
    assert first.run(importlib.import_module("pairs_d").Pair(1.0, 2.0)) == 1
    moved = package("user_d", pairs_d="", places_d=pair)
    assert moved.run(importlib.import_module("places_d").Pair(3.0, 2.0)) == 3


def test_arrays_are_compared_by_all_their_values(package):
    user = "TABLE = np.arange(5000)\n@cached\ndef run(k):\n    return TABLE[k]\n"
    first = package("user_e", user_e=user)
    _, constants = compiled.sources_of(first.run)
    assert ("TABLE", repr(list(range(5000)))) in constants


def test_functions_that_call_each_other_are_followed_once():
    @compiled.cached
    def even(n):
        return n == 0 or odd(n - 1)

    @compiled.cached
    def odd(n):
        return n != 0 and even(n - 1)

    files, _ = compiled.sources_of(even)
    assert list(files) == [__file__]


def test_a_kernel_divides_as_numpy_does():
    @compiled.kernel
    def ratio(a, b):
        return a / b

    assert ratio(1.0, 0.0) == np.inf
    assert np.isnan(ratio(0.0, 0.0))


def test_a_message_says_when_compiling_takes_long(caplog, monkeypatch):
    monkeypatch.setattr(compiled, "_LOADS_WITHIN", 0.05)
    caplog.set_level(logging.INFO)
    kernel = njit(lambda x: x + 1)
    with compiled.say_if_compiling(kernel):
        time.sleep(0.2)
        kernel(1)
    assert "compiling" in caplog.text
    caplog.clear()
    with compiled.say_if_compiling(kernel):
        time.sleep(0.2)
    assert caplog.text == ""
