"""The populations that are simulated: one record each, found automatically.

To add a population, append a `Population` to the tuple ``POPULATIONS`` of a module in
`ztfml.simulate.populations`, or add a module with such a tuple. Nothing else needs to change,
and the sources of all other populations stay the same.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ztfml.simulate import populations
from ztfml.taxonomy import LABELS


@dataclass(frozen=True)
class Population:
    """One kind of source, for example RR Lyrae stars.

    Attributes
    ----------
    name : str
        Unique. It seeds the random numbers of the population and is the evidence of its labels.
    label : str
        One of the five classes.
    fraction : float
        Fraction of the alerts of its class on a natural night.
    draw : callable
        Model function: ``draw(rng, n, observed)`` returns `n` `Sources` in the fields that
        `ObservedNights` lists.
    mistaken_for : tuple of str
        Classes or populations with similar alerts.
    one_night : bool
        True if every night has new sources (asteroids, cosmic rays, flares).
    balanced_weight : float, optional
        Weight within the class in the mixes ``balanced`` and ``transients``; by default the square
        root of `fraction`.
    fast_weight : float
        Fraction of the alerts in the mix ``fast``.
    """

    name: str
    label: str
    fraction: float
    draw: Callable
    mistaken_for: tuple[str, ...] = ()
    one_night: bool = False
    balanced_weight: float | None = None
    fast_weight: float = 0.0


def find_populations() -> tuple[Population, ...]:
    """Return the populations that the modules of `ztfml.simulate.populations` declare.

    Returns
    -------
    tuple of Population
        Sorted by class and name.

    Examples
    --------
    >>> [population.name for population in find_populations() if population.label == "sso"]
    ['asteroid']
    """
    modules = (
        importlib.import_module(f"{populations.__name__}.{module.name}")
        for module in pkgutil.iter_modules(populations.__path__)
    )
    return sort_populations(
        population for module in modules for population in getattr(module, "POPULATIONS", ())
    )


def sort_populations(populations: Iterable[Population]) -> tuple[Population, ...]:
    """Sort populations by class and name, so that the order of declaration has no effect.

    Parameters
    ----------
    populations : iterable of Population

    Returns
    -------
    tuple of Population

    Raises
    ------
    ValueError
        If two populations have the same name.

    Examples
    --------
    >>> ordered = sort_populations(reversed(find_populations()))
    >>> ordered == find_populations()
    True
    """
    ordered = sorted(populations, key=lambda one: (LABELS.index(one.label), one.name))
    names = [population.name for population in ordered]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"two populations are named {repeated[0]!r}; give one another name")
    return tuple(ordered)


def population_table() -> str:
    """Describe the populations in a text table: name, class, fraction, what they resemble.

    Returns
    -------
    str

    Examples
    --------
    >>> print(population_table().splitlines()[0])
    population           class      fraction  mistaken for
    """
    head = f"{'population':20} {'class':10} {'fraction':8}  mistaken for"
    rows = (
        f"{one.name:20} {one.label:10} {one.fraction:8.4f}  {', '.join(one.mistaken_for)}".rstrip()
        for one in find_populations()
    )
    return "\n".join([head, *rows])
