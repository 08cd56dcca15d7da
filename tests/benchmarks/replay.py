"""Replay real light curves night by night, and find when they enter the first rows of the list.

    python -m tests.benchmarks.replay [NIGHT.parquet] [-m MODEL] [--data DATA]

Each night with a detection of a real object becomes an alert with the data up to that night. It is
ranked alone among the objects of NIGHT, by default the full simulated night of ``make bench``. Its
quality fields are copied from detections of that night with a similar depth (limit minus
magnitude). The surroundings are those of the object's own packet if it is among the real alerts,
otherwise those of another real object of its type; the model may have been trained on these
packets. DATA is the folder with ``alerts/`` and ``lightcurves/``, by default that of the tests.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tests.benchmarks.inputs import FULL, make_nights, night_of
from tests.conftest import SHARED_DATA
from ztfml.injection.alerts import build_night, in_packets, last_detections
from ztfml.injection.conditions import Conditions
from ztfml.injection.positions import GroupPositions, SinglePositions
from ztfml.injection.recovery import (
    OURS,
    known_labels,
    score_all,
    tables_of,
)
from ztfml.injection.surroundings import copy_surroundings
from ztfml.io.alert_table import latest_rows
from ztfml.io.companions import labels_beside
from ztfml.labels.label_file import read_labels
from ztfml.model.model import Model
from ztfml.night import Night

TOP = 12
REPLAYED = 60.0
"""Days after the first detection that are replayed; of variable stars the whole light curve."""

SURROUNDINGS = 5
"""Each object is replayed in the surroundings of this many other objects."""

SNE = 60
"""Number of supernovae of each common type, drawn from thousands."""

# A larger error is not a five-sigma detection, so there was no alert.
_MAX_ERROR = 1.0857 / 5
# Limit of non-detections where the file has none: that of a poor night.
_DEFAULT_LIMIT = 19.5
# More detections long before the peak indicate a wrong reference image.
_MAX_EARLY = 3
_DAYS_BEFORE = 30.0
_CONFIRMED_WITHIN = 10.0  # d


class Group(NamedTuple):
    """A group of similar objects, with the files of their light curves.

    Attributes
    ----------
    name : str
    files : tuple of str
    pattern : str
        Regular expression for the fine class.
    max_objects : int or None
        Number of objects to draw if there are more.
    star : bool
        Whether the objects are variable stars.
    """

    name: str
    files: tuple
    pattern: str
    max_objects: int | None = None
    star: bool = False


GROUPS = (
    Group("rapidly evolving (Ho et al. 2023)", ("lc_rapid_ho2023",), "."),
    Group("FBOT: ZTF18abvkwla (Koala)", ("lc_koala_fbot",), "FBOT"),
    Group("IIb with two peaks", ("lc_iib_shockcooling",), "."),
    Group("Ic-BL: SN 2018gep, 2020bvc", ("lc_icbl_marshal",), "."),
    Group("cataclysmic variables", ("lc_kndetect", "lc_koala_fbot"), "CV", star=True),
    Group("SN Ia", ("lc_mramirezz",), "^SN Ia$", SNE),
    Group("SN II", ("lc_mramirezz",), "^SN IIP?$", SNE),
    Group("SN Ib, Ic", ("lc_mramirezz",), "^SN I(?:b|c|bc)$", SNE),
    Group("SN Ibn", ("lc_mramirezz",), "^SN I[bc]n$", SNE),
    Group("SN Ic-BL", ("lc_mramirezz",), "^SN Ic-BL$", SNE),
    Group("Ca-rich transients", ("lc_mramirezz",), "Ca-rich"),
    Group("TDE candidates", ("lc_fink_tde",), "."),
)
NAMED = {
    "ZTF18abcfcoo": "AT2018cow", "ZTF18abvkwla": "AT2018lug (Koala)", "ZTF20acigmel": "AT2020xnd",
    "ZTF18abukavn": "SN 2018gep", "ZTF20aalxlis": "SN 2020bvc", "ZTF21aakilyd": "SN 2021csp",
    "ZTF18abfcmjw": "SN 2019dge", "ZTF18abmxelh": "SN 2018lqo", "ZTF18aakuewf": "SN 2018bcc",
}  # fmt: skip


def read_group(group, data, seed=0):
    """Read the light curves of a group as exposures, and the names of its objects.

    Parameters
    ----------
    group : Group
    data : Path
    seed : int
        For drawing objects if there are more than `max_objects`.

    Returns
    -------
    exposures : pandas.DataFrame
        ``event``, ``jd``, ``fid``, ``limit``, ``magpsf``, ``sigmapsf``, ``detected``.
    objects : list of str
    """
    curves = []
    for file in group.files:
        path = data / "lightcurves" / f"{file}.parquet"
        labels = pd.read_csv(path.with_name(f"{file}_labels.csv"))
        fine = labels["fine_class"].fillna("?" if group.pattern == "." else "")
        chosen = labels["objectId"][fine.str.contains(group.pattern)]
        table = pd.read_parquet(path)
        curves.append(table[table["objectId"].isin(chosen)])
    table = as_exposures(pd.concat(curves, ignore_index=True))
    if not group.star:
        table = table[table["jd"] < _discovery(table) + REPLAYED]
    objects = sorted(table["objectId"][table["detected"]].unique())
    if group.max_objects is not None and len(objects) > group.max_objects:
        objects = sorted(
            np.random.default_rng(seed).choice(objects, group.max_objects, replace=False)
        )
    table = table[table["objectId"].isin(objects)]
    return table.assign(event=pd.Index(objects).get_indexer(table["objectId"])), objects


def as_exposures(table):
    """Convert rows of a light-curve file to exposures, with the detections that made an alert.

    Negative detections do not count: they are below the reference, so not of the event. Of forced
    photometry, either the single exposures or the nightly means are used, whichever has no
    detections before the event.
    """
    limit = table["diffmaglim"] if "diffmaglim" in table else pd.Series(np.nan, table.index)
    positive = table["isdiffpos"] != "f" if "isdiffpos" in table else True
    detected = table["magpsf"].notna() & (table["sigmapsf"] < _MAX_ERROR) & positive
    table = table.assign(detected=detected)
    if "kind" in table:
        table = table.groupby("objectId", group_keys=False)[list(table)].apply(_one_kind)
        limit, detected = limit[table.index], table["detected"]
    exposures = pd.DataFrame(
        {
            "objectId": table["objectId"],
            "jd": table["jd"],
            "fid": table["fid"].astype(int),
            "limit": limit.fillna(_DEFAULT_LIMIT).astype(float),
            "magpsf": table["magpsf"].astype(float).where(detected),
            "sigmapsf": table["sigmapsf"].astype(float).where(detected),
            "detected": detected,
        }
    )
    # A detection is above the limit of its exposure, also if the limit is the default.
    brighter = exposures["magpsf"] + 0.05
    exposures["limit"] = np.fmax(exposures["limit"], brighter)
    return exposures[exposures["jd"] >= _discovery(exposures) - _DAYS_BEFORE].sort_values(
        ["objectId", "jd"]
    )


def _one_kind(rows):
    """Rows of one object from the kind of photometry without detections before the event."""
    for kind in ("forced", "combined_P48"):
        of_kind = rows[rows["kind"] == kind]
        seen = of_kind[of_kind["detected"]]
        if len(seen) and len(_long_before_peak(seen)) <= _MAX_EARLY:
            return of_kind.drop(index=_long_before_peak(seen).index)
    return rows.iloc[:0]


def _long_before_peak(seen):
    peak = seen["jd"].iloc[seen["magpsf"].argmin()]
    return seen[seen["jd"] < peak - _DAYS_BEFORE]


def _discovery(exposures):
    """First detection of each row's object that was confirmed within ten days."""
    found = exposures[exposures["detected"]].sort_values(["objectId", "jd"])
    confirmed = found.groupby("objectId")["jd"].diff(-1).abs() < _CONFIRMED_WITHIN
    first = found[confirmed].groupby("objectId")["jd"].min()
    return exposures["objectId"].map(first).astype(float)


def replay(conditions, model, exposures, objects, contexts, seed=0):
    """Make an alert for each night of each object, with features and probabilities.

    Parameters
    ----------
    conditions : Conditions
    model : Model
    exposures, objects
        From `read_group`.
    contexts : pandas.DataFrame
        Alerts of real objects of this type, with ztfml's column names.
    seed : int

    Returns
    -------
    last : pandas.DataFrame
        One row per night of an object: ``event``, ``jd``, ``day`` since the first detection.
    tables : tuple of DataFrame
        Features and probabilities of these alerts.
    night : Night
        The alerts themselves.
    """
    rng = np.random.default_rng(seed)
    context = _contexts(rng, objects, contexts)
    exposures = _moved(in_packets(exposures), context["jd"].to_numpy())
    last = last_detections(exposures)
    surroundings = copy_surroundings(context.iloc[last["event"]].reset_index(drop=True))
    night = build_night(rng, conditions, exposures, last, surroundings)
    return last.assign(day=last["jd"] - last["jdstarthist"]), tables_of(night, model), night


def _contexts(rng, objects, contexts):
    """A row of the contexts for each object: that of the object itself, or a random one."""
    repeated = pd.Index(contexts["objectId"]).duplicated()
    contexts = contexts[~repeated].reset_index(drop=True)
    index = pd.Index(contexts["objectId"]).get_indexer(objects)
    drawn = rng.integers(0, len(contexts), len(objects))
    return contexts.iloc[np.where(index >= 0, index, drawn)].reset_index(drop=True)


def _moved(exposures, jd):
    """Shift each light curve by whole days to the season of the packet of its surroundings."""
    first = exposures[exposures["detected"]].groupby("event")["jd"].min()
    shift = np.round(jd[first.index] - first)
    return exposures.assign(jd=exposures["jd"] + exposures["event"].map(shift))


def in_list(night_scores, scores):
    """Probability of each alert to be in the first rows, with equal scores in random order."""
    return SinglePositions(np.sort(night_scores), scores).probability(TOP)


def summary(last, listed):
    """Summarise each object: nights with detections, nights in the list, first day in the list.

    Parameters
    ----------
    last : pandas.DataFrame
        From `replay`.
    listed : ndarray
        From `in_list`.

    Returns
    -------
    pandas.DataFrame, one row per object
        ``nights``, ``listed`` (nights in the list), ``enters`` (its nth night with a
        detection, NaN if never), ``day`` (d after the first detection).
    """
    table = last.assign(listed=listed > 0.5, nth=last.groupby("event").cumcount() + 1)
    first = table[table["listed"]].groupby("event").first()
    grouped = table.groupby("event")["listed"]
    return pd.DataFrame(
        {"nights": grouped.size(), "listed": grouped.sum(), "enters": first["nth"],
         "day": first["day"]}
    )  # fmt: skip


def main():
    """Replay all groups and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("night", nargs="?", type=Path)
    parser.add_argument("-m", "--model", type=Path, help="by default the shipped model")
    parser.add_argument("--data", type=Path, default=SHARED_DATA)
    args = parser.parse_args()
    if args.night is None:
        make_nights()
        args.night = night_of(FULL)
    model, night = Model.load(args.model), Night.load(args.night)
    rows = latest_rows(night.alerts)
    labels = labels_beside(args.night)
    fast = known_labels(night, read_labels(labels))[1] if labels.is_file() else None
    rows = rows if fast is None else rows[~fast[rows]]
    night_scores = {
        name: score[rows] for name, score in score_all(night, *tables_of(night, model)).items()
    }
    conditions, contexts = Conditions(night), real_contexts(args.data)
    print(f"First {TOP} rows of {args.night}: {len(rows):,} objects.\n")
    print(_HEAD)
    named, crowd = {}, {}
    for group in GROUPS:
        exposures, objects = read_group(group, args.data)
        pool = contexts["star" if group.star else "transient"]
        found, best = [], []
        for seed in range(SURROUNDINGS):
            last, tables, made = replay(conditions, model, exposures, objects, pool, seed)
            scores = score_all(made, *tables)
            listed = {name: in_list(night_scores[name], one) for name, one in scores.items()}
            found.append({name: summary(last, one) for name, one in listed.items()})
            ranks = SinglePositions(np.sort(night_scores[OURS]), scores[OURS]).rank()
            best.append(pd.Series(ranks).groupby(last["event"]).min())
        found = {name: pd.concat([one[name] for one in found]) for name in night_scores}
        print(_group_row(group.name, found))
        named = dict(_named_rows(objects, found[OURS], pd.concat(best))) | named
        if group.star:
            crowd = {
                name: crowding(night_scores[name], last, score) for name, score in scores.items()
            }
    print("", _NAMED_HEAD, *named.values(), sep="\n")
    print(
        "", "| all cataclysmic variables together, each on one of its nights | in the first 12 |",
        "| --- | --- |", *(f"| {name} | {mean:.2f} |" for name, mean in crowd.items()), sep="\n",
    )  # fmt: skip


def real_contexts(data):
    """Real alerts with good scores, of transients and of cataclysmic variables."""
    night = Night.load(data / "alerts" / "ztf_alerts_real.parquet")
    classes = pd.read_csv(data / "object_labels.csv").drop_duplicates("objectId")
    classes = classes.set_index("objectId")["fine_class"].fillna("")
    fine = night.alerts["objectId"].map(classes).fillna("")
    labels = read_labels(data / "alerts" / "ztf_alerts_real_labels.csv")
    label = known_labels(night, labels)[0]
    # Alerts before schema 2.0 have one PS1 source and no Gaia fields.
    complete = night.alerts["distpsnr1"].notna() & night.alerts["neargaia"].notna()
    extragalactic = (label == "transient") & ~fine.str.contains("Nova|CV")
    return {
        "transient": night.alerts[complete & extragalactic],
        "star": night.alerts[complete & fine.str.contains("CV")],
    }


def crowding(night_scores, last, scores, draws=200, seed=0):
    """Mean number of objects in the first rows if all are added together, on random nights."""
    rng = np.random.default_rng(seed)
    nights = last.groupby("event").indices.values()
    picked = np.array([[rng.choice(rows) for rows in nights] for _ in range(draws)])
    draw = np.repeat(np.arange(draws), picked.shape[1])
    positions = GroupPositions(np.sort(night_scores), scores[picked.ravel()], draw)
    return float(positions.probability(TOP).sum() / draws)


_HEAD = (
    "| group | objects | nights | ever listed | enters on its nth night (median) | "
    "days after the first detection | nights listed | ever listed by other methods |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)
_NAMED_HEAD = (
    "| object | nights | ever listed | enters on its nth night (median) | days after the first "
    "detection | best rank in each of its surroundings |\n| --- | --- | --- | --- | --- | --- |"
)


def _group_row(name, found):
    ours = found[OURS]
    seen = ours[ours["listed"] > 0]
    others = ", ".join(
        f"{method} {(table['listed'] > 0).mean():.2f}"
        for method, table in found.items()
        if method != OURS
    )
    return (
        f"| {name} | {len(ours) // SURROUNDINGS} | {ours['nights'].sum() // SURROUNDINGS} | "
        f"{len(seen) / len(ours):.2f} | "
        f"{_median(seen['enters'])} | {_median(seen['day'])} | {_median(seen['listed'])} | "
        f"{others} |"
    )


def _named_rows(objects, table, best):
    for event, name in enumerate(objects):
        if name in NAMED and event in table.index:
            rows, ranks = table.loc[event], best[event].sort_values()
            texts = (
                NAMED[name],
                f"{rows['nights'].iloc[0]}",
                f"{(rows['listed'] > 0).mean():.1f}",
                _median(rows["enters"].dropna()),
                _median(rows["day"].dropna()),
                ", ".join(f"{rank:.0f}" for rank in ranks),
            )
            yield name, f"| {' | '.join(texts)} |"


def _median(values):
    return f"{values.median():.1f}" if len(values) else "-"


if __name__ == "__main__":
    main()
