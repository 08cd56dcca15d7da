"""Compare the predictions of a model with the labels of a night."""

import logging
from pathlib import Path

import numpy as np

from ztfml import features
from ztfml.errors import LabelError
from ztfml.evaluation.slices import assess
from ztfml.labels.label_file import is_simulated, label_rows, read_labels
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.training.trained_objects import is_trained_on

log = logging.getLogger(__name__)


def evaluate(night: Night, labels: str | Path, model: Model) -> dict:
    """Compare the predictions of a model with the labels of a night.

    Objects that the model was trained on are left out. If it was trained on all of them they are
    used nevertheless, with a warning, because such metrics are too good.

    Parameters
    ----------
    night : Night
    labels : str or Path
        A label file.
    model : Model

    Returns
    -------
    dict
        The result of `ztfml.evaluation.slices.assess`, and ``honest`` (False if the objects were
        used in training), ``trained_on`` (the numbers of labelled alerts ``n`` and objects
        ``n_objects`` that were used in training) and ``n_simulated`` (how many of the evaluated
        alerts are simulated).

    Raises
    ------
    LabelError
        If the label file cannot be used or has no label for this night.
    ModelError
        As for `ztfml.Model.features`.

    Examples
    --------
    >>> found = evaluate(night, "night_labels.csv", model)
    >>> found["n"] + found["trained_on"]["n"] == len(night)
    True
    >>> found["honest"]
    True
    """
    table = read_labels(labels)
    label_row = label_rows(night, table)
    if (label_row < 0).all():
        raise LabelError(
            f"{labels}: none of its candids is in {night.name}; name the labels of this night"
        )
    labelled = night.subset(label_row >= 0)
    known = table.iloc[label_row[label_row >= 0]]
    objects = labelled.alerts["objectId"].to_numpy(str)
    trained_on = is_trained_on(objects, model.card)
    honest = not trained_on.all()
    if not honest:
        log.warning(
            "%s: the model was trained on all labelled objects, so the metrics are too good",
            night.name,
        )
    elif trained_on.any():
        log.info(
            "%s: %d of %d labelled alerts are left out, because the model was trained on their "
            "objects",
            night.name,
            trained_on.sum(),
            len(objects),
        )
    used = ~trained_on if honest else trained_on
    labelled, known = labelled.subset(used), known[used]
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
    """Assess the predictions of a night in which every alert has a label."""
    table = features.compute(labelled)
    alerts = labelled.alerts[["objectId", "magpsf"]].assign(
        n_det=table["n_det"],
        circular=known["circular"].to_numpy(),
        has_history=labelled.last > labelled.first,
    )
    predicted = model.predict(labelled, table=table)
    packet_only = None
    if alerts["has_history"].any():
        packet_only = model.predict(labelled.replace(history_days=0))
    return assess(known["label"].to_numpy(str), predicted, alerts, packet_only)
