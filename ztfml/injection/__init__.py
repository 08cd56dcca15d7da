"""Injection and recovery: fast transients put into a night, and whether its list has them.

`kinds` has the light curves, `surroundings` the hosts and neighbours, `conditions` what a night
was like; `observing` looks at events under these conditions and `packets` makes alerts of them,
`recovery` ranks them among the night's objects.
"""
