"""Own classifiers: any classifier of scikit-learn's interface, stored with skops.

skops writes the attributes of objects to a zip archive, and restores only objects of types that it
knows to be harmless or that the user allows. There is no pickle.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from ztfml.errors import ModelError
from ztfml.features.registry import Group
from ztfml.features.transformer import AlertFeatures
from ztfml.io.limits import MAX_TREES_BYTES
from ztfml.io.safe_text import printable
from ztfml.io.trusted import import_trusted, is_trusted
from ztfml.model.probabilities import columns_in_order, prior_ratio
from ztfml.taxonomy import LABELS

_HARMLESS = ("collections.OrderedDict", "numpy.dtype")
"""Types that skops does not list as harmless, but that only contain data."""
_MAX_MEMBERS = 100_000
_SUM_TOLERANCE = 1e-5


class StoredClassifier:
    """An own classifier, with the methods of `AlertClassifier` that predict.

    Parameters
    ----------
    estimator : object
        A fitted classifier with ``predict_proba`` and ``classes_``.
    features : sequence of str
        The columns that it was fitted on, in order.
    class_prior : sequence of float, optional
        The fraction of each class in training, if it is known.

    Attributes
    ----------
    classes_ : ndarray of str
    feature_names_in_ : ndarray of str

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> some, labels = table[["drb", "magpsf"]], predictions["label"]
    >>> mine = StoredClassifier(
    ...     HistGradientBoostingClassifier(max_iter=2).fit(some, labels), ["drb", "magpsf"]
    ... )
    >>> mine.predict_proba(table).shape
    (300, 5)
    """

    def __init__(
        self, estimator: Any, features: Sequence[str], class_prior: Sequence[float] | None = None
    ):
        self.estimator = estimator
        self.classes_ = np.asarray(estimator.classes_, dtype=str)
        self.feature_names_in_ = np.asarray(features, dtype=object)
        self.class_prior_ = None if class_prior is None else np.asarray(class_prior, dtype=float)

    def predict_proba(
        self, X: pd.DataFrame, priors: dict[str, float] | ArrayLike | None = None
    ) -> np.ndarray:
        """Predict the probability of each class.

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
            If the table lacks a column, or the classifier fails or returns no probabilities.
        """
        table = columns_in_order(X, self.feature_names_in_).astype(np.float64)
        try:
            p = np.asarray(self.estimator.predict_proba(table), dtype=np.float64)
        except Exception as error:
            raise ModelError(
                f"the classifier {type(self.estimator).__name__} fails ({_first_line(error)}); a "
                "classifier that does not accept missing values needs a step before it that "
                "replaces them, such as SimpleImputer(keep_empty_features=True)"
            ) from error
        if p.shape != (len(X), len(self.classes_)) or not _are_probabilities(p):
            raise ModelError(
                f"predict_proba of {type(self.estimator).__name__} does not return one probability "
                "per class with a sum of 1; correct the classifier"
            )
        if priors is None:
            return p
        if self.class_prior_ is None:
            raise ModelError(
                "class fractions cannot be applied, because those of the training are unknown; "
                "save the model with class_prior in its card"
            )
        p = p * prior_ratio(priors, self.classes_, self.class_prior_)
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """Predict the most probable class.

        Parameters
        ----------
        X : DataFrame, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        ModelError
            As for `predict_proba`.
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _are_probabilities(p):
    in_range = (p >= -_SUM_TOLERANCE) & (p <= 1 + _SUM_TOLERANCE)
    return bool(in_range.all() and (np.abs(p.sum(axis=1) - 1) < _SUM_TOLERANCE).all())


def _first_line(error):
    return f"{type(error).__name__}: {printable((str(error).splitlines() or [''])[0])}"


def as_stored(classifier: Any, class_prior: Sequence[float] | None = None) -> StoredClassifier:
    """Check that a classifier can be saved and used as a model.

    Parameters
    ----------
    classifier : object
        Fitted on a DataFrame with labels of `taxonomy.LABELS`. A pipeline may begin with
        `AlertFeatures`; the model then contains the steps after it, and its own features are
        those of the model.
    class_prior : sequence of float, optional
        The fraction of each class in training.

    Returns
    -------
    StoredClassifier

    Raises
    ------
    ModelError
        If it is not fitted, has other classes, no names of columns, or fails for an alert of
        which all features are missing.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> as_stored(GaussianNB())
    Traceback (most recent call last):
        ...
    ztfml.errors.ModelError: GaussianNB has no classes_; fit it before it is saved
    """
    name = type(classifier).__name__
    if isinstance(classifier, Pipeline) and isinstance(classifier[0], AlertFeatures):
        classifier = classifier[1:]
    if not callable(getattr(classifier, "predict_proba", None)):
        raise ModelError(f"{name} has no predict_proba; use a classifier that gives probabilities")
    classes = getattr(classifier, "classes_", None)
    if classes is None:
        raise ModelError(f"{name} has no classes_; fit it before it is saved")
    classes = [str(label) for label in classes]
    unknown = [label for label in classes if label not in LABELS]
    if unknown or classes != sorted(classes):
        raise ModelError(
            f"{name} has the classes {', '.join(classes)}; fit it with labels of "
            f"{', '.join(LABELS)}"
        )
    features = getattr(classifier, "feature_names_in_", None)
    if features is None:
        raise ModelError(f"{name} was fitted without names of features; fit it on a DataFrame")
    stored = StoredClassifier(classifier, [str(one) for one in features], class_prior)
    stored.predict_proba(_no_values(stored))
    return stored


def own_groups(classifier: Any) -> tuple[Group, ...]:
    """Return the own features that a classifier computes itself.

    Parameters
    ----------
    classifier : object

    Returns
    -------
    tuple of Group
        Those of `AlertFeatures` at the beginning of a pipeline; empty for other classifiers.

    Examples
    --------
    >>> own_groups(model.classifier)
    ()
    """
    if isinstance(classifier, Pipeline) and isinstance(classifier[0], AlertFeatures):
        return tuple(classifier[0].own or ())
    return ()


def _no_values(stored):
    return pd.DataFrame(np.nan, index=[0], columns=list(stored.feature_names_in_))


def to_bytes(stored: StoredClassifier) -> tuple[bytes, list[str]]:
    """Write a classifier as the content of ``classifier.skops``.

    Parameters
    ----------
    stored : StoredClassifier

    Returns
    -------
    content : bytes
    types : list of str
        Types that a user has to allow when the model is loaded.

    Raises
    ------
    ModelError
        If skops is not installed, or a part of the classifier cannot be stored or found again.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> fitted = GaussianNB().fit(table[["magpsf"]], predictions["label"])
    >>> to_bytes(StoredClassifier(fitted, ["magpsf"]))[1]
    []
    """
    skops = _skops()
    try:
        content = skops.dumps(stored.estimator)
    except Exception as error:
        raise ModelError(
            f"{type(stored.estimator).__name__} cannot be stored ({_first_line(error)}); use a "
            "classifier without local functions and open files"
        ) from error
    types = _doubtful_types(content)
    local = [one for one in types if one.startswith("__main__.")]
    if local:
        raise ModelError(
            f"{local[0].removeprefix('__main__.')} is defined in a notebook or script; move it to "
            "a Python file and import it, so that the model can be loaded elsewhere"
        )
    return content, types


def check_types(
    folder: Path, content: bytes, expected: Sequence[str], trust: Sequence[str | Path]
) -> list[str]:
    """Check that the user allows every type of a stored classifier that could do harm.

    Parameters
    ----------
    folder : Path
        For the error message.
    content : bytes
        The content of ``classifier.skops``.
    expected : sequence of str
        The types that the card lists.
    trust : sequence of str or Path
        What the user allows: types, modules or Python files.

    Returns
    -------
    list of str
        The types that had to be allowed.

    Raises
    ------
    ModelError
        If a type is not allowed or the file is damaged.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> fitted = GaussianNB().fit(table[["magpsf"]], predictions["label"])
    >>> check_types(Path("mine"), to_bytes(StoredClassifier(fitted, ["magpsf"]))[0], [], [])
    []
    """
    _check_archive(folder, content)
    try:
        types = _doubtful_types(content)
    except ModelError:
        raise
    except Exception as error:
        raise _damaged(folder, error) from error
    if types != sorted(expected):
        raise ModelError(
            f"{folder}: the card does not list the types of the classifier; copy it again"
        )
    refused = [one for one in types if not is_trusted(one, trust)]
    if refused:
        options = " ".join(f"--trust {one}" for one in refused)
        raise ModelError(
            f"{folder}: the classifier contains types that can run code or crash Python: "
            f"{', '.join(map(printable, refused))}; if you trust the author of the folder, add "
            f"{printable(options)} (trust={refused} in Python)"
        )
    return types


def _doubtful_types(content):
    return sorted(set(_skops().get_untrusted_types(data=content)) - set(_HARMLESS))


def _check_archive(folder, content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = [one.file_size for one in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _damaged(folder, error) from error
    if len(sizes) > _MAX_MEMBERS or sum(sizes) > MAX_TREES_BYTES:
        raise ModelError(
            f"{folder}: the classifier has {len(sizes):,} parts with {sum(sizes):,} bytes, more "
            "than ztfml reads; use a smaller classifier"
        )


def _damaged(folder, error):
    return ModelError(
        f"{folder}: the classifier cannot be read ({_first_line(error)}); copy the folder again or "
        "save the model again"
    )


def from_bytes(
    folder: Path, content: bytes, types: Sequence[str], trust: Sequence[str | Path]
) -> Any:
    """Restore a classifier whose types were checked.

    Parameters
    ----------
    folder : Path
        For the error message.
    content : bytes
        The content of ``classifier.skops``.
    types : sequence of str
        The result of `check_types`.
    trust : sequence of str or Path
        Python files in it are imported if a type is defined there.

    Returns
    -------
    object
        The classifier.

    Raises
    ------
    ModelError
        If it cannot be restored.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> fitted = GaussianNB().fit(table[["magpsf"]], predictions["label"])
    >>> from_bytes(Path("mine"), to_bytes(StoredClassifier(fitted, ["magpsf"]))[0], [], [])
    GaussianNB()
    """
    for entry in trust:
        if str(entry).endswith(".py") and any(is_trusted(one, [entry]) for one in types):
            import_trusted(entry)
    try:
        return _skops().loads(content, trusted=[*types, *_HARMLESS])
    except Exception as error:
        absent = re.fullmatch(r"No module named '([\w.]+)'", str(error))
        if absent:
            raise ModelError(
                f"{folder}: the classifier needs the module {absent[1]}; install it, or name its "
                "Python file with --trust"
            ) from error
        raise _damaged(folder, error) from error


def _skops():
    try:
        import skops.io
    except ImportError as error:
        raise ModelError(
            "own classifiers are stored with skops; install it with: pip install 'ztfml[skops]'"
        ) from error
    return skops.io
