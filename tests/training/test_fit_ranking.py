"""The fit of the ranking: known weights are found, and figures come from objects left out."""

import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from ztfml.errors import DataError, LabelError, ModelError
from ztfml.io.companions import labels_beside
from ztfml.io.verified_folder import shipped_folder
from ztfml.model.model import Model
from ztfml.ranking import TERMS, load_ranking, weight_names
from ztfml.ranking.learned import learned_inputs
from ztfml.ranking.quantities import UNLIKELY
from ztfml.simulate import POPULATIONS, write_nights
from ztfml.training import ranking_sample
from ztfml.training.fit_ranking import fit_ranking, fit_weights, held_out, train_on, with_trees
from ztfml.training.ranking_sample import FAST, FULL_NIGHT, Sample, read_sample

INPUTS = learned_inputs()
INFORMATIVE = INPUTS.index("fade_rate")
_TRUE = {"trees": 6.0, "real": 4.0, "tonight": 7.0, "young": 3.0, "not_stellar": 2.0}
_TRUE |= {"stationary": 1.5}


def sample_of(seed=0, n=40_000):
    """Objects with random terms, which are fast with the probability that `_TRUE` gives."""
    rng = np.random.default_rng(seed)
    terms = pd.DataFrame(rng.random((n, len(weight_names()))), columns=list(weight_names()))
    z = sum(weight * terms[name] for name, weight in _TRUE.items()) - 14.5
    fast = rng.random(n) < expit(z)
    # One input is informative; the trees are evaluated for the first 800 objects only.
    inputs = np.full((n, len(INPUTS)), np.nan, np.float32)
    inputs[:800] = rng.random((800, len(INPUTS)))
    inputs[:800, INFORMATIVE] += fast[:800]
    return Sample(
        terms,
        inputs,
        np.where(fast, "FBOT", "SN Ia"),
        np.full(n, "transient"),
        fast,
        np.ones(n, bool),
        np.where(rng.random(n) < 0.3, 1, 3),
        np.arange(n).astype(str),
        np.ones(n),
    )


@pytest.fixture(scope="module")
def fitted():
    return fit_weights(sample_of())


def test_the_fit_finds_the_weights_that_made_the_sample(fitted):
    for name, weight in _TRUE.items():
        lowest = 0.0 if name == "trees" else TERMS[name].min_weight
        assert fitted[name] == pytest.approx(max(weight, lowest), rel=0.2, abs=0.2), name


def test_no_weight_is_below_its_minimum(fitted):
    assert set(fitted) == {*weight_names(), "intercept"}
    assert all(fitted[name] >= TERMS[name].min_weight for name in weight_names()[:-1])
    assert fitted["bright"] == TERMS["bright"].min_weight


def test_the_fit_is_deterministic(fitted):
    assert fit_weights(sample_of()) == fitted


def test_the_trees_use_the_informative_input():
    sample = sample_of(n=4000)
    trees = train_on(sample)
    odds, fast = trees.log_odds(sample.inputs[:800]), sample.fast[:800]
    assert odds[fast].min() > odds[~fast].max()
    size = {name: np.abs(value).mean() for name, value in trees.terms(sample.inputs[:800]).items()}
    assert max(size, key=size.get) == "fading"
    assert size.pop("fading") > 3 * max(size.values())
    assert train_on(sample).text == trees.text
    assert (with_trees(sample).terms["trees"][800:] == UNLIKELY).all()


def test_the_weight_of_the_trees_comes_from_objects_left_out():
    """With inputs of pure noise, the trees memorise their training objects."""
    sample = sample_of(n=4000)
    inputs = sample.inputs.copy()
    inputs[:800, INFORMATIVE] = 0.5
    sample = sample._replace(inputs=inputs)
    odds, fast = train_on(sample).log_odds(inputs[:800]), sample.fast[:800]
    assert odds[fast].min() > odds[~fast].max()
    assert fit_weights(with_trees(sample))["trees"] < 0.5


def test_held_out_figures_are_fractions():
    figures = held_out(sample_of(n=6000))
    assert list(figures["recall"]) == ["two nights or more", "one night"]
    for recall in figures["recall"].values():
        assert (np.diff(recall) >= 0).all()
        assert all(0 <= value <= 1 for value in recall)
    assert sum(figures["first_12_without_fast"].values()) == pytest.approx(12, abs=1)


def test_every_fast_kind_is_simulated_and_the_fractions_add_up_to_1():
    assert set(FAST) <= {kind.name for kind in POPULATIONS}
    assert sum(one.fraction for one in FAST.values()) == pytest.approx(1)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    return write_nights(folder, 1500, seed=77, mix="balanced")[0]


def test_weights_are_those_of_a_natural_night(night):
    sample = read_sample([night], Model.load())
    assert len(sample.objects) == len(np.unique(sample.objects))
    assert sample.weight[sample.fast].sum() == pytest.approx(ranking_sample.FAST_WEIGHT)
    assert set(sample.kind[sample.fast]) <= set(FAST)
    # Each object counts once, so stars have at most their fraction of the alerts.
    stars = sample.weight[sample.label == "star"].sum()
    assert 0.2 * 0.42 * FULL_NIGHT < stars <= 1.001 * 0.42 * FULL_NIGHT
    faint = sample.fast & ~sample.bright
    assert sample.weight[faint].sum() == pytest.approx(
        ranking_sample.FAST_WEIGHT * ranking_sample.FAINT_FRACTION
    )
    once = sample.fast & sample.bright & (sample.n_nights == 1)
    bright = ranking_sample.FAST_WEIGHT * (1 - ranking_sample.FAINT_FRACTION)
    assert sample.weight[once].sum() == pytest.approx(bright * ranking_sample.ONE_NIGHT_FRACTION)


def test_faint_and_changing_transients_with_earlier_non_detections_weigh_most():
    table = pd.DataFrame(
        {
            "kind": "FBOT",
            "peak_mag": [19.0, 18.0, 19.0, 19.0],
            "n_nights": 2.0,
            "n_limit": [9.0, 9.0, 0.0, 9.0],
            "recent_rate": [0.2, np.nan, 0.2, 0.4],
        }
    )
    usual, bright, without_limit, changing = ranking_sample._weight_of_fast(table)
    assert bright / usual == pytest.approx(10**-0.34)
    assert without_limit / usual == pytest.approx(0.3)
    assert changing / usual == pytest.approx(2.0)


def test_weights_of_slow_objects_differ_from_their_natural_number():
    kind = np.array(["SN II", "superoutburst", "asteroid"])
    factor = ranking_sample.factor_of_slow(kind, np.array(["transient", "star", "sso"]))
    assert factor.tolist() == [1.5, 0.3, 1.0]


def test_fit_ranking_writes_a_folder(night, tmp_path):
    folder = fit_ranking([night], tmp_path / "mine")
    ranking = load_ranking(folder)
    assert set(ranking.weights) == {*weight_names(), "intercept"}
    assert ranking.instrument == load_ranking().instrument
    assert ranking.trees.inputs == INPUTS
    assert ranking.card["training"]["nights"] == [night.stem]
    assert len(ranking.card["probes"]["values"]) == 16
    page = (folder / "README.md").read_text()
    assert f"| intercept | {ranking.weights['intercept']:g} | |" in page
    assert night.stem in page
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_night_of_the_fit_is_refused_for_the_calibration(night, tmp_path):
    (tmp_path / night.name).symlink_to(night)
    with pytest.raises(DataError, match="cannot be fitted and calibrated on the same night"):
        fit_ranking([night], tmp_path / "mine", calibrate_on=[tmp_path / night.name])


def test_a_night_of_the_calibration_without_labels_is_refused_before_the_fit(tmp_path):
    with pytest.raises(LabelError, match=r"other_labels.csv: there is no such file"):
        fit_ranking(["no.parquet"], tmp_path / "mine", calibrate_on=[tmp_path / "other.parquet"])


def test_a_folder_with_other_files_is_refused_before_the_fit(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match="exists and is not a model"):
        fit_ranking(["no.parquet"], tmp_path)


def test_a_ranking_is_not_replaced_unless_wanted(tmp_path):
    shutil.copytree(shipped_folder("ranking"), tmp_path / "mine")
    with pytest.raises(ModelError, match="contains a model; name another folder, or replace it"):
        fit_ranking(["no.parquet"], tmp_path / "mine")


def test_labels_that_are_not_simulated_are_refused(night, tmp_path):
    for name in (night, night.with_name(f"{night.stem}_prv_candidates.parquet")):
        (tmp_path / name.name).symlink_to(name)
    labels = pd.read_csv(labels_beside(night), dtype=str)
    labels["evidence"] = "vsx: RRAB"
    path = tmp_path / night.name
    labels.to_csv(labels_beside(path), index=False)
    with pytest.raises(LabelError, match="simulated nights only"):
        fit_ranking([path], tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
