"""How good training is on sources, nights and objects that it has not seen.

    python -m tests.benchmarks.transfer NIGHTS [DATA] [PART ...]

NIGHTS is the folder that ``make model`` fills (``build/nights``): real alerts with all their
labels, and simulated nights. DATA is the folder that holds ``alerts/`` and ``lightcurves/``, by
default that of the tests. Parts: sources, nights, objects, early; by default all.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tests.conftest import SHARED_DATA
from ztfml import features
from ztfml.classifier import AlertClassifier, object_folds
from ztfml.evaluation import labels_from, metrics
from ztfml.files import open_parquet
from ztfml.night import Night
from ztfml.schema import ALERT_BY_NAME
from ztfml.scorecard import table_rows
from ztfml.taxonomy import LABELS
from ztfml.training import N_FOLDS, UNCERTAIN_ODDS
from ztfml.trainingset import (
    VARIANTS,
    TrainingSet,
    bogus_rows,
    read_training_set,
    without_shared_places,
)

REAL = "ztf_alerts_real"
NIGHTS = ("ztf_alerts_2458312.5", "ztf_alerts_2458451.5", "ztf_alerts_2460235.5")
FEWEST_LABELS = 30
POOLED = ("agn", "sso", "star", "transient")
SIMULATED_SHARE = 3
"""One simulated object in so many is trained on, which a run of a few minutes has time for."""

NATURAL_MIX = {"artifact": 0.3, "sso": 0.2, "star": 0.4, "agn": 0.08, "transient": 0.02}
"""About what a night without cuts holds: of 498 alerts 42 % had rb < 0.55, and of a broker's
849 after cuts 36 % were stars, 22 % asteroids, 7 % AGN, and 35 % mostly unlisted variables."""

N_EARLY = 500
PARTS = ("sources", "nights", "objects", "early")


class Bench:
    """Real alerts, whole and deprived, and everything that may be trained on."""

    def __init__(self, nights, data):
        self.data = data
        simulated = sorted(
            path for path in nights.glob("ztf_alerts_2*.parquet") if "_prv_" not in path.stem
        )
        known = read_training_set([nights / f"{REAL}.parquet", *simulated], variants=True)
        self.known = _thinned(known)
        labels = self.known.labels
        self.tested = self.known.whole & ~labels["simulated"].to_numpy()
        self.labels = labels[self.tested].reset_index(drop=True)
        night = Night.load(nights / f"{REAL}.parquet")
        at = pd.Index(night.alerts["candid"]).get_indexer(self.labels["candid"])
        self.night = without_shared_places(night.subset(at))
        self.bogus = bogus_rows(self.night.alerts)
        self.views = {"whole": self.known.table[self.tested].reset_index(drop=True)}
        for name in ("no drb", "no history", "no history, no drb", "30 days", "no Gaia"):
            self.views[name] = features.compute(VARIANTS[name](self.night, None))

    def fit(self, left_out):
        """A model that has not seen the objects of some of the tested alerts."""
        known = self.known
        objects = self.labels["objectId"].to_numpy(str)
        rest = ~np.isin(known.objects, objects[left_out])
        part = TrainingSet(known.table[rest], known.labels[rest], known.nights)
        return AlertClassifier(class_weight="balanced").fit(
            part.table, part.y, sample_weight=part.weight, groups=part.objects
        )

    def predict(self, parts, left_out):
        """Probabilities of every view, NaN where a part is not left out."""
        shape = (len(self.labels), len(LABELS))
        tables = {name: np.full(shape, np.nan) for name in self.views}
        for part in left_out:
            rows = parts == part
            model = self.fit(rows)
            order = [list(model.classes_).index(label) for label in LABELS]
            for name, view in self.views.items():
                tables[name][rows] = model.predict_proba(view[rows])[:, order]
        columns = [f"p_{label}" for label in LABELS]
        return {name: pd.DataFrame(p, columns=columns) for name, p in tables.items()}


def _thinned(known):
    code = pd.factorize(known.labels["objectId"])[0]
    keep = ~known.labels["simulated"].to_numpy() | (code % SIMULATED_SHARE == 0)
    return TrainingSet(
        known.table[keep].reset_index(drop=True),
        known.labels[keep].reset_index(drop=True),
        known.nights,
    )


def sources(bench):
    """Every source with enough labels left out, predictions pooled."""
    parts = bench.labels["source"].to_numpy(str)
    counts = pd.Series(parts).value_counts()
    large = counts.index[counts >= FEWEST_LABELS]
    predicted = bench.predict(parts, large)
    four = bench.labels["label"].isin(POOLED).to_numpy() & np.isin(parts, large)
    sure = four & (bench.labels["confidence"] != "low").to_numpy()
    rows = [_row(name, bench, table, four) for name, table in predicted.items()]
    rows.append(_row("whole, no labels of low confidence", bench, predicted["whole"], sure))
    _print(f"One of {len(large)} sources left out, pooled", rows)
    rows = [_row(name, bench, predicted["whole"], four & (parts == name)) for name in large]
    _print("Each of them", rows)


def nights(bench):
    """Every whole night left out."""
    rows = []
    for name in NIGHTS:
        path = bench.data / "alerts" / f"{name}.parquet"
        candids = open_parquet(path).read(["candid"]).to_pandas()["candid"]
        here = bench.labels["candid"].isin(candids).to_numpy()
        predicted = bench.predict(here, [True])["whole"]
        rows.append(_row(name, bench, predicted, here))
    _print("One night left out", rows)


def objects(bench):
    """Folds of objects: what alerts lack, bogus ones, calibration."""
    y = bench.labels["label"].to_numpy(str)
    names = bench.labels["objectId"].to_numpy(str)
    folds = object_folds(pd.Index(LABELS).get_indexer(y), names, N_FOLDS, seed=0)
    everything = np.ones(len(y), bool)
    predicted = bench.predict(folds, range(N_FOLDS))
    _print("Folds of objects, equal priors", [
        _row(name, bench, table, everything) for name, table in predicted.items()
    ])  # fmt: skip
    guess = labels_from(predicted["whole"])
    good = (bench.night.alerts["drb"] > 0.9) & np.isin(y, ["star", "agn", "transient"])
    print(f"\nknown bogus called artifact: {np.mean(guess[bench.bogus] == 'artifact'):.3f} "
          f"of {bench.bogus.sum()}")  # fmt: skip
    print(f"catalogued with drb > 0.9 called artifact: {np.mean(guess[good] == 'artifact'):.4f} "
          f"of {good.sum()}")  # fmt: skip
    ordered = np.sort(predicted["whole"].to_numpy(), axis=1)
    uncertain = ordered[:, -1] < UNCERTAIN_ODDS * ordered[:, -2]
    wrong = guess != y
    print(f"uncertain: {uncertain.mean():.3f}; wrong of these {wrong[uncertain].mean():.2f}, "
          f"of the others {wrong[~uncertain].mean():.3f}")  # fmt: skip
    # Equal priors were trained on (class_weight "balanced"), so others multiply.
    natural = predicted["whole"] * [NATURAL_MIX[label] for label in LABELS]
    natural = natural.div(natural.sum(axis=1), axis=0)
    print(f"expected calibration error at the natural mix: {_natural_error(y, natural):.3f}")


def _natural_error(y, predicted):
    share = pd.Series(y).map(NATURAL_MIX) / pd.Series(y).map(pd.Series(y).value_counts())
    weight = (share / share.sum()).to_numpy()
    confidence = predicted.to_numpy().max(axis=1)
    gap = weight * (confidence - (labels_from(predicted) == y))
    return np.abs(np.bincount(np.minimum((confidence * 10).astype(int), 9), gap)).sum()


def early(bench):
    """Supernovae within two nights of their first detection.

    Real light curves carry no packet fields, so each gets those of a real transient's alert
    that the model has not seen: its neighbours in PS1 and Gaia, its scores and its shape.
    """
    y = bench.labels["label"].to_numpy(str)
    donors = np.flatnonzero((y == "transient") & ~bench.bogus)
    model = bench.fit(np.isin(np.arange(len(y)), donors))
    rows = []
    for name in ("lc_mramirezz", "lc_alerce_tns_upload"):
        night = _early_night(bench, donors, name)
        table = features.compute(night)
        guess = model.predict(table)
        for n in (1, 2):
            now = (table["n_nights"] == n).to_numpy()
            if now.any():
                counts = pd.Series(guess[now]).value_counts(normalize=True).round(3).to_dict()
                rows.append([f"{name}, nights: {n}", f"{now.sum()}", str(counts)])
    young = np.isin(np.arange(len(y)), donors) & (bench.views["whole"]["n_nights"] <= 2)
    guess = model.predict(bench.views["whole"][young])
    counts = pd.Series(guess).value_counts(normalize=True).round(3).to_dict()
    rows.append(["real alerts, nights: 1 or 2", f"{young.sum()}", str(counts)])
    print("\nSupernovae called\n")
    print("\n".join(table_rows([["light curves", "n", "called"], *rows])), flush=True)


def _early_night(bench, donors, name):
    rng = np.random.default_rng(0)
    curves = pd.read_parquet(bench.data / "lightcurves" / f"{name}.parquet")
    curves = curves.reset_index()[["objectId", *_CURVE]].sort_values(["objectId", "jd"])
    detected = curves[curves["magpsf"].notna()]
    first = detected.groupby("objectId")["jd"].first()
    chosen = rng.permutation(first.index.to_numpy())[:N_EARLY]
    curves = curves[curves["objectId"].isin(chosen)]
    curves = curves[curves["jd"] < curves["objectId"].map(first) + 4]
    curves["night"] = np.floor(curves["jd"])
    now = _cut(curves, rng)
    donated = bench.night.alerts.iloc[rng.choice(donors, len(now))].reset_index(drop=True)
    old = donated["magpsf"]
    own = now[list(_CURVE)].reset_index(drop=True)
    shift = own["magpsf"] - old
    own["isdiffpos"] = "t"
    donated["isdiffpos"] = donated["isdiffpos"].astype(object)
    donated[list(_CURVE)] = own.assign(diffmaglim=own["diffmaglim"].fillna(donated["diffmaglim"]))
    for field in ("magap", "magapbig"):
        donated[field] += shift
    donated["objectId"] = now["objectId"].to_numpy()
    donated["candid"] = np.arange(len(donated))
    donated["jdstarthist"] = now["first"].to_numpy()
    donated["ndethist"] = now["n"].to_numpy(float)
    donated["ssdistnr"] = np.nan
    alerts = donated.rename(columns=lambda field: ALERT_BY_NAME[field].in_file)
    return Night.from_frames(alerts, curves.drop(columns="night"), name=name)


_CURVE = ("jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos")


def _cut(curves, rng):
    """One detection an object: the last of its first or second night of detections."""
    detected = curves[curves["magpsf"].notna()].copy()
    detected["first"] = detected.groupby("objectId")["jd"].transform("first")
    detected["n"] = detected.groupby("objectId").cumcount() + 1
    last = detected.groupby(["objectId", "night"]).tail(1)
    last = last[last.groupby("objectId").cumcount() < 2]
    return last.sample(frac=1, random_state=0).drop_duplicates("objectId")


def _row(name, bench, predicted, rows):
    truth = bench.labels["label"].to_numpy(str)[rows]
    found = metrics(truth, predicted[rows], bench.labels["objectId"].to_numpy(str)[rows])
    low, high = found["intervals"]["macro_f1"]
    cells = [name, f"{found['n']}", f"{found['macro_f1']:.3f} ({low:.2f} to {high:.2f})"]
    for label in LABELS:
        one = found["per_class"][label]
        precise = "-" if one["precision"] is None else f"{one['precision']:.2f}"
        cells.append(
            "-" if one["recall"] is None else f"{one['recall']:.2f}/{precise} ({one['support']})"
        )
    return cells


def _print(title, rows):
    head = ["", "n", "macro-F1", *LABELS]
    print(f"\n{title}; by class: recall/precision (labels)\n")
    print("\n".join(table_rows([head, *rows])), flush=True)


def main(arguments):
    """Print the parts that are asked for."""
    parts = [one for one in arguments if one in PARTS] or PARTS
    folders = [Path(one) for one in arguments if one not in PARTS]
    bench = Bench(folders[0], folders[1] if len(folders) > 1 else SHARED_DATA)
    for part in parts:
        globals()[part](bench)


if __name__ == "__main__":
    main(sys.argv[1:])
