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


def test_the_table_lists_exactly_the_commands(readme):
    listed = re.findall(r"^\| `ztfml (model \w+|[\w-]+)", readme, re.MULTILINE)
    groups = {"model": main.commands["model"].commands}
    every = [f"model {name}" for name in groups["model"]]
    assert sorted(listed) == sorted([*every, *(name for name in main.commands if name != "model")])


def test_options_in_the_table_exist(readme):
    rows = re.findall(r"^\| `ztfml ([\w-]+)([^`]*)` \|(.*)$", readme, re.MULTILINE)
    for command, usage, purpose in rows:
        known = {option for one in main.commands[command].params for option in one.opts}
        used = set(re.findall(r"(?<!\w)--?[a-z][a-z-]*", usage + purpose))
        assert used <= known, command
