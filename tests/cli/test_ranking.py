"""Commands around the ranking."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tests.cli.run import one_sentence, ztfml
from ztfml.ranking import load_ranking, weight_names


def test_rank_writes_one_row_per_object_with_reasons_and_links(nights, model, tmp_path):
    out = tmp_path / "r.csv"
    shown = ztfml("rank", nights[2], "-m", model, "-o", out, "--top", 25).stdout
    table = pd.read_csv(out)
    expected = ["rank", "objectId", "candid", "score", "label", "reasons", "p_transient"]
    expected += ["best_rate", "rate_err", "band", "direction"]
    expected += ["age", "peak_mag", "last_mag", "color"]
    assert list(table.columns[: len(expected)]) == expected
    assert list(table["rank"]) == list(range(1, 26))
    assert table["objectId"].is_unique
    assert table["score"].is_monotonic_decreasing
    assert table["reasons"].str.contains("mag/day|no rate yet").all()
    assert table["alerce"].str.endswith(table["objectId"][0]).any()
    assert table["objectId"][0] in shown
    latest = pd.read_parquet(nights[2]).sort_values("candidate.jd").groupby("objectId").last()
    assert (latest.loc[table["objectId"], "candid"].to_numpy() == table["candid"].to_numpy()).all()


def test_rank_with_another_instrument_and_other_weights(nights, model, tmp_path):
    instrument = tmp_path / "dbsp.toml"
    instrument.write_text(
        '[instrument]\nname = "DBSP"\nlimiting_magnitude = 21.5\nspectra_per_night = 7\n'
    )
    out = tmp_path / "r.csv"
    ztfml("rank", nights[2], "-m", model, "-o", out, "--instrument", instrument)
    table = pd.read_csv(out)
    # One row per spectrum.
    assert len(table) == 7
    largest = load_ranking().weights["bright"]
    assert (table.loc[table["last_mag"] < 20, "term_bright"] > 0.95 * largest).all()
    weights = tmp_path / "mine.toml"
    names = (*weight_names(), "intercept")
    lines = [f"{name} = {10 if name == 'young' else 0}" for name in names]
    weights.write_text("[weights]\n" + "\n".join(lines))
    ztfml("rank", nights[2], "-m", model, "-o", out, "--weights", weights)
    by_age = pd.read_csv(out)
    assert len(by_age) == 12
    assert by_age["score"].to_numpy() == pytest.approx(1 / (1 + np.exp(-by_age["term_young"])))
    weights.write_text("[weights]\nluck = 1\n")
    result = ztfml("rank", nights[2], "-m", model, "-o", out, "--weights", weights, code=1)
    one_sentence(result, weights)


def test_explain_prints_and_draws_the_terms(nights, model, tmp_path):
    out, figure = tmp_path / "r.csv", tmp_path / "why.png"
    ztfml("rank", nights[2], "-m", model, "-o", out, "--top", 3)
    row = pd.read_csv(out).iloc[2]
    name = row["objectId"]
    shown = ztfml("rank", nights[2], "-m", model, "--explain", name, "--plot", figure).stdout
    assert f"score {row['score']:.3f}, rank 3 of" in shown
    assert row["reasons"] in shown
    assert f"sum {row['log_odds']:.2f}: score" in shown
    assert "base" in shown
    assert figure.read_bytes().startswith(b"\x89PNG")
    result = ztfml("rank", nights[2], "-m", model, "--explain", "ZTF00nobody", code=1)
    one_sentence(result, "ZTF00nobody")
    ztfml("rank", nights[2], "-m", model, "--plot", figure, code=2)
    ztfml("rank", nights[2], "-m", model, "--explain", name, "--top", 3, code=2)


def test_data_goes_to_stdout_and_remarks_to_stderr(nights, model, tmp_path):
    alone = tmp_path / "alone.parquet"
    shutil.copy(nights[2], alone)
    result = ztfml("rank", alone, "-m", model)
    assert "the alerts have no history" in result.stderr
    assert "alone" not in result.stdout.replace(str(alone), "")
    assert ztfml("rank", alone, "-m", model, "--quiet").stderr == ""


def test_rank_in_a_shell(nights, model, tmp_path):
    """Run the program in a new process with a pipe for its output."""
    out = tmp_path / "r.csv"
    command = [
        sys.executable,
        "-m",
        "ztfml",
        "rank",
        str(nights[2]),
        "-m",
        str(model),
        "-o",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env=os.environ | {"COLUMNS": "40"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out)
    # Names are not shortened in a pipe, even if the terminal is narrow.
    assert all(name in done.stdout for name in table["objectId"])
