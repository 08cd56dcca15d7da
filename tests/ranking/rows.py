"""Feature tables with one row; every feature that a test does not name is missing."""

import numpy as np
import pandas as pd

from ztfml.features import FEATURES
from ztfml.ranking import TERMS, Instrument, load_ranking
from ztfml.ranking.quantities import Columns
from ztfml.taxonomy import PROBABILITY_COLUMNS

INSTRUMENT = Instrument("a spectrograph", 19.5, 12)


def features(**known):
    row = dict.fromkeys((feature.name for feature in FEATURES), np.nan)
    assert not set(known) - set(row)
    return pd.DataFrame([row | known])


def probabilities(**known):
    return pd.DataFrame([dict.fromkeys(PROBABILITY_COLUMNS, 0.0) | known])


def term(name, p_transient=0.5, **known):
    """Value of a fixed term, between 0 and 1."""
    table = features(**known), probabilities(p_transient=p_transient)
    return Columns(*table, INSTRUMENT, None).call(TERMS[name].function)[0]


def quantity(name, **known):
    return Columns(features(**known), probabilities(), INSTRUMENT, load_ranking().trees)[name][0]


def probabilities_of(night, seed=0):
    p = np.random.default_rng(seed).dirichlet(np.ones(5), len(night))
    return pd.DataFrame(p, columns=PROBABILITY_COLUMNS)
