"""Text reports of scores: the most reliable figure first, and only figures that were measured."""

import numpy as np
import pandas as pd
import pytest

from ztfml.evaluation.slices import assess
from ztfml.evaluation.text import evaluation_report, headline, metrics_table
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS

HONEST = {"honest": True, "trained_on": {"n": 0, "n_objects": 0}, "n_simulated": 0}


def assessment(circular):
    """Four alerts; the prediction of the second is wrong."""
    p = pd.DataFrame(0.05, index=range(4), columns=list(PROBABILITY_COLUMNS))
    for row, label in enumerate(["star", "agn", "sso", "sso"]):
        p.loc[row, f"p_{label}"] = 0.8
    alerts = pd.DataFrame(
        {
            "objectId": list("abcd"),
            "magpsf": [16.0, 18.5, 18.6, 18.7],
            "n_det": [1, 2, 2, 40],
            "circular": circular,
            "has_history": [False, True, True, True],
        }
    )
    return assess(["star", "star", "sso", "sso"], p, alerts, packet_only=p)


def rows_of(text, head):
    """The cells of the table whose first cell says so, by the first cell of each row."""
    lines = text.split("\n")
    begin = next(k for k, line in enumerate(lines) if line.startswith(f"| {head} "))
    table = []
    for line in [lines[begin], *lines[begin + 2 :]]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return {row[0]: row[1:] for row in table}


def test_the_honest_figure_comes_first():
    found = assessment([False, False, True, True]) | HONEST
    lines = evaluation_report(found).split("\n")
    assert lines[0] == "Objects not used in training, labels independent of the features:"
    assert lines[1] == headline(found["slices"]["labels"]["not circular"])
    assert "accuracy 0.50" in lines[1]
    assert lines[3] == headline(found)
    assert "accuracy 0.75" in lines[3]


def test_where_all_labels_are_circular_no_figure_is_called_independent():
    lines = evaluation_report(assessment(True) | HONEST).split("\n")
    assert lines[0] == "Objects not used in training; no label is independent of the features"


def test_metrics_of_training_objects_are_marked():
    known = {"honest": False, "trained_on": {"n": 4, "n_objects": 4}, "n_simulated": 3}
    text = evaluation_report(assessment(False) | known)
    assert text.startswith("TOO GOOD, training objects")
    assert "3 alerts are simulated" in text


def test_a_row_for_each_part():
    rows = rows_of(evaluation_report(assessment(False) | HONEST), "part")
    assert list(rows) == [
        "part",
        "label not circular",
        "mag up to 17",
        "mag 18 to 19",
        "detections 1",
        "detections 2 to 3",
        "detections over 30",
        "with history",
        "packet alone",
    ]
    sso = 3 + LABELS.index("sso")
    assert rows["mag 18 to 19"][:2] == ["3", "0.67"]
    assert rows["mag 18 to 19"][sso] == "1.00"
    assert rows["mag up to 17"][sso] == "-"


def test_reliability_is_printed_below_the_confusion():
    found = assessment(False)
    rows = rows_of(metrics_table(found), "mean probability")
    assert rows["mean probability"] == ["0.80"]
    assert rows["fraction right"] == ["0.75"]
    assert rows["alerts"] == ["4"]


@pytest.mark.parametrize("key", ["AUC", "AP"])
def test_areas_are_listed_if_there_are_curves(key):
    found = assessment(False)
    assert key in rows_of(metrics_table(found), "class")["class"]
    plain = {name: value for name, value in found.items() if name != "curves"}
    assert key not in rows_of(metrics_table(plain), "class")["class"]
    assert np.isfinite(float(rows_of(metrics_table(found), "class")["star"][-1]))
