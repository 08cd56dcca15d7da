"""Pipes, devices, loops of links and tables that are too wide give one sentence."""

import os
import subprocess
import sys

import pytest

from tests.night_files import alerts_frame, save
from ztfml.errors import DataError, LabelError, ModelError, ZtfmlError
from ztfml.io.companions import labels_beside
from ztfml.io.csv_text import read_csv_text
from ztfml.io.limits import MAX_TEXT_COLUMNS
from ztfml.io.tables import open_table
from ztfml.labels.label_file import read_labels
from ztfml.model.model import Model
from ztfml.ranking import read_weights
from ztfml.sources.formats import open_night

SECONDS = 60


def read_model(path):
    folder = path.with_name("model")
    folder.mkdir()
    path.rename(folder / "card.json")
    Model.load(folder)


READERS = {
    "night.parquet": open_night,
    "night_labels.csv": read_labels,
    "ranked.csv": lambda path: read_csv_text(path, "correct it"),
    "ranking.toml": read_weights,
    "card.json": read_model,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_pipes_and_devices_are_refused(name, kind, tmp_path):
    path = tmp_path / name
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(ZtfmlError, match="is a pipe or a device; copy its content to a file"):
        READERS[name](path)


def test_a_pipe_as_history_is_refused(tmp_path):
    path = save(tmp_path, alerts_frame())
    os.mkfifo(tmp_path / "night_prv_candidates.parquet")
    with pytest.raises(DataError, match="is a pipe or a device; copy its content to a file"):
        open_night(path)


def test_a_loop_of_links(tmp_path):
    for name in ("model", "night.parquet"):
        (tmp_path / name).symlink_to(name)
    with pytest.raises(ModelError, match="Too many levels of symbolic links"):
        Model.load(tmp_path / "model")
    with pytest.raises(DataError, match=r"night\.parquet"):
        open_night(tmp_path / "night.parquet")


@pytest.mark.parametrize("reader", [read_labels, READERS["ranked.csv"], open_table])
def test_a_table_with_a_million_columns_is_refused(reader, tmp_path):
    path = labels_beside(tmp_path / "night.parquet")
    names = [f"c{k}" for k in range(10**6)]
    path.write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    with pytest.raises((DataError, LabelError), match=f"more than {MAX_TEXT_COLUMNS:,} columns"):
        reader(path)


def run(*arguments, env=(), **options):
    return subprocess.run(
        [sys.executable, "-m", "ztfml", *map(str, arguments)],
        env=os.environ | dict(env), timeout=SECONDS, check=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_closed_standard_streams(closed, compiled, tmp_path):
    path, output = save(tmp_path, alerts_frame()), tmp_path / "out.csv"

    def close():
        for descriptor in closed:
            os.close(descriptor)

    done = run("features", path, "-o", output, preexec_fn=close)
    assert done.returncode == 0
    assert output.read_text().startswith("objectId,candid,jd,")


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"HOME": "/proc", "TMPDIR": "/nonexistent", "MPLCONFIGDIR": "/proc/none"},
        {"TZ": "Pacific/Kiritimati", "COLUMNS": "-1", "TERM": "dumb"},
    ],
    ids=["locale", "folders", "terminal"],
)
def test_an_unusual_environment(env, tmp_path):
    path, output = save(tmp_path, alerts_frame()), tmp_path / "cuts.png"
    done = run("cuts", path, "--plot", output, env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert output.stat().st_size > 0


def test_names_with_accents_in_the_c_locale(compiled, tmp_path):
    path, output = tmp_path / "näch.parquet", tmp_path / "pré.csv"
    save(tmp_path, alerts_frame()).rename(path)
    c_locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run("features", path, "-o", output, env=c_locale, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().endswith(f"{output}\n")
    assert output.read_text().startswith("objectId,candid,jd,")


def test_a_working_folder_that_is_deleted(compiled, tmp_path):
    path, gone = save(tmp_path, alerts_frame()), tmp_path / "gone"
    gone.mkdir()
    # numba needs a working folder to compile what is not in its cache.
    assert run("features", path, "-o", tmp_path / "before.csv").returncode == 0
    done = run(
        "features", path, "-o", tmp_path / "out.csv",
        cwd=gone, preexec_fn=gone.rmdir, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_relative_path_in_a_working_folder_that_is_deleted(tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    done = run(
        "features", "night.parquet", "-o", "out.csv",
        cwd=gone, preexec_fn=gone.rmdir, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "Error: the working folder does not exist any more: No such file or directory\n"
    )
