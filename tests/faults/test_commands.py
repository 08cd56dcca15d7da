"""Commands that are killed at random moments lose nothing and leave nothing.

``ZTFML_KILLS`` sets the number of kills of all commands together (28 by default).
"""

import functools
import os
import random
import time

import pytest

from tests.faults.commands import COMMANDS, run, state, write_inputs
from tests.faults.writers import names_in

N_KILLS = int(os.environ.get("ZTFML_KILLS", "28")) // len(COMMANDS)
# Seconds; the first run compiles the kernels.
LONGEST = 600


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def complete(inputs, start, tmp_path_factory):
    """Run both versions of a command; return what they write, its names, and the seconds."""

    @functools.cache
    def complete(name):
        command, states, seconds = COMMANDS[name], {}, float(LONGEST)
        for version in (1, 2):
            folder = tmp_path_factory.mktemp("complete")
            begin = time.monotonic()
            process = start(run, command.arguments(inputs, folder, version))
            process.join(LONGEST)
            seconds = min(seconds, time.monotonic() - begin)
            assert process.exitcode == 0
            states[version] = [state(folder, group) for group in command.groups]
            if version == 1:
                names = names_in(folder)
        assert all(one != two for one, two in zip(states[1], states[2], strict=True))
        return states, names, seconds

    return complete


@pytest.mark.parametrize("name", COMMANDS)
def test_kills_of_a_command(name, inputs, start, complete, tmp_path):
    command = COMMANDS[name]
    states, names, seconds = complete(name)
    folder = tmp_path / "out"
    folder.mkdir()
    rng = random.Random(name)

    def run_version(version, limit):
        process = start(run, command.arguments(inputs, folder, version))
        process.join(limit)
        process.kill()
        process.join()
        return process.exitcode

    assert run_version(1, LONGEST) == 0
    for k in range(N_KILLS):
        # Half of the kills are near the end, when the files are written.
        first = rng.choice((0.0, 0.8))
        run_version(2 - k % 2, rng.uniform(first, 1.05) * seconds)
        for n, group in enumerate(command.groups):
            assert state(folder, group) in (states[1][n], states[2][n])
    # The next run completes the output and removes what the killed ones left.
    assert run_version(1, LONGEST) == 0
    assert [state(folder, group) for group in command.groups] == states[1]
    assert names_in(folder) == names


@pytest.mark.parametrize("name", COMMANDS)
def test_two_runs_of_a_command_leave_one_complete_result(name, inputs, start, complete, tmp_path):
    command = COMMANDS[name]
    states, _, _ = complete(name)
    folder = tmp_path / "out"
    folder.mkdir()
    processes = [start(run, command.arguments(inputs, folder, version)) for version in (1, 2)]
    for process in processes:
        process.join(LONGEST)
        assert process.exitcode == 0
    for n, group in enumerate(command.groups):
        assert state(folder, group) in (states[1][n], states[2][n])
    assert not [name for name in names_in(folder) if name.startswith(".")]
