"""The words of the parser language: what each makes of what a program prints."""

import time

import pytest

from capture.console.frames import FrameReader
from capture.errors import UserError
from capture.language import patterns as line_patterns
from capture.language import tables
from capture.language.checked_yaml import Source
from capture.language.library import load
from capture.parsing.engine import Engine
from capture.parsing.pipeline import Pipeline


def parser(patterns, more=""):
    return load(Source(f"name: mine\n{more}patterns:\n{patterns}", "mine.yaml"), samples=False)


def read(patterns, text, more=""):
    """(step, epoch, metrics) of each record that a parser makes of a text."""
    pipeline = Pipeline(Engine([parser(patterns, more)]))
    records = pipeline.feed(text.encode(), 0) + pipeline.finish()
    return [(record.step, record.epoch, dict(record.metrics)) for record in records]


def problem(patterns):
    with pytest.raises(UserError) as error:
        parser(patterns)
    return str(error.value)


TABLE = r"""
  - table:
      header: '^epoch\s+loss'
      columns: {epoch: "{epoch:int}", time: "{_}"}
"""


class TestTable:
    def test_rows_have_the_names_of_the_header(self):
        text = "epoch loss acc time\n0 0.5 0.9 00:01\n1 nan inf 1:02:03\n"
        (first, second) = read(TABLE, text)
        assert first == (None, 0, {"loss": 0.5, "acc": 0.9})
        assert str(second) == "(None, 1, {'loss': nan, 'acc': inf})"

    def test_rows_without_a_header_give_nothing(self):
        assert read(TABLE, "0 0.5 0.9 00:01\n") == []

    @pytest.mark.parametrize("cell", ["None", "-", "--", "N/A", "n/a", "#na#"])
    def test_an_empty_cell_is_no_value_and_no_end(self, cell):
        assert read(TABLE, f"epoch loss acc time\n0 {cell} 0.9 00:01\n") == [(None, 0, {"acc": 0.9})]

    @pytest.mark.parametrize("line", ["0 0.5 0.9", "0 0.5 0.9 0.1 00:01", "0 0.5 great 00:01", "done in 3 s"])
    def test_a_line_of_other_values_is_no_row(self, line):
        assert read(TABLE, f"epoch loss acc time\n{line}\n") == []

    def test_a_message_between_two_rows_does_not_end_the_table(self):
        text = "epoch loss\n0 0.5\nbetter model found\n\n-----\n1 0.4\n"
        assert [epoch for _, epoch, _ in read(TABLE, text)] == [0, 1]

    def test_a_table_ends_by_itself(self):
        text = "epoch loss\n0 0.5\n" + "some text\n" * tables.MAX_OTHER_LINES + "1 0.4\n"
        assert [epoch for _, epoch, _ in read(TABLE, text)] == [0]

    def test_what_another_stream_says_neither_ends_nor_fills_the_table(self):
        engine = Engine([parser(TABLE)])
        lines = [("stdout", b"epoch loss\n"), *[("stderr", b"a warning\n")] * 20, ("stderr", b"7 0.7\n")]
        lines.append(("stdout", b"0 0.5\n"))
        found = [r for s, data in lines for r in engine.feed(FrameReader(s).feed(data, 0))]
        assert [(r.epoch, r.context["stream"]) for r in found] == [(0, "stdout")]

    def test_bars_that_are_drawn_between_the_rows_do_not_end_the_table(self):
        text = "epoch loss\n" + "\r 10% |####| bar" * 50 + "\r" + " " * 20 + "\r0 0.5\n"
        assert read(TABLE, text) == [(None, 0, {"loss": 0.5})]

    def test_the_next_header_names_the_columns_anew(self):
        text = "epoch loss\n0 0.5\nepoch loss acc\n0 0.4 0.9\n"
        assert [metrics for _, _, metrics in read(TABLE, text)] == [{"loss": 0.5}, {"loss": 0.4, "acc": 0.9}]

    @pytest.mark.parametrize(("header", "row"), [
        ("epoch  train loss  val loss", "1       0.50      0.60"),
        ("epoch\ttrain loss\tval loss", "1\t0.50\t0.60"),
    ])  # fmt: skip
    def test_names_with_spaces_are_split_by_wide_gaps(self, header, row):
        patterns = "  - table: {header: ^epoch, split: gaps, columns: {epoch: '{epoch:int}'}}\n"
        assert read(patterns, f"{header}\n{row}\n") == [(None, 1, {"train loss": 0.5, "val loss": 0.6})]

    @pytest.mark.parametrize("pipe", "|│┃")
    def test_columns_between_pipes_and_rulers(self, pipe):
        patterns = "  - table: {header: 'epoch', split: pipes, columns: {epoch: '{epoch:int}'}}\n"
        text = "┌───┬───┐\n| epoch | train loss | acc |\n├───┼───┤\n| 1 | 0.5 |  |\n".replace("|", pipe)
        assert read(patterns, text) == [(None, 1, {"train loss": 0.5})]

    def test_two_header_rows_make_one_name(self):
        patterns = r"  - table: {header: '^average\s+since', below: '^loss\s+last', columns: {example counter: '{step:int}'}}"
        text = "average  since    example\nloss     last     counter\n0.5 0.25 2\n"
        assert read(patterns, text) == [(2, None, {"average loss": 0.5, "since last": 0.25})]
        assert read(patterns, "average  since    example\nsomething else\n0.5 0.25 2\n") == []

    def test_values_that_the_edge_has_cut_are_not_read(self):
        assert read(TABLE, "epoch loss acc f1\n0 0.5 0.9…\n") == [(None, 0, {"loss": 0.5})]
        assert read(TABLE, "epoch loss acc f1\n0 0.5 0.9 …\n") == [(None, 0, {"loss": 0.5, "acc": 0.9})]

    def test_a_column_whose_name_the_edge_has_cut_is_not_read(self):
        assert read(TABLE, "epoch loss acc val_…\n0 0.5 0.9 0.8\n") == [(None, 0, {"loss": 0.5, "acc": 0.9})]

    def test_a_row_may_be_part_of_a_line(self):
        patterns = r"""
  - table:
      header: '^Epoch\s+mem'
      row: '^(?P<cells>.*): +\d+% %{INT:batch}/%{INT:batches}'
      columns: {Epoch: "{epoch:of}", mem: "{_}"}
    step: (epoch - 1) * batches + batch
"""
        assert read(patterns, "Epoch mem loss\n2/5 1.2G 0.5: 12% 3/8 it/s\n") == [(11, 2, {"loss": 0.5})]

    def test_a_row_may_name_its_values_itself(self):
        patterns = (
            r"  - table: {header: '^Class +n', row: '^ +(?P<label>.+?) +\d+ +%{NUMBER:acc}$'}"
            + "\n    context: label\n"
        )
        assert read(patterns, "  dining table 7 0.5\nClass n …\n  dining table 7 0.5\n") == [
            (None, None, {"acc": 0.5})
        ]

    def test_a_column_may_just_have_another_name_and_count_to_a_total(self):
        patterns = "  - {table: {header: ^Ep, columns: {Ep: epoch, L: loss}}, step: epoch * epochs}\n"
        assert read(patterns, "Ep L\n2/5 0.5\n") == [(10, 2, {"loss": 0.5})]

    def test_percentages_are_given_as_they_are_printed(self):
        assert read(TABLE, "epoch loss acc\n0 0.5 91.2%\n") == [(None, 0, {"loss": 0.5, "acc": 91.2})]

    def test_what_a_row_means_is_said_as_for_a_line(self):
        patterns = TABLE + "    if: 'loss < 1'\n    prefix: epoch/\n    derive: {double: loss * 2}\n"
        assert read(patterns, "epoch loss\n0 2.5\n1 0.5\n") == [(None, 1, {"epoch/double": 1.0})]

    @pytest.mark.parametrize(("table", "says"), [
        ("{header: '('}", "mine.yaml:3: patterns.0.table: the regular expression does not compile"),
        ("{header: x, row: y}", "row: has no group (?P<cells>...)"),
        ("{header: x, columns: {a: '{b:many}'}}", "there is no kind 'many'"),
        ("{header: x, split: semicolons}", "patterns.0.table.split"),
        ("{heading: x}", "unknown key 'heading'; did you mean 'header'?"),
    ])  # fmt: skip
    def test_errors_say_what_would_be_right(self, table, says):
        assert says in problem(f"  - table: {table}\n")


BLOCK = r"""
  - block:
      begin: '^-{5,}$'
      section: '^\| (?P<section>\w+/)\s+\|\s+\|$'
      row: '^\| +(?P<key>\w+) +\| +(?P<value>\S+) +\|$'
      end: '^-{5,}$'
    step: total_steps
"""
BOX = "------\n| time/  |  |\n|  total_steps | 512 |\n| train/ |  |\n|  loss | 0.5 |\n------\n"


class TestBlock:
    def test_the_rows_make_one_record_under_their_sections(self):
        assert read(BLOCK, BOX + BOX.replace("512", "1024").replace("0.5", "nan"))[0] == (
            512, None, {"time/total_steps": 512, "train/loss": 0.5},
        )  # fmt: skip

    def test_every_box_starts_without_a_section(self):
        other = "------\n| loss | 0.25 |\n------\n"
        assert read(BLOCK, BOX + other)[1] == (None, None, {"loss": 0.25})

    @pytest.mark.parametrize("after", ["", "Traceback\n------\n"])
    def test_a_box_that_is_broken_off_gives_the_rows_that_were_drawn(self, after):
        assert read(BLOCK, BOX.removesuffix("------\n") + after) == read(BLOCK, BOX)

    def test_the_record_of_a_box_that_is_broken_off_leads_back_to_its_rows(self):
        pipeline = Pipeline(Engine([parser(BLOCK)]))
        pipeline.feed(b"text\n" + BOX.removesuffix("------\n").encode(), 0)
        (record,) = pipeline.finish()
        assert record.at == (5, len(BOX.removesuffix("\n------\n")))

    def test_a_bar_that_is_drawn_while_the_box_is_does_not_matter(self):
        assert len(read(BLOCK, BOX.replace("| train/", "\r 50% |##| 1/2\r| train/"))) == 1

    def test_text_in_a_row_is_no_metric(self):
        assert read(BLOCK, BOX.replace("0.5", "good"))[0][2] == {"time/total_steps": 512}

    def test_the_record_leads_back_to_the_whole_box(self):
        pipeline = Pipeline(Engine([parser(BLOCK)]))
        (record,) = pipeline.feed(b"text\n" + BOX.encode(), 0)
        assert record.at == (5, len(BOX) - 1)

    def test_several_values_in_a_row_have_names_of_their_own(self):
        patterns = r"""
  - block:
      begin: '^metric'
      row: '^(?P<key>\w+)(?: (?P<value>[\d.]+))+$'
      end: '^=+$'
      several: "{key}/set_{n}"
"""
        assert read(patterns, "metric A B\nloss 0.5 0.6\nacc 0.9\n===\n") == [
            (None, None, {"loss/set_0": 0.5, "loss/set_1": 0.6, "acc": 0.9})
        ]

    def test_rows_without_end_are_not_kept(self):
        engine = Engine([parser(BLOCK)])
        rows = b"".join(b"| a%d | 1 |\n" % n for n in range(3000))
        assert engine.feed(FrameReader().feed(b"------\n" + rows + b"------\n", 0)) == []

    @pytest.mark.parametrize(("block", "says"), [
        ("{begin: x, row: y, end: z}", "row: has no groups (?P<key>...) and (?P<value>...)"),
        ("{begin: '[', row: y, end: z}", "the regular expression does not compile"),
    ])  # fmt: skip
    def test_errors_say_what_would_be_right(self, block, says):
        assert says in problem(f"  - block: {block}\n")


WAIT = """
  - line: "bar {count:int} of {total:int}"
    as: context
    remember: [count, total]
  - line: "loss {loss}"
    cases: [{if: total, wait: count, step: count, remember: {last: step}}, {}]
  - line: "score {score}"
    step: last
"""


class TestWait:
    def test_a_line_has_the_step_that_comes_after_it(self):
        text = "bar 9 of 100\nloss 0.5\nbar 10 of 100\nscore 7\n"
        assert read(WAIT, text) == [(10, None, {"loss": 0.5}), (10, None, {"score": 7})]

    def test_a_line_that_need_not_wait_is_given_at_once(self):
        assert read(WAIT, "loss 0.5\nbar 10 of 100\n") == [(None, None, {"loss": 0.5})]

    def test_what_did_not_come_is_not_known(self):
        assert read(WAIT, "bar 9 of 100\nloss 0.5\n") == [(None, None, {"loss": 0.5})]

    def test_only_so_many_lines_wait(self):
        pipeline = Pipeline(Engine([parser(WAIT)]))
        text = "bar 9 of 100\n" + "".join(f"loss {n}\n" for n in range(50))
        early = pipeline.feed(text.encode(), 0)
        assert [r.metrics["loss"] for r in early + pipeline.finish()] == list(range(50))
        assert len(early) > 40

    def test_the_record_leads_back_to_its_own_line(self):
        pipeline = Pipeline(Engine([parser(WAIT)]))
        (record,) = pipeline.feed(b"bar 9 of 100\nloss 0.5\nbar 10 of 100\n", 0)
        assert record.at == (13, 8)


def test_what_is_peek_is_read_by_other_formats_too():
    listening = parser('  - {line: "epoch {epoch:int} {loss}", as: peek, remember: epoch}\n')
    other = parser('  - line: "epoch {epoch:int} {loss}"\n')
    engine = Engine([listening, other])
    (record,) = engine.feed(FrameReader().feed(b"epoch 3 0.5\n", 0))
    assert record.metrics == {"loss": 0.5}


def test_a_second_number_is_named_after_the_first():
    patterns = r"""
  - regex: '^(?:(?P<key>\w+) %{NUMBER:value}(?: \(%{NUMBER:second}\))? ?)+$'
    second: avg
"""
    assert read(patterns, "loss 7.3 (9.3) lr 0.1 acc 0.5 (0.4)\n") == [
        (None, None, {"loss": 7.3, "loss/avg": 9.3, "lr": 0.1, "acc": 0.5, "acc/avg": 0.4})
    ]
    assert "second: the regex has no group (?P<second>...)" in problem("  - {regex: loss, second: avg}\n")


def test_names_are_rewritten_by_expressions():
    rewrite = "rewrite: {'^val_': val/, '^(?!val)': train/}\n"
    assert read('  - line: "{val_loss} {loss}"\n', "1 2\n", rewrite)[0][2] == {"val/loss": 1, "train/loss": 2}
    with pytest.raises(UserError, match=r"rewrite: '\(': the regular expression does not compile"):
        parser('  - line: "{loss}"\n', "rewrite: {'(': x}\n")


def test_the_same_name_twice_in_a_line_is_refused():
    assert "{loss} occurs twice in the line" in problem('  - line: "{loss} {loss}"\n')
    assert "{epochs} occurs twice in the line" in problem('  - line: "{epoch:of} {epochs}"\n')
    assert read('  - line: "{_} {loss} {_}"\n', "1 2 3\n")[0][2] == {"loss": 2}


def test_bars_below_others_are_told_from_the_outer_one():
    patterns = '  - {line: "bar {step:int}: {loss}", when: outer}\n'
    assert read(patterns, "bar 1: 0.5\r\n\rbar 7: 0.7\x1b[A\rbar 2: 0.4\r") == [
        (1, None, {"loss": 0.5}),
        (2, None, {"loss": 0.4}),
    ]


class TestBarsThatMoveTheirCountFirst:
    PATTERNS = r"""
  - regex: '^(?P<label>\w+) %{INT:epoch}: %{INT:count}/%{INT:total}(?P<values>.*)$'
    pairs: values
    bar: {count: count, total: total, label: label, values: behind}
"""

    def test_values_belong_to_the_count_that_they_are_drawn_beside_last(self):
        text = "e 0: 1/9\re 0: 1/9 a=5\re 0: 2/9 a=5\re 0: 2/9 a=4\re 0: 3/9 a=4\r"
        assert read(self.PATTERNS, text) == [(1, 0, {"a": 5}), (2, 0, {"a": 4})]

    def test_what_an_epoch_has_not_renewed_is_not_given_again(self):
        text = (
            "e 0: 8/9\re 0: 8/9 a=6\re 0: 9/9 a=6\re 0: 9/9 a=5\re 0: 9/9 a=5 v=1\r"
            "e 1: 0/9 a=5 v=1\re 1: 1/9 a=5 v=1\re 1: 1/9 a=4 v=1\re 1: 9/9 a=3 v=1\re 1: 9/9 a=3 v=2\r"
        )
        assert read(self.PATTERNS, text) == [
            (8, 0, {"a": 6}),
            (9, 0, {"a": 5}),
            (9, 0, {"a": 5, "v": 1}),
            (10, 1, {"a": 4}),
            (18, 1, {"a": 3}),
            (18, 1, {"a": 3, "v": 2}),
        ]

    def test_an_equal_value_is_given_for_the_next_count_too(self):
        text = "e 0: 1/9\re 0: 1/9 a=5 b=1\re 0: 2/9 a=5 b=1\re 0: 2/9 a=5 b=2\r"
        assert read(self.PATTERNS, text) == [(1, 0, {"a": 5, "b": 1}), (2, 0, {"a": 5, "b": 2})]

    def test_what_is_new_on_a_bar_that_has_just_begun_belongs_to_the_one_before(self):
        text = "e 0: 9/9\re 0: 9/9 a=5\re 1: 0/9 a=5\re 1: 0/9 a=5 v=1\re 1: 1/9 a=5 v=1\re 1: 1/9 a=4 v=1\r"
        assert read(self.PATTERNS, text) == [(9, 0, {"a": 5}), (9, 0, {"v": 1}), (10, 1, {"a": 4})]

    def test_a_value_that_comes_and_goes_at_the_edge_is_not_new_each_time(self):
        text = "e 0: 1/9 a=5 v=1\re 0: 2/9 a=5\re 0: 3/9 a=5 v=1\r"
        assert read(self.PATTERNS, text) == [(1, 0, {"a": 5, "v": 1})]


def test_bars_that_draw_count_and_values_at_once():
    patterns = r"""
  - regex: '^%{INT:count}/%{INT:total}(?P<values>.*)$'
    pairs: values
    bar: {count: count, total: total, values: exact}
"""
    assert read(patterns, "0/9 a=nan\r2/9 a=5\r2/9 a=5\r3/9 a=5\r1/9 a=4\r") == [
        (2, None, {"a": 5}),
        (3, None, {"a": 5}),
        (10, None, {"a": 4}),
    ]


def test_an_inner_bar_that_goes_before_it_is_full_still_counts_a_whole_epoch():
    patterns = r"""
  - regex: '^epoch %{INT:epoch}: %{INT:count}/%{INT:total}(?P<values>.*)$'
    pairs: values
    bar: {count: count, total: total}
"""
    text = "epoch 0: 7/10 a=5\repoch 1: 2/10 a=4\r"
    assert read(patterns, text) == [(7, 0, {"a": 5}), (12, 1, {"a": 4})]


def test_a_bar_that_was_left_behind_before_it_was_full_counts_as_far_as_it_got():
    patterns = r"""
  - regex: '^%{INT:count}/%{INT:total}(?P<values>.*)$'
    pairs: values
    bar: {count: count, total: total}
"""
    assert read(patterns, "7/10 a=5\n2/10 a=4\r") == [(7, None, {"a": 5}), (9, None, {"a": 4})]
    assert read(patterns, "7/10 a=5\r2/10 a=4\r") == [(7, None, {"a": 5}), (12, None, {"a": 4})]


class TestText:
    """`{name:text}` takes as little as it can, without the spaces at its ends."""

    @pytest.mark.parametrize(
        ("line", "text", "expected"),
        [
            ("note {note:text} loss {loss}", "note all is well  loss 0.5", "all is well"),
            ("note: {note:text} | loss {loss}", "note:  | loss 0.5", ""),
            ("[{note:text}] loss {loss}", "[ of two ] loss 0.5", "of two"),
            ("loss {loss} {note:text}", "loss 0.5 the end \t ", "the end"),
        ],
    )
    def test_what_it_takes(self, line, text, expected):
        found = line_patterns.from_line(line).match(text)
        assert found.values == {"note": expected, "loss": 0.5}

    @pytest.mark.parametrize("line", ["loss {loss} {_:text}", "loss {loss} {_:text} x"])
    def test_a_long_run_of_spaces_takes_no_more_time_than_it_is_long(self, line):
        def steps(length):
            started = time.thread_time()
            line_patterns.from_line(line).match("loss 0.5 a" + " " * length + "b y")
            return time.thread_time() - started

        assert steps(200_000) < 1  # 200,000 times 200,000 steps would take minutes


class TestWrapped:
    PATTERNS = r"""
  - regex: '^task %{INT:step}/\d+ [\d:]+ •(?P<fields>.*)$'
    wrapped: fields
    pairs: fields
"""

    @pytest.mark.parametrize("text", [
        "task 3/9 0:01 • loss: 0.5 acc:\n                0.25 lr:\n           0:02 1e-3\n",
        "task 3/9 0:01 • loss: 0.5 acc: 0.25 lr: 1e-3\n",
        "task 3/9 0:01 • loss: 0.5 acc:\n                0.25 lr: 1e-3\nother text\n",
    ])  # fmt: skip
    def test_text_that_was_wrapped_in_its_column_is_put_together(self, text):
        assert read(self.PATTERNS, text) == [(3, None, {"loss": 0.5, "acc": 0.25, "lr": 0.001})]

    @pytest.mark.parametrize(
        "line", ["", "saving checkpoint with acc: 0.5", "                ", "0.75", "x" * 16 + "0.25"]
    )
    def test_other_lines_are_no_part_of_it(self, line):
        assert read(self.PATTERNS, f"task 3/9 0:01 • loss: 0.5 acc:\n{line}\n") == [(3, None, {"loss": 0.5})]

    def test_every_redraw_is_read_for_itself(self):
        text = "".join(
            f"task {n}/9 0:01 • loss:\r\n                0.{n}\r\x1b[2K\x1b[1A\x1b[2K" for n in (1, 2, 3)
        )
        assert [(step, metrics["loss"]) for step, _, metrics in read(self.PATTERNS, text)] == [
            (1, 0.1),
            (2, 0.2),
            (3, 0.3),
        ]

    def test_the_record_leads_back_to_all_its_lines(self):
        pipeline = Pipeline(Engine([parser(self.PATTERNS)]))
        text = "task 3/9 0:01 • loss:\n                0.5\nend\n".encode()
        (record,) = pipeline.feed(text, 0)
        assert record.at == (0, text.index(b"\nend"))

    def test_the_group_has_to_be_there(self):
        assert "wrapped: the regex has no group (?P<fields>...)" in problem(
            "  - {regex: x, wrapped: fields}\n"
        )
