"""Check cards and settings against a JSON Schema, and parts that schemas have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# A count in a card; more than this is damage.
COUNT = {"type": "integer", "minimum": 0, "maximum": 10**12}
NUMBER = {"type": "number", "minimum": -1e12, "maximum": 1e12}
FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
FRACTION_OR_NULL = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
TEXT = {"type": "string", "maxLength": 100_000}
NAME = {"type": "string", "minLength": 1, "maxLength": 1000}
NAMES = {"type": "array", "items": NAME, "uniqueItems": True}


def mapping_of(items: dict) -> dict:
    """Return the schema of an object whose values have one schema.

    Parameters
    ----------
    items : dict
        The schema of the values.

    Returns
    -------
    dict

    Examples
    --------
    >>> mapping_of({"type": "number"})
    {'type': 'object', 'additionalProperties': {'type': 'number'}}
    """
    return {"type": "object", "additionalProperties": items}


def list_of(items: dict, at_least: int = 0) -> dict:
    """Return the schema of an array whose elements have one schema.

    Parameters
    ----------
    items : dict
        The schema of the elements.
    at_least : int

    Returns
    -------
    dict

    Examples
    --------
    >>> list_of({"type": "number"}, 1)
    {'type': 'array', 'items': {'type': 'number'}, 'minItems': 1}
    """
    return {"type": "array", "items": items, "minItems": at_least}


def record_of(required: Mapping[str, dict], optional: Mapping[str, dict] | None = None) -> dict:
    """Return the schema of an object with named values; it may have others.

    Parameters
    ----------
    required, optional : mapping of str to dict
        The schema of each value.

    Returns
    -------
    dict

    Examples
    --------
    >>> record_of({"name": {"type": "string"}})["required"]
    ['name']
    """
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def only(record: dict) -> dict:
    """Return the schema of an object that has no other values.

    Parameters
    ----------
    record : dict
        From `record_of`.

    Returns
    -------
    dict

    Examples
    --------
    >>> only(record_of({"name": TEXT}))["additionalProperties"]
    False
    """
    return {**record, "additionalProperties": False}


def or_null(schema: dict) -> dict:
    """Return a schema that also accepts null.

    Parameters
    ----------
    schema : dict

    Returns
    -------
    dict

    Examples
    --------
    >>> or_null({"type": "number"})
    {'anyOf': [{'type': 'null'}, {'type': 'number'}]}
    """
    return {"anyOf": [{"type": "null"}, schema]}


# Values that can be written in a line of a page.
SIMPLE = {"type": ["string", "number", "boolean", "null"], "maxLength": 1000}
MODEL = record_of(
    {
        "bytes": {"type": "integer", "minimum": 1, "maximum": 2**31},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    }
)
PROBE_VALUES = list_of(list_of({"type": ["number", "null"]}), 1)


def fault(card: Any, schema: dict) -> str | None:
    """Find the most important difference between a card and its schema.

    Parameters
    ----------
    card : object
        The content of ``card.json``.
    schema : dict
        JSON Schema, draft 2020-12.

    Returns
    -------
    str or None
        The place of the fault and what is expected there, in one line.

    Examples
    --------
    >>> fault({"rounds": "many"}, record_of({"rounds": COUNT}))
    "rounds: 'many' is not of type 'integer'"
    >>> fault({"rounds": 3}, record_of({"rounds": COUNT})) is None
    True
    """
    with _without("rfc3987_syntax"):
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema).iter_errors(card))
    if error is None:
        return None
    place = ".".join(map(str, error.absolute_path)) or "the card"
    message = " ".join(error.message.split())
    # The message begins with the value, which may be long.
    return f"{place}: {message if len(message) < 200 else '... ' + message[-100:]}"


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Hide an optional module from the imports in the block.

    jsonschema imports the checkers of formats that are installed. That of web addresses takes a
    second, and cards contain no formats.
    """
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
