"""Event files, read back by TensorBoard itself."""

import contextlib
import json
import math
import re
import resource
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from backends import MIXED, START, a_run, deliver, mixed_rows, row, run_printing
from helpers import CAPTURE, eventually
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.util import tensor_util

from capture import runs
from capture.adapters.tensorboard import TensorboardAdapter
from capture.records import Alert, ConsoleLine, Row


def read(base):
    (file,) = Path(base).glob("**/*tfevents*")
    events = EventAccumulator(str(file.parent))
    events.Reload()
    return events


def points(events, tag):
    return [(event.step, event.value) for event in events.Scalars(tag)]


def text(events, tag):
    event = events.Tensors(tag)[-1]
    return tensor_util.make_ndarray(event.tensor_proto).item().decode()


def written(tmp_path, rows, later=None, lines=(), exit_status=0, **about):
    run, folder = a_run(tmp_path, **about)
    deliver(TensorboardAdapter(), run, folder, rows, later, lines, exit_status)
    return read(tmp_path)


def test_each_metric_stands_at_its_own_axis_with_the_time_of_the_recording(tmp_path):
    rows = [
        row(0, 10, loss=0.5),
        row(1, 20, loss=0.25),
        row(2, 1, axis="epoch/epoch", **{"epoch/loss": 0.375}),
        row(3, loose=7),
    ]
    events = written(tmp_path, rows)
    assert points(events, "loss") == [(10, 0.5), (20, 0.25)]
    assert points(events, "epoch/loss") == [(1, 0.375)]
    assert points(events, "loose") == [(3, 7.0)]
    assert [event.wall_time for event in events.Scalars("loss")] == [START, START + 1]
    assert "step" not in events.Tags()["scalars"]


def test_each_metric_of_a_mixed_program_has_a_curve_over_its_own_axis(tmp_path):
    events = written(tmp_path, mixed_rows())
    found = {name: [(e.step, pytest.approx(e.value)) for e in events.Scalars(name)] for name in MIXED}
    assert found == MIXED
    assert set(events.Tags()["scalars"]) == set(MIXED)


def test_the_text_tab_says_how_the_run_ended(tmp_path):
    run, folder = a_run(tmp_path, tags=["a", "b"])
    runs.write(folder, run._replace(state="finished", exit_status=130, end=START + 90, paused=30.0))
    deliver(TensorboardAdapter(), run, folder, [row(0, 1, loss=1.0)], exit_status=130)
    events = read(tmp_path)
    found = events.SummaryMetadata("_hparams_/session_end_info").plugin_data.content
    assert hparams.parse_session_end_info_plugin_data(found).status == 0  # unknown: it has not failed
    about = text(events, "run")
    for line in (
        "| state | interrupted |",
        "| exit\\_status | 130 |",
        "| duration\\_s | 60.0 |",
        "| tags | a, b |",
    ):
        assert line in about


def test_an_axis_between_whole_numbers_is_a_metric_over_the_program_steps(tmp_path):
    rows = [
        Row(i, START, step, None, {"loss": 1.0, "epoch": epoch}, {"loss": "epoch"})
        for i, (step, epoch) in enumerate([(50, 0.5), (100, 1), (150, 1.5), (None, 2)])
    ]
    events = written(tmp_path, rows)
    assert points(events, "epoch") == [(50, 0.5), (100, 1), (150, 1.5), (3, 2)]
    assert points(events, "loss") == [(50, 1.0), (100, 1.0), (150, 1.0), (3, 1.0)]


def test_steps_that_repeat_and_go_back_are_kept(tmp_path):
    rows = [row(i, step, loss=float(i)) for i, step in enumerate([5, 5, 3, -2, 6])]
    assert points(written(tmp_path, rows), "loss") == [(5, 0), (5, 1), (3, 2), (-2, 3), (6, 4)]


def test_no_number_is_too_odd(tmp_path):
    values = [math.nan, math.inf, -math.inf, 1e300, -1e300, 10**400, 1e-320, True]
    events = written(tmp_path, [row(i, i, loss=value) for i, value in enumerate(values)])
    found = [value for _, value in points(events, "loss")]
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf, math.inf, -math.inf, math.inf, 0.0, 1.0]


def test_an_axis_that_counts_nothing_gives_way_to_the_number_of_the_row(tmp_path):
    rows = [
        Row(i, START, None, None, {"loss": 1.0, "x": x}, {"loss": "x"})
        for i, x in enumerate([math.nan, math.inf, 10**400, 2**60])
    ]
    assert points(written(tmp_path, rows), "loss") == [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)]


def test_config_is_in_the_hparams_tab_with_how_the_run_ended(tmp_path):
    config = {"lr": 0.1, "amp": True, "model": "größer", "layers": [1, 2], "big": 10**400, "nan": math.nan}
    config |= {"net": {"width": 8}, "_provenance": {"git": {"commit": "abc"}}}
    events = written(tmp_path, [row(0, 1, loss=1.0)], {"late": 5}, exit_status=1, config=config)
    found = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = hparams.parse_session_start_info_plugin_data(found)
    assert start.hparams["lr"].number_value == 0.1
    assert start.hparams["amp"].bool_value is True
    assert start.hparams["model"].string_value == "größer"
    assert start.hparams["layers"].string_value == "[1, 2]"
    assert start.hparams["nan"].string_value == "nan"
    assert start.hparams["net.width"].number_value == 8
    assert "provenance.git.commit" not in start.hparams
    assert start.start_time_secs == START
    found = events.SummaryMetadata("_hparams_/session_end_info").plugin_data.content
    assert hparams.parse_session_end_info_plugin_data(found).status == 2
    assert "| late | 5 |" in text(events, "config")
    assert "| provenance.git.commit | abc |" in text(events, "config")


def test_alerts_stand_in_the_text_tab(tmp_path):
    run, folder = a_run(tmp_path)
    adapter = TensorboardAdapter()
    adapter.open(run, folder)
    adapter.alerts([Alert(1, START, "loss > 5", "loss > 5: loss is 6", "warn", 7)])
    adapter.close(0)
    table = text(read(tmp_path), "alerts")
    assert "| title | loss > 5 |" in table
    assert "| step | 7 |" in table


def test_the_console_stands_in_the_text_tab_as_it_was(tmp_path):
    lines = [ConsoleLine(START, "stdout", line) for line in ["# no heading", "<b>loss</b> `1`"]]
    events = written(tmp_path, [row(0, 1, loss=1.0)], lines=lines, notes="a|b", git={"commit": "abc"})
    assert text(events, "console") == "    # no heading\n    <b>loss</b> `1`"
    about = text(events, "run")
    assert "| command | python train.py |" in about
    assert "| commit | abc |" in about
    assert "| notes | a\\|b |" in about


def test_written_again_after_a_crash_it_is_the_same_file_with_each_point_once(tmp_path):
    run, folder = a_run(tmp_path)
    rows = [row(i, i, loss=i / 2) for i in range(50)]
    first = TensorboardAdapter()
    first.open(run, folder)
    first.log(rows[:20])
    first._file.close()  # as the death of its process does
    (file,) = tmp_path.glob("**/*tfevents*")
    before = file.read_bytes()
    reading = EventAccumulator(str(file.parent))
    reading.Reload()
    second = TensorboardAdapter()
    assert second.open(run, folder) == 0
    second.log(rows[:7])
    reading.Reload()  # a TensorBoard that looks in the middle of it
    second.log(rows[7:])
    second.close(0)
    assert file.read_bytes().startswith(before)
    reading.Reload()
    assert points(reading, "loss") == points(read(tmp_path), "loss") == [(i, i / 2) for i in range(50)]


def test_what_did_not_fit_on_the_disk_comes_again_whole(tmp_path, monkeypatch):
    run, folder = a_run(tmp_path)
    adapter = TensorboardAdapter()
    adapter.open(run, folder)
    adapter.log([row(0, 0, loss=0.0)])
    size = next(tmp_path.glob("**/*tfevents*")).stat().st_size
    with limited_to(size + 10), pytest.raises(OSError, match="too large"):
        adapter.log([row(1, 1, loss=1.0)])
    adapter.log([row(1, 1, loss=1.0)])
    adapter.close(0)
    assert points(read(tmp_path), "loss") == [(0, 0.0), (1, 1.0)]


@contextlib.contextmanager
def limited_to(size):
    """No file of this process grows beyond `size`: as a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_two_runs_of_one_name_are_two_runs(tmp_path):
    for number in range(2):
        run, folder = a_run(tmp_path, run_id=f"id{number}")
        deliver(TensorboardAdapter(), run, folder, [row(0, 1, loss=number)])
    assert len(list(tmp_path.glob("capture-runs/tensorboard/p/first-id?/*tfevents*"))) == 2


def test_a_whole_run_and_a_logdir_of_the_users_own(own_world):
    Path("capture.yaml").write_text("tensorboard: {logdir: logs}\n")
    printed = "epoch 1: loss=0.5\nepoch 2: loss=nan\n"
    folder = run_printing("--to", "tensorboard", "--name", "a/b", printing=printed, status=3)
    events = read("logs")
    (first, second) = points(events, "loss")
    assert first == (1, 0.5)
    assert second[0] == 2
    assert math.isnan(second[1])
    assert text(events, "console") == "    epoch 1: loss=0.5\n    epoch 2: loss=nan"
    assert "tensorboard: tensorboard --logdir logs\n" in (folder / "summary.txt").read_text()
    assert Path(f"logs/project/a-b-{folder.name}").is_dir()


def test_an_option_that_is_not_there_is_said_before_the_start(own_world):
    Path("capture.yaml").write_text("tensorboard:\n  logdri: logs\n")
    done = subprocess.run([*CAPTURE, "--", "echo", "no"], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("capture: capture.yaml:2: unknown key 'logdri'; did you mean 'logdir'?")


def test_tensorboards_server_shows_it(tmp_path):
    """The real server with its own fast reader, which checks each checksum."""
    run, folder = a_run(tmp_path, config={"lr": 0.1})
    deliver(TensorboardAdapter(), run, folder, [row(i, i, loss=i / 4) for i in range(5)])
    logs = tmp_path / "log"
    with logs.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", tmp_path / "capture-runs", "--port", "0"],
            stdout=out,
            stderr=out,
        )
    try:
        address = eventually(lambda: re.search(r"http://\S+", logs.read_text()))[0]
        name = f"tensorboard/p/first-{run.id}"

        def shown():
            url = (
                f"{address}data/plugin/scalars/scalars?{urllib.parse.urlencode({'run': name, 'tag': 'loss'})}"
            )
            with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(url) as answer:
                return json.load(answer)

        assert [item[1:] for item in eventually(shown)] == [[i, i / 4] for i in range(5)]
        question = {
            "experimentName": "",
            "allowedStatuses": ["STATUS_SUCCESS"],
            "colParams": [{"metric": {"group": "", "tag": "loss"}}],
            "sliceSize": 9,
        }
        data = json.dumps(question).encode()
        page = f"{address}data/plugin/hparams/session_groups"
        request = urllib.request.Request(page, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            (group,) = json.load(answer)["sessionGroups"]
        assert group["hparams"] == {"lr": 0.1}
        assert group["metricValues"][0]["value"] == 1.0
    finally:
        server.terminate()
        server.wait()
