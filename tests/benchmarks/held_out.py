"""Real alerts that a model was not trained on: complete, without fields, young, with faults.

`held_out` computes the features of the training set and of all views once and keeps them in a file
beside the nights, until the nights or the code change.
"""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.io.parquet import open_parquet
from ztfml.model.classifier import AlertClassifier
from ztfml.night import Night
from ztfml.schema import ALERT_BY_NAME
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS
from ztfml.training.augmentation import DEGRADATIONS, at_earlier_detection, earlier_detections
from ztfml.training.dataset import (
    SOURCE_COLUMN,
    bogus_rows,
    read_training_set,
    without_shared_positions,
)
from ztfml.training.missing_fields import EXPORTS, FIELD_GROUPS, fields_outside, without_fields
from ztfml.training.stray import with_stray_detection

REAL = "ztf_alerts_real"
DEGRADED = (
    "no drb", "no history", "no history and no drb", "30 days of history", "no Gaia",
    "unknown asteroid",
)  # fmt: skip
SCORES_SHAPE_PS1 = "no rb, drb, shape, PS1"
STRAY = "stray detection"
YOUNG = ("first night", "second night")
CURVES = ("lc_mramirezz", "lc_alerce_tns_upload")
N_CURVES = 500
DWARF_NOVAE = ("lc_kndetect", "lc_koala_fbot", "lc_ztfrest_test")
FIRST_OUTBURST, LATER_OUTBURST = "dwarf novae, first alert", "dwarf novae, later"


def held_out(nights, data):
    """Return a `Bench`, from its file if neither the nights nor the code have changed.

    Parameters
    ----------
    nights : Path
        Folder with the real alerts, their labels and the simulated nights.
    data : Path
        Folder with ``alerts/`` and ``lightcurves/``.

    Returns
    -------
    Bench
    """
    key = hashlib.sha256()
    for path in sorted([*Path(features.__file__).parents[1].rglob("*.py"), Path(__file__)]):
        if path.parts[-2] not in ("cli", "report", "plots", "ranking", "sources"):
            key.update(path.read_bytes())
    for path in sorted([*nights.glob("*.parquet"), *nights.glob("*.csv")]):
        key.update(f"{path.name} {path.stat().st_mtime_ns}".encode())
    cache = nights / f"bench-{key.hexdigest()[:12]}.pickle"
    if cache.is_file():
        return pickle.loads(cache.read_bytes())
    bench = Bench(nights, data)
    cache.write_bytes(pickle.dumps(bench))
    return bench


class Bench:
    """The training set, and views of the real alerts.

    A view is a table of features and, for each row, the alert from which its position, neighbours
    and scores are taken. The model that predicts a row must not be trained on the object of that
    alert.
    """

    def __init__(self, nights, data):
        self.data = data
        simulated = sorted(nights.glob("ztf_alerts_2??????.?.parquet"))
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
        # The parameters of the model that `predict` trains.
        self.parameters = {}
        every = np.arange(len(self.y))
        self.views = {"whole": (features.compute(self.night), every)}
        for name, night in self._degraded():
            self.views[name] = (features.compute(night), every)
        stray = with_stray_detection(self.night, np.random.default_rng(0))
        self.views[STRAY] = (features.compute(stray), every)
        self.views |= dict(_young_views(self))
        for name in CURVES:
            self.views |= dict(_curve_views(self, name))
        self.views |= dict(_dwarf_nova_views(self))

    def _degraded(self):
        for name in DEGRADED:
            yield name, DEGRADATIONS[name](self.night, None)
        for name, fields in FIELD_GROUPS.items():
            yield f"no {name}", without_fields(self.night, fields)
        for name in EXPORTS:
            yield f"as in {name}", without_fields(self.night, fields_outside(name))
        scores = [FIELD_GROUPS[name] for name in ("rb", "drb", "shape", "PS1")]
        yield SCORES_SHAPE_PS1, without_fields(self.night, sum(scores, ()))

    def predict(self, parts, left_out, seed, views=None):
        """Probabilities of every view, NaN where the alert is in a part not left out."""
        views = self.views if views is None else views
        found = {
            name: np.full((len(table), len(LABELS)), np.nan) for name, (table, _) in views.items()
        }
        for part in left_out:
            model = self._fit(parts == part, seed)
            order = [list(model.classes_).index(label) for label in LABELS]
            rows = {name: parts[alert] == part for name, (_, alert) in views.items()}
            tables = [table[rows[name]] for name, (table, _) in views.items()]
            p = model.predict_proba(pd.concat(tables, ignore_index=True))[:, order]
            begin = 0
            for name, here in rows.items():
                found[name][here] = p[begin : begin + here.sum()]
                begin += here.sum()
        return {
            name: pd.DataFrame(p, columns=list(PROBABILITY_COLUMNS)) for name, p in found.items()
        }

    def _fit(self, left_out, seed):
        """Train a model without the objects of some of the alerts."""
        rest = self.known.subset(~np.isin(self.known.objects, self.objects[left_out]))
        classifier = AlertClassifier(
            early_stopping_rounds=None, random_state=seed, **self.parameters
        )
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


# --- dwarf novae -------------------------------------------------------------------------


def _dwarf_nova_views(bench):
    """Light curves of dwarf novae at every night, with the packet of a cataclysmic variable.

    The packet is that of the object itself if it is among the alerts.
    """
    rng = np.random.default_rng(0)
    evidence = bench.labels["evidence"].fillna("")
    cataclysmic = evidence.str.contains(r"\bCV\b|:UG|[Dd]warf", regex=True).to_numpy()
    donors = np.flatnonzero(cataclysmic & (bench.y == "star") & bench.sure & ~bench.bogus)
    curves = pd.concat([_dwarf_novae(bench.data, name) for name in DWARF_NOVAE])
    curves = curves.drop_duplicates(["objectId", "jd", "fid"]).sort_values(["objectId", "jd"])
    detected = curves[curves["magpsf"].notna() & (curves["isdiffpos"] != "f")].copy()
    detected["first"] = detected.groupby("objectId")["jd"].transform("first")
    detected["n"] = detected.groupby("objectId").cumcount() + 1
    now = detected.groupby(["objectId", np.floor(detected["jd"])]).tail(1).reset_index(drop=True)
    donor_of = {name: rng.choice(donors) for name in now["objectId"].unique()}
    donor_of |= {bench.objects[row]: row for row in donors}
    donor = now["objectId"].map(donor_of).to_numpy()
    table = features.compute(_donated(bench.night, donor, now, curves, "dwarf novae"))
    table["objectId"] = now["objectId"]
    is_first = ~now["objectId"].duplicated().to_numpy()
    for name, here in ((FIRST_OUTBURST, is_first), (LATER_OUTBURST, ~is_first)):
        yield name, (table[here].drop(columns="objectId").reset_index(drop=True), donor[here])


def _dwarf_novae(data, name):
    path = data / "lightcurves" / f"{name}.parquet"
    kinds = pd.read_csv(path.with_name(f"{name}_labels.csv"))
    chosen = kinds["objectId"][kinds["fine_class"].fillna("").str.contains("CV")]
    curves = pd.read_parquet(path).reset_index()
    curves = curves[curves["objectId"].isin(chosen)]
    # Some files have detections only, and these are positive.
    return curves.reindex(columns=["objectId", *_CURVE]).fillna({"isdiffpos": "t"})


# --- light curves without packets --------------------------------------------------------


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
