"""The classifier and the model folder; `Model` combines both."""


def __getattr__(name):
    # Imported on first use: `ztfml model show` does not need the features and the ranking.
    if name == "Model":
        from ztfml.model.model import Model

        return Model
    raise AttributeError(f"module 'ztfml.model' has no attribute {name!r}")
