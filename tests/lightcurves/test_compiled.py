"""What people and numba are told about compiled code."""

import logging
import time

from numba import njit

from ztfml.lightcurves import compiled


def test_a_stamp_changes_with_the_content_of_any_file(tmp_path):
    a, b = tmp_path / "a.py", tmp_path / "b.py"
    a.write_text("1")
    b.write_text("2")
    before = compiled.stamp_of(a, b).dtype
    assert compiled.stamp_of(a, b).dtype == before
    b.write_text("3")
    assert compiled.stamp_of(a, b).dtype != before


def test_compiling_is_told_only_when_it_takes_long(caplog, monkeypatch):
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
