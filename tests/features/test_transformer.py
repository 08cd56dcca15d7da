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
from ztfml.errors import DataError
from ztfml.features import FEATURES, MATCHED, compute


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
