"""Figures: each takes an Axes, draws on it, and returns it.

`figure` makes one to draw on without a display, `save` writes it.
"""

from ztfml.plots.canvas import figure, save
from ztfml.plots.cuts import cut_flow, score_histogram
from ztfml.plots.evaluations import confusion, precision_recall, reliability, scores_by_magnitude
from ztfml.plots.light_curves import light_curve
from ztfml.plots.style import BAND_COLOURS, BAND_MARKERS

__all__ = [
    "BAND_COLOURS",
    "BAND_MARKERS",
    "confusion",
    "cut_flow",
    "figure",
    "light_curve",
    "precision_recall",
    "reliability",
    "save",
    "score_histogram",
    "scores_by_magnitude",
]
