"""The brokers whose streams ``ztfml watch`` knows."""

SERVERS: dict[str, str | None] = {
    "ztf": None,
    "babamul": "kaboom.caltech.edu:9093",
    "fink": "kafka-ztf.fink-broker.org:24499",
}
"""Default Kafka server of each broker; None if the broker tells its users the address."""


def group_of(broker: str, group: str, username: str | None) -> str:
    """Return the name of a consumer group as the broker requires it.

    Parameters
    ----------
    broker : str
    group : str
    username : str or None

    Returns
    -------
    str
        For Babamul it begins with the user name and a hyphen, as its client
        (https://github.com/boom-astro/babamul) makes it.

    Examples
    --------
    >>> group_of("babamul", "night", "ada"), group_of("fink", "night", "ada")
    ('ada-night', 'night')
    """
    if broker == "babamul" and username and not group.startswith(f"{username}-"):
        return f"{username}-{group}"
    return group
