"""Every example of the README, the documentation and the help runs in a folder of its own.

Some run in other locales and with a closed pipe. With ``ZTFML_EXAMPLES=all`` every example does,
also those of the documentation that take long; this takes about half an hour.
"""

import os
import shutil
import subprocess
import sys

import pytest

from tests.cli import examples
from tests.cli.run import ztfml

ALL = os.environ.get("ZTFML_EXAMPLES") == "all"
LINES = list(examples.EXAMPLES) if ALL else examples.representative()
ENVIRONMENTS = {
    "LC_ALL=C": {"LC_ALL": "C"},
    "ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "closed pipe": {},
}
FEW = ("ztfml model show my_model", "ztfml rank night.parquet --format json", "ztfml config show")


def of_environments():
    """Give the pairs of environments and lines; of slow commands one line each."""
    if not ALL:
        return [(name, line) for name in ENVIRONMENTS for line in FEW if line in LINES]
    seen, lines = set(), []
    for line in LINES:
        command = line.split()[1]
        if not examples.is_slow(line) or (command in examples.SLOW and command not in seen):
            lines.append(line)
            seen.add(command)
    return [(name, line) for name in ENVIRONMENTS for line in lines]


@pytest.fixture(scope="module")
def files(nights, model, tmp_path_factory):
    """The files that the examples name."""
    return examples.make_folder(tmp_path_factory.mktemp("examples"), nights, model)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder of the demonstration."""
    folder = tmp_path_factory.mktemp("demonstration") / "demo"
    ztfml("demo", folder)
    return folder


@pytest.fixture
def folder(files, tmp_path, monkeypatch, request):
    """A working folder with the files and an empty cache."""
    target = tmp_path / "example"
    examples.copy_folder(files, target)
    line = request.node.callspec.params["line"]
    if "ingest" in line and ".tar.gz" in line:
        packets = request.getfixturevalue("shared_data") / "packets"
        for name in ("ztf_public_20240601.tar.gz", "tarballs/ztf_public_20240601.tar.gz"):
            shutil.copy(packets / "ztf_public_20180819_mod1000.tar.gz", target / name)
    if "demo/" in line:
        examples.copy_folder(request.getfixturevalue("demo"), target / "demo")
    if "-o my_model" in line:
        shutil.rmtree(target / "my_model")
    if "export" in line:
        shutil.rmtree(target / "night_hats")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(target)
    return target


def check(arguments, code, stdout, stderr, is_read=True):
    """Check what an example printed and wrote."""
    # Without a reader, a command ends quietly at its first line; its files are written before.
    assert code in {examples.expected_code(arguments), 0 if not is_read else None}, stderr
    for word in ("Traceback", "Warning:", "Exception ignored", "internal error"):
        assert word not in stderr
    if not is_read and arguments[0] == "fetch":
        return
    if arguments[0] == "fetch":
        assert "nothing was fetched" in stderr
    elif arguments[0] == "replay":
        assert "check --server" in stderr
    else:
        assert stdout.strip()
        assert "Error:" not in stderr
        assert all(path.exists() for path in examples.outputs_of(arguments))


@pytest.mark.parametrize("line", LINES)
def test_examples_run(line, folder, request, monkeypatch):
    if reason := examples.reason_to_skip(line):
        pytest.skip(reason)
    if line.startswith("ztfml demo") and not ALL:
        pytest.skip("run by the test of the demo")
    monkeypatch.setattr("ztfml.stream.replay._ANSWER_SECONDS", 0.5)
    # The small nights have few transients.
    monkeypatch.setattr("ztfml.training.train.MIN_OBJECTS_OF_CLASS", 1)
    arguments = examples.arguments_of(line)
    result = ztfml(*arguments, code=examples.expected_code(arguments))
    check(arguments, result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize(("environment", "line"), of_environments())
def test_examples_run_in_other_environments(environment, line, folder):
    if reason := examples.reason_to_skip(line):
        pytest.skip(reason)
    if line.split()[1] in ("demo", "replay"):
        pytest.skip("too slow")
    arguments = examples.arguments_of(line)
    if arguments[0] == "train" and "--onto" not in arguments:
        # The small nights have few transients.
        arguments += ["--classes", "star,agn"]
    command = [sys.executable, "-m", "ztfml", *arguments]
    clean = {name: value for name, value in os.environ.items() if name not in ("LANG", "LC_CTYPE")}
    with subprocess.Popen(
        command,
        env=clean | ENVIRONMENTS[environment],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        if environment == "closed pipe":
            process.stdout.close()
            stdout, stderr = "nobody read it", process.stderr.read()
        else:
            stdout, stderr = process.communicate()
            # UTF-8 in every locale, unless the user sets another encoding.
            stdout = stdout.decode("cp1252" if environment == "cp1252" else "utf-8")
    stderr = stderr.decode("utf-8", "replace")
    check(arguments, process.returncode, stdout, stderr, environment != "closed pipe")
