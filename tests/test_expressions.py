"""Arithmetic on names, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.expressions import Expression, Unknown

NAMES = {"epoch": 3, "batches": 100, "batch": 7, "loss": 0.5, "split": "val"}


@pytest.mark.parametrize(("source", "value"), [
    ("(epoch - 1) * batches + batch", 207), ("-epoch + 1", -2), ("batch // 2", 3), ("batch % 4", 3), ("loss ** 2", 0.25),
    ("epoch if batch > 5 else 0", 3), ("max(epoch, batch)", 7), ("round(loss * 3)", 2), ("int(2.9)", 2),
    ("epoch == 3 and batch == 7", True), ("epoch == 4 or batch == 8", False), ("not epoch", False), ("split == 'val'", True),
])  # fmt: skip
def test_arithmetic(source, value):
    assert Expression(source)(NAMES) == value


@pytest.mark.parametrize(
    "source", ["missing + 1", "loss / 0", "split + 1", "split * 3", "9 ** 99", "loss ** 9999"]
)
def test_what_has_no_value_is_unknown(source):
    with pytest.raises(Unknown):
        Expression(source)(NAMES)


@pytest.mark.parametrize("source", [
    "__import__('os')", "epoch.real", "().__class__", "[1, 2]", "lambda: 1", "open('x')", "f'{epoch}'", "epoch := 2",
    "1 < 2 < 3", "epoch[0]", "abs(x=1)", "b'x'", "", "1 +",
])  # fmt: skip
def test_anything_else_is_refused(source):
    with pytest.raises(ValueError, match="arithmetic"):
        Expression(source)


def test_deep_nesting_is_refused_or_computed_but_does_not_crash():
    try:
        Expression("(" * 5000 + "1" + ")" * 5000)
    except (ValueError, MemoryError, RecursionError):
        pass


@pytest.mark.parametrize(("source", "holds"), [
    ("epoch", True), ("missing", False), ("missing == 1", False), ("batch == batches", False), ("batch < batches", True),
])  # fmt: skip
def test_conditions(source, holds):
    assert Expression(source).holds(NAMES) is holds


def test_a_name_alone_asks_whether_it_is_known_not_whether_it_is_zero():
    assert Expression("epoch").holds({"epoch": 0})


@given(st.text(max_size=40))
def test_no_text_gets_further_than_a_value_error(source):
    try:
        Expression(source)(NAMES)
    except (ValueError, Unknown):
        pass
