"""The page of a ranking for people, as Markdown."""

from typing import TYPE_CHECKING, Any

from ztfml.ranking.learned import LEARNED
from ztfml.ranking.terms import FIXED, TERMS

if TYPE_CHECKING:
    from ztfml.ranking.settings import Instrument


def ranking_page(
    card: dict[str, Any], weights: dict[str, float], instrument: "Instrument", name: str
) -> str:
    """Write the page of a ranking from its card, weights and instrument.

    Parameters
    ----------
    card : dict
        The content of ``card.json``.
    weights : dict of str to float
    instrument : Instrument
    name : str
        The title.

    Returns
    -------
    str

    Examples
    --------
    >>> from ztfml.ranking import load_ranking
    >>> ranking = load_ranking()
    >>> page = ranking_page(ranking.card, ranking.weights, ranking.instrument, "mine")
    >>> page.splitlines()[0]
    '# mine'
    """
    parts = [
        f"# {name}",
        "A ranking of fast transients: `score = 1 / (1 + exp(-(intercept + sum of weight * "
        "term)))`. Fixed terms lie between 0 and 1; learned terms are the log odds of boosted "
        "trees, by group of inputs. `ranking.toml` has the weights and the instrument "
        f"({instrument.name}: {instrument.spectra_per_night} spectra per night down to "
        f"{instrument.limiting_magnitude:g} mag).",
        "## Weights",
        "\n".join(_weights(weights)),
        "## How good it is",
        *_metrics(card["metrics"]),
        "## How it was made",
        "\n".join(_made(card)),
    ]
    return "\n\n".join(parts) + "\n"


def _weights(weights):
    yield "| term | weight | meaning |"
    yield "| --- | --- | --- |"
    for name in FIXED:
        yield f"| `{name}` | {weights.get(name, 0.0):g} | {TERMS[name].meaning} |"
    yield f"| `trees` | {weights.get('trees', 0.0):g} | Weight of all learned terms: |"
    for name, learned in LEARNED.items():
        yield f"| `{name}` | | {learned.meaning} |"
    yield f"| intercept | {weights['intercept']:g} | |"


def _metrics(metrics):
    yield (
        f"Fraction of the simulated fast transients in the first rows, for objects that were left "
        f"out of the fit, with {metrics['fast_per_night']} fast transients among the "
        f"{metrics['alerts_per_night']:,} alerts of a night:"
    )
    tops = metrics["top"]
    rows = [
        "| detected on | " + " | ".join(f"first {top}" for top in tops) + " |",
        "| --- |" + " --- |" * len(tops),
    ]
    for name, values in metrics["recall"].items():
        rows.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    yield "\n".join(rows)
    others = ", ".join(f"{n:.1f} {label}" for label, n in metrics["first_12_without_fast"].items())
    yield f"On a night without fast transients the first 12 rows contain on average: {others}."


def _made(card):
    training = card["training"]
    yield (
        f"- fitted on {card['date']} on {training['objects']:,} objects ({training['fast']:,} of "
        f"them fast) of {len(training['nights'])} simulated nights: "
        f"{', '.join(training['nights'])}"
    )
    yield f"- classifier: {training['classifier']}, not trained on these nights"
    yield (
        f"- {card['rounds']} boosted trees with {len(card['inputs'])} inputs (features, class "
        "probabilities and quantities), then a logistic regression of the fixed terms and the log "
        "odds of trees that have not seen the object"
    )
    if training.get("calibrated_on"):
        yield (
            "- log odds calibrated by a straight line on fast transients injected into other "
            f"simulated nights: {', '.join(training['calibrated_on'])}"
        )
    lowest = ", ".join(f"{name} {term.min_weight:g}" for name, term in TERMS.items()
                       if term.min_weight)  # fmt: skip
    yield (
        "- no weight is negative; minimum weights of the fit, because simulated contaminants are "
        f"easier than real ones: {lowest}"
    )
    parameters = ", ".join(f"{key} {value}" for key, value in card["parameters"].items())
    yield f"- parameters of the trees: {parameters}"
    versions = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    yield f"- versions: {versions}"
