"""Several nights at the same time give the same files, and a kill costs only its night."""

import pytest

from tests.many_nights.steps import Copy, make_nights, outputs
from ztfml.cpus import cpu_count
from ztfml.errors import DataError
from ztfml.nights import batch
from ztfml.nights.batch import Options, run_batch
from ztfml.nights.processes import run_in_processes
from ztfml.nights.tasks import Task

TEXTS = ("one", "two", "three", "four", "five")


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(batch, "cpu_count", lambda: 2)


def test_processes_give_the_same_outputs(tmp_path, two_cores):
    nights = make_nights(tmp_path / "n", *TEXTS, "bad")
    run_batch(Copy(), nights, tmp_path / "alone")
    summary = run_batch(Copy(), nights, tmp_path / "together", Options(jobs=2))
    assert (summary.n_written, list(summary.failed)) == (5, [nights[-1]])
    assert outputs(tmp_path / "alone") == outputs(tmp_path / "together")


def test_a_killed_process_ends_the_run_with_the_name_of_the_night(tmp_path, two_cores):
    nights, out = make_nights(tmp_path / "n", "one", "kill once", "three"), tmp_path / "out"
    with pytest.raises(DataError, match=r"1\.csv.*a worker process was killed during this night"):
        run_batch(Copy(), nights, out, Options(jobs=2))
    summary = run_batch(Copy(), nights, out, Options(jobs=2))
    assert summary.n_written >= 1
    assert list(outputs(out).values()) == ["one", "kill once", "three"]
    assert not list(out.glob(".*.part"))


def test_not_more_processes_than_cores(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(batch, "cpu_count", lambda: 1)
    nights = make_nights(tmp_path / "n", *TEXTS)
    run_batch(Copy(), nights, tmp_path / "out", Options(jobs=8))
    assert "1 process, one for each core that may be used" in caplog.text
    assert len(outputs(tmp_path / "out")) == 5


def test_each_process_has_one_thread(tmp_path):
    night = tmp_path / "n.csv"
    task = Task(Threads(), "", night, None, tmp_path / "out", "")
    (result,) = run_in_processes([task], 2)
    assert result.counts == {"threads": 1}


class Threads(Copy):
    def load(self):
        return lambda path, history, output: {"threads": cpu_count()}
