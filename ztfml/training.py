"""From labelled nights to a model, and from a model to predictions and how good they are."""

import base64
import hashlib
import logging
import re

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.class_weight import compute_sample_weight

from ztfml import features
from ztfml.assessment import assess
from ztfml.classifier import AlertClassifier, fit_temperature, object_folds, probabilities
from ztfml.errors import LabelError, ModelError
from ztfml.evaluation import labels_from, metrics, metrics_by, out_of_part
from ztfml.features import registry
from ztfml.importance import tree_shap
from ztfml.labels.people import is_simulated, label_rows, read_labels
from ztfml.modelfile import N_PROBES, check_place, save_model
from ztfml.ranking import FastTransientScorer
from ztfml.scorecard import metrics_table
from ztfml.taxonomy import LABELS
from ztfml.trainingset import CONFIDENCE_WEIGHT, read_training_set
from ztfml.variants import RATES

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

UNCERTAIN_ODDS = 3.0
"""Predictions whose best class is less than this many times as probable as the next are
uncertain."""

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
        With 'balanced' the classes weigh as of `ztfml.trainingset.CLASS_SHARE`; otherwise as
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
        "features": _describe_features(known.table.columns),
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
            {feature.name: feature.group for feature in registry.FEATURES},
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


def _describe_features(names):
    declared = {feature.name: feature for feature in registry.FEATURES}
    return [
        {"name": name, "unit": one.unit, "version": one.version, "group": one.group}
        for name in names
        for one in [declared[name]]
    ]


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


def rank(night, model, top=None, scorer=None):
    """Rank the fast transients of a night, computing its features once.

    Parameters
    ----------
    night : Night
    model : LoadedModel
    top : int, optional
        How many objects to give; by default all.
    scorer : FastTransientScorer, optional
        By default one with the weights and the instrument of the package.

    Returns
    -------
    pandas.DataFrame
        As of `FastTransientScorer.rank`.

    Raises
    ------
    ModelError
        As for `predict`.

    Examples
    --------
    >>> rank(night, load_model("models/mine"), top=12)   # doctest: +SKIP
    """
    return predict_and_rank(night, model, top, scorer)[1]


def predict_and_rank(night, model, top=None, scorer=None):
    """Do both for a night, computing its features once.

    Parameters
    ----------
    night : Night
    model : LoadedModel
    top : int, optional
        How many objects to rank; by default all.
    scorer : FastTransientScorer, optional
        As for `rank`.

    Returns
    -------
    predictions : pandas.DataFrame
        As of `predict`.
    ranked : pandas.DataFrame
        As of `rank`.

    Raises
    ------
    ModelError
        As for `predict`.

    Examples
    --------
    >>> predictions, ranked = predict_and_rank(night, model)   # doctest: +SKIP
    """
    table = _features_for(night, model)
    predictions = _predictions(night, table, model)
    scorer = scorer or FastTransientScorer()
    return predictions, scorer.rank(night, table, predictions, top=top)


def evaluate(night, labels, model):
    """Compare a model's predictions with the labels of a night.

    Parameters
    ----------
    night : Night
    labels : str or Path
        A label file.
    model : LoadedModel

    Returns
    -------
    dict
        As of `ztfml.assessment.assess`, on the objects that the model was not trained on;
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
    >>> evaluate(night, "night_labels.csv", load_model("models/mine"))   # doctest: +SKIP
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
    table = _features_for(labelled, model)
    alerts = labelled.alerts[["objectId", "magpsf"]].assign(
        n_det=table["n_det"],
        circular=known["circular"].to_numpy(),
        has_history=labelled.last > labelled.first,
    )
    predicted = _predictions(labelled, table, model)
    has_past = alerts["has_history"].any()
    alone = predict(labelled.without_history(), model) if has_past else None
    return assess(known["label"].to_numpy(str), predicted, alerts, alone)


# Which objects a model was trained on: 32 bits of a hash each, so that a card knows a
# hundred thousand of them in half a megabyte, mistaking one unknown object in 40,000.


def _marks(objects):
    digests = [
        hashlib.blake2b(name.encode(), digest_size=4).digest() for name in np.unique(objects)
    ]
    return np.unique(np.frombuffer(b"".join(digests), "<u4"))


def _pack_marks(marks):
    return base64.b64encode(marks.astype("<u4").tobytes()).decode()


def _trained_on(objects, card):
    packed = card["training"].get("objects", "")
    if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", packed):
        raise ModelError("card.json: training.objects is damaged; copy the model folder again")
    marks = np.frombuffer(base64.b64decode(packed), "<u4")
    names, of_row = np.unique(objects, return_inverse=True)
    known = [np.isin(_marks([name]), marks).all() for name in names]
    return np.array(known, bool)[of_row]
