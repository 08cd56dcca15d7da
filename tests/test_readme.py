"""The README is short, and what it shows exists."""

import re

import pytest

from ztfml.cli import main


@pytest.fixture(scope="module")
def readme(request):
    return (request.config.rootpath / "README.md").read_text()


def test_the_readme_has_at_most_250_lines(readme):
    assert len(readme.splitlines()) <= 250


def test_pictures_and_linked_files_exist(readme, request):
    targets = re.findall(r"\[[^]]*\]\((?!http)([^)#]+)\)", readme)
    assert len([target for target in targets if target.endswith(".png")]) >= 2
    missing = [name for name in targets if not (request.config.rootpath / name).is_file()]
    assert missing == []


def test_the_first_picture_comes_before_the_first_table(readme):
    assert readme.index("![") < readme.index("| --- |")


def all_commands(group, path=""):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from all_commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(all_commands(main))


def test_the_table_lists_exactly_the_commands(readme):
    groups = [name for name, command in main.commands.items() if hasattr(command, "commands")]
    pattern = rf"^\| `ztfml ((?:{'|'.join(groups)}) \w+|[\w-]+)"
    assert sorted(re.findall(pattern, readme, re.MULTILINE)) == sorted(COMMANDS)


def test_options_in_the_table_exist(readme):
    for usage, purpose in re.findall(r"^\| `ztfml ([^`]*)` \|(.*)$", readme, re.MULTILINE):
        # The longest name, because the commands of a group begin with its name.
        name = max((one for one in COMMANDS if f"{usage} ".startswith(f"{one} ")), key=len)
        known = {option for one in COMMANDS[name].params for option in one.opts}
        used = set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", usage + purpose))
        assert used <= known, name
