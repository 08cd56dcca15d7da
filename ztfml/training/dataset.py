"""Labelled alerts of several nights as a training set: features, weights, and what may lack.

Public labels come from a few brokers and projects, each with its own selection. Weights keep
the largest of them from being learned, and copies of alerts (`ztfml.training.augmentation`)
keep a model from leaning on what other eras, brokers and schemas lack.
"""

import base64
import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.astrophysics import night_of
from ztfml.catalogs.matching import positions_of
from ztfml.errors import DataError, LabelError, ModelError
from ztfml.features import FEATURES
from ztfml.io.parquet import open_parquet
from ztfml.io.progress import track
from ztfml.labels.label_file import is_simulated, label_rows, read_labels
from ztfml.night import labels_beside
from ztfml.sources.formats import open_night
from ztfml.training.augmentation import BOGUS_DRB, BOGUS_RB, copies

log = logging.getLogger(__name__)

CONFIDENCE_WEIGHT = {"high": 1.0, "medium": 0.5, "low": 0.25}
"""A doubtful label teaches less; it still tells more than none, above all of artifacts."""

SOURCE_COLUMN = "source_key"
"""An optional column of an alerts' file: which broker or project an alert comes from."""

CLASS_SHARE = {"artifact": 0.2, "sso": 0.2, "star": 0.3, "agn": 0.15, "transient": 0.15}
"""What the classes weigh in a balanced training set, in sum 1.

Nearly the same, as rare classes are what one looks for. But five stars stand for one AGN on any
night, and with equal weights too many of them are called so.
"""

BOGUS_EVIDENCE = "rules: low drb, or low rb without drb"

WHOLE = "whole"


@dataclass(frozen=True)
class TrainingSet:
    """Labelled alerts of several nights with their features.

    Attributes
    ----------
    table : DataFrame of float64, shape (n, n_features)
    labels : DataFrame, n rows
        ``candid``, ``objectId``, ``label``, ``evidence``, ``confidence``, ``circular``,
        ``simulated`` (bool), ``source`` (the broker or project, or else the night),
        ``date`` (the Julian date on which its night began, as text), ``variant`` (`WHOLE`, or
        how a copy differs) and ``night`` (position in ``nights``).
    nights : list of dict
        ``name``, ``alerts``, ``labelled`` (alerts), ``objects`` (labelled ones).
    """

    table: pd.DataFrame
    labels: pd.DataFrame
    nights: list

    @property
    def y(self):
        return self.labels["label"].to_numpy(str)

    @property
    def objects(self):
        return self.labels["objectId"].to_numpy(str)

    @property
    def whole(self):
        """Which rows are alerts as they came, and not copies."""
        return (self.labels["variant"] == WHOLE).to_numpy()

    def subset(self, rows):
        """Keep some rows, given as a mask; what they weigh depends on what else is there."""
        return TrainingSet(
            self.table[rows].reset_index(drop=True),
            self.labels[rows].reset_index(drop=True),
            self.nights,
        )

    @property
    def weight(self):
        """What each alert weighs before class weights (see the rules of the model card)."""
        labels = self.labels
        copies = labels.groupby("candid")["candid"].transform("size").to_numpy()
        weight = labels["confidence"].map(CONFIDENCE_WEIGHT).to_numpy(float) / copies
        of_class = labels["label"].to_numpy(str)
        simulated = labels["simulated"].to_numpy()
        # The root lies between a source's own size and equal shares, and did best of the three.
        real = ~simulated
        per_source = pd.Series(weight).groupby([of_class, simulated, labels["source"].to_numpy()])
        weight[real] /= np.sqrt(per_source.transform("sum").to_numpy()[real])
        for label in np.unique(of_class):
            here, model = real & (of_class == label), simulated & (of_class == label)
            if here.any() and model.any():
                weight[model] *= weight[here].sum() / weight[model].sum()
        return weight

    @property
    def balanced_weight(self):
        """The same, with each class in sum as of `CLASS_SHARE`; the classes there are fill 1."""
        weight, share = self.weight, np.zeros(len(self.y))
        for label in np.unique(self.y):
            here = self.y == label
            share[here] = CLASS_SHARE[label] * weight[here] / weight[here].sum()
        return share / share.sum()


def read_training_set(nights, labels=None, drop_circular=False, variants=False):
    """Read nights and their labels, and compute the features of the labelled alerts.

    Parameters
    ----------
    nights, labels, drop_circular
        As for `training.train`.
    variants : bool
        Whether to add copies of some alerts as others would have seen them (see
        `ztfml.training.augmentation`).

    Returns
    -------
    TrainingSet

    Raises
    ------
    DataError, LabelError
        As for `training.train`.

    Examples
    --------
    >>> read_training_set(["a.parquet", "b.parquet"]).y   # doctest: +SKIP
    array(['star', 'sso'], dtype='<U9')
    """
    given = None if labels is None else _join_labels(labels)
    tables, rows, summaries = [], [], []
    seen = pd.Index([], dtype=np.int64)
    for position, path in enumerate(track(list(nights), "computing features")):
        own = read_labels(labels_beside(path)) if given is None else given
        table, found, n_alerts = _labelled_features(path, own, drop_circular, variants)
        whole = (found["variant"] == WHOLE).to_numpy()
        new = ~found["candid"].isin(seen).to_numpy()
        if not new.all():
            log.info(
                "%s: %d labelled alerts are in an earlier night too", path, (whole & ~new).sum()
            )
        table, found, whole = table[new], found[new], whole[new]
        seen = seen.append(pd.Index(found.loc[whole, "candid"]))
        tables.append(table)
        rows.append(found.assign(night=position))
        summaries.append(
            {
                "name": Path(path).stem,
                "alerts": n_alerts,
                "labelled": int(whole.sum()),
                "objects": int(found["objectId"].nunique()),
            }
        )
    known = TrainingSet(
        pd.concat(tables, ignore_index=True), pd.concat(rows, ignore_index=True), summaries
    )
    classes = np.unique(known.y[known.whole])
    if len(classes) < 2:
        found = f"only alerts of class {classes[0]} are" if len(classes) else "no alert is"
        raise LabelError(
            f"{', '.join(map(str, nights))}: {found} labelled; name nights with labels of at "
            "least two classes"
        )
    return known


def _join_labels(paths):
    joined = pd.concat([read_labels(path) for path in paths], ignore_index=True)
    joined = joined.drop_duplicates(["candid", "label"])
    twice = joined["candid"].duplicated()
    if twice.any():
        raise LabelError(
            f"{', '.join(map(str, paths))}: the alert {joined.loc[twice, 'candid'].iloc[0]} has "
            "different labels in two of the files; decide for one of them"
        )
    return joined


def _labelled_features(path, labels, drop_circular, variants):
    night = open_night(path)
    at = label_rows(night, labels)
    if drop_circular:
        at = np.where(labels["circular"].to_numpy()[at], -1, at)
    if (at < 0).all():
        log.warning("%s: none of its alerts has a label that can be used", path)
    used, found = _with_bogus(night, labels, at, drop_circular)
    # The name in the night counts: it is the one that other nights know.
    found["objectId"] = night.alerts["objectId"][used].to_numpy()
    found["source"] = _sources(path, found["candid"])
    begun = night_of(night.alerts["jd"].to_numpy()[used])
    found["date"] = np.char.mod("%.1f", begun)
    found["variant"] = WHOLE
    if not used.any():
        return _no_features(), found, len(night)
    chosen = without_shared_places(night.subset(used))
    tables, rows = [features.compute(chosen)], [found]
    if variants:
        for name, some, copied in copies(chosen, found["label"]):
            tables.append(features.compute(copied))
            own = found.iloc[some].assign(variant=name)
            rows.append(own.assign(label="artifact") if name == "bogus" else own)
    return pd.concat(tables, ignore_index=True), pd.concat(rows, ignore_index=True), len(night)


def _with_bogus(night, labels, at, drop_circular):
    """Which alerts are used, and their labels: what is bogus gets no label of its place."""
    labelled = at >= 0
    simulated = np.array([is_simulated(evidence) for evidence in labels["evidence"]])[at]
    simulated &= labelled
    bogus = bogus_rows(night.alerts)
    wrong = bogus & (labels["label"].to_numpy(str)[at] != "artifact")
    relabelled = bogus & ~(labelled & ~wrong) & ~simulated
    used = labelled & ~wrong
    if labelled.any() and not drop_circular:
        used |= relabelled
    found = labels.iloc[at[used]].reset_index(drop=True)
    found["simulated"] = simulated[used]
    own = relabelled[used]
    found["candid"] = night.alerts["candid"].to_numpy()[used]
    found.loc[own, ["label", "evidence", "confidence"]] = ["artifact", BOGUS_EVIDENCE, "medium"]
    found.loc[own, "circular"] = True
    return used, found


def _no_features():
    return pd.DataFrame(columns=[feature.name for feature in FEATURES], dtype=float)


def _sources(path, candids):
    columns = open_parquet(path).schema_arrow.names
    if SOURCE_COLUMN not in columns:
        return Path(path).stem
    table = open_parquet(path).read(["candid", SOURCE_COLUMN]).to_pandas()
    table = table.drop_duplicates("candid").set_index("candid")[SOURCE_COLUMN]
    return table[candids].fillna("").astype("str").to_numpy()


def bogus_rows(alerts):
    """Tell which alerts the survey's own networks are sure to be no source at all.

    Parameters
    ----------
    alerts : pandas.DataFrame
        ``Night.alerts``.

    Returns
    -------
    ndarray of bool, shape (n_alerts,)
        Where drb is below `BOGUS_DRB`, or rb below `BOGUS_RB` where there is no drb.

    Examples
    --------
    >>> bogus_rows(pd.DataFrame({"drb": [0.05, 0.9, np.nan], "rb": [0.9, 0.1, 0.1]}))
    array([ True, False,  True])
    """
    drb, rb = (
        alerts[name].to_numpy(float) if name in alerts else np.full(len(alerts), np.nan)
        for name in ("drb", "rb")
    )
    return np.where(np.isnan(drb), rb < BOGUS_RB, drb < BOGUS_DRB)


def without_shared_places(night):
    """Take positions that different objects share for missing.

    Some brokers' test files put many objects in one place.

    Parameters
    ----------
    night : Night

    Returns
    -------
    Night

    Examples
    --------
    >>> without_shared_places(night)   # doctest: +SKIP
    """
    try:
        ra, dec = positions_of(night)
    except DataError:
        return night
    return night.replace(alerts=night.alerts.assign(ra=ra, dec=dec))


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
