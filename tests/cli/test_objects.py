"""Commands about single objects."""

import pandas as pd

from tests.cli.run import one_sentence, ztfml


def test_plot_draws_one_object(nights, tmp_path):
    name = pd.read_parquet(nights[0])["objectId"][0]
    ztfml("plot", nights[0], name, "-o", tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 10_000


def test_plot_draws_panels_of_a_ranked_list(nights, model, tmp_path):
    ranked = tmp_path / "ranked.csv"
    ztfml("rank", nights[0], "-m", model, "-o", ranked, "--top", 3)
    names = pd.read_csv(ranked)["objectId"]
    shown = ztfml("plot", nights[0], "--top", 2, ranked, "-o", f"{tmp_path}/panels/").stdout
    files = sorted((tmp_path / "panels").iterdir())
    assert [path.name for path in files] == [f"01_{names[0]}.png", f"02_{names[1]}.png"]
    assert shown.splitlines() == [str(path) for path in files]
    assert all(path.stat().st_size > 30_000 for path in files)
    shown = ztfml("plot", nights[0], "--top", 9, ranked, "-o", tmp_path / "all.pdf").stdout
    assert shown.startswith("3 pages")
    assert (tmp_path / "all.pdf").read_bytes().startswith(b"%PDF")


def test_plot_of_a_list_that_does_not_fit(nights, model, tmp_path):
    ranked, out = tmp_path / "ranked.csv", tmp_path / "all.pdf"
    ztfml("rank", nights[0], "-m", model, "-o", ranked, "--top", 3)
    one_sentence(ztfml("plot", nights[1], "--top", 2, ranked, "-o", out, code=1), "has no alert")
    table = pd.read_csv(ranked)
    table.drop(columns="term_base").to_csv(ranked, index=False)
    one_sentence(ztfml("plot", nights[0], "--top", 2, ranked, "-o", out, code=1), "term_base")
    table.assign(score="high").to_csv(ranked, index=False)
    one_sentence(ztfml("plot", nights[0], "--top", 2, ranked, "-o", out, code=1), "high")
    assert not out.exists()
    for arguments in (["--top", 2, ranked, "-o", "a.png"], ["ZTF1", "-o", f"{tmp_path}/x/"], []):
        ztfml("plot", nights[0], *arguments, code=2)
