"""Commands with many nights: a folder of outputs, or one table of the good nights."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from tests.cli.run import one_sentence, ztfml
from tests.many_nights.steps import make_nights, outputs
from ztfml.io.companions import history_beside


@pytest.fixture
def many(nights, tmp_path):
    """Two good nights and a bad one between them."""
    folder = tmp_path / "nights"
    folder.mkdir()
    for night, name in zip(nights[:2], ("a", "c"), strict=True):
        for place in (lambda path: path, history_beside):
            shutil.copy(place(night), place(folder / f"{name}.parquet"))
    (folder / "b.parquet").write_bytes(b"not a night")
    return sorted(folder.iterdir())


def test_predictions_in_a_folder(many, model, tmp_path):
    out = tmp_path / "out"
    result = ztfml("predict", *many, "-m", model, "-o", f"{out}/", code=1)
    one_sentence(result, "1 of 3 nights failed", "failed.csv", "run the command again")
    assert result.stdout.startswith("2 nights written, 1 failed (")
    assert "b.parquet: not a readable parquet file" in result.stderr
    ztfml("predict", many[0], "-m", model, "-o", tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "a.parquet"), pd.read_parquet(out / "a.parquet")
    )
    failed = pd.read_csv(out / "failed.csv")
    assert failed["night"].tolist() == [str(tmp_path / "nights" / "b.parquet")]

    # The folder exists now, so no / is needed. Without the bad night, all is done.
    good = [path for path in many if path.stem != "b"]
    assert ztfml("predict", *good, "-m", model, "-o", out).stdout == (
        f"0 nights written, 2 done before\n{out}\n"
    )
    again = ztfml("predict", *good, "-m", model, "-o", out, "--again").stdout
    assert again.startswith("2 nights written: 2,400 alerts, ")


def test_pages_in_a_folder_have_an_index(many, model, tmp_path):
    out = tmp_path / "pages"
    result = ztfml("report", *many, "-m", model, "-o", f"{out}/", "--top", 2, code=1)
    assert str(out / "index.html") in result.stdout
    index = (out / "index.html").read_text("utf-8")
    assert 'href="a.html"' in index
    assert 'href="c.html"' in index
    assert 'href="b.html"' not in index
    assert 'href="index.html"' in (out / "a.html").read_text("utf-8")


def test_one_table_keeps_the_good_nights(many, model, tmp_path):
    for command, options in (("predict", ("-m", model)), ("features", ())):
        out = tmp_path / f"{command}.csv"
        result = ztfml(command, *many, *options, "-o", out, code=1)
        one_sentence(result, "1 of 3 nights failed; the output contains the others")
        assert len(pd.read_csv(out)) == 2400
    bad = [path for path in many if path.stem == "b"] * 2
    out = tmp_path / "none.csv"
    assert "not a readable parquet file" in ztfml("features", *bad, "-o", out, code=1).stderr
    assert not out.exists()


def test_ingest_writes_each_input_to_its_own_night(many, tmp_path):
    out = tmp_path / "ingested"
    good = [path for path in many if path.stem != "b"]
    shown = ztfml("ingest", *good, "-o", f"{out}/").stdout
    assert shown.startswith("2 nights written: 2,400 alerts, ")
    names = {path.name for path in out.glob("*.parquet")}
    assert names >= {"a.parquet", "a_prv_candidates.parquet", "c.parquet"}
    assert ztfml("ingest", *good, "-o", out).stdout.startswith("0 nights written, 2 done before")
    # A folder of nights cannot be the output of its own nights.
    one_sentence(ztfml("ingest", *good, "-o", f"{good[0].parent}/", code=1), "is also an input")


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "a.parquet", "-o", "folder"),
        ("predict", "a.parquet", "-o", "p.parquet", "--jobs", "2"),
        ("predict", "a.parquet", "-o", "p/", "--jobs", "0"),
        ("predict", "a.parquet", "-o", "p/", "--report", "drift.csv"),
        ("predict", "a.parquet", "-o", "p/", "--jobs", "2", "--scheduler", "tcp://h:1"),
        ("predict", "a.parquet", "b.parquet", "-o", "p/", "--history", "h.parquet"),
        ("features", "a.parquet", "-o", "f.csv", "--again"),
        ("rank", "a.parquet", "b.parquet"),
        ("rank", "a.parquet", "b.parquet", "-o", "r.csv"),
        ("rank", "a.parquet", "-o", "r/", "--explain", "ZTF18abukavn"),
        ("report", "a.parquet", "b.parquet", "-o", "r.html"),
        ("rank", "-o", "r/"),
        ("report", "-o", "r.html"),
    ],
)
def test_wrong_usage(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "Error:" in ztfml(*arguments, code=2).stderr
    assert not list(tmp_path.iterdir())


# The workers of a slow step that needs no night.
SLOW = """
import sys
from tests.many_nights.steps import Copy
from ztfml.cli import main
from ztfml.nights.steps import Ingest
Ingest.load, Ingest.suffix, Ingest.prefix = Copy.load, ".txt", ""
main(["ingest", *sys.argv[1:]])
"""


def test_ctrl_c_stops_cleanly_and_the_next_run_resumes(tmp_path):
    nights, out = make_nights(tmp_path / "n", "one", "slow", "three"), tmp_path / "out"
    command = [sys.executable, "-c", SLOW, *map(str, nights), "-o", f"{out}/"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list(out.glob(".1.txt.*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "Interrupted.\n")
    assert outputs(out) == {"0.txt": "one"}
    assert not list(out.glob(".*.part"))
    nights[1].write_text("two")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.startswith("2 nights written, 1 done before: 8 alerts")
    assert list(outputs(out).values()) == ["one", "two", "three"]
