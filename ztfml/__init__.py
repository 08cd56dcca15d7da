"""Classify a night of ZTF alerts and rank its fast transients."""

# `from ztfml import Night` works, yet `import ztfml` stays cheap: the command line must
# answer --help without loading pandas, numba or LightGBM.
_EXPORTS = {
    "AlertClassifier": "ztfml.model.classifier",
    "FastTransientScorer": "ztfml.ranking",
    "Model": "ztfml.model.model",
    "Night": "ztfml.night",
    "ZtfmlError": "ztfml.errors",
}

__all__ = [*_EXPORTS, "__version__"]


def __getattr__(name):
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        return version("ztfml")
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'ztfml' has no attribute {name!r}")
