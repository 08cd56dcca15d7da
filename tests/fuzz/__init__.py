"""Inputs with random faults: each gives the right result or one sentence."""
