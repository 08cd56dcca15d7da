"""Help texts of all commands; `test_examples` runs the examples in them."""

import subprocess
import sys

import pytest

from tests.cli.examples import all_commands
from tests.cli.run import ztfml

COMMANDS = dict(all_commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_has_an_example_and_the_readme_has_the_command(path, request):
    text = ztfml(*path, "--help").stdout
    assert f"Examples:\n    ztfml {' '.join(path)}" in text
    readme = (request.config.rootpath / "README.md").read_text()
    assert f"ztfml {' '.join(path)}" in readme


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_has_a_help_text(path):
    for parameter in COMMANDS[path].params:
        assert parameter.param_type_name == "argument" or parameter.help


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_a_closed_pipe_ends_the_command_quietly(argument):
    command = [sys.executable, "-m", "ztfml", argument]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
