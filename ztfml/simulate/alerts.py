"""The alerts of a block with all fields of their packets."""

import numpy as np

from ztfml.simulate.blocks import Block
from ztfml.simulate.identifiers import candids, object_ids
from ztfml.simulate.neighbourhood import draw_neighbours, draw_reference_source
from ztfml.simulate.past import Past
from ztfml.simulate.quality_fields import draw_quality
from ztfml.simulate.seeds import generator
from ztfml.simulate.sky import galactic_latitude
from ztfml.simulate.source import mag_of
from ztfml.simulate.survey import Survey


def catalogue_fields(block: Block) -> dict[str, np.ndarray]:
    """Draw the PS1 and Gaia neighbours of the candidates of a block, the same on every night.

    Parameters
    ----------
    block : Block

    Returns
    -------
    dict of ndarray
        The fields of `draw_neighbours`, one value for each of ``block.candidates``.

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> from ztfml.simulate.blocks import draw_blocks
    >>> from ztfml.simulate.survey import observe
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> block, *_ = draw_blocks(1, POPULATIONS[0], 20, survey, [survey.of_night(0)])
    >>> len(catalogue_fields(block)["sgscore1"]) == len(block.candidates)
    True
    """
    rows, sources = block.candidates, block.sources
    latitude = galactic_latitude(sources.ra[rows], sources.dec[rows])
    rng = generator(int(block.key[0]), 1)
    return draw_neighbours(rng, sources.counterpart.take(rows), latitude)


def alert_columns(
    seed: int,
    survey: Survey,
    night: int,
    block: Block,
    past: Past,
    catalogue: dict[str, np.ndarray],
    number: np.ndarray,
) -> dict[str, np.ndarray]:
    """Make the alerts of a block on one night.

    Parameters
    ----------
    seed : int
    survey : Survey
    night : int
    block : Block
    past : Past
    catalogue : dict of ndarray
        From `catalogue_fields`.
    number : ndarray of int64
        From `name_numbers`, one for each of ``block.rows``.

    Returns
    -------
    dict of ndarray
        Columns of the table of alerts, in ztfml's names.

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> from ztfml.simulate.blocks import draw_blocks
    >>> from ztfml.simulate.identifiers import name_numbers
    >>> from ztfml.simulate.past import look_back
    >>> from ztfml.simulate.survey import observe
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> block, *_ = draw_blocks(1, POPULATIONS[0], 20, survey, [survey.of_night(0)])
    >>> past, (number,) = look_back(survey, block, "mixed"), name_numbers([block])
    >>> columns = alert_columns(1, survey, 0, block, past, catalogue_fields(block), number)
    >>> len(columns["candid"]) == len(block.alerts(0).jd)
    True
    """
    drawn = _drawn_fields(seed, survey, night, block, catalogue)
    n = block.n_accepted[night]
    drawn = {name: values[:n] for name, values in drawn.items()}
    alerts, sources = block.alerts(night), block.sources
    at = np.searchsorted(block.rows, alerts.row)
    counts = _counts(survey, past, alerts)
    fixed = {
        "ssdistnr": np.full(n, np.nan),
        "ssmagnr": np.full(n, np.nan),
        "ssnamenr": np.full(n, "null"),
    }
    fixed |= {name: values[alerts.row] for name, values in sources.alert_fields.items()}
    return {
        "objectId": object_ids(number[at], past.first_jd[at]),
        "candid": candids(alerts.jd, block.key[alerts.row], alerts.exposure.astype(np.int64)),
        "jd": alerts.jd,
        "fid": alerts.fid.astype(float),
        "magpsf": alerts.magpsf,
        "sigmapsf": alerts.sigmapsf,
        "isdiffpos": alerts.sign,
        "diffmaglim": alerts.limit,
        **drawn,
        "ndethist": counts["detections"] + past.n_old_detections[at],
        "ncovhist": counts["exposures"] + past.n_old_exposures[at],
        "jdstarthist": past.first_jd[at],
        **fixed,
    }


def _drawn_fields(seed, survey, night, block, catalogue):
    """Position, quality, reference source and neighbours of all detections of a night.

    They are drawn for all detections, so that they do not depend on how many are accepted.
    """
    rng = generator(seed, "alerts", block.population.name, night, block.number)
    pairs, sources = block.detected[night], block.sources
    fid = pairs.fid.astype(np.int64)
    at = np.searchsorted(block.candidates, pairs.row)
    neighbours = {name: values[at] for name, values in catalogue.items()}
    reference_mag = np.full(len(pairs.jd), np.nan)
    if sources.persistent:
        reference_mag = mag_of(np.maximum(sources.reference_flux[pairs.row, fid - 1], 1e-3))
    counterpart = sources.counterpart.take(pairs.row)
    reference = draw_reference_source(rng, counterpart, neighbours, fid, reference_mag)
    seeing = survey.seeing[pairs.exposure]
    fields = draw_quality(rng, pairs, block.key[pairs.row], seeing, reference, block.population)
    error = 0.08 + 0.5 / np.maximum(pairs.scorr, 5)  # arcsec
    shift = rng.normal(0, error, (2, len(error))) / 3600
    dec = sources.dec[pairs.row] + shift[0]
    ra = (sources.ra[pairs.row] + shift[1] / np.cos(np.radians(dec))) % 360
    return {"ra": ra, "dec": dec, **fields, **reference, **neighbours}


def _counts(survey, past, alerts):
    """Detections and exposures of each alert's position, up to and including the alert."""
    measured = past.measured
    # Both are sorted by source, then exposure.
    step = np.int64(len(survey.jd))
    at = np.searchsorted(
        measured.row * step + measured.exposure, alerts.row * step + alerts.exposure
    )
    total = np.cumsum(measured.detected)
    first = np.searchsorted(measured.row, alerts.row)
    before = np.where(first > 0, total[first - 1], 0)
    field = survey.field[alerts.exposure]
    return {
        "detections": (total[at] - before).astype(float),
        "exposures": (alerts.exposure - survey.start[field] + 1).astype(float),
    }
