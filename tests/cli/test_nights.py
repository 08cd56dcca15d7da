"""The commands simulate and ingest."""

import pandas as pd

from tests.cli.run import ztfml
from ztfml.simulate import population_table


def test_simulate_writes_the_same_files_for_the_same_seed(tmp_path):
    for name in ("a", "b"):
        ztfml("simulate", tmp_path / name, "--nights", 2, "--alerts", 200, "--seed", 5)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 10
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_simulate_lists_the_populations():
    assert ztfml("simulate", "--list").stdout.strip() == population_table()
    assert "give DIR, or --list" in ztfml("simulate", code=2).stderr


def test_ingest_then_rank_real_packets(shared_data, model, tmp_path):
    night = tmp_path / "night.parquet"
    tarball = shared_data / "packets" / "ztf_public_20180819_mod1000.tar.gz"
    assert "alerts and" in ztfml("ingest", tarball, "-o", night).stdout
    ztfml("rank", night, "-m", model, "-o", tmp_path / "r.csv")
    assert len(pd.read_csv(tmp_path / "r.csv")) == 12
