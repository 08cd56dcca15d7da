"""Train a model on labelled nights and measure how good it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.class_weight import compute_sample_weight

from ztfml.errors import LabelError
from ztfml.evaluation.drift import training_distributions
from ztfml.evaluation.metrics import metrics, metrics_by
from ztfml.evaluation.text import metrics_table
from ztfml.features import FEATURES, Group
from ztfml.features.own import own_features
from ztfml.io.folder_writing import check_place
from ztfml.io.verified_folder import N_PROBES
from ztfml.model.calibration import fit_temperatures
from ztfml.model.classifier import AlertClassifier
from ztfml.model.folds import object_folds
from ztfml.model.probabilities import SCORE, temperature_of_rows
from ztfml.model.save import save_model
from ztfml.model.shap import tree_shap
from ztfml.taxonomy import LABELS
from ztfml.training.augmentation import (
    BOGUS_DRB,
    BOGUS_RB,
    COPY_FRACTIONS,
    SIMULATED_COPIES,
)
from ztfml.training.cross_validation import predict_held_out
from ztfml.training.dataset import (
    CONFIDENCE_WEIGHT,
    SIMULATED_WEIGHT,
    TrainingSet,
    read_training_set,
)
from ztfml.training.trained_objects import pack_objects

N_RANDOM_FOLDS = 5
"""Folds of objects if all labels are from one source."""

MAX_SOURCE_FOLDS = 15
"""Sources are held out one by one up to this number; smaller ones share a fold with a larger."""

MIN_ALERTS_OF_NIGHT = 20
"""Nights with fewer labelled alerts have common metrics."""

MIN_OBJECTS_OF_CLASS = 20
"""A class with fewer labelled objects cannot be trained and tested."""

N_EXPLAINED = 1000
"""Alerts for which the feature importance in the card is computed."""

_MIN_PROBABILITY = 1e-12
"""Smaller probabilities are set to this before taking the logarithm."""

RULES = [
    "All alerts of an object are on the same side of every split.",
    "A label of high, medium or low confidence has the weight 1, 0.5 or 0.25.",
    "Labels are re-weighted so that no survey dominates: each source counts as the square root "
    "of its number of labels. Within a class, simulated alerts together count "
    f"{SIMULATED_WEIGHT:g} times as much as real ones.",
    f"An alert with drb < {BOGUS_DRB} (or rb < {BOGUS_RB} if it has no drb) is labelled as an "
    "artifact, whatever is at its position; if it is simulated as another class it is left out.",
    "A position shared by different objects is treated as missing.",
    "Training adds degraded copies of alerts (no drb, no Gaia, no or short history, earlier "
    "detection). The fractions of alerts that are copied are: "
    + ", ".join(f"{name} {fraction:.0%}" for name, fraction in COPY_FRACTIONS.items())
    + f". Simulated alerts get {SIMULATED_COPIES:.0%} of these. An alert shares its weight with "
    "its copies. Copies with a low drb are artifacts.",
    "The number of boosting rounds is chosen on a fifth of the objects; then the trees are trained "
    "on all objects. The temperatures of the calibration, for alerts with drb and without, are "
    "fitted on the held-out sources.",
]
"""How the training data are prepared, for the model card."""

_NO_CIRCULAR_RULE = "Circular labels (derived from a field that is also a feature) are left out."


def train(
    nights: Sequence[str | Path],
    folder: str | Path,
    labels: Sequence[str | Path] | None = None,
    classes: Sequence[str] | None = None,
    drop_circular: bool = False,
    class_weight: str | dict | None = "balanced",
    seed: int = 0,
    n_jobs: int | None = None,
    overwrite: bool = False,
    parameters: dict[str, Any] | None = None,
    own: Sequence[Group] = (),
) -> str:
    """Train a model on labelled nights and write it as a model folder.

    Parameters
    ----------
    nights : sequence of str or Path
        Alert files. One night at a time is in memory, and the features of all labelled alerts.
    folder : str or Path
        The model folder to write.
    labels : sequence of str or Path, optional
        Label files, each for any of the nights; by default ``NAME_labels.csv`` beside each night.
    classes : sequence of str, optional
        Train a model of these classes only, with any number of objects; labels of other classes
        are ignored. By default all five classes are needed, with at least
        `MIN_OBJECTS_OF_CLASS` objects each.
    drop_circular : bool
        Leave out labels that were derived from a field that is also a feature.
    class_weight : None, 'balanced' or dict
        With 'balanced' the classes have the weights `ztfml.training.dataset.CLASS_SHARE`;
        otherwise as for `AlertClassifier`.
    seed : int
    n_jobs : int, optional
        Number of threads; by default all cores.
    overwrite : bool
        Replace an older model in the folder when the new one is complete.
    parameters : dict, optional
        Other parameters of `AlertClassifier`, for example ``{"num_leaves": 31}``.
    own : sequence of Group
        Own features to use besides those of ztfml (see `ztfml.features.own`).

    Returns
    -------
    str
        The metrics on sources that were not used in training, as text. If there is only one
        source they are measured on random folds of objects, which is optimistic. The card has
        more details.

    Raises
    ------
    DataError, LabelError
        If a night or a label file cannot be used, or a class has too few labelled objects.
    ModelError
        If the folder exists and is not a model, or is a model and ``overwrite`` is False.

    Examples
    --------
    Skipped, because training takes a minute:

    >>> report = train(["night.parquet"], "my_model")   # doctest: +SKIP
    >>> # skipped: takes a minute
    """
    check_place(Path(folder), overwrite=overwrite)
    data = read_training_set(nights, labels, drop_circular, True, classes, own)
    _check_classes(data, classes, nights)
    balanced = class_weight == "balanced"
    classifier = AlertClassifier(
        **{
            "class_weight": None if balanced else class_weight,
            "random_state": seed,
            "n_jobs": n_jobs,
            **(parameters or {}),
        }
    )

    def weight_of(some):
        return some.balanced_weight if balanced else some.weight

    classifier.fit(data.table, data.y, sample_weight=weight_of(data), groups=data.objects)
    figures = _calibrate_and_score(classifier, data, weight_of, seed)
    card = {
        "training": {
            "nights": data.nights,
            "labels": count_evidence(data.labels[data.is_original]),
            "rules": [*RULES, _NO_CIRCULAR_RULE] if drop_circular else RULES,
            "objects": pack_objects(data.objects),
        },
        "metrics": figures,
        "importance": tree_shap(
            classifier,
            data.table.iloc[_spread_over_classes(data.y, N_EXPLAINED)],
            {feature.name: feature.group for feature in (*FEATURES, *own_features(own))},
        ),
        "distributions": distributions_of(data),
    }
    save_model(classifier, folder, card, _probe_rows(data), overwrite, own)
    return "\n\n".join(f"{one['title']}\n{one['rule']}\n\n{metrics_table(one)}" for one in figures)


def _check_classes(data, classes, nights):
    """Refuse a training set that lacks a class or has too few objects of one."""
    original = pd.Series(data.objects[data.is_original])
    counts = original.groupby(data.y[data.is_original]).nunique()
    where = ", ".join(map(str, nights))
    if classes is not None:
        absent = [label for label in classes if label not in counts]
        if absent:
            raise LabelError(
                f"{where}: no alert is labelled as {' or '.join(absent)}; add labels, or leave "
                "this class out of --classes"
            )
        return
    few = {label: n for label in LABELS if (n := counts.get(label, 0)) < MIN_OBJECTS_OF_CLASS}
    if few:
        found = ", ".join(f"{n or 'no'} {label}" for label, n in few.items())
        enough = [label for label in LABELS if label not in few]
        raise LabelError(
            f"{where}: too few labelled objects ({found}) to train a model of five classes, which "
            f"needs {MIN_OBJECTS_OF_CLASS} objects of each class; extend an existing model with "
            "these labels (--onto default), add labelled or simulated nights, or train a model of "
            f"fewer classes (--classes {','.join(enough if len(enough) > 1 else LABELS[2:])})"
        )


# --- the card ---------------------------------------------------------------------------


def count_evidence(labels: pd.DataFrame) -> list[dict]:
    """Count labels by class and evidence, for the card.

    Parameters
    ----------
    labels : pandas.DataFrame
        ``TrainingSet.labels``.

    Returns
    -------
    list of dict
        ``label``, ``evidence``, ``circular`` and the number of ``alerts``.

    Examples
    --------
    >>> labels = pd.DataFrame({"label": ["agn"], "evidence": ["by eye: blue"], "circular": [False]})
    >>> count_evidence(labels)
    [{'label': 'agn', 'evidence': 'by eye', 'circular': False, 'alerts': 1}]
    """
    counts = (
        labels.assign(evidence=_evidence_kind(labels))
        .groupby(["label", "evidence", "circular"], sort=True)
        .size()
    )
    return [
        {"label": label, "evidence": evidence, "circular": bool(circular), "alerts": int(count)}
        for (label, evidence, circular), count in counts.items()
    ]


def distributions_of(data: TrainingSet) -> dict:
    """Count the training values of each feature, for drift reports.

    Degraded copies are left out: a night with as many missing values as the copies is unusual.

    Parameters
    ----------
    data : TrainingSet

    Returns
    -------
    dict
        As from `ztfml.evaluation.drift.training_distributions`.

    Examples
    --------
    >>> data = read_training_set(["night.parquet"], augment=True)
    >>> distributions_of(data)["drb"]["star"][-1]
    0
    """
    original = data.subset(data.is_original)
    return training_distributions(original.table, original.y, original.weight)


def _evidence_kind(labels):
    """The evidence without details such as a distance: "vsx", "MPC ephemeris match"."""
    kind = labels["evidence"].str.split(r"[(:;|=\d]", n=1, regex=True).str[0].str.strip()
    return kind.mask(kind == "", "not given")


def _spread_over_classes(y, n):
    """Positions of about n rows, with equal numbers of each class, evenly spaced in each."""
    n_per_class = n // len(np.unique(y))
    chosen = []
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        chosen.append(rows[np.unique(_evenly_spaced(len(rows), n_per_class))])
    return np.concatenate(chosen)


def _probe_rows(data):
    """Rows of all classes, evenly spaced in the training set."""
    by_class = np.argsort(data.y, kind="stable")
    return data.table.iloc[by_class[_evenly_spaced(len(by_class), N_PROBES)]]


def _evenly_spaced(n, n_chosen):
    return np.linspace(0, n - 1, n_chosen).round().astype(int)


# --- metrics on held-out sources ---------------------------------------------------------


def _calibrate_and_score(classifier, data, weight_of, seed):
    """Predict held-out sources, set the temperature of the classifier, and compute metrics."""
    simulated = data.labels["simulated"].to_numpy()
    wanted = data.is_original & (simulated if simulated.all() else ~simulated)
    folds, title, rule = _source_folds(data, wanted, seed)
    same_rounds = clone(classifier).set_params(
        n_estimators=classifier.n_rounds_, early_stopping_rounds=None
    )
    predicted = predict_held_out(
        same_rounds,
        data.table,
        data.y,
        data.objects,
        folds,
        weight=lambda rows: weight_of(data.subset(rows)),
        held_out=np.unique(folds[wanted]),
    )
    scored = wanted & predicted.notna().all(axis=1).to_numpy()
    if not scored.any():
        return []
    fitted = _calibrating(data, wanted, predicted)
    both = _fit_temperatures(predicted[fitted], data.subset(fitted))
    classifier.temperature_, classifier.temperature_without_drb_ = both
    predicted = _at_temperature(predicted, _without_drb(data), *both)
    if simulated.all():
        rule += " All alerts are simulated; results for real nights differ."
    elif simulated.any():
        rule += " Metrics are for real alerts only."
    figures = [_figures(data, predicted, scored, title, rule)]
    circular = data.labels["circular"].to_numpy()
    if circular[scored].any() and not circular[scored].all():
        figures.append(
            _figures(
                data,
                predicted,
                scored & ~circular,
                f"{title}, without circular labels",
                f"{rule} {_NO_CIRCULAR_RULE}",
            )
        )
    return figures


def _source_folds(data, wanted, seed):
    """The fold of each row, a title and a description: sources, or random folds of objects."""
    source = data.labels["source"]
    by_size = source[wanted].value_counts(sort=True).index
    if source.nunique() > 1:
        # A large source has a fold of its own, or shares it with a small one.
        rank = pd.Index(by_size).get_indexer(source)
        folds = np.where(rank < 0, -1, rank % MAX_SOURCE_FOLDS)
        rule = (
            f"Each of {len(by_size)} sources (a broker or project, or else a night) was predicted "
            "by a model trained without it and without its objects."
        )
        if len(by_size) > MAX_SOURCE_FOLDS:
            rule += f" There are {MAX_SOURCE_FOLDS} folds, so small sources share a fold."
        return folds, "Sources not used in training", rule
    code = pd.Index(LABELS).get_indexer(data.y)
    rule = (
        f"All labels are from one source, so {N_RANDOM_FOLDS} random folds of objects were used: "
        "the training and test objects are from the same nights and have the same kind of labels."
    )
    folds = object_folds(code, data.objects, N_RANDOM_FOLDS, seed)
    return folds, "Random folds of objects (optimistic)", rule


def _calibrating(data, wanted, predicted):
    """Mask of the held-out alerts, and of their copies without drb."""
    labels = data.labels
    copies = labels["copy"].isin(["no drb", "no history and no drb"])
    copies &= labels["candid"].isin(labels["candid"][wanted])
    return (wanted | copies.to_numpy()) & predicted.notna().all(axis=1).to_numpy()


def _without_drb(data):
    table = data.table
    return table[SCORE].isna().to_numpy() if SCORE in table else np.zeros(len(table), bool)


def _fit_temperatures(predicted, data):
    """The temperatures that calibrate held-out predictions, with equal weight for each class."""
    code = pd.Index(LABELS).get_indexer(data.y)
    confidence = data.labels["confidence"].map(CONFIDENCE_WEIGHT).to_numpy(float)
    without = _without_drb(data)
    weight = confidence * compute_sample_weight(
        "balanced", np.char.add(data.y, without.astype(str))
    )
    scores = np.log(np.maximum(predicted.to_numpy(), _MIN_PROBABILITY))
    return fit_temperatures(scores, code, weight, without)


def _at_temperature(predicted, without, temperature, temperature_without_drb):
    p = predicted ** (1 / temperature_of_rows(without, temperature, temperature_without_drb))
    return p.div(p.sum(axis=1, skipna=False), axis=0)


def _figures(data, predicted, rows, title, rule):
    labels = data.labels[rows]
    scored = data.y[rows], predicted[rows], data.objects[rows]
    parts = {
        "source": labels["source"],
        "night": _frequent(labels["date"]),
        "evidence": _evidence_kind(labels),
    }
    by = {kind: metrics_by(*scored, part) for kind, part in parts.items()}
    return {"title": title, "rule": rule, **metrics(*scored), "by": by}


def _frequent(values):
    """Replace values of few rows by "others"."""
    counts = values.map(values.value_counts())
    return values.where(counts >= MIN_ALERTS_OF_NIGHT, "others")
