"""Packets decoded in one process or in several, with killed processes."""

import os
import signal
import time

import pyarrow.parquet as pq
import pytest

from tests.sources.packet_files import avro, detection, packet, tar, values
from ztfml.io.companions import history_beside
from ztfml.sources import decode
from ztfml.sources.ingest import ingest


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An archive that is large enough for several processes, with repeats and damage."""
    monkeypatch.setattr(decode, "_PARALLEL_BYTES", 1000)
    monkeypatch.setattr(decode, "_TASK_BYTES", 20_000)
    members = {
        f"{k}.avro": avro(packet(k % 90 + 1, f"ZTF20aaaaa{k % 7:02d}", [detection(2, k + 1)]))
        for k in range(120)
    }
    members["50.avro"] = b"Obj\x01rubbish"
    members["70.avro"] = b"x" * 30_000
    return tar(tmp_path / "a.tar", members)


def contents(output):
    files = [output, history_beside(output), output.with_name("night.skipped.csv")]
    return [file.read_bytes() for file in files]


def test_the_result_does_not_depend_on_the_number_of_processes(archive, output):
    summary = ingest([archive], output, jobs=1)
    assert (summary.n_files, summary.n_alerts, summary.n_duplicates) == (120, 88, 30)
    assert summary.n_skipped == 2
    assert values(pq.read_table(output).to_pylist(), "candid")[:3] == [1, 2, 3]
    before = contents(output)
    assert ingest([archive], output, jobs=2) == summary
    assert contents(output) == before


def test_a_killed_process_changes_nothing(archive, output, monkeypatch, caplog):
    summary = ingest([archive], output, jobs=1)
    before = contents(output)
    started = []
    submit = decode._Workers.submit

    def kill_first(workers, task):
        future = submit(workers, task)
        if not started:
            started.append(future)
            (worker, *_) = workers._executor._processes
            os.kill(worker, signal.SIGKILL)
        return future

    monkeypatch.setattr(decode._Workers, "submit", kill_first)
    assert ingest([archive], output, jobs=2) == summary
    assert contents(output) == before
    assert len([r for r in caplog.records if "was killed" in r.getMessage()]) == 1


def test_an_interrupt_stops_all_processes(archive, output, monkeypatch):
    processes = {}
    submit = decode._Workers.submit

    def interrupt(workers, task):
        submit(workers, task)
        processes.update(workers._executor._processes)
        raise KeyboardInterrupt

    monkeypatch.setattr(decode._Workers, "submit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ingest([archive], output, jobs=2)
    assert len(processes) == 2
    end = time.monotonic() + 5
    while any(process.is_alive() for process in processes.values()) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(process.is_alive() for process in processes.values())
    assert list(output.parent.iterdir()) == []
