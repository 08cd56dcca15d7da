"""Process many nights, each to one output file in a folder.

- `steps`: what is done with each night (features, predict, rank, report, ingest);
- `options`: how many at the same time, and where;
- `batch`: plan the nights, run them, record the results;
- `manifest`: the record of the nights that are done; `fingerprints`: what they were made from;
- `names`: the names of the output files;
- `tasks`: one night in one process; `processes` and `cluster`: several at the same time.
"""
