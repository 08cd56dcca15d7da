"""Killed processes, several processes at once, full disks and read-only stores lose nothing."""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from tests.faults.conftest import start  # noqa: F401
from tests.store.small import (
    JD,
    ONE,
    alert,
    assert_equal,
    curves,
    files_of,
    night_of,
    row,
    write,
)  # fmt: skip
from tests.store.writers import (
    N_NIGHTS,
    add_all,
    add_and_kill,
    add_without_end,
    make_nights,
    read_all_the_time,
)  # fmt: skip
from ztfml.errors import DataError
from ztfml.store.add import add_night
from ztfml.store.partitions import read_rows
from ztfml.store.show import contents, light_curve
from ztfml.store.store import Store

# ``ZTFML_KILLS`` sets the number of random kills.
N_KILLS = int(os.environ.get("ZTFML_KILLS", "20"))


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return make_nights(tmp_path_factory.mktemp("nights"))


@pytest.fixture(scope="module")
def expected(paths, tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected") / "store"
    add_all(folder, paths)
    return curves(Store.open(folder))


def hidden_files(folder):
    return [path for path in folder.rglob("*") if path.name.startswith(".")]


def check(folder, paths, expected):
    """After any interruption, the next run completes the store."""
    add_all(folder, paths, again=True)
    store = Store.open(folder)
    assert_equal(curves(store), expected)
    assert len(files_of(store)) == 4
    assert hidden_files(folder) == []


def test_a_kill_at_every_change(start, paths, tmp_path):  # noqa: F811
    last = write(tmp_path / "last.parquet", [alert(ONE, JD + 9)], [row(ONE, JD + 8, 19.0)])
    add_all(tmp_path / "before", paths)
    before = light_curve(Store.open(tmp_path / "before"), ONE)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    add_all(tmp_path / "after", [last])
    expected = light_curve(Store.open(tmp_path / "after"), ONE)
    assert len(expected) == len(before) + 2
    for n_changes in range(50):
        folder = tmp_path / f"store{n_changes}"
        shutil.copytree(tmp_path / "before", folder)
        process = start(add_and_kill, folder, last, n_changes)
        process.join(60)
        store = Store.open(folder)
        curve = light_curve(store, ONE)
        # The store has all rows of the night or none, and each once.
        assert curve.equals(before) or curve.equals(expected)
        if len(store.records()) > N_NIGHTS:
            assert curve.equals(expected)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
        add_all(folder, [last])
        assert light_curve(store, ONE).equals(expected)
        assert len(files_of(store)) == 4
        assert hidden_files(folder) == []
    else:
        pytest.fail("the process does not end")
    assert n_changes >= 6


def test_kills_at_random_moments(start, paths, expected, tmp_path):  # noqa: F811
    folder = tmp_path / "store"
    add_all(folder, paths[:2])
    rng = random.Random(1)
    for k in range(N_KILLS):
        process = start(add_without_end, folder, paths, k)
        time.sleep(rng.uniform(0.02, 0.3))
        process.kill()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        curves(Store.open(folder))
    check(folder, paths, expected)


def test_two_writers_and_a_reader(start, paths, expected, tmp_path):  # noqa: F811
    folder = tmp_path / "store"
    Store.create(folder)
    writers = [start(add_all, folder, paths, seed) for seed in (1, 2)]
    reader = start(read_all_the_time, folder, 1.0)
    for process in (*writers, reader):
        process.join(120)
        assert process.exitcode == 0
    assert_equal(curves(Store.open(folder)), expected)
    assert len(Store.open(folder).records()) == N_NIGHTS
    check(folder, paths, expected)


def test_a_file_that_is_replaced_while_it_is_read(paths, tmp_path, monkeypatch):
    store = Store.create(tmp_path / "store")
    add_night(store, paths[0])
    folder = next(path.parent for path in files_of(store) if "/history/" in str(path))
    folder = str(folder.relative_to(tmp_path / "store"))
    from ztfml.store.merge import HISTORY

    n_before = len(read_rows(store.place, folder, HISTORY))
    listed = store.place.files(folder)
    add_night(store, paths[3])
    answers = iter([listed])
    files = type(store.place).files
    monkeypatch.setattr(
        type(store.place), "files", lambda self, name: next(answers, None) or files(self, name)
    )
    assert len(read_rows(store.place, folder, HISTORY)) > n_before


def test_a_full_disk(paths, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=28k", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    try:
        store = Store.create(disk / "store")
        with pytest.raises(DataError, match=r"cannot be written completely \(No space left"):
            add_all(disk / "store", paths)
        n_nights = len(store.records())
        assert n_nights < N_NIGHTS
        assert hidden_files(disk) == []
        if n_nights:
            assert curves(store)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_read_only_store(paths, expected, tmp_path):
    target = tmp_path / "store"
    add_all(target, paths)
    mount = ["mount", "--bind", target, target]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a read-only folder")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", target], check=True)
        store = Store.open(target)
        assert_equal(curves(store), expected)
        assert contents(store).n_files == 4
        new = night_of(tmp_path, 20)
        with pytest.raises(DataError, match=r"cannot be written \(Read-only file system\); make "):
            add_night(store, new)
    finally:
        subprocess.run(["umount", target], check=True)
