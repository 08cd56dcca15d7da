"""The command `ztfml recover` and its figures."""

import json
import shutil

import pytest

from tests.cli.run import one_sentence, ztfml
from ztfml import plots
from ztfml.injection.populations import KINDS
from ztfml.injection.recovery import measure_recall
from ztfml.io.companions import history_beside, labels_beside

pytestmark = pytest.mark.filterwarnings("error")

FEW = ("--repeats", 4, "--per-night", 6, "--seed", 9)


@pytest.fixture(scope="module")
def recovery(night_path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recovery")
    out, figure = folder / "recovery.json", folder / "recovery.png"
    result = ztfml("recover", night_path, "-o", out, "--plot", figure, *FEW)
    return out, figure, result


def test_recover_prints_tables_and_writes_them(recovery):
    out, figure, result = recovery
    assert "24 fast transients, 6 per night" in result.stdout
    assert "two nights or more, peak < 20" in result.stdout
    assert "objects of the night in the first 12" in result.stdout
    assert result.stdout.rstrip().endswith(str(figure))
    found = json.loads(out.read_text())
    assert {event["kind"] for event in found["events"]} == set(KINDS)
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_file(recovery, night_path, tmp_path):
    again = tmp_path / "again.json"
    ztfml("recover", night_path, "-o", again, *FEW)
    assert again.read_bytes() == recovery[0].read_bytes()


def test_labels_are_optional(night_path, tmp_path):
    bare = tmp_path / "bare.parquet"
    shutil.copy(night_path, bare)
    shutil.copy(history_beside(night_path), history_beside(bare))
    result = ztfml("recover", bare, "-o", tmp_path / "out.json", *FEW)
    assert "objects of the night in the first" not in result.stdout
    named = ztfml("recover", bare, "-o", tmp_path / "out.json", *FEW,
                  "--labels", labels_beside(night_path))  # fmt: skip
    assert "objects of the night in the first 12" in named.stdout


def test_bad_input_gives_a_one_sentence_error(night_path, tmp_path):
    out = tmp_path / "out.json"
    one_sentence(ztfml("recover", tmp_path / "no.parquet", "-o", out, code=1), "no.parquet")
    alone = tmp_path / "alone.parquet"
    shutil.copy(night_path, alone)
    one_sentence(
        ztfml("recover", alone, "-o", out, code=1), "alone.parquet", "no object has a history"
    )
    labels = tmp_path / "labels.csv"
    labels.write_text("nothing\n")
    result = ztfml("recover", night_path, "-o", out, *FEW, "--labels", labels, code=1)
    one_sentence(result, "labels.csv")
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments", [["--repeats", 0], ["--per-night", 0], ["-o", "recovery.csv"], []]
)
def test_wrong_usage_exits_with_2(night_path, arguments):
    ztfml("recover", night_path, *arguments, code=2)


def test_figures_show_the_values_of_the_tables(injected_night, labels):
    found = measure_recall(injected_night, labels=labels)
    _, axes = plots.figure(3)
    assert plots.recall_by_top(axes[0], found) is axes[0]
    cell = found["recall"]["cells"]["two nights or more, peak < 20"]
    assert str(cell["n"]) in axes[0].get_title()
    drawn = {text.get_text() for text in axes[0].get_legend().get_texts()}
    assert drawn == set(cell["recall"])
    ours = axes[0].containers[0][0].get_ydata()
    assert ours == pytest.approx([one["value"] for one in cell["recall"]["ztfml"].values()])
    plots.recall_by_part(axes[1], found, "kind")
    parts = found["recall"]["kind"]
    names = ["".join(label.get_text().split()) for label in axes[1].get_xticklabels()]
    assert names == [f"{name}({part['n']})".replace(" ", "") for name, part in parts.items()]
    plots.first_listed(axes[2], found)
    assert len(axes[2].lines) == len(cell["recall"])


def test_figures_without_events_have_a_message():
    found = {"recall": {"cells": {}, "kind": {}}}
    _, axes = plots.figure(2)
    plots.recall_by_top(axes[0], found)
    plots.recall_by_part(axes[1], found, "kind")
    assert all(ax.texts[0].get_text().startswith("No event") for ax in axes)
