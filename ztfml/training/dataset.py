"""Read labelled nights as a training set: features, labels and weights.

Public labels come from a few brokers and projects, and each selects objects in its own way. The
weights prevent the largest of them from dominating.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.astrophysics import night_of
from ztfml.catalogs.matching import positions_of
from ztfml.errors import DataError, LabelError
from ztfml.features import FEATURES, Group, compute_own
from ztfml.features.own import check_rows, own_features
from ztfml.io.companions import labels_beside
from ztfml.io.parquet import open_parquet
from ztfml.io.progress import track
from ztfml.labels.label_file import is_simulated, join_labels, label_rows, read_labels
from ztfml.night import Night
from ztfml.sources.formats import open_night
from ztfml.training.augmentation import BOGUS_DRB, BOGUS_RB, degraded_copies
from ztfml.training.cleaning import clean, report, with_reference_columns

log = logging.getLogger(__name__)

CONFIDENCE_WEIGHT = {"high": 1.0, "medium": 0.5, "low": 0.25}
"""Less certain labels count less. They still improve the model, above all for artifacts."""

SIMULATED_WEIGHT = 4.0
"""The total weight of the simulated alerts of a class, relative to that of the real ones.

On real sources that were left out, the mean cross-entropy of the classes was 0.199, 0.182, 0.170,
0.167 and 0.171 with 0.4, 1, 2, 4 and 8: real labels are from few sources, each with its selection.
"""

SOURCE_COLUMN = "source_key"
"""Optional column of an alert file: the broker or project that an alert comes from."""

CLASS_SHARE = {"artifact": 0.2, "sso": 0.2, "star": 0.3, "agn": 0.15, "transient": 0.15}
"""The total weight of each class in a balanced training set.

The shares are nearly equal, because rare classes matter most. But a night has five stars for each
AGN, and with equal weights too many stars are predicted to be AGN.
"""

BOGUS_EVIDENCE = "rules: low drb, or low rb without drb"

ORIGINAL = "original"
"""Marks an alert that is not a degraded copy."""

ALL_MISSING = "all features missing"
"""Marks copies in which all features are NaN. With a few of them LightGBM learns for every feature
to which side of a split a missing value goes; without any it takes NaN for 0."""

N_ALL_MISSING = 5
"""Number of such copies of each class."""


@dataclass(frozen=True)
class TrainingSet:
    """Labelled alerts of several nights with their features.

    Attributes
    ----------
    table : DataFrame of float64, shape (n, n_features)
    labels : DataFrame, n rows
        ``candid``, ``objectId``, ``label``, ``evidence``, ``confidence``, ``circular``,
        ``simulated`` (bool), ``source`` (the broker or project, or else the night),
        ``date`` (the Julian date on which the night began, as text), ``copy`` (`ORIGINAL`, or
        the kind of degraded copy) and ``night`` (position in ``nights``).
    nights : list of dict
        ``name``, the numbers of ``alerts``, ``labelled`` alerts and labelled ``objects``, and
        ``impossible``: the number of labelled alerts by what is impossible about them (see
        `ztfml.training.cleaning`).

    Examples
    --------
    >>> data = read_training_set(["night.parquet"])
    >>> len(data.table) == len(data.labels) == data.nights[0]["labelled"]
    True
    """

    table: pd.DataFrame
    labels: pd.DataFrame
    nights: list[dict]

    @property
    def y(self) -> np.ndarray:
        """The label of each row."""
        return self.labels["label"].to_numpy(str)

    @property
    def objects(self) -> np.ndarray:
        """The object of each row."""
        return self.labels["objectId"].to_numpy(str)

    @property
    def is_original(self) -> np.ndarray:
        """Whether each row is an alert of the night, not a degraded copy."""
        return (self.labels["copy"] == ORIGINAL).to_numpy()

    def subset(self, rows: np.ndarray) -> "TrainingSet":
        """Select rows with a mask. Their weights depend on the rows that remain."""
        return TrainingSet(
            self.table[rows].reset_index(drop=True),
            self.labels[rows].reset_index(drop=True),
            self.nights,
        )

    @property
    def weight(self) -> np.ndarray:
        """The weight of each row before class weights (see the rules in the model card)."""
        labels = self.labels
        n_copies = labels.groupby("candid")["candid"].transform("size").to_numpy()
        weight = labels["confidence"].map(CONFIDENCE_WEIGHT).to_numpy(float) / n_copies
        label = labels["label"].to_numpy(str)
        simulated = labels["simulated"].to_numpy()
        # The square root was better than the sizes of the sources and than equal weights.
        real = ~simulated
        by_source = pd.Series(weight).groupby([label, simulated, labels["source"].to_numpy()])
        weight[real] /= np.sqrt(by_source.transform("sum").to_numpy()[real])
        for name in np.unique(label):
            real_rows, simulated_rows = real & (label == name), simulated & (label == name)
            if real_rows.any() and simulated_rows.any():
                of_real = weight[real_rows].sum()
                weight[simulated_rows] *= SIMULATED_WEIGHT * of_real / weight[simulated_rows].sum()
        return weight

    @property
    def balanced_weight(self) -> np.ndarray:
        """The weights, scaled so that each class has its `CLASS_SHARE`; their sum is 1."""
        weight, share = self.weight, np.zeros(len(self.y))
        for label in np.unique(self.y):
            rows = self.y == label
            share[rows] = CLASS_SHARE[label] * weight[rows] / weight[rows].sum()
        return share / share.sum()


def read_training_set(
    nights: Sequence[str | Path],
    labels: Sequence[str | Path] | None = None,
    drop_circular: bool = False,
    augment: bool = False,
    classes: Sequence[str] | None = None,
    own: Sequence[Group] = (),
) -> TrainingSet:
    """Read nights and their labels, and compute the features of the labelled alerts.

    Parameters
    ----------
    nights, labels, drop_circular
        As for `ztfml.training.train.train`.
    augment : bool
        Add degraded copies of alerts (see `ztfml.training.augmentation`).
    classes : sequence of str, optional
        Use labels of these classes only; by default of all classes.
    own : sequence of Group
        Own features to compute besides those of ztfml.

    Returns
    -------
    TrainingSet

    Raises
    ------
    DataError, LabelError
        If a night or a label file cannot be used, or no alert is labelled.

    Examples
    --------
    >>> data = read_training_set(["night.parquet"], augment=True)
    >>> bool(data.is_original.sum() < len(data.y))
    True
    """
    shared_labels = None if labels is None else join_labels(labels)
    tables, rows, summaries = [], [], []
    seen = pd.Index([], dtype=np.int64)
    for position, path in enumerate(track(list(nights), "computing features")):
        given = read_labels(labels_beside(path)) if shared_labels is None else shared_labels
        table, found, counts = _labelled_features(path, given, drop_circular, augment, own)
        if classes is not None:
            kept = found["label"].isin(classes).to_numpy()
            table, found = table[kept], found[kept]
        is_original = (found["copy"] == ORIGINAL).to_numpy()
        is_new = ~found["candid"].isin(seen).to_numpy()
        if not is_new.all():
            n_repeated = (is_original & ~is_new).sum()
            log.info("%s: %d labelled alerts are also in an earlier night", path, n_repeated)
        table, found, is_original = table[is_new], found[is_new], is_original[is_new]
        seen = seen.append(pd.Index(found.loc[is_original, "candid"]))
        tables.append(table)
        rows.append(found.assign(night=position))
        summaries.append(
            {
                "name": Path(path).stem,
                "labelled": int(is_original.sum()),
                "objects": int(found["objectId"].nunique()),
                **counts,
            }
        )
    data = TrainingSet(
        pd.concat(tables, ignore_index=True), pd.concat(rows, ignore_index=True), summaries
    )
    if not data.is_original.any():
        which = "" if classes is None else f" as {' or '.join(classes)}"
        raise LabelError(
            f"{', '.join(map(str, nights))}: no alert is labelled{which}; name nights with labels, "
            "or give their labels with --labels"
        )
    return _with_all_missing(data) if augment else data


def _labelled_features(path, labels, drop_circular, augment, own):
    """Features and labels of the labelled alerts of a night, and counts of its alerts."""
    # Few nights have forced photometry, so a model must not need its features.
    night = replace(open_night(path), forced=None)
    label_row = label_rows(night, labels)
    if drop_circular:
        label_row = np.where(labels["circular"].to_numpy()[label_row], -1, label_row)
    if (label_row < 0).all():
        log.warning("%s: no alert has a usable label", path)
    used, found = _with_bogus(night, labels, label_row, drop_circular)
    # The objectId of the night is used, because it is the same in other nights.
    found["objectId"] = night.alerts["objectId"][used].to_numpy()
    found["source"] = _sources(path, found["candid"])
    found["date"] = np.char.mod("%.1f", night_of(night.alerts["jd"].to_numpy()[used]))
    found["copy"] = ORIGINAL
    if not used.any():
        return _no_features(own), found, {"alerts": len(night), "impossible": {}}
    labelled = with_reference_columns(path, without_shared_positions(night.subset(used)))
    labelled, kept, impossible = clean(labelled, found["label"].to_numpy(str))
    report(path, impossible)
    counts = {"alerts": len(night), "impossible": impossible}
    found = found[kept].reset_index(drop=True)
    if not kept.any():
        return _no_features(own), found, counts
    if own:
        check_rows(labelled, own)
    tables, rows = [_compute(labelled, own)], [found]
    if augment:
        simulated = found["simulated"].to_numpy()
        for name, copied_rows, copies in degraded_copies(labelled, found["label"], simulated):
            tables.append(_compute(copies, own))
            of_copies = found.iloc[copied_rows].assign(copy=name)
            rows.append(of_copies.assign(label="artifact") if name == "low drb" else of_copies)
    return pd.concat(tables, ignore_index=True), pd.concat(rows, ignore_index=True), counts


def _with_bogus(night, labels, label_row, drop_circular):
    """Which alerts are used, and their labels; bogus alerts become artifacts."""
    labelled = label_row >= 0
    simulated = np.array([is_simulated(evidence) for evidence in labels["evidence"]])[label_row]
    simulated &= labelled
    bogus = bogus_rows(night.alerts)
    contradicted = bogus & (labels["label"].to_numpy(str)[label_row] != "artifact")
    relabelled = bogus & ~(labelled & ~contradicted) & ~simulated
    used = labelled & ~contradicted
    if labelled.any() and not drop_circular:
        used |= relabelled
    found = labels.iloc[label_row[used]].reset_index(drop=True)
    found["simulated"] = simulated[used]
    found["candid"] = night.alerts["candid"].to_numpy()[used]
    is_bogus = relabelled[used]
    bogus_label = ["artifact", BOGUS_EVIDENCE, "medium"]
    found.loc[is_bogus, ["label", "evidence", "confidence"]] = bogus_label
    found.loc[is_bogus, "circular"] = True
    return used, found


def _with_all_missing(data):
    by_class = data.labels[data.is_original].groupby("label", sort=True)
    copies = by_class.head(N_ALL_MISSING).assign(copy=ALL_MISSING)
    table = pd.DataFrame(np.nan, index=range(len(copies)), columns=data.table.columns)
    return TrainingSet(
        pd.concat([data.table, table], ignore_index=True),
        pd.concat([data.labels, copies], ignore_index=True),
        data.nights,
    )


def _no_features(own):
    names = [feature.name for feature in (*FEATURES, *own_features(own))]
    return pd.DataFrame(columns=names, dtype=float)


def _compute(night, own):
    table = features.compute(night)
    return table.join(compute_own(night, own)) if own else table


def _sources(path, candids):
    """The broker or project of each alert, or else the name of the night."""
    path = Path(path)
    if path.suffix != ".parquet" or SOURCE_COLUMN not in open_parquet(path).schema_arrow.names:
        return path.stem
    table = open_parquet(path).read(["candid", SOURCE_COLUMN]).to_pandas()
    table = table.drop_duplicates("candid").set_index("candid")[SOURCE_COLUMN]
    return table[candids].fillna("").astype("str").to_numpy()


def bogus_rows(alerts: pd.DataFrame) -> np.ndarray:
    """Find alerts that are certainly artifacts according to ZTF's own classifiers.

    Parameters
    ----------
    alerts : pandas.DataFrame
        ``Night.alerts``.

    Returns
    -------
    ndarray of bool, shape (n_alerts,)
        Whether drb is below `BOGUS_DRB`, or rb is below `BOGUS_RB` and there is no drb.

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


def without_shared_positions(night: Night) -> Night:
    """Set positions to NaN that different objects share.

    Some test files of brokers have the same position for many objects.

    Parameters
    ----------
    night : Night

    Returns
    -------
    Night

    Examples
    --------
    >>> bool(without_shared_positions(night).alerts["ra"].notna().all())
    True
    """
    try:
        ra, dec = positions_of(night)
    except DataError:
        return night
    return night.replace(alerts=night.alerts.assign(ra=ra, dec=dec))
