"""Options of the commands for galaxies, sky maps and the selection of rows."""

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from tests.cli.run import one_sentence, ztfml
from ztfml.cli.options import Level
from ztfml.io.companions import galaxies_beside


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def skymap(tmp_path_factory, nights):
    """A map of the northern sky around the alerts of the last night."""
    path = tmp_path_factory.mktemp("maps") / "S240612a.fits.gz"
    density = np.where(np.arange(768) < 256, 1.0, 0.0)
    table = Table({"UNIQ": np.arange(768) + 4 * 64, "PROBDENSITY": density})
    table.meta |= {"ORDERING": "NUNIQ", "DATE-OBS": "2024-06-12T00:00:00", "OBJECT": "S240612a"}
    table.write(path)
    return path


def test_rank_with_galaxies_and_a_sky_map(nights, model, skymap, tmp_path):
    out = tmp_path / "ranked.csv"
    options = ("-m", model, "-o", out, "--top", 400, "--all")
    ztfml("rank", nights[2], *options, "--galaxies", galaxies_beside(nights[2]), "--skymap", skymap)
    ranked = pd.read_csv(out)
    hosted = ranked[ranked["galaxy_chance"] < 0.01]
    assert len(hosted) > 3
    assert hosted["reasons"].str.contains(r"in SIM J\S+ at [\d.]+ Mpc, offset [\d.]+ kpc").all()
    assert ranked["reasons"].str.contains("side the 90 % region of S240612a").all()
    assert ranked["days_since_event"].between(0, 30).all()
    ztfml("rank", nights[2], *options, "--skymap", skymap, "--within", 0.99)
    inside = pd.read_csv(out)
    # The map is uniform where it is not 0, so every position in it has level 1.
    assert inside.empty


def test_a_night_without_positions_is_matched_with_nothing(nights, skymap, tmp_path):
    alerts = pd.read_parquet(nights[2]).drop(columns=["candidate.ra", "candidate.dec"])
    alerts[:20].to_parquet(tmp_path / "night.parquet")
    result = ztfml("rank", tmp_path / "night.parquet", "--skymap", skymap)
    assert f"no alert is matched with {skymap}" in result.stderr


def test_features_and_report_with_galaxies(nights, model, tmp_path):
    out, page = tmp_path / "features.parquet", tmp_path / "night.html"
    galaxies = galaxies_beside(nights[2])
    ztfml("features", nights[2], "-o", out, "--galaxies", galaxies)
    table = pd.read_parquet(out)
    assert table["abs_mag"].notna().sum() > 3
    ztfml("report", nights[2], "-m", model, "-o", page, "--galaxies", galaxies)
    assert "half-light radii" in page.read_text(encoding="utf-8")


def test_the_headline_is_printed_and_on_the_page(nights, model, tmp_path):
    weights = tmp_path / "weights.toml"
    weights.write_text("[weights]\nyoung = 1\nintercept = -9\n")
    options = ("-m", model, "--weights", weights)
    page = tmp_path / "night.html"
    assert "nothing fast tonight (best score 0.00" in ztfml("rank", nights[2], *options).stdout
    ztfml("report", nights[2], *options, "-o", page)
    assert "Nothing fast tonight (best score 0.00" in page.read_text(encoding="utf-8")


def test_nothing_to_list(nights, model, tmp_path):
    out, page = tmp_path / "ranked.csv", tmp_path / "night.html"
    shown = ztfml("rank", nights[2], "-m", model, "-o", out, "--min-score", 1).stdout
    assert "nothing to list: no object meets the conditions" in shown
    assert pd.read_csv(out).empty
    ztfml("report", nights[2], "-m", model, "-o", page, "--min-score", 1)


@pytest.mark.parametrize(
    ("text", "level"), [("0.9", 0.9), ("90%", 0.9), ("90", 0.9), ("0.5%", 0.005), ("1", 1.0)]
)
def test_spellings_of_credible_levels(text, level):
    assert Level().convert(text, None, None) == pytest.approx(level)


def test_wrong_files_and_options(nights, model, skymap, tmp_path):
    rank = ("rank", nights[2], "-m", model)
    absent = tmp_path / "absent.fits"
    for option, path in (
        ("--galaxies", absent), ("--skymap", absent), ("--galaxies", tmp_path),
        ("--skymap", tmp_path), ("--galaxies", nights[2]), ("--skymap", nights[2]),
    ):  # fmt: skip
        one_sentence(ztfml(*rank, option, path, code=1), path)
    ztfml(*rank, "--within", 0.9, code=2)
    for level in ("1.5", "0", "101", "-1", "nan", "all"):
        ztfml(*rank, "--within", level, "--skymap", skymap, code=2)
    ztfml(*rank, "--min-score", 2, code=2)
