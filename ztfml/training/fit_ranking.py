"""Fit the ranking on simulated nights: ``python -m ztfml.training.fit_ranking NIGHT...``

Boosted trees of "is a fast transient", and a logistic regression of the same on the terms, of
which what the trees say is one. Every object stands there by its latest alert and counts as often
as it would among the alerts of one natural night, whatever the mix of the nights it comes from.
Fast are the kinds of `FAST`, as long as they are worth a spectrum; what is judged with
(`ztfml.injection`) has no part in it.
"""

import argparse
import datetime
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import binom

from ztfml import features
from ztfml.errors import LabelError
from ztfml.io.atomic import write_beside
from ztfml.labels.label_file import label_rows, read_labels
from ztfml.model.classifier import object_folds, probabilities
from ztfml.model.model import Model
from ztfml.night import labels_beside, latest_rows
from ztfml.ranking.quantities import Columns
from ztfml.ranking.scorer import FastTransientScorer
from ztfml.ranking.settings import DEFAULT_FILE, read_instrument
from ztfml.ranking.terms import TERMS
from ztfml.ranking.trees import INPUTS, LEAST_CHANCE, grow, inputs_of
from ztfml.simulate import MIXES, POPULATIONS
from ztfml.sources.formats import open_night

log = logging.getLogger(__name__)

FULL_NIGHT = 153_489
"""Alerts of a public night."""


class Fast(NamedTuple):
    """A simulated kind that counts as fast: its part of the fast ones, and for how many days."""

    part: float
    days: float


FAST = {
    "FBOT": Fast(0.25, 25.0),
    "SN Ibn": Fast(0.18, 20.0),
    "afterglow": Fast(0.18, 20.0),
    "kilonova": Fast(0.15, 15.0),
    "SN IIb": Fast(0.12, 9.0),
    "SN Ic-BL": Fast(0.12, 13.0),
}
"""Fast transients in the proportion in which a list should find them, not that of their rates.
IIb count while their envelope cools."""

BRIGHT, FAINT = 20.0, 0.1
"""Part of those that are fainter than this at peak, which few instruments would take."""

ONE_NIGHT = 0.25
"""Part of the bright with a single night of detections; all others in equal parts by nights."""

_NIGHTS = (2, 3, 4, 6)
# Numbers on the sky grow about as 10^(0.6 m), those of the simulation as 10^(0.26 m), so that the
# bright are there to be learnt. Those brighter than this are rare, and nobody would miss one.
_STEEPER, _RARE = 0.3, 19.0
_FEWEST = 15  # fewer members of a kind and number of nights do not weigh as much as the others
A_NIGHT = 40.0  # what all fast ones together weigh
TOPS = (12, 25, 50)
INJECTED = 5
OF_TREES = "alike"
"""The term that the trees give."""

LEAST = {
    "rising": 0.2,
    "young": 1.0,
    "not_stellar": 1.0,
    "hosted": 0.2,
    "stays": 1.0,
    "bright": 0.3,
}
"""Weights are never negative, and these never smaller: simulated flares, dwarf novae and
asteroids are tamer than real ones, and no night tells what an instrument reaches."""

PRIOR, RIDGE = 1.0, 0.003
"""Weights that the nights do not determine stay near 1."""


_N_FOLDS = 3


class Sample(NamedTuple):
    """Objects by their latest alerts: terms, what they are, and how much each counts.

    The terms are without that of the trees until these are grown; `inputs` is what they see, all
    NaN of objects that they are not asked about.
    """

    terms: pd.DataFrame
    inputs: np.ndarray
    kind: np.ndarray
    label: np.ndarray
    fast: np.ndarray
    bright: np.ndarray
    n_nights: np.ndarray
    objects: np.ndarray
    weight: np.ndarray


def read_sample(nights, model):
    """Gather the objects of simulated nights.

    Parameters
    ----------
    nights : sequence of str or Path
        Simulated nights with their labels beside them, which the model was not trained on.
    model : Model

    Returns
    -------
    Sample

    Raises
    ------
    DataError, LabelError
        If a night or its labels cannot be used, or its labels are not those of a simulation.

    Examples
    --------
    >>> read_sample(["ztf_alerts_2460474.5.parquet"], Model.load())   # doctest: +SKIP
    """
    parts, inputs = [], []
    counts = pd.Series(0, index=[kind.name for kind in POPULATIONS])
    for number, path in enumerate(nights):
        night, kind, label = _read(path)
        counts = counts.add(pd.Series(kind).value_counts(), fill_value=0)
        part, seen = _latest_of(night, kind, label, model)
        inputs.append(seen)
        # Simulations of other seeds give other objects the same names.
        parts.append(part.assign(objectId=part["objectId"] + f" {number}"))
        log.info("%s: %d objects", path, len(parts[-1]))
    table = pd.concat(parts, ignore_index=True)
    fast = table["age"] < table["kind"].map({name: one.days for name, one in FAST.items()})
    weight = table["kind"].map(FULL_NIGHT * _natural_shares() / counts).to_numpy(float, copy=True)
    weight[fast] = A_NIGHT * _weight_of_fast(table[fast])
    return Sample(
        table[list(TERMS)],
        np.concatenate(inputs),
        table["kind"].to_numpy(str),
        table["label"].to_numpy(str),
        fast.to_numpy(),
        (table["peak_mag"] < BRIGHT).to_numpy(),
        table["n_nights"].to_numpy(),
        table["objectId"].to_numpy(str),
        weight,
    )


def _read(path):
    """A night, and the kind and the label of each of its alerts."""
    night, labels = open_night(path), read_labels(labels_beside(path))
    row = label_rows(night, labels)
    kind = labels["evidence"].str.extract(r"^simulated: (.+)$")[0]
    if (row < 0).any() or kind.isna().any():
        raise LabelError(
            f"{labels_beside(path)}: the weights are fitted on simulated nights alone; make them "
            "with ztfml simulate"
        )
    return night, kind.to_numpy(str)[row], labels["label"].to_numpy(str)[row]


def _latest_of(night, kind, label, model):
    table = features.compute(night)
    p = probabilities(model.classifier, table)
    rows = latest_rows(night.alerts)
    table, p = table.iloc[rows], p.iloc[rows]
    columns = Columns(table, p, read_instrument(), trees=None)
    terms = {
        name: np.nan if name == OF_TREES else columns.call(term.function)
        for name, term in TERMS.items()
    }
    asked = columns["p_transient"] >= LEAST_CHANCE
    # Half the memory does: no split is as fine as a float32.
    inputs = np.full((len(table), len(INPUTS)), np.nan, np.float32)
    inputs[asked] = inputs_of(columns, asked)
    objects = pd.DataFrame(terms, index=table.index).assign(
        objectId=night.alerts["objectId"].to_numpy(str)[rows],
        kind=kind[rows],
        label=label[rows],
        age=table["age"],
        n_nights=table["n_nights"],
        peak_mag=table["peak_mag"],
    )
    return objects, inputs


def _natural_shares():
    """Which part of the alerts of a natural night each kind has."""
    table = pd.DataFrame([(kind.name, kind.label, kind.fraction) for kind in POPULATIONS],
                         columns=["name", "label", "weight"]).set_index("name")  # fmt: skip
    part = table["weight"] / table.groupby("label")["weight"].transform("sum")
    return part * table["label"].map(MIXES["natural"])


def _weight_of_fast(table):
    """Weights that add up to 1: parts by kind, faint or not, one night or more, equal by nights."""
    nights = np.digitize(table["n_nights"], _NIGHTS)
    bright, once = table["peak_mag"] < BRIGHT, nights == 0
    size = table.groupby([table["kind"], bright, nights])["kind"].transform("size")
    part_of_kind = table["kind"].map({name: one.part for name, one in FAST.items()})
    weight = (part_of_kind / np.maximum(size, _FEWEST)).to_numpy(float, copy=True)
    weight *= 10 ** (_STEEPER * table["peak_mag"].clip(_RARE).to_numpy())
    for some, part in (
        (~bright, FAINT),
        (bright & once, (1 - FAINT) * ONE_NIGHT),
        (bright & ~once, (1 - FAINT) * (1 - ONE_NIGHT)),
    ):
        weight[some] *= part / max(weight[some].sum(), 1e-12)
    return weight


def with_trees(sample):
    """Fill in the term of the trees, each object's by trees that have not seen it.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    Sample

    Examples
    --------
    >>> fit_weights(with_trees(read_sample(nights, model)))   # doctest: +SKIP
    """
    odds = np.full(len(sample.fast), np.nan)
    for part in _folds(sample):
        asked = _asked(sample.inputs) & part
        odds[asked] = grow_trees(_part(sample, ~part)).log_odds(sample.inputs[asked])
    alike = TERMS[OF_TREES].function(odds)
    return sample._replace(terms=sample.terms.assign(**{OF_TREES: alike}))


def grow_trees(sample):
    """Grow trees on all the objects that they are to be asked about.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    ztfml.ranking.trees.Trees

    Examples
    --------
    >>> grow_trees(read_sample(nights, model))   # doctest: +SKIP
    """
    asked = _asked(sample.inputs)
    return grow(sample.inputs[asked], sample.fast[asked], sample.weight[asked])


def _folds(sample):
    """Masks of objects left out in turn."""
    folds = object_folds(sample.fast.astype(int), sample.objects, _N_FOLDS, 0)
    return [folds == fold for fold in range(_N_FOLDS)]


def _asked(inputs):
    return ~np.isnan(inputs[:, 0])


def fit_weights(sample):
    """Fit the weights by logistic regression.

    Parameters
    ----------
    sample : Sample

    Returns
    -------
    dict of str to float
        One for each of `TERMS`, and ``intercept``; rounded to hundredths.

    Examples
    --------
    >>> fit_weights(sample)["transient"]   # doctest: +SKIP
    4.8
    """
    x = sample.terms[list(TERMS)].to_numpy()
    y = sample.fast.astype(float)
    weight = sample.weight / sample.weight[sample.fast].sum()

    def loss(values):
        slopes, intercept = values[:-1], values[-1]
        z = x @ slopes + intercept
        residual = weight * (expit(z) - y)
        away = slopes - PRIOR
        value = weight @ (np.logaddexp(0, z) - y * z) + 0.5 * RIDGE * away @ away
        return value, np.append(x.T @ residual + RIDGE * away, residual.sum())

    least = [LEAST.get(name, 0.0) for name in TERMS]
    found = minimize(
        loss,
        np.append(np.maximum(least, PRIOR), -15.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[*((low, None) for low in least), (None, None)],
        options={"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-12, "gtol": 1e-9},
    )
    return dict(zip((*TERMS, "intercept"), np.round(found.x, 2).tolist(), strict=True))


def held_out(sample):
    """How good weights are on objects that they were not fitted on.

    Parameters
    ----------
    sample : Sample
        As of `with_trees`: the trees have not seen the objects either.

    Returns
    -------
    dict
        ``two nights`` and ``one night``: recall of the bright fast ones in the first 12, 25, 50 of
        a natural night of 153,489 alerts, five of them a night; ``among the first 12``: the
        objects of each class (transients that are not fast) expected there without them.

    Examples
    --------
    >>> held_out(sample)["two nights"]   # doctest: +SKIP
    """
    score = np.empty(len(sample.fast))
    for part in _folds(sample):
        weights = fit_weights(_part(sample, ~part))
        score[part] = FastTransientScorer(weights).score(sample.terms[part])
    slow = ~sample.fast
    order = np.argsort(-score[slow], kind="stable")
    rank = np.cumsum(sample.weight[slow][order])
    above = np.append(0, rank)[np.searchsorted(-score[slow][order], -score[sample.fast])]
    # The others of the same night, of which each may stand above.
    fast = np.sort(score[sample.fast])
    better = 1 - np.searchsorted(fast, score[sample.fast], side="right") / len(fast)
    once, bright = sample.n_nights[sample.fast] == 1, sample.bright[sample.fast]
    weight = sample.weight[sample.fast]
    figures = {
        name: [
            float(np.average(binom.cdf(top - 1 - np.round(above), INJECTED - 1, better)[use],
                             weights=weight[use]))
            for top in TOPS
        ]
        for name, use in (("two nights", bright & ~once), ("one night", bright & once))
    }  # fmt: skip
    first = pd.Series(sample.weight[slow][order][rank <= TOPS[0]])
    by_label = first.groupby(sample.label[slow][order][rank <= TOPS[0]]).sum()
    return figures | {"among the first 12": by_label.to_dict()}


def _part(sample, rows):
    return Sample(*(values[rows] for values in sample))


def write_settings(path, weights, trees, instrument, record):
    """Write weights and instrument as a TOML file, with the record of the fit, and the trees.

    Parameters
    ----------
    path : str or Path
        Of the TOML file; the trees go beside it, to ``NAME_trees.txt``.
    weights : dict
    trees : ztfml.ranking.trees.Trees
    instrument : Instrument
    record : sequence of str
        Lines about the fit, written as comments.

    Examples
    --------
    >>> write_settings("mine.toml", weights, trees, read_instrument(), [])   # doctest: +SKIP
    """
    path = Path(path)
    beside = path.with_name(f"{path.stem}_trees.txt")
    lines = [
        "# What the ranking of fast transients weighs, and for which instrument.",
        "# score = 1 / (1 + exp(-(intercept + sum of weight * term))), each term from 0 to 1.",
        "",
        "[instrument]",
        f'name = "{instrument.name}"',
        f"limiting_magnitude = {instrument.limiting_magnitude}"
        "   # a useful classification spectrum in an hour or less",
        f"spectra_per_night = {instrument.spectra_per_night}",
        "",
        *(f"# {line}" for line in record),
        "[weights]",
        *(f"{name} = {value}" for name, value in weights.items()),
        "",
        "[trees]",
        f'file = "{beside.name}"',
        f'sha256 = "{trees.sha256}"',
    ]
    with write_beside(beside) as part:
        part.write_text(trees.text, encoding="ascii", newline="\n")
    with write_beside(path) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _record(sample, figures, nights, model):
    """What the file says of the fit."""
    slow = [f"{n:.1f} {label}" for label, n in figures["among the first 12"].items()]
    yield f"Fitted {datetime.date.today()} by make ranker: boosted trees and logistic regression on"
    n, n_fast = len(sample.fast), sample.fast.sum()
    yield f"{n:,} objects ({n_fast:,} of them fast) of {len(nights)} simulated nights, classified"
    yield f"by the model {model.card['model']['sha256'][:12]}, which never saw them."
    yield "On objects left out of the fit, five fast ones a night among 153,489 alerts:"
    for name in ("two nights", "one night"):
        values = ", ".join(
            f"{value:.2f} in the first {top}"
            for top, value in zip(TOPS, figures[name], strict=True)
        )
        yield f"  seen on {name}: {values};"
    yield f"  without them the first 12 are: {', '.join(slow)}."
    yield "Not left to the fit to go below, for simulated look-alikes are tamer than real ones:"
    yield ", ".join(f"{name} {value}" for name, value in LEAST.items()) + "."


def main(arguments=None):
    """Fit on the nights named on the command line, print the figures, write the file."""
    parser = argparse.ArgumentParser(description="Fit the ranking on simulated nights.")
    parser.add_argument("nights", nargs="+", type=Path, metavar="NIGHT.parquet")
    parser.add_argument("-m", "--model", type=Path, default=None, metavar="DIR")
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT_FILE, metavar="FILE.toml")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    model = Model.load(chosen.model)
    # The trees draw rows at random: in one order, whatever that of the command line.
    sample = with_trees(read_sample(sorted(chosen.nights), model))
    record = list(_record(sample, held_out(sample), chosen.nights, model))
    write_settings(
        chosen.output, fit_weights(sample), grow_trees(sample), read_instrument(), record
    )
    print(chosen.output.read_text())


if __name__ == "__main__":
    main()
