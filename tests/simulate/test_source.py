"""Conversion of flux and magnitude."""

from ztfml.simulate.source import flux_of, mag_of


def test_flux_and_magnitude():
    assert float(mag_of(100.0)) == 20.0
    assert float(flux_of(20.0)) == 100.0
