"""Measure the selected sources in all exposures before the alerts, and keep their history."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from ztfml.lightcurves.history import History
from ztfml.schema import PACKET_HISTORY
from ztfml.simulate import noise
from ztfml.simulate.blocks import Block
from ztfml.simulate.measure import Measurements, measure
from ztfml.simulate.quality_fields import has_broker_history
from ztfml.simulate.seeds import generator
from ztfml.simulate.survey import Survey, field_of

HISTORIES = {"mixed": (0.05, 0.6), "long": (0.0, 0.0)}
"""Cumulative fractions of sources without history, and with the history of one packet. All other
sources have all rows."""

# Fractions of objects whose files have the limits, and the detections, that were taken earlier in
# the night of the alert: nearly none in public packets of 2018; later nearly all detections and
# the limits of some objects.
_MORE_TONIGHT = 2458484.5
_TONIGHT = ((0.15, 0.25), (0.4, 1.0))
_MAX_PAIRS = 1_500_000  # pairs of source and exposure measured at once; limits the memory


@dataclass
class Past:
    """Measurements of the sources of a block that have alerts, before and during the nights.

    Attributes
    ----------
    measured : Measurements
        All detections, and the limits that a file can contain; sorted by source and time.
    history_start : ndarray, shape (n_rows,), JD
        When the stored history of each of ``block.rows`` begins.
    first_jd : ndarray, shape (n_rows,), JD
        First detection, which may be earlier than the simulated exposures.
    n_old_detections, n_old_exposures : ndarray, shape (n_rows,)
        Detections and exposures before the simulated exposures.
    """

    measured: Measurements
    history_start: np.ndarray
    first_jd: np.ndarray
    n_old_detections: np.ndarray
    n_old_exposures: np.ndarray


def look_back(survey: Survey, block: Block, histories: str) -> Past:
    """Measure the sources of a block that have alerts in all exposures up to the last alert.

    Parameters
    ----------
    survey : Survey
    block : Block
    histories : {'mixed', 'long'}
        A key of `HISTORIES`.

    Returns
    -------
    Past

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> from ztfml.simulate.blocks import draw_blocks
    >>> from ztfml.simulate.survey import observe
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> block, *_ = draw_blocks(1, POPULATIONS[0], 20, survey, [survey.of_night(0)])
    >>> past = look_back(survey, block, "mixed")
    >>> len(past.first_jd) == len(block.rows)
    True
    """
    rows = block.rows
    history_start = _history_start(block, histories)
    source_field = field_of(block.sources.ra[rows], block.sources.dec[rows])
    until = survey.nights[max(block.nights())] + 1
    parts, n_exposures = [], np.zeros(len(rows), int)
    most = _most_exposures(survey, source_field, block.first_jd, until)
    step = max(1, _MAX_PAIRS // most)
    for begin in range(0, len(rows), step):
        part = slice(begin, begin + step)
        row, exposure = survey.exposures(source_field[part], block.first_jd, until)
        pairs = measure(survey, block.sources, block.key, rows[part][row], exposure)
        n_exposures[part] = np.bincount(
            row[pairs.jd < survey.nights[0]], minlength=len(source_field[part])
        )
        # Drop limits that no file can contain, to save memory.
        wanted = in_packet(pairs, until) | (pairs.jd >= survey.nights[0])
        wanted &= pairs.jd >= history_start[part][row]
        parts.append(pairs.take(wanted | pairs.detected))
    measured = Measurements(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    before = _before_exposures(survey, block, measured, source_field, n_exposures)
    return Past(measured, history_start, *before)


def _history_start(block, histories):
    """When the stored history of each source begins, JD.

    It differs between sources: some have the history of their first alert's packet, some all
    that a broker collected, a few none. Brokers store none where drb stays low.
    """
    rows, counterpart = block.rows, block.sources.counterpart
    near = counterpart.distance[rows] < 1.2
    reference_mag = np.where(near, counterpart.mag[rows, 1], 23.0)
    with_broker = has_broker_history(block.key[rows], reference_mag, block.population.label)
    first_alert = np.full(len(rows), np.inf)
    for night in block.nights():
        alerts = block.alerts(night)
        np.minimum.at(first_alert, np.searchsorted(rows, alerts.row), alerts.jd)
    none, everything = np.full(len(rows), np.inf), np.full(len(rows), -1.0)
    begin = np.stack([none, first_alert - PACKET_HISTORY, everything])
    uniform = noise.uniform(block.key[rows], np.zeros(len(rows), np.int64), 91)
    choice = np.where(
        with_broker,
        np.searchsorted(HISTORIES[histories], uniform),
        np.where(uniform < 0.5, 0, 1),
    )
    return begin[choice, np.arange(len(rows))]


def in_packet(measured: Measurements, end: float) -> np.ndarray:
    """Find which rows are in the packet of a detection before `end`.

    Parameters
    ----------
    measured : Measurements
        Sorted by source and time.
    end : float
        JD.

    Returns
    -------
    ndarray of bool
        True if the source is detected before `end` and within 30 d after the row.

    Examples
    --------
    >>> jd = np.array([2460400.0, 2460460.0, 2460470.0])
    >>> rows = Measurements(*[np.zeros(3)] * 2, jd, *[np.zeros(3)] * 6, np.array([0, 0, 1], bool))
    >>> in_packet(rows, 2460475.0)
    array([False,  True,  True])
    """
    n = len(measured.jd)
    next_detection = np.where(measured.detected & (measured.jd < end), np.arange(n), n)
    next_detection = np.minimum.accumulate(next_detection[::-1])[::-1]
    next_jd = np.append(measured.jd, np.inf)[next_detection]
    next_row = np.append(measured.row, -1)[next_detection]
    return (next_row == measured.row) & (next_jd - measured.jd <= PACKET_HISTORY)


def _most_exposures(survey, fields, first_jd, last_jd):
    _, exposure = survey.exposures(np.unique(fields), first_jd, last_jd)
    return max(1, np.bincount(survey.field[exposure]).max(initial=1))


def _before_exposures(survey, block, measured, source_field, n_exposures):
    """First detection, detections and exposures before the exposures that are simulated."""
    n = len(block.rows)
    rng = generator(int(block.key[0]), 0)
    # One set of numbers for each candidate, whether or not it has an alert.
    at = np.searchsorted(block.candidates, block.rows)
    scale, seen, count, when = rng.random((4, len(block.candidates)))[:, at]
    extra = rng.integers(2, 8, len(block.candidates))[at]
    row = np.searchsorted(block.rows, measured.row)
    n_old = np.floor(survey.old_coverage[source_field] * (0.8 + 0.4 * scale)).astype(int)
    if block.population.one_night:
        # Now and then another asteroid or fault was at this position.
        old = np.minimum(seen < 0.06, n_old)
    elif block.sources.persistent:
        earlier = measured.detected & (measured.jd < survey.nights[0])
        found = np.bincount(row[earlier], minlength=n)
        old = binom.ppf(count, n_old, found / np.maximum(n_exposures, 1)).astype(int)
    else:
        # Earlier detections of the nucleus, or a fault of the subtraction there.
        distance = np.nan_to_num(block.sources.counterpart.distance[block.rows], nan=np.inf)
        geometric = 1 + np.floor(np.log1p(-count) / np.log(0.7)).astype(int)
        old = np.minimum((seen < np.where(distance < 1.0, 0.25, 0.06)) * geometric, n_old)
    first = np.full(n, np.inf)
    np.minimum.at(first, row[measured.detected], measured.jd[measured.detected])
    begin = np.minimum(survey.begin[source_field], block.first_jd)
    # The earliest of `old` dates that are spread evenly since alerts began.
    early = begin + (block.first_jd - begin) * (1 - (1 - when) ** (1 / np.maximum(old, 1)))
    first = np.where((old > 0) & (early < block.first_jd), early, first)
    # Neighbouring fields overlap: a position is observed more often than its field.
    return first, old, n_old + extra


def history_rows(
    survey: Survey, night: int, block: Block, past: Past
) -> tuple[History, np.ndarray]:
    """Select the history rows of the objects of a block that have alerts on a night.

    A file contains the packets of all alerts of an object so far, each with the 30 d before it.
    Rows that no detection follows within 30 d are in no packet.

    Parameters
    ----------
    survey : Survey
    night : int
    block : Block
    past : Past

    Returns
    -------
    history : History
        ``start`` has the number of rows of each object.
    index : ndarray of int64
        Position of each object in ``block.rows``.

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> from ztfml.simulate.blocks import draw_blocks
    >>> from ztfml.simulate.survey import observe
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> block, *_ = draw_blocks(1, POPULATIONS[0], 20, survey, [survey.of_night(0)])
    >>> history, index = history_rows(survey, 0, block, look_back(survey, block, "long"))
    >>> len(history.start) == len(index)
    True
    """
    measured, end = past.measured, survey.nights[night] + 1
    with_alert = np.zeros(len(block.rows), bool)
    with_alert[np.searchsorted(block.rows, block.alerts(night).row)] = True
    at = np.searchsorted(block.rows, measured.row)
    tonight = measured.jd >= end - 1
    keep = (in_packet(measured, end) | tonight) & (measured.jd < end)
    keep &= with_alert[at] & (measured.jd >= past.history_start[at])
    uniform = noise.uniform(block.key[measured.row], np.full(len(measured.row), night), 92)
    limits, detections = _TONIGHT[int(end > _MORE_TONIGHT)]
    keep &= ~tonight | (uniform < np.where(measured.detected, detections, limits))
    rows = measured.take(keep)
    index, count = np.unique(at[keep], return_counts=True)
    history = History(
        jd=rows.jd,
        fid=rows.fid.astype(np.int8),
        magpsf=np.where(rows.detected, rows.magpsf, np.nan),
        sigmapsf=np.where(rows.detected, rows.sigmapsf, np.nan),
        diffmaglim=rows.limit,
        isdiffpos=np.where(rows.detected, rows.sign, 0).astype(np.int8),
        start=count,
    )
    return history, index
