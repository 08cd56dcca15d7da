"""Help texts of all commands, and the examples in them."""

import shlex
import shutil
from glob import glob
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.run import ztfml
from tests.sources.formats import exporters
from ztfml.cli import main
from ztfml.io.companions import galaxies_beside, history_beside, labels_beside
from ztfml.simulate import write_nights

OBJECT = "ZTF18abukavn"
# The test of the demo runs `ztfml demo` once, which takes more than a minute.
RUN_ELSEWHERE = ("demo",)


def all_commands(group=main, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from all_commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(all_commands())


def examples_of(command):
    text = command.epilog.removeprefix("\b\nExamples:\n").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines()]


EXAMPLES = [line for command in COMMANDS.values() for line in examples_of(command)]


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


@pytest.fixture(scope="module")
def example_folder(nights, model, tmp_path_factory):
    """The files that the examples name; one object of the night is renamed to ``OBJECT``."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "nights").mkdir()
    (folder / "simulated").mkdir()
    write_nights(folder / "simulated", 400, 1, seed=5, mix="transients")
    for night in nights[:2]:
        for path in (night, history_beside(night), labels_beside(night)):
            shutil.copy(path, folder / "nights" / path.name)
    night = folder / "night.parquet"
    alerts, history = pd.read_parquet(nights[2]), pd.read_parquet(history_beside(nights[2]))
    renamed = {history.index[0]: OBJECT}
    alerts.assign(objectId=alerts["objectId"].replace(renamed)).to_parquet(night)
    history.rename(index=renamed).to_parquet(history_beside(night))
    labels = pd.read_csv(labels_beside(nights[2]))
    labels.assign(objectId=labels["objectId"].replace(renamed)).to_csv(
        labels_beside(night), index=False
    )
    # The example of `ztfml label` replaces the labels beside the night.
    shutil.copy(labels_beside(night), folder / "night_labels_by_eye.csv")
    shutil.copy(galaxies_beside(nights[2]), galaxies_beside(night))
    shutil.copytree(model, folder / "my_model")
    ztfml("rank", night, "-m", model, "-o", folder / "ranked.csv")
    for person, mark in (("ada", "follow"), ("bob", "reject")):
        (folder / f"{person}_marks.csv").write_text(f"objectId,mark\n{OBJECT},{mark}\n")
    ztfml("history", "add", folder / "store", night)
    (folder / "bts.csv").write_text(f"ZTFID,type\n{OBJECT},SN Ic-BL\n")
    pd.DataFrame({"RAJ2000": [10.0], "DEJ2000": [5.0], "Type": ["RRAB"]}).to_parquet(
        folder / "vsx.parquet"
    )
    place = alerts[["candidate.ra", "candidate.dec"]].iloc[0]
    (folder / "tns_public_objects.csv").write_text(
        '"2024-06-01 00:00:00"\nname_prefix,name,ra,declination,type,redshift\n'
        f"SN,2018gep,{place.iloc[0]},{place.iloc[1]},SN Ic-BL,0.032\n"
    )
    return folder


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_run(line, example_folder, request, monkeypatch, tmp_path):
    monkeypatch.chdir(example_folder)
    # The small nights have few transients.
    monkeypatch.setattr("ztfml.training.train.MIN_OBJECTS_OF_CLASS", 1)
    program, *arguments = shlex.split(line)
    assert program == "ztfml"
    if arguments[0] in RUN_ELSEWHERE:
        pytest.skip("run by the test of the demo")
    if arguments[0] == "fetch":
        # Without a network, an empty cache has no answer.
        monkeypatch.setenv("XDG_CACHE_HOME", str(example_folder / "cache"))
        assert "nothing was fetched" in ztfml(*arguments, "--offline", code=1).stderr
        return
    if arguments[0] == "replay":
        monkeypatch.setattr("ztfml.stream.replay._ANSWER_SECONDS", 0.5)
        assert "check --server" in ztfml(*arguments, code=1).stderr
        return
    if arguments[0] == "watch":
        # Without a broker no packets arrive.
        arguments += ["--server", "127.0.0.1:9", "--idle", "1s"]
    if "--galaxies" in arguments:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if arguments[0] == "simulate":
        monkeypatch.chdir(tmp_path)
    if arguments[0] == "ingest":
        monkeypatch.chdir(tmp_path)
        if arguments[1].endswith(".tar.gz"):
            packets = request.getfixturevalue("shared_data") / "packets"
            tarball = tmp_path / arguments[1].replace("*", "one")
            tarball.parent.mkdir(exist_ok=True)
            shutil.copy(packets / "ztf_public_20180819_mod1000.tar.gz", tarball)
        else:
            alerts = pd.read_parquet(example_folder / "night.parquet")[:20]
            history = pd.read_parquet(history_beside(example_folder / "night.parquet"))
            exporters.kowalski(alerts, history.reset_index(), tmp_path / arguments[1])
            exporters.fink_csv(alerts, history.reset_index(), tmp_path / arguments[2])
    if arguments[0] == "recover":
        # Few repetitions test the example as well as many.
        arguments[arguments.index("--repeats") + 1] = "2"
    paths = [path for word in arguments for path in expand(word)]
    result = ztfml(*paths)
    assert result.stdout
    for option in ("-o", "--plot"):
        if option in paths and paths[paths.index(option) + 1] != "-":
            assert Path(paths[paths.index(option) + 1]).exists()


def expand(word):
    """Expand ``nights/*.parquet`` as a shell does."""
    return sorted(glob(word)) if "*" in word else [word]
