"""The training sample of the ranking: objects of simulated nights, with weights.

Each object is represented by its latest alert. Its weight is the number of such objects on one
natural night, whatever the class mix of the simulated night it comes from. The kinds in `FAST`
are fast while they are young enough to be worth a spectrum. The events of `ztfml.injection`,
which evaluate the ranking, are not used.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ztfml.astrophysics import FAST_RATE
from ztfml.catalogs.galaxies import GalaxyCatalog
from ztfml.catalogs.galaxy_table import read_galaxies
from ztfml.errors import LabelError
from ztfml.io.alert_table import latest_rows
from ztfml.io.companions import galaxies_beside, labels_beside
from ztfml.labels.label_file import label_rows, read_labels
from ztfml.model.model import Model
from ztfml.model.probabilities import probabilities
from ztfml.ranking.folder import shipped_instrument
from ztfml.ranking.learned import learned_inputs
from ztfml.ranking.quantities import MIN_P_TRANSIENT, Columns
from ztfml.ranking.terms import FIXED, TERMS, weight_names
from ztfml.ranking.trees import Trees
from ztfml.schema import BANDS
from ztfml.simulate import MIXES, POPULATIONS
from ztfml.sources.formats import open_night

log = logging.getLogger(__name__)

FULL_NIGHT = 153_489
"""Alerts of a public night."""

FAST_WEIGHT = 80.0
"""Total weight of the fast transients: as if a night had this many."""

SLOW_WEIGHT = 1.5
"""Factor on the weights of slow transients: real supernovae reach the first rows more often than
simulated ones."""

OUTBURSTS = ("dwarf nova", "faint dwarf nova", "superoutburst")
OUTBURST_WEIGHT = 0.3
"""Factor on the weights of these kinds: real cataclysmic variables reach the first rows less often
than simulated ones."""


class FastKind(NamedTuple):
    """A simulated kind that counts as fast.

    Attributes
    ----------
    fraction : float
        Of the weight of all fast transients.
    days : float
        It counts as fast for this long after the first detection.
    """

    fraction: float
    days: float


FAST = {
    "FBOT": FastKind(0.12, 25.0),
    "SN Ibn": FastKind(0.09, 20.0),
    "afterglow": FastKind(0.09, 20.0),
    "kilonova": FastKind(0.08, 15.0),
    "SN IIb": FastKind(0.06, 9.0),
    "SN Ic-BL": FastKind(0.06, 13.0),
    "short-lived": FastKind(0.5, 25.0),
}
"""Fast kinds, in the proportion in which a list should find them rather than that of their
rates. Type IIb supernovae count while their envelope cools. Short-lived transients follow no model;
they are half of the weight, so that the trees do not learn the known kinds only."""

BRIGHT, FAINT_FRACTION = 20.0, 0.1
"""Fraction of the weight for transients that are fainter than this magnitude at peak, too faint
for most instruments."""

ONE_NIGHT_FRACTION = 0.2
"""Fraction of the weight of the bright ones for those detected on one night only. Half of the
bright events of a night are, but a list that gives them more rows finds fewer events in all."""

CHANGING_WEIGHT = 2.0
"""Factor on the weights of those that changed faster than `FAST_RATE` between their last two
nights: they are the most urgent."""

_NIGHTS = (2, 3, 4, 6)  # edges of the bins in the number of nights
# Source counts on the sky grow about as 10^(0.6 m), in the simulation as 10^(0.26 m) so that there
# are bright examples. The bright end is cut where a source is found in any case.
_COUNT_SLOPE, _RARE = 0.34, 16.0
# In the simulation a third of new sources have no earlier non-detection, in reality a few percent.
_WITHOUT_LIMIT = 0.3
_MIN_MEMBERS = 15  # bins with fewer members get less than their full weight


class Sample(NamedTuple):
    """Objects, each represented by its latest alert.

    The log odds of the trees are NaN until the trees are trained. The inputs of objects for which
    the trees are not evaluated are NaN.

    Attributes
    ----------
    terms : pandas.DataFrame, shape (n, n_terms)
    inputs : ndarray of float32, shape (n, n_inputs)
    kind, label : ndarray of str, shape (n,)
        The simulated kind and the class.
    fast, bright : ndarray of bool, shape (n,)
    n_nights : ndarray, shape (n,)
    objects : ndarray of str, shape (n,)
        Distinct names.
    weight : ndarray, shape (n,)
    """

    terms: pd.DataFrame
    inputs: np.ndarray
    kind: np.ndarray
    label: np.ndarray
    fast: np.ndarray
    bright: np.ndarray
    n_nights: np.ndarray
    objects: np.ndarray
    weight: np.ndarray

    def select(self, rows: np.ndarray) -> "Sample":
        """A part of the sample.

        Parameters
        ----------
        rows : ndarray of bool or int

        Returns
        -------
        Sample
        """
        return Sample(*(values[rows] for values in self))

    @property
    def with_inputs(self) -> np.ndarray:
        """Whether the trees are evaluated for each object; ndarray of bool, shape (n,)."""
        # The first input is the probability of a transient, which is always known.
        return ~np.isnan(self.inputs[:, 0])


def read_sample(nights: Sequence[str | Path], model: Model) -> Sample:
    """Read the objects of simulated nights.

    Parameters
    ----------
    nights : sequence of str or Path
        Simulated nights with label files, on which the model was not trained.
    model : Model

    Returns
    -------
    Sample

    Raises
    ------
    DataError, LabelError
        If a night or its labels cannot be used, the labels are not from a simulation, or no
        object is a fast transient.

    Examples
    --------
    >>> from ztfml.simulate import write_nights
    >>> (path,) = write_nights(".", 300, 1, seed=5, mix="transients")
    >>> sample = read_sample([path], model)
    >>> float(sample.weight[sample.fast].sum().round(6)) == FAST_WEIGHT
    True
    """
    parts, inputs = [], []
    counts = pd.Series(0, index=[kind.name for kind in POPULATIONS])
    for number, path in enumerate(nights):
        # Every second night has a catalogue of galaxies, so that the scores are right with and
        # without one.
        night, kind, label = _read(path, with_galaxies=number % 2 == 1)
        counts = counts.add(pd.Series(kind).value_counts(), fill_value=0)
        part, part_inputs = _latest_alerts(night, kind, label, model)
        inputs.append(part_inputs)
        # Simulations with other seeds use the same names for other objects.
        parts.append(part.assign(objectId=part["objectId"] + f" {number}"))
        log.info("%s: %d objects", path, len(parts[-1]))
    table = pd.concat(parts, ignore_index=True)
    fast = table["age"] < table["kind"].map({name: one.days for name, one in FAST.items()})
    weight = table["kind"].map(FULL_NIGHT * _natural_fractions() / counts)
    weight = weight.to_numpy(float, copy=True)
    if not fast.any():
        raise LabelError(
            f"{', '.join(map(str, nights))}: no object is a fast transient; add a night from "
            "`ztfml simulate --mix transients`"
        )
    weight[~fast] *= factor_of_slow(table["kind"], table["label"])[~fast]
    weight[fast] = FAST_WEIGHT * _weight_of_fast(table[fast])
    return Sample(
        table[list(weight_names())],
        np.concatenate(inputs),
        table["kind"].to_numpy(str),
        table["label"].to_numpy(str),
        fast.to_numpy(),
        (table["peak_mag"] < BRIGHT).to_numpy(),
        table["n_nights"].to_numpy(),
        table["objectId"].to_numpy(str),
        weight,
    )


def _read(path, with_galaxies):
    """A night, and the kind and the label of each of its alerts."""
    night, labels = open_night(path), read_labels(labels_beside(path))
    galaxies = galaxies_beside(path)
    if with_galaxies and galaxies.is_file():
        night = GalaxyCatalog.from_frame(read_galaxies(galaxies), galaxies.name).match(night)
    row = label_rows(night, labels)
    kind = labels["evidence"].str.extract(r"^simulated: (.+)$")[0]
    if (row < 0).any() or kind.isna().any():
        raise LabelError(
            f"{labels_beside(path)}: the ranking is fitted on simulated nights only; make them "
            "with ztfml simulate"
        )
    return night, kind.to_numpy(str)[row], labels["label"].to_numpy(str)[row]


def _latest_alerts(night, kind, label, model):
    table = model.all_features(night)
    p = probabilities(model.classifier, table)
    rows = latest_rows(night.alerts)
    table, p = table.iloc[rows], p.iloc[rows]
    columns = Columns(table, p, shipped_instrument(), trees=None)
    terms = {name: columns.call(TERMS[name].function) for name in FIXED} | {"trees": np.nan}
    names = learned_inputs()
    evaluated = columns["p_transient"] >= MIN_P_TRANSIENT
    # float32 halves the memory; no split of the trees needs more digits.
    inputs = np.full((len(table), len(names)), np.nan, np.float32)
    inputs[evaluated] = Trees("", names, ()).inputs_from(columns, evaluated)
    objects = pd.DataFrame(terms, index=table.index).assign(
        objectId=night.alerts["objectId"].to_numpy(str)[rows],
        kind=kind[rows],
        label=label[rows],
        age=table["age"],
        n_nights=table["n_nights"],
        n_limit=table["n_limit"],
        recent_rate=np.fmax.reduce([table[f"recent_slope_{band}"].abs() for band in BANDS]),
        peak_mag=table["peak_mag"],
    )
    return objects, inputs


def factor_of_slow(kind: pd.Series | np.ndarray, label: pd.Series | np.ndarray) -> np.ndarray:
    """Factor between the weight and the natural number of objects that are not fast.

    Parameters
    ----------
    kind, label : Series or ndarray of str, shape (n,)
        The simulated kind and the class.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> factor_of_slow(np.array(["SN Ia", "Mira"]), np.array(["transient", "star"]))
    array([1.5, 1. ])
    """
    slow = np.where(np.asarray(label) == "transient", SLOW_WEIGHT, 1.0)
    return np.where(np.isin(kind, OUTBURSTS), OUTBURST_WEIGHT, slow)


def _natural_fractions():
    """The fraction of each kind among the alerts of a natural night."""
    table = pd.DataFrame([(kind.name, kind.label, kind.fraction) for kind in POPULATIONS],
                         columns=["name", "label", "weight"]).set_index("name")  # fmt: skip
    within_class = table["weight"] / table.groupby("label")["weight"].transform("sum")
    return within_class * table["label"].map(MIXES["natural"])


def _weight_of_fast(table):
    """Weights with sum 1: by kind, faint or bright, one night or more, equal by nights."""
    nights = np.digitize(table["n_nights"], _NIGHTS)
    bright, one_night = table["peak_mag"] < BRIGHT, nights == 0
    size = table.groupby([table["kind"], bright, nights])["kind"].transform("size")
    fraction = table["kind"].map({name: one.fraction for name, one in FAST.items()})
    weight = (fraction / np.maximum(size, _MIN_MEMBERS)).to_numpy(float, copy=True)
    weight *= 10 ** (_COUNT_SLOPE * table["peak_mag"].clip(_RARE).to_numpy())
    weight[(table["n_limit"] == 0).to_numpy()] *= _WITHOUT_LIMIT
    weight[(table["recent_rate"] > FAST_RATE).to_numpy()] *= CHANGING_WEIGHT
    for rows, total in (
        (~bright, FAINT_FRACTION),
        (bright & one_night, (1 - FAINT_FRACTION) * ONE_NIGHT_FRACTION),
        (bright & ~one_night, (1 - FAINT_FRACTION) * (1 - ONE_NIGHT_FRACTION)),
    ):
        weight[rows] *= total / max(weight[rows].sum(), 1e-12)
    return weight
