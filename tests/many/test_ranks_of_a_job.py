"""A launcher that starts `capture` once for each rank: all of them make one run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import CAPTURE, capture, eventually, only_run
from slurm_cluster import output
from wandb_server import Server

from capture.runs import ranks, read
from capture.runs.recordings import RanksReader
from capture.tracker import first_rank

# Prints three steps; rank R's loss is R + 1 / step.  WAIT_FOR: rank 1 waits for this file at its end.
TRAIN = """
import os, time
rank = int(os.environ.get("SLURM_PROCID") or os.environ.get("RANK") or 0)
for step in range(1, 4):
    print(f"step {step}: loss={rank + 1 / step:.3f}", flush=True)
while rank == 1 and "WAIT_FOR" in os.environ and not os.path.exists(os.environ["WAIT_FOR"]):
    time.sleep(0.01)
"""
SLURM = {"SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0"}


def of_slurm(rank, size=3):
    return {**SLURM, "SLURM_PROCID": str(rank), "SLURM_STEP_NUM_TASKS": str(size)}


def start(environ, *options, folder="."):
    words = [*CAPTURE, "--to", "jsonl", "--project", "p", "--summary", "always", *options]
    return subprocess.Popen(
        [*words, "--", sys.executable, "-c", TRAIN],
        env={**os.environ, **environ}, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run_job(*options, size=3, order=(2, 0, 1), **environ):
    """Start the ranks in this order; what each has printed on stderr."""
    started = {rank: start({**of_slurm(rank, size), **environ}, *options) for rank in order}
    ended = {rank: process.communicate(timeout=90) for rank, process in sorted(started.items())}
    assert [process.returncode for process in started.values()] == [0] * len(order)
    assert all(out.count("step ") == 3 for out, _ in ended.values())
    return [errors for _, errors in ended.values()]


def rows(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def values(folder, name):
    return [row[name] for row in rows(folder) if name in row]


def test_all_ranks_make_one_run():
    first, *others = run_job()
    folder = only_run()
    assert folder.name == "slurm-77.0"
    assert values(folder, "loss") == [1.0, 0.5, 0.333]
    assert values(folder, "rank1/loss") == [2.0, 1.5, 1.333]
    assert values(folder, "rank2/loss") == [3.0, 2.5, 2.333]
    assert "9 values from 9 of 9 lines" in first
    assert others == ["", ""]


def test_a_rank_that_is_quick_waits_for_rank_0_to_begin():
    quick = start(of_slurm(1, 2))
    place = Path("capture-runs/p/slurm-77.0/ranks/1")
    eventually(lambda: (place / "run.json").exists() and read(place).state == "finished")
    with start(of_slurm(0, 2)) as first:
        assert quick.communicate(timeout=90)[1] == ""
        first.communicate(timeout=90)


def test_rank_0_that_is_quick_waits_for_the_others_to_begin():
    first = start(of_slurm(0, 2))
    index = Path("capture-runs/p/slurm-77.0/console.idx")
    eventually(lambda: index.exists() and b" end " in index.read_bytes())
    with start(of_slurm(1, 2)) as late:
        late.communicate(timeout=90)
    assert "6 values from 6 of 6 lines" in first.communicate(timeout=90)[1]
    assert values(only_run(), "rank1/loss") == [2.0, 1.5, 1.333]


@pytest.mark.parametrize("how", ["mean", "0"])
def test_ranks_are_charted_as_asked(how):
    run_job("--ranks", how)
    expected = {"mean": [2.0, 1.5, 1.333], "0": [1.0, 0.5, 0.333]}[how]
    assert values(only_run(), "loss") == pytest.approx(expected, abs=1e-3)
    assert {name for row in rows(only_run()) for name in row} >= (
        {"loss", "loss_min", "loss_max"} if how == "mean" else {"loss"}
    )
    assert "rank1/loss" not in {name for row in rows(only_run()) for name in row}


def test_the_mean_is_that_of_all_ranks_however_late_one_of_them_is_read(tmp_path):
    """Rank 0 prints many steps before rank 1 prints its first."""
    code = f"""
import os, time
rank = int(os.environ["SLURM_PROCID"])
while rank and not os.path.exists({str(tmp_path / "go")!r}):
    time.sleep(0.01)
for step in range(1, 101):
    print(f"step {{step}}: loss={{rank + 1 / step:.3f}}", flush=True)
"""
    words = [*CAPTURE, "--to", "jsonl", "--project", "p", "--ranks", "mean", "--", sys.executable, "-c", code]
    started = [subprocess.Popen(words, env={**os.environ, **of_slurm(rank, 2)}) for rank in (0, 1)]
    order = Path("capture-runs/p/slurm-77.0/ranks/order")
    eventually(lambda: order.exists() and order.read_text().endswith("0 0\n"))  # rank 0 was read to its end
    (tmp_path / "go").touch()
    assert [process.wait(timeout=90) for process in started] == [0, 0]
    expected = [pytest.approx(0.5 + 1 / step, abs=1e-3) for step in range(1, 101)]
    assert values(only_run(), "loss") == expected
    assert {name for row in rows(only_run()) for name in row if "rank" in name} == set()
    assert (
        capture("replay", only_run(), "--ranks", "mean", "--name", "again", "--to", "jsonl").returncode == 0
    )
    (again,) = (path.parent for path in Path("capture-runs/p").glob("*/run.json") if read(path.parent).parent)
    assert values(again, "loss") == expected


def test_ranks_are_read_in_the_order_of_their_times(tmp_path):
    run_job()
    folder = only_run()
    (folder / "ranks" / "order").unlink()
    chunks = [chunk for chunk in all_chunks(RanksReader(folder, read(folder))) if chunk.data]
    assert {chunk.rank for chunk in chunks} == {0, 1, 2}
    assert [chunk.seconds for chunk in chunks] == sorted(chunk.seconds for chunk in chunks)


def test_the_next_command_of_the_job_is_a_run_of_its_own():
    run_job()
    run_job()
    assert sorted(path.name for path in Path("capture-runs/p").iterdir() if path.is_dir()) == [
        "slurm-77.0", "slurm-77.0-2",
    ]  # fmt: skip
    assert len(rows(Path("capture-runs/p/slurm-77.0-2"))) == 9


def test_a_run_that_is_resumed_has_both_starts_of_every_rank():
    run_job("--join", "mine", "--resume", "allow", size=2, order=(0, 1))
    run_job("--join", "mine", "--resume", "allow", size=2, order=(1, 0))
    folder = only_run()
    assert (folder.name, read(folder).resumed) == ("mine", 1)
    assert [name for row in rows(folder) for name in row if "loss" in name].count("rank1/loss") == 6
    assert len(values(folder, "loss")) == 6


def test_a_rank_that_is_started_again_goes_on_while_rank_0_does(tmp_path):
    """A pod of an indexed job that was restarted alone."""
    code = f"import os, time\nprint('step 1 loss 0.5', flush=True)\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.01)"
    options = ["--to", "jsonl", "--project", "p", "--resume", "allow"]
    environ = {**os.environ, "CAPTURE_JOIN": "job7"}
    with subprocess.Popen(
        [*CAPTURE, *options, "--", sys.executable, "-c", code], env={**environ, "JOB_COMPLETION_INDEX": "0"}
    ) as first:
        order = Path("capture-runs/p/job7/ranks/order")
        try:
            for begun in (1, 2):
                subprocess.run(
                    [*CAPTURE, *options, "--", "echo", f"step {begun} loss {begun}.5"],
                    env={**environ, "JOB_COMPLETION_INDEX": "1"}, check=True,
                )  # fmt: skip
                eventually(lambda begun=begun: order.exists() and order.read_text().count("1 0\n") == begun)
        finally:
            (tmp_path / "go").touch()
        assert first.wait(timeout=90) == 0
    assert values(only_run(), "rank1/loss") == [1.5, 2.5]


def test_ranks_may_be_told_to_make_runs_of_their_own():
    run_job("--join", "never")
    assert len(list(Path("capture-runs/p").glob("*/run.json"))) == 3


def test_what_a_rank_prints_after_rank_0_is_delivered_by_sync(tmp_path):
    late = start({**of_slurm(1, 2), "WAIT_FOR": str(tmp_path / "go")})
    folder = eventually(lambda: next(Path("capture-runs").glob("*/*/ranks/1"), None)).parent.parent
    first = start(of_slurm(0, 2))
    said = first.communicate(timeout=90)[1]
    assert "rank 1 went on after rank 0; what they print later: capture sync" in said
    (tmp_path / "go").touch()
    late.communicate(timeout=90)
    assert capture("sync", folder).returncode == 0
    assert values(folder, "rank1/loss") == [2.0, 1.5, 1.333]
    assert capture("sync", folder).stdout.startswith("nothing is missing")


def test_a_rank_that_is_killed_leaves_what_it_had_printed(tmp_path):
    second = start({**of_slurm(1, 2), "WAIT_FOR": str(tmp_path / "never")})
    log = eventually(lambda: next(Path("capture-runs").glob("*/*/ranks/1/console.log"), None))
    eventually(lambda: log.read_text().count("\n") == 3)
    second.kill()
    second.communicate()
    (tmp_path / "never").touch()
    start(of_slurm(0, 2)).communicate(timeout=90)
    assert values(only_run(), "rank1/loss") == [2.0, 1.5, 1.333]
    assert read(log.parent).state == "crashed"
    assert "rank 1 crashed" in capture("show").stdout


@pytest.mark.parametrize(
    ("environ", "options", "expected"),
    [
        ({"RANK": "1", "WORLD_SIZE": "2"}, [], True),
        ({"RANK": "0", "WORLD_SIZE": "1"}, [], False),
        ({"RANK": "1"}, [], False),
        ({"RANK": "1", "WORLD_SIZE": "2"}, ["--join", "never"], False),
        ({"RANK": "1", "WORLD_SIZE": "2"}, ["--id", "mine"], False),
        ({"RANK": "0", "WORLD_SIZE": "2"}, ["--join", "mine"], False),
        ({"RANK": "1", "WORLD_SIZE": "2", "CAPTURE_RUN_DIR": "/somewhere"}, [], False),
    ],
)
def test_ranks_whose_job_nothing_names_are_told_how_they_make_one_run(environ, options, expected):
    said = start(environ, *options).communicate(timeout=90)[1]
    line = f"\n  rank {environ['RANK']} of 2, by RANK and WORLD_SIZE; --join NAME, the same for all ranks, makes one run"
    assert (line in said) == expected
    assert ("--join NAME" in said) == expected


def test_a_rank_that_fails_is_named_where_the_run_is_said_to_be_finished():
    words = [*CAPTURE, "--to", "jsonl", "--project", "p", "--summary", "always", "--", "sh", "-c"]
    code = "echo step $SLURM_PROCID loss=1; exit $(( SLURM_PROCID ? 4 : 0 ))"
    started = [
        subprocess.Popen(
            [*words, code], env={**os.environ, **of_slurm(rank)}, text=True, stderr=subprocess.PIPE
        )
        for rank in range(3)
    ]
    said = [process.communicate(timeout=90)[1] for process in started]
    assert [process.returncode for process in started] == [0, 4, 4]
    assert "exit status 0" in said[0]
    assert "\n  ranks 1, 2 ended with exit status 4\n" in said[0]
    assert re.search(r"^  ranks +ranks 1, 2 ended with exit status 4$", capture("show").stdout, re.M)
    shown = json.loads(capture("show", "--json").stdout)
    assert shown["ranks"]["2"] == {"state": "failed", "exit_status": 4}


def test_ranks_that_are_not_there_are_named():
    (said,) = run_job(order=(0,))
    assert "ranks 1, 2 recorded nothing here: do all ranks share this folder?" in said


def test_a_rank_without_rank_0_says_where_it_is():
    (said,) = run_job(order=(2,))
    assert said.startswith("capture: rank 2 is recorded in capture-runs/p/slurm-77.0/ranks/2, without rank 0")


def test_the_records_are_the_same_when_the_run_is_read_again():
    run_job()
    folder = only_run()
    before = (folder / "records.jsonl").read_bytes()
    for name in ("records.jsonl", "metrics.jsonl", "status.json", "delivered/jsonl.json"):
        (folder / name).unlink()
    assert capture("sync", folder).returncode == 0
    assert (folder / "records.jsonl").read_bytes() == before


def test_a_replay_has_all_ranks_again():
    run_job("--ranks", "0")
    done = capture("replay", only_run(), "--ranks", "all", "--to", "jsonl", "--name", "again")
    assert done.returncode == 0, done.stderr
    (again,) = (path.parent for path in Path("capture-runs/p").glob("*/run.json") if read(path.parent).parent)
    assert values(again, "rank2/loss") == [3.0, 2.5, 2.333]


def test_a_torn_order_is_followed_as_far_as_it_goes():
    run_job()
    folder = only_run()
    order = folder / "ranks" / "order"
    whole = [(c.rank, c.data) for c in all_chunks(RanksReader(folder, read(folder)))]
    text = order.read_bytes()
    order.write_bytes(text[: text.rindex(b"\n", 0, -1) + 1] + b"1")
    again = [(c.rank, c.data) for c in all_chunks(RanksReader(folder, read(folder), writes=True))]
    assert sorted(again) == sorted(whole)
    assert order.read_bytes().endswith(b"\n")
    assert [(c.rank, c.data) for c in all_chunks(RanksReader(folder, read(folder)))] == again


def all_chunks(reader):
    found = []
    while not reader.finished:
        found += reader.read()
    reader.close()
    return found


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (of_slurm(2), (2, 3, "slurm-77.0")),
        (of_slurm(0, 1), None),  # a job of one task
        ({"SLURM_JOB_ID": "77", "SLURM_PROCID": "0"}, None),  # the script of sbatch itself
        ({"RANK": "1", "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "a1"}, (1, 2, "torchrun-a1")),
        ({"RANK": "1", "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "none"}, None),  # the same for every job
        (
            {**of_slurm(0, 2), "RANK": "3", "WORLD_SIZE": "4", "TORCHELASTIC_RUN_ID": "none"},
            (3, 4, "slurm-77.0"),
        ),
        (
            {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4", "PMIX_NAMESPACE": "prterun-h-9@1"},
            (1, 4, "mpi-prterun-h-9-1"),
        ),
        ({"PMI_RANK": "1", "PMI_SIZE": "4"}, None),  # nothing names the job
        ({"JOB_COMPLETION_INDEX": "1"}, None),  # perhaps a queue of independent tasks
        ({**of_slurm(2), "CAPTURE_RUN_DIR": "/somewhere"}, None),  # a program of a run
        ({**of_slurm(2), "WANDB_SWEEP_ID": "abc"}, None),  # a trial of W&B's agent
        ({}, None),
    ],
)
def test_launchers_say_which_rank_of_which_job(environ, expected):
    assert ranks.place(environ) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"JOB_COMPLETION_INDEX": "3"}, (3, 0, "mine")),
        ({"PMI_RANK": "1", "PMI_SIZE": "4"}, (1, 4, "mine")),
        ({"PET_NODE_RANK": "1", "PET_NNODES": "2"}, (1, 2, "mine")),
        ({}, (0, 1, "mine")),
    ],
)
def test_who_names_the_job_needs_only_a_rank(environ, expected):
    assert ranks.place(environ, "mine") == expected


def test_an_id_that_no_folder_can_have_is_refused():
    done = capture("--join", "a/b", "--", "true")
    assert done.returncode == 2
    assert "--join a/b: should be letters" in done.stderr


def test_who_has_an_id_makes_that_run_alone():
    """A trial of a sweep, say, on a node where every process is told to join a job."""
    start({**of_slurm(1), "CAPTURE_JOIN": "job"}, "--id", "mine").communicate(timeout=90)
    assert only_run().name == "mine"
    assert values(only_run(), "loss") == [2.0, 1.5, 1.333]


def test_ranks_without_a_common_folder_share_one_run_of_wandb(tmp_path):
    """Two nodes that share nothing, and the folder of neither is seen by the other."""
    with Server() as server:
        started = []
        for rank in (0, 1):
            place = tmp_path / f"node{rank}"
            place.mkdir()
            environ = {**of_slurm(rank, 2), **server.environ}
            started.append(start(environ, "--to", "wandb", "--wait", "90", folder=place))
        said = [process.communicate(timeout=150)[1] for process in started]
        run = server.run
    assert run.id == "slurm-77.0"
    assert [row["loss"] for row in run.rows if "loss" in row] == [1.0, 0.5, 0.333]
    assert [row["rank1/loss"] for row in run.rows if "rank1/loss" in row] == [2.0, 1.5, 1.333]
    assert {"loss", "rank1/*"} <= run.defined.keys()  # whoever has said it last
    assert {line.split("]")[0] for line in run.console} == {"[rank0", "[rank1"}
    assert (run.exit_code, run.faults, said[1]) == (0, [], "")


def test_a_rank_whose_rank_0_is_there_needs_no_tracker():
    run_job("--to", "wandb,jsonl", WANDB_MODE="offline")
    folder = only_run()
    assert not (folder / "ranks/1/records.jsonl").exists()
    assert first_rank.has_it(str(folder / "ranks" / "1"))
    assert not first_rank.has_it(str(folder))


@pytest.mark.slow
@pytest.mark.services
def test_a_real_srun_of_four_nodes_makes_one_run(slurm):
    Path("train.py").write_text(TRAIN)
    words = [*CAPTURE, "--to", "jsonl", "--project", "p", "--", sys.executable, "train.py"]
    done = subprocess.run(
        ["srun", "--nodes=4", "--ntasks-per-node=1", *words],
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, (done.stderr, output("sinfo"))
    assert done.stdout.count("step ") == 12
    folder = only_run()
    assert folder.name.startswith("slurm-")
    for rank in range(4):
        name = f"rank{rank}/loss" if rank else "loss"
        assert values(folder, name) == [rank + 1.0, rank + 0.5, rank + 0.333]
