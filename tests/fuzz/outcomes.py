"""Outcomes of one input."""

RIGHT, SENTENCE, TRACEBACK, CRASH, HANG, MEMORY, DIFFERENCE = OUTCOMES = (
    "right", "sentence", "traceback", "crash", "hang", "memory", "difference",
)  # fmt: skip

ACCEPTED = (RIGHT, SENTENCE)
