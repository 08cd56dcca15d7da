"""Measure how training transfers to sources, nights and objects that were not used in it.

    python -m tests.benchmarks.transfer NIGHTS [DATA] [PART ...]

NIGHTS is the folder written by ``make model`` (``build/nights``): real alerts with their labels,
and simulated nights. DATA is the folder with ``alerts/`` and ``lightcurves/``, by default that of
the tests. Parts: sources, nights, objects; by default all. Training and prediction are repeated
with three seeds: figures are means, and the range of macro-F1 is in brackets.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tests.conftest import SHARED_DATA
from ztfml import features
from ztfml.evaluation.metrics import labels_from, metrics
from ztfml.io.parquet import open_parquet
from ztfml.io.text_tables import markdown_table
from ztfml.model.classifier import AlertClassifier, fit_temperature
from ztfml.model.folds import object_folds
from ztfml.model.model import UNCERTAIN_ODDS
from ztfml.night import Night
from ztfml.schema import ALERT_BY_NAME
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS
from ztfml.training.augmentation import DEGRADATIONS, at_earlier_detection, earlier_detections
from ztfml.training.dataset import (
    CLASS_SHARE,
    SOURCE_COLUMN,
    bogus_rows,
    read_training_set,
    without_shared_positions,
)
from ztfml.training.train import N_RANDOM_FOLDS

REAL = "ztf_alerts_real"
NIGHTS = ("ztf_alerts_2458312.5", "ztf_alerts_2458451.5", "ztf_alerts_2460235.5")
SEEDS = (0, 1, 2)
FEWEST_LABELS = 30
POOLED = ("agn", "sso", "star", "transient")
NATURAL_MIX = {"artifact": 0.3, "sso": 0.2, "star": 0.4, "agn": 0.08, "transient": 0.02}
"""Approximate class mix of a night without cuts: of 498 alerts 42 % had rb < 0.55, and of 849
alerts of a broker after cuts 36 % were stars, 22 % asteroids, 7 % AGN, 35 % unlisted variables."""

DEGRADED = (
    "no drb", "no history", "no history and no drb", "30 days of history", "no Gaia",
    "unknown asteroid",
)  # fmt: skip
YOUNG = ("first night", "second night")
CURVES = ("lc_mramirezz", "lc_alerce_tns_upload")
N_CURVES = 500
PARTS = ("sources", "nights", "objects")


class Bench:
    """The training set, and views of the real alerts: complete, degraded and young.

    A view is a table of features and, for each row, the alert from which its position, neighbours
    and scores are taken. The model that predicts a row must not be trained on the object of that
    alert.
    """

    def __init__(self, nights, data):
        self.data = data
        simulated = sorted(
            path for path in nights.glob("ztf_alerts_2*.parquet") if "_prv_" not in path.stem
        )
        known = read_training_set([nights / f"{REAL}.parquet", *simulated], augment=True)
        self.known = known
        labels = known.labels[known.is_original & ~known.labels["simulated"].to_numpy()]
        labels = labels.assign(doubtful=False)
        self.labels = pd.concat([labels, _doubtful_labels(nights)], ignore_index=True)
        night = Night.load(nights / f"{REAL}.parquet")
        at = pd.Index(night.alerts["candid"]).get_indexer(self.labels["candid"])
        self.night = without_shared_positions(night.subset(at))
        self.y = self.labels["label"].to_numpy(str)
        self.objects = self.night.alerts["objectId"].to_numpy(str)
        self.source = self.labels["source"].to_numpy(str)
        self.sure = ~self.labels["doubtful"].to_numpy()
        self.bogus = bogus_rows(self.night.alerts)
        every = np.arange(len(self.y))
        self.views = {"whole": (features.compute(self.night), every)}
        for name in DEGRADED:
            self.views[name] = (features.compute(DEGRADATIONS[name](self.night, None)), every)
        self.views |= dict(_young_views(self))
        for name in CURVES:
            self.views |= dict(_curve_views(self, name))

    def predict(self, parts, left_out, seed):
        """Probabilities of every view, NaN where the alert is in a part not left out."""
        found = {
            name: np.full((len(table), len(LABELS)), np.nan)
            for name, (table, _) in self.views.items()
        }
        for part in left_out:
            model = self._fit(parts == part, seed)
            order = [list(model.classes_).index(label) for label in LABELS]
            for name, (table, alert) in self.views.items():
                rows = parts[alert] == part
                if rows.any():
                    found[name][rows] = model.predict_proba(table[rows])[:, order]
        return {
            name: pd.DataFrame(p, columns=list(PROBABILITY_COLUMNS)) for name, p in found.items()
        }

    def _fit(self, left_out, seed):
        """Train a model without the objects of some of the alerts."""
        rest = self.known.subset(~np.isin(self.known.objects, self.objects[left_out]))
        classifier = AlertClassifier(early_stopping_rounds=None, random_state=seed)
        return classifier.fit(rest.table, rest.y, sample_weight=rest.balanced_weight)


def _doubtful_labels(nights):
    """Doubtful labels: not used in training, but scored to measure their effect."""
    table = pd.read_csv(nights / f"{REAL}_conflicts.csv", dtype={"candid": np.int64})
    table = table[table["labels"].isin(LABELS)].rename(columns={"labels": "label"})
    source = open_parquet(nights / f"{REAL}.parquet").read(["candid", SOURCE_COLUMN]).to_pandas()
    source = source.drop_duplicates("candid").set_index("candid")[SOURCE_COLUMN]
    return table.assign(source=source[table["candid"]].to_numpy(), doubtful=True)


# --- young supernovae --------------------------------------------------------------------


def _young_views(bench):
    """Real transients as they looked on the first and second night of their light curve.

    Those whose history reaches back to the first detection of all, at the last detection of
    either night; one alert an object.
    """
    alert, row = earlier_detections(bench.night)
    chosen = np.isin(alert, _transients(bench))
    alert, row = alert[chosen], row[chosen]
    table = features.compute(at_earlier_detection(bench.night, alert, row))
    young = pd.DataFrame({
        "object": bench.objects[alert], "jd": bench.night.history.jd[row],
        "nights": table["n_nights"], "complete": table["age_hist"] - table["age"] < 1,
    }).sort_values("jd")  # fmt: skip
    for number, name in enumerate(YOUNG, start=1):
        here = young[(young["nights"] == number) & young["complete"]]
        last = here.drop_duplicates("object", keep="last").index.to_numpy()
        yield name, (table.iloc[last].reset_index(drop=True), alert[last])


def _transients(bench):
    return np.flatnonzero((bench.y == "transient") & bench.sure & ~bench.bogus)


def _curve_views(bench, name):
    """Light curves of supernovae on their first two nights, with the packet of another one.

    These light curves come without packet fields: each gets those of a real transient, its
    neighbours in PS1 and Gaia, its scores and its shape.
    """
    rng = np.random.default_rng(0)
    curves = pd.read_parquet(bench.data / "lightcurves" / f"{name}.parquet")
    curves = curves.reset_index()[["objectId", *_CURVE]].sort_values(["objectId", "jd"])
    detected = curves[curves["magpsf"].notna()]
    first = detected.groupby("objectId")["jd"].first()
    chosen = rng.permutation(first.index.to_numpy())[:N_CURVES]
    curves = curves[curves["objectId"].isin(chosen)]
    curves = curves[curves["jd"] < curves["objectId"].map(first) + 4]
    now = _cut(curves.assign(night=np.floor(curves["jd"])))
    donor = rng.choice(_transients(bench), len(now))
    table = features.compute(_donated(bench.night, donor, now, curves, name))
    for number in (1, 2):
        here = (table["n_nights"] == number).to_numpy()
        if here.any():
            yield f"{name}, night {number}", (table[here].reset_index(drop=True), donor[here])


_CURVE = ("jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos")


def _cut(curves):
    """One detection an object: the last of its first or second night of detections."""
    detected = curves[curves["magpsf"].notna()].copy()
    detected["first"] = detected.groupby("objectId")["jd"].transform("first")
    detected["n"] = detected.groupby("objectId").cumcount() + 1
    last = detected.groupby(["objectId", "night"]).tail(1)
    last = last[last.groupby("objectId").cumcount() < 2]
    return last.sample(frac=1, random_state=0).drop_duplicates("objectId")


def _donated(night, donor, now, curves, name):
    donated = night.alerts.iloc[donor].reset_index(drop=True)
    own = now[list(_CURVE)].reset_index(drop=True).assign(isdiffpos="t")
    shift = own["magpsf"] - donated["magpsf"]
    donated["isdiffpos"] = donated["isdiffpos"].astype(object)
    donated[list(_CURVE)] = own.assign(diffmaglim=own["diffmaglim"].fillna(donated["diffmaglim"]))
    for field in ("magap", "magapbig"):
        donated[field] += shift
    donated["objectId"] = now["objectId"].to_numpy()
    donated["candid"] = np.arange(len(donated))
    donated["jdstarthist"] = now["first"].to_numpy()
    donated["ndethist"] = now["n"].to_numpy(float)
    alerts = donated.rename(columns=lambda field: ALERT_BY_NAME[field].in_file)
    return Night.from_frames(alerts, curves, name=name)


# --- what is left out --------------------------------------------------------------------


def sources(bench):
    """Every source with enough labels left out, predictions pooled."""
    counts = pd.Series(bench.source[bench.sure]).value_counts()
    large = list(counts.index[counts >= FEWEST_LABELS])
    runs = [bench.predict(bench.source, large, seed) for seed in SEEDS]
    pooled = np.isin(bench.y, POOLED) & np.isin(bench.source, large)
    rows = [
        _row("all labels as handed out, doubtful ones too", bench, runs, "whole", pooled),
        *(_row(name, bench, runs, name, pooled & bench.sure) for name in ("whole", *DEGRADED)),
    ]
    _print(f"One of {len(large)} sources left out, pooled", rows)
    _print("Each of them", [
        _row(name, bench, runs, "whole", pooled & bench.sure & (bench.source == name))
        for name in large
    ])  # fmt: skip
    _print_calibration(bench, runs, pooled & bench.sure)
    _print_young(runs, YOUNG)


def nights(bench):
    """Every whole night left out."""
    rows = []
    for name in NIGHTS:
        path = bench.data / "alerts" / f"{name}.parquet"
        candids = open_parquet(path).read(["candid"]).to_pandas()["candid"]
        here = bench.labels["candid"].isin(candids).to_numpy()
        runs = [bench.predict(here, [True], seed) for seed in SEEDS]
        rows.append(_row(name, bench, runs, "whole", here & bench.sure))
    _print("One night left out", rows)


def objects(bench):
    """Folds of objects: what alerts lack, bogus ones, calibration, the young."""
    folds = object_folds(
        pd.Index(LABELS).get_indexer(bench.y), bench.objects, N_RANDOM_FOLDS, seed=0
    )
    runs = [bench.predict(folds, range(N_RANDOM_FOLDS), seed) for seed in SEEDS]
    _print("Folds of objects", [
        _row(name, bench, runs, name, bench.sure) for name in ("whole", *DEGRADED)
    ])  # fmt: skip
    good = bench.night.alerts["drb"].to_numpy() > 0.9
    good &= np.isin(bench.y, ["star", "agn", "transient"])
    guesses = [labels_from(run["whole"]) for run in runs]
    for name, rows in (("known bogus", bench.bogus), ("catalogued with drb > 0.9", good)):
        shares = [np.mean(guess[rows] == "artifact") for guess in guesses]
        print(f"{name}, called artifact: {_range(shares, 4)} of {rows.sum()}")
    _print_calibration(bench, runs, bench.sure)
    _print_uncertain(bench, runs)
    _print_young(runs, [name for name in bench.views if name not in ("whole", *DEGRADED)])


def _row(name, bench, runs, view, rows):
    found = [
        metrics(bench.y[rows], run[view][rows], bench.objects[rows], n_draws=20) for run in runs
    ]
    cells = [name, f"{found[0]['n']}", _range([one["macro_f1"] for one in found])]
    for label in LABELS:
        of_class = [one["per_class"][label] for one in found]
        recall, precision = (
            np.mean([one[name] for one in of_class if one[name] is not None] or [np.nan])
            for name in ("recall", "precision")
        )
        text = f"{recall:.3f}/{precision:.2f} ({of_class[0]['support']})"
        cells.append("-" if np.isnan(recall) else text.replace("nan", "-"))
    return cells


def _range(values, digits=3):
    low, mean, high = (f"{f(values):.{digits}f}" for f in (np.min, np.mean, np.max))
    return f"{mean} ({low} to {high})"


def _print(title, rows):
    head = ["", "n", "macro-F1", *LABELS]
    print(f"\n{title}; by class: recall/precision (labels)\n")
    print("\n".join(markdown_table([head, *rows])), flush=True)


def _print_young(runs, views):
    print("\nYoung supernovae, by night of detection: fraction with each label\n")
    rows = [["light curves", "n", "transient", *LABELS]]
    for view in views:
        tables = [run[view].dropna() for run in runs]
        guesses = np.array([labels_from(table) for table in tables])
        shares = [(guesses == label).mean(axis=1) for label in LABELS]
        cells = [f"{share.mean():.3f}" for share in shares]
        rows.append([view, f"{guesses.shape[1]}", _range(shares[-1]), *cells])
    print("\n".join(markdown_table(rows)), flush=True)


def _print_calibration(bench, runs, rows):
    """Print the calibration error at the natural mix, with temperatures from the other objects."""
    half = pd.factorize(bench.objects)[0] % 2
    code = pd.Index(LABELS).get_indexer(bench.y)
    raw, cooled = [], []
    for run in runs:
        scores = np.log(np.maximum(run["whole"].to_numpy(), 1e-12))
        raw.append(_natural_error(bench.y[rows], scores[rows]))
        for side in (0, 1):
            fit = rows & (half != side)
            scores[half == side] /= fit_temperature(scores[fit], code[fit], np.ones(fit.sum()))
        cooled.append(_natural_error(bench.y[rows], scores[rows]))
    print(f"\nexpected calibration error at the natural mix: {_range(raw)}; "
          f"with a temperature from other objects: {_range(cooled)}")  # fmt: skip


def _natural_error(y, scores):
    mix = (pd.Series(NATURAL_MIX) / pd.Series(CLASS_SHARE))[list(LABELS)].to_numpy()
    p = np.exp(scores) * mix
    p = pd.DataFrame(p / p.sum(axis=1, keepdims=True), columns=list(PROBABILITY_COLUMNS))
    share = pd.Series(y).map(NATURAL_MIX) / pd.Series(y).map(pd.Series(y).value_counts())
    weight = (share / share.sum()).to_numpy()
    confidence = p.to_numpy().max(axis=1)
    gap = weight * (confidence - (labels_from(p) == y))
    return np.abs(np.bincount(np.minimum((confidence * 10).astype(int), 9), gap)).sum()


def _print_uncertain(bench, runs):
    rows = bench.sure
    shares = []
    for run in runs:
        second, best = np.sort(run["whole"][rows].to_numpy(), axis=1)[:, -2:].T
        uncertain = best < UNCERTAIN_ODDS * second
        wrong = labels_from(run["whole"][rows]) != bench.y[rows]
        shares.append((uncertain.mean(), wrong[uncertain].mean(), wrong[~uncertain].mean()))
    of_all, of_these, of_others = np.mean(shares, axis=0)
    print(f"uncertain: {of_all:.3f}; wrong of these {of_these:.2f}, of the others {of_others:.3f}")


def main(arguments):
    """Print the selected parts."""
    parts = [one for one in arguments if one in PARTS] or PARTS
    folders = [Path(one) for one in arguments if one not in PARTS]
    bench = Bench(folders[0], folders[1] if len(folders) > 1 else SHARED_DATA)
    for part in parts:
        globals()[part](bench)


if __name__ == "__main__":
    main(sys.argv[1:])
