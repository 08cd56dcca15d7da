"""A batch skips what is done, continues after bad nights, and overwrites nothing else."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.many_nights.steps import Copy, make_nights, outputs
from ztfml.errors import DataError
from ztfml.nights.batch import Options, run_batch
from ztfml.nights.manifest import FAILED, MANIFEST, locked


def test_a_bad_night_does_not_stop_the_others(tmp_path):
    nights = make_nights(tmp_path / "n", "one", "bad", "fault", "two")
    summary = run_batch(Copy(), nights, tmp_path / "out")
    assert outputs(tmp_path / "out") == {"0.txt": "one", "3.txt": "two"}
    assert (summary.n_written, summary.n_done, len(summary.failed)) == (2, 0, 2)
    assert str(summary).startswith("2 nights written, 2 failed (")
    failed = pd.read_csv(tmp_path / "out" / FAILED)
    assert failed["night"].tolist() == [str(nights[1]), str(nights[2])]
    assert failed["error"][0] == f"{nights[1]}: is bad"
    assert "internal error (ZeroDivisionError: a fault)" in failed["error"][1]

    # The next run repeats only bad nights, and the list ends when all are good.
    nights[1].write_text("good")
    nights[2].write_text("fine")
    summary = run_batch(Copy(), nights, tmp_path / "out")
    assert (summary.n_written, summary.n_done, summary.failed) == (2, 2, {})
    assert not (tmp_path / "out" / FAILED).exists()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".lock", "0.txt", "1.txt", "2.txt", "3.txt", MANIFEST,
    ]  # fmt: skip


def test_only_changed_nights_are_processed_again(tmp_path):
    nights, out = make_nights(tmp_path / "n", "one", "two"), tmp_path / "out"
    assert run_batch(Copy(), nights, out).n_written == 2
    assert run_batch(Copy(), nights, out).n_written == 0
    assert run_batch(Copy(), nights, out, Options(again=True)).n_written == 2
    nights[0].write_text("ONE!")
    assert run_batch(Copy(), nights, out).n_written == 1
    assert outputs(out)["0.txt"] == "ONE!"
    # A history that appears is a changed input.
    nights[1].with_name("1_prv_candidates.csv").write_text("")
    assert run_batch(Copy(), nights, out).n_written == 1
    (out / "1.txt").unlink()
    assert run_batch(Copy(), nights, out).n_written == 1
    (out / "1.txt").write_text("truncated output")
    assert run_batch(Copy(), nights, out).n_written == 1
    assert run_batch(Copy(prefix=">"), nights, out).n_written == 2
    assert outputs(out) == {"0.txt": ">ONE!", "1.txt": ">two"}


def test_a_changed_file_of_the_options_is_noticed(tmp_path):
    from ztfml.nights.fingerprints import settings_digest
    from ztfml.nights.steps import Rank

    model = tmp_path / "model"
    model.mkdir()
    (model / "card.json").write_text("{}")
    before = settings_digest(Rank(model=model))
    assert settings_digest(Rank(model=model)) == before
    assert settings_digest(Rank()) != before
    (model / "card.json").write_text("[]")
    assert settings_digest(Rank(model=model)) != before
    code = tmp_path / "own.py"
    code.write_text("a = 1")
    trusted = settings_digest(Rank(trust=(str(code),)))
    code.write_text("a = 2")
    assert settings_digest(Rank(trust=(str(code),))) != trusted


def test_nights_with_one_name_in_two_folders(tmp_path):
    a = make_nights(tmp_path / "a", "one", "two")
    b = make_nights(tmp_path / "b", "three")
    out = tmp_path / "out"
    run_batch(Copy(), [*a, *b, *a], out)
    assert outputs(out) == {"1.txt": "two", "a_0.txt": "one", "b_0.txt": "three"}
    # Also in separate runs, and after the folder of the first night was moved away.
    other = tmp_path / "other"
    run_batch(Copy(), a, other)
    (tmp_path / "a").rename(tmp_path / "moved")
    run_batch(Copy(), b, other)
    assert outputs(other) == {"0.txt": "one", "1.txt": "two", "b_0.txt": "three"}
    assert run_batch(Copy(), b, other).n_done == 1


def test_nothing_else_is_overwritten(tmp_path):
    nights, out = make_nights(tmp_path / "n", "one"), tmp_path / "out"
    out.mkdir()
    (out / "0.txt").write_text("mine")
    with pytest.raises(DataError, match="was not written by an earlier run"):
        run_batch(Copy(), nights, out)
    assert outputs(out) == {"0.txt": "mine"}
    night = tmp_path / "n" / "1.txt"
    night.write_text("text")
    with pytest.raises(DataError, match="is also an input"):
        run_batch(Copy(), [night], tmp_path / "n")
    assert night.read_text() == "text"


def test_a_folder_belongs_to_one_command_and_one_run(tmp_path):
    nights, out = make_nights(tmp_path / "n", "one"), tmp_path / "out"

    class Other(Copy):
        name = "other"

    run_batch(Copy(), nights, out)
    with pytest.raises(DataError, match="contains the outputs of ztfml copy; use one folder"):
        run_batch(Other(), nights, out)
    with locked(out), pytest.raises(DataError, match="another run of ztfml writes to this folder"):
        run_batch(Copy(), nights, out)
    assert run_batch(Copy(), nights, out).n_done == 1


def test_an_incomplete_or_damaged_manifest(tmp_path):
    nights, out = make_nights(tmp_path / "n", "one", "two"), tmp_path / "out"
    run_batch(Copy(), nights, out)
    manifest = out / MANIFEST
    manifest.write_text(manifest.read_text()[:-20] + '\n[1]\n{}\n{"output": "../a", ')
    assert run_batch(Copy(), nights, out).n_written == 1
    assert run_batch(Copy(), nights, out).n_done == 2


RUN = """
import sys
from pathlib import Path
from tests.many_nights.steps import Copy
from ztfml.nights.batch import Options, run_batch
print(run_batch(Copy(), sys.argv[3:], sys.argv[1], Options(jobs=int(sys.argv[2]))))
"""


def start(folder, jobs, nights):
    command = [sys.executable, "-c", RUN, str(folder), str(jobs), *map(str, nights)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_resumes(tmp_path, jobs):
    nights, out = make_nights(tmp_path / "n", "one", "two", "slow", "four"), tmp_path / "out"
    process = start(out, jobs, nights)
    deadline = time.monotonic() + 120
    # The last night is done while the slow one still runs if there are two processes.
    while len(outputs(out)) < jobs + 1 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    nights[2].write_text("three")
    summary = run_batch(Copy(), nights, out)
    assert summary.n_done >= jobs
    assert summary.n_written + summary.n_done == 4
    assert list(outputs(out).values()) == ["one", "two", "three", "four"]
    assert not list(out.glob(".*.part"))
