"""Colours and symbols shared by all figures."""

from typing import Any

BAND_COLOURS = {"g": "#009E73", "r": "#B2182B", "i": "#F0A000"}
"""Green, red and orange that also differ in lightness, for colour-blind readers and grey print
(CIELAB distances above 30 in the simulations of Machado et al. 2009)."""

BAND_MARKERS = {"g": "o", "r": "s", "i": "D"}

# Colours of Okabe & Ito (2008); each class also has its own line and symbol.
CLASS_STYLES: dict[str, dict[str, Any]] = {
    "artifact": {"color": "#555555", "linestyle": ":", "marker": "X"},
    "sso": {"color": "#E69F00", "linestyle": (0, (6, 2)), "marker": "D"},
    "star": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "agn": {"color": "#CC79A7", "linestyle": "--", "marker": "s"},
    "transient": {"color": "#009E73", "linestyle": "-.", "marker": "^"},
}

UNKNOWN_BAND = "#777777"
INK = "#222222"
KEPT, REMOVED, UNUSUAL = "#4477AA", "#BBBBBB", "#D55E00"
