"""Training sets without leaks, models of real folders, honest figures, predictions."""

import dataclasses
import json
import logging

import numpy as np
import pandas as pd
import pytest

from tests.nights import random_frames
from ztfml.classifier import AlertClassifier
from ztfml.errors import LabelError, ModelError
from ztfml.modelfile import load_model
from ztfml.night import Night, labels_beside
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS
from ztfml.training import (
    TrainingSet,
    evaluate,
    predict,
    rank,
    read_training_set,
    train,
)


def _write_night(folder, name, seed):
    """A night whose stars are bright and whose asteroids are faint, with its labels."""
    alerts, history = random_frames(seed, n_objects=26, max_rows=6)
    number = np.arange(len(alerts))
    alerts["candid"] = 10**18 + seed * 10**6 + number
    alerts["objectId"] = alerts["objectId"] + str(seed)
    history["objectId"] = history["objectId"] + str(seed)
    is_star = alerts["objectId"].map(lambda object_id: ord(object_id[-2]) % 2 == 0)
    alerts["candidate.drb"] = np.where(is_star, 0.9, 0.6) + number / 1e4
    path = folder / f"{name}.parquet"
    Night.from_frames(alerts, history, name=name).save(path)
    labels = pd.DataFrame(
        {
            "candid": alerts["candid"],
            "objectId": alerts["objectId"],
            "label": np.where(is_star, "star", "sso"),
            "evidence": np.where(is_star, "seen by eye", "MPC ephemeris match (ZTF ssnamenr=7)"),
            "confidence": np.where(number % 5 == 0, "low", "high"),
        }
    )
    labels.to_csv(labels_beside(path), index=False)
    return path


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    return [_write_night(folder, f"night_{k}", k) for k in range(3)]


@pytest.fixture(scope="module")
def trained(nights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "two_nights"
    report = train(nights[:2], folder)
    return load_model(folder), report


def test_training_set_is_labelled_alerts_in_order(nights):
    known = read_training_set(nights)
    labels = pd.concat([pd.read_csv(labels_beside(path)) for path in nights])
    assert known.labels["candid"].tolist() == labels["candid"].tolist()
    assert known.y.tolist() == labels["label"].tolist()
    drb = pd.concat([Night.load(path).alerts["drb"] for path in nights])
    assert np.array_equal(known.table["drb"], drb)
    assert sum(night["labelled"] for night in known.nights) == len(labels)
    assert [night["name"] for night in known.nights] == ["night_0", "night_1", "night_2"]


def test_unlabelled_alerts_change_nothing(nights, tmp_path):
    """Features of the labelled alerts are those they have in the whole night."""
    labels = pd.read_csv(labels_beside(nights[0]))
    labels.iloc[::2].to_csv(tmp_path / "half.csv", index=False)
    half = read_training_set([nights[0]], [tmp_path / "half.csv"])
    whole = read_training_set([nights[0]])
    at = whole.labels["candid"].isin(half.labels["candid"]).to_numpy()
    pd.testing.assert_frame_equal(half.table, whole.table[at].reset_index(drop=True))
    assert half.nights[0]["alerts"] == whole.nights[0]["alerts"]


def test_drop_circular(nights, tmp_path):
    labels = pd.read_csv(labels_beside(nights[0]))
    labels.loc[labels.index[:30], "evidence"] = "seen by eye"
    labels.to_csv(tmp_path / "labels.csv", index=False)
    all_labels = read_training_set([nights[0]], [tmp_path / "labels.csv"])
    kept = read_training_set([nights[0]], [tmp_path / "labels.csv"], drop_circular=True)
    assert all_labels.labels["circular"].any()
    assert not kept.labels["circular"].any()
    assert len(kept.labels) == (~all_labels.labels["circular"]).sum()


def test_an_alert_in_two_nights_counts_once(nights, tmp_path):
    again = tmp_path / "again.parquet"
    Night.load(nights[0]).save(again)
    labels_beside(again).write_bytes(labels_beside(nights[0]).read_bytes())
    known = read_training_set([nights[0], again])
    assert known.labels["candid"].is_unique
    assert known.nights[1]["labelled"] == 0


def test_labels_of_all_nights_in_one_file(nights, tmp_path):
    both = pd.concat([pd.read_csv(labels_beside(path)) for path in nights[:2]])
    both.to_csv(tmp_path / "all.csv", index=False)
    one_file = read_training_set(nights[:2], [tmp_path / "all.csv"])
    pd.testing.assert_frame_equal(one_file.labels, read_training_set(nights[:2]).labels)


def test_files_that_contradict_each_other(nights, tmp_path):
    labels = pd.read_csv(labels_beside(nights[0]))
    labels.assign(label="agn").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(LabelError, match="different labels in two of the files"):
        read_training_set([nights[0]], [labels_beside(nights[0]), tmp_path / "other.csv"])


def test_one_class_is_too_few(nights, tmp_path):
    labels = pd.read_csv(labels_beside(nights[0]))
    labels.assign(label="agn").to_csv(tmp_path / "agn.csv", index=False)
    with pytest.raises(LabelError, match="only alerts of class agn are labelled"):
        train([nights[0]], tmp_path / "model", [tmp_path / "agn.csv"])
    with pytest.raises(LabelError, match="no alert is labelled"):
        train([nights[1]], tmp_path / "model", [tmp_path / "agn.csv"])
    assert not (tmp_path / "model").exists()


def test_weights():
    labels = pd.DataFrame(
        {
            "confidence": ["high", "medium", "low", "high", "high", "high", "high"],
            "simulated": [False, False, False, True, True, True, True],
        }
    )
    known = TrainingSet(None, labels, [])
    assert known.weight.tolist() == [1, 0.5, 0.25] + [1.75 / 4] * 4
    real = dataclasses.replace(known, labels=labels.assign(simulated=False))
    assert real.weight.tolist() == [1, 0.5, 0.25, 1, 1, 1, 1]
    alone = dataclasses.replace(known, labels=labels.assign(simulated=True))
    assert alone.weight.tolist() == real.weight.tolist()


def test_honest_figure_comes_first(trained):
    model, report = trained
    titles = [figure["title"] for figure in model.card["metrics"]]
    assert titles == [
        "Nights never trained on",
        "Nights never trained on; without circular labels",
        "Random folds of objects: this flatters",
        "Random folds of objects: this flatters; without circular labels",
    ]
    at = [report.index(title) for title in titles]
    assert at == sorted(at)
    n_all, n_not_circular = (figure["n"] for figure in model.card["metrics"][:2])
    assert n_not_circular == sum(
        one["alerts"] for one in model.card["training"]["labels"] if not one["circular"]
    )
    assert n_all == sum(night["labelled"] for night in model.card["training"]["nights"])


def test_honest_figure_by_hand(nights, trained):
    """Train on one night, predict the other, and the other way round."""
    one, other = (read_training_set([path]) for path in nights[:2])
    guesses = []
    for known, new in ((other, one), (one, other)):
        classifier = AlertClassifier(class_weight="balanced")
        classifier.fit(known.table, known.y, sample_weight=known.weight, groups=known.objects)
        guesses.append(classifier.predict(new.table))
    truth = np.concatenate([one.y, other.y])
    counts = pd.crosstab(truth, np.concatenate(guesses)).reindex(
        index=list(LABELS), columns=list(LABELS), fill_value=0
    )
    assert trained[0].card["metrics"][0]["confusion"] == counts.to_numpy().tolist()


def test_only_real_alerts_are_scored_beside_simulated_ones(nights, tmp_path):
    simulated = tmp_path / "simulated.parquet"
    Night.load(nights[2]).save(simulated)
    labels = pd.read_csv(labels_beside(nights[2]))
    labels["evidence"] = "simulated: " + labels["evidence"]
    labels.to_csv(labels_beside(simulated), index=False)
    train([nights[0], simulated], tmp_path / "model")
    figures = load_model(tmp_path / "model").card["metrics"]
    assert figures[0]["title"] == "Nights never trained on"
    assert figures[0]["n"] == len(pd.read_csv(labels_beside(nights[0])))
    assert "Only real alerts are scored" in figures[0]["rule"]
    train([simulated], tmp_path / "model")
    rule = load_model(tmp_path / "model").card["metrics"][0]["rule"]
    assert "All of them are simulated" in rule


def test_one_night_has_no_honest_figure(nights, tmp_path):
    train(nights[:1], tmp_path / "model")
    figures = load_model(tmp_path / "model").card["metrics"]
    assert all("flatters" in figure["title"] for figure in figures)


def test_same_bytes_again(nights, trained, tmp_path):
    train(nights[:2], tmp_path / "again", n_jobs=1)
    for name in ("model.txt", "card.json"):
        assert (tmp_path / "again" / name).read_bytes() == (trained[0].folder / name).read_bytes()


def test_a_folder_that_is_no_model_is_refused_before_the_work(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ModelError, match="is not a model"):
        train([tmp_path / "absent.parquet"], tmp_path)


def test_predictions(nights, trained):
    night = Night.load(nights[2])
    found = predict(night, trained[0])
    assert found.columns.tolist() == ["objectId", "candid", "jd", "label", *PROBABILITY_COLUMNS]
    assert found["candid"].tolist() == night.alerts["candid"].tolist()
    assert found["candid"].dtype == np.int64
    p = found[list(PROBABILITY_COLUMNS)]
    assert np.allclose(p.sum(axis=1), 1)
    assert (found["label"] == p.idxmax(axis=1).str.removeprefix("p_")).all()
    truth = pd.read_csv(labels_beside(nights[2]))["label"]
    assert (found["label"] == truth).mean() > 0.95


def test_prediction_does_not_depend_on_the_rest_of_the_night(nights, trained):
    night = Night.load(nights[2])
    some = np.arange(len(night))[::3]
    alone = predict(night.subset(some), trained[0])
    together = predict(night, trained[0]).iloc[some].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together, check_exact=True)


def test_rank_gives_one_row_an_object(nights, trained):
    ranked = rank(Night.load(nights[2]), trained[0], top=5)
    assert len(ranked) == 5
    assert ranked["objectId"].is_unique


def test_another_definition_of_a_feature_is_refused(nights, trained):
    model = trained[0]
    card = json.loads(json.dumps(model.card))
    card["features"][3]["version"] = 99
    with pytest.raises(
        ModelError, match=f"definition of the feature {card['features'][3]['name']}"
    ):
        predict(Night.load(nights[2]), model._replace(card=card))


def test_evaluate_a_new_night(nights, trained):
    found = evaluate(Night.load(nights[2]), labels_beside(nights[2]), trained[0])
    assert found["honest"] is True
    assert found["trained_on"] == {"n": 0, "n_objects": 0}
    assert found["n"] == len(pd.read_csv(labels_beside(nights[2])))
    assert found["macro_f1"] > 0.9
    json.dumps(found, allow_nan=False)


def test_evaluate_leaves_out_what_was_trained_on(nights, trained, tmp_path):
    """A night in which half of the objects are old acquaintances."""
    night = Night.load(nights[2])
    known = read_training_set(nights[:1]).objects
    names = night.alerts["objectId"].unique()
    met = dict(zip(names[: len(names) // 2], known, strict=False))
    night.alerts["objectId"] = night.alerts["objectId"].replace(met)
    found = evaluate(night, labels_beside(nights[2]), trained[0])
    is_met = night.alerts["objectId"].isin(known)
    assert found["trained_on"]["n"] == is_met.sum()
    assert found["n"] == (~is_met).sum()


def test_evaluate_a_training_night_says_so(nights, trained, caplog):
    with caplog.at_level(logging.WARNING):
        found = evaluate(Night.load(nights[0]), labels_beside(nights[0]), trained[0])
    assert found["honest"] is False
    assert found["n"] == found["trained_on"]["n"]
    assert "flatter" in caplog.text


def test_evaluate_with_labels_of_another_night(nights, trained):
    with pytest.raises(LabelError, match="none of its candids"):
        evaluate(Night.load(nights[2]), labels_beside(nights[0]), trained[0])


def test_damaged_list_of_objects(nights, trained):
    model = trained[0]
    card = {**model.card, "training": {**model.card["training"], "objects": "$$$"}}
    with pytest.raises(ModelError, match=r"training\.objects is damaged"):
        evaluate(Night.load(nights[2]), labels_beside(nights[2]), model._replace(card=card))


def test_real_nights(shared_data, tmp_path):
    """A model of one real night finds most classes on a night five years earlier."""
    alerts = shared_data / "alerts"
    train([alerts / "ztf_alerts_2460235.5.parquet"], tmp_path / "model")
    model = load_model(tmp_path / "model")
    old = alerts / "ztf_alerts_2458451.5.parquet"
    found = evaluate(Night.load(old), labels_beside(old), model)
    assert found["honest"]
    assert found["per_class"]["sso"]["recall"] > 0.9
    assert found["per_class"]["star"]["recall"] > 0.6
