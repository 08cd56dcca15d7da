"""Tables as text: alignment, and nothing lost in a pipe."""

import pandas as pd

from ztfml.io.text_tables import markdown_table, plain_table, print_table

ROWS = [
    ["source", "alerts", "accuracy", "most frequent errors"],
    ["BTS", "1,234", "0.95 (0.90 to 0.98)", "star as agn 4"],
    ["SIMBAD", "7", "-", ""],
]


def test_numbers_are_right_aligned_and_text_left():
    assert markdown_table(ROWS) == [
        "| source | alerts |            accuracy | most frequent errors |",
        "| :----- | -----: | ------------------: | :------------------- |",
        "| BTS    |  1,234 | 0.95 (0.90 to 0.98) | star as agn 4        |",
        "| SIMBAD |      7 |                   - |                      |",
    ]


def test_a_header_alone():
    assert markdown_table([["class", "alerts"]]) == ["| class | alerts |", "| :---- | :----- |"]


def test_an_empty_first_header_keeps_a_valid_rule():
    assert markdown_table([["", "a"], ["", "1"]])[1] == "| :- | -: |"


def test_plain_columns_have_no_trailing_spaces():
    assert plain_table([["name", "unit"], ["g_r", ""]]) == ["name  unit", "g_r"]


def test_long_cells_are_not_cut_in_a_pipe(capsys):
    reasons = "fades 0.9 mag/day, " * 8
    print_table(pd.DataFrame({"rank": [1], "score": [0.25], "reasons": [reasons]}), "x" * 250)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "x" * 250
    assert lines[-1] == f"    1 │ 0.250 │ {reasons}".rstrip()
