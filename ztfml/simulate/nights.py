"""Simulate labelled nights, and write them in the layout of real nights."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.errors import DataError
from ztfml.io.atomic import write_together
from ztfml.io.companions import forced_beside, galaxies_beside, history_beside, labels_beside
from ztfml.io.parquet import WRITE_OPTIONS
from ztfml.io.progress import track
from ztfml.lightcurves.forced import Forced, write_forced
from ztfml.lightcurves.history import History
from ztfml.night import Night
from ztfml.simulate.alerts import alert_columns, catalogue_fields
from ztfml.simulate.blocks import draw_blocks
from ztfml.simulate.forced import FORCED_SINCE, forced_rows
from ztfml.simulate.galaxies import draw_galaxies, draw_hosts_of
from ztfml.simulate.identifiers import name_numbers, object_ids
from ztfml.simulate.mix import MIXES, alert_quotas
from ztfml.simulate.past import HISTORIES, history_rows, look_back
from ztfml.simulate.registry import Population, find_populations, sort_populations
from ztfml.simulate.seeds import generator
from ztfml.simulate.survey import observe

POPULATIONS = find_populations()


def simulate(
    n_alerts: int,
    n_nights: int = 1,
    seed: int = 1,
    mix: str = "natural",
    start_jd: float = 2460474.5,
    histories: str = "mixed",
    populations: Iterable[Population] = POPULATIONS,
    forced: bool = True,
) -> Iterator[tuple[Night, pd.DataFrame]]:
    """Simulate labelled nights, one by one.

    The nights are successive nights of one sky: variable objects appear again under the same
    name, with a longer history. Equal arguments give equal nights, and files that are equal to
    the last byte. Each population has its own random numbers: adding one or changing their
    order changes how many alerts the others have, but not the alerts themselves.

    Parameters
    ----------
    n_alerts : int
        Alerts on each night.
    n_nights : int
    seed : int
    mix : {'natural', 'balanced', 'transients'}
        Classes as on an unfiltered public night, classes in equal numbers, or half of the alerts
        transients. Outside natural nights, rare populations are more common: they have the
        square root of their natural fraction, so that a model can learn fast transients.
    start_jd : float
        Julian date at which the first night begins (midnight UT, ending in .5). The nights look
        like real ones of that date: no drb before June 2019, little history in 2018.
    histories : {'mixed', 'long'}
        'mixed': some sources without history, some with the 30 d of one packet, some with more
        than half a year, so that a model learns from all of them. 'long': all rows for every
        source whose history a broker stores.
    populations : iterable of Population
        Which sources to simulate; by default all of them.
    forced : bool, default True
        Whether nights since September 2023 have forced photometry, as real packets do.

    Yields
    ------
    night : Night
    labels : pandas.DataFrame
        ``candid``, ``objectId``, ``label``, ``evidence`` (``simulated: SN Ia``) and
        ``confidence``, in the order of the night's alerts.

    Raises
    ------
    DataError
        If a number is not positive, or if the mix or the kind of histories is unknown.

    Examples
    --------
    >>> night, labels = next(simulate(200, seed=3))
    >>> len(night), len(labels)
    (200, 200)
    >>> labels["label"].value_counts()["star"]
    np.int64(84)
    """
    _check(n_alerts, n_nights, mix, histories)
    ordered = sort_populations(populations)
    nights = _nights(n_alerts, n_nights, seed, mix, start_jd, histories, ordered, forced)
    return ((night, labels) for night, labels, _ in nights)


def _check(n_alerts, n_nights, mix, histories):
    if n_alerts < 1 or n_nights < 1:
        raise DataError(
            f"cannot simulate {n_alerts} alerts on {n_nights} nights; request at least one of each"
        )
    if mix not in MIXES:
        raise DataError(f"unknown mix {mix!r}; choose one of {', '.join(MIXES)}")
    if histories not in HISTORIES:
        raise DataError(f"unknown histories {histories!r}; choose one of {', '.join(HISTORIES)}")


def write_nights(
    folder: str | Path,
    n_alerts: int,
    n_nights: int = 1,
    seed: int = 1,
    mix: str = "natural",
    start_jd: float = 2460474.5,
    histories: str = "mixed",
    forced: bool = True,
) -> list[Path]:
    """Write simulated nights and their labels in the layout of real nights.

    Parameters
    ----------
    folder : str or Path
        An existing folder. Each night is written as ``ztf_alerts_<jd>.parquet`` with its
        ``_prv_candidates.parquet`` and ``_labels.csv``, forced photometry in
        ``_fp_hists.parquet``, and a catalogue of galaxies for ``--galaxies``,
        ``_galaxies.parquet``.
    n_alerts, n_nights, seed, mix, start_jd, histories, forced
        As in `simulate`.

    Returns
    -------
    list of Path
        The files of alerts.

    Raises
    ------
    DataError
        As `simulate`, and if the folder cannot be written to.

    Examples
    --------
    >>> [path.name for path in write_nights(".", 50, n_nights=2)]
    ['ztf_alerts_2460474.5.parquet', 'ztf_alerts_2460475.5.parquet']
    """
    _check(n_alerts, n_nights, mix, histories)
    populations = sort_populations(POPULATIONS)
    nights = _nights(n_alerts, n_nights, seed, mix, start_jd, histories, populations, forced)
    paths = []
    for night, labels, hosts in track(nights, "simulating nights", total=n_nights):
        path = Path(folder) / f"{night.name}.parquet"
        ra, dec = (night.alerts[name].to_numpy() for name in ("ra", "dec"))
        galaxies = draw_galaxies(seed, ra, dec, hosts)
        companions = (history_beside, labels_beside, galaxies_beside, forced_beside)
        names = (path, *(companion(path) for companion in companions))
        with write_together(*names) as parts:
            alerts_part, history_part, labels_part, galaxies_part, forced_part = parts
            write_forced(night.forced, forced_part)
            galaxies.to_parquet(galaxies_part, index=False, **WRITE_OPTIONS)
            night.write_tables(alerts_part, history_part)
            labels.to_csv(labels_part, index=False, lineterminator="\n")
        paths.append(path)
    return paths


def _nights(n_alerts, n_nights, seed, mix, start_jd, histories, populations, forced):
    survey = observe(generator(seed, 0), start_jd, n_nights)
    exposures = [survey.of_night(night) for night in range(n_nights)]
    quotas = alert_quotas(generator(seed, 1), populations, n_alerts, mix)
    blocks = [
        block
        for population, quota in zip(populations, quotas, strict=True)
        if quota > 0
        for block in draw_blocks(seed, population, quota, survey, exposures)
    ]
    numbers = name_numbers(blocks)
    pasts = [look_back(survey, block, histories) for block in blocks]
    catalogues = [catalogue_fields(block) for block in blocks]
    parts = list(zip(blocks, pasts, catalogues, numbers, strict=True))
    for night in range(n_nights):
        of_night = [part for part in parts if night in part[0].nights()]
        hosts = [_hosts(seed, night, block) for block, *_ in of_night]
        assembled, labels = _assemble(seed, survey, night, of_night)
        if forced and survey.nights[night] >= FORCED_SINCE:
            assembled = assembled.replace(forced=_forced(survey, night, of_night))
        yield assembled, labels, hosts


def _hosts(seed, night, block):
    """The catalogued hosts of the sources of a block that have alerts on a night."""
    hosts = draw_hosts_of(seed, block)
    return hosts[hosts.index.isin(block.alerts(night).row)]


def _forced(survey, night, parts):
    """Forced photometry of all objects; they stay in the order of the blocks."""
    columns, names, counts = [], [], []
    for block, past, _, number in parts:
        at, *values = forced_rows(survey, night, block)
        index, count = np.unique(at, return_counts=True)
        columns.append(values)
        counts.append(count)
        names.append(object_ids(number[index], past.first_jd[index]))
    start = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    if start[-1] == 0:
        return None
    jd, fid, flux, err = (np.concatenate(values) for values in zip(*columns, strict=True))
    return Forced(jd, fid, flux, err, start, pa.array(np.concatenate(names), pa.string()))


def _assemble(seed, survey, night, parts):
    """One night's alerts, history and labels from the measurements of all blocks."""
    tables, histories, names = [], [], []
    for block, past, catalogue, number in parts:
        table = alert_columns(seed, survey, night, block, past, catalogue, number)
        n = len(table["jd"])
        table["label"] = np.full(n, block.population.label)
        table["population"] = np.full(n, block.population.name)
        tables.append(table)
        history, index = history_rows(survey, night, block, past)
        histories.append(history)
        names.append(object_ids(number[index], past.first_jd[index]))
    # A night's file has the alerts in the order of exposures.
    order = np.argsort(np.concatenate([table["jd"] for table in tables]), kind="stable")
    columns = {name: np.concatenate([table[name] for table in tables])[order] for name in tables[0]}
    text = ("objectId", "ssnamenr", "label", "population")
    alerts = pd.DataFrame(columns).astype(dict.fromkeys(text, "str"))
    # Packets write "null" for no asteroid; in a Night it is missing.
    alerts["ssnamenr"] = alerts["ssnamenr"].mask(alerts["ssnamenr"] == "null")
    labels = pd.DataFrame(
        {
            "candid": alerts["candid"],
            "objectId": alerts["objectId"],
            "label": alerts.pop("label"),
            "evidence": "simulated: " + alerts.pop("population"),
            "confidence": "high",
        }
    )
    name = f"ztf_alerts_{survey.nights[night]:.1f}"
    return Night(alerts, *_join(histories, names), name), labels


def _join(histories, names):
    """Join the histories of the blocks; objects stay in the order of the blocks."""
    columns = [
        np.concatenate(values) for values in zip(*(part[:-1] for part in histories), strict=True)
    ]
    count = np.concatenate([part.start for part in histories])
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return History(*columns, start=start), pa.array(np.concatenate(names), pa.string())
