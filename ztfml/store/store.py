"""Open or create a history store."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ztfml.errors import DataError
from ztfml.io.places import Place, place_of
from ztfml.store.layout import Layout

FORMAT = 1
_CARD = "_store.json"
_NIGHTS = "_nights"


@dataclass(frozen=True)
class Store:
    """A history store.

    Parameters
    ----------
    place : Place
        Where its files are.
    layout : Layout
        Its partitions.
    """

    place: Place
    layout: Layout

    def __str__(self) -> str:
        return str(self.place)

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Open a store that exists.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Store

        Raises
        ------
        DataError
            If there is no store, or a newer version of ztfml made it.

        Examples
        --------
        >>> Store.open("no_store")
        Traceback (most recent call last):
        ...
        ztfml.errors.DataError: no_store: is not a history store; make one with `ztfml history ...
        """
        place = place_of(path)
        card = _read_json(place, _CARD)
        if card is None:
            raise DataError(
                f"{path}: is not a history store; make one with `ztfml history add {path} NIGHT`"
            )
        version = card.get("format")
        if isinstance(version, int) and version > FORMAT:
            raise DataError(
                f"{path}: is a store of format {version}, this ztfml reads format {FORMAT}; "
                "install a newer ztfml"
            )
        order, days = (card.get(name) for name in ("order", "block_days"))
        if version != FORMAT or order not in range(12) or not isinstance(days, int | float):
            raise DataError(f"{path}/{_CARD}: cannot be used; copy this file of the store again")
        return cls(place, Layout(order, days))

    @classmethod
    def create(cls, path: str | Path, layout: Layout | None = None) -> Store:
        """Open a store, or create it if there is nothing in the folder.

        Parameters
        ----------
        path : str or Path
        layout : Layout, optional
            The partitions of a new store.

        Returns
        -------
        Store

        Raises
        ------
        DataError
            As `open`, if the folder contains other files, or if it cannot be written.

        Examples
        --------
        >>> str(Store.create("a_store")), Store.open("a_store").layout.order
        ('a_store', 2)
        """
        place, layout = place_of(path), layout or Layout()
        if not place.is_folder_or_absent():
            raise DataError(f"{path}: is a file; name the folder of the store")
        others = [*place.files(""), *place.folders("")]
        if _CARD not in others:
            if others:
                raise DataError(
                    f"{path}: contains other files (for example {others[0]}); name an empty or "
                    "new folder"
                )
            with place.write(_CARD) as file:
                file.write(json.dumps({"format": FORMAT, **asdict(layout)}).encode() + b"\n")
        return cls.open(path)

    def record(self, name: str) -> dict[str, Any] | None:
        """Read the record of a night that was added, or return None."""
        return _read_json(self.place, f"{_NIGHTS}/{name}.json")

    def write_record(self, name: str, record: dict[str, Any]) -> None:
        """Record that all rows of a night are in the store."""
        with self.place.write(f"{_NIGHTS}/{name}.json") as file:
            file.write(json.dumps(record, indent=1).encode() + b"\n")

    def records(self) -> list[dict[str, Any]]:
        """Read the records of all nights, in the order of their dates."""
        names = [name.removesuffix(".json") for name in self.place.files(_NIGHTS)]
        found = [record for record in map(self.record, names) if record]
        return sorted(found, key=lambda record: (record["first_jd"], record["night"]))


def is_store(path: str | Path) -> bool:
    """Check whether there is a store at a path or address.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bool

    Examples
    --------
    >>> is_store("night.parquet")
    False
    """
    return _CARD in place_of(path).files("")


def _read_json(place, name):
    try:
        with place.open(name) as file:
            content = json.loads(file.read())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(
            f"{place}/{name}: cannot be read ({str(error).splitlines()[0]}); copy this file of the "
            "store again"
        ) from error
    if not isinstance(content, dict):
        raise DataError(f"{place}/{name}: cannot be used; copy this file of the store again")
    return content
