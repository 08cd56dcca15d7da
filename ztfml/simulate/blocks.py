"""Draw sources of a population until the survey has detected enough of them.

Sources are drawn without regard to whether they will be detected. The detected ones are
accepted in the order of drawing until each night has its quota of alerts. The alerts therefore
have the properties of detected sources, and a source that is detected on two nights has alerts
on both.

The number of sources drawn at once does not depend on the quota. If another population is
added and the quota shrinks, the remaining alerts are the same as before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ztfml.schema import PACKET_HISTORY
from ztfml.simulate.measure import Measurements, measure
from ztfml.simulate.registry import Population
from ztfml.simulate.seeds import generator
from ztfml.simulate.source import ObservedNights, Sources
from ztfml.simulate.survey import LOOK_BACK, Survey, field_of

_SMALLEST, _LARGEST = 256, 65_536  # sources drawn at once


@dataclass
class Block:
    """Sources of one population that were drawn together, with their alerts.

    Attributes
    ----------
    population : Population
    number : int
        Number of the block within its population.
    sources : Sources
    key : ndarray of uint64, shape (n_sources,)
        Random key of each source, for random numbers that belong to it.
    detected : dict of int to Measurements
        All detections of each night.
    n_accepted : dict of int to int
        How many of these detections are alerts: the first ones, up to the quota.
    first_jd : float
        Start of the simulated exposures, JD.
    candidates : ndarray of int64
        Sources with a detection on any of the nights.
    rows : ndarray of int64
        Sources with an alert.
    """

    population: Population
    number: int
    sources: Sources
    key: np.ndarray
    detected: dict[int, Measurements]
    n_accepted: dict[int, int]
    first_jd: float
    candidates: np.ndarray = field(init=False)
    rows: np.ndarray = field(init=False)

    def __post_init__(self):
        self.candidates = _unique_rows(self.detected.values())
        self.rows = _unique_rows(self.alerts(night) for night in self.nights())

    def nights(self) -> list[int]:
        """Return the numbers of the nights on which the block has alerts."""
        return [night for night, count in self.n_accepted.items() if count]

    def alerts(self, night: int) -> Measurements:
        """Return the measurements that are alerts of a night."""
        return self.detected[night].take(slice(self.n_accepted[night]))


def draw_blocks(
    seed: int,
    population: Population,
    quota: int,
    survey: Survey,
    exposures: Sequence[np.ndarray],
) -> list[Block]:
    """Draw sources of a population until each night has its quota of alerts.

    Parameters
    ----------
    seed : int
    population : Population
    quota : int
        Alerts on each night.
    survey : Survey
    exposures : sequence of ndarray of int64
        Exposures of each night.

    Returns
    -------
    list of Block

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> from ztfml.simulate.survey import observe
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> blocks = draw_blocks(1, POPULATIONS[0], 20, survey, [survey.of_night(0)])
    >>> sum(block.n_accepted[0] for block in blocks)
    20
    """
    all_nights = range(len(exposures))
    jobs = [[night] for night in all_nights] if population.one_night else [list(all_nights)]
    blocks = []
    for job, nights in enumerate(jobs):
        missing = dict.fromkeys(nights, quota)
        observed = _observed(survey, nights, exposures)
        n_drawn = 0
        while any(missing.values()):
            size = min(max(_SMALLEST, n_drawn), _LARGEST)
            rng = generator(seed, "sources", population.name, job, n_drawn)
            block = _draw_block(rng, population, len(blocks), observed, missing, size)
            n_drawn += size
            if len(block.rows):
                blocks.append(block)
    return blocks


def _observed(survey, nights, exposures):
    chosen = np.sort(np.concatenate([exposures[night] for night in nights]))
    return ObservedNights(
        survey,
        np.unique(survey.field[chosen]),
        chosen,
        survey.nights[nights[0]],
        survey.nights[nights[-1]] + 1,
    )


def _draw_block(rng, population, number, observed, missing, size):
    """Draw sources, detect them, and reduce `missing` by the number of accepted alerts."""
    survey = observed.survey
    sources = population.draw(rng, size, observed)
    key = rng.integers(0, 2**63, size).astype(np.uint64)
    source_field = field_of(sources.ra, sources.dec)
    detected, n_accepted = {}, {}
    for night in missing:
        begin = survey.nights[night]
        pairs = measure(survey, sources, key, *survey.exposures(source_field, begin, begin + 1))
        detected[night] = pairs.take(pairs.detected)
        n_accepted[night] = min(len(detected[night].jd), missing[night])
        missing[night] -= n_accepted[night]
    look_back = PACKET_HISTORY if population.one_night else LOOK_BACK
    first_jd = observed.first_jd - look_back
    return Block(population, number, sources, key, detected, n_accepted, first_jd)


def _unique_rows(measurements):
    rows = [pairs.row for pairs in measurements]
    return np.unique(np.concatenate(rows)) if rows else np.empty(0, np.int64)
