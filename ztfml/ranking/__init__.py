"""Rank fast transients that are worth a spectrum tonight.

A fast transient rises or fades by more than 0.3 mag/day, or stays above half of its peak flux
for less than 12 days (Drout et al. 2014, ApJ 794, 23; Ho et al. 2023, ApJ 949, 120; the rate
is that of ZTFReST, Andreoni et al. 2021, ApJ 918, 63). The log odds of the score are the sum of
the terms:

- `quantities`: rates, durations, host and star over all bands;
- `terms`: the terms: fixed functions of features, probabilities and quantities, and the
  contributions of groups of inputs (`learned`) to the log odds of boosted trees (`trees`);
- `settings`: weights and instrument, from TOML files;
- `folder`: trees, weights and instrument as a folder that is checked before use;
- `scorer`: the score and the ranked list;
- `selection`: which objects are listed;
- `reasons`: the reasons in words; `match_reasons`: those from galaxies and sky maps.

`ztfml.training.fit_ranking` fits trees and weights on simulated nights.
"""

from ztfml.ranking.folder import RankingModel, load_ranking, save_ranking, verify_ranking
from ztfml.ranking.reasons import best_rates
from ztfml.ranking.scorer import BASE, FastTransientScorer, row_of
from ztfml.ranking.selection import Selection, headline
from ztfml.ranking.settings import Instrument, read_instrument, read_weights
from ztfml.ranking.terms import TERMS, weight_names

__all__ = [
    "BASE",
    "TERMS",
    "FastTransientScorer",
    "Instrument",
    "RankingModel",
    "Selection",
    "best_rates",
    "headline",
    "load_ranking",
    "read_instrument",
    "read_weights",
    "row_of",
    "save_ranking",
    "verify_ranking",
    "weight_names",
]
