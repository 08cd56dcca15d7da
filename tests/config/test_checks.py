"""Unknown settings and wrong values."""

import tomllib
from pathlib import Path

import pytest

from ztfml.config.checks import check
from ztfml.config.settings import SETTINGS
from ztfml.errors import DataError

FILE = Path("/work/ztfml.toml")


def checked(text, is_user=True):
    return check(tomllib.loads(text), FILE, is_user)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('galaxie = "x"', "unknown setting 'galaxie'; did you mean 'galaxies'?"),
        ('Model = "x"', "unknown setting 'Model'; did you mean 'model'?"),
        ("[broker]", "unknown setting 'broker'; did you mean 'brokers'?"),
        ("[brokers.fnk]", "unknown setting 'brokers.fnk'; did you mean 'brokers.fink'?"),
        ('slack = "https://x"', "did you mean 'notifications.slack'?"),
        ("[notifications]\nmin-score = 0.1", "did you mean 'notifications.min_score'?"),
        ('[catalogs]\nvxs = "a.csv"', "did you mean 'catalogs.vsx'?"),
        ('"" = 1', "write one of model, ranking,"),
        ("zzz = 1", "unknown setting 'zzz'; write one of model, ranking,"),
        ("[notifications]\nzzz = 1", "write one of file, command, slack, skyportal"),
        ("model = 3", "model must be text that is not empty, for example model = "),
        ('model = " "', "model must be text that is not empty"),
        ('model = "a\\u0000b"', "model must be text"),
        ('model = ["a"]', "model must be text"),
        ("[model]\npath = 1", "model must be text"),
        ("[[weights]]", "weights must be a table or the name of a file"),
        ("catalogs = 3", "catalogs must be a table; begin it with a line [catalogs]"),
        ("[catalogs]\nvsx = []", "catalogs.vsx must be the name of a file or a list of names"),
        ('[catalogs]\nvsx = ["a", 3]', "catalogs.vsx must be the name of a file or a list"),
        ('brokers.fetch = ["fink", "alerc"]', "did you mean 'alerce'?"),
        ('brokers.watch = "mine"', "brokers.watch is 'mine'; write ztf or babamul or fink"),
        ("notifications.min_score = true", "must be a number from 0 to 1"),
        ("notifications.min_score = nan", "must be a number from 0 to 1"),
        ("notifications.min_score = 1.5", "must be a number from 0 to 1"),
        ('notifications.min_score = "0.5"', "must be a number from 0 to 1"),
    ],
)
def test_a_wrong_setting_is_named(text, message):
    with pytest.raises(DataError) as error:
        checked(text)
    assert str(error.value).startswith(f"{FILE}: ")
    assert message in str(error.value)


def test_only_the_user_may_name_a_program():
    text = '[notifications]\ncommand = "notify-send"'
    assert checked(text)["notifications.command"].value == "notify-send"
    with pytest.raises(DataError, match=r"allowed only in your own file \(.*ztfml.toml\)"):
        checked(text, is_user=False)


def test_a_wrong_secret_is_not_printed():
    with pytest.raises(DataError) as error:
        checked("[brokers.fink]\npassword = 4711")
    assert "4711" not in str(error.value)


def test_a_table_of_the_ranking_is_read_from_the_same_file():
    found = checked("[instrument]\nspectra_per_night = 5")["instrument"]
    assert found == (str(FILE), FILE, "spectra_per_night = 5")


def test_one_text_is_a_list_of_one():
    assert checked('brokers.fetch = "fink"')["brokers.fetch"].value == ["fink"]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_example_is_valid(name):
    assert checked(f"{name} = {SETTINGS[name].example}")[name].value
