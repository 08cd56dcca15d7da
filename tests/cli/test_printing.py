"""Results on standard output for other programs: --format and -o -."""

import csv
import io
import json

import pandas as pd
import pytest

from tests.cli.run import ztfml
from ztfml.io.companions import labels_beside
from ztfml.io.data_text import as_csv, as_json


def rows_of(text, print_as):
    if print_as == "json":
        return json.loads(text)
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("print_as", ["csv", "json"])
def test_rank_prints_data_only(nights, model, tmp_path, print_as):
    out = tmp_path / "ranked.csv"
    arguments = ("rank", nights[0], "-m", model, "--top", 3, "-o", out, "--format", print_as)
    result = ztfml(*arguments)
    rows = rows_of(result.stdout, print_as)
    written = pd.read_csv(out, dtype={"candid": str})
    assert [row["candid"] for row in rows] == written["candid"].tolist()
    assert "term_base" in rows[0]
    assert str(out) in result.stderr


def test_predict_and_features_print_instead_of_writing(nights, model, tmp_path):
    printed = ztfml("predict", nights[0], "-m", model, "-o", "-")
    path = tmp_path / "p.csv"
    ztfml("predict", nights[0], "-m", model, "-o", path)
    assert printed.stdout == path.read_text()
    assert "alerts: " in printed.stderr
    table = rows_of(ztfml("features", nights[0], "--format", "json").stdout, "json")
    assert len(table) == len(pd.read_csv(path))
    assert {"objectId", "candid", "fade_rate_r"} <= set(table[0])
    ztfml("predict", nights[0], "-m", model, code=2)


def test_cuts_label_and_evaluate(nights, model, tmp_path):
    labels = tmp_path / "rules.csv"
    printed = ztfml("cuts", nights[0], "-o", labels, "--format", "csv").stdout
    assert printed == labels.read_text()
    assert ztfml("cuts", nights[0], "-o", "-").stdout == printed
    known = tmp_path / "bts.csv"
    name = pd.read_parquet(nights[0])["objectId"][0]
    known.write_text(f"ZTFID,type\n{name},SN Ia\n")
    arguments = ("label", nights[0], "--catalog", f"objects={known}", "-o", "-")
    assert {row["label"] for row in rows_of(ztfml(*arguments).stdout, "csv")} == {"transient"}
    arguments = ("evaluate", nights[0], "-m", model, "--labels", labels_beside(nights[0]))
    metrics = json.loads(ztfml(*arguments, "--format", "json").stdout)
    rows = rows_of(ztfml(*arguments, "-o", "-").stdout, "csv")
    assert [row["label"] for row in rows] == list(metrics["per_class"])


def test_model_show_prints_the_card(model):
    card = json.loads(ztfml("model", "show", model, "--format", "json").stdout)
    assert card == json.loads((model / "card.json").read_text("utf-8"))
    rows = rows_of(ztfml("model", "show", model, "--format", "csv").stdout, "csv")
    assert [row["label"] for row in rows] == list(card["metrics"][0]["per_class"])
    assert "format" in json.loads(ztfml("model", "show", "--format", "json").stdout)


def test_tables_in_a_pipe_have_one_line_per_row(nights, model):
    lines = ztfml("rank", nights[0], "-m", model, "--top", 5).stdout.splitlines()
    assert len([line for line in lines if "ZTF" in line and "│" in line]) == 5


def test_odd_values():
    frame = pd.DataFrame(
        {"name": ["=1+1", "ü"], "x": [float("nan"), float("inf")], "candid": [2**60 + 1, 1]}
    )
    assert json.loads(as_json(frame)) == [
        {"name": "=1+1", "x": None, "candid": str(2**60 + 1)},
        {"name": "ü", "x": None, "candid": "1"},
    ]
    assert as_csv(frame).splitlines()[1] == f"'=1+1,,{2**60 + 1}"
    assert json.loads(as_json(frame[:0])) == []
