"""What ztfml gives for three real nights is what it gave before."""

import json

import pytest

from tests.reference import NIGHTS, file_of, fingerprints


@pytest.mark.parametrize("name", NIGHTS)
def test_results_of_real_nights_are_unchanged(shared_data, name):
    found = fingerprints(shared_data / "alerts" / f"ztf_alerts_{name}.parquet")
    expected = json.loads(file_of(name).read_text())
    assert found.keys() == expected.keys()
    for table, columns in expected.items():
        assert list(found[table]) == list(columns), table
        changed = [column for column in columns if not same(found[table][column], columns[column])]
        assert not changed, f"{table}: {', '.join(changed)}"


def same(found, expected):
    # Sums of another processor may differ in their last digits.
    if isinstance(expected, list):
        return found == pytest.approx(expected, rel=1e-12)
    return found == expected
