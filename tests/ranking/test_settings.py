"""Weights and instrument come from TOML files; errors are one sentence."""

import logging

import pytest

from ztfml.errors import DataError
from ztfml.ranking import Instrument, load_ranking, read_instrument, read_weights, weight_names
from ztfml.ranking.settings import settings_toml


@pytest.fixture
def shipped():
    return (load_ranking().folder / "ranking.toml").read_text()


def test_a_file_may_have_only_one_table(tmp_path):
    path = tmp_path / "dbsp.toml"
    path.write_text(
        '[instrument]\nname = "DBSP"\nlimiting_magnitude = 21\nspectra_per_night = 20\n'
    )
    assert read_instrument(path) == Instrument("DBSP", 21.0, 20)
    with pytest.raises(DataError, match=r"dbsp\.toml: has no table \[weights\]"):
        read_weights(path)


def test_written_settings_are_read_back(tmp_path):
    path = tmp_path / "mine.toml"
    weights = dict.fromkeys(weight_names(), 0.25) | {"intercept": -3.5}
    path.write_text(settings_toml(weights, Instrument("Large λ", 21.5, 3)), encoding="utf-8")
    assert read_weights(path) == weights
    assert read_instrument(path) == Instrument("Large λ", 21.5, 3)


def test_a_term_without_a_weight_has_weight_0_and_one_message(tmp_path, caplog):
    path = tmp_path / "mine.toml"
    path.write_text("[weights]\nyoung = 2\nintercept = -1\n")
    with caplog.at_level(logging.WARNING):
        weights = read_weights(path)
    assert weights == dict.fromkeys(weight_names(), 0.0) | {"young": 2.0, "intercept": -1.0}
    (message,) = caplog.messages
    assert message.startswith(f"{path}: has no weight for tonight, localized, not_stellar,")
    assert message.endswith("the weight is 0")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[weights]", "[weights", "not a readable TOML file"),
        ("intercept = ", "# intercept = ", "weights: 'intercept' is a required property"),
        (
            "real = ",
            "luck = 1.0\nreal = ",
            r"weights: .*'luck' was unexpected.*the terms are tonight, ",
        ),
        ("real = ", 'real = "much" # ', r"weights\.real: 'much' is not of type 'number'"),
        ("real = ", "real = nan # ", "nan is not a number"),
        ("real = ", "real = true # ", "weights.real: True is not of type 'number'"),
        ("real = ", "real = 1e400 # ", "1e400 is not a number"),
        ("real = ", "real = 2020-01-01 # ", "is not of type 'number'"),
        ("[weights]", f"deep = {'[' * 5000}{']' * 5000}\n[weights]", "not a readable TOML file"),
    ],
)
def test_unusable_weights(tmp_path, shipped, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(shipped.replace(old, new, 1))
    with pytest.raises(DataError, match=r"mine\.toml") as error:
        read_weights(path)
    error.match(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[instrument]", "[instrument]\nlimit = 19.5", "'limit' was unexpected"),
        ("limiting_magnitude = 19.5", "", "'limiting_magnitude' is a required property"),
        ("spectra_per_night = 12", "spectra_per_night = 0", "0 is less than the minimum of 1"),
        ("spectra_per_night = 12", "spectra_per_night = 1.5", "1.5 is not of type 'integer'"),
        (
            "limiting_magnitude = 19.5",
            'limiting_magnitude = "faint"',
            "'faint' is not of type 'number'",
        ),
    ],
)
def test_unusable_instruments(tmp_path, shipped, old, new, message):
    path = tmp_path / "mine.toml"
    path.write_text(shipped.replace(old, new, 1))
    with pytest.raises(DataError, match=r"mine\.toml") as error:
        read_instrument(path)
    error.match(message)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"none\.toml: not a readable TOML file \(No such file"):
        read_weights(tmp_path / "none.toml")


@pytest.mark.parametrize(("intercept", "score"), [(1e5, 1), (-1e5, 0)])
def test_weights_that_rank_nothing_are_refused(tmp_path, intercept, score):
    path = tmp_path / "mine.toml"
    path.write_text(f"[weights]\nyoung = 2\nintercept = {intercept}\n")
    with pytest.raises(DataError, match=f"every score is {score}, so nothing can be ranked"):
        read_weights(path)
