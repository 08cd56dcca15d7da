"""Injection and recovery: fast transients put into a night, and whether its list has them.

`kinds` has the light curves, `surroundings` the hosts and neighbours, `observing` makes alerts
of events under the night's own conditions, `recovery` ranks them among the night's objects.
"""
