"""The history store: light curves of many nights, each exposure once.

- `places`: list, read, write and remove the files of a store;
- `layout`: cells of the sky and blocks of time;
- `rows`: the rows that a night adds, and the cells of its objects;
- `merge`: one row for each exposure, whatever the order of the nights;
- `partitions`: read and replace the files of one cell and block;
- `store`: open or create a store; `add` and `night`: add a night, and give it a long history;
- `show`: what a store contains.

Nothing is locked. Files are never changed: a new file contains the rows of the old ones and the
new rows, and the old ones are removed after it was written. Merging rows again changes nothing.
So two processes at once, or a process that is killed, can leave two files with the same rows, and
never lose one; the next reader merges them.
"""
