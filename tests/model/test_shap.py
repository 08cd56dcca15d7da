"""TreeSHAP values add up to the scores and find the features that determine the labels."""

import numpy as np
import pandas as pd
import pytest

from ztfml.model.classifier import AlertClassifier
from ztfml.model.shap import tree_shap


@pytest.fixture(scope="module")
def explained():
    """The label is the sign of one feature; a second one says the same, a third nothing."""
    rng = np.random.default_rng(3)
    sign = rng.normal(size=600)
    table = pd.DataFrame({"idle": 1.0, "drb": sign, "rb": sign + rng.normal(size=600)})
    y = np.where(sign > 0, "star", np.where(rng.random(600) < 0.5, "agn", "sso"))
    classifier = AlertClassifier(n_estimators=10, n_jobs=1, random_state=0).fit(table, y)
    groups = {"idle": "counts", "drb": "packet", "rb": "packet"}
    return classifier, table, tree_shap(classifier, table, groups)


def test_the_feature_that_labels_were_made_of_comes_first(explained):
    found = explained[2]
    assert found["features"][0]["name"] == "drb"
    assert [one["name"] for one in found["groups"]] == ["packet"]
    assert found["features"][0]["star"] > 1.5 * found["features"][1]["star"]
    assert "idle" not in {one["name"] for one in found["features"]}
    assert found["alerts"] == 600


def test_a_group_is_the_size_of_the_sum(explained):
    """Where one group holds all features, its share is the score less its mean."""
    classifier, table, found = explained
    scores = classifier.booster_.predict(table.to_numpy(), raw_score=True)
    base = classifier.booster_.predict(table.to_numpy(), pred_contrib=True).reshape(600, 3, 4)
    expected = np.abs(scores - base[:, :, -1]).mean(axis=0)
    measured = [found["groups"][0][label] for label in classifier.classes_]
    assert measured == pytest.approx(expected, abs=1e-4)
