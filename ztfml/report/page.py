"""Fill the summary of a night into the templates and write one HTML file."""

import base64
import hashlib
import json
from functools import cache
from pathlib import Path

import pandas as pd

from ztfml.astrophysics import FAST_RATE
from ztfml.io.atomic import write_beside
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer, Selection
from ztfml.ranking.settings import PALOMAR, Observatory
from ztfml.report.index import INDEX, months_of, night_record
from ztfml.report.summary import LISTED, summarize
from ztfml.taxonomy import LABELS

_TEMPLATES = Path(__file__).parent / "templates"
_SCRIPTS = Path(__file__).parent / "scripts"
_STYLES = ("page.css", "compact.css", "print.css")
# In the order in which they are needed.
_PARTS = (
    "dom", "store", "csv", "axes", "points", "curve", "zoom", "card", "memory", "marks", "list",
    "places", "keys", "exchange", "files", "print",
    "reload", "page",
)  # fmt: skip
_INDEX_STYLES = ("page.css", "index.css")
_INDEX_PARTS = ("dom", "store", "csv", "exchange", "index")
# What the script needs of each card.
_CARD = (
    "rank", "objectId", "candid", "label", "best_rate", "reasons", "earlier", "links", "packet",
    "probabilities", "terms", "context", "stamps", "light_curve",
)  # fmt: skip


def write_report(
    night: Night,
    model: Model,
    path: str | Path,
    folder: str | Path | None = None,
    top: int = LISTED,
    scorer: FastTransientScorer | None = None,
    selection: Selection | None = None,
    marks: pd.DataFrame | None = None,
    in_folder: bool = False,
    observatory: Observatory = PALOMAR,
) -> dict:
    """Classify and rank a night, and write its HTML page.

    Parameters
    ----------
    night : Night
    model : Model
    path : str or Path
        The HTML file.
    folder : str or Path, optional
        Folder of fetched data of the night (see `ztfml.sources.fetched_folder`).
    top : int, default 200
        Number of objects listed.
    scorer : FastTransientScorer, optional
        Default: the scorer with the settings of the package.
    selection : Selection, optional
        Which objects are listed; by default all.
    marks : pandas.DataFrame, optional
        Earlier marks, from `ztfml.labels.marks.read_marks`.
    in_folder : bool, default False
        Whether the page links to the page of all nights in its folder.
    observatory : Observatory
        From where the objects can be observed in the next night.

    Returns
    -------
    dict
        The summary that is shown on the page.

    Raises
    ------
    ModelError
        If the model was trained with other features.
    DataError
        If the page cannot be written.

    Examples
    --------
    >>> summary = write_report(night, model, "night.html", top=3)
    >>> len(summary["cards"])
    3
    """
    predictions, ranked = model.predict_and_rank(night, top, scorer, None, selection)
    summary = summarize(night, predictions, ranked, model, folder, top, marks, observatory)
    summary["index"] = INDEX if in_folder else None
    with write_beside(path) as part:
        part.write_text(render(summary), encoding="utf-8")
    return summary


def render(summary: dict) -> str:
    """Render the HTML page of a summary.

    All texts from files, such as object names, are escaped. Data are not inserted into the
    script, which reads them as JSON, and the content security policy of the page forbids loading
    anything.

    Parameters
    ----------
    summary : dict
        Result of `summarize`.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> from ztfml.report import summarize
    >>> render(summarize(night, predictions, ranked, top=2)).startswith("<!doctype html>")
    True
    """
    content = {
        "labels": LABELS,
        "terms": summary["terms"],
        "ranked": summary["n_ranked"],
        "reload": summary["reload"],
        "cards": [{name: card[name] for name in _CARD} for card in summary["cards"]],
    }
    record = json.dumps(night_record(summary), ensure_ascii=False)
    return _fill("page.html", _STYLES, _PARTS, content, record=record, **summary)


def render_index(nights: list[dict], marks: list[dict]) -> str:
    """Render the HTML page of several nights.

    Parameters
    ----------
    nights : list of dict
        Records from `ztfml.report.index.read_record`, each with the ``file`` of its page.
    marks : list of dict
        Earlier marks.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> render_index([], []).startswith("<!doctype html>")
    True
    """
    content = {
        "labels": LABELS,
        "nights": [{name: night[name] for name in ("file", "date", "listed")} for night in nights],
        "marks": marks,
    }
    months = months_of(nights)
    return _fill("index.html", _INDEX_STYLES, _INDEX_PARTS, content, nights=nights, months=months)


def _fill(template, styles, scripts, content, **values):
    script = _script(scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            labels=LABELS,
            fast_rate=FAST_RATE,
            style="".join((_TEMPLATES / name).read_text(encoding="utf-8") for name in styles),
            data=_json(content),
            script=script,
            script_digest=digest,
        )
    )


@cache
def _script(names):
    """Join scripts in one function, so that nothing becomes global."""
    parts = [(_SCRIPTS / f"{name}.js").read_text(encoding="utf-8") for name in names]
    return "\n".join(['"use strict";', "(() => {", *parts, "})();"])


def _json(content):
    """Write the data of a script as JSON that cannot close its script element."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


@cache
def _environment():
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["number"] = _number
    environment.filters["share"] = lambda part, whole: 100.0 * part / whole if whole else 0.0
    return environment


def _number(value, digits=2):
    """Format a number with a minus sign; None becomes a dash.

    >>> _number(-0.5), _number(None), _number(1234567, 0)
    ('−0.50', '–', '1,234,567')
    """
    return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−")
