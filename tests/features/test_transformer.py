"""The features in a scikit-learn pipeline."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.nights import random_frames
from ztfml import AlertFeatures, Night
from ztfml.errors import DataError, ModelError, ZtfmlError
from ztfml.features import FEATURES, MATCHED, Group, compute


@pytest.fixture(scope="module")
def frames():
    return random_frames(3)


def test_all_features_by_default(frames):
    night = Night.from_frames(*frames)
    table = AlertFeatures().fit_transform(night)
    pd.testing.assert_frame_equal(table, compute(night))
    assert list(AlertFeatures().get_feature_names_out()) == [feature.name for feature in FEATURES]


def test_frames_are_a_night(frames):
    names = ["n_det", "age", "magpsf"]
    table = AlertFeatures(names).transform(frames)
    assert list(table) == names
    expected = compute(Night.from_frames(*frames))[names]
    pd.testing.assert_frame_equal(table, expected)
    alone = AlertFeatures(names).transform(frames[0])
    assert (alone["n_det"] <= expected["n_det"]).all()
    assert alone["magpsf"].equals(expected["magpsf"])


def test_pipeline_clone_and_output(frames):
    night = Night.from_frames(*frames)
    y = np.arange(len(night)) % 2
    pipeline = make_pipeline(
        AlertFeatures(["magpsf", "n_det"]), StandardScaler(), LogisticRegression()
    )
    fitted = clone(pipeline).fit(night, y)
    assert fitted.predict_proba(night).shape == (len(night), 2)
    assert list(fitted[0].get_feature_names_out()) == ["magpsf", "n_det"]
    as_array = clone(pipeline[0]).set_output(transform="default").transform(night)
    assert as_array.shape == (len(night), 2)


def test_wrong_names_and_inputs(frames):
    with pytest.raises(DataError, match="'n_dets' is not a feature"):
        AlertFeatures(["n_dets"]).fit()
    with pytest.raises(DataError, match="got a str; give a Night"):
        AlertFeatures().transform("night.parquet")
    name = MATCHED[0].features[0].name
    with pytest.raises(DataError, match=f"{name} needs columns that the night lacks"):
        AlertFeatures([name]).transform(frames)


# --- own features ------------------------------------------------------------------------


@pytest.fixture
def mine():
    group = Group("mine", "features of a test")

    @group.feature(unit="mag", missing="never")
    def faintest(magpsf, sigmapsf):
        """The magnitude plus its error."""
        return magpsf + sigmapsf

    @group.feature(unit="d", missing="never")
    def time_span(curve):
        """Time from the first to the last detection."""
        return curve.jd[-1] - curve.jd[0]

    return group


def test_own_features_follow_those_of_ztfml(frames, mine):
    night = Night.from_frames(*frames)
    table = AlertFeatures(own=[mine]).fit_transform(night)
    assert list(table)[-2:] == ["faintest", "time_span"]
    pd.testing.assert_frame_equal(table.iloc[:, :-2], compute(night))
    alerts = night.alerts
    assert np.allclose(table["faintest"], alerts["magpsf"] + alerts["sigmapsf"], equal_nan=True)
    assert (table["time_span"] > 0).any()


def test_names_choose_own_features(frames, mine):
    step = AlertFeatures(["time_span", "n_det"], own=[mine])
    assert list(step.get_feature_names_out()) == ["time_span", "n_det"]
    table = step.fit_transform(frames)
    assert list(table) == ["time_span", "n_det"]
    assert ((table["time_span"] == 0) >= (table["n_det"] == 1)).all()
    # A function of an own feature that is not among the names does not run.
    failing = Group("failing", "a feature that fails")

    @failing.feature(unit="mag", missing="never")
    def bad(magpsf):
        """A feature that fails."""
        raise RuntimeError("it fails")

    assert list(AlertFeatures(["n_det"], own=[failing]).fit_transform(frames)) == ["n_det"]
    with pytest.raises(ModelError, match="feature bad fails"):
        AlertFeatures(["n_det", "bad"], own=[failing]).fit(frames)


def test_own_features_in_cross_validation(frames, mine):
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import cross_val_predict

    alerts = frames[0]
    y = np.arange(len(alerts)) % 2
    steps = AlertFeatures(["faintest", "magpsf"], own=[mine]), SimpleImputer(), LogisticRegression()
    p = cross_val_predict(make_pipeline(*steps), alerts, y, cv=3, method="predict_proba")
    assert p.shape == (len(alerts), 2)


def test_own_features_are_checked(frames, mine):
    with pytest.raises(DataError, match=r"'faintest' is not a feature.*own=\[\.\.\.\]"):
        AlertFeatures(["faintest"]).fit()
    twice = Group("twice", "the name of a feature of ztfml")

    @twice.feature(unit="mag", missing="never")
    def magpsf(magpsf):
        """The magnitude again."""
        return magpsf

    with pytest.raises(ZtfmlError, match="magpsf"):
        AlertFeatures(own=[twice]).fit()
    ranked = Group("ranked", "a feature that depends on the night")

    @ranked.feature(unit="", missing="never")
    def brightness_rank(magpsf):
        """Rank within the night."""
        return np.argsort(np.argsort(magpsf))

    with pytest.raises(ModelError, match="brightness_rank of an alert depends on other alerts"):
        AlertFeatures(["brightness_rank"], own=[ranked]).fit(frames)
