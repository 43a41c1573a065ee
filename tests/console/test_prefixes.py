"""What launchers and loggers put before a line does not keep parsers from reading it."""

import pytest
from helpers import parse, short

from capture.console.prefixes import MAX_GLUED, Prefixes, unix_time

OWN = """
name: own
patterns:
  - line: "epoch {epoch:int} step {step:int} loss {loss}"
  - line: "loss {loss}"
"""


def one(text):
    """The best view of a line, and the time that it names."""
    (line,) = Prefixes().peel(text)
    return *line.views[0], unix_time(line.stamp)


@pytest.mark.parametrize(("prefix", "context"), [
    ("[default0]:", {"rank": 0}),
    ("[rank12]: ", {"rank": 12}),
    ("[default3]:[rank 11] ", {"rank": 11}),  # the first counts the processes of one machine
    ("[rank 1] ", {"rank": 1}),
    ("[Rank 0]: ", {"rank": 0}),
    ("[rank: 1] ", {"rank": 1}),
    ("(rank=2) ", {"rank": 2}),
    ("Rank 3: ", {"rank": 3}),
    ("Rank  0 , ", {"rank": 0}),
    ("[GPU1] ", {"rank": 1}),
    ("[1,0]<stdout>:", {"rank": 0}),
    ("[1,13]<stderr>:", {"rank": 13}),
    ("[prterun-node7-1234@1,3]<stdout>: ", {"rank": 3}),
    ("(RayTrainWorker pid=123) ", {"worker": "pid=123"}),
    ("(RayTrainWorker pid=123, ip=10.0.0.1) ", {"worker": "pid=123"}),
    ("trainer-1  | ", {"worker": "trainer-1"}),
    ("[pod/train-0/main] ", {"worker": "train-0"}),
    ("[node1|rank3] ", {"rank": 3}),
    ("[gpu01:1/2] ", {"rank": 1}),
    ("[gpu01:0/2] 2026-11-20 13:26:40,123 (trainer:464) INFO: ", {"rank": 0}),
    ("worker-0: ", {"worker": "worker-0"}),
    ("10.0.0.1: ", {"worker": "10.0.0.1"}),
    ("dgx01: ", {"worker": "dgx01"}),
    ("dgx-a.lab01: 2026-11-20 13:26:40 ", {"worker": "dgx-a.lab01"}),
    ("train-7d9f8b6c5f-x2x4k pytorch ", {"worker": "train-7d9f8b6c5f-x2x4k"}),
    ("train-job-x2x4k main ", {"worker": "train-job-x2x4k"}),
    ("lr=0.1 seed=2\t", {"worker": "lr=0.1 seed=2"}),
    ("--lr 0.1\t", {"worker": "--lr 0.1"}),
    ("<165>1 2026-11-20T13:26:40Z node1 train 1234 - - ", {"worker": "node1"}),
    ('<165>1 2026-11-20T13:26:40Z - train 1234 - [a@1 b="c"][d e="\\]"] ', {}),
    ("[2026-11-20 13:26:40,123] [INFO] [logging.py:96:log_dist] [Rank 0] ", {"rank": 0}),
    ("(Worker pid=7) 2026-11-20 13:26:40,123 - main - INFO - [rank 2] ", {"worker": "pid=7", "rank": 2}),
])  # fmt: skip
def test_who_printed_a_line(prefix, context):
    assert one(prefix + "epoch 1 loss 0.5")[:2] == ("epoch 1 loss 0.5", context)


MOMENT = 1795181200  # 2026-11-20 13:26:40 UTC


@pytest.mark.parametrize(("prefix", "time"), [
    ("INFO:root:", None),
    ("INFO: cellpose: 2026-11-20 13:26:40,123 [INFO] ", MOMENT + 0.123),
    ("[2026-11-20 13:26:40,123] [42292] [MainThread] [INFO] (ignite.engine.SupervisedTrainer:272) - ", MOMENT + 0.123),
    ("INFO:__main__:", None),
    ("INFO:ljs-base:", None),
    ("#> ", None),
    ("2026-11-20 13:26:40.123 PDT | ", MOMENT + 0.123),
    ("2026-11-20 13:26:40 train.py:215[27649] INFO ", MOMENT),
    ("2026-11-20 13:26:40,123 main.py[line:129] INFO ", MOMENT + 0.123),
    ("2026-11-20 13:26:40.%f train.py:215[27649] INFO ", MOMENT),
    ("[11/20 13:26:40][INFO] logging.py:  96: ", None),
    ("[11-20-2026 13:26:40]\t", None),
    ("2026-11-20 13:26:40,123 — some.name — INFO — ", MOMENT + 0.123),
    ("[2026-11-20 13:26:40,123][    INFO] ", MOMENT + 0.123),
    ("DLL 2026-11-20 13:26:40.500000 - ", MOMENT + 0.5),
    ("[ INFO : 2026-11-20 13:26:40,123 ] - ", MOMENT + 0.123),
    ("[INFO: 2026-11-20 13:26:40,123] ", MOMENT + 0.123),
    ("[ Fri Nov 20 13:26:40 2026 ] ", MOMENT),
    ("Fri 20 Nov 2026 13:26:40 INFO  ", None),
    ("20 Nov 13:26    INFO  ", None),
    ("11/20 01:26:40 PM ", None),
    ("26-11-20 13:26:40.709 - INFO: ", None),
    ("2026-11-20-13-26: ", None),
    ("2026-11-20 13:26:40 I train.py:33 ", MOMENT),
    ("2026-11-20 13:26:40,123 - log\\train.log - INFO - ", MOMENT + 0.123),
    ("INFO - 11/20/26 13:26:40 - 8:26:13 - ", None),
    ("[2026-11-20 13:26:40,123][       train.py][line: 843][    INFO] ", MOMENT + 0.123),
    ("INFO: ", None),
    ("[INFO] ", None),
    ("[13:26:40] ", None),
    ("13:26:40 ", None),
    ("2026-11-20 13:26:40 ", MOMENT),
    ("2026-11-20 13:26:40,123 - some.name - INFO - ", MOMENT + 0.123),
    ("2026-11-20 13:26:40,123 INFO [train.py:12] ", MOMENT + 0.123),
    ("[2026-11-20 13:26:40,123][__main__][INFO] - ", MOMENT + 0.123),
    ("[2026-11-20 13:26:40 root] (main.py 180): INFO ", MOMENT),
    ("2026-11-20 13:26:40.123 | INFO     | __main__:main:12 - ", MOMENT + 0.123),
    ("2026-11-20 13:26:40 [info     ] ", MOMENT),
    ("2026/11/20 13:26:40 ", MOMENT),
    ("INFO 2026-11-20 13:26:40 ts/train.py:192 ", MOMENT),
    ("INFO 11-20 13:26:40 engine.py:123] ", None),
    ("[2026-11-20 13:26:40,123]-[engine.py line:78]:", MOMENT + 0.123),
    ("2026-11-20 13:26:40,123 - my-logger - INFO - ", MOMENT + 0.123),
    ("2026-11-20 13:26:40,123 - INFO - my-logger - ", MOMENT + 0.123),
    ("Nov 20 13:26:40 ", None),
    ("<34>Nov 20 13:26:40 host prog[123]: ", None),
    ("I1120 12:00:00.000000 140 train.py:50] ", None),
    ("11/20 12:59:26 - mmengine - INFO - ", None),
    ("11/20/2026 13:26:40 - INFO - __main__ -   ", None),
    ("[11/20 13:26:40 d2.utils.events]:  ", None),
    ("[INFO|trainer.py:2021] 2026-11-20 13:26:40,123 >> ", None),
    ("[I 2026-11-20 13:26:40,123] ", MOMENT + 0.123),
    ("2026-11-20T13:26:40.123456789Z ", MOMENT + 0.123456789),
    ("2026-11-20T13:26:40.123456789Z stdout F ", MOMENT + 0.123456789),
    ("2026-11-20T15:26:40+02:00 ", MOMENT),
    ("2026-11-20T08:26:40.5-0500 ", MOMENT + 0.5),
    ("Fri Nov 20 13:26:40 2026<stdout>:", MOMENT),
    ("Nov 20 13:26:40 host prog[123]: ", None),
    ("2026-11-20 13:26.40 [info     ] ", None),
    ("[2026-11-20:13:26:40:INFO:sockeye.training:log] ", None),
    ("[flaml.automl.logger: 11-20 13:26:40] {2470} INFO - ", None),
    ("[host] 2026-11-20 13:26:40,123 (trainer:762) INFO: ", MOMENT + 0.123),
])  # fmt: skip
def test_loggers_and_times(prefix, time):
    assert one(prefix + "epoch 1 loss 0.5") == (
        "epoch 1 loss 0.5",
        {},
        time and pytest.approx(time, rel=0, abs=1e-3),
    )


@pytest.mark.parametrize(("line", "context", "time"), [
    ('{"log":"epoch 1 loss 0.5\\n","stream":"stdout","time":"2026-11-20T13:26:40.5Z"}', {}, 0.5),  # Docker
    ('{"date":1795181200.5,"log":"epoch 1 loss 0.5","stream":"stdout","kubernetes":{"pod_name":"train-0"}}',
     {"worker": "train-0"}, 0.5),  # Fluent Bit
    ('{"host":"node1","message":"[rank 2] epoch 1 loss 0.5","source_type":"file","timestamp":"2026-11-20T13:26:40Z"}',
     {"worker": "node1", "rank": 2}, 0),  # Vector
    ('{"labels":{"pod":"train-0"},"line":"2026-11-20 13:26:40 epoch 1 loss 0.5","timestamp":"2026-11-20T13:27:00Z"}',
     {"worker": "train-0"}, 0),  # Loki
    ('{"asctime": "2026-11-20 13:26:40,500", "levelname": "INFO", "lineno": 12, "message": "epoch 1 loss 0.5"}', {}, 0.5),
])  # fmt: skip
def test_lines_in_the_envelopes_of_log_collectors(line, context, time):
    assert one(line) == ("epoch 1 loss 0.5", context, pytest.approx(MOMENT + time, rel=0, abs=1e-3))


@pytest.mark.parametrize("line", [
    '{"time":"2026-11-20T13:26:40Z","message":"epoch is over","loss":0.5,"host":"node1"}',
    '{"time":"2026-11-20T13:26:40Z","message":"loss 0.5"}',
    '{"log":"loss 0.5","stream":"stdout"}',
    '{"log":"loss 0.5","stream":"stdout","time":"2026-11-20T13:26:40Z"',
])  # fmt: skip
def test_an_object_of_the_programs_own_is_no_envelope(line):
    assert one(line) == (line, {}, None)


@pytest.mark.parametrize("text", ["3DBall. Step: 12000. Mean Reward: 1.2", "10/100 loss 0.5"])
def test_a_level_in_brackets_stands_before_a_number_too(text):
    assert one(f"[INFO] {text}")[0] == text


def test_what_r_prints_is_a_text_in_quotes():
    assert one('[1] "epoch 1 loss 0.5"')[0] == "epoch 1 loss 0.5"
    assert one('[1] "a" "b" 3')[0] == '[1] "a" "b" 3'


def test_the_columns_of_a_rich_log():
    column = "                       train.py:12"
    assert one("[13:26:40] INFO     loss 0.5" + column)[0] == "loss 0.5"
    assert one("           INFO     loss 0.5" + column)[0] == "loss 0.5"


@pytest.mark.parametrize("text", [
    "100 | loss 5.1 | lr 1",
    "epoch-3 loss 0.5",
    "epoch-3: loss 0.5",
    "step-100 main loss 0.5",
    "top-1 acc 0.5",
    "lr=0.1\tloss=0.5",
    "epoch=3\tloss=0.5\tacc=0.9",
    "0:\tlearn: 0.5",
    "[0]\ttrain-rmse:0.5",
    "12: foo",
    "0: 128.",
    "ERROR 0.5",
    "ERROR: 0.5",
    "epoch-1 | loss 0.5",
    "[12/100] loss: 0.3",
    "[5]: loss 1",
    "Epoch 1/3:   7%|█▎      | 4/60 [00:00<00:01, 30.98batch/s]",
    "gathered from [rank 1] loss 0.5",
    "{'loss': 0.5}",
    "",
])  # fmt: skip
def test_what_is_no_prefix_stays(text):
    assert one(text) == (text, {}, None)


def test_ranks_that_print_the_same_step_are_kept_apart():
    text = "".join(
        f"[default{rank}]:epoch 0 step {step} loss {rank}.{step}\n" for step in (4, 8) for rank in (0, 1)
    )
    found = [(r.step, dict(r.metrics), r.context) for r in parse(text, own=OWN)[0]]
    assert found == [
        (4, {"loss": 0.4}, {"rank": 0}),
        (4, {"loss": 1.4}, {"rank": 1}),
        (8, {"loss": 0.8}, {"rank": 0}),
        (8, {"loss": 1.8}, {"rank": 1}),
    ]


def test_a_rank_that_starts_over_is_a_fit_of_that_rank_alone():
    steps = [(0, 1), (1, 1), (0, 2), (1, 2), (0, 1), (1, 3), (1, 1)]
    text = "".join(f"[rank {rank}] epoch 0 step {step} loss 0.5\n" for rank, step in steps)
    assert [r.context.get("fit", 1) for r in parse(text, own=OWN)[0]] == [1, 1, 1, 1, 2, 1, 2]


def test_each_rank_has_its_own_memory():
    bar = "10/100 ━━━━━━━━━━━━━━━━━━━━ 1s 5ms/step - loss: 0.9\r"
    text = f"[rank0]: Epoch 2/3\n[rank1]: Epoch 3/3\n[rank0]: {bar}[rank1]: {bar}"
    assert [(r.step, r.epoch, r.context["rank"]) for r in parse(text)[0]] == [(110, 2, 0), (210, 3, 1)]


def test_two_ranks_glued_together_are_two_lines():
    text = "[default0]:loss 0.5[default1]:loss 0.6\n[1,0]<stdout>:loss 1[1,1]<stdout>:loss 2\n"
    text += "[rank 0] epoch 1 step 2 loss 3[rank 1] epoch 1 step 2 loss 4\n"
    found = [(r.context["rank"], r.metrics["loss"]) for r in parse(text, own=OWN)[0]]
    assert found == [(0, 0.5), (1, 0.6), (0, 1), (1, 2), (0, 3), (1, 4)]


def test_two_lines_without_prefixes_glued_together_are_two_lines():
    assert short("step 0 loss 2.0000step 0 loss 3.0000\n") == [(0, None, {"loss": 2}), (0, None, {"loss": 3})]
    text = "[2026-11-20 13:26:40] step 1 loss 0.5[2026-11-20 13:26:40] step 1 loss 0.6\n"
    assert [loss["loss"] for _, _, loss in short(text)] == [0.5, 0.6]
    text = "[node1|rank3] step 1 loss 0.5[node1|rank4] step 1 loss 0.6\n"
    assert [r.context["rank"] for r in parse(text)[0]] == [3, 4]


def test_a_warning_glued_to_a_number_does_not_change_it():
    text = "[default0]:loss 0.53[rank1]:[W1120 13:26:40.1 ProcessGroup.cpp:1250] Warning: slow 7\n"
    assert short(text, own=OWN) == [(None, None, {"loss": 0.53})]


def test_a_number_before_the_line_is_a_rank_where_the_line_has_a_position_of_its_own():
    text = "".join(f"{rank}: epoch 1 step {step} loss 0.5\n" for step in (4, 8) for rank in (0, 1))
    assert [r.context["rank"] for r in parse(text, own=OWN)[0]] == [0, 1, 0, 1]


def test_a_number_before_the_line_is_a_rank_once_it_went_back_beside_a_position():
    own = 'name: own\npatterns: [{line: "step {step:int} loss {loss}"}, {line: "{step:int}: step {_} loss {loss}"}]'
    text = "".join(f"[{rank}] step {step} loss 0.5\n" for step in (4, 8) for rank in (0, 1))
    assert [r.context["rank"] for r in parse(text, own=own)[0]] == [0, 1, 0, 1]


def test_a_number_before_the_line_is_no_step_while_it_may_be_a_rank():
    text = "".join(f"{rank}: epoch {epoch} loss 0.5\n" for epoch in (1, 2) for rank in (0, 1))
    assert [(r.step, r.epoch, r.context) for r in parse(text)[0]] == [
        (None, 1, {}), (None, 1, {}), (None, 2, {"rank": 0}), (None, 2, {"rank": 1}),
    ]  # fmt: skip


def test_a_number_before_the_line_is_left_to_the_format_that_reads_it():
    own = 'name: own\npatterns: [{line: "{step:int}: loss {loss}"}]'
    text = "".join(f"{step}: loss 0.5\n" for step in (0, 1, 2, 0, 1))  # two fits
    assert [(r.step, r.context) for r in parse(text, own=own)[0]] == [
        (0, {}), (1, {}), (2, {}), (0, {"fit": 2}), (1, {"fit": 2}),
    ]  # fmt: skip


def test_a_format_that_reads_the_prefix_itself_still_works():
    own = 'name: own\npatterns: [{line: "INFO:root:loss {loss}"}, {line: "[rank {r:int}] it {step:int}"}]'
    assert short("INFO:root:loss 0.5\n[rank 1] it 7\n", own=own) == [
        (None, None, {"loss": 0.5}), (7, None, {"r": 1}),
    ]  # fmt: skip


def test_a_time_in_the_line_counts_where_the_recording_has_none():
    (record,) = parse("2026-11-20 13:26:40,500 - x - INFO - loss 0.5\n", own=OWN)[0]
    assert record.time == MOMENT + 0.5
    (record,) = parse("2026-11-31 13:26:40,500 - x - INFO - loss 0.5\n", own=OWN)[0]
    assert record.time is None


@pytest.mark.parametrize(
    "piece",
    [
        "[rank1]:",
        "[" * 8,
        "INFO:root:",
        "2026-11-20 13:26:40 ",
        "a-1  | ",
        "[1,1]<stdout>:",
        "a=1 ",
        "<1>1 ",
        "a-b",
        '{"log":',
        "step 1",
    ],
)
def test_absurd_lines_take_no_time(piece):
    for text in (piece * (65536 // len(piece)), piece[:-1] * (65536 // len(piece))):
        lines = Prefixes().peel(text)
        assert len(lines) <= MAX_GLUED
