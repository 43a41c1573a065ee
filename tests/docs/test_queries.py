"""The queries of docs/queries.md work on runs as they lie on the disk."""

import pytest
from helpers import ROOT, blocks
from looking import make_runs

duckdb = pytest.importorskip("duckdb", reason="the extra [more-tests] is not installed")


def test_every_query_of_the_documents_finds_something(tmp_path, monkeypatch):
    make_runs(tmp_path / "capture-runs")
    monkeypatch.chdir(tmp_path)
    best, took, values = [
        duckdb.sql(query).fetchall() for query in blocks(ROOT / "docs" / "queries.md", "sql")
    ]
    assert [row[2] for row in best] == ["0.3", "0.1", "0.1"]
    assert took == [("mnist", 0, 3, 95.0)]
    assert len(values) == 3 * (40 + 2 * 4)
    assert all(row[5] is not None for row in values)
