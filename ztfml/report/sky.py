"""Pixel positions in the sky map, for the SVG templates of the page."""

import numpy as np

from ztfml.night import Night
from ztfml.plots.sky import great_circle

WIDTH, HEIGHT = 480, 250
_MARGIN = 8
# Alerts are counted in cells of this size in degrees, which keeps the drawing small.
_CELL = 2.0
_SHADES = 5
# Objects with a label on the map; radius of their circles, and size of a digit.
_LABELLED = 12
_RADIUS = 5.0
_DIGIT, _DIGIT_HEIGHT = 7.0, 9.0
# Directions of a label from its circle, in order of preference, and its distances.
_DIRECTIONS = ((1, -1), (1, 1), (-1, -1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1))
_DISTANCES = (1.0, 9.0, 17.0)


def layout_sky(night: Night, ranked: list[dict]) -> dict | None:
    """Compute the pixel positions of the sky map of a night in the Hammer projection.

    Parameters
    ----------
    night : Night
    ranked : list of dict
        Objects to mark: ``rank``, ``objectId``, ``ra`` and ``dec`` (None if unknown).

    Returns
    -------
    dict or None
        ``width``, ``height``; ``shades``: lists of positions (x, y) of cells, from few to
        many alerts; ``galaxy``, ``ecliptic``, ``grid``: lists of lines, each a list of
        positions; ``names`` of the meridians and parallels (x, y, text); ``marks`` (dicts
        with ``x``, ``y``, ``rank``, ``objectId``; ``label``: the middle of the text, and ``line``
        from the circle to a label that is not beside it, None if there is none). None for a night
        without positions.

    Examples
    --------
    >>> len(layout_sky(night, [])["shades"])
    5
    """
    if "ra" not in night.alerts or "dec" not in night.alerts:
        return None
    ra, dec, count = _cells(night.alerts["ra"].to_numpy(), night.alerts["dec"].to_numpy())
    if len(count) == 0:
        return None
    shade = np.floor(_SHADES * np.log(count) / (np.log(count.max()) + 1e-9)).clip(0, _SHADES - 1)
    x, y = _project(ra, dec)
    marked = [row for row in ranked if row["ra"] is not None and row["dec"] is not None]
    marks = [
        {"x": position[0], "y": position[1], "rank": row["rank"], "objectId": row["objectId"]}
        | {"label": None, "line": None}
        for row in marked
        for position in _pairs(*_project(np.array([row["ra"]]), np.array([row["dec"]])))
    ]
    _place_labels(marks)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "shades": [_pairs(x[shade == k], y[shade == k]) for k in range(_SHADES)],
        "galaxy": _lines(*great_circle("galactic")),
        "ecliptic": _lines(*great_circle("barycentricmeanecliptic")),
        "grid": [*_meridians(), *_parallels()],
        "names": _names(),
        "marks": marks,
    }


def _place_labels(marks):
    """Put the rank of each of the first objects where it hides no other rank and no circle."""
    top = sorted((mark for mark in marks if mark["rank"] <= _LABELLED), key=lambda m: m["rank"])
    taken = [(mark["x"], mark["y"], _RADIUS, _RADIUS) for mark in top]
    for mark in top:
        half = (_DIGIT * len(str(mark["rank"])) / 2, _DIGIT_HEIGHT / 2)
        places = [
            (
                distance,
                mark["x"] + right * (_RADIUS + distance + half[0]),
                mark["y"] + down * (_RADIUS + distance + half[1]) * (0.8 if right else 1.0),
            )
            for distance in _DISTANCES
            for right, down in _DIRECTIONS
        ]
        hidden = [sum(_overlap((x, y, *half), box) for box in taken) for _, x, y in places]
        outside = [_outside(x, y, *half) for _, x, y in places]
        distance, x, y = places[int(np.argmin(np.add(hidden, outside)))]
        taken.append((x, y, *half))
        mark["label"] = [round(x, 1), round(y, 1)]
        if distance > _DISTANCES[0]:
            mark["line"] = [[mark["x"], mark["y"]], mark["label"]]


def _overlap(one, other):
    """Area of the overlap of two boxes, given by their middles and half sizes."""
    wide, high = (one[k + 2] + other[k + 2] - abs(one[k] - other[k]) for k in (0, 1))
    return max(wide, 0.0) * max(high, 0.0)


def _outside(x, y, half_x, half_y):
    """Width and height of a box outside of the drawing, as an area."""
    beyond = max(half_x - x, x + half_x - WIDTH, 0.0) + max(half_y - y, y + half_y - HEIGHT, 0.0)
    return 100.0 * beyond


def _cells(ra, dec):
    """Return the centres of the cells with alerts, and the number of alerts in each."""
    known = ~(np.isnan(ra) | np.isnan(dec))
    row = np.floor(dec[known] / _CELL)
    centre = (row + 0.5) * _CELL
    # All cells have about the same width on the sky, with a whole number per row.
    n_around = np.maximum(1, np.round(360.0 / _CELL * np.cos(np.radians(centre))))
    column = np.floor(ra[known] % 360.0 / 360.0 * n_around)
    cells, count = np.unique(
        [centre, (column + 0.5) * 360.0 / n_around], axis=1, return_counts=True
    )
    return cells[1], cells[0], count


def _project(ra, dec):
    """Apply the Hammer (1892) projection: RA increases to the left, 12h is at the centre."""
    longitude, latitude = np.radians(180.0 - np.asarray(ra, float)), np.radians(dec)
    depth = np.sqrt(1.0 + np.cos(latitude) * np.cos(longitude / 2))
    x = np.cos(latitude) * np.sin(longitude / 2) / depth
    y = np.sin(latitude) / depth
    half_x, half_y = WIDTH / 2 - _MARGIN, HEIGHT / 2 - _MARGIN
    return WIDTH / 2 + half_x * x, HEIGHT / 2 - half_y * y


def _pairs(x, y):
    return [[round(float(a), 1), round(float(b), 1)] for a, b in zip(x, y, strict=True)]


def _lines(ra, dec):
    """Project a line and split it where it crosses the edge of the map."""
    x, y = _project(ra, dec)
    cuts = np.flatnonzero(np.abs(np.diff(x)) > WIDTH / 4) + 1
    pieces = np.split(np.stack([x, y]), cuts, axis=1)
    return [_pairs(*piece) for piece in pieces if piece.shape[1] > 1]


def _meridians():
    dec = np.linspace(-90, 90, 37)
    # 0 and 360 degrees are the two edges of the map.
    return [_pairs(*_project(np.full(37, ra), dec)) for ra in np.linspace(0, 360, 13)]


def _parallels():
    ra = np.linspace(0, 360, 73)
    return [_pairs(*_project(ra, np.full(73, dec))) for dec in range(-60, 90, 30)]


def _names():
    hours = [(15.0 * hour, 0.0, f"{hour}h") for hour in range(4, 24, 4)]
    degrees = [(360.0, dec, f"{dec:+d}°".replace("-", "−")) for dec in (-60, -30, 30, 60)]
    return [
        [*position, text]
        for ra, dec, text in (*hours, *degrees)
        for position in _pairs(*_project(np.array([ra]), np.array([dec])))
    ]
