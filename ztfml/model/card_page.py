"""A model's page for people: whether to trust it, and where not."""

import re

from ztfml.evaluation.text import headline, metrics_table, table_rows

# Below these a figure is named as a weakness.
_GOOD = 0.85
_FEW_ALERTS = 50
_FEW_BY_PART = 20
_CALIBRATED = 0.03

_N_FEATURES = 5
"""Features that are named of each group."""

_SOURCES = {
    # What evidence begins with: whose work the labels are.
    "AAVSO": "AAVSO International Variable Star Index (Watson et al. 2006)",
    "AMPEL": "AMPEL (Nordin et al. 2019), which looks alerts up in catalogues",
    "BTS": "ZTF Bright Transient Survey (Fremling et al. 2020; Perley et al. 2020)",
    "Fink": "Fink broker (Möller et al. 2021)",
    "GRANDMA": "GRANDMA's Kilonova-Catcher on Fink (Aivazyan et al. 2022)",
    "MPC": "the known asteroids of the Minor Planet Center, as each packet names them",
    "SDSS": "spectra of the Sloan Digital Sky Survey",
    "SEDM": "spectra of the SED Machine (Blagorodnova et al. 2018)",
    "Superphot": "training set of Superphot+ (de Soto et al. 2024)",
    "TNS": "Transient Name Server",
    "ZTF": "the known asteroids of the Minor Planet Center, as each packet names them",
    "agn": "lists of active nuclei",
    "alerce": "ALeRCE broker (Förster et al. 2021; Sánchez-Sáez et al. 2021), by a classifier",
    "fink": "Fink broker (Möller et al. 2021)",
    "gaia": "Gaia (Gaia Collaboration 2016, 2023)",
    "gcvs": "General Catalogue of Variable Stars (Samus' et al. 2017)",
    "literature": "the literature on single supernovae",
    "milliquas": "Milliquas (Flesch 2023)",
    "rules": "rules on the packet's own fields",
    "simbad": "SIMBAD, CDS Strasbourg (Wenger et al. 2000)",
    "simulated": "`ztfml simulate`",
    "spicy": "SPICY (Kuhn et al. 2021)",
    "tns": "Transient Name Server",
    "vsx": "AAVSO International Variable Star Index (Watson et al. 2006)",
}


def model_page(card, name):
    """Write the page of a model from its card, as Markdown.

    Parameters
    ----------
    card : dict
        The content of ``card.json``.
    name : str
        What the model is called.

    Returns
    -------
    str

    Examples
    --------
    >>> model_page(card, "mine").split("\\n")[0]   # doctest: +SKIP
    '# mine'
    """
    parts = [f"# {name}", _what_it_is(card)]
    if card["metrics"]:
        parts += ["## How good it is", *_metrics_sections(card["metrics"])]
    weaknesses = list(_weaknesses(card))
    if weaknesses:
        parts += ["## Where not to trust it", "\n".join(f"- {one}" for one in weaknesses)]
    parts += ["## What it was trained on", *_training_sections(card)]
    if card.get("importance"):
        parts += ["## What it looks at", *_importance_sections(card)]
    parts += ["## How it was made", *_made_sections(card)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what_it_is(card):
    training = card["training"]
    on = ""
    if training.get("nights"):
        nights = training["nights"]
        alerts = sum(night["labelled"] for night in nights)
        plural = "s" if len(nights) > 1 else ""
        on = f" It was trained on {alerts:,} labelled alerts of {len(nights)} night{plural}."
    return (
        "A model that gives every ZTF alert the probabilities of being "
        f"{', '.join(card['classes'])}, from {len(card['features'])} features.{on}"
    )


def _metrics_sections(figures):
    """The first figures whole and by source; of the others a line each."""
    first, *others = figures
    yield f"**{first.get('title', 'Metrics')}.** {first.get('rule', '')}".strip()
    yield metrics_table(first)
    yield "\n".join(f"- {one['title']}: {headline(one)}" for one in others)
    for kind in ("source", "night"):
        if kind in first.get("by", {}):
            yield "\n".join(_by_rows(kind, first["by"][kind]))


def _by_rows(kind, of_kind):
    """A row for each part, the largest first, with what was taken for what most often."""
    rows = [[kind, "alerts", "accuracy", "macro-F1", "taken for another, most often"]]
    large = {name: one for name, one in of_kind.items() if one["n"] >= _FEW_BY_PART}
    for name, one in large.items():
        told = _taken_for_another(one["labels"], one["confusion"])
        rows.append(
            [name, f"{one['n']:,}", f"{one['accuracy']:.2f}", f"{one['macro_f1']:.2f}", told]
        )
    rest = [one for name, one in of_kind.items() if name not in large]
    if rest:
        n = sum(one["n"] for one in rest)
        right = sum(one["accuracy"] * one["n"] for one in rest) / n
        counts = [
            [sum(cells) for cells in zip(*of_label, strict=True)]
            for of_label in zip(*(one["confusion"] for one in rest), strict=True)
        ]
        told = _taken_for_another(rest[0]["labels"], counts)
        rows.append([f"{len(rest)} smaller ones", f"{n:,}", f"{right:.2f}", "-", told])
    return table_rows(rows)


def _taken_for_another(labels, confusion):
    wrong = [
        (count, f"{label} as {guess} {count:,}")
        for label, counts in zip(labels, confusion, strict=True)
        for guess, count in zip(labels, counts, strict=True)
        if guess != label and count
    ]
    wrong.sort(key=lambda one: -one[0])
    return ", ".join(text for _, text in wrong[:3]) or "none"


# --- where not to trust it ---------------------------------------------------------------


def _weaknesses(card):
    """Say what the figures and the labels tell against the model."""
    if card["metrics"]:
        honest = card["metrics"][0]
        for label in card["classes"]:
            yield from _weakness_of_class(honest, label)
        yield from _weakness_of_calibration(honest)
    yield from _weakness_of_labels(card["training"].get("labels", []))


def _weakness_of_class(metrics, label):
    one, k = metrics["per_class"][label], metrics["labels"].index(label)
    if one["support"] < _FEW_ALERTS:
        yield f"{label}: judged by {one['support']:,} alerts, so its figures say little."
    missed = {other: metrics["confusion"][k][j] for j, other in enumerate(metrics["labels"])}
    if one["recall"] is not None and one["recall"] < _GOOD:
        yield f"{label}: {1 - one['recall']:.0%} are missed, most often as {_most(missed, label)}."
    wrong = {other: metrics["confusion"][j][k] for j, other in enumerate(metrics["labels"])}
    if one["precision"] is not None and one["precision"] < _GOOD and one["support"]:
        yield (
            f"{label}: {1 - one['precision']:.0%} of what is called so is something else, most "
            f"often {_most(wrong, label)}; the share depends on how common each class is."
        )


def _most(counts, label):
    return max((count, other) for other, count in counts.items() if other != label)[1]


def _weakness_of_calibration(metrics):
    error, curve = metrics.get("calibration_error"), metrics.get("reliability")
    if error is None or curve is None or error < _CALIBRATED:
        return
    columns = zip(curve["confidence"], curve["fraction_right"], curve["n"], strict=True)
    surplus = sum((confidence - right) * n for confidence, right, n in columns)
    how = "surer than it is right" if surplus > 0 else "more often right than it is sure"
    yield f"Its probabilities are off by {error:.3f} on average: it is {how}."


def _weakness_of_labels(evidence):
    real = [one for one in evidence if _source_key(one["evidence"]) != "simulated"]
    for label in dict.fromkeys(one["label"] for one in evidence):
        of_label = [one for one in real if one["label"] == label]
        total = sum(one["alerts"] for one in of_label)
        circular = sum(one["alerts"] for one in of_label if one["circular"])
        if not total:
            yield f"{label}: no real alert was labelled, only simulated ones."
        elif circular > 0.5 * total:
            yield (
                f"{label}: {circular / total:.0%} of the real labels were read from a field that "
                "is also a feature; how well others are found, the figures hardly tell."
            )


# --- what it was trained on --------------------------------------------------------------


def _training_sections(card):
    training = card["training"]
    if training.get("nights"):
        rows = [["night", "alerts", "labelled", "objects labelled"]]
        for night in training["nights"]:
            counts = (night["alerts"], night["labelled"], night["objects"])
            rows.append([night["name"], *(f"{count:,}" for count in counts)])
        yield "\n".join(table_rows(rows))
    if training.get("labels"):
        yield (
            "Alerts are those of the public ZTF stream (Bellm et al. 2019; Masci et al. 2019; "
            "Patterson et al. 2019) or simulated. Where their labels come from, in alerts (those "
            "read from a field that is also a feature in brackets):"
        )
        yield "\n".join(table_rows(_provenance(training["labels"], card["classes"])))
    if training.get("rules"):
        yield "\n".join(f"- {rule}" for rule in training["rules"])


def _provenance(evidence, classes):
    """A row for each work that labels come from, the largest first."""
    counts, circular = {}, {}
    for one in evidence:
        whose = _SOURCES.get(_source_key(one["evidence"]), "other evidence, named in card.json")
        of_class = counts.setdefault(whose, dict.fromkeys(classes, 0))
        of_class[one["label"]] += one["alerts"]
        if one["circular"]:
            key = whose, one["label"]
            circular[key] = circular.get(key, 0) + one["alerts"]
    rows = [["labels from", *classes]]
    for whose, of_class in sorted(counts.items(), key=lambda one: -sum(one[1].values())):
        cells = []
        for label, count in of_class.items():
            of_these = circular.get((whose, label))
            cells.append(f"{count:,}{f' ({of_these:,})' if of_these else ''}" if count else "")
        rows.append([whose, *cells])
    return rows


def _source_key(evidence):
    """The longest known beginning of an evidence, '' where none is known."""
    word = re.match(r"[A-Za-z]*", evidence)[0]
    return max((key for key in _SOURCES if word.startswith(key)), key=len, default="")


def _importance_sections(card):
    importance, classes = card["importance"], card["classes"]
    declared = {one["name"]: one for one in card["features"]}
    yield (
        "Mean size of what moves the score of each class (TreeSHAP, natural logarithm of odds), "
        f"over {importance['alerts']:,} alerts of the training set, evenly of all classes; it "
        "tells what the model uses, not what is true of the sky."
    )
    rows = [["group", *classes, "foremost features (unit)"]]
    for group in importance["groups"]:
        own = [
            _with_unit(declared[one["name"]])
            for one in importance["features"]
            if declared[one["name"]].get("group", "features") == group["name"]
        ]
        rows.append(
            [group["name"], *(f"{group[c]:.2f}" for c in classes), ", ".join(own[:_N_FEATURES])]
        )
    yield "\n".join(table_rows(rows))


def _with_unit(feature):
    unit = feature.get("unit")
    return f"{feature['name']} ({unit})" if unit else feature["name"]


def _made_sections(card):
    prior = zip(card["classes"], card["class_prior"], strict=True)
    weights = ", ".join(f"{label} {share:.3f}" for label, share in prior)
    parameters = ", ".join(
        f"{key} {value}" for key, value in card["parameters"].items() if value is not None
    )
    versions = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    yield "\n".join(
        [
            f"- {card['rounds']} rounds of boosting, in each a tree for each class",
            f"- temperature: {card['calibration']['temperature']:.2f}",
            f"- weight of each class: {weights}",
            f"- parameters: {parameters}",
            f"- versions: {versions}",
        ]
    )
    yield (
        "`ztfml model verify` checks that the folder is whole. card.json holds all of this in a "
        "form for programs, with the features, their units and versions; `ztfml features --list` "
        "explains them."
    )
