"""Run the fuzz tests with many inputs and print a table of the outcomes."""

import argparse
import sys

from tests.fuzz.harness import TARGETS, Server, failures, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=TARGETS, help="by default all")
    parser.add_argument("--first", type=int, default=1_000_000, help="number of the first input")
    parser.add_argument("--count", type=int, default=10_000, help="number of inputs in total")
    options = parser.parse_args()
    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; choose from {', '.join(TARGETS)}")
    each = max(1, options.count // len(options.targets))
    counts, n_faults = {}, 0
    with Server() as server:
        for name in options.targets:
            end = options.first + each
            counts[name], found = failures(name, options.first, end, server)
            n_faults += len(found)
            print("\n\n".join(found), flush=True)
            print(f"{name}: {dict(counts[name])}", file=sys.stderr, flush=True)
    print(table(counts))
    return 1 if n_faults else 0


if __name__ == "__main__":
    sys.exit(main())
