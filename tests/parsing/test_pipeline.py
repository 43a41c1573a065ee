"""From bytes to records: what is skipped for speed changes nothing."""

from unittest.mock import patch

import pytest
from helpers import FIXTURES, engine_of
from hypothesis import example, given, settings
from hypothesis import strategies as st

from capture.console.frames import FrameReader
from capture.console.screen import ConsoleLines
from capture.language.checked_yaml import Source
from capture.language.library import built_in, load
from capture.language.required_text import digit_sensitive_text
from capture.language.shape_cache import ShapeCache
from capture.parsing import index
from capture.parsing.engine import Engine
from capture.parsing.index import RuleIndex, _Search
from capture.parsing.pipeline import Pipeline
from capture.records import to_json

PARSERS = [parser for parser, _ in built_in()]
# Of every kind of pattern some: without the index each of them is asked about each frame.
KINDS = [
    "keras",
    "llama2c",
    "lightning",
    "sb3",
    "tqdm",
    "tables",
    "hf_trainer",
    "rich_progress",
    "config",
    "general",
]
SOME = [parser for parser in PARSERS if parser.name in KINDS]
# Patterns that tell one digit from another, and one that reads a text of its own.
ODD = load(Source(r"""
name: odd
patterns:
  - regex: '^top-%{INT:k} 1(?P<one>\d)(?P<two>[2-7])'
  - regex: '^[vw]2 (?P<x>\S+) \((?P<rest>.*)\)'
    pairs: rest
""", "odd.yaml"), samples=False)  # fmt: skip


def told(records, engine, lines):
    return [to_json(r) for r in records], engine.lines, engine.understood, lines


@patch.object(ShapeCache, "__call__", lambda self, text: self._function(text))
@patch.object(_Search, "__call__", lambda self, text: [rule for rule, _ in self._rules])
def slowly(chunks, parsers=PARSERS):
    """What comes of these (stream, bytes) when every frame is looked at by every pattern."""
    engine, readers, consoles, records, lines, offset = engine_of(parsers), {}, {}, [], {}, 0
    for stream, data in chunks:
        if stream not in readers:
            engine.begin(stream)
        reader = readers.setdefault(stream, FrameReader(stream))
        frames = reader.feed(data, offset)
        records += engine.feed(frames)
        lines.setdefault(stream, []).extend(consoles.setdefault(stream, ConsoleLines(stream)).feed(frames))
        offset += len(data)
    for stream, reader in readers.items():
        frames = reader.finish()
        records += engine.feed(frames)
        lines[stream] += consoles[stream].feed(frames) + consoles[stream].finish()
    return told(records + engine.finish(), engine, lines)


def quickly(chunks, parsers=PARSERS, engine=None):
    """The same as a run reads them: many lines at once, of which most are skipped."""
    engine = engine or engine_of(parsers)
    pipeline, readers, consoles, records, lines, offset = Pipeline(engine), {}, {}, [], {}, 0
    for stream, data in chunks:
        records += pipeline.feed(data, offset, stream)
        reader = readers.setdefault(stream, FrameReader(stream))
        console = consoles.setdefault(stream, ConsoleLines(stream))
        lines.setdefault(stream, []).extend(console.feed(reader.read(data, offset)))
        offset += len(data)
    for stream, console in consoles.items():
        lines[stream] += console.feed(readers[stream].finish()) + console.finish()
    return told(records + pipeline.finish(), engine, lines)


def cut(stream, data, cuts):
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [(stream, data[a:b]) for a, b in zip(edges, edges[1:])]


RECORDINGS = sorted(FIXTURES.glob("*/*.raw"))
numbers = st.one_of(
    st.integers(0, 3000).map(str), st.floats(0, 100).map(lambda x: f"{x:.3g}"), st.just("nan")
)
metrics = st.builds(
    str.format,
    st.sampled_from([
        "Epoch {0}/5", "199/199 [====] - 4s 22ms/step - loss: {0} - val_loss: {1}", "iter {0}: loss {1}, time {2}ms, mfu {0}%",
        "{0} | loss {1} | lr {2} | 5.0ms | mfu 2.0%", "epoch={0} loss={1} lr={2}", "loss: {0}, acc: {1}%", "top-{0} 1{1}", "v2 {0} (a={1}, b: {2}%)", "w{0} {1} (a={2})",
        "train: {0}%|███   | {0}/3000 [00:10<00:20, 3.1it/s, loss={1}]", "{0}it [00:01, 10.10it/s, loss={1}]", "step {0}: train loss {1}, val loss {2}",
    ]),
    numbers, numbers, numbers,
).map(str.encode)  # fmt: skip
plain = st.sampled_from([
    b"", b"plain text", b"/usr/lib/error.py:12: a warning", "━━ µ loss".encode(), b"bad \xff byte loss=1", b"\x1b[31mred\x1b[0m", b"\x1b[0m", b"a\x00b", b"\t", b" ",
    b"\x1b[1mlo\x1b[0mss=0.5 acc=1", b"\x1b]0;title\x07text", b"x\x1b[Kloss=1", b"\x7f", b"\x1b]8;;loss=2",
])  # fmt: skip
ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\r", b"\x08\x08", b"\x1b[K\n", b"\x1b[A", b"\x1b[2K\r", b"\r\r\n", b"\n\n", b"", b"\x1b"])  # fmt: skip
logs = st.lists(st.tuples(st.one_of(metrics, metrics, plain), ends).map(b"".join), max_size=30).map(b"".join)


@settings(max_examples=100)
@given(logs, st.lists(st.integers(0, 1500), max_size=12))
def test_lines_that_are_skipped_mean_nothing_however_they_are_chunked(data, cuts):
    parsers = [ODD, *SOME]
    assert quickly(cut("tty", data, cuts), parsers) == slowly([("tty", data)], parsers)


doubtful = st.lists(
    st.tuples(
        st.sampled_from([
            "Epoch {0}/5", "ITERATION {0}", "\t- gap: {1}", "  MeanEntropy  {1}", "Epoch {0}: low={1} high=2.5", "step {0} gap {1} | width 0.5",
            "[rank1]: Epoch {0}: low={1}", "(epoch: {0}, iters: {0}00) D_A: {1} D_B: 0.5", "plain text", "rows: 12.5", "Epoch {0} loss {1}", "[12:00:01] Epoch {0}: low={1}",
        ]),
        st.floats(0, 9), ends,
    ),
    max_size=60,
).map(lambda lines: b"".join(text.format(i // 6, f"{x:.2f}").encode() + end for i, (text, x, end) in enumerate(lines)))  # fmt: skip


@settings(max_examples=100)
@given(doubtful, doubtful, st.lists(st.integers(0, 2500), max_size=12))
def test_lines_that_are_held_back_come_out_the_same_however_they_are_chunked(out, err, cuts):
    assert quickly(cut("tty", out, cuts)) == slowly([("tty", out)])
    chunks = [chunk for pair in zip(cut("stdout", out, cuts), cut("stderr", err, cuts)) for chunk in pair]
    assert quickly(chunks, SOME) == slowly(chunks, SOME)


@example([("stdout", b"acc nan\rv nan\n"), ("stderr", b")\n"), ("stdout", b"acc=1")])
@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), logs.map(lambda b: b[:300])), max_size=8))
def test_two_streams_do_not_disturb_each_other(chunks):
    assert quickly(chunks, SOME) == slowly(chunks, SOME)


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(st.integers(0, 130), st.sampled_from([b"", b"\x1b[A", b"\x1b[70A", b"\x1b[2Aup\n", b"50%\r", b"a\x1b[Kb", b"\n\r\n", b"   \r"])),
        max_size=5,
    ),
    st.lists(st.integers(0, 4000), max_size=4),
)  # fmt: skip
def test_the_console_shows_many_lines_at_once_as_it_does_one_by_one(parts, cuts):
    runs = [b"".join(b"line %d \xc3\xa9\r\n" % i for i in range(count)) + after for count, after in parts]
    data = b"".join(runs)
    assert quickly(cut("tty", data, cuts), SOME) == slowly([("tty", data)], SOME)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_recordings_give_the_same_when_nothing_is_skipped(path):
    data = path.read_bytes()
    assert quickly(cut("tty", data, range(0, len(data), 4096))) == slowly([("tty", data)])


def looked_at(chunks, parsers=PARSERS):
    """The texts of the lines that are read, not only counted, and how many lines there are."""
    results = []
    engine = engine_of(parsers, plans=False, on_line=results.append)
    quickly(chunks, engine=engine)
    return [result.text for result in results], engine.lines


def test_most_lines_are_skipped():
    metrics, others = (
        b"iter 5: loss 0.5, time 5ms, mfu 2%\n",
        b"".join(b"INFO all is well, %d\n" % i for i in range(1000)),
    )
    texts, lines = looked_at([("tty", metrics + others + metrics)])
    assert texts == ["iter 5: loss 0.5, time 5ms, mfu 2%"] * 2
    assert lines == 1002


def test_the_first_lines_are_not_skipped_until_there_are_metrics_or_too_many():
    texts, lines = looked_at([("tty", b"all is well\n" * 3000)])
    assert len(texts) == 1000
    assert lines == 3000


TABLE = load(Source(r"""
name: table
patterns:
  - table: {header: 'rows follow', columns: {rows: "{epoch:int}"}}
""", "table.yaml"), samples=False)  # fmt: skip


@given(st.lists(st.integers(0, 60), max_size=5))
def test_every_row_of_an_open_table_is_looked_at_wherever_a_chunk_ends(cuts):
    data = b"skipped\nrows follow\n1 2\n3 4\r\n5 6\n" + b"no row\n" * 30 + b"skipped\nrows follow\nskipped\n"
    texts, lines = looked_at(cut("tty", data, cuts), [TABLE])
    rows = [
        text for text in texts if text not in ("skipped", "no row")
    ]  # a line that was cut is looked at anyway
    assert rows == ["rows follow", "1 2", "3 4", "5 6", "rows follow"]
    assert "no row" in texts
    assert texts.count("no row") < 30
    assert lines == 38


def test_a_table_on_one_stream_leaves_the_other_alone():
    texts, _ = looked_at(
        [("stdout", b"rows follow\n"), ("stderr", b"skipped\n"), ("stdout", b"1 2\n")], [TABLE]
    )
    assert texts == ["rows follow", "1 2"]


@pytest.mark.parametrize(("regex", "texts"), [
    (r"^loss: \d+\.\d{3}", set()), (r"(?P<g0>\d+)", set()), (r"[0-9.]+", set()), (r"[^0-9]", set()), (r"\{x\} \w", set()), (r"[\d:]+", set()),
    ("mAP50", {"P0"}), (r"[Ff]1 \d", {"F0", "f0"}), (r"top1: \d+ a5b", {"p0", "a0"}),
    (r"(\w)\1", None), ("[2-7]", None), ("[a0-9]", None), (r"\x41", None), (r"a\{3\}", None), ("[a{3}]", None), (r"\N{DIGIT ONE}", None),
    (r"[\N{DIGIT ONE}]", None), ("(?:a){e<=1}", None), ("(?:a1){e}", None), (r"\[0-9", None), ("[]3]", None), (r"\\[3]", None), ("a5?b", None), ("a5*", None),
    ("a5{0,1}", None), (r"\d1", None), ("@5", None), ("(?i)f1", None), (r"\p{L1}", None), (r"(?(1)a|b)", None), ("[ab1]", None), (r"[a\]1]", None),
    (r"(?P<a>\d)(?P=a)", None), (r"(?P<a>\d)\g<a>", None),
])  # fmt: skip
def test_texts_without_which_an_expression_treats_all_digits_alike(regex, texts):
    assert digit_sensitive_text(regex) == texts


@pytest.mark.parametrize("one_by_one", [0, 10, index.ONE_BY_ONE])
def test_the_candidates_for_a_text_are_the_rules_of_which_a_literal_stands_in_it(one_by_one, monkeypatch):
    """Also with a rule that requires none, wherever it stands among them."""
    monkeypatch.setattr(index, "ONE_BY_ONE", one_by_one)
    words = ["loss", "acc", "F1 ", "lr", "epoch", "mAP50"]
    lines = [f"- line: '{word} {{x}}'" for word in words]
    for place in range(len(lines) + 1):
        patterns = [*lines[:place], r"- regex: '(?P<any>\d)'", *lines[place:]]
        parser = load(Source("name: x\npatterns:\n" + "\n".join(patterns), "x.yaml"), samples=False)
        rules = Engine([parser]).rules
        for text in ("", "loss 1", "acc 1 lr", "F0 epoch", "mAP00", "nothing", "loss acc F0 lr epoch mAP00"):
            wanted = [rule for i, rule in enumerate(rules) if i == place or _asks(rule, text)]
            assert list(RuleIndex(rules)(text)) == wanted
            assert list(RuleIndex(rules[place + 1 :])(text)) == [r for r in wanted if r in rules[place + 1 :]]


def test_rules_that_are_known_to_reject_a_shape_are_forgotten_for_it():
    lines = "\n".join(f"  - line: '{line}'" for line in ("loss {x:int}", "loss {x}"))
    rules = Engine([load(Source(f"name: x\npatterns:\n{lines}", "x.yaml"), samples=False)]).rules
    found = RuleIndex(rules)
    found.forget_rejecting("loss 1.5")
    assert list(found("loss 1.5")) == rules  # nothing is known yet
    assert rules[0].matcher.match("loss 1.5") is None
    found.forget_rejecting("loss 1.5")
    assert list(found("loss 2.5")) == rules[1:]
    assert list(found("loss 20")) == rules


def _asks(rule, text):
    return any(literal.replace("1", "0").replace("5", "0") in text for literal in rule.matcher.literals)
