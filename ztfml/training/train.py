"""From labelled nights to a model, and from a model to predictions and how good they are."""

import logging

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.class_weight import compute_sample_weight

from ztfml.evaluation.metrics import metrics, metrics_by
from ztfml.evaluation.text import metrics_table
from ztfml.features import FEATURES
from ztfml.io.verified_folder import N_PROBES, check_place
from ztfml.model.classifier import AlertClassifier, fit_temperature, object_folds
from ztfml.model.folder import save_model
from ztfml.model.shap import tree_shap
from ztfml.taxonomy import LABELS
from ztfml.training.augmentation import RATES
from ztfml.training.cross_validation import out_of_part
from ztfml.training.dataset import CONFIDENCE_WEIGHT, _marks, _pack_marks, read_training_set

log = logging.getLogger(__name__)

N_FOLDS = 5

N_PARTS = 15
"""Sources that are left out of training one by one; smaller ones are left out beside them."""

MANY_ALERTS = 20
"""Nights with fewer labelled alerts are scored together."""

N_EXPLAINED = 1000
"""Alerts that the card's importances are measured on."""

_SMALLEST = 1e-12
"""A probability is taken to be this much at least where its logarithm is needed."""


_RULES = [
    "All alerts of an object are on one side of every split, wherever they stand.",
    "An alert weighs 1, 0.5 or 0.25 as its label is of high, medium or low confidence. "
    "Within a class a source weighs as the root of what its alerts weigh, and simulated alerts "
    "as much as real ones.",
    "An alert with drb < 0.1, or with rb < 0.15 and no drb, is an artifact whatever stands at its "
    "place; a simulated one of another class is left out.",
    "A position that different objects share is taken for missing.",
    "Some alerts stand there again as they would look to others: "
    + ", ".join(f"{name} ({rate:.0%})" for name, rate in RATES.items())
    + "; all copies of an alert share its weight. The bogus ones got a low drb (or rb) and are "
    "artifacts.",
    "The number of rounds is what was best on a fifth of the objects, left out for that; then "
    "the trees were grown on all. The temperature is what was best on the sources left out.",
]


def train(
    nights,
    folder,
    labels=None,
    drop_circular=False,
    class_weight="balanced",
    seed=0,
    n_jobs=None,
):
    """Train a model on labelled nights and write it as a model folder.

    Parameters
    ----------
    nights : sequence of str or Path
        The alerts' files. One night is in memory at a time, and the features of all.
    folder : str or Path
        The model folder; an older model there is replaced once the new one is whole.
    labels : sequence of str or Path, optional
        Label files, each for any of the nights; by default ``NAME_labels.csv`` beside each.
    drop_circular : bool
        Leave out labels that were read from a field that is also a feature.
    class_weight : None, 'balanced' or dict
        With 'balanced' the classes weigh as of `ztfml.training.dataset.CLASS_SHARE`; otherwise as
        of `AlertClassifier`.
    seed : int
    n_jobs : int, optional
        Threads; by default all cores.

    Returns
    -------
    str
        How good the model is on sources, or else nights, never trained on, as text for people;
        the card's ``metrics`` hold more. With one source it is on random folds of objects,
        which flatters, and says so.

    Raises
    ------
    DataError, LabelError
        If a night or a label file cannot be used, or fewer than two classes are labelled.
    ModelError
        If the folder exists and is no model.

    Examples
    --------
    >>> print(train(["a.parquet", "b.parquet"], "models/mine"))   # doctest: +SKIP
    """
    check_place(folder)
    known = read_training_set(nights, labels, drop_circular, variants=True)
    balanced = class_weight == "balanced"
    classifier = AlertClassifier(
        class_weight=None if balanced else class_weight, random_state=seed, n_jobs=n_jobs
    )

    def weigh(some):
        return some.balanced_weight if balanced else some.weight

    classifier.fit(known.table, known.y, sample_weight=weigh(known), groups=known.objects)
    figures = _calibrated_figures(classifier, known, weigh, seed)
    card = {
        "training": {
            "nights": known.nights,
            "labels": _evidence_counts(known.labels[known.whole]),
            "rules": [*_RULES, *_circular_rule(drop_circular)],
            "objects": _pack_marks(_marks(known.objects)),
        },
        "metrics": figures,
        "importance": tree_shap(
            classifier,
            known.table.iloc[_spread(known.y, N_EXPLAINED)],
            {feature.name: feature.group for feature in FEATURES},
        ),
    }
    save_model(classifier, folder, card, _probe_rows(known))
    return "\n\n".join(f"{one['title']}\n{one['rule']}\n\n{metrics_table(one)}" for one in figures)


# --- the card ---------------------------------------------------------------------------


def _evidence_counts(labels):
    counts = (
        labels.assign(evidence=_evidence_kind(labels))
        .groupby(["label", "evidence", "circular"], sort=True)
        .size()
    )
    return [
        {"label": label, "evidence": evidence, "circular": bool(circular), "alerts": int(count)}
        for (label, evidence, circular), count in counts.items()
    ]


def _evidence_kind(labels):
    """What comes before details such as a distance or a class: "vsx", "MPC ephemeris match"."""
    kind = labels["evidence"].str.split(r"[(:;|=\d]", n=1, regex=True).str[0].str.strip()
    return kind.mask(kind == "", "not said")


def _circular_rule(drop_circular):
    if drop_circular:
        yield "Labels that were read from a field that is also a feature were left out."


def _spread(y, n):
    """Positions of n rows, as many of each class as there are, evenly spread over each."""
    share = n // len(np.unique(y))
    of_classes = (np.flatnonzero(y == label) for label in np.unique(y))
    return np.concatenate(
        [own[np.unique(np.linspace(0, len(own) - 1, share).round().astype(int))]
         for own in of_classes]
    )  # fmt: skip


def _probe_rows(known):
    """Rows of all classes, evenly spread over the training set."""
    by_class = np.argsort(known.y, kind="stable")
    spread = np.linspace(0, len(by_class) - 1, N_PROBES).round().astype(int)
    return known.table.iloc[by_class[spread]]


# --- how good it is ----------------------------------------------------------------------


def _calibrated_figures(classifier, known, weigh, seed):
    """Predict what was left out, set the temperature by that, and give the card's metrics."""
    simulated = known.labels["simulated"].to_numpy()
    wanted = known.whole & (simulated if simulated.all() else ~simulated)
    parts, title, rule = _parts_left_out(known, wanted, seed)
    grown_as_far = clone(classifier).set_params(
        n_estimators=classifier.n_rounds_, early_stopping_rounds=None
    )
    predicted = out_of_part(
        grown_as_far,
        known.table,
        known.y,
        known.objects,
        parts,
        weight=lambda rows: weigh(known.subset(rows)),
        left_out=np.unique(parts[wanted]),
    )
    scored = wanted & predicted.notna().all(axis=1).to_numpy()
    if not scored.any():
        return []
    classifier.temperature_ = _temperature(predicted[scored], known.subset(scored))
    predicted = _at_temperature(predicted, classifier.temperature_)
    if simulated.all():
        rule += " All of them are simulated, and real nights differ."
    elif simulated.any():
        rule += " Only real alerts are scored."
    figures = [_figure(known, predicted, scored, title, rule)]
    circular = known.labels["circular"].to_numpy()
    if circular[scored].any() and not circular[scored].all():
        figures.append(
            _figure(
                known,
                predicted,
                scored & ~circular,
                f"{title}; without circular labels",
                f"{rule} Labels that were read from a field that is also a feature are left out.",
            )
        )
    return figures


def _parts_left_out(known, wanted, seed):
    """The part of each row, and what to say of them: sources, or folds where there is one."""
    source = known.labels["source"]
    by_size = source[wanted].value_counts(sort=True).index
    if source.nunique() > 1:
        # Each of the large ones stands alone, or with a small one.
        rank = pd.Index(by_size).get_indexer(source)
        parts = np.where(rank < 0, -1, rank % N_PARTS)
        rule = (
            f"Each source (a broker or project, or else a night; {len(by_size)} in all) was left "
            "out of training with all alerts of its objects, and then predicted."
        )
        if len(by_size) > N_PARTS:
            rule = rule[:-1] + f", in {N_PARTS} parts: the small ones together with a large one."
        return parts, "Sources never trained on", rule
    code = pd.Index(LABELS).get_indexer(known.y)
    rule = (
        f"There is one source, so objects were dealt into {N_FOLDS} folds at random: the same "
        "night and kind of labels are on both sides."
    )
    folds = object_folds(code, known.objects, N_FOLDS, seed)
    return folds, "Random folds of objects: this flatters", rule


def _temperature(predicted, known):
    """What makes the probabilities of unseen alerts right, with every class weighing alike."""
    p = predicted.to_numpy()
    code = pd.Index(LABELS).get_indexer(known.y)
    of_label = known.labels["confidence"].map(CONFIDENCE_WEIGHT).to_numpy(float)
    weight = of_label * compute_sample_weight("balanced", known.y)
    return fit_temperature(np.log(np.maximum(p, _SMALLEST)), code, weight)


def _at_temperature(predicted, temperature):
    p = predicted ** (1 / temperature)
    return p.div(p.sum(axis=1, skipna=False), axis=0)


def _figure(known, predicted, rows, title, rule):
    labels = known.labels[rows]
    scored = known.y[rows], predicted[rows], known.objects[rows]
    parts = {
        "source": labels["source"],
        "night": _of_many(labels["date"]),
        "evidence": _evidence_kind(labels),
    }
    by = {kind: metrics_by(*scored, of_kind) for kind, of_kind in parts.items()}
    return {"title": title, "rule": rule, **metrics(*scored), "by": by}


def _of_many(values):
    """The values that many rows have, and "others"."""
    counts = values.map(values.value_counts())
    return values.where(counts >= MANY_ALERTS, "others")


# --- a model at work ---------------------------------------------------------------------


# Which objects a model was trained on: 32 bits of a hash each, so that a card knows a
# hundred thousand of them in half a megabyte, mistaking one unknown object in 40,000.
