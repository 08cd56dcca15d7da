"""The tables of the documentation, each made from the registry that the package uses."""

from ztfml.catalogs import kinds as catalogs
from ztfml.config.settings import SETTINGS
from ztfml.features.listing import as_markdown
from ztfml.injection import populations as injected
from ztfml.ranking import TERMS, load_ranking, weight_names
from ztfml.schema import ALERT_COLUMNS
from ztfml.simulate import MIXES, POPULATIONS
from ztfml.sources.brokers import BROKERS
from ztfml.sources.formats import FORMATS

TABLES = {}


def table(make):
    """Add a function to `TABLES` under its name."""
    TABLES[make.__name__] = make
    return make


def markdown(header, rows):
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell(one) for one in line) + " |" for line in lines)


def cell(value):
    """Return a value as the text of one cell."""
    return str(value).replace("|", "\\|").replace("\n", " ")


@table
def features():
    """Return the feature registry, one table per group."""
    return as_markdown()


@table
def terms():
    """Return the terms of the ranking with their weights; learned terms share one."""
    weights = load_ranking().weights
    return markdown(
        ["term", "weight", "meaning"],
        [
            [f"`{name}`", weights[name if name in weight_names() else "trees"], term.meaning]
            for name, term in TERMS.items()
        ],
    )


@table
def settings():
    """Return the settings of ``ztfml.toml``."""
    rows = []
    for name, one in SETTINGS.items():
        meaning = one.meaning + (f"; `{one.environment}` has priority" if one.environment else "")
        meaning += "; only in your own file" if one.user_only else ""
        rows.append([f"`{name}`", meaning, f"`{one.example}`", one.default])
    return markdown(["setting", "meaning", "example", "default"], rows)


@table
def instrument():
    """Return the default instrument in one sentence."""
    one = load_ranking().instrument
    return (
        f"The default instrument is {one.name}: {one.spectra_per_night} spectra per night down "
        f"to {one.limiting_magnitude} mag."
    )


@table
def populations():
    """Return the simulated populations and their fraction of the alerts of a natural night."""
    rows = [
        [
            one.name,
            one.label,
            f"{100 * one.fraction * MIXES['natural'][one.label]:.2g} %",
            ", ".join(one.mistaken_for),
        ]
        for one in POPULATIONS
    ]
    return markdown(["population", "class", "alerts of a natural night", "mistaken for"], rows)


@table
def mixes():
    """Return the fraction of each class in each mix."""
    rows = [[f"`{name}`", *(f"{100 * f:g} %" for f in mix.values())] for name, mix in MIXES.items()]
    return markdown(["mix", *MIXES["natural"]], rows)


@table
def injections():
    """Return the populations of fast transients that `ztfml recover` injects."""
    rows = [
        [one.name, f"{one.rate:g}", f"{one.max_redshift:g}", f"{one.duration:g}"]
        for one in injected.KINDS.values()
    ]
    return markdown(["population", "rate, Gpc⁻³ yr⁻¹", "largest redshift", "days observed"], rows)


@table
def catalogues():
    """Return the catalogues for labels, with their radius and the reason for it."""
    rows = [
        [f"`{one.name}`", one.description, f"{one.radius:g}″: {one.reason}", online_option(one)]
        for one in catalogs.KINDS.values()
    ]
    return markdown(["catalogue", "content", "radius and its reason", "online"], rows)


def online_option(kind):
    """Return the option of `ztfml label` that queries a catalogue online, or nothing."""
    if not kind.service:
        return ""
    return f"`--vizier {kind.name}`" if kind.service.startswith("vizier:") else f"`--{kind.name}`"


@table
def formats():
    """Return the file formats that every command reads."""
    rows = [
        [f"`{one.name}`", one.description, f"`ztfml rank {one.example}`"]
        for one in FORMATS.values()
    ]
    return markdown(["format", "content", "for example"], rows)


@table
def brokers():
    """Return the brokers, what ztfml fetches from them, and where else they are linked."""
    rows = [[f"`{one.name}`", one.title, one.provides or "only links"] for one in BROKERS.values()]
    return markdown(["name", "broker", "data"], rows)


@table
def required_columns():
    """Return the columns that the alerts of a night must have."""
    rows = [[f"`{one.in_file}`", one.unit, one.meaning] for one in ALERT_COLUMNS if one.required]
    return markdown(["column", "unit", "meaning"], rows)
