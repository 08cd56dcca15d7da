"""Fingerprints of the results for real nights, to detect unintended changes.

``python -m tests.reference`` writes them again. Do that only for a change that is meant to alter
results, and say in the commit what it alters.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml import Model, Night, features
from ztfml.report.summary import summarize

FOLDER = Path(__file__).parent
NIGHTS = ("2458312.5", "2458451.5", "2460235.5")


def fingerprints(path):
    """The fingerprints of a night's features, predictions, ranked list and page summary."""
    night = Night.load(path)
    model = Model.load()
    table = features.compute(night)
    predictions, ranked = model.predict_and_rank(night)
    return {
        "features": of_table(table),
        "predictions": of_table(predictions),
        "ranked": of_table(ranked),
        "summary": of_summary(summarize(night, predictions, ranked, model)),
    }


def of_table(table):
    """One fingerprint per column."""
    return {name: of_column(table[name]) for name in table}


def of_column(values):
    """Numbers: how many are missing and three sums, which depend on the order; text: a hash."""
    if not pd.api.types.is_numeric_dtype(values):
        return hashlib.sha256("\n".join(map(str, values)).encode()).hexdigest()[:16]
    values = values.to_numpy(np.float64)
    given = ~np.isnan(values)
    weight = np.random.default_rng(1).uniform(0.5, 1.5, len(values))[given]
    found = values[given]
    return [int((~given).sum()), found.sum(), np.abs(found).sum(), (weight * found).sum()]


def of_summary(summary):
    """A hash per section of the page, without its pictures."""
    return {part: _hash(_without_pictures(content)) for part, content in summary.items()}


def _without_pictures(content):
    if isinstance(content, dict):
        return {key: _without_pictures(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_without_pictures(value) for value in content]
    if isinstance(content, float):
        return float(f"{content:.9g}")
    return None if isinstance(content, str) and content.startswith("data:") else content


def _hash(content):
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def file_of(name):
    """The file with the fingerprints of a night."""
    return FOLDER / f"{name}.json"
