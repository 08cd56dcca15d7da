"""The schema of the card of a ranking."""

from ztfml.io.card_schema import (
    COUNT,
    FRACTION,
    MODEL,
    NAME,
    NUMBER,
    PROBE_VALUES,
    SIMPLE,
    TEXT,
    list_of,
    mapping_of,
    record_of,
)

CARD_SCHEMA = record_of(
    {
        "format": {"type": "integer", "minimum": 1},
        "kind": {"const": "ranking"},
        "model": MODEL,
        "date": TEXT,
        "parameters": mapping_of(SIMPLE),
        "rounds": COUNT,
        "training": record_of(
            {"nights": list_of(TEXT), "objects": COUNT, "fast": COUNT, "classifier": TEXT},
            {"calibrated_on": list_of(TEXT)},
        ),
        "metrics": record_of(
            {
                "fast_per_night": COUNT,
                "alerts_per_night": COUNT,
                "top": list_of(COUNT),
                "recall": mapping_of(list_of(FRACTION)),
                "first_12_without_fast": mapping_of(NUMBER),
            }
        ),
        "versions": mapping_of(SIMPLE),
        "inputs": list_of(
            record_of({"name": NAME, "kind": NAME, "version": {"type": "integer"}}), 1
        ),
        "probes": record_of({"values": PROBE_VALUES, "expected": list_of(NUMBER)}),
    }
)
