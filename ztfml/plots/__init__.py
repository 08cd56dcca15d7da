"""Figures: each function draws on an Axes and returns it; `candidate` fills a whole Figure.

`figure` makes an empty figure without a display, `save` writes it to a file.
"""

from ztfml.plots.candidates import candidate
from ztfml.plots.canvas import figure, save
from ztfml.plots.cuts import cut_flow, score_histogram
from ztfml.plots.drift import drift
from ztfml.plots.evaluations import confusion, precision_recall, reliability, scores_by_magnitude
from ztfml.plots.importances import (
    feature_contributions,
    feature_importance,
    group_importance,
    permutation_losses,
)
from ztfml.plots.light_curves import light_curve
from ztfml.plots.rankings import contributions, term_shape
from ztfml.plots.rates import rise_fade
from ztfml.plots.recoveries import first_listed, recall_by_part, recall_by_top
from ztfml.plots.sky import sky
from ztfml.plots.stamps import stamp
from ztfml.plots.style import BAND_COLOURS, BAND_MARKERS

__all__ = [
    "BAND_COLOURS",
    "BAND_MARKERS",
    "candidate",
    "confusion",
    "contributions",
    "cut_flow",
    "drift",
    "feature_contributions",
    "feature_importance",
    "figure",
    "first_listed",
    "group_importance",
    "light_curve",
    "permutation_losses",
    "precision_recall",
    "recall_by_part",
    "recall_by_top",
    "reliability",
    "rise_fade",
    "save",
    "score_histogram",
    "scores_by_magnitude",
    "sky",
    "stamp",
    "term_shape",
]
