"""Output files are complete or absent."""

import pytest

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside


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
