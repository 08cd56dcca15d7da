"""Class probabilities for the alerts of a night."""

import numpy as np

from ztfml import features
from ztfml.errors import ModelError
from ztfml.evaluation.metrics import labels_from
from ztfml.features import registry
from ztfml.model.classifier import probabilities

UNCERTAIN_ODDS = 3.0
"""Predictions whose best class is less than this many times as probable as the next are
uncertain."""


def predict(night, model, priors=None):
    """Give every alert of a night its five class probabilities.

    Parameters
    ----------
    night : Night
    model : LoadedModel
    priors : dict of label to float, optional
        The fraction of each class in this night (see `AlertClassifier.predict_proba`).

    Returns
    -------
    pandas.DataFrame
        ``objectId``, ``candid``, ``jd``, ``label`` (the most probable class),
        ``p_artifact``, ``p_sso``, ``p_star``, ``p_agn``, ``p_transient``, ``uncertain``
        (bool: the best class is less than `UNCERTAIN_ODDS` times as probable as the next),
        in the order of the night.

    Raises
    ------
    ModelError
        If the model was trained with features that this ztfml does not compute.

    Examples
    --------
    >>> predict(night, load_model("models/mine"))   # doctest: +SKIP
    """
    return _predictions(night, _features_for(night, model), model, priors)


def _features_for(night, model):
    now = {feature.name: feature.version for feature in registry.FEATURES}
    for feature in model.card["features"]:
        name = feature["name"]
        if now.get(name) != feature.get("version"):
            raise ModelError(
                f"{model.folder}: was trained with another definition of the feature {name} than "
                "this ztfml computes; train the model again"
            )
    return features.compute(night)


def _predictions(night, table, model, priors=None):
    p = probabilities(model.classifier, table, priors)
    ids = night.alerts[["objectId", "candid", "jd"]]
    return ids.assign(label=labels_from(p)).join(p).assign(uncertain=_uncertain(p))


def _uncertain(p):
    """Whether the next class is nearly as probable as the best."""
    second, best = np.sort(p.to_numpy(), axis=1)[:, -2:].T
    return best < UNCERTAIN_ODDS * second
