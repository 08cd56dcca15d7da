"""The examples of the README, the documentation and the help, and the files that they name."""

import os
import re
import shlex
import shutil
from glob import glob
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.table import QTable, Table
from astropy_healpix import HEALPix, level_ipix_to_uniq

from tests.cli.run import ztfml
from tests.sources.formats import exporters
from ztfml.cli import main
from ztfml.io.companions import galaxies_beside, history_beside, labels_beside
from ztfml.simulate import write_nights

ROOT = Path(__file__).parents[2]
OBJECT = "ZTF18abukavn"
# Files, folders and tests of other commands.
_ELSEWHERE = {
    "s3://": "tests/remote runs commands on an object store",
    "--scheduler": "tests/many_nights runs commands on a cluster",
}
# They take half a minute or more, also for small nights.
SLOW = ("train", "fit-ranking", "recover", "demo")


def all_commands(group=main, path=()):
    """Give the path and the object of every command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from all_commands(command, (*path, name))
        else:
            yield (*path, name), command


def _of_help():
    for _, command in all_commands():
        text = command.epilog.removeprefix("\b\nExamples:\n").replace("\\\n", " ")
        for line in text.splitlines():
            yield " ".join(line.split()), "help"


def _of_pages():
    for page in sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")]):
        if "_generated" in page.parts:
            continue
        text = page.read_text("utf-8").replace("\\\n", " ")
        for block in re.findall(r"^ *```\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
            for line in re.findall(r"^ *(ztfml .*)$", block, re.MULTILINE):
                yield " ".join(line.partition("#")[0].split()), page.name


OF_HELP, OF_PAGES = dict(_of_help()), dict(_of_pages())
EXAMPLES = OF_PAGES | OF_HELP
"""Each different line, with the place of one of its occurrences."""


def _kind(line):
    """Return what a line uses: its command, options and kinds of files."""
    words = shlex.split(line)
    files = {Path(word).suffix for word in words if not word.startswith("-")}
    return words[1], *sorted({word for word in words if word.startswith("-")} | files)


def representative():
    """Return the examples of the help, and those of pages that use something else."""
    known = {_kind(line) for line in OF_HELP}
    others = [line for line in OF_PAGES if not is_slow(line) and _kind(line) not in known]
    return [*OF_HELP, *others]


_SMALLER = (("recover", "--repeats", "2"), ("plot", "--top", "2"), ("simulate", "--alerts", "500"))


def reason_to_skip(line):
    """Return why a line is not run here, or None."""
    return next((reason for part, reason in _ELSEWHERE.items() if part in line), None)


def is_slow(line):
    """Whether a line runs a command that takes long, or a model that such a command made."""
    return line.split()[1] in SLOW or "demo/" in line or "my_features.py" in line


def make_folder(folder, nights, model):
    """Write the files that the examples name; one object of the night is renamed to `OBJECT`."""
    for name in ("nights", "simulated", "tarballs"):
        (folder / name).mkdir()
    write_nights(folder / "simulated", 400, 1, seed=5, mix="transients")
    for night in nights[:2]:
        for path in (night, history_beside(night), labels_beside(night)):
            shutil.copy(path, folder / "nights" / path.name)
    night = folder / "night.parquet"
    alerts, history = pd.read_parquet(nights[2]), pd.read_parquet(history_beside(nights[2]))
    renamed = {history.index[0]: OBJECT}
    history = history.rename(index=renamed)
    labels = pd.read_csv(labels_beside(nights[2]))
    for name in ("night", "other", "long"):
        path = folder / f"{name}.parquet"
        alerts.assign(objectId=alerts["objectId"].replace(renamed)).to_parquet(path)
        history.to_parquet(history_beside(path))
        labels.assign(objectId=labels["objectId"].replace(renamed)).to_csv(
            labels_beside(path), index=False
        )
    # The example of `ztfml label` replaces the labels beside the night.
    shutil.copy(labels_beside(night), folder / "night_labels_by_eye.csv")
    shutil.copy(galaxies_beside(nights[2]), galaxies_beside(night))
    shutil.copytree(model, folder / "my_model")
    ztfml("rank", night, "-m", model, "-o", folder / "ranked.csv")
    for person, mark in (("ada", "follow"), ("bob", "reject")):
        (folder / f"{person}_marks.csv").write_text(f"objectId,mark\n{OBJECT},{mark}\n")
    ztfml("history", "add", folder / "store", night)
    ztfml("export", night, "--hats", folder / "night_hats")
    exporters.kowalski(alerts[:20], history.reset_index(), folder / "kowalski.json")
    exporters.fink_csv(alerts[:20], history.reset_index(), folder / "fink.csv")
    _write_catalogs(folder, alerts)
    guide = (ROOT / "docs/howto/own_code.md").read_text("utf-8")
    code = re.search(r"^```python\n(# my_features.py\n.*?)^```", guide, re.MULTILINE | re.DOTALL)
    (folder / "my_features.py").write_text(code[1])
    return folder


def _write_catalogs(folder, alerts):
    place = alerts[["candidate.ra", "candidate.dec"]].iloc[0]
    (folder / "bts.csv").write_text(f"ZTFID,type\n{OBJECT},SN Ic-BL\n")
    star = {"RAJ2000": [10.0], "DEJ2000": [5.0], "Type": ["RRAB"]}
    pd.DataFrame(star).to_parquet(folder / "vsx.parquet")
    Table({"RA": [place.iloc[0]], "DEC": [place.iloc[1]], "TYPE": ["Q"]}).write(
        folder / "milliquas.fits"
    )
    Table({"ra": [place.iloc[0]], "dec": [place.iloc[1]], "z": [0.03]}).write(
        folder / "NEDLVS.fits"
    )
    (folder / "tns_public_objects.csv").write_text(
        '"2024-06-01 00:00:00"\nname_prefix,name,ra,declination,type,redshift,internal_names\n'
        f"SN,2018gep,{place.iloc[0]},{place.iloc[1]},SN Ic-BL,0.032,{OBJECT}\n"
    )
    _write_skymap(folder / "S230518h.multiorder.fits")


def _write_skymap(path):
    """Write a map with the same probability density everywhere."""
    level = 2
    pixels = HEALPix(2**level, order="nested").npix
    table = QTable({"UNIQ": level_ipix_to_uniq(level, np.arange(pixels))})
    table["PROBDENSITY"] = np.full(pixels, 1 / (4 * np.pi))
    table.meta |= {"MJD-OBS": 60472.0, "OBJECT": "S230518h"}
    table.write(path)


def copy_folder(source, target):
    """Copy the files of the examples; links, because commands replace files as a whole."""
    shutil.copytree(source, target, copy_function=os.link)


def arguments_of(line):
    """Return the arguments of an example in the current folder, changed to end without network."""
    words = shlex.split(re.split(r" [|>] ", line)[0])
    assert words.pop(0) == "ztfml"
    words = [OBJECT if word == "OBJECTID" else word for word in words]
    command = words[0]
    if command == "fetch":
        words += ["--offline"]
    if command == "context" and "--online" in words:
        words.remove("--online")
    if command == "watch":
        # Without a broker no packets arrive.
        if words[-2:] == ["--notify", "slack"]:
            # It needs the address of a webhook.
            words = words[:-2]
        words += ["--server", "127.0.0.1:9", "--idle", "1s"]
    # Small numbers test an example as well as large ones.
    for name, option, number in _SMALLER:
        if command == name and option in words:
            words[words.index(option) + 1] = number
    return [path for word in words for path in _expand(word)]


def _expand(word):
    """Expand ``nights/*.parquet`` as a shell does."""
    return sorted(glob(word)) if "*" in word else [word]


def outputs_of(arguments):
    """Return the files and folders that an example writes."""
    named = pairwise(arguments)
    return [
        Path(value)
        for option, value in named
        if option in ("-o", "--plot", "--report", "--hats") and value != "-" and "%" not in value
    ]


def expected_code(arguments):
    """Return the exit code without a network: two commands need one."""
    return 1 if arguments[0] in ("fetch", "replay") else 0
