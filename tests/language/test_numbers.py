"""The kinds of value: how the text of each is read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.language import key_values
from capture.language.kinds import KINDS
from capture.language.literals import argument, literal
from capture.language.numbers import duration, is_number, number, si


@pytest.mark.parametrize("value", [0, 7, -3, 1.5, -2.25e-7, 3.4e38, 1e300, math.inf, -math.inf])
@pytest.mark.parametrize("spec", ["{}", "{:+}", "{:e}", "{:g}", "{:.12e}", "{:,}"])
def test_a_number_is_read_as_python_prints_it(value, spec):
    shown = spec.format(value)
    assert is_number(shown)
    assert number(shown) == pytest.approx(value, rel=1e-5)


@given(st.floats(allow_nan=False))
def test_no_digit_of_a_float_is_lost(value):
    assert number(repr(value)) == value


@given(st.integers(-(10**16), 10**16))
def test_a_whole_number_stays_whole(value):
    for shown in (str(value), f"{value:,}"):
        assert (type(number(shown)), number(shown)) == (int, value)


def test_every_nan_is_the_same_one():
    """A bar that shows NaN again and again shows nothing new."""
    assert {"loss": number("nan")} == {"loss": number("-NaN")}


@pytest.mark.parametrize(
    ("digits", "value"), [("9" * 18, 10**18 - 1), ("1" + "0" * 30, 1e30), ("9" * 5000, math.inf)]
)
def test_what_no_integer_holds_is_a_float(digits, value):
    assert (type(number(digits)), number(digits)) == (type(value), value)


@pytest.mark.parametrize(
    "text", ["", "-", ".", "e5", "1e", "1,23", "1.2.3", "0x1f", "one", "1 2", "infinite", "nano", "1_000"]
)
def test_what_is_no_number(text):
    assert not is_number(text)


@pytest.mark.parametrize(("text", "value"), [
    ("7", 7), ("1.5k", 1500), ("1.5 K", 1500), ("3M", 3_000_000), ("15.19M", 15_190_000), ("2G", 2 * 10**9), ("7B", 7 * 10**9),
    ("1T", 10**12), ("0.25", 0.25), ("infM", math.inf),
])  # fmt: skip
def test_si_prefixes(text, value):
    assert si(text) == value


@pytest.mark.parametrize(("text", "seconds"), [
    ("0:01:02", 62), ("1:47", 107), ("00:00", 0), ("1:02.5", 62.5), ("26:00:00", 93600), ("1 day, 0:00:01", 86401),
    ("2 days, 1:00:00", 176400), ("974us", 974e-6), ("5 ms", 0.005), ("350ns", 350e-9), ("12.5s", 12.5), (".5s", 0.5),
    ("3 min 20 s", 200), ("2 h 5 min", 7500), ("1h 5m", 3900), ("1m30.5s", 90.5), ("1d 2h", 93600), ("4 sec", 4),
])  # fmt: skip
def test_durations(text, seconds):
    assert KINDS["duration"].read(text) == pytest.approx(seconds)


@given(st.from_regex(KINDS["duration"].regex, fullmatch=True))
def test_whatever_looks_like_a_duration_can_be_read(text):
    assert duration(text) >= 0


@given(st.from_regex(KINDS["si"].regex, fullmatch=True))
def test_whatever_looks_like_a_number_can_be_read(text):
    assert isinstance(si(text), (int, float))


@pytest.mark.parametrize(("text", "value"), [
    ("True", True), ("false", False), ("None", None), ("null", None), ("'x y'", "x y"), ('"3"', "3"), ("1e-3", 0.001), (" 64 ", 64),
    ("cpu", "cpu"), ("'", "'"), ("", ""), ("25,000", 25000), ("[1, 'a', null]", "[1, 'a', null]"), ("[1, null]", [1, None]),
    ("(0.9, 0.95)", [0.9, 0.95]), ("[NaN, 1]", "[NaN, 1]"), ("[1e999]", "[1e999]"), ("{1, 2}", "{1, 2}"), ("[b'a']", "[b'a']"), ("[1, True]", [1, True]), ("[", "["), ("(a)", "(a)"),
])  # fmt: skip
def test_config_values_are_what_the_program_wrote(text, value):
    assert (type(literal(text)), literal(text)) == (type(value), value)


@pytest.mark.parametrize(("text", "value"), [
    ("1", 1), ("-1", -1), ("1.0", 1.0), ("1e-4", 1e-4), (".5", 0.5), ("1_000", 1000), ("inf", math.inf), ("True", True),
    ("false", False), ("none", "none"), ("01x", "01x"), ("[1, 2]", [1, 2]), ("[", "["), ("{'a': 1}", {"a": 1}), ("", ""),
    ("1.2.3", "1.2.3"), ("1,200", "1,200"), ("a,b", "a,b"), ("1,2", "1,2"), ("adam", "adam"),
])  # fmt: skip
def test_values_of_a_command_line_get_their_types(text, value):
    assert (type(argument(text)), argument(text)) == (type(value), value)


@pytest.mark.parametrize(("text", "found"), [
    ("loss=0.53, acc: 91.2%", {"loss": 0.53, "acc": 0.912}),
    ("val loss: 1e-3 lr =0.1", {"val loss": 0.001, "lr": 0.1}),
    ("loss=nan", {"loss": math.nan}),
    ("acc=62.1%", {"acc": 0.621}),
    ("phase=warm up", {}),
    ("time: 12:30", {}),
    ("v=1.2.3", {}),
    ("lr=1e-", {}),
    ("file: 3/4", {}),
])  # fmt: skip
def test_pairs_of_a_name_and_a_number(text, found):
    assert repr(dict(key_values.find(text))) == repr(found)


def test_what_is_left_of_a_description_without_its_values():
    assert key_values.without("train loss=0.5 acc: 62% run").split() == ["run"]
