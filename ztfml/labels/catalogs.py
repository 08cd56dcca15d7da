"""Labels of a night from catalogues.

Catalogues of positions (VSX, GCVS, Milliquas, SIMBAD ...) tell which source is at a position.
Tables of objects (TNS, BTS, lists of CVs) give the type of the object itself. The packet names the
known asteroid predicted at the position. If they agree, an alert gets a label with all the
evidence. If they disagree, the alert is reported as a conflict and gets no label: a supernova may
be next to an active nucleus, and an asteroid may pass over a variable star.

A transient that is fainter than in the reference image in all its detections keeps its label with
low confidence: either its table means another source, or the reference image contains it.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.catalogs.matching import Catalog, Ephemerides, ObjectTable, positions_of
from ztfml.night import Night
from ztfml.taxonomy import CONFIDENCES, LABELS

log = logging.getLogger(__name__)

NO_CLASS = "none of the five classes"
FAINTER = ", but fainter than the reference in all detections"
NO_EPOCH = "a past event; a catalogue of positions does not give its date"


@dataclass(frozen=True)
class CatalogLabels:
    """Labels of a night from catalogues, with their evidence.

    Parameters
    ----------
    labels : pandas.DataFrame
        One row per alert: ``candid``, ``objectId``, ``label``, ``evidence`` (separated by
        bars) and ``confidence``; the layout of a label file.
    evidence : pandas.DataFrame
        One row per match: ``candid``, ``objectId``, ``catalog``, ``type``, ``separation``
        (arcsec; NaN if matched by name), ``label``, ``confidence``.
    conflicts : pandas.DataFrame
        One row per alert for which the catalogues disagree or whose object is doubtful:
        ``candid``, ``objectId``, ``labels`` (separated by bars) and ``evidence``.
    unused : pandas.DataFrame
        One row per type that gives no label: ``catalog``, ``type``, ``alerts``, ``objects`` and
        ``reason``.
    catalogs : tuple of str
        The names of all catalogues, in the given order.

    Examples
    --------
    >>> found = label_from_catalogs(night, [Ephemerides()])
    >>> found.catalogs, set(found.labels["label"])
    (('mpc',), {'sso'})
    """

    labels: pd.DataFrame
    evidence: pd.DataFrame
    conflicts: pd.DataFrame
    unused: pd.DataFrame
    catalogs: tuple[str, ...]

    def summary(self) -> pd.DataFrame:
        """Count the labels that each catalogue supports, by class.

        Returns
        -------
        pandas.DataFrame
            ``catalog``, one column per class, ``conflicts`` (alerts without a label); the last
            row counts all labels.

        Examples
        --------
        >>> label_from_catalogs(night, [Ephemerides()]).summary()["catalog"].tolist()
        ['mpc', 'all']
        """
        evidence = self.evidence.drop_duplicates(["candid", "catalog", "label"])
        conflict = evidence["candid"].isin(self.conflicts["candid"])
        columns = {
            label: evidence[~conflict & (evidence["label"] == label)].groupby("catalog").size()
            for label in LABELS
        }
        columns["conflicts"] = evidence[conflict].groupby("catalog")["candid"].nunique()
        counts = pd.DataFrame(columns, index=dict.fromkeys(self.catalogs))
        counts = counts.fillna(0).astype(int)
        totals = [int((self.labels["label"] == label).sum()) for label in LABELS]
        counts.loc["all"] = [*totals, len(self.conflicts)]
        return counts.rename_axis("catalog").reset_index()

    def set_aside(self, doubtful: pd.DataFrame) -> CatalogLabels:
        """Move the labels of doubtful objects to the conflicts.

        Parameters
        ----------
        doubtful : pandas.DataFrame
            ``objectId`` and ``reason``; output of `ztfml.catalogs.read.read_doubtful`. The reason
            is written before the evidence.

        Returns
        -------
        CatalogLabels

        Examples
        --------
        >>> found = label_from_catalogs(night, [Ephemerides()])
        >>> doubtful = found.labels[["objectId"]].assign(reason="wrong ephemeris")
        >>> len(found.set_aside(doubtful).labels)
        0
        """
        reason = self.labels["objectId"].map(doubtful.set_index("objectId")["reason"])
        doubted = reason.notna()
        moved = self.labels[doubted].rename(columns={"label": "labels"})
        moved["evidence"] = "set aside, " + reason[doubted] + " | " + moved["evidence"]
        conflicts = pd.concat([self.conflicts, moved[list(self.conflicts)]], ignore_index=True)
        if doubted.any():
            log.info("%d alerts of doubtful objects get no label", doubted.sum())
        labels = self.labels[~doubted].reset_index(drop=True)
        return dataclasses.replace(self, labels=labels, conflicts=conflicts)


def label_from_catalogs(
    night: Night, catalogs: Sequence[Catalog | ObjectTable | Ephemerides]
) -> CatalogLabels:
    """Label the alerts of a night from catalogues.

    Parameters
    ----------
    night : Night
    catalogs : sequence of Catalog, ObjectTable or Ephemerides
        From `ztfml.catalogs.read.read_catalog`, `ztfml.catalogs.services.fetch_catalog`, or
        constructed directly.

    Returns
    -------
    CatalogLabels
        Labels if all catalogues agree, with the highest confidence among them; else conflicts.

    Raises
    ------
    DataError
        If the night does not have a column that the match needs.

    Examples
    --------
    >>> row = {"key": object_id, "type": "SN Ia", "text": "bts:SN Ia", "doubts": 0}
    >>> bts = ObjectTable("bts", "objectId", pd.DataFrame([row]))
    >>> label_from_catalogs(night, [bts]).labels[["label", "evidence", "confidence"]].values[0]
    array(['transient', 'bts:SN Ia', 'high'], dtype=object)
    """
    ids = night.alerts[["candid", "objectId"]]
    matches = _match_all(night, catalogs)
    is_past = matches["separation"].notna() & (matches["label"] == "transient")
    no_label = (matches["label"] == "") | is_past
    matches["reason"] = np.where(is_past, NO_EPOCH, NO_CLASS)
    fainter = (matches["label"] == "transient") & _is_always_fainter(night)[matches["alert"]]
    matches["doubts"] += len(CONFIDENCES) * fainter
    matches["text"] = matches["text"].mask(fainter, matches["text"] + FAINTER)
    unused = _count_unused(matches[no_label], ids["objectId"])
    # The nearest of each catalogue and class, in the order of the catalogues.
    matches = matches[~no_label].sort_values(["alert", "rank", "separation"], kind="stable")
    matches = matches.drop_duplicates(["alert", "rank", "label"])

    labelled, conflict = _combine(matches, ids)
    evidence = ids.iloc[matches["alert"]].reset_index(drop=True)
    for column in ("catalog", "type", "separation", "label"):
        evidence[column] = matches[column].array
    evidence["confidence"] = _confidence(matches["doubts"])
    if conflict.any():
        log.warning(
            "%s: catalogues disagree for %d alerts, which get no label",
            night.name, conflict.sum(),
        )  # fmt: skip
    if len(unused):
        types = unused["catalog"] + " " + unused["type"].where(unused["type"] != "", "(blank)")
        log.info(
            "%s: %d types give no label (%s): none of the five classes, or a past event",
            night.name, len(unused), ", ".join(types.head(5)),
        )  # fmt: skip
    labels, conflicts = (labelled[rows].reset_index(drop=True) for rows in (~conflict, conflict))
    conflicts = conflicts.drop(columns="confidence").rename(columns={"label": "labels"})
    names = tuple(catalog.name for catalog in catalogs)
    return CatalogLabels(labels, evidence, conflicts, unused, names)


def _match_all(night, catalogs):
    """Return the matches of all catalogues, with the rank of the catalogue."""
    found = []
    if any(isinstance(catalog, Catalog) for catalog in catalogs):
        without = np.isnan(positions_of(night)).any(axis=0).sum()
        if without:
            log.warning(
                "%s: %d alerts have no position, or exactly that of another object, and are not "
                "matched by position", night.name, without,
            )  # fmt: skip
    for rank, catalog in enumerate(catalogs):
        matches = catalog.match(night).assign(catalog=catalog.name, rank=rank)
        n_alerts = matches["alert"].nunique()
        log.info("%s: matches %d of %d alerts", catalog.name, n_alerts, len(night))
        found.append(matches)
    return pd.concat(found, ignore_index=True)


def _is_always_fainter(night):
    """Return True for alerts of objects that were never detected above the reference."""
    history = night.history
    above = np.isfinite(history.magpsf) & (history.isdiffpos >= 0)
    n_above = np.append(0, np.cumsum(above))
    above = (night.alerts["isdiffpos"] >= 0) | (n_above[night.last] > n_above[night.first])
    return ~above.groupby(night.alerts["objectId"]).transform("any").to_numpy()


def _combine(matches, ids):
    """Return one row per alert with its labels and all evidence, and which rows conflict."""
    code = matches["label"].map({label: k for k, label in enumerate(LABELS)})
    distinct = matches.assign(code=code).drop_duplicates(["alert", "label"])
    alert, label = _join(distinct.sort_values(["alert", "code"]), "label", "|")
    _, evidence = _join(matches.drop_duplicates(["alert", "text"]), "text", " | ")
    labelled = ids.iloc[alert].reset_index(drop=True).assign(label=label, evidence=evidence)
    labelled["confidence"] = _confidence(matches.groupby("alert")["doubts"].min())
    return labelled, labelled["label"].str.contains("|", regex=False)


def _join(matches, column, separator):
    """Join a text column per alert; the matches are sorted by alert."""
    alert = matches["alert"].to_numpy(np.int64)
    starts = np.flatnonzero(np.diff(alert, prepend=-1))
    text = pa.array(matches[column].to_numpy(object), pa.string())
    lists = pa.ListArray.from_arrays(np.append(starts, len(alert)).astype(np.int32), text)
    return alert[starts], pd.array(pc.binary_join(lists, separator).to_pandas(), dtype="str")


def _count_unused(matches, object_id):
    objects = object_id.to_numpy()[matches["alert"]]
    counts = matches.assign(object=objects).groupby(["catalog", "type", "reason"], sort=False)
    counts = counts.agg(alerts=("alert", "nunique"), objects=("object", "nunique")).reset_index()
    counts = counts.sort_values("alerts", ascending=False, kind="stable", ignore_index=True)
    return counts[["catalog", "type", "alerts", "objects", "reason"]]


def _confidence(doubts):
    steps = np.minimum(np.asarray(doubts, np.int64), len(CONFIDENCES) - 1)
    return pd.array(np.array(CONFIDENCES, dtype=object)[steps], dtype="str")
