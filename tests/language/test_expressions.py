"""Arithmetic on names, and nothing else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.language.expressions import MAX_LENGTH, Expression

NAMES = {"epoch": 3, "batches": 100, "batch": 7, "loss": 0.5, "split": "val"}


@pytest.mark.parametrize(("source", "value"), [
    ("(epoch - 1) * batches + batch", 207), ("-epoch + 1", -2), ("batch // 2", 3), ("batch % 4", 3), ("loss ** 2", 0.25),
    ("epoch if batch > 5 else 0", 3), ("max(epoch, batch)", 7), ("round(loss * 3)", 2), ("int(2.9)", 2),
    ("epoch == 3 and batch == 7", True), ("epoch == 4 or batch == 8", False), ("not epoch", False), ("split == 'val'", True),
])  # fmt: skip
def test_arithmetic(source, value):
    assert Expression(source).value(NAMES) == value


@pytest.mark.parametrize(
    "source",
    [
        "missing + 1",
        "loss / 0",
        "batch % 0",
        "split + 1",
        "split * 3",
        "-split",
        "split < 1",
        "9 ** 99",
        "9 ** 9 ** 9",
        "loss ** 9999",
        "(0 - batch) ** 0.5",
        "abs()",
        "max(1)",
        "int(split)",
        "round(9e999)",
        " * ".join(["9 ** 64"] * 20),
    ],
)
def test_what_has_no_value_is_unknown(source):
    assert Expression(source).value(NAMES) is None


@pytest.mark.parametrize("source", [
    "__import__('os')", "epoch.real", "().__class__", "[1, 2]", "lambda: 1", "open('x')", "f'{epoch}'", "epoch := 2",
    "1 < 2 < 3", "epoch[0]", "abs(x=1)", "b'x'", "", "1 +",
])  # fmt: skip
def test_anything_else_is_refused(source):
    with pytest.raises(ValueError, match="arithmetic"):
        Expression(source)


@pytest.mark.parametrize(
    "source",
    ["(" * 5000 + "1" + ")" * 5000, "-" * 5000 + "1", "not " * 5000 + "1", "+".join("1" * 5000), "1" * 5000, "x" * 5000],
    ids=lambda source: source[:4],
)  # fmt: skip
def test_endless_expressions_are_refused(source):
    with pytest.raises(ValueError, match="arithmetic"):
        Expression(source)


@pytest.mark.parametrize(
    "source", ["-" * (MAX_LENGTH - 1) + "1", "not " * 90 + "0", "1+" * 199 + "1", "(" * 90 + "1" + ")" * 90]
)
def test_what_is_short_enough_is_computed_however_deep_it_is(source):
    assert Expression(source).value({}) in (-1, 0, 1, 200)


def test_and_or_and_if_look_no_further_than_they_must():
    assert Expression("1 if batch else missing").value(NAMES) == 1
    assert Expression("batch or missing").value(NAMES)
    assert not Expression("loss > 1 and missing").value(NAMES)


def test_a_result_that_no_integer_of_a_backend_holds_is_a_float():
    assert Expression("10 ** 60").value({}) == 1e60
    assert type(Expression("10 ** 60").value({})) is float


def test_no_number_of_steps_makes_nan_an_error():
    assert math.isnan(Expression("int(loss)").value({"loss": math.nan}))


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
        Expression(source).value(NAMES)
    except ValueError:
        pass
