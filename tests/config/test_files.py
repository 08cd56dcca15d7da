"""Where settings are read from, and files that cannot be read."""

import os

import pytest

from ztfml.config import read_config
from ztfml.config.files import user_file
from ztfml.errors import DataError


def test_without_files_there_are_no_settings(working):
    assert read_config().files == ()
    assert read_config().get("galaxies") is None


def test_the_folder_has_priority_over_the_user(write, working):
    write('galaxies = "mine.csv"\nmodel = "mine"', of_user=True)
    write('galaxies = "ned.csv"\n[notifications]\nmin_score = 0.3')
    config = read_config()
    assert config.get("galaxies") == str(working / "ned.csv")
    assert config.get("model") == str(user_file().parent / "mine")
    assert config.get("notifications.min_score") == 0.3
    assert config.values["model"].file == user_file()
    assert config.files == (user_file(), working / "ztfml.toml")


def test_a_working_folder_that_is_the_configuration_folder_is_read_once(write, monkeypatch):
    path = write('[notifications]\ncommand = "notify-send"', of_user=True)
    monkeypatch.chdir(path.parent)
    assert read_config().files == (path,)


def test_relative_paths_are_relative_to_their_file(write, working, monkeypatch):
    write('[catalogs]\nvsx = ["a.csv", "/data/b.csv", "~/c.csv"]\nned = "s3://bucket/ned.csv"')
    monkeypatch.setenv("HOME", "/home/ada")
    config = read_config(working)
    assert config.get("catalogs.vsx") == [str(working / "a.csv"), "/data/b.csv", "/home/ada/c.csv"]
    assert config.get("catalogs.ned") == ["s3://bucket/ned.csv"]


@pytest.mark.parametrize(
    "text",
    [
        b'\xef\xbb\xbfmodel = "m"',
        b'# settings\r\nmodel = "m"\r\n',
        b"\"model\" = 'm'",
        'model = "m" # ü'.encode(),
    ],
    ids=["byte order mark", "line ends of Windows", "quoted key", "other letters"],
)
def test_files_of_any_editor_are_read(write, working, text):
    write(text)
    assert read_config().get("model") == str(working / "m")


@pytest.mark.parametrize("text", [b"", b"\n", b"# nothing\n", b"\xef\xbb\xbf", b"[brokers]\n"])
def test_an_empty_file_has_no_settings(write, text):
    path = write(text)
    assert read_config().files == (path,)
    assert not read_config().values


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'model = "m"\ngalaxies = "\xe9"', "line 2 is not UTF-8; save the file as UTF-8"),
        ('model = "m"'.encode("utf-16"), "line 1 is not UTF-8"),
        (b"model = my_model", "not valid TOML (Invalid value (at line 1, column 9))"),
        (b'model = "a"\nmodel = "b"', "not valid TOML (Cannot overwrite a value"),
        (b"model = \0", "not valid TOML"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"#" * 1_000_001, "more than 1,000,000 bytes"),
    ],
)
def test_other_content_is_named(write, text, reason):
    write(text)
    with pytest.raises(DataError) as error:
        read_config()
    assert str(error.value).startswith("ztfml.toml: ")
    assert reason in str(error.value)


def test_a_folder_a_pipe_and_a_broken_link_are_named(working):
    path = working / "ztfml.toml"
    path.mkdir()
    with pytest.raises(DataError, match="is a folder"):
        read_config()
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(DataError, match="pipe"):
        read_config()
    path.unlink()
    path.symlink_to("absent.toml")
    with pytest.raises(DataError, match=r"cannot be read .No such file"):
        read_config()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_named(write):
    write('model = "m"').chmod(0)
    with pytest.raises(DataError, match=r"cannot be read .Permission denied"):
        read_config()
