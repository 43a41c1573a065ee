"""Lines that no metric's word marks are read once their form has recurred while a counter grew."""

import random

import pytest
from helpers import engine_of

from capture.parsers.general import recurrence
from capture.parsing.pipeline import Pipeline


def parse(text, time=None):
    pipeline = Pipeline(engine_of())
    records = pipeline.feed(text.encode(), 0, time=time) + pipeline.finish()
    assert not pipeline.engine.events
    return records


def short(lines):
    return [(r.epoch, r.step, dict(r.metrics)) for r in parse("".join(line + "\n" for line in lines))]


def test_lines_come_out_at_the_third_and_have_their_own_places():
    lines = [f"Epoch {i}: low=0.5{i} high=0.61\n" for i in (1, 2, 3, 4)]
    pipeline, counts, offset = Pipeline(engine_of()), [], 0
    records = []
    for i, line in enumerate(lines):
        new = pipeline.feed(line.encode(), offset, time=float(i))
        counts.append(len(new))
        records += new
        offset += len(line)
    assert counts == [0, 0, 3, 1]
    assert [r.at for r in records] == [(i * len(lines[0]), len(lines[0]) - 1) for i in range(4)]
    assert [r.time for r in records] == [0.0, 1.0, 2.0, 3.0]
    assert [(r.epoch, r.metrics["low"]) for r in records] == [(1, 0.51), (2, 0.52), (3, 0.53), (4, 0.54)]


@pytest.mark.parametrize(("line", "epoch", "step", "metrics"), [
    ("(epoch: 1, iters: {}00, time: 0.507) D_A: 0.2{} G_A: 0.3", 1, 100, {"time": 0.507, "D_A": 0.21, "G_A": 0.3}),
    ("Epoch {}: train=0.5{} val=0.61", 1, None, {"train": 0.51, "val": 0.61}),
    ("Episode {} reward 20{}.0 eps 0.1", None, 1, {"reward": 201.0, "eps": 0.1}),
    ("Generation {}: best fitness 1{}.5 mean 10.1", None, 1, {"best fitness": 11.5, "mean": 10.1}),
    ("[584753{}] critic 0.6{} / actor 0.2", None, 5847531, {"critic": 0.61, "actor": 0.2}),
    ("tick {} kimg 7{}.1 augment 0.05", None, 1, {"kimg": 71.1, "augment": 0.05}),
    ("[12:00:0{}] Epoch {}: width 0.5{}", 1, None, {"width": 0.51}),
])  # fmt: skip
def test_lines_with_a_counter_and_names_beside_numbers(line, epoch, step, metrics):
    found = short(line.format(i, i, i) for i in (1, 2, 3))
    assert len(found) == 3
    assert found[0] == (epoch, step, pytest.approx(metrics))


@pytest.mark.parametrize(
    "heading",
    ["ITERATION {} (165.40s)", "     Training iteration {}/30000     ", "Epoch {}/20", "--- Episode {} ---"],
)
def test_names_with_numbers_below_a_heading(heading):
    blocks = [
        [
            heading.format(i),
            "",
            f"\t- Objective:   0.2{i}",
            "Mean bonus 1.5",
            "port: 80",
            f"Mean episode length: 4{i}.4",
        ]
        for i in (1, 2, 3)
    ]
    found = short(line for block in blocks for line in block)
    assert sorted((step or epoch, *metrics.items()) for epoch, step, metrics in found) == sorted(
        (i, pair)
        for i in (1, 2, 3)
        for pair in [("Objective", float(f"0.2{i}")), ("Mean episode length", float(f"4{i}.4"))]
    )


def test_lines_come_out_once_their_counter_has_grown():
    assert short(["Epoch 1: low=0.5", "Epoch 1: low=0.6", "Epoch 1: low=0.7", "Epoch 2: low=0.8"]) == []
    assert short(f"Epoch {i}: low=0.{i}" for i in (5, 4, 3, 2, 1)) == []
    assert short(f"Epoch {i}: low=0.5" for i in range(9)) == []  # nothing has changed
    assert short(f"Epoch {i}: low=5{i}" for i in range(9)) == []  # whole numbers


def test_a_line_with_most_of_the_names_of_lines_that_are_read_is_read():
    lines = [f"Epoch {i}: low=0.{i} high=0.61" for i in (1, 2, 3)]
    assert len(short([*lines, "Epoch 4: low=0.4 high=0.61 best=0.4"])) == 4
    assert len(short([*lines, "Epoch 4: tall=0.4 high=0.61 best=0.4"])) == 3


def test_a_step_that_starts_over_in_each_epoch_is_counted_on_in_lines_that_were_held_back():
    lines = [f"Epoch [{e}/3], Step [{s}/600], low: 0.{e}{s}" for e in (1, 2) for s in (300, 600)]
    assert [step for _, step, _ in short(lines)] == [300, 600, 900, 1200]


def test_an_epoch_that_is_printed_later_is_not_that_of_a_line_that_was_held_back():
    lines = [f"Episode {i} width 0.{i}" for i in (1, 2)] + ["Epoch 7/9", "Episode 3 width 0.3"]
    assert [(epoch, step) for epoch, step, _ in short(lines)] == [(None, 1), (None, 2), (7, 3)]


def test_each_rank_has_recurrences_of_its_own():
    lines = [f"[rank{rank}]: Epoch {i}: low=0.{i}" for i in (1, 2) for rank in (0, 1)]
    assert short(lines) == []
    assert len(short([*lines, "[rank0]: Epoch 3: low=0.3"])) == 3


def test_only_so_many_lines_are_held_back():
    kinds = range(recurrence.MOST_LINES + 20)
    lines = [f"Epoch {i}: width_{'x' * k}=0.{i}" for i in (1, 2) for k in kinds]
    assert len(short([*lines, "Epoch 3: width_=0.3"])) == 1
    assert (
        len(
            short(
                [
                    "Epoch 1: low=0.1",
                    "Epoch 2: low=0.2",
                    *(f"Epoch 2: {'x' * 900}=0.{i}" for i in range(20)),
                    "Epoch 3: low=0.3",
                ]
            )
        )
        == 1
    )


def test_lines_far_below_a_heading_do_not_belong_to_it():
    far = ["plain text"] * recurrence.LINES_BELOW
    assert short(line for i in (1, 2, 3) for line in (f"Epoch {i}/9", *far, f"width: 0.{i}")) == []


DICE = random.Random(1)
NOISE = [
    "64 bytes from 1.1.1.1: icmp_seq={i} ttl=57 time={x} ms",
    "   {i},123  12%   {x}MB/s    0:00:01 (xfr#{i}, to-chk=3/120)",
    " {i}  0      0 812342 1234562 7890    0    0     5    12  100  200  3  1 96.{i}  0  0",
    "step {i} us {x} sy {x} id {x} wa {x}",
    "round {i}: {x} ms",
    "round {i}: mean {x} ms, median {x} ms, stddev {x} ms",
    "Iteration   {i}: {x} ops/s",
    "# Warmup Iteration   {i}: {x} us/op",
    "iteration {i}: elapsed {x} avg {x} min {x} max {x}",
    "Iter {i}: throughput={x} latency={x}",
    "round {i}: p50={x} p90={x} p99={x}",
    "Round {i} ended: 16 to {i}",
    "[Server] tick {i} mspt {x} tps 19.98",
    "Tick {i}: took {x} ms, 12 players online, load {x}",
    "Round {i}: Alice {x} Bob {x}",
    "step {i}: x={x} y={x} z={x}",
    "tick {i}: left_wheel={x} right_wheel={x}",
    "Step {i}/10 : RUN pip install torch==2.{i}.1",
    "batch {i}/100 processed in {x}s",
    "Batch {i}: inserted 1000 rows, {x} rows/s",
    "Batch {i} done, rate: {x}, eta: {x}",
    "epoch={i} committed=100 lag={x}",
    "INFO Synced slot: {i}0, epoch: {i}, finalized_epoch: 1, peers: 50, balance: {x}",
    "epoch: 170000000{i} drift: {x} offset: {x}",
    "update {i}: temperature {x} humidity {x} pressure {x}",
    "tick {i}: AAPL {x} MSFT {x}",
    "iteration {i} passed in {x} seconds",
    "[iter {i}] test_foo ok duration={x}",
    "gen {i} collections=3 pause_total={x} heap_live={x}",
    "step {i} of 20 finished; cpu {x} mem {x}",
    "Downloading episode {i}: {x} MB of 12.5 MB",
    "Episode {i} runtime {x} rating {x}",
    "height {i} round {i} proposer_priority {x} voting_power {x}",
    "iter {i} gpu_util {x} power {x}",
    "2026-11-30 12:00:0{i} INFO server: request {i} GET /step/{i} took {x}",
    "frame= {i}0 fps=25 q=28.0 size=  12kB time=00:00:01.00 bitrate= {x}kbits/s speed={x}x",
    "tests/test_step.py::test_{i} PASSED {x}s",
]  # fmt: skip


@pytest.mark.parametrize("line", NOISE)
def test_what_recurs_in_other_programs_gives_nothing(line):
    assert short(line.format(i=i, x=f"{DICE.uniform(0, 100):.2f}") for i in range(1, 9)) == []


def test_a_line_of_a_counter_that_other_programs_use_is_read_beside_those_of_a_training():
    lines = [f"step {i} width 0.{i}" for i in (1, 2, 3)]
    assert short(lines) == []
    assert [metrics for _, _, metrics in short(["loss 0.5", *lines])][1:] == [
        {"width": i / 10} for i in (1, 2, 3)
    ]


def test_a_heading_of_a_step_below_one_of_an_epoch_is_where_the_lines_below_are():
    lines = [f"Epoch {n}\nStep {n}00\nMean reward: {n}.5" for n in (3, 4)]
    assert short(lines) == [(3, 300, {"Mean reward": 3.5}), (4, 400, {"Mean reward": 4.5})]


def test_a_heading_that_names_a_total_counts_once_that_grows():
    lines = [f"Episodes: 14{n}\nNum steps: {n}000\nMean reward: {n}.5" for n in (1, 2, 3)]
    assert short(lines) == [
        (None, None, {"Mean reward": 1.5}), (None, 2000, {"Mean reward": 2.5}), (None, 3000, {"Mean reward": 3.5})
    ]  # fmt: skip


@pytest.mark.parametrize("setting", ["Total steps: 9000", "Max steps: {}000", "Max episode {}0"])
def test_a_total_that_stays_or_is_the_most_is_no_place(setting):
    assert [step for _, step, _ in short([f"{setting.format(n)}\nMean reward: {n}.5" for n in (1, 2)])] == [
        None,
        None,
    ]
