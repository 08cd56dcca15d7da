"""Settings of the ranking."""

from __future__ import annotations

import functools
import re
import shutil
import tomllib
from pathlib import Path
from random import Random

from tests.fuzz.harness import Target
from tests.fuzz.mutations import mutate_file
from tests.fuzz.targets.night import shipped_model, write_night
from ztfml.io.verified_folder import shipped_folder
from ztfml.ranking import FastTransientScorer
from ztfml.sources.formats import open_night

_ODD = (
    "0",
    "-1",
    "1e5",
    "1e-300",
    "1e400",
    "nan",
    "inf",
    "true",
    '"text"',
    '"\\u0000"',
    "[]",
    "[1]",
    "{}",
    "2020-01-01",
    "9" * 400,
    '"""a\nb"""',
    "",
    "0x7fffffffffffffff",
    "'\x1b[31m'",
    "[" * 5000 + "]" * 5000,
)


def prepare(folder: Path) -> None:
    write_night(folder)
    shutil.copy(shipped_folder("ranking") / "ranking.toml", folder)


def mutate(rng: Random, folder: Path) -> set | None:
    path = folder / "ranking.toml"
    before = tomllib.loads(path.read_text())
    _mutate(rng, path)
    try:
        return set() if tomllib.loads(path.read_text()) == before else None
    except (ValueError, RecursionError):
        return None


def _mutate(rng, path):
    kind = rng.randrange(4)
    if kind == 0:
        mutate_file(rng, path)
        return
    lines = path.read_text().split("\n")
    k = rng.randrange(len(lines))
    if kind == 1:
        lines[k : k + 1] = rng.choice(([], [lines[k]] * 2, [f"x{lines[k]}"]))
    else:
        lines[k] = re.sub(r"= .*", lambda _: f"= {rng.choice(_ODD)}", lines[k])
    path.write_text("\n".join(lines))


@functools.cache
def _predicted(path):
    night = open_night(path)
    return night


def run(folder: Path) -> dict:
    path = folder / "ranking.toml"
    base = folder if folder.name == "base" else folder.parent.parent / "base"
    scorer = FastTransientScorer.load(None, path, path)
    ranked = shipped_model().rank(_predicted(base / "night.parquet"), 5, scorer)
    assert ranked["score"].between(0, 1).all()
    return dict(zip(ranked["objectId"], ranked["score"], strict=True))


TARGET = Target(prepare, mutate, run)
