"""The tables of the documentation, each made from the registry that the package uses."""

from ztfml.features.listing import as_markdown
from ztfml.ranking import TERMS

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
    return as_markdown()


@table
def terms():
    return markdown(
        ["term", "meaning"], [[f"`{name}`", term.meaning] for name, term in TERMS.items()]
    )
