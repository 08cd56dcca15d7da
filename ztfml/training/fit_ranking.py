"""Fit the ranking on simulated nights: boosted trees, then the weights of the terms.

The trees separate fast transients from everything else. A logistic regression of the same target
on the fixed terms and the log odds of the trees gives the weights. Injected events calibrate the
scores.
"""

import datetime
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import binom

from ztfml.errors import DataError
from ztfml.io.companions import labels_beside
from ztfml.io.folder_writing import check_place
from ztfml.io.verified_folder import N_PROBES
from ztfml.labels.label_file import read_labels
from ztfml.model.folds import object_folds
from ztfml.model.model import Model
from ztfml.ranking import FastTransientScorer
from ztfml.ranking.folder import FILES, save_ranking, shipped_instrument
from ztfml.ranking.quantities import UNLIKELY
from ztfml.ranking.terms import FIXED, TERMS, weight_names
from ztfml.ranking.trees import Trees
from ztfml.training.ranking_calibration import calibrate
from ztfml.training.ranking_sample import (
    FAST_WEIGHT,
    FULL_NIGHT,
    Sample,
    factor_of_slow,
    read_sample,
)
from ztfml.training.ranking_trees import PARAMETERS, ROUNDS, train_trees

log = logging.getLogger(__name__)

TOPS = (12, 25, 50)
"""Lengths of the list for which the fit reports the recall."""

FAST_PER_NIGHT = 5
"""Fast transients of a night, in the reported recall."""

PRIOR, RIDGE = 1.0, 0.003
"""A weak ridge penalty keeps weights that the nights do not constrain near 1."""

_N_FOLDS = 3


def fit_ranking(
    nights: Sequence[str | Path],
    folder: str | Path,
    model: Model | None = None,
    calibrate_on: Sequence[str | Path] = (),
    overwrite: bool = False,
) -> Path:
    """Fit trees and weights on simulated nights and write a ranking folder.

    Parameters
    ----------
    nights : sequence of str or Path
        Simulated nights with label files, on which the model was not trained. Their order has no
        effect.
    folder : str or Path
        Where to write; the instrument is that of the ranking that ships with ztfml.
    model : Model, optional
        The classifier; by default the one that ships with ztfml.
    calibrate_on : sequence of str or Path
        Other simulated nights, on which the scores are calibrated
        (`ztfml.training.ranking_calibration`). Without them, the scores are those of the fit.
    overwrite : bool
        Replace an older ranking in the folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        If the folder cannot be written.
    DataError, LabelError
        If a night or its labels cannot be used, or is named for both the fit and the calibration.

    Examples
    --------
    Skipped, because it needs a sample of several large nights, which takes minutes:

    >>> fit_ranking(nights, "my_ranking")   # doctest: +SKIP
    """
    check_place(Path(folder), FILES, overwrite)
    model = model or Model.load()
    # Training the trees draws rows at random: use one order, whatever the order of the arguments.
    paths = sorted(Path(night) for night in nights)
    calibration = sorted(Path(night) for night in calibrate_on)
    _check_disjoint(paths, calibration)
    for night in calibration:
        # Refuse a night that cannot be used before the fit, which takes minutes.
        read_labels(labels_beside(night))
    sample = with_trees(read_sample(paths, model))
    trees, weights, instrument = train_on(sample), fit_weights(sample), shipped_instrument()
    if calibration:
        weights = calibrate(FastTransientScorer(weights, instrument, trees), calibration, model)
    card = {
        "date": str(datetime.date.today()),
        "parameters": PARAMETERS,
        "rounds": ROUNDS,
        "training": {
            "nights": [night.stem for night in paths],
            "objects": len(sample.fast),
            "fast": int(sample.fast.sum()),
            "classifier": model.card["model"]["sha256"][:12],
            "calibrated_on": [night.stem for night in calibration],
        },
        "metrics": held_out(sample),
    }
    return save_ranking(folder, weights, instrument, trees, card, _probes(sample, trees), overwrite)


def _check_disjoint(paths, calibration):
    both = {path.resolve() for path in paths} & {path.resolve() for path in calibration}
    if both:
        raise DataError(
            f"{', '.join(map(str, sorted(both)))}: the ranking cannot be fitted and calibrated on "
            "the same night; simulate another one for the calibration"
        )


def _probes(sample, trees):
    """Rows from the whole range of log odds."""
    inputs = sample.inputs[sample.with_inputs]
    order = np.argsort(trees.log_odds(inputs), kind="stable")
    return inputs[order[np.linspace(0, len(order) - 1, N_PROBES).astype(int)]]


def with_trees(sample: Sample) -> Sample:
    """Fill in the log odds of the trees; for each object from trees not trained on it.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    Sample

    Examples
    --------
    Skipped, because it needs a sample of several large nights, which takes minutes:

    >>> with_trees(sample).terms["trees"]   # doctest: +SKIP
    """
    odds = np.full(len(sample.fast), UNLIKELY)
    for fold in _folds(sample):
        rows = sample.with_inputs & fold
        odds[rows] = train_on(sample.select(~fold)).log_odds(sample.inputs[rows])
    return sample._replace(terms=sample.terms.assign(trees=odds))


def train_on(sample: Sample) -> Trees:
    """Train trees on the objects for which they are evaluated.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    Trees

    Examples
    --------
    Skipped, because it needs a sample of several large nights, which takes minutes:

    >>> train_on(sample).inputs   # doctest: +SKIP
    """
    rows = sample.with_inputs
    return train_trees(sample.inputs[rows], sample.fast[rows], sample.weight[rows])


def _folds(sample):
    """Masks of the objects left out of each part of the cross-validation."""
    folds = object_folds(sample.fast.astype(int), sample.objects, _N_FOLDS, 0)
    return [folds == fold for fold in range(_N_FOLDS)]


def fit_weights(sample: Sample) -> dict[str, float]:
    """Fit the weights of the terms by logistic regression.

    Own code, because scikit-learn's logistic regression has no bounds on the coefficients.

    Parameters
    ----------
    sample : Sample
        From `with_trees`.

    Returns
    -------
    dict of str to float
        One weight for each of `weight_names`, and ``intercept``, rounded to two digits. The
        intercept is that of nights with `FAST_PER_NIGHT` fast transients.

    Examples
    --------
    Skipped, because it needs a sample of several large nights, which takes minutes:

    >>> fit_weights(sample)["young"]   # doctest: +SKIP
    1.0
    """
    x = sample.terms[list(weight_names())].to_numpy()
    y = sample.fast.astype(float)
    weight = sample.weight / sample.weight[sample.fast].sum()

    def loss(values):
        slopes, intercept = values[:-1], values[-1]
        z = x @ slopes + intercept
        residual = weight * (expit(z) - y)
        distance = slopes - PRIOR
        value = weight @ (np.logaddexp(0, z) - y * z) + 0.5 * RIDGE * distance @ distance
        return value, np.append(x.T @ residual + RIDGE * distance, residual.sum())

    lowest = [TERMS[name].min_weight for name in FIXED] + [0.0]
    found = minimize(
        loss,
        np.append(np.maximum(lowest, PRIOR), -8.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[*((low, None) for low in lowest), (None, None)],
        options={"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-12, "gtol": 1e-9},
    )
    fitted = found.x + np.append(
        np.zeros(len(weight_names())), np.log(FAST_PER_NIGHT / FAST_WEIGHT)
    )
    return dict(zip((*weight_names(), "intercept"), np.round(fitted, 2).tolist(), strict=True))


def held_out(sample: Sample) -> dict:
    """Measure the ranking on objects that were left out of the fit.

    Parameters
    ----------
    sample : Sample
        From `with_trees`: the trees were not trained on the objects either.

    Returns
    -------
    dict
        ``recall``: for bright fast transients detected on ``two nights or more`` and on ``one
        night`` the fraction in the first 12, 25 and 50 rows (``top``) of a natural night with
        ``fast_per_night`` of them among ``alerts_per_night`` alerts;
        ``first_12_without_fast``: the expected number of other objects of each class in the first
        12 rows if there are no fast ones.

    Examples
    --------
    Skipped, because it needs a sample of several large nights, which takes minutes:

    >>> held_out(sample)["recall"]["one night"]   # doctest: +SKIP
    [0.18, 0.26, 0.37]
    """
    score = np.empty(len(sample.fast))
    for fold in _folds(sample):
        weights = fit_weights(sample.select(~fold))
        score[fold] = sum(
            weights[name] * sample.terms[name].to_numpy()[fold] for name in weight_names()
        )
    slow = ~sample.fast
    order = np.argsort(-score[slow], kind="stable")
    natural = sample.weight / factor_of_slow(sample.kind, sample.label)
    rank = np.cumsum(natural[slow][order])
    above = np.append(0, rank)[np.searchsorted(-score[slow][order], -score[sample.fast])]
    # Each of the other fast transients of the night may rank higher, too.
    fast = np.sort(score[sample.fast])
    higher = 1 - np.searchsorted(fast, score[sample.fast], side="right") / len(fast)
    one_night, bright = sample.n_nights[sample.fast] == 1, sample.bright[sample.fast]
    weight = sample.weight[sample.fast]

    def recall(use, top):
        chance = binom.cdf(top - 1 - np.round(above), FAST_PER_NIGHT - 1, higher)
        return float(np.average(chance[use], weights=weight[use]))

    first = rank <= TOPS[0]
    by_label = pd.Series(natural[slow][order][first]).groupby(sample.label[slow][order][first])
    return {
        "fast_per_night": FAST_PER_NIGHT,
        "alerts_per_night": FULL_NIGHT,
        "top": list(TOPS),
        "recall": {
            "two nights or more": [recall(bright & ~one_night, top) for top in TOPS],
            "one night": [recall(bright & one_night, top) for top in TOPS],
        },
        "first_12_without_fast": by_label.sum().to_dict(),
    }
