"""``python -m ztfml`` is the command line."""

from ztfml.cli import main

main(prog_name="ztfml")
