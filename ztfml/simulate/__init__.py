"""Labelled nights of any size, simulated from a seed.

A survey with ZTF's cadence observes populations of artifacts, asteroids, stars, active galaxies
and transients; what it detects becomes alerts. `registry` describes how to add a population.
"""

from ztfml.simulate.mix import MIXES
from ztfml.simulate.nights import POPULATIONS, simulate, write_nights
from ztfml.simulate.registry import Population, population_table

__all__ = ["MIXES", "POPULATIONS", "Population", "population_table", "simulate", "write_nights"]
