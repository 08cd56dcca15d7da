"""The brokers whose streams ``ztfml watch`` knows."""

SERVERS: dict[str, str | None] = {"ztf": None, "babamul": "kaboom.caltech.edu:9093", "fink": None}
"""Default Kafka server of each broker; None if the broker tells its users the address."""
