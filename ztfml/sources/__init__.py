"""Where nights come from: packets, brokers, simulation."""
