"""Classify a night of ZTF alerts and rank its fast transients.

The names of `__all__` are imported on first use, so that ``import ztfml`` and ``ztfml --help`` do
not load pandas, numba or LightGBM.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from ztfml.errors import ZtfmlError
    from ztfml.features.transformer import AlertFeatures
    from ztfml.model.classifier import AlertClassifier
    from ztfml.model.model import Model
    from ztfml.night import Night
    from ztfml.ranking import FastTransientScorer

    __version__: str

__all__ = [
    "AlertClassifier",
    "AlertFeatures",
    "FastTransientScorer",
    "Model",
    "Night",
    "ZtfmlError",
    "__version__",
]

_MODULE_OF = {
    "AlertClassifier": "ztfml.model.classifier",
    "AlertFeatures": "ztfml.features.transformer",
    "FastTransientScorer": "ztfml.ranking",
    "Model": "ztfml.model.model",
    "Night": "ztfml.night",
    "ZtfmlError": "ztfml.errors",
}


def open(path: "str | Path", history: "str | Path | None" = None) -> "Night":
    """Open a night of alerts in any format.

    It is not a name of ``from ztfml import *``, because it would hide Python's ``open``.

    Parameters
    ----------
    path : str or Path
        A file or folder of alerts: parquet, CSV or JSON of any broker, or avro packets.
    history : str or Path, optional
        A separate file of previous candidates. Default: ``NAME_prv_candidates`` next to the night.

    Returns
    -------
    Night

    Raises
    ------
    DataError
        If the file cannot be read as a night.

    Examples
    --------
    >>> import ztfml
    >>> night = ztfml.open("night.parquet")
    >>> len(ztfml.Model.load().rank(night, top=3))
    3
    """
    from ztfml.sources.formats import open_night

    return open_night(path, history)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        return version("ztfml")
    if name in _MODULE_OF:
        return getattr(import_module(_MODULE_OF[name]), name)
    raise AttributeError(f"module 'ztfml' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
