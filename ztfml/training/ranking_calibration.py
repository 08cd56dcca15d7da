"""Calibrate the scores of a ranking on nights with injected fast transients.

The ranking is fitted on simulated kinds of fast transients. Injected ones (`ztfml.injection`) have
other models, as real ones have, and get lower scores. A straight line in the log odds corrects this
(Platt 1999): the order of the objects stays the same.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ztfml.errors import DataError
from ztfml.injection.recovery import PER_NIGHT, InjectedNight, final_log_odds
from ztfml.io.companions import labels_beside
from ztfml.labels.label_file import read_labels
from ztfml.model.model import Model
from ztfml.ranking import FastTransientScorer, load_ranking
from ztfml.sources.formats import open_night
from ztfml.training.ranking_sample import FULL_NIGHT

log = logging.getLogger(__name__)

REPEATS = 60
"""Sets of events that are injected into each night."""


def calibrate(
    scorer: FastTransientScorer, nights: Sequence[str | Path], model: Model, repeats: int = REPEATS
) -> dict[str, float]:
    """Scale the weights of a ranking so that its scores are probabilities.

    Parameters
    ----------
    scorer : FastTransientScorer
    nights : sequence of str or Path
        Simulated nights with label files, on which neither the ranking nor the model was fitted.
    model : Model
    repeats : int
        Sets of events that are injected into each night.

    Returns
    -------
    dict of str to float
        The weights of the scorer and its intercept, rounded to two digits. The scores are those
        of full nights with five fast transients.

    Raises
    ------
    DataError, LabelError
        If a night or its labels cannot be used, or if the events do not get higher scores than
        the other objects.

    Examples
    --------
    >>> from ztfml.simulate import write_nights
    >>> nights = write_nights(".", 300, 1, seed=6)
    >>> weights = calibrate(FastTransientScorer(), nights, model, repeats=4)
    >>> weights["tonight"] > 0
    True
    """
    from sklearn.linear_model import LogisticRegression

    parts = [_scored(scorer, path, model, repeats) for path in nights]
    odds, fast, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    line = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
    line.fit(odds[:, None], fast, weight / len(parts))
    slope, offset = float(line.coef_[0, 0]), float(line.intercept_[0])
    if not slope > 0:
        raise DataError(
            f"{', '.join(map(str, nights))}: injected fast transients do not get higher scores "
            "than other objects, so the scores cannot be calibrated; fit the ranking on more nights"
        )
    log.info("calibrated log odds: %.2f times those of the fit %+.2f", slope, offset)
    weights = scorer.weights or load_ranking().weights
    scaled = {name: slope * weight for name, weight in weights.items()}
    scaled["intercept"] += offset
    return {name: round(weight, 2) for name, weight in scaled.items()}


def _scored(scorer, path, model, repeats):
    """Log odds of the objects and the events of a night, whether they are fast, and weights."""
    night = open_night(Path(path))
    injected_night = InjectedNight(night, model, repeats, PER_NIGHT)
    others, events = final_log_odds(injected_night, scorer, read_labels(labels_beside(path)))
    log.info("%s: calibrated on %d events and %d other objects", path, len(events), len(others))
    return (
        np.append(events, others),
        np.append(np.ones(len(events), bool), np.zeros(len(others), bool)),
        # The same number of events in a night with fewer alerts is more than usual.
        np.append(np.full(len(events), 1 / repeats), np.full(len(others), FULL_NIGHT / len(night))),
    )
