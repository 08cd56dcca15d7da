"""The page itself: templates filled in, all in one file."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from ztfml.astrophysics import FAST_RATE
from ztfml.io.atomic import write_beside
from ztfml.report.summary import CARDS, LISTED, summarize
from ztfml.taxonomy import LABELS

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(night, model, path, folder=None, cards=CARDS, scorer=None):
    """Classify and rank a night, and write its page.

    Parameters
    ----------
    night : Night
    model : Model
    path : str or Path
        The HTML file.
    folder : str or Path, optional
        What was fetched for the night (see `ztfml.sources.fetched_folder`).
    cards : int, default 50
        How many objects have a card.
    scorer : FastTransientScorer, optional
        By default one with the weights and the instrument of the package.

    Returns
    -------
    dict
        The summary that the page was made of.

    Raises
    ------
    ModelError
        If the model was trained with other features.
    DataError
        If the folder of the page cannot be written to.

    Examples
    --------
    >>> summary = write_report(night, model, "night.html", cards=3)
    """
    predictions, ranked = model.predict_and_rank(night, max(LISTED, cards), scorer)
    summary = summarize(night, predictions, ranked, model, folder, cards)
    with write_beside(path) as part:
        part.write_text(render(summary), encoding="utf-8")
    return summary


def render(summary):
    """Make the page of a summary.

    Whatever a file says, names of objects above all, is escaped; nothing of it stands in a
    script, and the page is forbidden to load anything.

    Parameters
    ----------
    summary : dict
        As of `summarize`.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> render(summary).startswith("<!doctype html>")   # doctest: +SKIP
    True
    """
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html")
        .render(
            **summary,
            labels=LABELS,
            fast_rate=FAST_RATE,
            style=(_TEMPLATES / "page.css").read_text(encoding="utf-8"),
            script=script,
            script_digest=digest,
        )
    )


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
    """A number with a true minus sign, a dash for none.

    >>> _number(-0.5), _number(None), _number(1234567, 0)
    ('−0.50', '–', '1,234,567')
    """
    return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−")
