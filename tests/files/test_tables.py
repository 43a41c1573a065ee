"""Tables: what a file that a program has written says, and what of it is broken."""

import json

import pytest

from capture.files import tables
from capture.files.tables import NoTable, TableReader


def read(path, data):
    """Columns, rows and notes of a file with this content."""
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with TableReader(str(path)) as reader:
        rows = list(reader.rows())
        return reader.columns, rows, reader.notes


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "name,count,share\na,1,0.5\nb,2,1e-3\n"),
        ("t.csv", "name;count;share\r\na;1;0.5\r\nb;2;1e-3\r\n"),
        ("t.csv", "\ufeffname,count,share\na,1,0.5\nb,2,1e-3"),
        ("t.tsv", "name\tcount\tshare\na\t1\t0.5\nb\t2\t1e-3\n"),
        ("t.csv", '"name","count","share"\n"a",1,0.5\n\n"b",2,1e-3\n'),
        ("t.jsonl", '{"name": "a", "count": 1, "share": 0.5}\n{"name": "b", "share": 0.001, "count": 2}\n'),
        ("t.json", '[{"name": "a", "count": 1, "share": 0.5}, {"name": "b", "count": 2, "share": 0.001}]'),
        ("t.json", '{"columns": ["name", "count", "share"], "rows": [["a", 1, 0.5], ["b", 2, 0.001]]}'),
        ("t.json", '{"columns": ["name", "count", "share"], "data": [["a", 1, 0.5], ["b", 2, 0.001]]}'),
    ],
)
def test_the_same_table_in_every_shape(tmp_path, name, text):
    assert read(tmp_path / name, text) == (["name", "count", "share"], [["a", 1, 0.5], ["b", 2, 0.001]], [])


def test_cells_are_numbers_only_where_they_are(tmp_path):
    text = "a,b,c,d,e,f\n007,12345678901234567890,-3,nan,1_000, x y\n,inf,+4,.5,1.,0x1F\n"
    _, rows, _ = read(tmp_path / "t.csv", text)
    assert rows == [
        ["007", "12345678901234567890", -3, "NaN", "1_000", "x y"],
        [None, "Infinity", 4, 0.5, 1.0, "0x1F"],
    ]


def test_a_broken_row_loses_no_other(tmp_path):
    columns, rows, notes = read(tmp_path / "t.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n9")
    assert (columns, rows) == (["a", "b"], [[1, 2], [7, 8]])
    assert notes == ["3 rows are left out: line 3 has 1 values, and there are 2 columns"]
    _, rows, notes = read(tmp_path / "t.jsonl", '{"a": 1}\n{"a": \n[2]\n{"a": 3}\n')
    assert (rows, notes) == ([[1], [3]], ["2 rows are left out: line 2 is not JSON"])


def test_text_with_line_breaks_and_quotes(tmp_path):
    _, rows, notes = read(tmp_path / "t.csv", 'text,label\n"one\ntwo, ""three""",1\nfour,0\n')
    assert (rows, notes) == ([['one\ntwo, "three"', 1], ["four", 0]], [])


def test_columns_without_a_name_and_twice(tmp_path):
    columns, _, _ = read(tmp_path / "t.csv", ",loss,loss\n1,2,3\n")
    assert columns == ["column 1", "loss", "loss (2)"]


def test_of_a_very_long_table_the_first_rows_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_ROWS", 1000)
    _, rows, notes = read(tmp_path / "t.csv", "a\n" + "".join(f"{i}\n" for i in range(1001)))
    assert (len(rows), rows[-1], notes) == (1000, [999], ["only the first 1,000 rows are kept"])


def test_a_table_of_a_hundred_thousand_rows_is_written_whole(tmp_path):
    path, target = tmp_path / "t.csv", tmp_path / "t.json"
    path.write_text("i,v\n" + "".join(f"{i},{i / 7}\n" for i in range(100_000)))
    with target.open("w") as file:
        reader = tables.write(str(path), file)
    written = json.loads(target.read_text())
    assert (len(written["rows"]), written["rows"][-1], reader.notes) == (100_000, [99_999, 99_999 / 7], [])


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("t.csv", b"", "it is empty"),
        ("t.csv", b"a\0b,c\n1,2\n", "line 1 holds bytes that are no text"),
        ("t.csv", b"a" * (1 << 21), "line 1 is longer than 1 MB"),
        ("t.csv", b"a," * 1001, "it has 1,002 columns, more than 1,000"),
        ("t.json", b"[1, 2", "it is not JSON"),
        ("t.json", b"[" * 100_000, "it is not JSON"),
        ("t.json", b"[1, 2]", "it should be a list of objects, or an object with columns and rows"),
        ("t.jsonl", b"no\n", "line 1 is not JSON"),
    ],
)
def test_what_is_no_table_is_said_in_a_sentence(tmp_path, name, data, why):
    with pytest.raises(NoTable, match=why):
        read(tmp_path / name, data)
