"""The simulated populations, grouped by physics; `ztfml.simulate.registry` finds them."""
