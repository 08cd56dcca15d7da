"""What a model looks at: how far each feature moves its scores."""

import numpy as np
import pandas as pd

__all__ = ["tree_shap"]


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
    n_classes = len(classifier.classes_)
    values = classifier.booster_.predict(
        table[names].to_numpy(np.float64), pred_contrib=True, num_threads=1
    )
    # The last of each class is its mean score.
    values = values.reshape(len(table), n_classes, len(names) + 1)[:, :, :-1]
    code, group_names = pd.factorize(np.array([groups[name] for name in names]))
    by_group = values @ np.eye(len(group_names))[code]
    return {
        "alerts": len(table),
        "groups": _sizes(by_group, group_names, classifier.classes_),
        "features": _sizes(values, names, classifier.classes_),
    }


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
