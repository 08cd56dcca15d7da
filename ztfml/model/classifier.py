"""The classifier: gradient-boosted trees with calibrated probabilities.

It is trained with LightGBM. Models that are read from a folder predict faster and without LightGBM
(see `ztfml.model.probabilities`).
"""

import os
import re
from collections.abc import Sequence
from typing import Any

# By default the threads of LightGBM use the processor while they wait for each other, and a fit
# takes ten times as long beside another busy program. LightGBM reads this when it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ztfml.cpus import cpu_count
from ztfml.model.calibration import fit_temperatures
from ztfml.model.folds import object_folds
from ztfml.model.probabilities import (
    columns_in_order,
    prior_ratio,
    temperature_of_rows,
    without_drb,
)

HELD_OUT_PARTS = 5
"""One fifth of the objects is held out for early stopping and calibration."""
MAX_BIN = 63
"""Number of histogram bins of a feature. 255 bins gave no better trees and were slower."""

_ROWS_WORTH_THREADS = 10_000

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class AlertClassifier(ClassifierMixin, BaseEstimator):
    """Classify alerts by their features, with calibrated probabilities.

    The classifier is an ensemble of LightGBM trees (Ke et al. 2017). The number of boosting rounds
    and the temperature that calibrates the probabilities (Guo et al. 2017) are determined on a
    fifth of the objects; then the trees are trained again on all objects. The same data,
    parameters and seed give the same trees with any number of threads.

    Parameters
    ----------
    n_estimators : int
        Maximum number of boosting rounds; each round adds one tree per class.
    num_leaves : int
        Maximum number of leaves of a tree.
    learning_rate : float
    min_child_samples : int
        Minimum number of training alerts in a leaf.
    feature_fraction : float
        Fraction of the features that each tree can use.
    reg_lambda : float
        L2 penalty on leaf values.
    early_stopping_rounds : int, optional
        Stop after this many rounds without improvement on the held-out objects. With None, all
        rounds are trained on all objects and the temperature is 1.
    class_weight : None, 'balanced' or dict of label to float
        Weight of each class, multiplied with ``sample_weight``; with 'balanced' all classes
        have the same total weight.
    random_state : int, RandomState or None
    n_jobs : int, optional
        Number of threads; by default all cores, or one for tables with few rows.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The classes in sorted order, as scikit-learn requires; `predict_proba` has the same
        order. `probabilities` uses the order of `taxonomy.LABELS`.
    class_prior_ : ndarray, shape (n_classes,)
        Weighted fraction of each class in the training set.
    temperature_, temperature_without_drb_ : float
        The raw scores are divided by this; 1 without held-out objects. The second is for rows
        without the feature drb.
    n_rounds_ : int
    booster_ : lightgbm.Booster
    feature_names_in_ : ndarray of str
        Only if `fit` was called with a DataFrame.
    feature_importances_ : ndarray, shape (n_features,)

    Examples
    --------
    >>> labels = pd.read_csv("night_labels.csv")["label"]
    >>> classifier = AlertClassifier(n_estimators=5, class_weight="balanced")
    >>> classifier = classifier.fit(table, labels, groups=night.alerts["objectId"])
    >>> classifier.classes_.tolist()
    ['agn', 'artifact', 'sso', 'star', 'transient']
    """

    def __init__(
        self,
        n_estimators=100,
        num_leaves=15,
        learning_rate=0.1,
        min_child_samples=30,
        feature_fraction=0.2,
        reg_lambda=1.0,
        early_stopping_rounds=10,
        class_weight=None,
        random_state=0,
        n_jobs=None,
    ):
        self.n_estimators = n_estimators
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.min_child_samples = min_child_samples
        self.feature_fraction = feature_fraction
        self.reg_lambda = reg_lambda
        self.early_stopping_rounds = early_stopping_rounds
        self.class_weight = class_weight
        self.random_state = random_state
        self.n_jobs = n_jobs

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> "AlertClassifier":
        """Train the trees.

        Parameters
        ----------
        X : DataFrame or array, shape (n, n_features)
            Features; NaN is missing.
        y : array, shape (n,)
            The class of each row.
        sample_weight : array, shape (n,), optional
            Rows with weight 0 are left out.
        groups : array, shape (n,), optional
            The object of each row. All rows of an object are held out together.

        Returns
        -------
        AlertClassifier
            The fitted classifier itself.

        Raises
        ------
        ValueError
            If there is only one class, or the lengths differ.
        """
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan"
        )
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        if len(groups) != len(y):
            raise ValueError(f"groups has {len(groups)} entries and y has {len(y)}")
        used = weight > 0
        X, y, weight, groups = X[used], y[used], weight[used], groups[used]
        self.classes_, code = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"only one class ({self.classes_[0]}) in y; give at least two classes")
        of_class = compute_class_weight(
            self.class_weight, classes=self.classes_, y=y, sample_weight=weight
        )
        weight = weight * of_class[code]
        weight /= weight.mean()
        self.class_prior_ = np.bincount(code, weight) / weight.sum()
        self._grow(X, code, weight, groups)
        return self

    def _grow(self, X, code, weight, groups):
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        params = self._lightgbm_parameters(seed, len(X))
        self.n_rounds_ = self.n_estimators
        self.temperature_ = self.temperature_without_drb_ = 1.0
        held_out = object_folds(code, groups, HELD_OUT_PARTS, seed) == 0
        if self.early_stopping_rounds is not None and held_out.any():
            seen = ~held_out
            booster = self._boost(
                params,
                self._dataset(X[seen], code[seen], weight[seen], params),
                self._dataset(X[held_out], code[held_out], weight[held_out], params),
            )
            self.n_rounds_ = max(booster.best_iteration, 1)
            scores = booster.predict(
                X[held_out],
                raw_score=True,
                num_threads=params["num_threads"],
                num_iteration=self.n_rounds_,
            )
            without = without_drb(X[held_out], self._names())
            self.temperature_, self.temperature_without_drb_ = fit_temperatures(
                scores, code[held_out], weight[held_out], without
            )
        self.booster_ = self._boost(params, self._dataset(X, code, weight, params))

    def _lightgbm_parameters(self, seed, n_rows):
        return {
            "objective": "multiclass",
            "num_class": len(self.classes_),
            "num_leaves": self.num_leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.min_child_samples,
            "feature_fraction": self.feature_fraction,
            "lambda_l2": self.reg_lambda,
            "max_bin": MAX_BIN,
            "seed": seed,
            "num_threads": self._threads(n_rows),
            "deterministic": True,
            "force_col_wise": True,
            # Otherwise LightGBM removes features that cannot be split, and prints a warning if
            # that leaves none.
            "feature_pre_filter": False,
            "verbosity": -1,
        }

    def _threads(self, n_rows):
        if self.n_jobs is not None:
            # LightGBM ends the process if it cannot start all threads.
            return min(max(self.n_jobs, 0), cpu_count())
        return 1 if n_rows < _ROWS_WORTH_THREADS else 0

    def _dataset(self, X, code, weight, params):
        names = [str(name) for name in getattr(self, "feature_names_in_", ())]
        plain = names and all(_PLAIN_NAME.fullmatch(name) for name in names)
        return lgb.Dataset(
            X, code, weight=weight, params=params, feature_name=names if plain else "auto"
        )

    def _boost(self, params, dataset, held_out=None):
        if held_out is None:
            return lgb.train(params, dataset, self.n_rounds_)
        stop = lgb.early_stopping(self.early_stopping_rounds, verbose=False)
        return lgb.train(
            params, dataset, self.n_estimators, valid_sets=[held_out], callbacks=[stop]
        )

    @classmethod
    def restored(
        cls,
        trees: str,
        classes: Sequence[str],
        features: Sequence[str],
        class_prior: Sequence[float],
        temperatures: tuple[float, float],
        parameters: dict,
    ) -> "AlertClassifier":
        """Restore a fitted classifier from the content of a model folder.

        Parameters
        ----------
        trees : str
            The LightGBM text. It must have been checked, because LightGBM does not check it.
        classes, features : sequence of str
        class_prior : sequence of float, in the order of ``classes``
        temperatures : tuple of float
            ``temperature_`` and ``temperature_without_drb_``.
        parameters : dict
            As from ``get_params()``.

        Returns
        -------
        AlertClassifier

        Raises
        ------
        ValueError
            If LightGBM refuses the trees.

        Examples
        --------
        >>> fitted = model.classifier
        >>> restored = AlertClassifier.restored(
        ...     fitted.booster_.model_to_string(),
        ...     fitted.classes_,
        ...     fitted.feature_names_in_,
        ...     fitted.class_prior_,
        ...     (fitted.temperature_, fitted.temperature_without_drb_),
        ...     fitted.get_params(),
        ... )
        >>> bool((restored.predict(table) == fitted.predict(table)).all())
        True
        """
        # The number of threads belongs to the computer, not to the model.
        classifier = cls(**{**parameters, "n_jobs": None})
        try:
            classifier.booster_ = lgb.Booster(model_str=trees)
        except lgb.basic.LightGBMError as error:
            raise ValueError(f"LightGBM refuses it ({error})") from error
        classifier.classes_ = np.asarray(classes, dtype=str)
        classifier.feature_names_in_ = np.asarray(features, dtype=object)
        classifier.n_features_in_ = len(features)
        classifier.class_prior_ = np.asarray(class_prior, dtype=float)
        classifier.temperature_, classifier.temperature_without_drb_ = map(float, temperatures)
        classifier.n_rounds_ = classifier.booster_.current_iteration()
        return classifier

    @property
    def feature_importances_(self) -> np.ndarray:
        """Share of each feature in the gain of all splits, in the order of the columns; sum 1."""
        check_is_fitted(self)
        gain = self.booster_.feature_importance("gain")
        return gain / max(gain.sum(), np.finfo(float).tiny)

    def predict_proba(
        self, X: pd.DataFrame | ArrayLike, priors: dict[str, float] | ArrayLike | None = None
    ) -> np.ndarray:
        """Predict the probability of each class.

        Parameters
        ----------
        X : DataFrame or array, shape (n, n_features)
            The columns of a DataFrame are used by name; other columns are ignored.
        priors : dict of label to float, or array in the order of ``classes_``, optional
            The fraction of each class among these alerts, if it is known and differs from the
            training set: p'(c) is proportional to p(c) priors(c) / class_prior_(c) (Saerens,
            Latinne & Decaestecker 2002).

        Returns
        -------
        ndarray, shape (n, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        ModelError
            If the table lacks a column, or the priors lack a class.
        """
        check_is_fitted(self)
        X = validate_data(
            self,
            columns_in_order(X, self._names()),
            reset=False,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
        )
        scores = self.booster_.predict(X, raw_score=True, num_threads=self._threads(len(X)))
        scores /= self.temperatures(X)
        if priors is not None:
            with np.errstate(divide="ignore"):  # log 0 for a class with prior 0
                scores += np.log(prior_ratio(priors, self.classes_, self.class_prior_))
        return softmax(scores, axis=1)

    def temperatures(self, X: np.ndarray) -> np.ndarray:
        """Return the temperature of each row.

        Parameters
        ----------
        X : ndarray, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n, 1)
        """
        without = without_drb(X, self._names())
        return temperature_of_rows(without, self.temperature_, self.temperature_without_drb_)

    def _names(self):
        return getattr(self, "feature_names_in_", None)

    def predict(self, X: pd.DataFrame | ArrayLike) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : DataFrame or array, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        ModelError
            If the table lacks a column.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]
