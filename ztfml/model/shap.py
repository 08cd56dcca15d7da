"""What a model looks at: how far each feature moves its scores."""

import numpy as np
import pandas as pd

from ztfml.errors import ModelError

__all__ = ["contributions", "tree_shap"]


def tree_shap(classifier, table, groups):
    """Measure how far features, and groups of them, move the scores of each class.

    TreeSHAP (Lundberg et al. 2020), as LightGBM computes it, shares the score of each alert
    out among the features. What the features of a group do is added up before its size is
    taken, since features that say the same may move a score in opposite directions.

    Parameters
    ----------
    classifier : AlertClassifier
        Fitted.
    table : DataFrame, shape (n, n_features)
        Alerts to judge by; as many of each class make the classes comparable.
    groups : dict of feature name to group name

    Returns
    -------
    dict
        ``alerts`` (n), ``groups`` and ``features``: lists of dicts with ``name`` and, for
        each class, the mean of abs(SHAP) in units of the raw score (natural logarithm of
        odds, before the temperature); the most important first. Features that move nothing
        are left out.

    Examples
    --------
    >>> tree_shap(classifier, table, groups)["groups"][0]   # doctest: +SKIP
    {'name': 'context', 'agn': 1.9, 'artifact': 0.4, 'sso': 1.1, 'star': 2.0, 'transient': 1.2}
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


def contributions(classifier, row, label):
    """Share the score of one alert for one class out among the features.

    Parameters
    ----------
    classifier : AlertClassifier
        Fitted.
    row : pandas.Series
        The features of the alert, as a row of `ztfml.features.compute`.
    label : str
        One of the classes that the classifier knows.

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
        If the classifier does not know the class.

    Examples
    --------
    >>> contributions(classifier, table.iloc[0], "transient")["base"]   # doctest: +SKIP
    -3.9
    """
    classes = list(classifier.classes_)
    if label not in classes:
        raise ModelError(
            f"the model does not know the class {label!r}; ask for one of {', '.join(classes)}"
        )
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
