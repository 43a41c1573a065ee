"""What is printed behind a bar, or by two processes at once, is read as a line of its own."""

import time

import pytest
from helpers import parse, short

from capture.parsing import glued


def pieces(line):
    """The texts of a line's parts, each with whether it is a bar with text behind it."""
    return [(line[start:stop], is_bar) for start, stop, is_bar in glued.pieces(line)] or [(line, False)]


def texts(line):
    """The texts of a line's parts."""
    return [text for text, _ in pieces(line)]


@pytest.mark.parametrize("bar", [
    " 10%|█         | 1/10 [00:00<00:01,  6.56it/s]",
    " 10%|#         | 1/10 [00:00<00:01,  6.56it/s]",
    "  0%|          | 0/10 [00:00<?, ?it/s]",
    "train:  10%|#  | 1/10 [00:00<00:01,  2.00s/it, loss=0.5, shape=[1, 2]]",
    "12it [00:01, 10.10it/s]",
    "0it [00:00, ?it/s]",
    "Epoch [1/3]: [2/40]   5%|█▌       , loss=2.59, batch_loss=1.61 [00:00<00:01]",
    "63/63 [==============================] - ETA: 0s - loss: 0.4523",
    " 3/63 [>.............................] - ETA: 1:02 - loss: 0.4523 - val acc: 1.0000e-04",
    "  3/100 ━━━━━━━━━━━━━━━━━━━━ 8s 86ms/step - accuracy: 0.3000 - loss: 1.7219",
    "  3/100 ━━━━━━━━━━━━━━━━━━━━ 8s 86ms/step",
    " 20% (1 of 5) |#####            | Elapsed Time: 0:00:00 ETA:   0:00:00",
    "Working... ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━   0% -:--:--",
    "⠹ batches ━━╺━━━━━━━━━━━━━━━━━  4/40 0:00:00 0:00:02",
    "Epoch 1/3 |███     | ▃▅▇ 3/40 [8%] in 0s (~0s, 4322.9/s)",
    "[>>>>>>>>>>          ] 25/50, 163.1 task/s, elapsed: 0s, ETA:     0s",
    "  [#######-----------------------------]   20%",
    "  [------------------------------------]   20%  00:00:01",
])  # fmt: skip
class TestABar:
    @pytest.mark.parametrize("text", ["step 1 loss 0.81", "Epoch 1 done"])
    def test_ends_where_the_text_behind_it_begins(self, bar, text):
        assert pieces(bar + text) == [(bar, True), (text, False)]

    def test_is_one_line_with_the_blanks_behind_it(self, bar):
        assert pieces(bar) == [(bar, False)]
        assert pieces(bar + "     ") == [(bar + "     ", False)]


@pytest.mark.parametrize("line", [
    "Epoch 0/2 ━━━━━━━━━━━━━━━━ 60/60 0:00:00 • 0:00:00 180.22it/s v_num: 0.000 train_loss: 0.250",
    "⠹ batches ━━╺━━━━━━━━━━━━━━━━━  4/40 0:00:00 0:00:02 loss=2.4982 acc=0.200",
    "3/100 ━━━━━━━━━━━━━━━━━━━━ 8s 86ms/step - loss: [0.3 0.1] - acc: 0.5000",
    "12/12 [==============================] - 4s 22ms/sequence - loss: 0.4699",
    " 1/25         0G      6.496      4.278         16         64: 12% ━─────────── 1/8 2.0it/s 0.1s<3.4s",
    "Epoch 1/3 |███     | ▃▅▇ 3/40 [8%] in 0s (~0s, 4322.9/s) loss=0.6667",
    "step 0 loss 2.0 step 0 loss 3.0",
    "loss 0.5, loss 0.6",
])  # fmt: skip
def test_what_belongs_together_stays(line):
    assert pieces(line) == [(line, False)]


def test_a_file_without_carriage_returns_holds_many_bars_on_a_line():
    bars = [f" {n}0%|#   | {n}/10 [00:00<00:01,  6.56it/s]" for n in (1, 2, 3)]
    found = texts(f"{bars[0]}step 1 loss 0.5{bars[1]}{bars[2]}step 3 loss 0.4")
    assert found == [bars[0], "step 1 loss 0.5", *bars[1:], "step 3 loss 0.4"]


def test_two_processes_print_at_once():
    assert texts("step 0 loss 2.0000step 0 loss 3.0000") == [
        "step 0 loss 2.0000",
        "step 0 loss 3.0000",
    ]
    assert texts("loss=0.5loss=0.6loss=0.71") == ["loss=0.5", "loss=0.6", "loss=0.71"]


def test_a_loop_below_a_bar_gives_every_value():
    text = "".join(
        f"\r {s}0%|#   | {s}/10 [00:00<00:01,  6.56it/s]step {s} loss 0.{s}\r\n" for s in range(10)
    )
    assert short(text) == [(s, None, {"loss": s / 10}) for s in range(10)]


def test_values_beside_a_bar_and_behind_it_are_both_read():
    text = "  3/100 ━━━━━━━━━━━━━━━━━━━━ 8s 86ms/step - loss: 1.7219step 3 aux loss 0.1\n"
    assert short(text) == [(3, 1, {"batch/loss": 1.7219}), (3, None, {"aux loss": 0.1})]


def test_a_bar_with_text_behind_it_is_not_the_last_one_of_the_epoch():
    bar = "63/63 [==============================] - ETA: 0s - loss: 0.4523"
    text = f"Epoch 1/2\n{bar}val f1: 0.53\n{bar.replace('ETA: 0s', '1s 9ms/step')} - val_loss: 0.6000\n"
    assert [dict(r.metrics) for r in parse(text)[0] if r.parser == "keras"] == [
        {"batch/loss": 0.4523},
        {"epoch/loss": 0.4523, "epoch/val_loss": 0.6},
    ]


def test_the_text_behind_a_rank_s_bar_is_of_that_rank():
    text = "".join(
        f"[default{rank}]:  10%|#   | 1/10 [00:00<00:01,  6.56it/s]step 1 loss 0.{rank}\n" for rank in (0, 1)
    )
    assert [(r.step, dict(r.metrics), r.context) for r in parse(text)[0]] == [
        (1, {"loss": 0.0}, {"rank": 0}),
        (1, {"loss": 0.1}, {"rank": 1}),
    ]


@pytest.mark.parametrize(
    "piece",
    ["%|", "━", "━ ", "[0/", " - a: 0.0000", "0/1 ", "1", "[00:00<00:00, [", "[00:00, 1it/s, [x]", "loss 1",
     "[#-", "| ETA: 0:00:00 ", "%|a|b/c [0<0]", "s/it", " 1%|", " ", "a/s"],
)  # fmt: skip
def test_absurd_lines_take_no_time(piece):
    started = time.process_time()
    for beginning in ("", "━", "0/1 ━ 1s - ETA %|"):
        assert len(pieces(beginning + piece * (65536 // len(piece)))) <= 2 * glued.MAX_PIECES + 1
    assert time.process_time() - started < 1
