"""Colours and symbols that all figures share."""

BAND_COLOURS = {"g": "#009E73", "r": "#B2182B", "i": "#F0A000"}
"""Green, red and orange that differ in lightness, too, and so for colour-blind readers and in
grey print (CIELAB distances of 30 and more in Machado et al. 2009's simulations)."""

BAND_MARKERS = {"g": "o", "r": "s", "i": "D"}

# Okabe & Ito (2008), with a line and a symbol of its own for each class.
CLASS_STYLES = {
    "artifact": {"color": "#555555", "linestyle": ":", "marker": "X"},
    "sso": {"color": "#E69F00", "linestyle": (0, (6, 2)), "marker": "D"},
    "star": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "agn": {"color": "#CC79A7", "linestyle": "--", "marker": "s"},
    "transient": {"color": "#009E73", "linestyle": "-.", "marker": "^"},
}

UNKNOWN_BAND = "#777777"
INK = "#222222"
KEPT, CUT_AWAY = "#4477AA", "#BBBBBB"
