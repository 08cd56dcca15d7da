"""Labelled nights of any size, made from a seed.

The embedded default: a survey with ZTF's cadence looks at populations of artifacts,
asteroids, stars, active galaxies and transients, and what it detects becomes alerts. Each
population is one file here; `survey` has the exposures, `measure` the photometry, `packet`
and `context` the other fields of an alert.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.io.progress import track
from ztfml.lightcurves.history import History
from ztfml.night import Night, labels_beside
from ztfml.schema import PACKET_HISTORY
from ztfml.simulate import agn, artifacts, asteroids, noise, stars, transients
from ztfml.simulate.measure import Measurements, measure
from ztfml.simulate.neighbours import neighbourhood, reference_source
from ztfml.simulate.population import Counterpart, Stage, mag_of
from ztfml.simulate.quality_fields import quality, real_enough
from ztfml.simulate.sky import galactic_latitude
from ztfml.simulate.survey import LOOK_BACK, field_of, observe
from ztfml.taxonomy import LABELS

KINDS = (*artifacts.KINDS, *asteroids.KINDS, *stars.KINDS, *agn.KINDS, *transients.KINDS)

# Alerts by class on a public night without quality cuts.
MIXES = {
    "natural": {"artifact": 0.30, "sso": 0.20, "star": 0.42, "agn": 0.07, "transient": 0.01},
    "balanced": dict.fromkeys(LABELS, 0.2),
    # To tell transients from one another, and from the stars that look like them.
    "transients": {"artifact": 0.03, "sso": 0.07, "star": 0.3, "agn": 0.1, "transient": 0.5},
}
_NAMES = 26**7  # of seven letters
# Cumulative shares of sources with no history and with a packet's; the others have all there is.
HISTORIES = {"mixed": (0.05, 0.6), "long": (0.0, 0.0)}
# Shares of objects whose packets have what the alert's own night brought before it, limits and
# detections: next to nothing in public packets of 2018, later nearly all detections and limits
# of some.
_QUICKER = 2458484.5
_TONIGHT = ((0.15, 0.25), (0.4, 1.0))
_EVALUATED_AT_ONCE = 1_500_000  # pairs of source and exposure; bounds the memory in use


def simulate(n_alerts, n_nights=1, seed=1, mix="natural", start_jd=2460474.5, histories="mixed"):
    """Make labelled nights, one by one.

    Nights are successive nights of one sky: variable objects come again under their own
    names, with a history that grows. Equal arguments give equal nights, to the last byte
    of the files they are saved to.

    Parameters
    ----------
    n_alerts : int
        Alerts in each night.
    n_nights : int
    seed : int
    mix : {'natural', 'balanced', 'transients'}
        Classes as on an unfiltered public night, in equal numbers, or half of them transients.
        But for natural nights the rare kinds of a class are drawn by the square root of their
        natural share, so that the fast transients are there to be learnt.
    start_jd : float
        Julian date that the first night begins with (midnight UT, half-integer), d. Nights
        look as they did then: no drb before June 2019, little history in 2018.
    histories : {'mixed', 'long'}
        How long the histories are: some none, some what a packet ships, some all of half a
        year and more, so that a model learns from all of these; or all of it for every source
        that a broker keeps a history of.

    Yields
    ------
    night : Night
    labels : pandas.DataFrame
        ``candid``, ``objectId``, ``label``, ``evidence`` (``simulated: SN Ia``) and
        ``confidence``, in the order of the night's alerts.

    Raises
    ------
    DataError
        If a number is not positive, or the mix or kind of histories unknown.

    Examples
    --------
    >>> night, labels = next(simulate(200, seed=3))
    >>> len(night), len(labels)
    (200, 200)
    """
    if n_alerts < 1 or n_nights < 1:
        raise DataError(
            f"cannot simulate {n_alerts} alerts in {n_nights} nights; ask for at least one of each"
        )
    if mix not in MIXES:
        raise DataError(f"no mix {mix!r}; choose one of {', '.join(MIXES)}")
    if histories not in HISTORIES:
        raise DataError(f"no histories {histories!r}; choose one of {', '.join(HISTORIES)}")
    return _nights(n_alerts, n_nights, seed, mix, start_jd, histories)


def write_nights(
    folder, n_alerts, n_nights=1, seed=1, mix="natural", start_jd=2460474.5, histories="mixed"
):
    """Write simulated nights in the layout of real ones, labels beside them.

    Parameters
    ----------
    folder : str or Path
        Must exist. Each night is ``ztf_alerts_<jd>.parquet`` with its
        ``_prv_candidates.parquet`` and ``_labels.csv``.
    n_alerts, n_nights, seed, mix, start_jd, histories
        As in `simulate`.

    Returns
    -------
    list of Path
        The alerts' files.

    Raises
    ------
    DataError
        As `simulate`, and if the folder cannot be written to.

    Examples
    --------
    >>> write_nights("nights", 5000, n_nights=3)   # doctest: +SKIP
    [PosixPath('nights/ztf_alerts_2460474.5.parquet'), ...]
    """
    nights = simulate(n_alerts, n_nights, seed, mix, start_jd, histories)
    paths = []
    for night, labels in track(nights, "simulating nights", total=n_nights):
        path = Path(folder) / f"{night.name}.parquet"
        night.save(path)
        with write_beside(labels_beside(path)) as part:
            labels.to_csv(part, index=False, lineterminator="\n")
        paths.append(path)
    return paths


def _nights(n_alerts, n_nights, seed, mix, start_jd, histories):
    survey = observe(_generator(seed, 0), start_jd, n_nights)
    exposures = [survey.of_night(night) for night in range(n_nights)]
    quotas = _quotas(_generator(seed, 1), n_alerts, mix)
    casts = [
        block
        for number, kind in enumerate(KINDS)
        if quotas[number] > 0
        for block in _cast(seed, number, kind, quotas[number], survey, exposures)
    ]
    for block in casts:
        _look_back(survey, block, HISTORIES[histories])
    for night in range(n_nights):
        yield _assemble(seed, survey, night, casts, exposures[night])


def _generator(seed, *key):
    """A generator of its own for each purpose: results depend on no order of drawing."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _quotas(rng, n_alerts, mix):
    """Alerts of each kind: whole numbers that add up, the same on each night.

    Rare kinds get their fraction of an alert by chance: cumulative shares are cut at whole
    numbers from a random offset (systematic sampling).
    """
    shares = np.array([_share(kind, mix) for kind in KINDS])
    by_class = np.array([kind.label for kind in KINDS])
    for label, part in MIXES[mix].items():
        shares[by_class == label] *= part / shares[by_class == label].sum()
    bounds = np.floor(np.cumsum(shares) * n_alerts + rng.random())
    bounds[-1] = n_alerts
    return np.diff(bounds, prepend=0).astype(int)


@dataclass
class _Block:
    """Sources of one kind drawn together, the alerts they give and their history."""

    kind: object
    number: int
    sources: object
    key: np.ndarray
    alerts: dict  # night -> Measurements
    first_jd: float
    names: np.ndarray = None  # numbers that the sources are named after
    past: Measurements = None
    rows: np.ndarray = None  # sources with alerts
    since: np.ndarray = None  # when the history kept of each of them begins, jd
    before: dict = None
    around: dict = None


def _share(kind, mix):
    if mix == "natural":
        return kind.weight
    return kind.weight**0.5 if kind.balanced is None else kind.balanced


def _cast(seed, number, kind, quota, survey, exposures):
    """Draw sources of a kind until each night has its alerts of it.

    Sources are drawn without regard to whether they will be detected; what the survey
    detects in the order of drawing is taken until the quota is full. So an alert has the
    properties of what is detected, not of what exists, and a source detected on two nights
    is on both.
    """
    jobs = (
        [[night] for night in range(len(exposures))] if kind.one_night else [range(len(exposures))]
    )
    blocks = []
    for job, nights in enumerate(jobs):
        missing = dict.fromkeys(nights, quota)
        wanted = np.concatenate([exposures[night] for night in nights])
        stage = Stage(
            survey,
            np.unique(survey.field[wanted]),
            np.sort(wanted),
            survey.nights[nights[0]],
            survey.nights[nights[-1]] + 1,
        )
        first_name = (number * len(jobs) + job) * (_NAMES // len(KINDS) // len(jobs))
        drawn = 0
        while any(missing.values()):
            size = min(max(60, 3 * quota, drawn), 60_000)
            rng = _generator(seed, 2, number, job, drawn)
            block = _audition(rng, number, kind, stage, nights, missing, size)
            block.names = first_name + drawn + np.arange(size)
            drawn += size
            if block.alerts:
                blocks.append(block)
    return blocks


def _audition(rng, number, kind, stage, nights, missing, size):
    """Draw sources and keep what is detected of them, as far as it is still missing."""
    survey = stage.survey
    sources = kind.draw(rng, size, stage)
    key = rng.integers(0, 2**63, size).astype(np.uint64)
    place = field_of(sources.ra, sources.dec)
    alerts = {}
    for night in nights:
        begin = survey.nights[night]
        row, exposure = survey.exposures(place, begin, begin + 1)
        pairs = measure(survey, sources, key, row, exposure)
        taken = np.flatnonzero(pairs.detected)[: missing[night]]
        missing[night] -= len(taken)
        if len(taken):
            alerts[night] = pairs.take(taken)
    # A packet's history reaches back 30 d from the first alert.
    first_jd = stage.first_jd - (PACKET_HISTORY if kind.one_night else LOOK_BACK)
    return _Block(kind, number, sources, key, alerts, first_jd)


def _look_back(survey, block, histories):
    """Measure the chosen sources of a block in all exposures before and during the nights."""
    chosen = np.unique(np.concatenate([pairs.row for pairs in block.alerts.values()]))
    block.rows, block.since = chosen, _kept_since(block, chosen, histories)
    place = field_of(block.sources.ra[chosen], block.sources.dec[chosen])
    until = survey.nights[max(block.alerts)] + 1
    parts, covered = [], np.zeros(len(chosen), int)
    step = max(1, _EVALUATED_AT_ONCE // _most_exposures(survey, place, block.first_jd, until))
    for begin in range(0, len(chosen), step):
        some = slice(begin, begin + step)
        row, exposure = survey.exposures(place[some], block.first_jd, until)
        pairs = measure(survey, block.sources, block.key, chosen[some][row], exposure)
        covered[some] = np.bincount(row[pairs.jd < survey.nights[0]], minlength=len(place[some]))
        # What can be in no file is let go here, for the sake of memory.
        wanted = _carried(pairs, until) | (pairs.jd >= survey.nights[0])
        wanted &= pairs.jd >= block.since[some][row]
        parts.append(pairs.take(wanted | pairs.detected))
    block.past = Measurements(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    block.before = _before(survey, block, place, covered)


def _kept_since(block, rows, histories):
    """When the history kept of each source begins: what files hold differs from source to source.

    Some have what the packet of the first alert carries, some what a broker gathered in half
    a year, a few none: brokers keep none where drb stays low.
    """
    counterpart = block.sources.counterpart
    near = counterpart.distance[rows] < 1.2
    brightness = np.where(near, counterpart.mag[rows, 1], 23.0)
    good = real_enough(block.key[rows], brightness, block.kind.label)
    first = np.full(len(rows), np.inf)
    for pairs in block.alerts.values():
        np.minimum.at(first, np.searchsorted(rows, pairs.row), pairs.jd)
    begin = np.stack([np.full(len(rows), np.inf), first - PACKET_HISTORY, np.full(len(rows), -1.0)])
    part = noise.uniform(block.key[rows], np.zeros(len(rows), np.int64), 91)
    way = np.where(good, np.searchsorted(histories, part), np.where(part < 0.5, 0, 1))
    return begin[way, np.arange(len(rows))]


def _carried(past, end):
    """Which rows stand in the packet of a detection before `end`: it follows within 30 d."""
    index = np.arange(len(past.jd))
    following = np.where(past.detected & (past.jd < end), index, len(index))
    following = np.minimum.accumulate(following[::-1])[::-1]
    then = np.append(past.jd, np.inf)[following]
    whose = np.append(past.row, -1)[following]
    return (whose == past.row) & (then - past.jd <= PACKET_HISTORY)


def _most_exposures(survey, place, first_jd, last_jd):
    _, exposure = survey.exposures(np.unique(place), first_jd, last_jd)
    return max(1, np.bincount(survey.field[exposure]).max(initial=1))


def _before(survey, block, place, covered):
    """What happened at each place before the exposures that are simulated."""
    n = len(block.rows)
    rng = _generator(int(block.key[0]), 0)
    past = block.past
    at = np.searchsorted(block.rows, past.row)
    coverage = np.floor(survey.old_coverage[place] * rng.uniform(0.8, 1.2, n)).astype(int)
    if block.kind.one_night:
        # Another asteroid, or a fault, once in a while.
        old = np.minimum(rng.random(n) < 0.06, coverage)
    elif block.sources.steady:
        earlier = past.detected & (past.jd < survey.nights[0])
        found = np.bincount(at[earlier], minlength=n)
        old = rng.binomial(coverage, found / np.maximum(covered, 1))
    else:
        # A nucleus that others before it were detected in, or a fault of the subtraction there.
        apart = np.nan_to_num(block.sources.counterpart.distance[block.rows], nan=np.inf)
        seen = rng.random(n) < np.where(apart < 1.0, 0.25, 0.06)
        old = np.minimum(seen * rng.geometric(0.3, n), coverage)
    first = np.full(n, np.inf)
    np.minimum.at(first, at[past.detected], past.jd[past.detected])
    begin = np.minimum(survey.begin[place], block.first_jd)
    early = begin + (block.first_jd - begin) * rng.beta(1, np.maximum(old, 1))
    return {
        "old_detections": old,
        # Neighbouring fields overlap: a place is covered oftener than its field.
        "old_coverage": coverage + rng.integers(2, 8, n),
        "first_jd": np.where((old > 0) & (early < block.first_jd), early, first),
    }


def _assemble(seed, survey, night, casts, exposures):
    """One night's alerts, history and labels out of the measurements of all blocks."""
    blocks = [block for block in casts if night in block.alerts]
    tables, curves, names = [], [], []
    for number, block in enumerate(blocks):
        table = _alerts(_generator(seed, 3, block.number, night, number), survey, night, block)
        tables.append(table)
        rows, owner = _history(survey, night, block)
        curves.append(rows)
        names.append(owner)
    alerts = pd.concat(tables, ignore_index=True)
    # A night's file has the alerts as they came, exposure by exposure.
    order = np.argsort(alerts["jd"].to_numpy(), kind="stable")
    alerts = alerts.iloc[order].reset_index(drop=True)
    alerts.insert(1, "candid", _candids(alerts["jd"].to_numpy()))
    name = f"ztf_alerts_{survey.nights[night]:.1f}"
    labels = pd.DataFrame(
        {
            "candid": alerts["candid"],
            "objectId": alerts["objectId"],
            "label": alerts.pop("label"),
            "evidence": "simulated: " + alerts.pop("kind"),
            "confidence": "high",
        }
    )
    history, object_ids = _join(curves, names)
    return Night(alerts, history, object_ids, name), labels


def _alerts(rng, survey, night, block):
    """The alerts of a block as a table with ztfml's column names."""
    pairs, sources = block.alerts[night], block.sources
    n = len(pairs.jd)
    own, at = np.unique(pairs.row, return_inverse=True)
    counterpart = Counterpart(
        sources.counterpart.kind[own],
        sources.counterpart.mag[own],
        sources.counterpart.distance[own],
    )
    # What surrounds a source is drawn from the source's own keys: the same on each night.
    around = _around(block, own)
    each = {name: values[at] for name, values in around.items()}
    here = Counterpart(*(values[at] for values in vars(counterpart).values()))
    fid = pairs.fid.astype(np.int64)
    shown = np.full(n, np.nan)
    if sources.steady:
        shown = mag_of(np.maximum(sources.glare[pairs.row, fid - 1], 1e-3))
    near = reference_source(rng, here, each, fid, shown)
    fields = quality(
        rng, pairs, block.key[pairs.row], survey.seeing[pairs.exposure], near, block.kind
    )
    now = np.searchsorted(block.rows, pairs.row)
    seen = _counts(survey, block, pairs)
    before = {name: values[now] for name, values in block.before.items()}
    jitter = rng.normal(0, 0.08 + 0.5 / np.maximum(pairs.scorr, 5), (2, n)) / 3600
    dec = sources.dec[pairs.row] + jitter[0]
    columns = {
        "objectId": _object_ids(block, pairs.row, before["first_jd"]),
        "jd": pairs.jd,
        "fid": fid.astype(float),
        "magpsf": pairs.magpsf,
        "sigmapsf": pairs.sigmapsf,
        "isdiffpos": pairs.sign,
        "ra": (sources.ra[pairs.row] + jitter[1] / np.cos(np.radians(dec))) % 360,
        "dec": dec,
        "diffmaglim": pairs.limit,
        **fields,
        **near,
        "ndethist": seen["detections"] + before["old_detections"],
        "ncovhist": seen["coverage"] + before["old_coverage"],
        "jdstarthist": before["first_jd"],
        "ssdistnr": np.full(n, np.nan),
        "ssmagnr": np.full(n, np.nan),
        "ssnamenr": np.full(n, "null"),
        **each,
    }
    for name, values in sources.shared.items():
        columns[name] = values[pairs.row]
    table = pd.DataFrame(columns).astype({"objectId": "str", "ssnamenr": "str"})
    return table.assign(label=block.kind.label, kind=block.kind.name)


def _around(block, own):
    """PS1 and Gaia surroundings of a block's chosen sources, drawn once for all nights."""
    if block.around is None:
        rows = block.rows
        where = block.sources.counterpart
        latitude = galactic_latitude(block.sources.ra[rows], block.sources.dec[rows])
        block.around = neighbourhood(
            _generator(int(block.key[0]), 1),
            Counterpart(where.kind[rows], where.mag[rows], where.distance[rows]),
            latitude,
        )
    at = np.searchsorted(block.rows, own)
    return {name: values[at] for name, values in block.around.items()}


def _counts(survey, block, pairs):
    """Detections and exposures of each alert's place up to and with the alert."""
    past = block.past
    # Both are sorted by source, then exposure.
    step = np.int64(len(survey.jd))
    found = np.searchsorted(past.row * step + past.exposure, pairs.row * step + pairs.exposure)
    total = np.cumsum(past.detected)
    first = np.searchsorted(past.row, pairs.row)
    before = np.where(first > 0, total[first - 1], 0)
    place = survey.field[pairs.exposure]
    return {
        "detections": (total[found] - before).astype(float),
        "coverage": (pairs.exposure - survey.start[place] + 1).astype(float),
    }


def _history(survey, night, block):
    """History rows of a block's objects of a night, and whose they are.

    A file's history is merged over the packets of all alerts of the object so far, each of
    which carries the 30 d before it: rows that no detection followed within 30 d are in no
    packet.
    """
    past, end = block.past, survey.nights[night] + 1
    tonight = np.zeros(len(block.rows), bool)
    tonight[np.searchsorted(block.rows, block.alerts[night].row)] = True
    at = np.searchsorted(block.rows, past.row)
    keep = (_carried(past, end) | (past.jd >= end - 1)) & (past.jd < end)
    keep &= tonight[at] & (past.jd >= block.since[at])
    part = noise.uniform(block.key[past.row], np.full(len(past.row), night), 92)
    limits, detections = _TONIGHT[int(end > _QUICKER)]
    keep &= (past.jd < end - 1) | (part < np.where(past.detected, detections, limits))
    rows = past.take(keep)
    owner, count = np.unique(rows.row, return_counts=True)
    first_jd = block.before["first_jd"][np.searchsorted(block.rows, owner)]
    magpsf = np.where(rows.detected, rows.magpsf, np.nan)
    curve = History(
        jd=rows.jd,
        fid=rows.fid.astype(np.int8),
        magpsf=magpsf,
        sigmapsf=np.where(rows.detected, rows.sigmapsf, np.nan),
        diffmaglim=rows.limit,
        isdiffpos=np.where(rows.detected, rows.sign, 0).astype(np.int8),
        start=count,
    )
    return curve, _object_ids(block, owner, first_jd)


def _join(curves, names):
    """One history out of those of the blocks; objects stay in the order of the blocks."""
    columns = [
        np.concatenate(values) for values in zip(*(curve[:-1] for curve in curves), strict=True)
    ]
    count = np.concatenate([curve.start for curve in curves])
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return History(*columns, start=start), pa.array(np.concatenate(names), pa.string())


def _object_ids(block, row, first_jd):
    """ZTF names: the year of the first detection and seven letters."""
    # Multiplying by a number without the factors 2 and 13 shuffles the names, one to one,
    # so that kinds do not stand together in a sorted list.
    shuffled = block.names[row] * 1_000_003 % _NAMES
    letters = np.empty((len(row), 7), np.uint8)
    for place in range(6, -1, -1):
        letters[:, place] = shuffled % 26 + ord("a")
        shuffled = shuffled // 26
    year = 2000 + (first_jd - 2451544.5) / 365.2425
    head = np.char.add("ZTF", np.char.mod("%02d", (year % 100).astype(int)))
    return np.char.add(head, letters.view("S7").ravel().astype("U7"))


def _candids(jd):
    """Alert numbers as ZTF makes them: night, fraction of the day, then a serial number."""
    moment = np.floor((jd - 2457754.5) * 1e6).astype(np.int64)
    first = np.searchsorted(moment, moment)  # alerts come sorted by jd
    serial = np.arange(len(jd)) - first
    return moment * 10**9 + 15 * 10**6 + serial
