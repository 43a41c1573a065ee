"""Frames to records: what each parser makes of what its program prints."""

import math
import time

import pytest
from helpers import FIXTURES, engine_of, parse, short
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.language.model import Naming
from capture.parsing.pipeline import Pipeline
from capture.parsing.rule import Rule
from capture.records import from_json, to_json

BAR = " 10/100 ━━━━━━━━━━━━━━━━━━━━ 1s 5ms/step - loss: 0.9\r"
FINAL = "100/100 ━━━━━━━━━━━━━━━━━━━━ 1s 5ms/step - loss: 0.5 - val_loss: 0.6\n"


class TestKeras:
    def test_batches_count_through_the_epochs(self):
        assert short("Epoch 2/3\n" + BAR) == [(110, 2, {"batch/loss": 0.9})]

    def test_a_refresh_that_only_moves_the_clock_is_no_record(self):
        later = BAR.replace("1s 5ms", "2s 6ms")
        assert len(short("Epoch 2/3\n" + BAR + later)) == 1

    def test_one_epoch_prints_no_header(self):
        assert short(BAR + FINAL) == [
            (10, 1, {"batch/loss": 0.9}),
            (100, 1, {"epoch/loss": 0.5, "epoch/val_loss": 0.6}),
        ]

    def test_a_bar_after_the_last_epoch_is_an_evaluation(self):
        evaluation = "1/10 ━━━━━━━━━━━━━━━━━━━━ 0s 1ms/step - loss: 0.8\r10/10 ━━━━━━━━━━━━━━━━━━━━ 0s 1ms/step - loss: 0.7\n"
        assert short("Epoch 1/1\n" + FINAL + evaluation)[1:] == [(100, 1, {"evaluate/loss": 0.7})]

    def test_a_callbacks_message_that_breaks_the_bar_does_not_break_the_epoch(self):
        broken = (
            "100/100 ━━━━━━━━━━━━━━━━━━━━ 0s 5ms/step - loss: 0.5\nEpoch 1: saving model to x.h5\n"
            + "\x08" * 9
            + "\r"
        )
        found = short("Epoch 1/2\n" + broken + FINAL + "Epoch 2/2\n" + BAR)
        assert (100, 1, {"epoch/loss": 0.5, "epoch/val_loss": 0.6}) in found
        assert found[-1] == (110, 2, {"batch/loss": 0.9})
        assert not any(name.startswith("evaluate") for _, _, metrics in found for name in metrics)

    def test_an_unknown_number_of_batches(self):
        found = short("Epoch 1/2\n     7/Unknown - 1s 9ms/step - loss: 0.25\r" + FINAL)
        assert found[0] == (7, 1, {"batch/loss": 0.25})

    def test_nan_and_infinity_are_values(self):
        ((_, _, metrics),) = short("Epoch 1/2\n" + FINAL.replace("0.5", "nan").replace("0.6", "inf"))
        assert math.isnan(metrics["epoch/loss"]) and metrics["epoch/val_loss"] == math.inf

    def test_one_line_an_epoch(self):
        text = "Epoch 1/2\n199/199 - 4s - loss: 0.4699 - val_loss: 0.4531 - 4s/epoch - 22ms/step\n"
        assert short(text) == [(199, 1, {"epoch/loss": 0.4699, "epoch/val_loss": 0.4531})]

    def test_a_fit_without_validation_and_a_second_one(self):
        fit = (
            "Epoch 1/2\n"
            + FINAL.replace(" - val_loss: 0.6", "")
            + "Epoch 2/2\n"
            + FINAL.replace(" - val_loss: 0.6", "")
        )
        assert [(step, metrics) for step, _, metrics in short(fit)] == [
            (100, {"epoch/loss": 0.5}),
            (200, {"epoch/loss": 0.5}),
        ]

    def test_a_fit_that_goes_on_from_an_epoch_counts_from_there(self):
        assert short("Epoch 6/10\n" + FINAL)[0][:2] == (600, 6)

    def test_the_last_bar_of_a_killed_program_is_read(self):
        assert short("Epoch 1/2\n" + BAR.rstrip("\r")) == [(10, 1, {"batch/loss": 0.9})]

    @pytest.mark.parametrize("unit", ["1s/step", "5ms/step", "974us/step", "2s/epoch"])
    def test_times_are_no_metrics(self, unit):
        assert short("Epoch 1/2\n" + FINAL.replace("5ms/step", unit))[0][2].keys() == {
            "epoch/loss",
            "epoch/val_loss",
        }

    @pytest.mark.parametrize("bar", ["\x1b[1m{}\x1b[0m", "\x1b[32m{}\x1b[0m", "{} \x1b[?25h"])
    def test_colours_do_not_matter(self, bar):
        assert short("Epoch 2/3\n" + bar.format(BAR.rstrip("\r")) + "\r") == [(110, 2, {"batch/loss": 0.9})]

    def test_evaluation_with_one_line_after_the_last_epoch(self):
        text = "Epoch 2/2\n" + FINAL + "10/10 - 0s - 5ms/step - accuracy: 0.51 - loss: 1.1\n"
        assert short(text)[1:] == [(200, 2, {"evaluate/accuracy": 0.51, "evaluate/loss": 1.1})]

    def test_a_bar_of_predictions_gives_nothing(self):
        assert short("Epoch 1/1\n" + FINAL + "13/13 ━━━━━━━━━━━━━━━━━━━━ 0s 974us/step\n")[1:] == []

    def test_a_second_fit_is_told_from_the_first(self):
        fit = "Epoch 1/2\n" + FINAL + "Epoch 2/2\n" + FINAL
        fits = [record.context.get("fit", 1) for record in parse(fit + fit)[0]]
        assert fits == [1, 1, 2, 2]

    def test_the_model_size_is_config(self):
        assert parse("Total params: 1,188 (4.64 KB)\n")[0][0].config == {"total_params": 1188}


def bar(count, values="", description="Epoch 1/2", total=60, rate="30.00it/s"):
    return (
        f"\r{description}: {count * 100 // total:3}%|██▌    | {count}/{total} [00:01<00:02, {rate}{values}]"
    )


class TestTqdm:
    def test_each_drawing_has_its_step_once_the_count_has_settled(self):
        text = bar(0) + bar(0, ", loss=3") + bar(0, ", loss=2") + bar(0, ", loss=1") + bar(3, ", loss=1")
        assert short(text) == [(1, 1, {"loss": 3}), (2, 1, {"loss": 2}), (3, 1, {"loss": 1})]

    def test_what_is_not_certain_is_not_given(self):
        text = bar(0) + bar(0, ", loss=3") + bar(0, ", loss=2") + bar(30, ", loss=2")
        assert short(text) == [(30, 1, {"loss": 2})]

    def test_bars_that_follow_each_other_count_on(self):
        one = bar(60, ", loss=1", "train") + "\n"
        assert [step for step, _, _ in short(one + bar(1, ", loss=2", "train"))] == [60, 61]

    def test_a_second_round_of_epochs_begins_anew(self):
        text = bar(60, ", loss=1", "Epoch 2/2") + "\n" + bar(1, ", loss=2", "Epoch 1/2")
        assert [step for step, _, _ in short(text)] == [60, 1]

    def test_a_value_that_the_edge_has_cut_is_not_read(self):
        assert short(bar(5, ", loss=2.5, acc=0.12")[:-1] + "\n") == [(5, 1, {"loss": 2.5})]

    @pytest.mark.parametrize("rate", ["2.00s/it", "?it/s", "1.2kbatch/s"])
    def test_rates_of_all_kinds(self, rate):
        assert short(bar(5, ", loss=2.5", rate=rate)) == [(5, 1, {"loss": 2.5})]

    def test_counts_with_si_prefixes(self):
        text = bar(1, ", loss=2").replace("1/60", "1.00k/10.0k") + bar(2, ", loss=1").replace(
            "2/60", "2.00k/10.0k"
        )
        assert short(text) == [(1000, 1, {"loss": 2}), (2000, 1, {"loss": 1})]

    def test_bars_inside_a_bar_count_on_from_epoch_to_epoch(self):
        outer = bar(0, description="epochs", total=2) + "\n"
        text = "".join(
            outer
            + "".join(bar(n, f", loss={n}", f"epoch {epoch}", 3) for n in (1, 2, 3))
            + "\r"
            + " " * 60
            + "\r\x1b[A"
            for epoch in (0, 1)
        )
        assert [(step, epoch) for step, epoch, _ in short(text)] == [
            (1, 0),
            (2, 0),
            (3, 0),
            (4, 1),
            (5, 1),
            (6, 1),
        ]

    def test_a_validation_bar_with_the_same_metric_is_no_second_fit(self):
        text = ""
        for _ in range(2):
            text += bar(1, ", loss=3", "train") + bar(60, ", loss=2", "train") + "\n"
            text += bar(1, ", loss=5", "valid", 10) + bar(10, ", loss=4", "valid", 10) + "\n"
        records = parse(text)[0]
        assert [(r.context["bar"], r.step) for r in records if r.step > 60] == [("train", 61), ("train", 120)]
        assert [r.step for r in records if r.context["bar"] == "valid"] == [1, 10, 11, 20]
        assert {r.context.get("fit", 1) for r in records} == {1}

    @pytest.mark.parametrize("naming", [None, Naming(scale={"loss": 100})], ids=["plain", "scaled"])
    @pytest.mark.parametrize("value", ["nan", "nan%"])
    def test_a_nan_that_stays_is_not_new_each_time(self, value, naming):
        text = bar(5, description=f"train loss={value}") * 4 + bar(6, description=f"train loss={value}") * 4
        assert [step for step, _, _ in short(text, naming=naming)] == [5, 6]

    def test_the_description_is_context_and_may_hold_values(self):
        (record,) = parse(bar(5, description="valid: loss=0.25"))[0]
        assert (record.metrics, record.context) == ({"loss": 0.25}, {"bar": "valid"})

    def test_bars_without_values_give_nothing(self):
        assert short(bar(5) + bar(60) + "\n") == []

    def test_the_last_values_of_a_killed_program_are_not_lost(self):
        assert short(bar(4, ", loss=3") + bar(4, ", loss=2")) == [(4, 1, {"loss": 3}), (5, 1, {"loss": 2})]


def test_a_users_format_comes_before_the_built_in_ones():
    own = 'name: own\npatterns:\n  - line: "epoch {epoch:int}: loss={my loss}"\n'
    assert short("epoch 3: loss=0.5\n", own=own) == [(None, 3, {"my loss": 0.5})]


def test_a_pattern_that_takes_too_long_is_switched_off_and_said():
    own = "name: slow\npatterns:\n  - regex: '^(a|aa)+$'\n"
    records, engine = parse("a" * 60 + "b\nepoch 1: loss=0.5\n", own=own)
    assert [record.parser for record in records] == ["general"]
    assert "parser slow: a pattern took more than 50 ms" in engine.events[0]


def test_a_value_that_is_no_number_is_left_out_and_kills_nothing():
    own = "name: own\npatterns:\n  - regex: '^>(?: (?P<key>\\w+)=(?P<value>\\S+))+$'\n"
    assert short("> loss=0.5 device=cuda\n", own=own) == [(None, None, {"loss": 0.5})]


def test_a_pattern_that_fails_is_switched_off_and_the_others_read_on(monkeypatch):
    read = Rule.read

    def failing(self, *arguments):
        if self.parser.name == "own":
            raise RuntimeError("unforeseen")
        return read(self, *arguments)

    monkeypatch.setattr(Rule, "read", failing)
    own = 'name: own\npatterns:\n  - line: "epoch {epoch:int}: loss={x}"\n'
    records, engine = parse("epoch 1: loss=0.5\n", own=own)
    assert [record.parser for record in records] == ["general"]
    assert "parser own: a pattern failed on 'epoch 1: loss=0.5' (unforeseen)" in engine.events[0]


@pytest.mark.parametrize(
    "text",
    ["epoch 1: loss=" + "9" * 5000, "epoch " + "9" * 5000 + ": loss=1", "x" * 200_000, "loss " * 20_000],
)
def test_absurd_lines_switch_nothing_off(text):
    records, engine = parse(text + "\nepoch 2: loss=0.5\n")
    assert engine.events == []
    assert (records[-1].epoch, records[-1].metrics) == (2, {"loss": 0.5})
    assert all(to_json(record) for record in records)


@pytest.mark.parametrize("text", [" " * 60_000 + "%|", "9" * 60_000 + "%|x|", "epoch 1 " * 8000 + "5%|", "1 [" * 20_000, "loss=1 ,;" * 7000 + "x"],
                         ids=["spaces", "digits", "epochs", "brackets", "pairs"])  # fmt: skip
def test_a_long_line_that_is_nothing_takes_no_time(text):
    """Each of the first three took more than ten seconds once."""
    start = time.process_time()
    assert parse(text + "\n")[0] == []
    assert time.process_time() - start < 2


@pytest.mark.parametrize(("derive", "gives"), [
    ("(0 - a) ** 0.5", {"a": 8}), ("a > 3", {"a": 8, "b": 1}), ("a / 0", {"a": 8}), ("10 ** 60", {"a": 8, "b": 1e60}), ("missing", {"a": 8}),
])  # fmt: skip
def test_what_is_derived_is_a_number_or_left_out(derive, gives):
    own = f"name: own\npatterns:\n  - line: 'v {{a}}'\n    derive: {{b: '{derive}'}}\n"
    ((_, _, metrics),) = short("v 8\n", own=own)
    assert metrics == gives
    assert not any(isinstance(value, (bool, complex)) for value in metrics.values())


def test_what_the_context_tells_apart_is_no_second_fit():
    own = (
        'name: own\npatterns:\n  - line: "fold {fold:int} step {step:int} loss {loss}"\n    context: [fold]\n'
    )
    text = "".join(f"fold {fold} step {step} loss 1\n" for fold in (1, 2) for step in (1, 2, 3))
    assert [record.context for record in parse(text, own=own)[0]] == [{"fold": 1}] * 3 + [{"fold": 2}] * 3


def test_two_streams_do_not_mix_in_one_line():
    pipeline = Pipeline(engine_of())
    records = pipeline.feed(b"epoch 1: val_loss", 0, "stdout")
    records += pipeline.feed(b"epoch 2: loss=2\n", 17, "stderr", 5.0)
    records += pipeline.feed(b"=1\n", 33, "stdout", 6.0)
    assert [(r.epoch, r.metrics, r.context, r.at, r.time) for r in records] == [
        (2, {"loss": 2}, {"stream": "stderr"}, (17, 15), 5.0),
        (1, {"val_loss": 1}, {"stream": "stdout"}, (0, 35), 6.0),
    ]


def test_a_pattern_that_is_switched_off_is_not_tried_again():
    own = "name: slow\npatterns:\n  - regex: '^(a|aa)+$'\n"
    _, engine = parse(("a" * 60 + "b\n") * 3, own=own)
    assert len(engine.events) == 1


def test_a_line_that_is_printed_again_is_a_record_again_and_a_redraw_is_not():
    assert len(short("loss=0.5\n" * 3)) == 3
    assert len(short("loss=0.5\r" * 3)) == 1


def test_lines_are_counted_and_a_bar_is_one_of_them():
    _, engine = parse("hello\n" + "Epoch 2/3\n" + BAR + BAR.replace("0.9", "0.8") + FINAL + "bye\n")
    assert (engine.understood, engine.lines) == (2, 4)


def test_names_and_values_can_be_changed():
    naming = Naming(rename={"epoch/val_loss": "val_loss"}, drop=["epoch/loss"], scale={"batch/loss": 10})
    assert short("Epoch 1/2\n" + BAR + FINAL, naming=naming) == [
        (10, 1, {"batch/loss": 9}),
        (100, 1, {"val_loss": 0.6}),
    ]


def test_a_step_that_only_comes_again_is_no_new_fit():
    """The best round, repeated at the end."""
    own = 'name: own\npatterns:\n  - line: "[{step:int}] auc {auc}"\n'
    text = "".join(f"[{step}] auc 0.{step}\n" for step in (5, 10, 15, 10))
    assert all("fit" not in record.context for record in parse(text, own=own)[0])


@pytest.mark.parametrize(
    "path", sorted(FIXTURES.glob("*/*.raw")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
@settings(max_examples=4)
@given(data=st.data())
def test_chunks_do_not_matter(path, data):
    raw = path.read_bytes()
    size = data.draw(st.sampled_from([7, 64, 1000, 30_000]))
    cuts = sorted({*range(size, len(raw), size), *data.draw(st.lists(st.integers(0, len(raw)), max_size=40))})
    pipeline, found = Pipeline(engine_of()), []
    for a, b in zip([0, *cuts], [*cuts, len(raw)]):
        found += pipeline.feed(raw[a:b], a)
    found += pipeline.finish()
    wanted = path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
    assert [to_json(record) for record in found] == wanted


def test_records_survive_json():
    (record,) = parse("epoch 1: loss=nan acc=inf\n")[0]
    line = to_json(record)
    assert '"NaN"' in line and '"Infinity"' in line
    assert to_json(from_json(line.encode())) == line
    with pytest.raises(ValueError):
        from_json(line[:-5].encode())
