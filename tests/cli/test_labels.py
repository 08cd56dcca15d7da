"""Commands that label nights."""

import pandas as pd

from tests.cli.run import one_sentence, ztfml
from ztfml.taxonomy import LABELS


def test_cuts_print_the_cut_flow_and_write_labels(nights, tmp_path):
    out, figure = tmp_path / "rules.csv", tmp_path / "cuts.png"
    shown = ztfml("cuts", nights[0], "--drb", "0.6", "-o", out, "--plot", figure).stdout
    assert "cut flow" in shown
    labels = pd.read_csv(out)
    assert len(labels) == 1200
    assert set(labels["label"]) <= set(LABELS)
    assert labels["evidence"].str.startswith("rules:").all()
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_training_with_labels_of_the_rules(nights, tmp_path):
    labels = tmp_path / "rules.csv"
    ztfml("cuts", nights[0], "-o", labels)
    command = ("train", nights[0], "--labels", labels, "-o", tmp_path / "by_rules")
    one_sentence(ztfml(*command, code=1), "too few labelled objects", "--classes", "--onto")
    assert not (tmp_path / "by_rules").exists()
    ztfml(*command, "--classes", ",".join(pd.read_csv(labels)["label"].unique()))
    assert "rules" in ztfml("model", "show", tmp_path / "by_rules").stdout
