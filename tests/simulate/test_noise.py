"""Random numbers that belong to a source and an exposure."""

import numpy as np
import pytest

from ztfml.simulate import noise


def test_noise_depends_on_source_and_exposure_not_on_order():
    key = np.random.default_rng(1).integers(0, 2**63, 20_000).astype(np.uint64)
    number = np.arange(20_000)
    values = noise.normal(key, number, 1)
    order = np.random.default_rng(2).permutation(20_000)
    np.testing.assert_array_equal(noise.normal(key[order], number[order], 1), values[order])
    assert abs(values.mean()) < 0.03
    assert values.std() == pytest.approx(1, abs=0.02)
    assert abs(np.corrcoef(values, noise.normal(key, number, 2))[0, 1]) < 0.03
    assert abs(np.corrcoef(values, noise.normal(key, number + 1, 1))[0, 1]) < 0.03


def test_damped_random_walk_has_the_expected_structure_function():
    """SF^2(dt) = 2 (1 - exp(-dt/tau)) for unit variance (MacLeod et al. 2010, eq. 3)."""
    rng = np.random.default_rng(5)
    n, tau = 6000, 100.0
    modes = noise.walk_modes(rng, np.full(n, tau))
    row, start = np.arange(n), 2460000.0
    first = noise.damped_walk(*modes, row, np.full(n, start))
    assert first.std() == pytest.approx(1, abs=0.04)
    for wait in (10.0, 100.0, 500.0):
        later = noise.damped_walk(*modes, row, np.full(n, start + wait))
        expected = 2 * (1 - np.exp(-wait / tau))
        assert np.mean((later - first) ** 2) == pytest.approx(expected, rel=0.1)
