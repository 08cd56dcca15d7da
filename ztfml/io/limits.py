"""Limits on the size of inputs and on waiting times, each with its reason.

A damaged or hostile file of a few kilobytes can declare or decompress to terabytes, and a broker
can send an answer forever. Readers compare the sizes with these limits before they allocate
memory. Each limit is far above anything that a survey, broker or catalogue has produced.
"""

from __future__ import annotations

# --- packets and archives ----------------------------------------------------------------------

MAX_PACKET_BYTES = 4_000_000
"""Largest packet, after decompression.

Packets of ZTF have 20 to 200 kB; one with 5000 previous candidates would have 2 MB.
"""

MAX_MEMBER_BYTES = 64_000_000
"""Largest avro file or member of an archive, after decompression; it can contain many packets."""

MAX_PACKET_FILE_BYTES = 2_000_000_000
"""Largest avro file outside of archives, e.g. one part of a data transfer of Fink."""

MAX_SKIPPED_BYTES = 1_000_000_000
"""A compressed archive is not read after a larger member.

All of the member would have to be decompressed to reach the next one, about 3 s for this size.
"""

MAX_NAME_BYTES = 64_000
"""Largest name or extended header of an archive member; names in file systems have up to 4 kB."""

MAX_SCHEMA_BYTES = 1_000_000
"""Largest avro schema; that of ZTF has 27 kB and that of Fink 190 kB."""

MAX_AVRO_DEPTH = 32
"""Deepest nesting of types in an avro schema; that of ZTF is 5 levels deep.

Decoders are recursive, and deep schemas overflow the stack of the interpreter.
"""

MAX_TEXT_BYTES = 4_000_000_000
"""Largest table or document in text, after decompression.

A night of 150,000 documents with 20 previous candidates each has about 3 GB.
"""

MAX_ROW_GROUPS = 20_000
"""Most row groups of a parquet file; a night has up to a thousand.

Each group has metadata of all columns, so that a million of them fill the memory.
"""

MAX_TEXT_COLUMNS = 5_000
"""Most columns of a table in text; the widest catalogues have about 900.

pandas needs minutes for a million columns.
"""

# --- stamps ------------------------------------------------------------------------------------

MAX_STAMP_PIXELS = 1_000_000
"""Largest stamp; those of ZTF have 63 x 63 pixels."""

MAX_STAMP_BYTES = 16_000_000
"""Largest FITS file of a stamp, after decompression: the pixels as float64, and headers."""

# --- answers of brokers and services -----------------------------------------------------------

MAX_ANSWER_BYTES = 32_000_000
"""Largest answer of a broker, after decompression; a light curve of 3000 rows has 2 MB.

Nested lists in JSON need up to 20 times as much memory as their text.
"""

CONNECT_SECONDS = 10.0
"""Longest wait for a connection."""

READ_SECONDS = 30.0
"""Longest wait for the next bytes of an answer."""

ANSWER_SECONDS = 120.0
"""Longest wait for a complete answer, and for all repetitions of one query together.

A broker that sends a byte every few seconds never exceeds `READ_SECONDS`.
"""

LONGEST_RETRY_AFTER = 60.0
"""Longest wait that a broker can request with Retry-After; the user decides about longer ones."""

RETRY_SECONDS = 90.0
"""Longest time for all repetitions of one query, from its first failure."""

CROSSMATCH_SECONDS = 300.0
"""Longest wait for an answer of the CDS; a night of 100,000 positions takes about a minute."""

MAX_CROSSMATCH_BYTES = 500_000_000
"""Largest answer of the CDS; 100,000 positions with ten SIMBAD entries each have 300 MB."""

NED_SECONDS = 30.0
"""Longest wait for an answer of NED about one position."""

# --- catalogues and folders --------------------------------------------------------------------

MAX_FITS_COLUMNS = 999
"""Most columns of a FITS table, as in the FITS standard; astropy makes a list of all of them."""

MAX_TREE_DEPTH = 256
"""Deepest tree of a model; trees of ztfml have 15 leaves and so at most 14 levels.

TreeSHAP is recursive and needs memory for the square of the depth.
"""

MAX_CARD_BYTES = 16_000_000
"""Largest ``card.json``; that of the shipped model has 250 kB."""

MAX_TREES_BYTES = 500_000_000
"""Largest ``model.txt``; that of the shipped ranking has 2 MB."""

MAX_SETTINGS_BYTES = 1_000_000
"""Largest TOML file with settings of the ranking."""
