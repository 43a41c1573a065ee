"""Lines with names in them, regular expressions, the kinds of value, and required literals."""

import math

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic_core import SchemaValidator, core_schema

from capture.language import required_text
from capture.language.library import built_in
from capture.language.matchers import matcher
from capture.language.model import ReaderPattern
from capture.language.patterns import from_line, from_regex
from capture.language.required_text import finds, prefilter, required


def line(pattern, text):
    found = from_line(pattern).match(text)
    return found and found[0]


@pytest.mark.parametrize(("text", "value"), [
    ("3", 3), ("-3", -3), ("+0.5", 0.5), ("1,234", 1234), ("12,345.5", 12345.5), ("1.2e-4", 1.2e-4), ("1E+3", 1000),
    (".5", 0.5), ("5.", 5.0), ("inf", math.inf), ("-Infinity", -math.inf),
])  # fmt: skip
def test_numbers(text, value):
    assert line("loss {loss}", f"loss {text}") == {"loss": value}


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan"])
def test_nan_is_a_number(text):
    assert math.isnan(line("loss {loss}", f"loss {text}")["loss"])


@pytest.mark.parametrize("text", ["", "-", "1.2.3", "abc", "1e", "--1", "0x1f"])
def test_what_is_no_number(text):
    assert line("loss {loss}", f"loss {text}") is None


@pytest.mark.parametrize(("kind", "text", "value"), [
    ("int", "1,200", 1200), ("si", "1.5k", 1500), ("si", "3M", 3_000_000), ("si", "15.19M", 15_190_000), ("si", "7", 7),
    ("duration", "0:01:02", 62), ("duration", "1:47", 107), ("duration", "974us", 974e-6), ("duration", "1h 5m", 3900),
    ("duration", "2 days, 1:00:00", 176400), ("word", "train", "train"), ("text", "a b  c", "a b  c"),
])  # fmt: skip
def test_kinds(kind, text, value):
    assert line(f"x {{it:{kind}}} y", f"x {text} y") == {
        "it": pytest.approx(value) if kind != "text" else value
    }


def test_a_count_of_a_total():
    assert line("Epoch {epoch:of}", "Epoch 3/25") == {"epoch": 3, "epochs": 25}


@pytest.mark.parametrize("name", ["loss/train", "mAP50(B)", "top-1", "p@5", "ep rew mean", "a.b"])
def test_names_may_hold_more_than_letters(name):
    assert line(f"v={{{name}}}", "v=1.5") == {name: 1.5}


def test_spaces_match_any_run_of_spaces_and_the_whole_line_has_to_fit():
    assert line("a {x} b", "  a   1\tb  ") == {"x": 1}
    assert line("a {x}", "a 1 and more") is None
    assert line("a {x}", "before a 1") is None


def test_braces_and_skipped_values():
    assert line("{{{x}}} took {_}", "{5} took 3s") == {"x": 5}
    assert line("{_:of} {_:duration} {x}", "3/25 1:47 5") == {"x": 5}


@pytest.mark.parametrize("pattern", ['{"loss": {loss}}', '{{"loss": {loss}}}', "{'loss': {loss}}"])
def test_json_may_be_pasted_as_it_is(pattern):
    quote = "'" if "'" in pattern else '"'
    assert line(pattern, "{" + f"{quote}loss{quote}: 0.5" + "}") == {"loss": 0.5}


@pytest.mark.parametrize("text", ["a.c", "a*c", "(a)[c]", "a|c", "a\\d", "$a^", "a+?"])
def test_plain_text_of_a_line_stands_for_itself(text):
    assert line(text + " {x}", text + " 1") == {"x": 1}
    assert line(text + " {x}", "abc 1") is None


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("{x:float}", "there is no kind 'float'"),
        ("{loss:.4f}", "there is no kind '.4f'"),
        ("{x:}", "there is no kind ''"),
        ("a {}", "has no name"),
    ],
)
def test_a_wrong_field_is_explained(pattern, says):
    with pytest.raises(ValueError, match=says):
        from_line(pattern)


def test_grok_names_and_repeated_pairs():
    named = from_regex(r"^%{INT:step}:(?: %{KEY:key}=%{NUMBER:value})+ (?P<split>\w+) %{NOTSPACE}$")
    values_, pairs = named.match("7: loss=0.5 val acc=nan train /tmp/x")
    assert values_ == {"step": 7, "split": "train"}
    assert repr(pairs) == "[('loss', 0.5), ('val acc', nan)]"


def test_a_group_of_a_users_own_is_a_number_if_it_looks_like_one():
    assert from_regex(r"(?P<a>\S+) (?P<b>\S+)").match("1.5 x2")[0] == {"a": 1.5, "b": "x2"}


def test_unknown_grok_names_and_broken_expressions_are_explained():
    with pytest.raises(ValueError, match=r"%\{FLOAT\} is unknown; there are NUMBER"):
        from_regex("%{FLOAT:x}")
    with pytest.raises(ValueError, match="does not compile"):
        from_regex("(x").check()


@pytest.mark.parametrize(("source", "wanted"), [
    (r"abc\d+", {"abc"}), (r"(?:foo|bar)x?", {"foo", "bar"}), (r"[Ll]oss", {"Loss", "loss"}), (r"x*", None),
    (r"a|b\d", {"a", "b"}), (r"(?=.*loss)x", {"loss"}), (r"(?!loss)xy", {"xy"}), (r"loss{2} ok", {"los"}),
    (r"\[(\d+)\]\s+valid", {"valid"}), (r"(?i)loss", None), (r"(?:abc)?d", {"d"}), (r"(?:abc){0,3}", None),
    (r"\p{L}+: x", {": x"}), (r"a(?:b|)c", {"a"}), (r"\x41b", {"b"}), (r"(?: - x)+\d", {" - x"}),
])  # fmt: skip
def test_required_literals(source, wanted):
    found = required(source)
    assert (found if found is None else set(found)) == wanted


def fulfils(text, source):
    """Whether the one search for literals lets a line through that the expression matches."""
    wanted = required(source)
    return wanted is None or any(literal in text for literal in wanted)


atoms = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        ".",
        r"\d",
        r"\.",
        r"\ba",
        "[ab]",
        "[^a]",
        "[]b]",
        r"[\]a]",
        "^",
        "$",
        r"\x61",
        r"\t",
        " ",
        "é",
        "{",
        "}",
        r"\{",
    ]
)
quantifiers = st.sampled_from(["", "", "", "?", "*", "+", "*?", "++", "{2}", "{0}", "{00,1}", "{,2}", "{1,}"])
expressions = st.recursive(
    st.builds("".join, st.lists(st.builds("{}{}".format, atoms, quantifiers), max_size=3)),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{}){}".format, inner, inner, quantifiers),
        st.builds("{}({}){}{}".format, inner, inner, quantifiers, inner),
        st.builds(
            "({}{})".format, st.sampled_from(["?=", "?!", "?<=", "?<!", "?>", "?i:", "?s:", "?si:"]), inner
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=500)
@given(expressions, st.lists(st.text("abAB1. é{}\t", max_size=8), min_size=1, max_size=12))
def test_a_required_literal_stands_in_every_match(source, texts):
    try:
        compiled = regex.compile(source)
    except regex.error:
        assume(False)
    found = [text for text in texts if compiled.search(text)]
    assume(found)
    assert all(fulfils(text, source) for text in found), (source, required(source))


SPELT = [
    r"^\s*(\d+)/(\d+) - loss: (?:nan|\d\.\d)$", r"(?:ab|c[de]f|g)h{1,2}(?:i|j)?k", r"x+y*z|[ab]c{2}", r"(?:(?:a|b)c)+ d?e",
    r"[Ee]poch (\d+)/(\d+): (?:train|val)_loss[=:] ?(\S+)", r"step\t(\d+) (?:\|| - )+loss",
    *(from_line(line).source for line in ("Epoch {epoch:of}", "it {step:int}: f={f} ({t:duration})", "{n:si} | {{x}} | {a/b}%")),
]  # fmt: skip


@pytest.mark.parametrize("source", SPELT)
@given(data=st.data())
def test_a_required_literal_stands_in_whatever_is_made_to_match(source, data):
    assert fulfils(data.draw(st.from_regex(source)), source)


SAMPLES = [
    (matcher(pattern), line)
    for parser, _ in built_in()
    for pattern in parser.patterns
    for sample in parser.samples
    for line in sample.text.splitlines()
    if not isinstance(pattern, ReaderPattern) and matcher(pattern).match(line)
]


def test_a_required_literal_stands_in_every_sample_that_a_built_in_pattern_matches():
    assert len(SAMPLES) > 15
    assert [
        line for known, line in SAMPLES if known.literals and not any(t in line for t in known.literals)
    ] == []


@pytest.mark.parametrize(("source", "text"), [
    ("(?si)loss", "LOSS"), ("(?s)(?mi)loss", "LOSS"), ("(?sx) lo ss", "loss"), ("(?:loss){e<=1}", "lass"), ("(?:loss){i<=1}", "losss"),
    (r"\pL\pL\d", "ab3"), (r"(?P<a>x|y)=\g<a>", "x=x"), (r"\141b", "ab"), (r"\041", "!"), ("[[:alpha:]]x", "bx"),
    ("(?V1)[[a-z]--[b]]x", "cx"), ("(*PRUNE)ab", "ab"), ("(?#loss)x", "x"), ("a{00}b", "b"),
])  # fmt: skip
def test_what_changes_the_reading_of_an_expression_requires_nothing_wrong(source, text):
    assert regex.search(source, text)
    assert fulfils(text, source)


@pytest.mark.parametrize("parser", [parser for parser, _ in built_in()], ids=lambda parser: parser.name)
def test_every_built_in_pattern_requires_some_text(parser):
    """One that required none would make every line of every program slow."""
    assert [p for p in parser.patterns if not matcher(p).literals] == []


LITERALS = {"loss", "acc: ", "a.b", "[1]", "é", "\t|", "$x^", "#-~&"}


def test_pydantics_core_searches_anywhere_in_a_text():
    """The assumption behind the fast search; if a version changes it, the plain one is used, and this says so."""
    search = SchemaValidator(core_schema.str_schema(pattern="loss|acc")).isinstance_python
    assert finds(search, ["loss", "acc"])
    assert required_text.prefilter([frozenset(LITERALS)]).__self__.__class__ is SchemaValidator


@pytest.mark.parametrize("other", [None, lambda text: True, lambda text: text == "loss", lambda text: 1 / 0])
def test_where_pydantics_core_searches_otherwise_a_plain_search_does_the_same(other, monkeypatch):
    class Other:
        def __init__(self, schema):
            if other is None:
                raise ValueError("regex engines are no longer supported")
            self.isinstance_python = other

    fast = prefilter([frozenset(LITERALS)])
    monkeypatch.setattr(required_text, "SchemaValidator", Other)
    plain = prefilter([frozenset(LITERALS)])
    texts = [
        "",
        "loss",
        "x\nthe loss is",
        "axb",
        "a.b",
        "1",
        "[1]",
        "\t",
        " \t| ",
        "los",
        "é",
        "e",
        "$x^",
        "#-~&",
        "acc:",
    ]
    assert [plain(text) for text in texts] == [fast(text) for text in texts]
    assert not any(map(required_text.plain_search([]), texts))


def test_the_prefilter_lets_through_what_any_pattern_may_match():
    patterns = [from_line("loss {x}"), from_regex(r"µ=(?P<y>.)|Épo(?P<z>.)|\[#\] (?P<x>.)\^")]
    wants = prefilter(pattern.literals for pattern in patterns)
    assert all(wants(text) for text in ("a loss", "µ=1", "Époque", "[#] 1^"))
    assert not any(wants(text) for text in ("los", "", "#", "[#"))
    assert not prefilter([])("loss")
    assert prefilter([frozenset(["loss"]), from_regex(r"\d+").literals]) is None
