"""How much simulated alerts look like real ones, and what a model learns from them alone.

    python -m tests.benchmarks.realism [DATA]

DATA is the folder that holds ``alerts/``; by default that of the tests. For each class a
small LightGBM tells real from simulated alerts: 0.5 is no difference. Objects, or whole
sources, are kept together in the folds. As a measure of what can be asked for, the same is
done with the largest real source of each class against all the other real ones. The last
table scores a model that was trained on simulation alone on real labels.
"""

import sys
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from tests.conftest import SHARED_DATA
from ztfml.classifier import AlertClassifier, probabilities
from ztfml.evaluation import metrics
from ztfml.features import compute
from ztfml.files import open_parquet
from ztfml.night import Night, labels_beside
from ztfml.scorecard import table_rows
from ztfml.sources.simulate import simulate
from ztfml.taxonomy import LABELS

# Nights of each era and of all phases of the Moon: no drb and a month of history, years of it,
# the latest schema. A few would be known by their weather.
ERAS = tuple(2458312.5 + 347 * night + 4 * (night % 4) for night in range(8))
ALL = "ztf_alerts_real"
NIGHTS = ("ztf_alerts_2458312.5", "ztf_alerts_2458451.5", "ztf_alerts_2460235.5", ALL)
N_ALERTS = 1600
# Begin of drb, and of the years with a history of many.
EDGES = (2458648.5, 2459300.5)
# Labels of artifacts are few: what the scores call bogus is taken for them as well.
BOGUS = {"drb": 0.1, "rb": 0.15}
FEWEST = 30
PACKET_SPAN = 31.0  # d
SHOWN = 6


def main(data):
    """Print the tables."""
    simulated = simulated_alerts()
    real = {name: real_alerts(data / f"{name}.parquet") for name in NIGHTS}
    rows, telling = [], []
    for label in LABELS:
        both = _of_class(real[ALL], simulated, label)
        by_object, gain = tell_apart(*both, "objectId")
        by_source, _ = tell_apart(*both, "source")
        n_real, n_simulated = len(both[0]), len(both[1])
        cells = (by_object, by_source, _between_sources(both[0]))
        rows.append([label, f"{n_real}", f"{n_simulated}", *map(_figure, cells)])
        telling += [[label, *one] for one in _telling(*both, gain)]
    head = ["class", "real", "simulated", "AUC, objects apart", "AUC, sources apart"]
    _print_rows("Real against simulated", [*head, "one real source against the others"], rows)
    quantiles = "5, 50 and 95 %, missing"
    head = ["class", "feature", f"real: {quantiles}", f"simulated: {quantiles}"]
    _print_rows("What gives the simulation away", head, telling)
    _print_scores(real, simulated)


def simulated_alerts(n_alerts=N_ALERTS, seed=7):
    """Features, classes and eras of simulated nights of all eras."""
    nights = (
        next(simulate(n_alerts, 1, seed + number, "balanced", jd)) for number, jd in enumerate(ERAS)
    )
    tables = []
    for night, labels in nights:
        table = compute(night).assign(**_about(night), label=labels["label"].to_numpy())
        table["kind"] = labels["evidence"].str.removeprefix("simulated: ").to_numpy()
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def real_alerts(path):
    """The same of a real night; without a label those that the scores call bogus are kept."""
    night = Night.load(path)
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
    """Alerts of one class, the simulated ones drawn so that eras and empty columns agree.

    Exports differ in the fields and the histories they carry; that is no fault of the
    simulation. Each real alert gets two simulated ones of the nearest era, with a packet's
    history as real ones have, in which is empty whatever is empty throughout its source.
    """
    rng = np.random.default_rng(seed)
    real = real[real["label"] == label].reset_index(drop=True)
    simulated = simulated[(simulated["label"] == label) & (simulated["span"] < PACKET_SPAN)]
    era = np.searchsorted(EDGES, simulated["jd"].to_numpy())
    parts = []
    for (_, number), some in real.groupby(
        ["source", np.searchsorted(EDGES, real["jd"].to_numpy())], sort=True
    ):
        pool = np.flatnonzero(era == number)
        drawn = rng.choice(pool, min(2 * len(some), len(pool)), replace=False)
        part = simulated.iloc[drawn].copy()
        empty = some.columns[some.isna().all()].difference(_ABOUT)
        part[empty] = np.nan
        parts.append(part)
    return real, pd.concat(parts, ignore_index=True)


def tell_apart(one, other, groups):
    """Area under the curve of a classifier of two tables, and the gain of each feature."""
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
    n_folds = min(5, one[groups].nunique())
    model = lightgbm.LGBMClassifier(
        n_estimators=60, num_leaves=12, min_child_samples=10, n_jobs=1, verbose=-1, random_state=0,
        colsample_bytree=0.5, deterministic=True, class_weight="balanced",
    )  # fmt: skip
    score = cross_val_predict(
        model, table, target, groups=group, cv=GroupKFold(n_folds), method="predict_proba"
    )[:, 1]
    gain = model.fit(table, target).booster_.feature_importance("gain")
    return roc_auc_score(target, score), pd.Series(gain, table.columns)


def _between_sources(real):
    """The largest real source of a class against the others; NaN where it stands alone."""
    largest = real["source"] == real["source"].value_counts().index[0]
    if min(largest.sum(), (~largest).sum()) < FEWEST:
        return np.nan
    # What an export leaves out altogether would tell sources apart at once.
    empty = [
        part.columns[part.isna().all()].difference(_ABOUT)
        for part in (real[largest], real[~largest])
    ]
    kept = real.drop(columns=empty[0].union(empty[1]))
    return tell_apart(kept[largest], kept[~largest], "objectId")[0]


def _telling(real, simulated, gain):
    for name in gain.sort_values(ascending=False).index[:SHOWN]:
        yield [name, *(_quantiles(table[name]) for table in (real, simulated))]


def _quantiles(values):
    marks = " ".join(f"{one:.3g}" for one in values.quantile([0.05, 0.5, 0.95]))
    return f"{marks}, {values.isna().mean():.0%}"


def _figure(value):
    return "-" if np.isnan(value) else f"{value:.2f}"


def _print_rows(title, head, rows):
    print(f"\n{title}\n")
    print("\n".join(table_rows([head, *rows])), flush=True)


def _print_scores(real, simulated):
    model = AlertClassifier(class_weight="balanced")
    model.fit(_features(simulated), simulated["label"], groups=simulated["objectId"])
    rows = []
    for name, table in real.items():
        known = table[table["labelled"]]
        predicted = probabilities(model, _features(known))
        figures = metrics(known["label"].to_numpy(), predicted, known["objectId"].to_numpy())
        bogus = table[~table["labelled"].astype(bool)]
        caught = "-"
        if len(bogus):
            found = probabilities(model, _features(bogus)).to_numpy().argmax(axis=1) == 0
            caught = f"{found.mean():.2f} of {len(bogus)}"
        rows.append(["simulation", name.removeprefix("ztf_alerts_"), *_cells(figures), caught])
    head = ["trained on", "tested on", "n", "macro-F1", *LABELS, "bogus by score"]
    _print_rows("Trained on simulation alone; by class: recall of how many", head, rows)


def _cells(figures):
    low, high = figures["intervals"]["macro_f1"]
    cells = [f"{figures['n']}", f"{figures['macro_f1']:.2f} ({low:.2f} to {high:.2f})"]
    for label in LABELS:
        one = figures["per_class"][label]
        found = "-" if one["recall"] is None else f"{one['recall']:.2f} of {one['support']}"
        cells.append(found)
    return cells


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else SHARED_DATA) / "alerts")
