"""The fit of the weights: the right ones from terms that are known, and honest bookkeeping."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from ztfml.errors import LabelError
from ztfml.model.model import Model
from ztfml.night import labels_beside
from ztfml.ranking import TERMS, read_instrument, read_trees, read_weights
from ztfml.ranking.trees import INPUTS
from ztfml.simulate import POPULATIONS, write_nights
from ztfml.training import fit_ranking as fitting
from ztfml.training.fit_ranking import (
    FAST,
    FULL_NIGHT,
    LEAST,
    Sample,
    fit_weights,
    grow_trees,
    held_out,
    main,
    with_trees,
)

TELLING = list(INPUTS).index("fade_rate")
_TRUE = {"transient": 6.0, "fading": 4.0, "rising": 0.0, "young": 3.0, "not_stellar": 2.0}
_TRUE |= {"hosted": 1.5, "stays": 1.5}


def sample_of(seed=0, n=40_000):
    """Objects whose terms are random, and which are fast with the chance that `_TRUE` gives."""
    rng = np.random.default_rng(seed)
    terms = pd.DataFrame(rng.random((n, len(TERMS))), columns=list(TERMS))
    z = sum(weight * terms[name] for name, weight in _TRUE.items()) - 12.0
    fast = rng.random(n) < expit(z)
    # One input tells something, and most objects are not asked about.
    inputs = np.full((n, len(INPUTS)), np.nan, np.float32)
    inputs[:800] = rng.random((800, len(INPUTS)))
    inputs[:800, TELLING] += fast[:800]
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
        assert fitted[name] == pytest.approx(max(weight, LEAST.get(name, 0)), rel=0.2), name


def test_no_weight_is_below_its_least(fitted):
    assert set(fitted) == {*TERMS, "intercept"}
    assert all(fitted[name] >= LEAST.get(name, 0.0) for name in TERMS)
    assert fitted["bright"] == LEAST["bright"]


def test_the_fit_is_deterministic(fitted):
    assert fit_weights(sample_of()) == fitted


def test_the_trees_find_what_tells():
    sample = sample_of(n=4000)
    trees = grow_trees(sample)
    odds, fast = trees.log_odds(sample.inputs[:800]), sample.fast[:800]
    assert odds[fast].min() > odds[~fast].max()
    shares = np.abs(trees.shares(sample.inputs[:800])).mean(axis=0)
    assert shares.argmax() == TELLING
    assert shares[TELLING] > 10 * np.sort(shares)[-2]
    assert grow_trees(sample).text == trees.text
    # What they were not asked about is not like a fast transient.
    assert (with_trees(sample).terms["alike"][800:] == 0).all()


def test_weights_rest_on_what_trees_say_that_have_not_seen_the_object():
    """Inputs of pure noise: trees know by heart what they saw, and that must not count."""
    sample = sample_of(n=4000)
    inputs = sample.inputs.copy()
    inputs[:800, TELLING] = 0.5
    sample = sample._replace(inputs=inputs)
    odds, fast = grow_trees(sample).log_odds(inputs[:800]), sample.fast[:800]
    assert odds[fast].min() > odds[~fast].max()
    assert fit_weights(with_trees(sample))["alike"] < 1.5


def test_held_out_figures_are_of_objects_not_fitted_on():
    figures = held_out(sample_of(n=6000))
    for name in ("two nights", "one night"):
        assert (np.diff(figures[name]) >= 0).all()
        assert all(0 <= value <= 1 for value in figures[name])
    assert sum(figures["among the first 12"].values()) == pytest.approx(12, abs=1)


def test_every_fast_kind_is_simulated_and_their_parts_add_up():
    assert set(FAST) <= {kind.name for kind in POPULATIONS}
    assert sum(one.part for one in FAST.values()) == pytest.approx(1)
    assert set(LEAST) <= set(TERMS)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    return write_nights(folder, 1500, seed=77, mix="balanced")[0]


def test_objects_count_as_on_a_natural_night(night):
    sample = fitting.read_sample([night], Model.load())
    assert len(sample.objects) == len(np.unique(sample.objects))
    assert sample.weight[sample.fast].sum() == pytest.approx(fitting.A_NIGHT)
    assert set(sample.kind[sample.fast]) <= set(FAST)
    # Every alert of a kind counts the same, and an object once: stars at most their share.
    stars = sample.weight[sample.label == "star"].sum()
    assert 0.2 * 0.42 * FULL_NIGHT < stars <= 1.001 * 0.42 * FULL_NIGHT
    faint = sample.fast & ~sample.bright
    assert sample.weight[faint].sum() == pytest.approx(fitting.A_NIGHT * fitting.FAINT)
    once = sample.fast & sample.bright & (sample.n_nights == 1)
    bright = fitting.A_NIGHT * (1 - fitting.FAINT)
    assert sample.weight[once].sum() == pytest.approx(bright * fitting.ONE_NIGHT)


def test_the_command_writes_a_file_that_can_be_read(night, tmp_path, capsys):
    path = tmp_path / "ranking.toml"
    main([str(night), "-o", str(path)])
    assert set(read_weights(path)) == {*TERMS, "intercept"}
    assert read_instrument(path) == read_instrument()
    assert read_trees(path).booster.feature_name() == list(INPUTS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ranking.toml", "ranking_trees.txt"]
    text = path.read_text()
    assert "# Fitted 20" in text
    assert "in the first 50" in text
    assert capsys.readouterr().out.strip() == text.strip()


def test_real_labels_are_refused(night, tmp_path):
    for name in (night, night.with_name(f"{night.stem}_prv_candidates.parquet")):
        (tmp_path / name.name).symlink_to(name)
    labels = pd.read_csv(labels_beside(night), dtype=str)
    labels["evidence"] = "vsx: RRAB"
    path = tmp_path / night.name
    labels.to_csv(labels_beside(path), index=False)
    with pytest.raises(LabelError, match="simulated nights alone"):
        main([str(path), "-o", str(tmp_path / "ranking.toml")])
    assert not (tmp_path / "ranking.toml").exists()
