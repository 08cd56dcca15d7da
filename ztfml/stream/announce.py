"""Choose the objects to announce, with a picture and a draft of a TNS report."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ztfml.io.atomic import write_beside
from ztfml.io.safe_text import file_name
from ztfml.night import Night
from ztfml.plots import light_curve
from ztfml.plots.packet_summary import date_of
from ztfml.stream.outbox import Outbox

log = logging.getLogger(__name__)

DRAFTS = "tns"
"""Folder of the drafts of TNS reports."""

# Codes of the Transient Name Server (https://www.wis-tns.org/api): ZTF, its camera, and bands.
_ZTF, _ZTF_CAMERA, _AB_MAGNITUDE = "48", "196", "1"
_TNS_FILTER = {1: "110", 2: "111", 3: "112"}
_TNS_DATE = "%Y-%m-%d %H:%M:%S"


class Thresholds(NamedTuple):
    """Which objects are announced.

    Parameters
    ----------
    min_score : float
        Smallest score.
    high_score : float
        Objects that reach this score later are announced a second time.
    within : float
        Credible level of the sky map inside which objects with any score are announced.

    Examples
    --------
    >>> Thresholds(0.1).high_score
    1.0
    """

    min_score: float
    high_score: float = 1.0
    within: float = 0.9


def announce(
    night: Night, ranked: pd.DataFrame, outbox: Outbox, thresholds: Thresholds, page: Path
) -> int:
    """Add objects that are above a threshold for the first time to the outbox.

    Parameters
    ----------
    night : Night
    ranked : pandas.DataFrame
        Result of `ztfml.model.model.Model.rank`.
    outbox : Outbox
    thresholds : Thresholds
    page : Path
        The page of the night, for the links.

    Returns
    -------
    int
        Number of new announcements.

    Examples
    --------
    >>> outbox = Outbox(Path("outbox"), [])
    >>> announce(night, ranked[:2], outbox, Thresholds(0.0), Path("night.html"))
    2
    >>> announce(night, ranked[:2], outbox, Thresholds(0.0), Path("night.html"))
    0
    """
    n_new = 0
    for row, reason in _above(night, ranked, thresholds):
        object_id = row["objectId"]
        if any(outbox.has(object_id, known) for known in _IMPLIED[reason]):
            continue
        try:
            _write_draft(night, row, page.parent / DRAFTS)
            picture = str(_draw(night, object_id, outbox.folder))
        except (ValueError, ArithmeticError, LookupError) as error:
            # An object with unusual values is announced without a picture.
            log.warning("%s: no picture or draft (%s)", object_id, error)
            picture = None
        n_new += outbox.add(
            {
                "objectId": object_id,
                "reason": reason,
                **{name: _plain(row[name]) for name in ("candid", "score", "reasons", "ra", "dec")},
                "links": _links(row),
                "page": str(page),
                "light_curve": picture,
            }
        )
    return n_new


# An object with a high score need not be announced again for a lower threshold.
_IMPLIED = {
    "score": ("score", "high_score", "skymap"),
    "high_score": ("high_score",),
    "skymap": ("skymap",),
}


def _above(night, ranked, thresholds):
    """Yield the rows above a threshold, each with its strongest reason."""
    inside = _inside(night, ranked, thresholds.within)
    for k, row in enumerate(ranked.to_dict("records")):
        if row["score"] >= thresholds.high_score:
            yield row, "high_score"
        elif inside[k]:
            yield row, "skymap"
        elif row["score"] >= thresholds.min_score:
            yield row, "score"


def _inside(night, ranked, within):
    if "skymap_level" not in night.alerts:
        return np.zeros(len(ranked), bool)
    level = night.alerts.set_index("candid")["skymap_level"]
    return level.reindex(ranked["candid"]).to_numpy() <= within


def _links(row):
    return {name: row[name] for name in ("alerce", "fink", "fritz") if isinstance(row[name], str)}


def _plain(value):
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _draw(night: Night, object_id: str, folder: Path) -> Path:
    """Draw the light curve as a small picture."""
    path = folder / f"{file_name(object_id)}.png"
    figure, ax = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
    try:
        light_curve(night, object_id, ax)
        with write_beside(path, durable=False) as part:
            figure.savefig(part, dpi=100, format="png")
    finally:
        plt.close(figure)
    return path


def _write_draft(night: Night, row: dict[str, Any], folder: Path) -> None:
    """Write a draft of a TNS report. It is never sent: check it, and add the missing fields."""
    folder.mkdir(exist_ok=True)
    curve = night.light_curve(row["objectId"])
    detected = curve[curve["isdiffpos"] > 0]
    if detected.empty:
        return
    first = detected["jd"].min()
    limits = curve[curve["magpsf"].isna() & (curve["jd"] < first)].tail(1)
    report = {
        "ra": {"value": _plain(row["ra"]), "units": "deg"},
        "dec": {"value": _plain(row["dec"]), "units": "deg"},
        "reporting_group_id": "",
        "reporter": "",
        "discovery_data_source_id": _ZTF,
        "discovery_datetime": date_of(first, _TNS_DATE),
        "at_type": "1",
        "internal_name": row["objectId"],
        "non_detection": [_photometry(one) for one in limits.to_dict("records")],
        "photometry": {
            "photometry_group": {
                str(k): _photometry(one) for k, one in enumerate(detected.to_dict("records"))
            }
        },
    }
    with write_beside(folder / f"{file_name(row['objectId'])}.json", durable=False) as part:
        part.write_text(json.dumps({"at_report": {"0": report}}, indent=1), encoding="utf-8")


def _photometry(one):
    return {
        "obsdate": date_of(one["jd"], _TNS_DATE),
        "flux": _plain(one["magpsf"]),
        "flux_error": _plain(one["sigmapsf"]),
        "limiting_flux": _plain(one["diffmaglim"]),
        "flux_units": _AB_MAGNITUDE,
        "filter_value": _TNS_FILTER.get(one["fid"], ""),
        "instrument_value": _ZTF_CAMERA,
    }
