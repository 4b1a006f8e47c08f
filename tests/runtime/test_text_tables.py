"""Tables of text: aligned to the sign, and in blocks no wider than a page."""

from myovivo.runtime.text_tables import align, align_in_blocks, comma_separated


def test_columns_stand_below_each_other():
    rows = [("a", "bb", "c"), ("aaa", "b", "")]
    assert align(rows) == ["a    bb  c", "aaa  b"]
    assert align(rows, numbers=True) == ["a    bb  c", "aaa   b"]
    assert align([]) == []


def test_a_wide_table_is_broken_between_columns():
    text = align_in_blocks(["", "row"], [["one", "1"], ["two", "2"], ["three", "3"]], 13)
    blocks = [block.splitlines() for block in text.split("\n\n")]
    assert blocks[0] == ["     one  two", "─" * 13, "row    1    2"]
    assert blocks[1] == ["     three", "─" * 10, "row      3"]


def test_a_cell_with_a_comma_is_quoted():
    assert comma_separated([("a", "b,c"), (1, 2.5)]) == 'a,"b,c"\n1,2.5\n'
