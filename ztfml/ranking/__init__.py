"""Which transients are fast, and worth one of tonight's spectra.

A fast transient rises or fades by more than 0.3 mag/day, or stays above half of its peak flux
for less than 12 days (Drout et al. 2014, ApJ 794, 23; Ho et al. 2023, ApJ 949, 120; the rate
is ZTFReST's, Andreoni et al. 2021, ApJ 918, 63). The score is a logistic sum of terms, each
between 0 and 1: `evidence` has the quantities that they rest on, `trees` what one of them is
read off, `terms` their shapes, `settings` the weights and the instrument, `scorer` the sum and
the list, `reasons` the words, `fit` trees and weights from simulated nights.
"""

from ztfml.ranking.reasons import best_rates
from ztfml.ranking.scorer import FastTransientScorer, row_of
from ztfml.ranking.settings import (
    DEFAULT_FILE,
    Instrument,
    read_instrument,
    read_trees,
    read_weights,
)
from ztfml.ranking.terms import TERMS

__all__ = [
    "DEFAULT_FILE",
    "TERMS",
    "FastTransientScorer",
    "Instrument",
    "best_rates",
    "read_instrument",
    "read_trees",
    "read_weights",
    "row_of",
]
