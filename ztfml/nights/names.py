"""Names of the output files of a batch: one per night, none used twice."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ztfml.io.companions import companion
from ztfml.nights.staged import Location, label_of, pure_path


def output_names(
    nights: Iterable[Location], suffix: str, taken: Mapping[str, str] | None = None
) -> dict[Location, str]:
    """Choose the name of the output of each night.

    It is the name of the night. If nights in several folders have one name, the name of the
    folder is put before it.

    Parameters
    ----------
    nights : iterable of Path or str
        Absolute paths or addresses.
    suffix : str
        Suffix of the outputs.
    taken : mapping of str to str, optional
        The names that earlier runs chose, with the labels of their nights. These nights keep them.

    Returns
    -------
    dict of Path or str to str

    Examples
    --------
    >>> names = output_names([Path("/a/1.parquet"), Path("/b/1.parquet"), Path("/b/2.csv")], ".csv")
    >>> list(names.values())
    ['a_1.csv', 'b_1.csv', '2.csv']
    """
    nights = list(nights)
    kept = {night: name for name, night in (taken or {}).items()}
    used = set(taken or {})
    short = Counter(_stem(night) for night in nights)
    names = {}
    for night in nights:
        if label_of(night) in kept:
            names[night] = kept[label_of(night)]
            continue
        candidates = _candidates(night)
        if short[_stem(night)] > 1:
            next(candidates)
        name = next(stem + suffix for stem in candidates if stem + suffix not in used)
        used.add(name)
        names[night] = name
    return names


def _stem(night):
    return companion(Path(pure_path(night)), "").name


def _candidates(night) -> Iterator[str]:
    stem = _stem(night)
    yield stem
    for parent in pure_path(night).parents:
        if parent.name:
            stem = f"{parent.name}_{stem}"
            yield stem
    number = 2
    while True:
        yield f"{stem}_{number}"
        number += 1
