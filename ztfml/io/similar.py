"""Suggest known names that look like an unknown one, for messages."""

from collections.abc import Iterable
from difflib import get_close_matches

_HALF = 6
"""Half of the length of a ZTF name; a typing error leaves one of the halves correct."""


def most_similar(name: str, known: Iterable[str], cutoff: float = 0.65) -> str | None:
    """Return the known name that is most similar to another one.

    Parameters
    ----------
    name : str
    known : iterable of str
    cutoff : float
        How similar it must be, from 0 to 1 (see `difflib.get_close_matches`).

    Returns
    -------
    str or None
        None if no name is similar. Case does not matter.

    Examples
    --------
    >>> most_similar("galaxie", ["galaxies", "model"])
    'galaxies'
    """
    spelled: dict[str, str] = {}
    for one in known:
        spelled.setdefault(one.lower(), one)
    found = get_close_matches(name.lower(), spelled, n=1, cutoff=cutoff)
    return spelled[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str], before: str = "") -> str:
    """Ask in a few words whether a similar name was meant.

    Parameters
    ----------
    name : str
        A name that was not found.
    known : iterable of str
        The names that exist.
    before : str
        Text before the name in the question.

    Returns
    -------
    str
        Empty if no name is similar.

    Examples
    --------
    >>> did_you_mean("galaxie", ["galaxies", "model"])
    "did you mean 'galaxies'?"
    >>> did_you_mean("colour", ["galaxies", "model"])
    ''
    """
    found = most_similar(name, known)
    return "" if found is None else f"did you mean {before + found!r}?"


def similar_object(name: str, known: Iterable[str]) -> str:
    """Ask whether the similar name of an object was meant.

    Parameters
    ----------
    name : str
        A name that was not found.
    known : iterable of str
        The names of a night, up to some hundred thousand.

    Returns
    -------
    str
        Empty if no name differs in one or two letters only.

    Examples
    --------
    >>> similar_object("ztf18abukavm", ["ZTF18abukavn", "ZTF18abvkwla"])
    "did you mean 'ZTF18abukavn'?"
    """
    lower = name.strip().lower()
    # Comparing all names of a night would take seconds.
    near = [
        one for one in dict.fromkeys(known)
        if one[:_HALF].lower() == lower[:_HALF] or one[-_HALF:].lower() == lower[-_HALF:]
    ]  # fmt: skip
    found = most_similar(lower, near, cutoff=0.85)
    return "" if found is None else f"did you mean {found!r}?"


def to_rename(name: str, names: Iterable[str]) -> str:
    """Return a remedy for an absent column: rename a similar one.

    Parameters
    ----------
    name : str
        The absent column.
    names : iterable of str
        The columns of the file.

    Returns
    -------
    str
        Ends with ", or "; empty if no name is similar.

    Examples
    --------
    >>> to_rename("candidate.magpsf", ["candidate.jd", "candidate.magpfs"])
    'rename candidate.magpfs, or '
    """
    found = most_similar(name, names, cutoff=0.8)
    return "" if found is None else f"rename {found}, or "
