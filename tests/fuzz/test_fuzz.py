"""Inputs with random faults give the right result or one sentence."""

import pytest

from tests.fuzz.harness import COMPARED, TARGETS, failures
from tests.fuzz.outcomes import OUTCOMES

# All targets together take less than two minutes; `make fuzz` runs more.
N_INPUTS = 80


@pytest.mark.parametrize("name", TARGETS)
def test_each_input_gives_the_right_result_or_one_sentence(name, fuzz_server):
    counts, faults = failures(name, 0, N_INPUTS, fuzz_server)
    assert not faults, "\n\n".join(faults)
    assert sum(counts[outcome] for outcome in OUTCOMES) == N_INPUTS
    # Mutations that always destroy the input, or never change anything, test nothing. A damaged
    # packet or fetched file leaves a remark, and the rest is right.
    assert counts["right"] > 0
    assert counts[COMPARED] > 0
    assert counts["sentence"] > 0 or name in ("packets", "fetched")
