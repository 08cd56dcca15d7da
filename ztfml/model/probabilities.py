"""Predict class probabilities, without scikit-learn and LightGBM, whose import takes a second."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ztfml.errors import ModelError
from ztfml.taxonomy import LABELS
from ztfml.trees import PackedTrees, raw_scores

if TYPE_CHECKING:
    from ztfml.model.classifier import AlertClassifier

SCORE = "drb"
"""Alerts without this feature have a temperature of their own (see `ztfml.model.calibration`)."""

_ROWS_PER_PART = 16_384


class TreeClassifier:
    """The trees of a model folder, with calibrated probabilities.

    Parameters
    ----------
    text : str
        The trees as LightGBM writes them.
    trees : PackedTrees
        The same trees, from `ztfml.trees.pack_trees`.
    classes, features : sequence of str
    class_prior : sequence of float, in the order of ``classes``
        The fraction of each class in training.
    temperatures : tuple of float
        The raw scores are divided by the first, or by the second in rows without drb.
    parameters : dict
        Parameters of the training.

    Attributes
    ----------
    classes_ : ndarray of str
    feature_names_in_ : ndarray of str

    Examples
    --------
    >>> model.predictor.classes_.tolist()
    ['agn', 'artifact', 'sso', 'star', 'transient']
    """

    def __init__(
        self,
        text: str,
        trees: PackedTrees,
        classes: Sequence[str],
        features: Sequence[str],
        class_prior: Sequence[float],
        temperatures: tuple[float, float],
        parameters: Mapping[str, Any],
    ):
        self.text = text
        self.trees = trees
        self.classes_ = np.asarray(classes, dtype=str)
        self.feature_names_in_ = np.asarray(features, dtype=object)
        self.class_prior_ = np.asarray(class_prior, dtype=float)
        self.temperature_, self.temperature_without_drb_ = map(float, temperatures)
        self.parameters = dict(parameters)

    def predict_proba(
        self, X: pd.DataFrame, priors: dict[str, float] | ArrayLike | None = None
    ) -> np.ndarray:
        """Predict the probability of each class, equal to that of `AlertClassifier`.

        Parameters
        ----------
        X : DataFrame, shape (n, n_features)
            Columns are used by name; other columns are ignored.
        priors : dict of label to float, or array in the order of ``classes_``, optional
            As for `AlertClassifier.predict_proba`.

        Returns
        -------
        ndarray, shape (n, n_classes)

        Raises
        ------
        ModelError
            If the table lacks a column or has infinite values, or the priors lack a class.
        """
        X = columns_in_order(X, self.feature_names_in_)
        columns = np.ascontiguousarray(X.to_numpy(dtype=np.float64).T)
        infinite = np.isinf(columns).any(axis=1)
        if infinite.any():
            raise ModelError(
                f"the feature table has infinite values of {self.feature_names_in_[infinite][0]}; "
                "replace them by NaN"
            )
        scores = raw_scores(self.trees, columns, len(self.classes_)).T
        scores /= temperature_of_rows(
            without_drb(columns.T, self.feature_names_in_),
            self.temperature_,
            self.temperature_without_drb_,
        )
        if priors is not None:
            with np.errstate(divide="ignore"):  # log 0 for a class with prior 0
                scores += np.log(prior_ratio(priors, self.classes_, self.class_prior_))
        return _softmax(scores)

    @cached_property
    def estimator(self) -> "AlertClassifier":
        """The same trees as a scikit-learn estimator, for explanations and further training."""
        # Imported here because prediction needs neither scikit-learn nor LightGBM.
        from ztfml.model.classifier import AlertClassifier

        return AlertClassifier.restored(
            self.text,
            self.classes_.tolist(),
            self.feature_names_in_.tolist(),
            self.class_prior_.tolist(),
            (self.temperature_, self.temperature_without_drb_),
            self.parameters,
        )


def _softmax(scores):
    """Softmax of each row; importing SciPy for this takes a tenth of a second."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def temperature_of_rows(
    without: np.ndarray, temperature: float, temperature_without_drb: float
) -> np.ndarray:
    """Return the temperature of each row as a column.

    Parameters
    ----------
    without : ndarray of bool, shape (n,)
        Rows without drb.
    temperature, temperature_without_drb : float

    Returns
    -------
    ndarray, shape (n, 1)

    Examples
    --------
    >>> temperature_of_rows(np.array([False, True]), 0.8, 1.2).ravel()
    array([0.8, 1.2])
    """
    return np.where(without, temperature_without_drb, temperature)[:, None]


def without_drb(X: np.ndarray, names: Sequence[str] | np.ndarray | None) -> np.ndarray:
    """Find rows without the feature drb.

    Parameters
    ----------
    X : ndarray, shape (n, n_features)
    names : sequence of str, optional
        The columns.

    Returns
    -------
    ndarray of bool, shape (n,)
        False for all rows if drb is not one of the columns.

    Examples
    --------
    >>> without_drb(np.array([[0.9, 1.0], [np.nan, 1.0]]), ["drb", "rb"])
    array([False,  True])
    """
    names = [] if names is None else list(names)
    return np.isnan(X[:, names.index(SCORE)]) if SCORE in names else np.zeros(len(X), bool)


def columns_in_order(X: Any, names: Sequence[str] | np.ndarray | None) -> Any:
    """Select the columns that a classifier was trained on.

    Parameters
    ----------
    X : DataFrame or array
        An array is returned as it is.
    names : sequence of str, optional
        The columns, in order; without names, the table is returned as it is.

    Returns
    -------
    DataFrame or array

    Raises
    ------
    ModelError
        If the table lacks a column.

    Examples
    --------
    >>> columns_in_order(table, ["rb", "drb"]).columns.tolist()
    ['rb', 'drb']
    """
    if names is None or not hasattr(X, "columns"):
        return X
    present = set(X.columns)
    lacking = [name for name in names if name not in present]
    if lacking:
        raise ModelError(
            f"the feature table lacks {_some(lacking)}, which the model needs; add these columns, "
            "or compute the features with the version of ztfml with which the model was trained"
        )
    return X if list(X.columns) == list(names) else X[list(names)]


def prior_ratio(
    priors: dict[str, float] | ArrayLike, classes: Sequence[str] | np.ndarray, trained: np.ndarray
) -> np.ndarray:
    """Divide the fraction of each class in a night by that in training.

    Parameters
    ----------
    priors : dict of label to float, or array in the order of ``classes``
    classes : sequence of str
    trained : ndarray
        The fraction of each class in training.

    Returns
    -------
    ndarray, shape (n_classes,)

    Raises
    ------
    ModelError
        If the fractions are for other classes, negative or not finite.

    Examples
    --------
    >>> prior_ratio({"star": 3, "agn": 1}, ["agn", "star"], np.array([0.5, 0.5]))
    array([0.5, 1.5])
    """
    if isinstance(priors, dict):
        names = [str(label) for label in classes]
        if set(map(str, priors)) != set(names):
            raise ModelError(
                f"the class fractions are for {_some(sorted(map(str, priors)))}, but the "
                f"classes of the model are {_some(names)}; give one fraction per class"
            )
        by_name = {str(label): value for label, value in priors.items()}
        priors = [by_name[label] for label in names]
    priors = np.asarray(priors, dtype=float)
    if priors.shape != trained.shape or not (
        np.isfinite(priors).all() and (priors >= 0).all() and priors.sum() > 0
    ):
        raise ModelError(
            f"the class fractions {priors.tolist()} are not {len(trained)} "
            "numbers of 0 or more with a sum above 0; correct them"
        )
    return priors / priors.sum() / trained


def _some(names, most=5):
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def probabilities(
    classifier: Any, X: pd.DataFrame, priors: dict | ArrayLike | None = None
) -> pd.DataFrame:
    """Predict the five class probabilities as a table.

    Parameters
    ----------
    classifier : TreeClassifier, AlertClassifier or StoredClassifier
        Trained on labels of `taxonomy.LABELS`.
    X : DataFrame, shape (n, n_features)
    priors : dict or array, optional
        As for `AlertClassifier.predict_proba`.

    Returns
    -------
    pandas.DataFrame
        ``p_artifact``, ``p_sso``, ``p_star``, ``p_agn``, ``p_transient``; 0 for a class
        without training alerts.

    Raises
    ------
    ModelError
        If the table lacks a column, or the model has other classes.

    Examples
    --------
    >>> probabilities(model.predictor, table).columns.tolist()
    ['p_artifact', 'p_sso', 'p_star', 'p_agn', 'p_transient']
    """
    unknown = sorted(set(map(str, classifier.classes_)) - set(LABELS))
    if unknown:
        raise ModelError(
            f"the model has the class {_some(unknown)}, which is none of {', '.join(LABELS)}; "
            "train it again on these"
        )
    # In parts, because selected columns are a copy. scikit-learn refuses a table without rows, but
    # a night may have no alerts.
    parts = (X[begin : begin + _ROWS_PER_PART] for begin in range(0, len(X), _ROWS_PER_PART))
    by_part = [classifier.predict_proba(part, priors=priors) for part in parts]
    p = np.concatenate(by_part) if by_part else None
    known = pd.DataFrame(p, columns=list(classifier.classes_), index=X.index, dtype=float)
    return known.reindex(columns=list(LABELS), fill_value=0.0).add_prefix("p_")
