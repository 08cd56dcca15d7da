"""Help texts of all commands."""

import pytest

from tests.cli.run import ztfml
from ztfml.cli import main


def all_commands(group=main, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from all_commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(all_commands()), ids=" ".join)
def test_every_command_has_an_example_in_its_help_and_stands_in_the_readme(path, request):
    text = ztfml(*path, "--help").stdout
    assert f"Example:\n    ztfml {' '.join(path)}" in text
    readme = (request.config.rootpath / "README.md").read_text()
    assert f"ztfml {' '.join(path)}" in readme
