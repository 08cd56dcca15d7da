"""The page that describes a model, generated from its card.

The text is in ``templates/model_page.md``; this module fills in numbers and tables.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ztfml.catalogs.kinds import CONTEXT_KINDS
from ztfml.evaluation.text import headline, metrics_table
from ztfml.io.text_tables import markdown_table

_GOOD = 0.85
"""A class with a lower recall or precision is a weakness."""
_FEW_ALERTS = 50
"""A class with fewer labelled alerts has uncertain metrics."""
_FEW_PER_PART = 20
"""Sources and nights with fewer alerts share a row."""
_CALIBRATED = 0.03
"""A larger calibration error is a weakness."""
_N_FEATURES = 5
"""Number of features named per group."""

_CLASS_MEANINGS = {
    "artifact": "an artifact (a false detection)",
    "sso": "a Solar System object (sso)",
    "star": "a variable star",
    "agn": "an active galactic nucleus (agn)",
    "transient": "a transient (such as a supernova)",
}

_LABEL_SOURCES = {
    # The beginning of the evidence of a label, and the reference for it.
    "AAVSO": "AAVSO International Variable Star Index (Watson et al. 2006)",
    "AMPEL": "AMPEL (Nordin et al. 2019), matches with catalogues",
    "BTS": "ZTF Bright Transient Survey (Fremling et al. 2020; Perley et al. 2020)",
    "Fink": "Fink broker (Möller et al. 2021)",
    "GRANDMA": "GRANDMA's Kilonova-Catcher on Fink (Aivazyan et al. 2022)",
    "MPC": "known asteroids of the Minor Planet Center, from the alert packet",
    "SDSS": "spectra of the Sloan Digital Sky Survey",
    "SEDM": "spectra of the SED Machine (Blagorodnova et al. 2018)",
    "Superphot": "training set of Superphot+ (de Soto et al. 2024)",
    "TNS": "Transient Name Server",
    "ZTF": "known asteroids of the Minor Planet Center, from the alert packet",
    "alerce": "ALeRCE broker (Förster et al. 2021; Sánchez-Sáez et al. 2021), classifier",
    "fink": "Fink broker (Möller et al. 2021)",
    "literature": "papers on individual supernovae",
    "rules": "rules on fields of the alert packet",
    "simulated": "`ztfml simulate`",
    "spicy": "SPICY (Kuhn et al. 2021)",
    **{kind.name: kind.credit for kind in CONTEXT_KINDS.values() if kind.credit},
}


def model_page(card: dict, name: str) -> str:
    """Describe a model as Markdown.

    Parameters
    ----------
    card : dict
        The content of ``card.json``.
    name : str
        The name of the model.

    Returns
    -------
    str

    Examples
    --------
    >>> page = model_page(model.card, "mine")
    >>> page.splitlines()[0]
    '# mine'
    >>> "trained on 33,242 labelled alerts of 10 nights" in page
    True
    """
    training, importance = card["training"], card.get("importance")
    nights, labels = training.get("nights", []), training.get("labels", [])
    priors = zip(card["class_prior"] or [], card["classes"], strict=False)
    parameters = {key: one for key, one in (card["parameters"] or {}).items() if one is not None}
    return _template().render(
        name=name,
        card=card,
        class_meanings=_enumerate_classes(card["classes"]),
        n_trees=(card["rounds"] or 0) * len(card["classes"]),
        estimator=card.get("estimator"),
        modules=sorted({one["module"] for one in card["features"] if "module" in one}),
        nights=nights,
        n_labelled=sum(night["labelled"] for night in nights),
        figures=[_figures(metrics) for metrics in card["metrics"]],
        absent=absent_table(card["absent"]) if card.get("absent") else "",
        weaknesses=list(_weaknesses(card)),
        nights_table=_nights_table(nights),
        impossible=_impossible_table(nights),
        provenance=_provenance_table(labels, card["classes"]) if labels else "",
        rules=training.get("rules", []),
        importance=_importance_table(card) if importance else "",
        n_explained=importance["alerts"] if importance else 0,
        priors=", ".join(f"{label} {prior:.3f}" for prior, label in priors),
        parameters=", ".join(f"{key} {value}" for key, value in parameters.items()),
        versions=", ".join(f"{key} {value}" for key, value in card["versions"].items()),
    )


@cache
def _template():
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # the output is Markdown, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("model_page.md")


def _enumerate_classes(classes):
    *others, last = [_CLASS_MEANINGS.get(label, label) for label in classes]
    return f"{', '.join(others)} or {last}"


# --- how good the model is ---------------------------------------------------------------


def _figures(metrics):
    by = metrics.get("by", {})
    return {
        "title": metrics.get("title", "Metrics"),
        "rule": metrics.get("rule", ""),
        "tables": metrics_table(metrics),
        "headline": headline(metrics),
        "parts": [_parts_table(kind, by[kind]) for kind in ("source", "night") if kind in by],
    }


def _parts_table(kind, of_kind):
    """A row for each source or night, the largest first, with its most frequent errors."""
    rows = [[kind, "alerts", "accuracy", "macro-F1", "most frequent errors"]]
    small = []
    for name, one in of_kind.items():
        if one["n"] < _FEW_PER_PART:
            small.append(one)
            continue
        errors = _most_frequent_errors(one["labels"], one["confusion"])
        scores = (one["accuracy"], one["macro_f1"])
        rows.append([name, f"{one['n']:,}", *(f"{score:.2f}" for score in scores), errors])
    if small:
        rows.append(_row_of_small_parts(small))
    return "\n".join(markdown_table(rows))


def _row_of_small_parts(parts):
    n = sum(one["n"] for one in parts)
    accuracy = sum(one["accuracy"] * one["n"] for one in parts) / n
    confusion = [
        [sum(cells) for cells in zip(*of_label, strict=True)]
        for of_label in zip(*(one["confusion"] for one in parts), strict=True)
    ]
    errors = _most_frequent_errors(parts[0]["labels"], confusion)
    return [f"{len(parts)} smaller ones", f"{n:,}", f"{accuracy:.2f}", "-", errors]


def _most_frequent_errors(labels, confusion):
    errors = [
        (count, f"{count:,} {label} as {predicted}")
        for label, counts in zip(labels, confusion, strict=True)
        for predicted, count in zip(labels, counts, strict=True)
        if predicted != label and count
    ]
    errors.sort(key=lambda error: -error[0])
    return ", ".join(text for _, text in errors[:3]) or "none"


def absent_table(rows: list[dict]) -> str:
    """Format the results without packet fields as a table.

    Parameters
    ----------
    rows : list of dict
        ``absent`` of a card; the first row is for complete alerts.

    Returns
    -------
    str

    Examples
    --------
    >>> row = {"name": "complete", "accuracy": 0.96, "macro_f1": 0.95, "called_artifact": 0.0}
    >>> print(absent_table([row, {**row, "name": "no drb", "accuracy": 0.95}]).splitlines()[3])
    | no drb   |    0.950 | -0.010 |    0.950 |                                      0.0% |
    """
    table = [
        ["alerts", "accuracy", "change", "macro-F1", "stars, AGN and transients called artifact"]
    ]
    for row in rows:
        change = row["accuracy"] - rows[0]["accuracy"]
        shown = (f"{row['accuracy']:.3f}", f"{change:+.3f}", f"{row['macro_f1']:.3f}")
        table.append([row["name"], *shown, f"{row['called_artifact']:.1%}"])
    return "\n".join(markdown_table(table))


# --- known weaknesses --------------------------------------------------------------------


def _weaknesses(card: dict) -> Iterator[str]:
    if card["metrics"]:
        most_reliable = card["metrics"][0]
        for label in card["classes"]:
            yield from _weaknesses_of_class(most_reliable, label)
        yield from _weaknesses_of_calibration(most_reliable)
    yield from _weaknesses_of_labels(card["training"].get("labels", []))


def _weaknesses_of_class(metrics, label):
    one, k = metrics["per_class"][label], metrics["labels"].index(label)
    if one["support"] < _FEW_ALERTS:
        yield f"{label}: measured on only {one['support']:,} alerts, so its metrics are uncertain."
    missed = {other: metrics["confusion"][k][j] for j, other in enumerate(metrics["labels"])}
    if one["recall"] is not None and one["recall"] < _GOOD:
        yield (
            f"{label}: {1 - one['recall']:.0%} are missed, most often as "
            f"{_most_frequent(missed, label)}."
        )
    wrong = {other: metrics["confusion"][j][k] for j, other in enumerate(metrics["labels"])}
    if one["precision"] is not None and one["precision"] < _GOOD and one["support"]:
        yield (
            f"{label}: {1 - one['precision']:.0%} of the alerts with this prediction belong to "
            f"another class, most often {_most_frequent(wrong, label)}; this fraction depends on "
            "how common each class is."
        )


def _most_frequent(counts, label):
    return max((count, other) for other, count in counts.items() if other != label)[1]


def _weaknesses_of_calibration(metrics):
    error, curve = metrics.get("calibration_error"), metrics.get("reliability")
    if error is None or curve is None or error < _CALIBRATED:
        return
    columns = zip(curve["confidence"], curve["fraction_right"], curve["n"], strict=True)
    surplus = sum((confidence - right) * n for confidence, right, n in columns)
    direction = "too high" if surplus > 0 else "too low"
    yield f"The probability of the predicted class is {direction}, by {error:.3f} on average."


def _weaknesses_of_labels(evidence):
    real = [one for one in evidence if _source_key(one["evidence"]) != "simulated"]
    for label in dict.fromkeys(one["label"] for one in evidence):
        of_label = [one for one in real if one["label"] == label]
        total = sum(one["alerts"] for one in of_label)
        circular = sum(one["alerts"] for one in of_label if one["circular"])
        if not total:
            yield f"{label}: no real alert was labelled, only simulated ones."
        elif circular > 0.5 * total:
            yield (
                f"{label}: {circular / total:.0%} of the real labels are circular (derived from a "
                "field that is also a feature), so the metrics of this class are optimistic."
            )


# --- training data and features ----------------------------------------------------------


def _nights_table(nights):
    rows = [["night", "alerts", "labelled alerts", "labelled objects"]]
    for night in nights:
        counts = (night["alerts"], night["labelled"], night["objects"])
        rows.append([night["name"], *(f"{count:,}" for count in counts)])
    return "\n".join(markdown_table(rows))


def _impossible_table(nights):
    """What was impossible about labelled alerts, or values of them, the most frequent first."""
    counts = {}
    for night in nights:
        for name, n in night.get("impossible", {}).items():
            counts[name] = counts.get(name, 0) + n
    if not counts:
        return ""
    rows = [[name, f"{n:,}"] for name, n in sorted(counts.items(), key=lambda item: -item[1])]
    return "\n".join(markdown_table([["impossible", "alerts"], *rows]))


def _provenance_table(evidence, classes):
    """A row for each origin of labels, the largest first."""
    counts, circular = {}, {}
    for one in evidence:
        key = _source_key(one["evidence"])
        source = _LABEL_SOURCES.get(key, "other evidence, named in card.json")
        of_class = counts.setdefault(source, dict.fromkeys(classes, 0))
        of_class[one["label"]] += one["alerts"]
        if one["circular"]:
            cell = source, one["label"]
            circular[cell] = circular.get(cell, 0) + one["alerts"]
    rows = [["origin of the labels", *classes]]
    for source, of_class in sorted(counts.items(), key=lambda item: -sum(item[1].values())):
        cells = []
        for label, count in of_class.items():
            n_circular = circular.get((source, label))
            in_brackets = f" ({n_circular:,})" if n_circular else ""
            cells.append(f"{count:,}{in_brackets}" if count else "")
        rows.append([source, *cells])
    return "\n".join(markdown_table(rows))


def _source_key(evidence):
    """The longest known beginning of an evidence, or ''."""
    word = re.match(r"[A-Za-z]*", evidence)[0]
    return max((key for key in _LABEL_SOURCES if word.startswith(key)), key=len, default="")


def _importance_table(card):
    importance, classes = card["importance"], card["classes"]
    declared = {one["name"]: one for one in card["features"]}
    rows = [["group", *classes, "most important features (unit)"]]
    for group in importance["groups"]:
        names = [
            _with_unit(declared[one["name"]])
            for one in importance["features"]
            if declared[one["name"]].get("group") == group["name"]
        ]
        effects = [f"{group[label]:.2f}" for label in classes]
        rows.append([group["name"], *effects, ", ".join(names[:_N_FEATURES])])
    return "\n".join(markdown_table(rows))


def _with_unit(feature):
    unit = feature.get("unit")
    return f"{feature['name']} ({unit})" if unit else feature["name"]
