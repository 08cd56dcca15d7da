"""Kills at every change of the file system and at random moments lose nothing.

``ZTFML_KILLS`` sets the number of random kills (50 by default).
"""

import os
import random
import signal
import time

import pytest

from tests.faults.writers import (
    WRITERS,
    names_in,
    write,
    write_again_and_again,
    write_and_kill,
)

N_KILLS = int(os.environ.get("ZTFML_KILLS", "50"))
# No writer changes the file system more often.
MOST_CHANGES = 60


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("exists", [False, True])
def test_a_kill_at_every_change(name, exists, start, tmp_path):
    _, read, files = WRITERS[name]
    versions = set()
    for n_changes in range(MOST_CHANGES):
        folder = tmp_path / str(n_changes)
        folder.mkdir()
        if exists:
            write("model" if "model" in name else name, folder, 1)
        process = start(write_and_kill, name, folder, 2, n_changes)
        process.join(60)
        if exists:
            versions.add(read(folder))
        elif names_in(folder) >= files:
            assert read(folder) == 2
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        # The next run completes the output and removes what the killed one left.
        write("model" if "model" in name else name, folder, 1)
        assert names_in(folder) == files
        assert read(folder) == 1
    else:
        pytest.fail("the writer does not end")
    assert n_changes >= 1
    assert versions == ({1, 2} if exists else set())


@pytest.mark.parametrize("name", ["pair", "model"])
def test_kills_at_random_moments(name, start, tmp_path):
    _, read, files = WRITERS[name]
    write(name, tmp_path, 1)
    rng = random.Random(5)
    n_killed = 0
    for k in range(N_KILLS // 2):
        process = start(write_again_and_again, name, tmp_path, 2 - k % 2, 1000)
        time.sleep(rng.uniform(0.02, 0.12))
        process.kill()
        process.join(60)
        n_killed += process.exitcode == -signal.SIGKILL
        assert read(tmp_path) in (1, 2)
    assert n_killed == N_KILLS // 2
    write(name, tmp_path, 1)
    assert names_in(tmp_path) == files
    assert read(tmp_path) == 1


@pytest.mark.parametrize("name", ["pair", "model"])
def test_two_writers_leave_one_complete_result(name, start, tmp_path):
    _, read, files = WRITERS[name]
    write(name, tmp_path, 1)
    processes = [start(write_again_and_again, name, tmp_path, version, 30) for version in (1, 2)]
    while any(process.is_alive() for process in processes):
        if name == "pair":
            assert read(tmp_path) in (1, 2)
        time.sleep(0.005)
    assert [process.exitcode for process in processes] == [0, 0]
    assert read(tmp_path) in (1, 2)
    assert names_in(tmp_path) == files


def test_files_of_a_running_process_are_not_removed(start, tmp_path):
    from ztfml.io.temporary import remove_leftovers, temporary_beside

    with temporary_beside(tmp_path / "a.csv") as part:
        process = start(remove_leftovers, tmp_path / "a.csv")
        process.join(60)
        assert process.exitcode == 0
        assert part.exists()
    assert names_in(tmp_path) == set()


def test_a_new_file_that_another_run_takes_for_a_leftover(tmp_path, monkeypatch):
    from ztfml.io import temporary

    attempts = []

    def flock(descriptor, flags):
        attempts.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        if len(attempts) == 1:
            # The other run has the lock, and removes the file next.
            raise BlockingIOError

    monkeypatch.setattr(temporary.fcntl, "flock", flock)
    with temporary.temporary_beside(tmp_path / "a.csv") as part:
        os.unlink(attempts[0])
        part.write_text("complete")
        assert str(part) == attempts[1]


def test_files_of_other_outputs_are_not_removed(tmp_path):
    from ztfml.io.temporary import remove_leftovers, temporary_name

    others = [temporary_name(tmp_path / name) for name in ("a.csv.gz", "b.csv", "a")]
    killed = temporary_name(tmp_path / "a.csv")
    for path in (*others, killed):
        path.touch()
    remove_leftovers(tmp_path / "a.csv")
    assert names_in(tmp_path) == {path.name for path in others}


def test_the_mask_of_permissions_is_used(tmp_path):
    from ztfml.io.atomic import write_beside

    old = os.umask(0o027)
    try:
        with write_beside(tmp_path / "a.csv") as part:
            part.write_text("new")
            assert os.umask(0o027) == 0o027
    finally:
        os.umask(old)
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o640
