"""`--ranks`: all ranks, the first one, or their mean with the least and the highest."""

import math

import pytest
from helpers import parse

from capture.delivery.naming import Namer
from capture.parsing.ranks import MOST_OPEN, UNSEEN, Ranks


def kept(how, text):
    records, _ = parse(text)
    ranks = Ranks(how)
    done = [record for one in records for record in ranks.take([one])]
    return [(r.step, dict(r.metrics), r.context.get("ranks")) for r in [*done, *ranks.finish()]]


def lines(*rows):
    return "".join(f"[rank{rank}]: step {step} loss {loss} lr 0.1\n" for rank, step, loss in rows)


BOTH = lines((0, 1, 1.0), (1, 1, 3.0), (0, 2, 2.0), (1, 2, 2.5), (0, 3, 1.0), (1, 3, 1.0))


def test_rank_0_is_charted_alone():
    assert [(step, metrics["loss"]) for step, metrics, _ in kept("0", BOTH)] == [(1, 1.0), (2, 2.0), (3, 1.0)]


def test_all_ranks_are_kept_by_default():
    assert len(kept("all", BOTH)) == 6


def test_the_mean_has_the_least_and_the_highest_beside_it():
    assert kept("mean", BOTH) == [
        (1, {"loss": 2.0, "loss_min": 1.0, "loss_max": 3.0, "lr": 0.1}, 2),
        (2, {"loss": 2.25, "loss_min": 2.0, "loss_max": 2.5, "lr": 0.1}, 2),
        (3, {"loss": 1.0, "loss_min": 1.0, "loss_max": 1.0, "lr": 0.1}, 2),
    ]


@pytest.mark.parametrize("order", [
    [(0, 1, 1.0), (0, 2, 2.0), (1, 1, 3.0), (0, 3, 1.0), (1, 2, 4.0), (1, 3, 5.0)],  # one is ahead
    [(1, 1, 3.0), (1, 2, 4.0), (1, 3, 5.0), (0, 1, 1.0), (0, 2, 2.0), (0, 3, 1.0)],
])  # fmt: skip
def test_a_rank_may_be_ahead(order):
    assert [(step, metrics["loss"]) for step, metrics, _ in kept("mean", lines(*order))] == [
        (1, 2.0),
        (2, 3.0),
        (3, 3.0),
    ]


def test_what_one_rank_prints_alone_stays_as_it_is():
    text = BOTH + "[rank0]: step 3 val_loss 0.5\n"
    assert kept("mean", text)[-1] == (3, {"val_loss": 0.5}, None)


def test_a_rank_that_died_does_not_stop_the_others():
    rows = [
        (0, 1, 1.0),
        (1, 1, 3.0),
        (2, 1, 5.0),
        *[(rank, step, 1.0) for step in range(2, 200) for rank in (0, 1)],
    ]
    assert [step for step, _, _ in kept("mean", lines(*rows))] == list(range(1, 200))


@pytest.mark.parametrize("ahead", [0, 1])
def test_a_rank_that_is_read_much_later_is_waited_for(ahead):
    rows = [(rank, step, 1.0 + 2 * rank) for rank in (ahead, 1 - ahead) for step in range(1, 500)]
    assert {(metrics["loss"], ranks) for _, metrics, ranks in kept("mean", lines(*rows))} == {(2.0, 2)}


def test_a_step_that_a_rank_leaves_out_is_that_of_the_others_at_once():
    records, _ = parse(lines((0, 1, 1.0), (1, 1, 3.0), (0, 2, 1.0), (0, 3, 1.0), (1, 3, 3.0)))
    ranks = Ranks("mean", 2)
    assert [(r.step, r.context.get("ranks")) for r in ranks.take(records)] == [(1, 2), (2, None), (3, 2)]


@pytest.mark.parametrize("silent", [0, 1])
def test_what_comes_after_its_mean_is_never_named_as_the_mean(silent):
    other = 1 - silent
    rows = [
        *[(rank, 1, 1.0) for rank in (0, 1)],
        *[(other, step, 2.0) for step in range(2, MOST_OPEN + 4)],
        *[(silent, step, 9.0) for step in range(2, MOST_OPEN + 20)],
        *[(other, step, 2.0) for step in range(MOST_OPEN + 4, MOST_OPEN + 20)],
    ]
    records, _ = parse(lines(*rows))
    ranks = Ranks("mean", 2)
    namer = Namer({}, {})
    shown = [namer.row(0, record) for record in [*ranks.take(records), *ranks.finish()]]
    late = [row.step for row in shown if row.metrics.get(f"rank{silent}/loss") == 9.0]
    assert late == [*range(2, MOST_OPEN + 4)]
    assert not [row for row in shown if row.metrics.get("loss") == 9.0]
    assert {row.metrics["loss"] for row in shown if row.step > MOST_OPEN and "loss_min" in row.metrics} == {
        5.5
    }


def test_a_rank_that_prints_nothing_more_is_waited_for_so_many_steps():
    rows = [(0, 1, 1.0), (1, 1, 3.0), *[(0, step, 1.0) for step in range(2, 5 * MOST_OPEN)]]
    ranks = Ranks("mean", 2)
    given = [len(ranks.take([record])) for record in parse(lines(*rows))[0]]
    waiting = [1 + number - sum(given[: number + 1]) for number in range(len(given))]
    assert max(waiting) == MOST_OPEN + 1  # with the second record of step 1
    assert waiting[-1] == 1


@pytest.mark.parametrize("size", [0, 2])
def test_a_rank_that_prints_other_metrics_or_nothing_is_waited_for_a_minute(size):
    text = "[rank1]: step 1 accuracy 0.5\n" * (not size) + lines(*[(0, step, 1.0) for step in range(1, 100)])
    records = [record._replace(time=1000.0 + number) for number, record in enumerate(parse(text)[0])]
    ranks = Ranks("mean", size)
    given = [len([r for r in ranks.take([record]) if "loss" in r.metrics]) for record in records]
    first = next(number for number, count in enumerate(given) if count)
    assert first == int(UNSEEN) + 1 + (not size)
    assert given[first] > UNSEEN
    assert given[first + 1 :] == [1] * (len(given) - first - 1)


def test_what_waits_for_ranks_that_do_not_print_it_is_given_while_others_print():
    text = BOTH + "[rank0]: step 3 val_loss 0.5\n" + lines((0, 4, 1.0), (1, 4, 1.0))
    times = {1: 1000.0, 2: 1001.0, 3: 1002.0, 4: 1002.5 + UNSEEN}
    ranks = Ranks("mean", 2)
    given = ranks.take([record._replace(time=times[record.step]) for record in parse(text)[0]])
    assert ("val_loss",) in [tuple(record.metrics) for record in given]


def test_a_rank_whose_recording_has_ended_is_not_waited_for():
    ranks = Ranks("mean", 2)
    own = [
        record._replace(recorded_by=record.context["rank"]) for record in parse(BOTH + lines((0, 4, 7.0)))[0]
    ]
    assert [record.step for record in ranks.take(own)] == [1, 2, 3]
    assert [(record.step, record.metrics["loss"]) for record in ranks.end(1)] == [(4, 7.0)]


def test_values_without_a_step_are_matched_in_their_order():
    text = "".join(f"[rank{rank}]: loss {rank + n}.0\n" for rank in (0, 1) for n in range(50))
    assert [metrics["loss"] for _, metrics, _ in kept("mean", text)] == [n + 0.5 for n in range(50)]


def test_a_nan_in_one_rank_is_seen():
    _, metrics, _ = kept("mean", lines((0, 1, "nan"), (1, 1, 3.0)))[0]
    assert math.isnan(metrics["loss"])
    assert (metrics["loss_min"], metrics["loss_max"]) == (3.0, 3.0)


def test_ranks_of_several_nodes_are_several_and_rank_0_is_one():
    text = "".join(
        f"[pod/t-{pod}/main] [rank0]: step {step} loss {pod + step}.5\n" for step in (1, 2) for pod in (0, 1)
    )
    assert [(step, metrics["loss"]) for step, metrics, _ in kept("0", text)] == [(1, 1.5), (2, 2.5)]
    assert [(step, metrics["loss"]) for step, metrics, _ in kept("mean", text)] == [(1, 2.0), (2, 3.0)]
