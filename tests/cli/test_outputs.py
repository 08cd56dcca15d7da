"""An output that is an input, or that cannot be written, is refused before the work."""

import os
import shutil

import pytest

from tests.cli.run import one_sentence, ztfml
from ztfml.errors import DataError
from ztfml.io.companions import history_beside, labels_beside
from ztfml.night import Night


@pytest.fixture
def night(nights, tmp_path):
    path = tmp_path / "night.parquet"
    for place in (history_beside, labels_beside, lambda name: name):
        shutil.copy(place(nights[0]), place(path))
    return path


@pytest.fixture
def unchanged(tmp_path):
    """Check at the end that no file has changed."""

    def content():
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        return {path: path.read_bytes() for path in files}

    before = []
    yield lambda: before.append(content())
    assert content() == before[0]


OUTPUTS = {
    "the night": lambda night: night,
    "a relative path": lambda night: night.parent / ".." / night.parent.name / night.name,
    "a symbolic link": lambda night: link(night, os.symlink),
    "a hard link": lambda night: link(night, os.link),
    "a link to the folder": lambda night: linked_folder(night) / night.name,
    "the history": history_beside,
}


def link(path, make):
    other = path.with_name("other.parquet")
    make(path, other)
    return other


def linked_folder(path):
    other = path.parent / "linked"
    other.symlink_to(path.parent, target_is_directory=True)
    return other


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_output_that_is_the_night(output, night, unchanged):
    path = OUTPUTS[output](night)
    unchanged()
    for command in ("features", "predict"):
        error = one_sentence(ztfml(command, night, "-o", path, code=1), path, "is also an input")
        assert "choose another name" in error


def test_outputs_that_are_other_inputs(night, model, unchanged):
    labels, card = labels_beside(night), model / "card.json"
    other = night.with_name("other.csv")
    shutil.copy(labels, other)
    marks = night.with_name("night_marks.csv")
    marks.write_text("candid,objectId,mark,label,note\n")
    unchanged()
    before = card.read_bytes()
    for arguments, output in (
        (["predict", night], labels),
        (["rank", night], labels),
        (["rank", night], marks),
        (["evaluate", night, "-m", model], card),
        (["recover", night, "-m", model], card),
        (["label", night, "--catalog", f"objects={other}"], other),
    ):
        one_sentence(ztfml(*arguments, "-o", output, code=1), output, "is also an input")
    # The history is written beside the night.
    result = ztfml("ingest", history_beside(night), "-o", night, code=1)
    one_sentence(result, history_beside(night), "is also an input")
    figure = night.with_name("a.json")
    one_sentence(ztfml("evaluate", night, "-o", figure, "--plot", figure, code=1), "also an input")
    assert card.read_bytes() == before


def test_an_output_in_the_folder_of_a_night(nights, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    shutil.copy(nights[0], folder)
    result = ztfml("predict", folder, "-o", folder / "p.parquet", code=1)
    one_sentence(result, "is in the input folder")
    assert len(list(folder.iterdir())) == 1


def test_a_night_is_not_saved_over_its_own_file(night):
    content = night.read_bytes()
    with pytest.raises(DataError, match="is the file from which this night was read"):
        Night.load(night).save(night)
    assert night.read_bytes() == content


def test_a_place_that_cannot_be_written_is_refused_before_the_work(night, tmp_path):
    absent = tmp_path / "absent" / "p.parquet"
    result = ztfml("predict", "no_such_night.parquet", "-o", absent, code=1)
    one_sentence(result, absent, "its folder does not exist")
    folder = tmp_path / "p.csv"
    folder.mkdir()
    one_sentence(ztfml("predict", night, "-o", folder, code=1), folder, "it is a folder")


def _without_permission(path, *_, **__):
    return not str(path).endswith("locked")


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(night, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", _without_permission)
    folder = tmp_path / "locked"
    folder.mkdir()
    for arguments in (
        ["simulate", folder / "nights"],
        ["demo", folder / "demo"],
        ["rank", night, night, "-o", f"{folder}/ranked/"],
        ["train", night, "-o", folder / "model"],
        ["predict", night, "-o", folder / "p.csv"],
    ):
        one_sentence(ztfml(*arguments, code=1), f"no permission in {folder}")
    assert not list(folder.iterdir())
    result = ztfml("simulate", night / "nights", code=1)
    one_sentence(result, night / "nights", "is not a folder")


def test_an_unexpected_error_is_one_sentence(night, tmp_path, monkeypatch):
    def fail(*args):
        raise ZeroDivisionError("a fault\nof ztfml")

    monkeypatch.setattr("ztfml.sources.formats.open_night", fail)
    output = tmp_path / "p.csv"
    result = ztfml("features", night, "-o", output, code=1)
    sentence = one_sentence(result, "please report it")
    assert "internal error (ZeroDivisionError: a fault of ztfml)" in sentence
    debugged = ztfml("--debug", "features", night, "-o", output, code=1)
    assert "Traceback" in debugged.stderr
    assert not output.exists()


def test_names_do_not_change_the_terminal(tmp_path):
    result = ztfml("features", "a\x1b[31m\nb.parquet", "-o", tmp_path / "f.csv", code=1)
    assert "\x1b" not in result.stderr
    assert "a\\x1b[31m b.parquet" in one_sentence(result)
