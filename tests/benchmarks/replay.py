"""Replay real light curves night by night: when does the ranking put them first?

    python -m tests.benchmarks.replay [NIGHT.parquet] [-m MODEL] [--data DATA]

Every night with a detection of a real object becomes an alert as of then, and is ranked alone
among the objects of the night, by default the full simulated one of ``make bench``. Quality
fields are those of detections of that night that are as bright against their limit; what stands
around the object is from its own packet where there is one among the real alerts, else from the
packet of another real object of its kind; a model may have learned from these packets. DATA is
the folder that holds ``alerts/`` and ``lightcurves/``, by default that of the tests.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from tests.benchmarks.inputs import FULL, make_nights, night_of
from tests.conftest import SHARED_DATA
from ztfml.injection.alerts import as_shipped, last_of_nights, make_night
from ztfml.injection.conditions import Conditions
from ztfml.injection.positions import GroupPositions, SinglePositions
from ztfml.injection.recovery import (
    OURS,
    known_labels,
    score_all,
    tables_of,
)
from ztfml.injection.surroundings import around_alerts
from ztfml.io.companions import labels_beside
from ztfml.labels.label_file import read_labels
from ztfml.model.model import Model
from ztfml.night import Night, latest_rows

TOP = 12
REPLAYED = 60.0
"""Days after the first detection that are replayed; of variables all of the light curve is."""

SNE = 60
"""Supernovae of each ordinary type, drawn from thousands."""

# An error above this is no five-sigma detection, and would have made no alert.
_LARGEST_ERROR = 1.0857 / 5
# Non-detections whose limit the file does not tell are taken as of a poor night.
_POOR_LIMIT = 19.5
# A baseline that shows the source before it was there is of a wrong reference image.
_MOST_BEFORE = 3
_BEFORE = 30.0
_AGAIN = 10.0


class Group(NamedTuple):
    """Objects that are alike: where their light curves are, and which of them.

    Attributes
    ----------
    name : str
    files : tuple of str
    pattern : str
        What the fine class must match.
    most : int or None
        How many are drawn.
    star : bool
    """

    name: str
    files: tuple
    pattern: str
    most: int | None = None
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
    Group("TDE candidates", ("lc_fink_tde",), "."),
)
NAMED = {
    "ZTF18abcfcoo": "AT2018cow", "ZTF18abvkwla": "AT2018lug (Koala)", "ZTF20acigmel": "AT2020xnd",
    "ZTF18abukavn": "SN 2018gep", "ZTF20aalxlis": "SN 2020bvc", "ZTF21aakilyd": "SN 2021csp",
    "ZTF18abfcmjw": "SN 2019dge", "ZTF18aakuewf": "SN 2018bcc",
}  # fmt: skip


def read_group(group, data, seed=0):
    """The light curves of a group as `looks`, numbered from 0, and its objects.

    Parameters
    ----------
    group : Group
    data : Path
    seed : int
        Draws the objects where there are too many.

    Returns
    -------
    looks : pandas.DataFrame
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
    table = as_looks(pd.concat(curves, ignore_index=True))
    if not group.star:
        table = table[table["jd"] < _discovery(table) + REPLAYED]
    objects = sorted(table["objectId"][table["detected"]].unique())
    if group.most is not None and len(objects) > group.most:
        objects = sorted(np.random.default_rng(seed).choice(objects, group.most, replace=False))
    table = table[table["objectId"].isin(objects)]
    return table.assign(event=pd.Index(objects).get_indexer(table["objectId"])), objects


def as_looks(table):
    """Rows of a light-curve file as looks: what would have made an alert is a detection.

    Negative detections are none: an alert below the reference is not of the event. Of forced
    photometry either the single exposures are taken or the nightly means, whichever shows
    nothing before the event.
    """
    limit = table["diffmaglim"] if "diffmaglim" in table else pd.Series(np.nan, table.index)
    positive = table["isdiffpos"] != "f" if "isdiffpos" in table else True
    detected = table["magpsf"].notna() & (table["sigmapsf"] < _LARGEST_ERROR) & positive
    table = table.assign(detected=detected)
    if "kind" in table:
        table = table.groupby("objectId", group_keys=False)[list(table)].apply(_one_kind)
        limit, detected = limit[table.index], table["detected"]
    looks = pd.DataFrame(
        {
            "objectId": table["objectId"],
            "jd": table["jd"],
            "fid": table["fid"].astype(int),
            "limit": limit.fillna(_POOR_LIMIT).astype(float),
            "magpsf": table["magpsf"].astype(float).where(detected),
            "sigmapsf": table["sigmapsf"].astype(float).where(detected),
            "detected": detected,
        }
    )
    # A detection is above the limit of its exposure, whatever was not told.
    brighter = looks["magpsf"] + 0.05
    looks["limit"] = np.fmax(looks["limit"], brighter)
    return looks[looks["jd"] >= _discovery(looks) - _BEFORE].sort_values(["objectId", "jd"])


def _one_kind(rows):
    """The rows of one object from the kind of photometry that is clean before the event."""
    for kind in ("forced", "combined_P48"):
        own = rows[rows["kind"] == kind]
        seen = own[own["detected"]]
        if len(seen) and len(_long_before_peak(seen)) <= _MOST_BEFORE:
            return own.drop(index=_long_before_peak(seen).index)
    return rows.iloc[:0]


def _long_before_peak(seen):
    peak = seen["jd"].iloc[seen["magpsf"].argmin()]
    return seen[seen["jd"] < peak - _BEFORE]


def _discovery(looks):
    """The first detection of each row's object that was seen again within ten days."""
    found = looks[looks["detected"]].sort_values(["objectId", "jd"])
    again = found.groupby("objectId")["jd"].diff(-1).abs() < _AGAIN
    first = found[again].groupby("objectId")["jd"].min()
    return looks["objectId"].map(first).astype(float)


def replay(conditions, model, looks, objects, contexts, seed=0):
    """Rank every night of every object among those of the night.

    Parameters
    ----------
    conditions : Conditions
    model : Model
    looks, objects
        As of `read_group`.
    contexts : pandas.DataFrame
        Alerts of real objects of this kind, with ztfml's column names.
    seed : int

    Returns
    -------
    last : pandas.DataFrame
        One row a night of an object: ``event``, ``jd``, ``day`` since the first detection.
    tables : tuple of DataFrame
        Features and probabilities of these alerts.
    night : Night
        The alerts themselves.
    """
    rng = np.random.default_rng(seed)
    context = _contexts(rng, objects, contexts)
    looks = _moved(as_shipped(looks), context["jd"].to_numpy())
    last = last_of_nights(looks)
    around = around_alerts(context.iloc[last["event"]].reset_index(drop=True))
    night = make_night(rng, conditions, looks, last, around)
    return last.assign(day=last["jd"] - last["jdstarthist"]), tables_of(night, model), night


def _contexts(rng, objects, contexts):
    """A row of the contexts for each object, its own where it has one."""
    own = pd.Index(contexts["objectId"]).duplicated()
    contexts = contexts[~own].reset_index(drop=True)
    at = pd.Index(contexts["objectId"]).get_indexer(objects)
    drawn = rng.integers(0, len(contexts), len(objects))
    return contexts.iloc[np.where(at >= 0, at, drawn)].reset_index(drop=True)


def _moved(looks, jd):
    """Move each light curve by whole days to the season of the packet that lends its place."""
    first = looks[looks["detected"]].groupby("event")["jd"].min()
    shift = np.round(jd[first.index] - first)
    return looks.assign(jd=looks["jd"] + looks["event"].map(shift))


def in_list(own, scores):
    """Whether each alert would be among the first rows, equals in random order (0 to 1)."""
    return SinglePositions(np.sort(own), scores).probability(TOP)


def summary(last, listed):
    """What became of each object: nights seen, nights in the list, day of the first.

    Parameters
    ----------
    last : pandas.DataFrame
        As of `replay`.
    listed : ndarray
        As of `in_list`.

    Returns
    -------
    pandas.DataFrame, one row an object
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
    own = {name: score[rows] for name, score in score_all(night, *tables_of(night, model)).items()}
    conditions, contexts = Conditions(night), real_contexts(args.data)
    print(f"First {TOP} rows of {args.night}: {len(rows):,} objects.\n")
    print(_HEAD)
    named, crowd = {}, {}
    for group in GROUPS:
        looks, objects = read_group(group, args.data)
        pool = contexts["star" if group.star else "transient"]
        last, tables, made = replay(conditions, model, looks, objects, pool)
        scores = score_all(made, *tables)
        found = {name: summary(last, in_list(own[name], score)) for name, score in scores.items()}
        print(_group_row(group.name, found))
        named = dict(_named_rows(objects, found[OURS])) | named
        if group.star:
            crowd = {name: crowding(own[name], last, score) for name, score in scores.items()}
    print("", _NAMED_HEAD, *named.values(), sep="\n")
    print(
        "", "| all cataclysmic variables at once, each on one of its nights | among the first 12 |",
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
    # Alerts of before schema 2.0 tell of one PS1 source and no Gaia.
    whole = night.alerts["distpsnr1"].notna() & night.alerts["neargaia"].notna()
    extragalactic = (label == "transient") & ~fine.str.contains("Nova|CV")
    return {
        "transient": night.alerts[whole & extragalactic],
        "star": night.alerts[whole & fine.str.contains("CV")],
    }


def crowding(own, last, scores, draws=200, seed=0):
    """Mean number of objects in the first rows when all are there, each on one of its nights."""
    rng = np.random.default_rng(seed)
    nights = last.groupby("event").indices.values()
    picked = np.array([[rng.choice(rows) for rows in nights] for _ in range(draws)])
    draw = np.repeat(np.arange(draws), picked.shape[1])
    positions = GroupPositions(np.sort(own), scores[picked.ravel()], draw)
    return float(positions.probability(TOP).sum() / draws)


_HEAD = (
    "| group | objects | nights | ever listed | enters on its nth night (median) | "
    "days after the first detection | nights listed | ever listed by the others |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |"
)
_NAMED_HEAD = (
    "| object | nights | in the list on | enters on its nth night | "
    "days after the first detection |\n| --- | --- | --- | --- | --- |"
)


def _group_row(name, found):
    ours = found[OURS]
    seen = ours[ours["listed"] > 0]
    others = ", ".join(
        f"{way} {(table['listed'] > 0).mean():.2f}" for way, table in found.items() if way != OURS
    )
    return (
        f"| {name} | {len(ours)} | {ours['nights'].sum()} | {len(seen) / len(ours):.2f} | "
        f"{_median(seen['enters'])} | {_median(seen['day'])} | {_median(seen['listed'])} | "
        f"{others} |"
    )


def _named_rows(objects, table):
    for event, name in enumerate(objects):
        if name in NAMED and event in table.index:
            row = table.loc[event]
            never = np.isnan(row["enters"])
            nth, day = ("never", "-") if never else (f"{row['enters']:.0f}", f"{row['day']:.1f}")
            text = f"| {NAMED[name]} | {row['nights']:.0f} | {row['listed']:.0f} | {nth} | {day} |"
            yield name, text


def _median(values):
    return f"{values.median():.1f}" if len(values) else "-"


if __name__ == "__main__":
    main()
