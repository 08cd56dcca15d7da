"""Inputs with random faults give the right result or one sentence."""

import pytest

from tests.fuzz.harness import TARGETS, failures

N_INPUTS = 200


@pytest.mark.parametrize("name", TARGETS)
def test_each_input_gives_the_right_result_or_one_sentence(name, fuzz_server):
    counts, faults = failures(name, 0, N_INPUTS, fuzz_server)
    assert not faults, "\n\n".join(faults)
    assert counts.total() == N_INPUTS
    # Mutations that never change anything, or always destroy the input, test nothing.
    assert counts["right"] > 0
    assert counts["right"] < N_INPUTS or name == "fetched"
