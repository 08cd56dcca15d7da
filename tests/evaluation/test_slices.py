"""Scores in parts of a night add up, and curves agree with those of scikit-learn."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc, average_precision_score, roc_auc_score

from ztfml.evaluation.metrics import metrics
from ztfml.evaluation.slices import N_POINTS, assess, curves
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS


def guesses(n, seed, skill=2.0):
    """Labels, and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, n)
    p = np.exp(rng.normal(size=(n, 5)) + skill * np.eye(5)[y])
    p /= p.sum(axis=1, keepdims=True)
    return np.array(LABELS)[y], pd.DataFrame(p, columns=list(PROBABILITY_COLUMNS))


@pytest.fixture
def night():
    y, p = guesses(600, 1)
    rng = np.random.default_rng(2)
    alerts = pd.DataFrame(
        {
            "objectId": rng.integers(0, 300, 600),
            "magpsf": rng.uniform(15, 20, 600),
            "n_det": rng.integers(1, 40, 600),
            "circular": y == "sso",
            "has_history": rng.random(600) < 0.5,
        }
    )
    return y, p, alerts


def test_the_whole_is_the_metrics(night):
    y, p, alerts = night
    found = assess(y, p, alerts)
    assert metrics(y, p, alerts["objectId"]).items() <= found.items()
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", ["labels", "magnitude", "detections"])
def test_parts_add_up(night, name):
    found = assess(*night)
    parts = found["slices"][name].values()
    assert sum(one["n"] for one in parts) == 600
    assert np.sum([one["confusion"] for one in parts], axis=0).tolist() == found["confusion"]


def test_edges_of_the_parts():
    y, p = guesses(6, 3)
    alerts = pd.DataFrame(
        {
            "objectId": list("abcdef"),
            "magpsf": [16.0, 17.0, 17.01, 20.0, 20.01, np.nan],
            "n_det": [1, 2, 3, 4, 30, 31],
            "circular": False,
            "has_history": False,
        }
    )
    slices = assess(y, p, alerts)["slices"]
    sizes = {name: {part: one["n"] for part, one in of.items()} for name, of in slices.items()}
    assert sizes == {
        "labels": {"not circular": 6},
        "magnitude": {"up to 17": 2, "17 to 18": 1, "19 to 20": 1, "over 20": 1},
        "detections": {"1": 1, "2 to 3": 2, "4 to 10": 1, "11 to 30": 1, "over 30": 1},
    }


def test_with_history_and_alone_are_the_same_alerts(night):
    y, p, alerts = night
    blind = p.sample(frac=1, random_state=0).reset_index(drop=True)
    history = assess(y, p, alerts, packet_only=blind)["slices"]["history"]
    past = alerts["has_history"].to_numpy()
    assert history["with history"]["n"] == history["packet alone"]["n"] == past.sum()
    assert history["packet alone"]["accuracy"] == metrics(y[past], blind[past])["accuracy"]
    assert history["with history"]["macro_f1"] > history["packet alone"]["macro_f1"] + 0.2


def test_without_any_history_there_is_nothing_to_compare(night):
    y, p, alerts = night
    assert "history" not in assess(y, p, alerts.assign(has_history=False), packet_only=p)["slices"]


def test_curves_keep_the_areas():
    y, p = guesses(5000, 4)
    for label, one in curves(y, p).items():
        roc, pr = one["roc"], one["precision_recall"]
        is_label = y == label
        assert roc["auc"] == pytest.approx(roc_auc_score(is_label, p[f"p_{label}"]))
        assert pr["average_precision"] == pytest.approx(
            average_precision_score(is_label, p[f"p_{label}"])
        )
        thin = auc(roc["false_positive_rate"], roc["true_positive_rate"])
        assert thin == pytest.approx(roc["auc"], abs=0.002)
        assert len(roc["false_positive_rate"]) <= N_POINTS
        assert auc(pr["recall"], pr["precision"]) == pytest.approx(
            pr["average_precision"], abs=0.02
        )
        assert pr["recall"][-1] == 1
        assert len(pr["recall"]) == len(pr["precision"]) == len(pr["threshold"]) <= N_POINTS


def test_a_threshold_gives_its_precision_and_recall():
    y, p = guesses(400, 5)
    pr = curves(y, p)["agn"]["precision_recall"]
    for k in range(0, len(pr["recall"]), 10):
        called = p["p_agn"] >= pr["threshold"][k] - 1e-5
        assert (y[called] == "agn").mean() == pytest.approx(pr["precision"][k], abs=0.02)
        assert called[y == "agn"].mean() == pytest.approx(pr["recall"][k], abs=0.02)


def test_curves_of_a_small_table():
    p = pd.DataFrame(np.zeros((4, 5)), columns=list(PROBABILITY_COLUMNS))
    p["p_star"] = [0.9, 0.7, 0.6, 0.1]
    found = curves(["star", "agn", "star", "agn"], p)
    assert found["sso"] is None
    assert found["star"]["roc"]["auc"] == 0.75
    assert found["star"]["precision_recall"] == {
        "average_precision": pytest.approx(0.5 * 1 + 0.5 * 2 / 3),
        "threshold": [0.9, 0.6],
        "precision": [1.0, 0.66667],
        "recall": [0.5, 1.0],
    }
