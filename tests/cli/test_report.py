"""The command that writes the page of a night."""

import re
import shutil

import numpy as np
import pandas as pd

from tests.cli.run import one_sentence, ztfml
from ztfml.ranking import load_ranking


def test_report_writes_a_page(nights, model, tmp_path):
    out = tmp_path / "night.html"
    shown = ztfml("report", nights[2], "-m", model, "-o", out, "--top", 5).stdout
    assert shown.splitlines()[-1] == str(out)
    assert re.search(r"^5 of \d+ ranked objects listed$", shown, re.M)
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<article") == 5
    assert nights[2].stem in page
    assert list(tmp_path.iterdir()) == [out]


def test_report_shows_fetched_cutouts(nights, model, tmp_path):
    from ztfml.sources import fetched_folder as fetched

    ranked = tmp_path / "ranked.csv"
    ztfml("rank", nights[2], "-m", model, "-o", ranked, "--top", 1)
    best = pd.read_csv(ranked).iloc[0]
    stamps = fetched.Cutouts(int(best["candid"]), *np.random.default_rng(0).normal(size=(3, 9, 9)))
    folder = fetched.fetched_beside(nights[2])
    fetched.write_cutouts(folder, best["objectId"], stamps)
    out = tmp_path / "night.html"
    ztfml("report", nights[2], "-m", model, "-o", out, "--top", 1)
    shutil.rmtree(folder)
    assert out.read_text(encoding="utf-8").count("data:image/png;base64,") == 3


def test_report_uses_other_weights(nights, model, tmp_path):
    ours = (load_ranking().folder / "ranking.toml").read_text()
    wanted = tmp_path / "wanted.toml"
    wanted.write_text(re.sub(r"^intercept = .*$", "intercept = -40.0", ours, flags=re.M))
    out = tmp_path / "night.html"
    ztfml("report", nights[2], "-m", model, "-o", out, "--top", 1, "--weights", wanted)
    assert '<span class="big-score" title="score">0.00</span>' in out.read_text(encoding="utf-8")
    wanted.write_text("[weights]\n")
    arguments = ("report", nights[2], "-m", model, "-o", tmp_path / "b.html", "--weights", wanted)
    one_sentence(ztfml(*arguments, code=1), wanted)
    assert not (tmp_path / "b.html").exists()


def test_report_without_a_night_writes_nothing(model, tmp_path):
    out = tmp_path / "night.html"
    one_sentence(ztfml("report", tmp_path / "no.parquet", "-m", model, "-o", out, code=1), "no.par")
    assert ".html" in ztfml("report", tmp_path / "no.parquet", "-o", "night.pdf", code=2).stderr
    assert not list(tmp_path.iterdir())
