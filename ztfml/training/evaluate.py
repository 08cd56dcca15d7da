"""Compare a model with the labels of a night."""

import logging

import numpy as np

from ztfml import features
from ztfml.errors import LabelError
from ztfml.evaluation.slices import assess
from ztfml.labels.label_file import is_simulated, label_rows, read_labels
from ztfml.training.dataset import _trained_on

log = logging.getLogger(__name__)


def evaluate(night, labels, model):
    """Compare a model's predictions with the labels of a night.

    Parameters
    ----------
    night : Night
    labels : str or Path
        A label file.
    model : Model

    Returns
    -------
    dict
        As of `ztfml.evaluation.slices.assess`, on the objects that the model was not trained on;
        ``trained_on`` tells how many labelled alerts (``n``) and objects (``n_objects``)
        are left out for that. If it was trained on all of them they are scored all the
        same, which flatters and is logged; ``honest`` is then False. ``n_simulated`` of the
        scored alerts are simulated.

    Raises
    ------
    LabelError
        If the label file cannot be used or labels none of the alerts.
    ModelError
        As for `predict`.

    Examples
    --------
    >>> evaluate(night, "night_labels.csv", Model.load("models/mine"))   # doctest: +SKIP
    """
    table = read_labels(labels)
    at = label_rows(night, table)
    if (at < 0).all():
        raise LabelError(
            f"{labels}: none of its candids is in {night.name}; name the labels of this night"
        )
    labelled = night.subset(at >= 0)
    known = table.iloc[at[at >= 0]]
    objects = labelled.alerts["objectId"].to_numpy(str)
    trained_on = _trained_on(objects, model.card)
    honest = not trained_on.all()
    if not honest:
        log.warning(
            "%s: the model was trained on all of its labelled objects, so the figures flatter",
            night.name,
        )
    elif trained_on.any():
        log.info(
            "%s: %d of %d labelled alerts are of objects that the model was trained on, left out",
            night.name,
            trained_on.sum(),
            len(objects),
        )
    scored = ~trained_on if honest else trained_on
    labelled, known = labelled.subset(scored), known[scored]
    return {
        **_assess(labelled, known, model),
        "honest": honest,
        "n_simulated": sum(map(is_simulated, known["evidence"])),
        "trained_on": {
            "n": int(trained_on.sum()),
            "n_objects": len(np.unique(objects[trained_on])),
        },
    }


def _assess(labelled, known, model):
    """Assess the predictions of a night in which every alert is labelled."""
    table = features.compute(labelled)
    alerts = labelled.alerts[["objectId", "magpsf"]].assign(
        n_det=table["n_det"],
        circular=known["circular"].to_numpy(),
        has_history=labelled.last > labelled.first,
    )
    predicted = model.predict(labelled, table=table)
    has_past = alerts["has_history"].any()
    alone = model.predict(labelled.replace(history_days=0)) if has_past else None
    return assess(known["label"].to_numpy(str), predicted, alerts, alone)
