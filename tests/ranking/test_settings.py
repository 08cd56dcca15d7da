"""Weights and instrument come from TOML files, and what cannot be used is one sentence."""

import pytest

from ztfml.errors import DataError
from ztfml.ranking import (
    DEFAULT_FILE,
    TERMS,
    Instrument,
    read_instrument,
    read_trees,
    read_weights,
)


def test_our_own_file():
    assert set(read_weights()) == {*TERMS, "intercept"}
    assert read_instrument() == Instrument("SEDM", 19.5, 12)


def test_a_file_may_have_one_of_both(tmp_path):
    path = tmp_path / "dbsp.toml"
    path.write_text(
        '[instrument]\nname = "DBSP"\nlimiting_magnitude = 21\nspectra_per_night = 20\n'
    )
    assert read_instrument(path) == Instrument("DBSP", 21.0, 20)
    with pytest.raises(DataError, match=r"dbsp\.toml: has no table \[weights\]"):
        read_weights(path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[weights]", "[weights", "not a ranking file"),
        ("fading = ", "# fading = ", "fading"),
        ("fading = ", "luck = 1.0\nfading = ", "luck"),
        ("fading = ", 'fading = "much" # ', r"weights\.fading is 'much'; write a number"),
        ("fading = ", "fading = nan # ", "write a number"),
        ("fading = ", "fading = true # ", "write a number"),
    ],
)
def test_weights_that_cannot_be_used(tmp_path, old, new, told):
    path = tmp_path / "mine.toml"
    path.write_text(DEFAULT_FILE.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=r"mine\.toml") as error:
        read_weights(path)
    error.match(told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("limiting_magnitude", "limit", "limiting_magnitude"),
        ("spectra_per_night = 12", "spectra_per_night = 0", "whole number"),
        ("spectra_per_night = 12", "spectra_per_night = 1.5", "whole number"),
        ("limiting_magnitude = 19.5", 'limiting_magnitude = "faint"', "write a number"),
    ],
)
def test_instruments_that_cannot_be_used(tmp_path, old, new, told):
    path = tmp_path / "mine.toml"
    path.write_text(DEFAULT_FILE.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=r"mine\.toml") as error:
        read_instrument(path)
    error.match(told)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"none\.toml"):
        read_weights(tmp_path / "none.toml")


def test_a_copy_of_our_file_and_one_that_names_none_use_our_trees(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(DEFAULT_FILE.read_text())
    assert read_trees(path) is read_trees()
    path.write_text("[weights]\nyoung = 1\n")
    assert read_trees(path) is read_trees()
    path.write_text("trees = 1")
    with pytest.raises(DataError, match=r"mine\.toml: has no table \[trees\]"):
        read_trees(path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("sha256", "md5", "file, a name without a folder, and sha256"),
        ('file = "', 'file = "../', "file, a name without a folder, and sha256"),
        ('file = "', 'file = "" # ', "file, a name without a folder, and sha256"),
        ('sha256 = "', "sha256 = [] # ", "file, a name without a folder, and sha256"),
        ('file = "', 'file = "other_', r"other_ranking_trees\.txt: .* cannot be read \(No such"),
        ('sha256 = "', 'sha256 = "0', "is not the file that its ranking file was written with"),
    ],
)
def test_trees_that_cannot_be_used(tmp_path, old, new, told):
    path = tmp_path / "mine.toml"
    path.write_text(DEFAULT_FILE.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=told):
        read_trees(path)
