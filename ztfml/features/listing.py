"""The list of features as text, markdown or JSON."""

import json

from ztfml.features import FEATURES, OPTIONAL
from ztfml.io.text_tables import markdown_table, plain_table

_ALL = (*FEATURES, *OPTIONAL)


def as_table() -> str:
    """List all features as aligned text: name, unit, meaning.

    Returns
    -------
    str

    Examples
    --------
    >>> as_table().splitlines()[0].split()
    ['name', 'unit', 'meaning']
    """
    rows = [("name", "unit", "meaning")]
    rows += [(feature.name, feature.unit, feature.meaning) for feature in _ALL]
    return "\n".join(plain_table(rows))


def as_markdown() -> str:
    """List all features as markdown, one table per group.

    Returns
    -------
    str

    Examples
    --------
    >>> "`drb`" in as_markdown()
    True
    """
    lines = []
    for group in dict.fromkeys(feature.group for feature in _ALL):
        rows = [("feature", "unit", "meaning", "missing")]
        rows += [
            (f"`{one.name}`", one.unit, one.meaning, one.missing)
            for one in _ALL
            if one.group == group
        ]
        lines += [f"**{group}**", "", *markdown_table(rows), ""]
    return "\n".join(lines).rstrip()


def as_json() -> str:
    """List all features as JSON: name, group, unit, meaning, reads, missing, version.

    Returns
    -------
    str

    Examples
    --------
    >>> json.loads(as_json())[0]["name"]
    'drb'
    """
    fields = ("name", "group", "unit", "meaning", "reads", "missing", "version")
    return json.dumps([{name: getattr(f, name) for name in fields} for f in _ALL], indent=1)
