"""Labels of a night from catalogues."""

import dataclasses
import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.catalogs.matching import Catalog, positions_of
from ztfml.taxonomy import CONFIDENCES, LABELS

log = logging.getLogger(__name__)

NO_CLASS = "none of the five classes"


NO_EPOCH = "came once, and a catalogue of places does not say when"


@dataclass(frozen=True)
class CatalogLabels:
    """What catalogues say about a night.

    Parameters
    ----------
    labels : pandas.DataFrame, one row an alert
        ``candid``, ``objectId``, ``label``, ``evidence`` (all that agrees, joined by bars) and
        ``confidence``; the layout of a label file.
    evidence : pandas.DataFrame, one row a match
        ``candid``, ``objectId``, ``catalog``, ``type``, ``separation`` (arcsec; NaN where
        matched by name), ``label``, ``confidence``.
    conflicts : pandas.DataFrame, one row an alert
        ``candid``, ``objectId``, ``labels`` (those given, joined by bars) and ``evidence``; of
        alerts on which they disagree, and of those that were set aside.
    left_out : pandas.DataFrame, one row a type
        ``catalog``, ``type``, ``alerts``, ``objects`` and ``reason``.
    catalogs : tuple of str
        The names of all that were asked, in that order.
    """

    labels: pd.DataFrame
    evidence: pd.DataFrame
    conflicts: pd.DataFrame
    left_out: pd.DataFrame
    catalogs: tuple

    def summary(self):
        """Count, for each catalogue, the labels that it takes part in, by class.

        Returns
        -------
        pandas.DataFrame
            ``catalog``, one column a class, ``conflicts`` (alerts that got no label), and in
            the last row the whole.

        Examples
        --------
        >>> label_from_catalogs(night, catalogs).summary()   # doctest: +SKIP
        """
        given = self.evidence.drop_duplicates(["candid", "catalog", "label"])
        clash = given["candid"].isin(self.conflicts["candid"])
        columns = {
            label: given[~clash & (given["label"] == label)].groupby("catalog").size()
            for label in LABELS
        }
        columns["conflicts"] = given[clash].groupby("catalog")["candid"].nunique()
        counts = pd.DataFrame(columns, index=dict.fromkeys(self.catalogs))
        counts = counts.fillna(0).astype(int)
        in_all = [int((self.labels["label"] == label).sum()) for label in LABELS]
        counts.loc["all"] = [*in_all, len(self.conflicts)]
        return counts.rename_axis("catalog").reset_index()

    def set_aside(self, doubtful):
        """Move the labels of some objects to the conflicts.

        Parameters
        ----------
        doubtful : pandas.DataFrame
            ``objectId`` and ``reason``, as of `read_doubtful`; the reason stands before the
            evidence.

        Returns
        -------
        CatalogLabels

        Examples
        --------
        >>> found.set_aside(read_doubtful("doubtful.csv")).labels   # doctest: +SKIP
        """
        reason = self.labels["objectId"].map(doubtful.set_index("objectId")["reason"])
        doubted = reason.notna()
        moved = self.labels[doubted].rename(columns={"label": "labels"})
        moved["evidence"] = "set aside, " + reason[doubted] + " | " + moved["evidence"]
        conflicts = pd.concat([self.conflicts, moved[list(self.conflicts)]], ignore_index=True)
        if doubted.any():
            log.info("%d alerts of doubtful objects are set aside", doubted.sum())
        labels = self.labels[~doubted].reset_index(drop=True)
        return dataclasses.replace(self, labels=labels, conflicts=conflicts)


def label_from_catalogs(night, catalogs):
    """Label the alerts of a night by catalogues.

    Parameters
    ----------
    night : Night
    catalogs : sequence of Catalog, ObjectTable or Ephemerides
        As of `read_catalog`, `ztfml.catalogs.services.fetch_catalog` or made by hand.

    Returns
    -------
    CatalogLabels
        Labels where all agree, with the confidence of the surest; conflicts where not.

    Raises
    ------
    DataError
        If the night lacks a column that a catalogue is matched by.

    Examples
    --------
    >>> found = label_from_catalogs(   # doctest: +SKIP
    ...     night, [read_catalog("vsx", "vsx.parquet"), read_catalog("objects", "bts.csv")]
    ... )
    >>> found.labels["label"].value_counts()   # doctest: +SKIP
    >>> found.conflicts   # doctest: +SKIP
    """
    ids = night.alerts[["candid", "objectId"]]
    matches = _match_all(night, catalogs)
    once = matches["separation"].notna() & (matches["label"] == "transient")
    silent = (matches["label"] == "") | once
    matches["reason"] = np.where(once, NO_EPOCH, NO_CLASS)
    left_out = _count_left_out(matches[silent], ids["objectId"])
    # The nearest of each catalogue and class, in the order of the catalogues.
    matches = matches[~silent].sort_values(["alert", "rank", "separation"], kind="stable")
    matches = matches.drop_duplicates(["alert", "rank", "label"])

    about, clash = _sum_up(matches, ids)
    evidence = ids.iloc[matches["alert"]].reset_index(drop=True)
    for column in ("catalog", "type", "separation", "label"):
        evidence[column] = matches[column].array
    evidence["confidence"] = _confidence(matches["doubts"])
    if clash.any():
        log.warning(
            "%s: of %d alerts the catalogues disagree; these get no label", night.name, clash.sum()
        )
    if len(left_out):
        told = left_out["catalog"] + " " + left_out["type"].where(left_out["type"] != "", "(blank)")
        log.info(
            "%s: %d types are left out (%s): none of the five classes, or an event long past",
            night.name, len(left_out), ", ".join(told.head(5)),
        )  # fmt: skip
    labels, conflicts = (about[rows].reset_index(drop=True) for rows in (~clash, clash))
    conflicts = conflicts.drop(columns="confidence").rename(columns={"label": "labels"})
    names = tuple(catalog.name for catalog in catalogs)
    return CatalogLabels(labels, evidence, conflicts, left_out, names)


def _match_all(night, catalogs):
    """The matches of all catalogues, each with its rank in the order they were given."""
    found = []
    if any(isinstance(catalog, Catalog) for catalog in catalogs):
        without = np.isnan(positions_of(night)).any(axis=0).sum()
        if without:
            log.warning(
                "%s: %d alerts have no position of their own (none, or the very one of another "
                "object) and match no place", night.name, without,
            )  # fmt: skip
    for rank, catalog in enumerate(catalogs):
        matches = catalog.match(night).assign(catalog=catalog.name, rank=rank)
        n_alerts = matches["alert"].nunique()
        log.info("%s: matches %d of %d alerts", catalog.name, n_alerts, len(night))
        found.append(matches)
    return pd.concat(found, ignore_index=True)


def _sum_up(matches, ids):
    """One row an alert: its label, or its labels where they clash, with all evidence."""
    code = matches["label"].map({label: k for k, label in enumerate(LABELS)})
    given = matches.assign(code=code).drop_duplicates(["alert", "label"])
    alert, label = _join(given.sort_values(["alert", "code"]), "label", "|")
    _, evidence = _join(matches.drop_duplicates(["alert", "text"]), "text", " | ")
    about = ids.iloc[alert].reset_index(drop=True).assign(label=label, evidence=evidence)
    about["confidence"] = _confidence(matches.groupby("alert")["doubts"].min())
    return about, about["label"].str.contains("|", regex=False)


def _join(matches, column, by):
    """Join a column of text of matches that are sorted by alert: the alerts, and a text each."""
    alert = matches["alert"].to_numpy(np.int64)
    starts = np.flatnonzero(np.diff(alert, prepend=-1))
    text = pa.array(matches[column].to_numpy(object), pa.string())
    lists = pa.ListArray.from_arrays(np.append(starts, len(alert)).astype(np.int32), text)
    return alert[starts], pd.array(pc.binary_join(lists, by).to_pandas(), dtype="str")


def _count_left_out(matches, object_id):
    objects = object_id.to_numpy()[matches["alert"]]
    counts = matches.assign(object=objects).groupby(["catalog", "type", "reason"], sort=False)
    counts = counts.agg(alerts=("alert", "nunique"), objects=("object", "nunique")).reset_index()
    counts = counts.sort_values("alerts", ascending=False, kind="stable", ignore_index=True)
    return counts[["catalog", "type", "alerts", "objects", "reason"]]


def _confidence(doubts):
    steps = np.minimum(np.asarray(doubts, np.int64), len(CONFIDENCES) - 1)
    return pd.array(np.array(CONFIDENCES, dtype=object)[steps], dtype="str")
