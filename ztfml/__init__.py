"""Classify a night of ZTF alerts and rank its fast transients.

The names of `__all__` are imported on first use, so that ``import ztfml`` and ``ztfml --help`` do
not load pandas, numba or LightGBM.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
