"""What a night's page says, as a plain dict of texts and numbers."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.astrophysics import night_of
from ztfml.evaluation.text import headline
from ztfml.labels.rules import apply_cuts
from ztfml.plots import packet_summary as facts
from ztfml.plots.light_curves import points_of, rates_of
from ztfml.plots.stamps import STAMPS
from ztfml.ranking import TERMS
from ztfml.report.curve import plot_of
from ztfml.report.skymap import sky_of
from ztfml.schema import BANDS, PACKET_HISTORY
from ztfml.sources import fetched_folder as fetched
from ztfml.sources.links import links
from ztfml.sources.stamps import stretch
from ztfml.taxonomy import LABELS

CARDS = 50
LISTED = 200
"""Objects of the ranked list on the page; the first `CARDS` have a card."""


def summarize(night, predictions, ranked, model=None, folder=None, cards=CARDS):
    """Gather what the page of a night says.

    Parameters
    ----------
    night : Night
    predictions : pandas.DataFrame, one row an alert in the night's order
        As of `ztfml.model.model.Model.predict`.
    ranked : pandas.DataFrame, one row an object
        As of `ztfml.model.model.Model.rank`; at most `LISTED` rows are listed.
    model : Model, optional
        To tell what made the predictions.
    folder : str or Path, optional
        What was fetched for the night (see `ztfml.sources.fetched_folder`).
    cards : int, default 50
        How many objects have a card.

    Returns
    -------
    dict
        Of texts, numbers, lists and dicts, None for missing: ``night``, ``model``,
        ``classes``, ``cuts``, ``sky``, ``ranked`` (the list) and ``cards``. A candid is text.

    Examples
    --------
    >>> summarize(night, predictions, ranked)["night"]["alerts"]   # doctest: +SKIP
    153489
    """
    known = fetched.context(folder) if folder is not None else None
    ranked = ranked[: max(LISTED, cards)]
    told = predictions[predictions["candid"].isin(ranked["candid"])].set_index("candid")
    listed = [_row(row, told.loc[row["candid"]], known) for row in _records(ranked)]
    # Of a small night each light curve is found at once.
    few = night.subset(night.alerts["objectId"].isin(ranked["objectId"][:cards]))
    return {
        "night": _night(night),
        "model": _model(model),
        "classes": _classes(predictions),
        "cuts": _records(apply_cuts(night).flow),
        "sky": sky_of(night, listed[:cards]),
        "ranked": listed,
        "cards": [
            _card(row, few, told.loc[int(row["candid"])], folder, known) for row in listed[:cards]
        ],
    }


def _night(night):
    alerts = night.alerts
    jd = alerts["jd"].dropna()
    bands = []
    for number, band in enumerate(BANDS, 1):
        own = alerts[alerts["fid"] == number]
        limit = own["diffmaglim"].median() if "diffmaglim" in own else np.nan
        bands.append({"band": band, "alerts": len(own), "median_limit": _plain(limit)})
    return {
        "name": Path(night.name).stem,
        "title": _title(jd),
        "first": facts.date_of(jd.min()) if len(jd) else None,
        "last": facts.date_of(jd.max()) if len(jd) else None,
        "jd": _plain(night_of(jd.min())) if len(jd) else None,
        "alerts": len(alerts),
        "objects": int(alerts["objectId"].nunique()),
        "history_rows": len(night.history.jd),
        "with_history": int((night.last > night.first).sum()),
        "bands": bands,
    }


def _title(jd):
    """The date of the night; of several, the first and the last."""
    if jd.empty:
        return "ZTF alerts"
    # A night in California is one date in UTC.
    first, last = (facts.date_of(epoch, "%Y-%m-%d") for epoch in (jd.min(), jd.max()))
    return f"ZTF night {first}" if first == last else f"ZTF alerts {first} to {last}"


def _model(model):
    if model is None:
        return None
    figures = model.card.get("metrics") or []
    first = figures[0] if figures else None
    return {
        "name": Path(model.folder).name,
        "figure": f"{first['title']}: {headline(first)}" if first else None,
    }


def _classes(predictions):
    counts = predictions.groupby("label", observed=True).agg(
        alerts=("objectId", "size"), objects=("objectId", "nunique"), uncertain=("uncertain", "sum")
    )
    counts = counts.reindex(LABELS, fill_value=0).rename_axis("label").reset_index()
    return _records(counts)


def _row(row, told, known):
    """One row of the ranked list: what the ranking says, the class, what is known of it."""
    return row | {
        "candid": str(row["candid"]),
        "label": str(told["label"]),
        "uncertain": bool(told["uncertain"]),
        "classified": _classified(row["objectId"], known),
    }


def _classified(object_id, known):
    """What the object was found to be already, if a catalogue says so."""
    if known is None:
        return None
    notes = known["note"][known["objectId"] == object_id]
    return next((note for note in notes if "classified" in note), None)


def _card(row, night, told, folder, known):
    candid = int(row["candid"])
    alert = int(np.argmax((night.alerts["candid"] == candid).to_numpy()))
    more = stamps = None
    if folder is not None:
        more = fetched.light_curve(folder, row["objectId"])
        stamps = fetched.cutouts(folder, row["objectId"], candid)
        # Those of another alert are better than none.
        stamps = stamps or fetched.cutouts(folder, row["objectId"])
    return row | {
        "facts": [list(fact) for fact in facts.facts(night.alerts.iloc[alert])],
        "probabilities": [{"label": label, "p": _plain(told[f"p_{label}"])} for label in LABELS],
        "terms": [
            {"name": name, "value": row[f"term_{name}"], "meaning": term.meaning}
            for name, term in TERMS.items()
        ],
        "why": row["reasons"].split("; "),
        "links": [list(link) for link in links(row["objectId"], row["ra"], row["dec"])],
        "context": _records(known[known["objectId"] == row["objectId"]])
        if known is not None
        else [],
        "stamps": _stamps(stamps, candid),
        "plots": _plots(night, alert, more),
    }


def _plots(night, alert, more):
    """The last month, and all there is where that is more."""
    packet = night.alerts.iloc[alert]
    points = points_of(night, packet["objectId"], packet["jd"], more)
    lines, peak = rates_of(night, alert)
    days = points["jd"] - packet["jd"]
    recent = points[(days >= -PACKET_HISTORY) & points["seen"]]
    jd = recent["jd"].min()
    now = {"jd": packet["jd"], "magpsf": packet["magpsf"]}
    plots = [
        {
            "title": f"last {PACKET_HISTORY:.0f} days",
            **plot_of(
                recent,
                [line for line in lines if line.jd[0] >= jd],
                peak if peak and peak.jd >= jd else None,
                now,
            ),
        }
    ]
    if len(points) > len(recent):
        plots.append({"title": "all", **plot_of(points, lines, peak, now)})
    return plots


def _stamps(stamps, candid):
    if stamps is None:
        return None
    return {
        "candid": str(stamps.candid),
        "of_this_alert": stamps.candid == candid,
        "images": [
            {"kind": kind, "png": _png(stretch(getattr(stamps, kind), kind == "difference"))}
            for kind in STAMPS
        ],
    }


def _png(shades):
    """Shades of grey as the address of a PNG that holds them; clear where there are none."""
    from PIL import Image

    grey = np.round(255 * np.nan_to_num(shades)).astype(np.uint8)
    solid = np.where(np.isnan(shades), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.merge("LA", [Image.fromarray(grey), Image.fromarray(solid)]).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _records(table):
    return [
        {name: _plain(value) for name, value in row.items()} for row in table.to_dict("records")
    ]


def _plain(value):
    """A Python number or text, None where it is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if pd.isna(value) else value
