"""`--ranks`: all ranks, the first one, or their mean with the least and the highest."""

import math

import pytest
from helpers import parse

from capture.parsing.ranks import Ranks


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
