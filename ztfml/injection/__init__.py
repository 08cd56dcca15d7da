"""Injection and recovery: measure how many fast transients the ranking of a night finds.

- `populations`: the light curves of the injected kinds;
- `physics`: photospheres and redshifted magnitudes;
- `surroundings`: host galaxies and neighbours;
- `conditions`: cadence, depth and noise of the night;
- `observing`: events observed under these conditions;
- `alerts`: alerts and histories of the observed events;
- `recovery`, `positions`, `recall`: ranking among the objects of the night, and recall;
- `baselines`: other methods to select fast transients;
- `report`: the result as text.
"""
