"""Metrics against hand counts and scikit-learn, intervals, splits without leaks."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from ztfml.evaluation.metrics import (
    calibration_error,
    labels_from,
    metrics,
    metrics_by,
    reliability,
)
from ztfml.evaluation.text import metrics_table
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS


def _table(rows):
    return pd.DataFrame(rows, columns=list(PROBABILITY_COLUMNS))


def test_metrics_of_a_small_table():
    found = metrics(["agn", "agn", "star", "star"], ["agn", "star", "star", "sso"])
    assert found["accuracy"] == 0.5
    agn, star = found["per_class"]["agn"], found["per_class"]["star"]
    assert agn == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2}
    assert star == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["per_class"]["sso"]["recall"] is None
    assert found["per_class"]["sso"]["precision"] == 0.0
    assert found["per_class"]["transient"]["precision"] is None
    star_row = found["confusion"][found["labels"].index("star")]
    assert star_row == [0, 1, 1, 0, 0]
    assert found["n"] == 4


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=50)
)
def test_agrees_with_scikit_learn(pairs):
    y, guess = map(list, zip(*pairs, strict=True))
    found = metrics(y, guess, n_draws=3)
    assert found["accuracy"] == pytest.approx(accuracy_score(y, guess))
    assert found["confusion"] == confusion_matrix(y, guess, labels=list(LABELS)).tolist()
    present = [label for label in LABELS if label in y]
    precision, recall, f1, support = precision_recall_fscore_support(
        y, guess, labels=present, zero_division=0.0
    )
    for k, label in enumerate(present):
        one = found["per_class"][label]
        assert one["precision"] == pytest.approx(precision[k])
        assert one["recall"] == pytest.approx(recall[k])
        assert one["f1"] == pytest.approx(f1[k])
        assert one["support"] == support[k]
    assert found["macro_f1"] == pytest.approx(f1.mean())
    json.dumps(found, allow_nan=False)


def test_probabilities_and_labels_give_the_same_metrics():
    table = _table([[0, 0.2, 0.5, 0.3, 0], [0.1, 0.6, 0.1, 0.1, 0.1]])
    assert labels_from(table).tolist() == ["star", "sso"]
    by_table = metrics(["star", "star"], table)
    by_label = metrics(["star", "star"], ["star", "sso"])
    assert by_table.pop("calibration_error") == pytest.approx((0.5 + 0.6) / 2)
    assert by_table.pop("reliability") == {
        "confidence": pytest.approx([0.5, 0.6]), "fraction_right": [1.0, 0.0], "n": [1, 1]
    }  # fmt: skip
    assert 0 < by_table.pop("calibration_noise") < 0.6
    for key in ("calibration_error", "calibration_noise", "reliability"):
        assert by_label.pop(key) is None
    assert by_table == by_label


def test_nothing_and_unknown_are_refused():
    with pytest.raises(ValueError, match="no labels to compare with"):
        metrics([], [])
    with pytest.raises(ValueError, match="'galaxy' is none of"):
        metrics(["galaxy"], ["agn"])


def test_interval_of_a_fraction():
    """200 objects, three quarters right: 5-95 % of a binomial is 0.75 -+ 1.645 * 0.0306."""
    y = np.full(200, "star")
    guess = np.where(np.arange(200) % 4 == 0, "agn", "star")
    low, high = metrics(y, guess, n_draws=2000)["intervals"]["accuracy"]
    assert low == pytest.approx(0.75 - 1.645 * 0.0306, abs=0.008)
    assert high == pytest.approx(0.75 + 1.645 * 0.0306, abs=0.008)


def test_alerts_of_one_object_do_not_narrow_the_interval():
    y = np.full(200, "star")
    guess = np.where(np.arange(200) % 4 == 0, "agn", "star")
    single = metrics(y, guess)["intervals"]["accuracy"]
    tenfold = metrics(np.repeat(y, 10), np.repeat(guess, 10), np.repeat(np.arange(200), 10))
    assert tenfold["n"] == 2000
    assert tenfold["n_objects"] == 200
    assert tenfold["intervals"]["accuracy"] == pytest.approx(single)


def test_metrics_by_part():
    y = np.array(["star", "star", "agn", "sso"])
    guess = np.array(["star", "agn", "agn", "star"])
    found = metrics_by(y, guess, [1, 1, 2, 3], ["b", "b", "b", "a"])
    assert list(found) == ["b", "a"]
    assert found["b"]["accuracy"] == pytest.approx(2 / 3)
    assert found["b"]["n_objects"] == 2
    assert found["a"]["macro_f1"] == 0
    whole = metrics(y, guess)["confusion"]
    assert np.sum([one["confusion"] for one in found.values()], axis=0).tolist() == whole


def test_reliability_of_a_small_table():
    table = _table([[0.95, 0.05, 0, 0, 0]] * 4 + [[0.55, 0.45, 0, 0, 0]] * 2)
    y = ["artifact"] * 3 + ["sso"] * 2 + ["artifact"]
    curve = reliability(y, table)
    assert curve["n"].tolist() == [2, 4]
    assert curve["confidence"].tolist() == pytest.approx([0.55, 0.95])
    assert curve["fraction_right"].tolist() == pytest.approx([0.5, 0.75])
    assert calibration_error(y, table) == pytest.approx((2 * 0.05 + 4 * 0.2) / 6)


def test_reliability_bins_have_equal_numbers():
    p = np.linspace(0.3, 0.99, 1000) ** 0.1
    table = _table(np.stack([p, 1 - p, *np.zeros((3, 1000))], axis=1))
    curve = reliability(np.full(1000, "artifact"), table, n_bins=4)
    assert curve["n"].sum() == 1000
    assert curve["n"].between(249, 251).all()


def test_calibration_noise():
    """A perfectly calibrated classifier shows its noise as its error; a vain one shows more."""
    rng = np.random.default_rng(3)
    p = np.sort(rng.uniform(0.5, 1, 3000))
    table = _table(np.stack([p, 1 - p, *np.zeros((3, 3000))], axis=1))
    right = np.where(rng.random(3000) < p, "artifact", "sso")
    found = metrics(right, table)
    assert found["calibration_error"] == pytest.approx(found["calibration_noise"], rel=0.6)
    # Ten bins of 300: each is off by about sqrt(2 / pi * p (1 - p) / 300).
    assert found["calibration_noise"] == pytest.approx(
        np.sqrt(2 / np.pi * p * (1 - p) / 300).mean(), rel=0.1
    )
    few = metrics(right, table, np.arange(3000) // 30)
    assert few["calibration_noise"] > 4 * found["calibration_noise"]


def test_table_for_people():
    text = metrics_table(metrics(["agn", "agn", "star"], ["agn", "star", "star"], n_draws=5))
    lines = text.split("\n")
    assert lines[0].startswith("macro-F1 0.67 (")
    assert lines[0].endswith("on 3 labelled alerts of 3 objects")
    agn = next(line for line in lines if line.startswith("| agn "))
    assert [cell.strip() for cell in agn.split("|")][2] == "2"
    assert "0.50 (" in agn
    assert len({len(line) for line in lines[2:9]}) == 1
