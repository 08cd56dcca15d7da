"""What the conversion of packets imports."""

import subprocess
import sys


def test_packets_are_converted_without_the_readers_of_tables(tmp_path):
    """pandas and numba take 0.7 s, as long as the decoding of 500 packets."""
    code = "import sys, ztfml.sources.convert; print({'pandas', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
