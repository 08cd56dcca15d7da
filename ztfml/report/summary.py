"""The content of the page of a night, as a plain dict of texts and numbers."""

import base64
import io
import math
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.astrophysics import distance_modulus, night_of
from ztfml.evaluation.text import headline
from ztfml.labels.marks import merge_marks
from ztfml.labels.rules import apply_cuts
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.plots.forced_points import forced_points
from ztfml.plots.light_curves import points_of, rates_of
from ztfml.plots.packet_summary import date_of, packet_summary
from ztfml.plots.stamps import STAMPS
from ztfml.ranking import BASE, TERMS
from ztfml.ranking.selection import FAST_SCORE
from ztfml.ranking.selection import headline as fast_headline
from ztfml.ranking.settings import PALOMAR, Observatory
from ztfml.report.curve import light_curve_data
from ztfml.report.observability import next_night, observability
from ztfml.report.sky import layout_sky
from ztfml.schema import BANDS
from ztfml.sources import fetched_folder as fetched
from ztfml.sources.links import links
from ztfml.sources.stamps import stretch
from ztfml.taxonomy import LABELS

LISTED = 200
"""Number of objects in the ranked list; each has a card."""

_ON_MAP = 50
# Julian dates for which the Earth's orbit is known (1900 to 2100).
_FIRST_JD, _LAST_JD = 2415020.5, 2488070.0
# Name and meaning of what is added to the log odds.
_TERMS = (("base", BASE), *((name, term.meaning) for name, term in TERMS.items()))


def summarize(
    night: Night,
    predictions: pd.DataFrame,
    ranked: pd.DataFrame,
    model: Model | None = None,
    folder: str | Path | None = None,
    top: int = LISTED,
    marks: pd.DataFrame | None = None,
    observatory: Observatory = PALOMAR,
) -> dict:
    """Collect the content of the page of a night.

    Parameters
    ----------
    night : Night
    predictions : pandas.DataFrame, one row per alert in the order of the night
        Result of `ztfml.model.model.Model.predict`.
    ranked : pandas.DataFrame, one row per object
        Result of `ztfml.model.model.Model.rank`.
    model : Model, optional
        The model of the predictions, to show its name and score.
    folder : str or Path, optional
        Folder of fetched data of the night (see `ztfml.sources.fetched_folder`).
    top : int, default 200
        Number of objects listed.
    marks : pandas.DataFrame, optional
        Earlier marks, from `ztfml.labels.marks.read_marks`.
    observatory : Observatory
        From where the objects can be observed in the next night.

    Returns
    -------
    dict
        Sections ``night``, ``model``, ``classes``, ``cuts``, ``sky``, ``headline``,
        ``n_ranked``, ``n_fast``, ``terms``, ``index`` (None: the page does not link to a page of
        all nights), ``reload`` (seconds after which the page of a live night has changed; None: it
        does not reload itself) and ``cards``, one per row of the list, with texts, numbers, lists
        and dicts. Missing values are None, and candids are text, because JavaScript numbers have
        too few digits.

    Examples
    --------
    >>> summarize(night, predictions, ranked)["night"]["alerts"]
    300
    """
    context = fetched.context(folder) if folder is not None else None
    n_ranked = max(int(ranked.attrs.get("n_ranked", 0)), len(ranked))
    ranked = ranked[:top]
    of_alert = predictions[predictions["candid"].isin(ranked["candid"])].set_index("candid")
    rows = [_row(row, of_alert.loc[row["candid"]], context) for row in _records(ranked)]
    if marks is not None:
        marks = marks[marks["objectId"].isin(ranked["objectId"])]
    earlier = _marks_by_object(marks)
    tonight = _next_night(night.alerts["jd"], observatory)
    observable = [] if tonight is None else observability(tonight, ranked["ra"], ranked["dec"])
    # Light curves are found faster in a night with few objects.
    few = night.subset(night.alerts["objectId"].isin(ranked["objectId"]))
    return {
        "night": _night(night) | {"next": tonight and tonight.describe()},
        "model": _model(model),
        "classes": _classes(predictions),
        "cuts": _records(apply_cuts(night).flow),
        "sky": layout_sky(night, rows[:_ON_MAP]),
        "headline": _headline(ranked),
        "n_ranked": n_ranked,
        "n_fast": int((ranked["score"] >= FAST_SCORE).sum()),
        "index": None,
        "reload": None,
        "terms": [list(term) for term in _TERMS],
        "cards": [
            _card(row, few, of_alert.loc[int(row["candid"])], folder, context, more)
            | {"earlier": earlier.get(row["objectId"])}
            for row, more in zip_longest(rows, _named(observatory, observable))
        ],
    }


def _next_night(jd, observatory):
    jd = jd.max()
    return next_night(jd, observatory) if _FIRST_JD < jd < _LAST_JD else None


def _named(observatory, texts):
    return [[f"next night, {observatory.name}", text] if text else None for text in texts]


def _marks_by_object(marks):
    if marks is None:
        return {}
    # A person may have marked an object on several nights.
    rows = merge_marks([marks], [""]).marks.to_dict("records")
    return {row["objectId"]: {name: value for name, value in row.items() if value} for row in rows}


def _headline(ranked):
    """Say in one sentence what the night contains."""
    nothing = fast_headline(ranked)
    if nothing:
        return f"{nothing[0].upper()}{nothing[1:]}."
    n_fast = int((ranked["score"] >= FAST_SCORE).sum())
    best = ranked.iloc[0]
    objects = "1 object" if n_fast == 1 else f"{n_fast} objects"
    return (
        f"{objects} may be fast (score at least {FAST_SCORE}); the best is {best['objectId']} with "
        f"score {best['score']:.2f}: {'; '.join(best['reasons'].split('; ')[:3])}."
    )


def _night(night):
    alerts = night.alerts
    jd = alerts["jd"].dropna()
    bands = []
    for number, band in enumerate(BANDS, 1):
        in_band = alerts[alerts["fid"] == number]
        limit = in_band["diffmaglim"].median() if "diffmaglim" in in_band else np.nan
        bands.append({"band": band, "alerts": len(in_band), "median_limit": _plain(limit)})
    return {
        "name": Path(night.name).stem,
        "title": _title(jd),
        "first": date_of(jd.min()) if len(jd) else None,
        "last": date_of(jd.max()) if len(jd) else None,
        "jd": _plain(night_of(jd.min())) if len(jd) else None,
        "alerts": len(alerts),
        "objects": int(alerts["objectId"].nunique()),
        "history_rows": len(night.history.jd),
        "with_history": int((night.last > night.first).sum()),
        "bands": bands,
    }


def _title(jd):
    """Return a title with the date of the night, or the first and last of several."""
    if jd.empty:
        return "ZTF alerts"
    # A Californian night has one date in UTC.
    first, last = (date_of(epoch, "%Y-%m-%d") for epoch in (jd.min(), jd.max()))
    return f"ZTF night {first}" if first == last else f"ZTF alerts {first} to {last}"


def _model(model):
    if model is None:
        return None
    metrics = model.card.get("metrics") or []
    first = metrics[0] if metrics else None
    return {
        "name": Path(model.folder).name,
        "score": f"{first['title']}: {headline(first)}" if first else None,
    }


def _classes(predictions):
    counts = predictions.groupby("label", observed=True).agg(
        alerts=("objectId", "size"), objects=("objectId", "nunique"), uncertain=("uncertain", "sum")
    )
    counts = counts.reindex(LABELS, fill_value=0).rename_axis("label").reset_index()
    return _records(counts)


def _row(row, prediction, context):
    """Return a row of the ranked list with class and known classification."""
    return row | {
        "candid": str(row["candid"]),
        "label": str(prediction["label"]),
        "uncertain": bool(prediction["uncertain"]),
        "classified": _classified(row["objectId"], context),
    }


def _classified(object_id, context):
    """Return the classification of the object in a catalogue, or None."""
    if context is None:
        return None
    notes = context["note"][context["objectId"] == object_id]
    return next((note for note in notes if "classified" in note), None)


def _card(row, night, prediction, folder, context, observable):
    candid = int(row["candid"])
    alert = int(np.argmax((night.alerts["candid"] == candid).to_numpy()))
    photometry = stamps = None
    if folder is not None:
        photometry = fetched.light_curve(folder, row["objectId"])
        stamps = fetched.cutouts(folder, row["objectId"], candid)
        # Without cutouts of this alert, show those of another one.
        stamps = stamps or fetched.cutouts(folder, row["objectId"])
    packet = [list(entry) for entry in packet_summary(night.alerts.iloc[alert])]
    return row | {
        "packet": [*packet, *_host(row), *([observable] if observable else [])],
        "probabilities": [_rounded(prediction[f"p_{label}"]) for label in LABELS],
        "terms": [_rounded(row[f"term_{name}"]) for name, _ in _TERMS],
        "links": [list(link) for link in links(row["objectId"], row["ra"], row["dec"])],
        "context": []
        if context is None
        else _records(context[context["objectId"] == row["objectId"]]),
        "stamps": _stamps(stamps, candid),
        "light_curve": _light_curve(night, alert, photometry, _modulus(row, context)),
    }


def _host(row):
    """Describe the catalogued host galaxy and the luminosity in it."""
    if row.get("galaxy_name") is None or row.get("galaxy_modulus") is None:
        return
    mpc = 10 ** (row["galaxy_modulus"] / 5 - 5)
    yield [
        "galaxy",
        f"{row['galaxy_name']}, {row['galaxy_offset']:.1f}″ away, {mpc:.3g} Mpc, "
        f"chance {row['galaxy_chance']:.2g}",
    ]
    if row.get("abs_mag") is not None:
        error = "" if row.get("abs_mag_err") is None else f" ± {row['abs_mag_err']:.1f}"
        yield ["absolute magnitude", f"{row['abs_mag']:.1f}{error} there".replace("-", "−")]


def _light_curve(night, alert, photometry, modulus):
    packet = night.alerts.iloc[alert]
    if np.isnan(packet["jd"]):
        return None  # Without the time of the alert, nothing can be placed beside it.
    points = points_of(night, packet["objectId"], packet["jd"], photometry)
    lines, peak = rates_of(night, alert)
    now = {"jd": packet["jd"], "magpsf": packet["magpsf"]}
    forced = forced_points(night, alert, points[points["seen"]])
    return light_curve_data(points, lines, peak, now, forced, modulus)


def _modulus(row, context):
    """Return the distance modulus from a host galaxy or a known redshift, or None."""
    if row.get("galaxy_modulus") is not None:
        return row["galaxy_modulus"]
    if context is None:
        return None
    of_object = context[(context["objectId"] == row["objectId"]) & (context["redshift"] > 0)]
    known = of_object[of_object["note"].str.contains("classified", na=False)]
    return float(distance_modulus(known["redshift"].iloc[0])) if len(known) else None


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
    """Encode a grey image as the data URL of a PNG; missing pixels are transparent."""
    from PIL import Image

    grey = np.round(255 * np.nan_to_num(shades)).astype(np.uint8)
    opacity = np.where(np.isnan(shades), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.merge("LA", [Image.fromarray(grey), Image.fromarray(opacity)]).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def _records(table):
    return [
        {name: _plain(value) for name, value in row.items()} for row in table.to_dict("records")
    ]


def _rounded(value):
    value = _plain(value)
    return value if value is None else round(value, 4)


def _plain(value):
    """Convert a value to a plain Python object; missing and infinite values become None."""
    if isinstance(value, np.generic):
        value = value.item()
    is_missing = pd.isna(value) or (isinstance(value, float) and not math.isfinite(value))
    return None if is_missing else value
