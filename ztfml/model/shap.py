"""Feature importance: how much each feature changes the scores of a model (TreeSHAP)."""

import numpy as np
import pandas as pd

from ztfml.errors import ModelError
from ztfml.model.classifier import AlertClassifier

__all__ = ["contributions", "tree_shap"]


def tree_shap(classifier: AlertClassifier, table: pd.DataFrame, groups: dict[str, str]) -> dict:
    """Compute the mean effect of features and feature groups on the score of each class.

    TreeSHAP (Lundberg et al. 2020), computed by LightGBM, divides the score of each alert among
    the features. For a group, the effects of its features are added before the absolute value is
    taken, because effects of correlated features can cancel.

    Parameters
    ----------
    classifier : AlertClassifier
        Fitted.
    table : DataFrame, shape (n, n_features)
        Alerts to average over. Use equal numbers of each class to compare the classes.
    groups : dict of feature name to group name

    Returns
    -------
    dict
        ``alerts`` (n), ``groups`` and ``features``: lists of dicts with ``name`` and, for
        each class, the mean of abs(SHAP) in units of the raw score (natural logarithm of
        odds, before the temperature); the most important first. Features without any effect
        are left out.

    Examples
    --------
    >>> groups = {feature["name"]: feature["group"] for feature in model.card["features"]}
    >>> found = tree_shap(model.classifier, table, groups)
    >>> list(found["groups"][0])
    ['name', 'agn', 'artifact', 'sso', 'star', 'transient']
    """
    names = list(classifier.feature_names_in_)
    values = _shap(classifier, table)[:, :, :-1]
    code, group_names = pd.factorize(np.array([groups[name] for name in names]))
    by_group = values @ np.eye(len(group_names))[code]
    return {
        "alerts": len(table),
        "groups": _sizes(by_group, group_names, classifier.classes_),
        "features": _sizes(values, names, classifier.classes_),
    }


def contributions(classifier: AlertClassifier, row: pd.Series, label: str) -> dict:
    """Divide the score of one alert for one class among the features.

    Parameters
    ----------
    classifier : AlertClassifier
        Fitted.
    row : pandas.Series
        The features of the alert, as a row of `ztfml.features.compute`.
    label : str
        One of the classes of the classifier.

    Returns
    -------
    dict
        ``label``; ``base``, the mean score of the class in training; ``score`` of the alert;
        ``features``: a list of dicts with ``name``, ``value`` and ``shap``, the largest
        first, which lead from the base to the score. All in units of the raw score, as of
        `tree_shap`.

    Raises
    ------
    ModelError
        If the classifier does not have this class.

    Examples
    --------
    >>> found = contributions(model.classifier, table.iloc[0], "transient")
    >>> total = found["base"] + sum(feature["shap"] for feature in found["features"])
    >>> bool(np.isclose(total, found["score"]))
    True
    """
    classes = list(classifier.classes_)
    if label not in classes:
        raise ModelError(f"the model has no class {label!r}; choose one of {', '.join(classes)}")
    names = list(classifier.feature_names_in_)
    values = _shap(classifier, row[names].to_frame().T)[0, classes.index(label)]
    order = np.argsort(-np.abs(values[:-1]), kind="stable")
    return {
        "label": label,
        "base": float(values[-1]),
        "score": float(values.sum()),
        "features": [
            {"name": names[k], "value": float(row[names[k]]), "shap": float(values[k])}
            for k in order
        ],
    }


def _shap(classifier, table):
    """TreeSHAP values, shape (n, n_classes, n_features + 1); the last is the mean score."""
    if not hasattr(classifier, "booster_"):
        raise ModelError(
            "TreeSHAP needs the trees of an AlertClassifier; use permutation_importance for other "
            "classifiers"
        )
    names = list(classifier.feature_names_in_)
    values = classifier.booster_.predict(
        table[names].to_numpy(np.float64), pred_contrib=True, num_threads=1
    )
    return values.reshape(len(table), len(classifier.classes_), len(names) + 1)


def _sizes(values, names, classes):
    size = np.abs(values).mean(axis=0)
    order = np.argsort(-size.sum(axis=0), kind="stable")
    return [
        {
            "name": str(names[k]),
            **{str(label): round(float(size[c, k]), 5) for c, label in enumerate(classes)},
        }
        for k in order
        if size[:, k].any()
    ]
