"""A new feature and a new term of the ranking leave models, rankings and weights usable."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import ztfml
from tests.cli.run import ztfml as ztfml_command
from ztfml.ranking import load_ranking
from ztfml.simulate import write_nights

FEATURE = '''

@GROUP.feature("mag", missing="never")
def twice_magpsf(magpsf):
    """Twice the magnitude."""
    return 2 * magpsf
'''

TERM = '''

@_term("twice_magpsf", "twice the magnitude", (30, 40))
def faint(twice_magpsf):
    """Faint, for a test."""
    return _ramp(twice_magpsf, 30.0, 40.0)
'''

RUN = """
import sys
from ztfml.cli import main
for arguments in {commands}:
    main([str(one) for one in arguments], standalone_mode=False)
"""


def run(package, commands):
    """Run commands of a copy of the package in another process; return the messages."""
    environment = os.environ | {"PYTHONPATH": str(package)}
    code = RUN.format(commands=repr([[str(one) for one in command] for command in commands]))
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=package,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stderr


def commands_into(folder, night):
    return [
        ["predict", night, "-o", folder / "predictions.csv", "-q"],
        ["rank", night, "-o", folder / "ranked.csv", "--top", 1000],
        ["report", night, "-o", folder / "night.html", "-q"],
        ["recover", night, "-o", folder / "recovery.json", "--repeats", 2, "--per-night", 8, "-q"],
    ]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Results of the package as it is, and of a copy with a new feature and a new term."""
    night = write_nights(tmp_path_factory.mktemp("night"), 800, seed=12)[0]
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    source = Path(ztfml.__file__).parent
    for command in commands_into(before, night):
        ztfml_command(*command)
    copy = tmp_path_factory.mktemp("copy")
    # With the compiled code, which a feature of alert columns does not change.
    shutil.copytree(source, copy / "ztfml")
    shutil.copytree(load_ranking().folder.parent, copy / "models", dirs_exist_ok=True)
    for name, code in (("features/context.py", FEATURE), ("ranking/terms.py", TERM)):
        with (copy / "ztfml" / name).open("a", encoding="utf-8") as file:
            file.write(code)
    weights = after / "mine.toml"
    weights.write_text("[weights]\nfaint = 2\nyoung = 1\nintercept = -1\n")
    custom = ["rank", night, "-o", after / "mine.csv", "--weights", weights, "--top", 1000]
    messages = run(copy, [*commands_into(after, night), custom])
    return before, after, messages


def test_scores_and_recovery_are_unchanged(outputs):
    before, after, _ = outputs
    for name in ("predictions.csv", "ranked.csv"):
        old, new = pd.read_csv(before / name), pd.read_csv(after / name)
        pd.testing.assert_frame_equal(new[old.columns], old, check_exact=True)
    assert "term_faint" in new
    assert new["term_faint"].between(0, 1).all()
    assert (before / "recovery.json").read_text() == (after / "recovery.json").read_text()
    assert len(json.loads((after / "recovery.json").read_text())["events"]) == 16
    assert "Faint, for a test." in (after / "night.html").read_text(encoding="utf-8")


def test_the_new_term_has_weight_0_and_one_message(outputs):
    _, after, messages = outputs
    lines = [line for line in messages.splitlines() if "has no weight for faint" in line]
    (message,) = lines
    assert message.endswith("ranking.toml: has no weight for faint; the weight is 0")
    mine = pd.read_csv(after / "mine.csv")
    score = 1 / (1 + 2.718281828459045 ** (1 - mine["term_faint"] - mine["term_young"]))
    assert mine["score"].to_numpy() == pytest.approx(score.to_numpy(), abs=1e-9)
