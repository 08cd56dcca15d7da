"""The fit of the weights: the right ones from terms that are known, and honest bookkeeping."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from ztfml.errors import LabelError
from ztfml.modelfile import load_model, shipped_model
from ztfml.night import labels_beside
from ztfml.ranking import TERMS, read_instrument, read_weights
from ztfml.ranking import fit as fitting
from ztfml.ranking.fit import FAST, FULL_NIGHT, LEAST, Sample, fit_weights, held_out, main
from ztfml.sources.simulate import KINDS, write_nights

_TRUE = {"transient": 6.0, "fading": 4.0, "rising": 0.0, "young": 3.0, "not_stellar": 2.0}
_TRUE |= {"hosted": 1.5, "stays": 1.5}


def sample_of(seed=0, n=40_000):
    """Objects whose terms are random, and which are fast with the chance that `_TRUE` gives."""
    rng = np.random.default_rng(seed)
    terms = pd.DataFrame(rng.random((n, len(TERMS))), columns=list(TERMS))
    z = sum(weight * terms[name] for name, weight in _TRUE.items()) - 12.0
    fast = rng.random(n) < expit(z)
    return Sample(
        terms,
        np.where(fast, "FBOT", "SN Ia"),
        np.full(n, "transient"),
        fast,
        np.where(rng.random(n) < 0.3, 1, 3),
        np.arange(n).astype(str),
        np.ones(n),
    )


@pytest.fixture(scope="module")
def fitted():
    return fit_weights(sample_of())


def test_the_fit_finds_the_weights_that_made_the_sample(fitted):
    for name, weight in _TRUE.items():
        assert fitted[name] == pytest.approx(max(weight, LEAST.get(name, 0)), rel=0.15), name


def test_no_weight_is_below_its_least(fitted):
    assert set(fitted) == {*TERMS, "intercept"}
    assert all(fitted[name] >= LEAST.get(name, 0.0) for name in TERMS)
    assert fitted["rising"] == LEAST["rising"]


def test_the_fit_is_deterministic(fitted):
    assert fit_weights(sample_of()) == fitted


def test_held_out_figures_are_of_objects_not_fitted_on():
    figures = held_out(sample_of(n=6000))
    for name in ("two nights", "one night"):
        assert (np.diff(figures[name]) >= 0).all()
        assert all(0 <= value <= 1 for value in figures[name])
    assert sum(figures["among the first 12"].values()) == pytest.approx(12, abs=1)


def test_every_fast_kind_is_simulated_and_their_parts_add_up():
    assert set(FAST) <= {kind.name for kind in KINDS}
    assert sum(one.part for one in FAST.values()) == pytest.approx(1)
    assert set(LEAST) <= set(TERMS)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    return write_nights(folder, 1500, seed=77, mix="balanced")[0]


def test_objects_count_as_on_a_natural_night(night):
    sample = fitting.read_sample([night], load_model(shipped_model()))
    assert len(sample.objects) == len(np.unique(sample.objects))
    assert sample.weight[sample.fast].sum() == pytest.approx(fitting.A_NIGHT)
    assert set(sample.kind[sample.fast]) <= set(FAST)
    # Every alert of a kind counts the same, and an object once: stars at most their share.
    stars = sample.weight[sample.label == "star"].sum()
    assert 0.2 * 0.42 * FULL_NIGHT < stars <= 1.001 * 0.42 * FULL_NIGHT
    once = sample.fast & (sample.n_nights == 1)
    assert sample.weight[once].sum() == pytest.approx(fitting.A_NIGHT * fitting.ONE_NIGHT)


def test_the_command_writes_a_file_that_can_be_read(night, tmp_path, capsys):
    path = tmp_path / "ranking.toml"
    main([str(night), "-o", str(path)])
    assert set(read_weights(path)) == {*TERMS, "intercept"}
    assert read_instrument(path) == read_instrument()
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
