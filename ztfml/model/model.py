"""A trained model: compute features, predict and rank a night, all with one object."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ztfml import features
from ztfml.errors import DataError, ModelError
from ztfml.evaluation.drift import drift_table, expected_classes
from ztfml.evaluation.metrics import labels_from
from ztfml.features import FEATURES
from ztfml.model.folder import Check, read_model, shipped_model, verify_model
from ztfml.model.own_features import trusted_groups, with_own_features
from ztfml.model.probabilities import TreeClassifier, probabilities
from ztfml.night import Night
from ztfml.taxonomy import LABELS

if TYPE_CHECKING:
    from ztfml.model.classifier import AlertClassifier
    from ztfml.model.estimator import StoredClassifier
    from ztfml.ranking import FastTransientScorer, Selection

log = logging.getLogger(__name__)

UNCERTAIN_ODDS = 3.0
"""A prediction is uncertain if its best class is less than this many times as probable as the
second best."""

_BROKER_NAMES = {feature.name for feature in features.BROKER.features}


class Model:
    """A trained classifier together with its card.

    Use `Model.load` to read a model folder. The methods check that this ztfml computes every
    feature as it was computed in training.

    Parameters
    ----------
    predictor : TreeClassifier, AlertClassifier or StoredClassifier
        Fitted on a table whose columns have names.
    card : dict
        The content of ``card.json``.
    folder : Path
        The model folder.
    trust : sequence of str or Path
        Python code that the model may use (see `ztfml.io.trusted`).

    Examples
    --------
    >>> model = Model.load()
    >>> model
    <Model default: 5 classes, 250 features, 500 trees>
    >>> sorted(set(model.predict(night)["label"]))
    ['agn', 'artifact', 'sso', 'star', 'transient']
    """

    def __init__(
        self,
        predictor: "TreeClassifier | AlertClassifier | StoredClassifier",
        card: dict,
        folder: str | Path,
        trust: Sequence[str | Path] = (),
    ):
        self.predictor = predictor
        self.card = card
        self.folder = Path(folder)
        self.trust = tuple(trust)
        self.own = trusted_groups(card, self.folder, self.trust)

    def __repr__(self):
        n_classes, estimator = len(self.card["classes"]), self.card.get("estimator")
        kind = estimator["name"] if estimator else f"{n_classes * self.card['rounds']} trees"
        return (
            f"<Model {self.folder.resolve().name}: {n_classes} classes, "
            f"{len(self.card['features'])} features, {kind}>"
        )

    @property
    def classifier(self) -> "AlertClassifier | StoredClassifier":
        """The scikit-learn estimator of the model, for explanations and further training."""
        if not isinstance(self.predictor, TreeClassifier):
            return self.predictor
        try:
            return self.predictor.estimator
        except ValueError as error:
            raise ModelError(f"{self.folder}: {error}; train the model again") from error

    @classmethod
    def load(cls, folder: str | Path | None = None, trust: Sequence[str | Path] = ()) -> "Model":
        """Read a model folder and check everything that can be checked.

        Parameters
        ----------
        folder : str or Path, optional
            A folder that `ztfml train` or `save_model` wrote; by default the model that is
            shipped with ztfml.
        trust : sequence of str or Path
            Python files, modules or types that the model may use, for own features and own
            classifiers. Nothing else that a folder names is run.

        Returns
        -------
        Model

        Raises
        ------
        ModelError
            If a file is missing or damaged, if the format is newer than this ztfml, if the
            model does not reproduce the probabilities in its card, if an own classifier contains
            a type that is not in ``trust``, or if the own features differ from those of the
            training.

        Examples
        --------
        >>> Model.load().card["classes"]
        ['agn', 'artifact', 'sso', 'star', 'transient']
        """
        folder = shipped_model() if folder is None else Path(folder)
        return cls(*read_model(folder, trust), folder, trust)

    def verify(self) -> list[Check]:
        """Repeat the checks of `Model.load` on the model folder, one by one.

        Returns
        -------
        list of Check
            One entry per check, up to the first check that fails.

        Examples
        --------
        >>> [check.passed for check in model.verify()]
        [True, True, True, True, True, True]
        """
        return verify_model(self.folder, self.trust)

    def features(self, night: Night, table: pd.DataFrame | None = None) -> pd.DataFrame:
        """Compute the features that the model uses.

        Parameters
        ----------
        night : Night
        table : pandas.DataFrame, optional
            Features that are already known, one row per alert, with the index of
            ``night.alerts``: the result of `ztfml.features.compute`, your own features, or both.
            Only what it lacks is computed.

        Returns
        -------
        pandas.DataFrame of float64, shape (n_alerts, n_features)
            Columns in the order of the card; missing values are NaN.

        Raises
        ------
        ModelError
            If this ztfml computes a feature differently than in training, or if the model uses
            features of your own that ``table`` lacks.

        Examples
        --------
        >>> model.features(night).columns[:3].tolist()
        ['drb', 'rb', 'magpsf']
        """
        names = [feature["name"] for feature in self.card["features"]]
        return self.all_features(night, table)[names]

    def predict(
        self, night: Night, priors: dict | None = None, table: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Compute the class probabilities of every alert of a night.

        Parameters
        ----------
        night : Night
        priors : dict of str to float, optional
            The fraction of each class in this night (see `AlertClassifier.predict_proba`).
        table : pandas.DataFrame, optional
            Known features, as for `features`.

        Returns
        -------
        pandas.DataFrame
            One row per alert, in the order of the night: ``objectId``, ``candid``, ``jd``,
            ``label`` (the most probable class), ``p_artifact``, ``p_sso``, ``p_star``,
            ``p_agn``, ``p_transient``, and ``uncertain`` (bool: the best class is less than
            `UNCERTAIN_ODDS` times as probable as the second best).

        Raises
        ------
        ModelError
            As for `features`.

        Examples
        --------
        >>> predictions = model.predict(night)
        >>> bool(predictions.filter(like="p_").sum(axis=1).round(9).eq(1).all())
        True
        """
        if table is not None or len(night) == 0:
            return self._predictions(night, [self.all_features(night, table)], priors)
        own = self._check_known(night, None)
        # The complete table is never in memory.
        parts = features.compute_in_parts(night, broker=self._reads_brokers)
        if not own.columns.empty:
            parts = (part.join(own) for part in parts)
        return self._predictions(night, parts, priors)

    def rank(
        self,
        night: Night,
        top: int | None = None,
        scorer: "FastTransientScorer | None" = None,
        table: pd.DataFrame | None = None,
        selection: "Selection | None" = None,
    ) -> pd.DataFrame:
        """Rank the fast transients of a night.

        Parameters
        ----------
        night : Night
        top : int, optional
            The number of objects to return; by default all.
        scorer : FastTransientScorer, optional
            By default one with the weights and the instrument that are shipped with ztfml.
        table : pandas.DataFrame, optional
            Known features, as for `features`.
        selection : Selection, optional
            Which objects are listed; by default all.

        Returns
        -------
        pandas.DataFrame
            See `FastTransientScorer.rank`.

        Raises
        ------
        ModelError
            As for `features`.

        Examples
        --------
        >>> len(model.rank(night, top=3))
        3
        """
        return self.predict_and_rank(night, top, scorer, table, selection)[1]

    def predict_and_rank(
        self,
        night: Night,
        top: int | None = None,
        scorer: "FastTransientScorer | None" = None,
        table: pd.DataFrame | None = None,
        selection: "Selection | None" = None,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Predict and rank a night; features and predictions are computed once.

        Parameters
        ----------
        night, top, scorer, table, selection
            As for `rank`.

        Returns
        -------
        predictions : pandas.DataFrame
            As from `predict`.
        ranked : pandas.DataFrame
            As from `rank`.

        Raises
        ------
        ModelError
            As for `features`.

        Examples
        --------
        >>> predictions, ranked = model.predict_and_rank(night, top=3)
        >>> len(predictions) == len(night), len(ranked)
        (True, 3)
        """
        table = self.all_features(night, table)
        predictions = self._predictions(night, [table])
        if scorer is None:
            # Imported here because predictions do not need the ranking.
            from ztfml.ranking import FastTransientScorer

            scorer = FastTransientScorer()
        return predictions, scorer.rank(night, table, predictions, top, selection)

    def drift(self, table: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
        """Compare the features of a night with those of the training data.

        Parameters
        ----------
        table : pandas.DataFrame
            The features of the night, as from `features` or `all_features`.
        predictions : pandas.DataFrame
            As from `predict`; the class mix of the night is taken into account.

        Returns
        -------
        pandas.DataFrame
            As from `ztfml.evaluation.drift.drift_table`, which
            `ztfml.evaluation.drift.describe_drift` describes in one sentence.

        Raises
        ------
        ModelError
            If the model folder does not have the distributions of the training data.

        Examples
        --------
        >>> len(model.drift(table, predictions)) == len(model.card["features"])
        True
        """
        distributions = self.card.get("distributions")
        if not distributions:
            raise ModelError(
                f"{self.folder}: its card does not have the distributions of the training data; "
                "train the model again, or save it with distributions (see save_model)"
            )
        return drift_table(table, distributions, expected_classes(predictions))

    def all_features(self, night: Night, table: pd.DataFrame | None = None) -> pd.DataFrame:
        """Compute all features of ztfml, which the ranking needs, and those of the model.

        Parameters
        ----------
        night : Night
        table : pandas.DataFrame, optional
            Known features, as for `features`.

        Returns
        -------
        pandas.DataFrame of float64
            With it as ``table``, the other methods compute no features.

        Raises
        ------
        ModelError
            As for `features`.

        Examples
        --------
        >>> len(model.all_features(night)) == len(night)
        True
        """
        known = self._check_known(night, table)
        needed = {feature.name for feature in FEATURES}
        if self._reads_brokers:
            needed |= _BROKER_NAMES
        if needed <= set(known):
            return known
        computed = features.compute(night, broker=self._reads_brokers)
        if known.columns.empty:
            return computed
        return computed.drop(columns=known.columns, errors="ignore").join(known)

    @property
    def _reads_brokers(self):
        return not _BROKER_NAMES.isdisjoint(one["name"] for one in self.card["features"])

    def _check_known(self, night, table):
        """Check versions and the features that are already known, and return these."""
        if not isinstance(night, Night):
            raise DataError(
                f"the model got a {type(night).__name__}, not a Night; use ztfml.open(path) or "
                "Night.from_frames(alerts, history)"
            )
        self.check_versions()
        known = pd.DataFrame(index=night.alerts.index) if table is None else table
        if not known.index.equals(night.alerts.index):
            raise ModelError(
                f"the table has {len(known)} rows that do not match the {len(night)} alerts of "
                f"{night.name}; give one row per alert, with the index of night.alerts"
            )
        known = with_own_features(self, night, known)
        missing = [
            feature["name"]
            for feature in self.card["features"]
            if feature.get("version") is None and feature["name"] not in known
        ]
        if missing:
            raise ModelError(
                f"{self.folder}: was trained with features that ztfml does not compute: "
                f"{', '.join(missing)}; add them as columns to a table and pass it with "
                "Model.predict(night, table=...)"
            )
        return known

    def check_versions(self) -> None:
        """Check that this ztfml computes every feature as it was computed in training.

        Raises
        ------
        ModelError
            If it computes a feature differently.

        Examples
        --------
        >>> model.check_versions()
        """
        versions = {one.name: one.version for one in (*FEATURES, *features.OPTIONAL)}
        for feature in self.card["features"]:
            name, version = feature["name"], feature.get("version")
            if "module" not in feature and version is not None and versions.get(name) != version:
                raise ModelError(
                    f"{self.folder}: was trained with version {version} of the feature {name}, "
                    "which this ztfml does not compute; train the model again"
                )

    def _predictions(self, night, tables, priors=None):
        absent = [label for label in LABELS if label not in self.card["classes"]]
        if absent:
            log.warning(
                "%s: the model has no class %s; their probability is 0",
                self.folder.name,
                ", ".join(absent),
            )
        p = pd.concat([probabilities(self.predictor, table, priors) for table in tables])
        ids = night.alerts[["objectId", "candid", "jd"]]
        return ids.assign(label=labels_from(p)).join(p).assign(uncertain=_is_uncertain(p))


def _is_uncertain(p):
    """Whether the second best class is nearly as probable as the best."""
    second, best = np.sort(p.to_numpy(), axis=1)[:, -2:].T
    return best < UNCERTAIN_ODDS * second
