"""The commands of the history store."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from tests.cli.run import one_sentence, ztfml
from tests.store.small import JD, ONE, TWO, night_of
from ztfml.night import Night


@pytest.fixture
def store(tmp_path):
    """A store with two nights, and a third night."""
    paths = [night_of(tmp_path, day) for day in (0, 5, 10)]
    ztfml("history", "add", tmp_path / "store", *paths[:2])
    return tmp_path / "store", paths


def test_adding_nights(store, tmp_path):
    folder, paths = store
    (tmp_path / "bad.parquet").write_bytes(b"not a night")
    result = ztfml("history", "add", folder, *paths, tmp_path / "bad.parquet", code=1)
    one_sentence(result, "1 of 4 nights failed; the others were added")
    assert "bad.parquet: not a readable parquet file" in result.stderr
    assert f"{paths[0]}: added before" in result.stderr
    assert f"{paths[2]}: 2 objects, 8 rows, 4 rows of forced photometry; 4 of 4 files" in (
        result.stderr
    )
    assert result.stdout == f"1 nights added, 2 added before\n{folder}\n"
    # The pattern of a shell also matches the histories.
    again = ztfml("history", "add", folder, *sorted(tmp_path.glob("night*.parquet")))
    assert again.stdout.startswith("0 nights added, 3 added before")
    forced = ztfml("history", "add", folder, paths[0], "--again")
    assert "0 of 4 files replaced" in forced.stderr


def test_a_night_with_a_long_history(store, tmp_path):
    folder, paths = store
    out = tmp_path / "long.parquet"
    result = ztfml("history", "night", folder, paths[2], "-o", out, "--months", 3)
    assert result.stdout == f"2 alerts and 22 history rows\n{out}\n"
    assert len(Night.load(out).light_curve(ONE)) == 12
    short = ztfml("history", "night", folder, paths[2], "-o", out, "--months", 0.1)
    assert short.stdout.startswith("2 alerts and 6 history rows")


def test_outputs_that_are_inputs_are_refused(store):
    folder, paths = store
    result = ztfml("history", "night", folder, paths[2], "-o", paths[2], code=1)
    one_sentence(result, "this output is also an input")
    history = paths[2].with_name("night10_prv_candidates.parquet")
    one_sentence(ztfml("history", "night", folder, paths[2], "-o", history, code=1), "input")


def test_the_list_of_nights(store):
    folder, _ = store
    text = ztfml("history", "show", folder).stdout
    assert "night00.parquet" in text
    assert "16 rows and 8 rows of forced photometry in 2 cells, 4 files, " in text
    listed = json.loads(ztfml("history", "show", folder, "--format", "json").stdout)
    assert [one["rows"] for one in listed] == [8, 8]
    assert ztfml("history", "show", folder, "--format", "csv").stdout.count("\n") == 3


def test_the_light_curve_of_an_object(store):
    folder, _ = store
    result = ztfml("history", "show", folder, TWO, "--format", "csv")
    curve = pd.read_csv(io.StringIO(result.stdout))
    assert len(curve) == 12
    np.testing.assert_allclose(curve["jd"].iloc[0], JD - 3)
    assert TWO in ztfml("history", "show", folder, TWO).stdout
    missing = ztfml("history", "show", folder, "ZTF18abukavn", code=1)
    one_sentence(missing, "contains no object 'ZTF18abukavn'", "add the nights that contain it")


def test_folders_that_are_not_a_store(tmp_path):
    path = night_of(tmp_path / "nights", 0)
    for command in (("show",), ("night",)):
        words = ["history", *command, tmp_path / "nights"]
        words += [path, "-o", tmp_path / "long.parquet"] if command == ("night",) else []
        one_sentence(ztfml(*words, code=1), "is not a history store; make one with")
    one_sentence(ztfml("history", "add", tmp_path / "nights", path, code=1), "contains other files")
    assert "give at least one NIGHT" in ztfml("history", "add", tmp_path / "s", code=2).stderr
