"""The schema of the card of a classifier."""

from ztfml.io.card_schema import (
    COUNT,
    FRACTION,
    FRACTION_OR_NULL,
    MODEL,
    NAME,
    NAMES,
    NUMBER,
    PROBE_VALUES,
    SIMPLE,
    TEXT,
    list_of,
    mapping_of,
    only,
    or_null,
    record_of,
)

_FEWEST_CLASSES = 2
# More threads than any computer has; LightGBM crashes when it cannot start them.
_MOST_THREADS = 1024

_SCORES = {
    "macro_f1": FRACTION,
    "accuracy": FRACTION,
    "labels": {**NAMES, "minItems": 1},
    "confusion": list_of(list_of(COUNT)),
    "n": {**COUNT, "minimum": 1},
}
_PER_CLASS = record_of(
    {
        "precision": FRACTION_OR_NULL,
        "recall": FRACTION_OR_NULL,
        "f1": FRACTION_OR_NULL,
        "support": COUNT,
    }
)
_INTERVAL = list_of({"type": ["number", "null"]}, 2)
_RELIABILITY = record_of(
    {"confidence": list_of(FRACTION), "fraction_right": list_of(FRACTION), "n": list_of(COUNT)}
)
_METRICS = record_of(
    {**_SCORES, "per_class": mapping_of(_PER_CLASS)},
    {
        "title": TEXT,
        "rule": TEXT,
        "n_objects": COUNT,
        "intervals": or_null(
            mapping_of({"anyOf": [{"type": "null"}, _INTERVAL, mapping_of(or_null(_INTERVAL))]})
        ),
        "calibration_error": FRACTION_OR_NULL,
        "calibration_noise": FRACTION_OR_NULL,
        "reliability": or_null(_RELIABILITY),
        "by": mapping_of(mapping_of(record_of(_SCORES))),
    },
)
_NIGHT = record_of(
    {"name": TEXT, "alerts": COUNT, "labelled": COUNT, "objects": COUNT},
    {"impossible": mapping_of(COUNT)},
)
_EVIDENCE = record_of(
    {"label": NAME, "evidence": TEXT, "circular": {"type": "boolean"},
     "alerts": COUNT}
)  # fmt: skip
_IMPORTANCE = list_of(
    {"type": "object", "properties": {"name": NAME}, "required": ["name"],
     "additionalProperties": NUMBER}
)  # fmt: skip

_ABSENT = record_of(
    {"name": TEXT, "accuracy": FRACTION, "macro_f1": FRACTION, "called_artifact": FRACTION}
)

_TEMPERATURE = {"type": "number", "exclusiveMinimum": 0.01, "exclusiveMaximum": 100}

CARD_SCHEMA = record_of(
    {
        "format": {"type": "integer", "minimum": 1},
        "model": MODEL,
        "classes": {**NAMES, "minItems": _FEWEST_CLASSES},
        "class_prior": or_null(list_of({**FRACTION, "exclusiveMinimum": 0}, _FEWEST_CLASSES)),
        "calibration": or_null(record_of(
            {"temperature": _TEMPERATURE, "temperature_without_drb": _TEMPERATURE}
        )),
        # The parameters of AlertClassifier.
        "parameters": or_null(only(record_of(
            {
                "n_estimators": COUNT,
                "num_leaves": COUNT,
                "learning_rate": NUMBER,
                "min_child_samples": COUNT,
                "feature_fraction": NUMBER,
                "reg_lambda": NUMBER,
                "early_stopping_rounds": {"type": ["integer", "null"], "minimum": 0},
                "class_weight": {
                    "anyOf": [{"enum": [None, "balanced"]}, mapping_of(NUMBER)],
                },
                "random_state": {"type": ["integer", "null"]},
                "n_jobs": {"type": ["integer", "null"], "minimum": 1, "maximum": _MOST_THREADS},
            }
        ))),
        "rounds": or_null(COUNT),
        "versions": mapping_of(SIMPLE),
        "training": record_of(
            {},
            {"nights": list_of(_NIGHT), "labels": list_of(_EVIDENCE), "rules": list_of(TEXT),
             "objects": {"type": "string"}},
        ),
        "metrics": list_of(_METRICS),
        "importance": or_null(
            record_of({"alerts": COUNT, "groups": _IMPORTANCE, "features": _IMPORTANCE})
        ),
        "features": list_of(
            record_of(
                {"name": NAME},
                {"unit": TEXT, "version": {"type": "integer"}, "group": TEXT, "module": NAME,
                 "source": NAME},
            ),
            1,
        ),
        "probes": record_of({"values": PROBE_VALUES, "expected": mapping_of(list_of(FRACTION))}),
    },
    {
        "absent": list_of(_ABSENT),
        "distributions": or_null({"type": "object"}),
        "estimator": or_null(record_of({"name": NAME, "text": TEXT, "types": NAMES})),
    },
)  # fmt: skip
