"""Rank the fast transients of a night."""

from ztfml.model.predict import _features_for, _predictions
from ztfml.ranking import FastTransientScorer


def rank(night, model, top=None, scorer=None):
    """Rank the fast transients of a night, computing its features once.

    Parameters
    ----------
    night : Night
    model : LoadedModel
    top : int, optional
        How many objects to give; by default all.
    scorer : FastTransientScorer, optional
        By default one with the weights and the instrument of the package.

    Returns
    -------
    pandas.DataFrame
        As of `FastTransientScorer.rank`.

    Raises
    ------
    ModelError
        As for `predict`.

    Examples
    --------
    >>> rank(night, load_model("models/mine"), top=12)   # doctest: +SKIP
    """
    return predict_and_rank(night, model, top, scorer)[1]


def predict_and_rank(night, model, top=None, scorer=None):
    """Do both for a night, computing its features once.

    Parameters
    ----------
    night : Night
    model : LoadedModel
    top : int, optional
        How many objects to rank; by default all.
    scorer : FastTransientScorer, optional
        As for `rank`.

    Returns
    -------
    predictions : pandas.DataFrame
        As of `predict`.
    ranked : pandas.DataFrame
        As of `rank`.

    Raises
    ------
    ModelError
        As for `predict`.

    Examples
    --------
    >>> predictions, ranked = predict_and_rank(night, model)   # doctest: +SKIP
    """
    table = _features_for(night, model)
    predictions = _predictions(night, table, model)
    scorer = scorer or FastTransientScorer()
    return predictions, scorer.rank(night, table, predictions, top=top)
