"""Many nights from and to an object store."""

import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.cli.run import one_sentence, ztfml
from tests.many_nights.steps import Copy
from tests.remote.addresses import plain, put
from tests.store.small import night_of
from tests.test_demo import ROOT
from ztfml.errors import DataError
from ztfml.io.companions import history_beside
from ztfml.io.places import place_of
from ztfml.io.remote import copy_in, copy_out, remove_remote
from ztfml.nights.batch import Options, run_batch
from ztfml.nights.manifest import FAILED, MANIFEST
from ztfml.nights.staged import expand


def put_text(tmp_path, bucket, **texts):
    for name, text in texts.items():
        (tmp_path / "text").write_text(text)
        copy_out(tmp_path / "text", bucket(f"nights/{name}.csv"))
    return [bucket(f"nights/{name}.csv") for name in texts]


def text_at(address):
    folder, _, name = plain(address).rpartition("/")
    options = address[len(plain(address)) :]
    return place_of(folder + options).open(name).read().decode()


def test_bad_nights_and_resuming(bucket, tmp_path):
    nights = put_text(tmp_path, bucket, a="one", b="bad", c="two")
    summary = run_batch(Copy(), nights, bucket("out/"))
    assert (summary.n_written, list(summary.failed)) == (2, [nights[1]])
    assert summary.failed[nights[1]] == f"{plain(nights[1])}: is bad"
    failed = f"{plain(bucket('out'))}/{FAILED}"
    assert str(summary) == f"2 nights written, 1 failed ({failed}): 6 alerts"
    names = place_of(bucket("out")).files("")
    assert names == ["a.txt", "c.txt", FAILED, MANIFEST]
    assert text_at(bucket("out/c.txt")) == "two"
    # No secret of the options is in the records.
    for name in (FAILED, MANIFEST):
        assert "?" not in text_at(bucket(f"out/{name}"))

    put_text(tmp_path, bucket, b="good now")
    summary = run_batch(Copy(), nights, bucket("out"))
    assert (summary.n_written, summary.n_done, summary.failed) == (1, 2, {})
    assert place_of(bucket("out")).files("") == ["a.txt", "b.txt", "c.txt", MANIFEST]
    # Files in memory have no time, so only another size shows a change.
    put_text(tmp_path, bucket, a="changed")
    assert run_batch(Copy(), nights, bucket("out")).n_written == 1
    assert text_at(bucket("out/a.txt")) == "changed"
    remove_remote(bucket("out/c.txt"))
    assert run_batch(Copy(), nights, bucket("out")).n_written == 1
    (tmp_path / "text").write_text("history")
    copy_out(tmp_path / "text", bucket("nights/a_prv_candidates.csv"))
    assert run_batch(Copy(), nights, bucket("out")).n_written == 1
    assert run_batch(Copy(), nights, bucket("out"), Options(again=True)).n_written == 3


def test_nights_here_with_outputs_there_and_the_other_way(bucket, tmp_path):
    (tmp_path / "n.csv").write_text("local")
    assert run_batch(Copy(), [tmp_path / "n.csv"], bucket("out")).n_written == 1
    assert text_at(bucket("out/n.txt")) == "local"
    (night,) = put_text(tmp_path, bucket, n="remote")
    summary = run_batch(Copy(), [night], tmp_path / "out")
    assert (tmp_path / "out" / "n.txt").read_text() == "remote"
    assert summary.outputs == {night: tmp_path / "out" / "n.txt"}
    # A folder that was copied to this computer continues here.
    copy_in(bucket("out"), tmp_path / "copy")
    assert run_batch(Copy(), [tmp_path / "n.csv"], tmp_path / "copy").n_done == 1


def test_files_of_others_and_inputs_are_not_overwritten(bucket, tmp_path):
    nights = put_text(tmp_path, bucket, a="one")
    (tmp_path / "text").write_text("mine")
    copy_out(tmp_path / "text", bucket("out/a.txt"))
    with pytest.raises(DataError, match=r"out/a.txt: this file was not written by an earlier"):
        run_batch(Copy(), nights, bucket("out"))
    assert text_at(bucket("out/a.txt")) == "mine"
    put(night_of(tmp_path, 0), bucket)
    result = ztfml("ingest", bucket("night00.parquet"), "-o", bucket(""), code=1)
    one_sentence(result, f"{plain(bucket('night00.parquet'))}: this is an input")


def test_patterns(bucket, tmp_path):
    nights = put_text(tmp_path, bucket, b="1", a="2", other="3")
    assert expand(bucket("nights/[ab]*.csv")) == sorted(nights)[:2]
    with pytest.raises(DataError, match="no file matches"):
        expand(bucket("nights/*.parquet"))


def test_commands_take_patterns_and_folders(bucket, tmp_path):
    for day in (0, 5):
        put(night_of(tmp_path, day), bucket)
    history = history_beside(tmp_path / "night00.parquet")
    copy_out(history, bucket("bad.parquet"))
    result = ztfml("rank", bucket("*.parquet"), "-o", bucket("ranked/"), code=1)
    folder = plain(bucket("ranked"))
    assert result.stdout == (
        f"2 nights written, 1 failed ({folder}/{FAILED}): 4 alerts, 4 listed\n{folder}\n"
    )
    assert f"Error: 1 of 3 nights failed; see {folder}/{FAILED}, and" in result.stderr
    assert f"{plain(bucket('bad.parquet'))}: " in result.stderr
    assert "ztfml_remote" not in result.stderr
    copy_in(bucket("ranked"), tmp_path / "ranked")
    one = tmp_path / "one.csv"
    ztfml("rank", tmp_path / "night05.parquet", "-o", one)
    ranked = pd.read_csv(tmp_path / "ranked" / "night05.csv")
    pd.testing.assert_frame_equal(ranked, pd.read_csv(one))


def test_an_index_of_pages_in_a_store(bucket, tmp_path):
    for day in (0, 5):
        put(night_of(tmp_path, day), bucket)
        address = bucket(f"night{day:02}.parquet")
        result = ztfml("report", address, "-o", bucket("pages/"))
    assert result.stdout.splitlines()[-1] == f"{plain(bucket('pages'))}/index.html"
    assert "night00.html" in text_at(bucket("pages/index.html"))
    assert "night05.html" in text_at(bucket("pages/index.html"))


def test_a_killed_run_continues(s3_options, tmp_path):
    """After a kill, the outputs are complete, and the next run finishes the others."""
    from pyarrow import fs

    filesystem, _ = fs.FileSystem.from_uri(f"s3://kills{s3_options}&allow_bucket_creation=true")
    filesystem.create_dir("kills")

    def bucket(path):
        return f"s3://kills/{path}{s3_options}"

    texts = {f"n{k}": "text" for k in range(12)}
    nights = put_text(tmp_path, bucket, **texts)
    code = (
        "import sys; from tests.many_nights.steps import Copy; "
        "from ztfml.nights.batch import run_batch; run_batch(Copy(), sys.argv[2:], sys.argv[1])"
    )
    command = [sys.executable, "-c", code, bucket("out"), *nights]
    process = subprocess.Popen(command, cwd=ROOT)
    end = time.monotonic() + 60
    while "n2.txt" not in place_of(bucket("out")).files("") and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.wait()
    summary = run_batch(Copy(), nights, bucket("out"))
    # The records of the last half minute were lost.
    assert (summary.n_written, summary.n_done) == (12, 0)
    assert run_batch(Copy(), nights, bucket("out")).n_done == 12
    assert {text_at(bucket(f"out/{name}.txt")) for name in texts} == {"text"}
