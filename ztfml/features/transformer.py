"""The features as a step of a scikit-learn pipeline."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from ztfml.errors import DataError
from ztfml.features.groups import BROKER, FEATURES, OPTIONAL
from ztfml.features.table import compute
from ztfml.night import Night

_NAMES = tuple(feature.name for feature in FEATURES)
_BROKER = tuple(feature.name for feature in BROKER.features)
_OPTIONAL = tuple(feature.name for feature in OPTIONAL)


class AlertFeatures(TransformerMixin, BaseEstimator):
    """Compute the features of the alerts of a night.

    There is nothing to fit: the features of an alert depend on the alert and its past only.

    Parameters
    ----------
    names : sequence of str, optional
        The features to return, in this order; by default all features, without the optional
        groups.

    Examples
    --------
    The features of a night as the first step of a classifier of one's own. Alerts without a label
    are left out before.

    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> labels = pd.read_csv("night_labels.csv")["label"]
    >>> pipeline = make_pipeline(
    ...     AlertFeatures(["drb", "n_det", "ssdistnr"]), HistGradientBoostingClassifier(max_iter=5)
    ... )
    >>> pipeline.fit(night, labels).predict(night).shape == (len(night),)
    True
    """

    def __init__(self, names=None):
        self.names = names

    def fit(self, X: Any = None, y: Any = None) -> "AlertFeatures":
        """Check the names of the features.

        Parameters
        ----------
        X, y
            Not used.

        Returns
        -------
        AlertFeatures
            The transformer itself.

        Raises
        ------
        DataError
            If there is no feature of a name.
        """
        for name in self._names():
            if name not in _NAMES and name not in _OPTIONAL:
                raise DataError(
                    f"{name!r} is not a feature; 'ztfml features --list' prints the features"
                )
        return self

    def transform(self, X: Night | pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]) -> Any:
        """Compute the table of features.

        Parameters
        ----------
        X : Night, DataFrame or pair of DataFrame
            A night, or the frames of `Night.from_frames`: alerts, or alerts and history.

        Returns
        -------
        pandas.DataFrame, shape (n_alerts, n_features)
            Indexed like ``night.alerts``; another container after ``set_output``.

        Raises
        ------
        DataError
            If the night lacks the columns of an optional feature, or the frames cannot be read.
        """
        night = X if isinstance(X, Night) else _night_of(X)
        names = self._names()
        table = compute(night, broker=not set(names).isdisjoint(_BROKER))
        lacking = [name for name in names if name not in table]
        if lacking:
            raise DataError(
                f"{night.name}: the feature {lacking[0]} needs columns that the night lacks; "
                "add them (for example with a catalogue of galaxies) or leave the feature out"
            )
        return table[list(names)]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the features.

        Parameters
        ----------
        input_features
            Not used.

        Returns
        -------
        ndarray of str
        """
        return np.asarray(self._names(), dtype=object)

    def _names(self):
        return _NAMES if self.names is None else tuple(self.names)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that there is nothing to fit.

        Returns
        -------
        bool
        """
        return True


def _night_of(frames):
    if isinstance(frames, pd.DataFrame):
        return Night.from_frames(frames)
    if isinstance(frames, tuple | list) and len(frames) == 2:
        return Night.from_frames(*frames)
    raise DataError(
        f"AlertFeatures got a {type(frames).__name__}; give a Night, a DataFrame of alerts, or a "
        "pair of DataFrames (alerts, history)"
    )
