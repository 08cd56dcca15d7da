"""Commands about single objects."""

import pandas as pd

from tests.cli.run import ztfml


def test_plot_draws_one_object(nights, tmp_path):
    name = pd.read_parquet(nights[0])["objectId"][0]
    ztfml("plot", nights[0], name, "-o", tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 10_000
