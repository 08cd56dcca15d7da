"""Check cards and settings against a JSON Schema, and parts that schemas have in common."""

from __future__ import annotations

import re
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
    if _is_surely_valid(card, schema):
        return None
    # jsonschema needs 0.2 s for the card of a classifier, so it only explains what is wrong.
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


_TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
}  # fmt: skip


def _is_surely_valid(value: Any, schema: dict) -> bool:
    """Whether a value fits a schema; False also if the schema uses a keyword that is not known."""
    return all(
        keyword in _KEYWORDS and _KEYWORDS[keyword](value, expected, schema)
        for keyword, expected in schema.items()
    )


def _has_type(value, types, schema):
    return any(_is_of(value, one) for one in ([types] if isinstance(types, str) else types))


def _is_of(value, name):
    if name in ("integer", "number"):
        is_number = isinstance(value, int) or (name == "number" and isinstance(value, float))
        return is_number and not isinstance(value, bool)
    return isinstance(value, _TYPES[name])


def _has_properties(value, properties, schema):
    return not isinstance(value, dict) or all(
        _is_surely_valid(value[name], one) for name, one in properties.items() if name in value
    )


def _has_additional(value, expected, schema):
    if not isinstance(value, dict):
        return True
    others = value.keys() - schema.get("properties", {}).keys()
    if isinstance(expected, bool):
        return expected or not others
    return all(_is_surely_valid(value[name], expected) for name in others)


def _are_distinct(value, expected, schema):
    # Of texts only; jsonschema compares other values.
    return (
        isinstance(value, list)
        and all(isinstance(one, str) for one in value)
        and len(set(value)) == len(value)
    )


def _number_rule(is_met):
    return lambda value, limit, schema: (
        isinstance(value, bool) or not isinstance(value, int | float) or is_met(value, limit)
    )


def _length_rule(kind, is_met):
    return lambda value, limit, schema: not isinstance(value, kind) or is_met(len(value), limit)


_KEYWORDS = {
    "type": _has_type,
    "properties": _has_properties,
    "additionalProperties": _has_additional,
    "required": lambda value, names, schema: (
        not isinstance(value, dict) or all(name in value for name in names)
    ),
    "items": lambda value, one, schema: (
        not isinstance(value, list) or all(_is_surely_valid(item, one) for item in value)
    ),
    "anyOf": lambda value, schemas, schema: any(_is_surely_valid(value, one) for one in schemas),
    "enum": lambda value, values, schema: (
        (value is None or isinstance(value, str)) and value in values
    ),
    "const": lambda value, expected, schema: isinstance(value, str) and value == expected,
    "pattern": lambda value, pattern, schema: (
        not isinstance(value, str) or re.search(pattern, value) is not None
    ),
    "uniqueItems": _are_distinct,
    "minimum": _number_rule(lambda value, limit: value >= limit),
    "maximum": _number_rule(lambda value, limit: value <= limit),
    "exclusiveMinimum": _number_rule(lambda value, limit: value > limit),
    "exclusiveMaximum": _number_rule(lambda value, limit: value < limit),
    "minItems": _length_rule(list, lambda length, limit: length >= limit),
    "minLength": _length_rule(str, lambda length, limit: length >= limit),
    "maxLength": _length_rule(str, lambda length, limit: length <= limit),
}


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
