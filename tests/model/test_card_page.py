"""The page of a model: numbers, tables and weaknesses follow from its card."""

import numpy as np
import pandas as pd
import pytest

from ztfml.evaluation.metrics import metrics, metrics_by
from ztfml.model.card_page import model_page
from ztfml.taxonomy import PROBABILITY_COLUMNS

LABELLED = [
    {"label": "sso", "evidence": "MPC ephemeris match", "circular": True, "alerts": 90},
    {"label": "sso", "evidence": "fink.roid", "circular": False, "alerts": 10},
    {"label": "star", "evidence": "vsx", "circular": False, "alerts": 100},
    {"label": "agn", "evidence": "simulated", "circular": False, "alerts": 300},
    {"label": "star", "evidence": "a friend", "circular": False, "alerts": 7},
]


def page(figures=(), **changes):
    return model_page(
        {
            "classes": ["agn", "sso", "star"],
            "features": [
                {"name": "drb", "group": "packet", "unit": ""},
                {"name": "fade_rate_r", "group": "rates", "unit": "mag / d"},
            ],
            "metrics": list(figures),
            "training": {"labels": LABELLED},
            "rounds": 3,
            "calibration": {"temperature": 1.0, "temperature_without_drb": 1.0},
            "class_prior": [0.2, 0.3, 0.5],
            "parameters": {},
            "versions": {"ztfml": "0.1"},
        }
        | changes,
        "mine",
    )


def figures(y, guess, **more):
    return {"title": "Unseen nights", "rule": "By night.", **metrics(y, guess), **more}


def test_weaknesses_follow_from_the_metrics():
    y = ["star"] * 100 + ["agn"] * 60 + ["sso"] * 10
    guess = ["star"] * 100 + ["agn"] * 30 + ["star"] * 30 + ["sso"] * 10
    text = page([figures(y, guess)])
    weak = text.split("## Known weaknesses")[1].split("##")[0]
    assert "- agn: 50% are missed, most often as star." in weak
    assert (
        "- star: 23% of the alerts with this prediction belong to another class, most often" in weak
    )
    assert "- sso: measured on only 10 alerts" in weak
    assert "transient" not in weak


def test_all_tables_of_the_first_metrics_and_one_line_for_the_others():
    y = ["star", "agn"] * 100
    text = page([figures(y, ["star"] * 200), figures(y, y, title="An easier split")])
    assert "**Unseen nights.** By night." in text
    assert text.count("| label \\ prediction") == 1
    assert "- An easier split: macro-F1 1.00" in text


@pytest.mark.parametrize(("confidence", "direction"), [(0.95, "too high"), (0.6, "too low")])
def test_probabilities_that_are_too_high_or_too_low(confidence, direction):
    p = pd.DataFrame((1 - confidence) / 4, index=range(400), columns=list(PROBABILITY_COLUMNS))
    p["p_star"] = confidence
    y = np.where(np.arange(400) % 5 == 0, "agn", "star")
    assert direction in page([figures(y, p)])


def test_circular_and_simulated_labels_are_weaknesses():
    text = page()
    assert "sso: 90% of the real labels are circular" in text
    assert "agn: no real alert was labelled" in text
    assert "- star:" not in text


def test_labels_are_counted_by_origin():
    rows = {
        cells[0]: cells[1:]
        for line in page().split("\n")
        if line.startswith("| ")
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    }
    assert rows["origin of the labels"] == ["agn", "sso", "star"]
    assert rows["AAVSO International Variable Star Index (Watson et al. 2006)"] == ["", "", "100"]
    assert rows["`ztfml simulate`"] == ["300", "", ""]
    asteroids = "known asteroids of the Minor Planet Center, from the alert packet"
    assert rows[asteroids] == ["", "90 (90)", ""]
    assert rows["Fink broker (Möller et al. 2021)"] == ["", "10", ""]
    assert rows["other evidence, named in card.json"] == ["", "", "7"]


def test_most_frequent_errors_of_each_source():
    y = ["star"] * 40 + ["agn", "star", "sso"]
    guess = ["star"] * 30 + ["agn"] * 10 + ["agn", "agn", "agn"]
    source = ["large"] * 40 + ["small", "small", "smaller"]
    by = {"source": metrics_by(y, np.array(guess), np.arange(43), source)}
    rows = {
        cells[0]: cells[1:]
        for line in page([figures(y, guess, by=by)]).split("\n")
        if line.startswith("| ")
        for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
    }
    assert rows["large"] == ["40", "0.75", "0.86", "10 star as agn"]
    assert rows["2 smaller ones"] == ["3", "0.33", "-", "1 sso as agn, 1 star as agn"]
    assert "small" not in rows


def test_important_features_are_listed_with_units():
    features = [
        {"name": "fade_rate_r", "agn": 0.1, "sso": 0.2, "star": 0.3},
        {"name": "drb", "agn": 0.0, "sso": 0.1, "star": 0.1},
    ]
    groups = [{**features[0], "name": "rates"}, {**features[1], "name": "packet"}]
    text = page(importance={"alerts": 1000, "groups": groups, "features": features})
    assert "for 1,000 training alerts" in text
    assert "fade_rate_r (mag / d)" in text
    row = next(line for line in text.split("\n") if line.startswith("| rates"))
    assert [cell.strip() for cell in row.split("|")[2:5]] == ["0.10", "0.20", "0.30"]


def test_the_first_paragraph_explains_the_classes():
    text = page().split("\n\n")[1]
    assert (
        "an active galactic nucleus (agn), a Solar System object (sso) or a variable star" in text
    )
    assert "2 features" in text
    assert "9 decision trees" in text


def test_the_page_of_a_card_without_metrics_has_no_gaps():
    text = page(training={})
    assert "\n\n\n" not in text
    assert [line for line in text.split("\n") if line.startswith("#")] == [
        "# mine",
        "## Training data",
        "## Technical details",
    ]
