"""The features as a step of a scikit-learn pipeline."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from ztfml.errors import DataError
from ztfml.features.groups import BROKER, FEATURES, OPTIONAL
from ztfml.features.own import check_rows, compute_own, own_features
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
        groups, and then the own features.
    own : sequence of Group, optional
        Own features to compute besides those of ztfml (see `ztfml.features.own`).

    Examples
    --------
    The features of a night as the first step of your own classifier. Alerts without a label are
    left out before.

    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> labels = pd.read_csv("night_labels.csv")["label"]
    >>> pipeline = make_pipeline(
    ...     AlertFeatures(["drb", "n_det", "ssdistnr"]), HistGradientBoostingClassifier(max_iter=5)
    ... )
    >>> pipeline.fit(night, labels).predict(night).shape == (len(night),)
    True

    A feature of your own beside one of ztfml:

    >>> from ztfml.features import Group
    >>> mine = Group("mine", "an example")
    >>> @mine.feature(unit="mag", missing="never")
    ... def depth(diffmaglim, magpsf):
    ...     "Limiting magnitude minus magnitude."
    ...     return diffmaglim - magpsf
    >>> own = AlertFeatures(["magpsf", "depth"], own=[mine]).fit_transform(night)
    >>> bool(np.allclose(own.sum(axis=1), night.alerts["diffmaglim"], equal_nan=True))
    True
    """

    def __init__(self, names=None, own=None):
        self.names = names
        self.own = own

    def fit(self, X: Any = None, y: Any = None) -> "AlertFeatures":
        """Check the names of the features, and the own features.

        Parameters
        ----------
        X : Night, DataFrame or pair of DataFrame, optional
            Used only to check that own features of an alert do not depend on other alerts.
        y
            Not used.

        Returns
        -------
        AlertFeatures
            The transformer itself.

        Raises
        ------
        DataError
            If there is no feature of a name.
        ZtfmlError
            If an own feature has the name of another feature, fails, or depends on other alerts.
        """
        known = {*_NAMES, *_OPTIONAL, *self._own_names()}
        for name in self._names():
            if name not in known:
                raise DataError(
                    f"{name!r} is not a feature; 'ztfml features --list' prints the features, and "
                    "own features need their group (own=[...])"
                )
        if X is not None and self._uses_own():
            check_rows(_night_of(X), self._groups())
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
        ModelError
            If the function of an own feature fails.
        """
        night = _night_of(X)
        names = self._names()
        table = compute(night, broker=not set(names).isdisjoint(_BROKER))
        if self._uses_own():
            table = table.join(compute_own(night, self._groups()))
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
        return (*_NAMES, *self._own_names()) if self.names is None else tuple(self.names)

    def _groups(self):
        return () if self.own is None else tuple(self.own)

    def _own_names(self):
        return tuple(feature.name for feature in own_features(self._groups()))

    def _uses_own(self):
        return not set(self._names()).isdisjoint(self._own_names())

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that there is nothing to fit.

        Returns
        -------
        bool
        """
        return True


def _night_of(frames):
    if isinstance(frames, Night):
        return frames
    if isinstance(frames, pd.DataFrame):
        return Night.from_frames(frames)
    if isinstance(frames, tuple | list) and len(frames) == 2:
        return Night.from_frames(*frames)
    raise DataError(
        f"AlertFeatures got a {type(frames).__name__}; give a Night, a DataFrame of alerts, or a "
        "pair of DataFrames (alerts, history)"
    )
