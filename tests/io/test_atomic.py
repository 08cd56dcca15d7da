"""Output files are complete or absent."""

import os

import pytest

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside, write_together


def fail_after_writing(path):
    with write_beside(path) as part:
        part.write_text("incomplete")
        raise RuntimeError


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        fail_after_writing(path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_successful_write_replaces_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with write_beside(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match="use an existing, writable folder"):
        fail_after_writing(tmp_path / "absent" / "a.txt")


def test_files_are_stored_before_they_are_renamed(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        function = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *args, f=function, n=name: (calls.append(n), f(*args))[1]
        )
    with write_beside(tmp_path / "a.csv") as part:
        part.write_text("new")
    assert calls == ["fsync", "replace", "fsync"]
    with write_beside(tmp_path / "a.csv", durable=False) as part:
        part.write_text("newer")
    assert calls[3:] == ["replace"]


def test_a_file_that_the_block_removes_is_removed_with_the_switch(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_text("old")
    with write_together(*paths) as (first, second):
        first.write_text("new")
        second.unlink()
        assert paths[1].read_text() == "old"
    assert paths[0].read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
