"""Measure how similar simulated and real alerts are, and train a model on simulation only.

    python -m tests.benchmarks.realism [DATA]

DATA is the folder with ``alerts/``; by default that of the tests. For each class, a small LightGBM
classifier separates real from simulated alerts; an AUC of 0.5 means no difference. With folds by
object, the AUC includes the differences between real sources, which have different selections.
With folds by source, it measures only what all real sources have in common; the features that
contribute to it are listed. The last tables score
a model trained on simulation only with real labels.
"""

import sys
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GroupKFold

from tests.conftest import SHARED_DATA
from ztfml.evaluation.metrics import labels_from, metrics
from ztfml.features import compute
from ztfml.io.companions import labels_beside
from ztfml.io.parquet import open_parquet
from ztfml.io.text_tables import markdown_table
from ztfml.model.classifier import AlertClassifier
from ztfml.model.probabilities import probabilities
from ztfml.night import Night
from ztfml.simulate import simulate
from ztfml.taxonomy import LABELS
from ztfml.training.augmentation import DEGRADATIONS

# Nights of each era and all phases of the Moon: no drb and a month of history, years of history,
# the latest schema. With few nights, a classifier could recognise their weather.
ERAS = tuple(2458312.5 + 347 * night + 4 * (night % 4) for night in range(8))
ALL = "ztf_alerts_real"
NIGHTS = ("ztf_alerts_2458312.5", "ztf_alerts_2458451.5", "ztf_alerts_2460235.5", ALL)
N_ALERTS = 1600
# Start of drb, and of the years with long histories.
EDGES = (2458648.5, 2459300.5)
# There are few labels of artifacts, so alerts with low scores count as artifacts too.
BOGUS = {"drb": 0.1, "rb": 0.15}
FEWEST = 30
PACKET_SPAN = 31.0  # d
SHOWN = 6
# What an alert says of where and when was looked, and for how long: chosen, not simulated.
WHERE_AND_WHEN = (
    "abs_gal_lat", "abs_ecl_lat", "opposition_distance", "ncovhist", "ndethist", "det_ratio",
    "age_hist",
)  # fmt: skip
# Sources whose mistaken alerts were looked at while the populations were made; of the others
# only distributions were, along with those of the light curves.
LOOKED_AT = {
    "early_tde_classification", "fink_broker_distribute", "fink_alert_simulator", "fink_filters",
    "Asteroids_and_Associations", "fink_grandma_kn_hist", "skyportal", "fink_broker", "fink_utils",
    "boom",
}  # fmt: skip
DEPRIVED = ("no drb", "no history")


def main(data):
    """Print the tables."""
    simulated, copies = simulated_alerts()
    real = {name: real_alerts(data / f"{name}.parquet") for name in NIGHTS}
    rows, telling = [], []
    for label in LABELS:
        one, other = _of_class(real[ALL], simulated, label)
        n_real, n_simulated = len(one), len(other)
        apart = [separate(one, other, groups)[0] for groups in ("objectId", "source")]
        elsewhere = [table.drop(columns=list(WHERE_AND_WHEN)) for table in (one, other)]
        unplaced, given = separate(*elsewhere, "source")
        cells = (*map(_figure, (*apart, unplaced)), _between_sources(one))
        rows.append([label, f"{n_real}", f"{n_simulated}", *cells])
        telling += [[label, *cells] for cells in _telling(one, other, given)]
    head = ["class", "real", "simulated", "AUC, folds by object", "AUC, folds by source"]
    head += ["the same without position and time", "each real source against the others"]
    _print_rows("Real against simulated", head, rows)
    quantiles = "5, 50 and 95 %, missing"
    head = ["class", "feature", "AUC lost", f"real: {quantiles}", f"simulated: {quantiles}"]
    _print_rows("Features that separate simulated from real alerts, folds by source", head, telling)
    _print_scores(data, real, pd.concat([simulated, copies], ignore_index=True))


def simulated_alerts(n_alerts=N_ALERTS, seed=7):
    """Compute features, classes and eras of simulated nights, and of degraded copies.

    The second table has a quarter of the alerts without drb, and a quarter without history.
    """
    tables, copies = [], []
    rng = np.random.default_rng(seed)
    for number, jd in enumerate(ERAS):
        night, labels = next(simulate(n_alerts, 1, seed + number, "balanced", jd))
        kind = labels["evidence"].str.removeprefix("simulated: ").to_numpy()
        given = {"label": labels["label"].to_numpy(), "kind": kind}
        tables.append(compute(night).assign(**_about(night), **given))
        for name in ("no drb", "no history"):
            rows = np.flatnonzero(rng.random(len(night)) < 0.25)
            part = DEGRADATIONS[name](night.subset(rows), rng)
            of_part = {key: values[rows] for key, values in given.items()}
            copies.append(compute(part).assign(**_about(part), **of_part))
    return pd.concat(tables, ignore_index=True), pd.concat(copies, ignore_index=True)


def real_alerts(path, deprived=None):
    """Compute the same for a real night; unlabelled alerts are kept if their scores are low.

    `deprived` names the degradation of its alerts (`ztfml.training.augmentation.DEGRADATIONS`).
    """
    night = Night.load(path)
    if deprived is not None:
        night = DEGRADATIONS[deprived](night, np.random.default_rng(0))
    labels = pd.read_csv(labels_beside(path)).drop_duplicates("candid").set_index("candid")["label"]
    table = compute(night).assign(**_about(night))
    table["label"] = night.alerts["candid"].map(labels).to_numpy()
    table["labelled"] = table["label"].isin(LABELS)
    score = np.where(table["drb"].notna(), table["drb"] < BOGUS["drb"], table["rb"] < BOGUS["rb"])
    table.loc[~table["labelled"] & score, "label"] = "artifact"
    columns = open_parquet(path).read(["candid", "source_key"]).to_pandas()
    source = columns.drop_duplicates("candid").set_index("candid")["source_key"]
    table["source"] = night.alerts["candid"].map(source).to_numpy(str)
    return table[table["label"].isin(LABELS)].reset_index(drop=True)


def _about(night):
    jd = night.alerts["jd"].to_numpy()
    begin = np.append(night.history.jd, np.nan)[np.minimum(night.first, len(night.history.jd))]
    span = np.where(night.last > night.first, jd - begin, np.nan)
    return {"objectId": night.alerts["objectId"].to_numpy(), "jd": jd, "span": span}


_ABOUT = ["objectId", "jd", "span", "label", "labelled", "source", "kind"]


def _features(table):
    return table.drop(columns=_ABOUT, errors="ignore")


def _of_class(real, simulated, label, seed=0):
    """Select the alerts of one class; eras and empty columns of the simulated ones match the real.

    Exports differ in their fields and histories, which is not a property of the simulation. Each
    real alert gets two simulated alerts of the same era, with the history of a packet. Columns
    that are empty in the whole real source are set to NaN.
    """
    rng = np.random.default_rng(seed)
    real = real[real["label"] == label].reset_index(drop=True)
    simulated = simulated[(simulated["label"] == label) & (simulated["span"] < PACKET_SPAN)]
    era = np.searchsorted(EDGES, simulated["jd"].to_numpy())
    parts = []
    for (_, number), group in real.groupby(
        ["source", np.searchsorted(EDGES, real["jd"].to_numpy())], sort=True
    ):
        pool = np.flatnonzero(era == number)
        drawn = rng.choice(pool, min(2 * len(group), len(pool)), replace=False)
        part = simulated.iloc[drawn].copy()
        empty = group.columns[group.isna().all()].difference(_ABOUT)
        part[empty] = np.nan
        parts.append(part)
    return real, pd.concat(parts, ignore_index=True)


def separate(one, other, groups):
    """Compute the AUC of a classifier that separates two tables, and the importance of features.

    The importance is the loss of AUC if a feature is shuffled among the scored alerts, for the
    features with the largest gain in the trees.
    """
    rng = np.random.default_rng(0)
    table = pd.concat([_features(one), _features(other)], ignore_index=True)
    target = np.repeat([1, 0], [len(one), len(other)])
    if groups == "source" and one["source"].nunique() < 2:
        return np.nan, None
    group = [one[groups].to_numpy(str)]
    if groups in other:
        group.append(other[groups].to_numpy(str))
    else:
        group.append(rng.integers(0, 20, len(other)).astype(str))
    group = np.concatenate(group)
    score, folds = np.zeros(len(target)), []
    for learnt, scored in GroupKFold(min(5, one[groups].nunique())).split(table, target, group):
        # One thread: on a busy machine several threads wait for each other.
        model = lightgbm.LGBMClassifier(
            n_estimators=60, num_leaves=12, min_child_samples=10, n_jobs=1, verbose=-1,
            random_state=0, colsample_bytree=0.5, deterministic=True, class_weight="balanced",
        )  # fmt: skip
        model.fit(table.iloc[learnt], target[learnt])
        score[scored] = model.predict_proba(table.iloc[scored])[:, 1]
        folds.append((model, scored))
    area = roc_auc_score(target, score)
    gain = sum(model.booster_.feature_importance("gain") for model, _ in folds)
    lost = {}
    for name in table.columns[np.argsort(-gain)[: 4 * SHOWN]]:
        shuffled = np.zeros(len(target))
        for model, scored in folds:
            part = table.iloc[scored].copy()
            part[name] = part[name].to_numpy()[rng.permutation(len(part))]
            shuffled[scored] = model.predict_proba(part)[:, 1]
        lost[name] = area - roc_auc_score(target, shuffled)
    return area, pd.Series(lost)


def _between_sources(real):
    """Lowest and highest AUC of each large real source of a class against the other sources."""
    areas = []
    for source, n in real["source"].value_counts().items():
        of_source = (real["source"] == source).to_numpy()
        if min(n, (~of_source).sum()) < FEWEST:
            continue
        # Columns that are empty in one of the exports would separate the sources at once.
        empty = [
            part.columns[part.isna().all()].difference(_ABOUT)
            for part in (real[of_source], real[~of_source])
        ]
        kept = real.drop(columns=empty[0].union(empty[1]))
        areas.append(separate(kept[of_source], kept[~of_source], "objectId")[0])
    return f"{min(areas):.2f} to {max(areas):.2f}" if areas else "-"


def _telling(real, simulated, given):
    for name, lost in given.sort_values(ascending=False).head(SHOWN).items():
        yield [name, f"{lost:.3f}", *(_quantiles(table[name]) for table in (real, simulated))]


def _quantiles(values):
    marks = " ".join(f"{one:.3g}" for one in values.quantile([0.05, 0.5, 0.95]))
    return f"{marks}, {values.isna().mean():.0%}"


def _figure(value):
    return "-" if np.isnan(value) else f"{value:.2f}"


def _print_rows(title, head, rows):
    print(f"\n{title}\n")
    print("\n".join(markdown_table([head, *rows])), flush=True)


def _print_scores(data, real, simulated):
    model = AlertClassifier(class_weight="balanced", n_jobs=1)
    model.fit(_features(simulated), simulated["label"], groups=simulated["objectId"])
    rows = [_scored(model, name.removeprefix("ztf_alerts_"), table) for name, table in real.items()]
    every = real[ALL]
    own = every["source"].isin(LOOKED_AT)
    for name, part in (("sources looked at", every[own]), ("other sources", every[~own])):
        rows.append(_scored(model, name, part))
    for name, low, high in zip(_ERA_NAMES, (0, *EDGES), (*EDGES, np.inf), strict=True):
        rows.append(_scored(model, name, every[every["jd"].between(low, high)]))
    for name in DEPRIVED:
        rows.append(_scored(model, name, real_alerts(data / f"{ALL}.parquet", name)))
    counts = every.loc[every["labelled"].astype(bool), "source"].value_counts()
    for name in counts.index[counts >= FEWEST]:
        rows.append(_scored(model, name, every[every["source"] == name]))
    head = ["tested on", "n", "macro-F1", "objects weigh the same", *LABELS, "bogus by score"]
    _print_rows("Trained on simulation alone; by class: recall/precision (labels)", head, rows)


_ERA_NAMES = ("before drb", "June 2019 to March 2021", "later")


def _scored(model, name, table):
    known = table[table["labelled"].astype(bool)]
    predicted = probabilities(model, _features(known))
    truth, objects = known["label"].to_numpy(str), known["objectId"].to_numpy(str)
    figures = metrics(truth, predicted, objects)
    bogus = table[~table["labelled"].astype(bool)]
    caught = "-"
    if len(bogus):
        found = probabilities(model, _features(bogus)).to_numpy().argmax(axis=1) == 0
        caught = f"{found.mean():.2f} of {len(bogus)}"
    weight = 1 / pd.Series(objects).groupby([objects, truth]).transform("size").to_numpy()
    present = np.unique(truth)
    equal = f1_score(
        truth, labels_from(predicted), labels=present, average="macro", sample_weight=weight
    )
    return [name, *_cells(figures, f"{equal:.2f}"), caught]


def _cells(figures, equal):
    low, high = figures["intervals"]["macro_f1"]
    cells = [f"{figures['n']}", f"{figures['macro_f1']:.2f} ({low:.2f} to {high:.2f})", equal]
    for label in LABELS:
        one = figures["per_class"][label]
        recall, precision = (
            "-" if one[name] is None else f"{one[name]:.2f}" for name in ("recall", "precision")
        )
        cells.append(f"{recall}/{precision} ({one['support']})" if one["support"] else "-")
    return cells


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else SHARED_DATA) / "alerts")
