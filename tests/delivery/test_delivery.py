"""From `records.jsonl` to a backend that fails in all the ways that backends do."""

import json
import threading
from pathlib import Path

import pytest
from backends import print_lines
from helpers import eventually

from capture import runs
from capture.delivery import console_reader, worker
from capture.delivery.adapter import Adapter, Gone
from capture.delivery.delivery import Delivery
from capture.language import library
from capture.records import Record, to_json


class Fake(Adapter):
    """A backend in memory; `trouble` is raised as often as it holds errors."""

    def __init__(self, trouble=(), reject=(), hang=None, holds=0):
        self.trouble, self.reject, self.hang, self.holds = list(trouble), reject, hang, holds
        self.rows, self.lines, self.configs, self.samples, self.closed = [], [], [], [], None

    def open(self, run, folder):
        self.run = run
        if self.trouble:
            raise self.trouble.pop(0)
        return self.holds

    def log(self, rows):
        if self.hang:
            self.hang.wait(30)
        if self.trouble:
            raise self.trouble.pop(0)
        for row in rows:
            if row.ordinal in self.reject:
                raise ValueError("no such row")
        self.rows += rows

    def console(self, lines):
        self.lines += [line.text for line in lines]

    def config(self, values):
        self.configs.append(dict(values))

    def system(self, samples):
        self.samples += samples

    def held(self, rows):
        self.held_rows = rows

    def close(self, exit_status):
        self.closed = exit_status

    def links(self):
        return ["look here"]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "base" / "p" / "id"
    runs.create(folder, runs.Run("id", "p", "n", ["x"], str(tmp_path), "h", 0.0, config={"lr": 0.1}))
    (folder / runs.PARSERS).mkdir()
    (folder / runs.PARSERS / "000.yaml").write_text(
        next(text for _, text in library.built_in()), encoding="utf-8"
    )
    return folder


def add(folder, *steps, config=None):
    with (folder / runs.RECORDS).open("a") as file:
        for step in steps:
            metrics = {} if config else {"loss": step / 10}
            file.write(
                to_json(Record(1.0, "x", None if config else step, None, metrics, config=config or {})) + "\n"
            )


def deliver(folder, *fakes, names="abc"):
    adapters = {name: (lambda fake=fake: fake) for name, fake in zip(names, fakes)}
    made = Delivery(runs.read(folder), folder, adapters, {})
    made.start()
    return made


def cursor(folder, name="a"):
    """What is noted of a backend; nothing as long as there is no note."""
    path = folder / runs.DELIVERED / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def test_rows_arrive_in_order_while_the_file_grows(folder):
    fake = Fake()
    made = deliver(folder, fake)
    add(folder, 0, 1, 2)
    made.wake()
    eventually(lambda: len(fake.rows) == 3)
    add(folder, 3, 4)
    (result,) = made.finish(7, 10)
    assert [row.step for row in fake.rows] == [0, 1, 2, 3, 4]
    assert [row.ordinal for row in fake.rows] == [0, 1, 2, 3, 4]
    assert result == ("a", 5, 5, None, ["look here"], False, [])
    assert fake.closed == 7
    assert cursor(folder) == {
        "rows": 5,
        "lines": 0,
        "samples": 0,
        "alerts": 0,
        "files": 0,
        "state": "closed",
        "error": None,
    }


def test_a_torn_last_line_waits_for_its_rest(folder):
    fake = Fake()
    add(folder, 0, 1)
    text = (folder / runs.RECORDS).read_text()
    (folder / runs.RECORDS).write_text(text[:-9])
    made = deliver(folder, fake)
    eventually(lambda: len(fake.rows) == 1)
    (folder / runs.RECORDS).write_text(text)
    made.finish(0, 10)
    assert [row.step for row in fake.rows] == [0, 1]


def test_a_backend_that_is_down_at_first_gets_everything_once(folder, monkeypatch):
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.01)
    fake = Fake(trouble=[OSError("down"), ConnectionError("still down"), TimeoutError("busy")])
    add(folder, 0, 1, 2)
    (result,) = deliver(folder, fake).finish(0, 10)
    assert [row.step for row in fake.rows] == [0, 1, 2]
    assert result.error is None


def test_a_backend_whose_connection_is_gone_is_opened_anew_at_once(folder, monkeypatch):
    monkeypatch.setattr(worker, "FIRST_PAUSE", 1000)
    lost, fresh = Fake(trouble=[]), Fake(holds=2)
    lost.log = lambda rows: lost.trouble.append(rows) or fail(Gone("its process died"))
    fakes = [lost, fresh]
    add(folder, 0, 1, 2, 3)
    made = Delivery(runs.read(folder), folder, {"a": lambda: fakes.pop(0)}, {})
    made.start()
    (result,) = made.finish(0, 100)
    assert ([row.step for row in fresh.rows], result.error, len(lost.trouble)) == ([2, 3], None, 1)


def fail(error):
    raise error


def test_only_the_row_that_is_rejected_is_lost(folder):
    fake = Fake(reject={3})
    add(folder, *range(8))
    (result,) = deliver(folder, fake).finish(0, 10)
    assert [row.step for row in fake.rows] == [0, 1, 2, 4, 5, 6, 7]
    assert (result.delivered, result.total) == (7, 8)
    assert "rejected by the backend: 1," in result.error


def test_a_backend_that_hangs_holds_up_nobody(folder):
    hang = threading.Event()
    fake, good = Fake(hang=hang), Fake()
    add(folder, 0, 1)
    results = deliver(folder, fake, good).finish(0, 0.5)
    assert [result.error for result in results] == ["not finished in time", None]
    assert len(good.rows) == 2
    hang.set()


def test_a_backend_that_is_not_installed_is_not_tried_again(folder):
    def missing():
        raise ImportError("No module named 'swanlab'")

    add(folder, 0)
    made = Delivery(runs.read(folder), folder, {"a": missing}, {})
    made.start()
    (result,) = made.finish(0, 10)
    assert result.error == "No module named 'swanlab'"
    assert cursor(folder)["state"] == "failed"


def test_nothing_is_opened_before_the_first_metrics_and_config_comes_with_the_opening(folder):
    fake = Fake()
    made = deliver(folder, fake)
    add(folder, 0, config={"depth": 3})
    made.wake()
    add(folder, 1)
    add(folder, 2, config={"late": 1})
    made.finish(0, 10)
    assert fake.run.config == {"lr": 0.1, "depth": 3}
    assert fake.configs[-1] == {"late": 1}


def test_metrics_that_come_long_after_the_config_are_delivered(folder):
    fake = Fake()
    add(folder, 0, config={"depth": 3})
    made = deliver(folder, fake)
    (delivered,) = made._workers
    eventually(lambda: delivered._rows.position == 1)
    add(folder, 1)
    made.finish(0, 10)
    assert [row.step for row in fake.rows] == [1]


def test_without_metrics_nothing_is_opened_at_all(folder):
    fake = Fake()
    add(folder, 0, config={"depth": 3})
    (result,) = deliver(folder, fake).finish(0, 10)
    assert not hasattr(fake, "run")
    assert result.error is None
    assert not (folder / runs.DELIVERED).exists()


def test_what_the_backend_holds_already_is_not_sent_again(folder):
    fake = Fake(holds=2)
    add(folder, 0, 1, 2, 3)
    deliver(folder, fake).finish(0, 10)
    assert [row.step for row in fake.rows] == [2, 3]


def test_console_lines_come_along_and_do_not_pile_up(folder, monkeypatch):
    monkeypatch.setattr(console_reader, "MOST_LINES", 5)
    fake = Fake()
    print_lines(folder, *range(8))
    add(folder, 0)
    deliver(folder, fake).finish(0, 10)
    assert fake.lines == ["3", "4", "5", "6", "7"]


def sample(folder, *times):
    with (folder / runs.SYSTEM).open("a") as file:
        file.writelines(json.dumps({"time": time, "machine/load": 0.5}) + "\n" for time in times)


def everything(fake):
    """What a backend has got, apart from the rows."""
    return fake.configs, [item.time for item in fake.samples], fake.lines


def test_load_provenance_and_console_are_read_from_the_folder_as_rows_are(folder):
    """So a `capture sync` a week later, or the tracker after a crash, gives the same as a live run."""
    sample(folder, 1, 2, 3)
    (folder / runs.PROVENANCE).write_text(
        '{"git": {"dirty": true}, "python": {"version": "3", "packages": {}}}'
    )
    print_lines(folder, "hello")
    add(folder, 0)
    fake = Fake()
    deliver(folder, fake).finish(0, 10)
    assert everything(fake) == (
        [{"_provenance": {"git": {"dirty": True}, "python": {"version": "3"}}}],
        [1, 2, 3],
        ["hello"],
    )
    assert cursor(folder) == {
        "rows": 1,
        "lines": 1,
        "samples": 3,
        "alerts": 0,
        "files": 0,
        "state": "closed",
        "error": None,
    }


def test_provenance_that_is_found_out_late_is_delivered(folder):
    fake = Fake()
    add(folder, 0)
    made = deliver(folder, fake)
    eventually(lambda: fake.rows)
    (folder / runs.PROVENANCE).write_text('{"git": {"dirty": false}}')
    made.wake()
    eventually(lambda: fake.configs)
    made.finish(0, 10)
    assert fake.configs == [{"_provenance": {"git": {"dirty": False}}}]


@pytest.mark.parametrize("method", ["log", "config", "system", "console"])
def test_an_error_in_any_call_loses_nothing(folder, monkeypatch, method):
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.01)
    fake, errors = Fake(), [ConnectionError("down for a moment")]
    original = getattr(fake, method)
    monkeypatch.setattr(fake, method, lambda items: fail(errors.pop()) if errors else original(items))
    sample(folder, 1)
    print_lines(folder, "hello")
    add(folder, 0)
    add(folder, 1, config={"late": 1})
    (result,) = deliver(folder, fake).finish(0, 10)
    assert (result.error, errors) == (None, [])
    assert [row.step for row in fake.rows] == [0]
    assert everything(fake) == ([{"late": 1}], [1], ["hello"])


@pytest.mark.parametrize("method", ["log", "config", "system", "console"])
def test_what_a_backend_rejects_is_all_that_is_lost(folder, monkeypatch, method):
    fake = Fake()
    original = getattr(fake, method)

    def picky(items):
        if "unwanted" in str(items):
            raise ValueError("never this one")
        original(items)

    monkeypatch.setattr(fake, method, picky)
    names = ["a", "unwanted", "b"]
    (folder / runs.SYSTEM).write_text("".join(json.dumps({"time": 1, name: 1}) + "\n" for name in names))
    print_lines(folder, *names)
    with (folder / runs.RECORDS).open("a") as file:
        for name in names:
            file.write(to_json(Record(1.0, "x", 1, None, {name: 1.0}, config={name: 1})) + "\n")
    deliver(folder, fake).finish(0, 10)
    got = {
        "log": [name for row in fake.rows for name in row.metrics if name != "step"],
        "config": [name for values in fake.configs for name in values],
        "system": [name for item in fake.samples for name in item.values],
        "console": fake.lines,
    }
    assert got == dict.fromkeys(got, names) | {method: ["a", "b"]}


def test_after_a_lost_connection_the_new_one_gets_all_that_the_backend_lacks(folder):
    """Its first rows, lines and samples are there; what the client was told of config is gone with it."""
    sample(folder, 1, 2)
    (folder / runs.PROVENANCE).write_text('{"git": {"dirty": true}}')
    print_lines(folder, "one", "two")
    add(folder, 0, 1)
    add(folder, 9, config={"depth": 3})
    first = Fake()
    made = Delivery(runs.read(folder), folder, {"a": lambda: fakes.pop(0)}, {})
    lost, fakes = threading.Event(), [first, Fake(holds=3)]
    second = fakes[1]
    original = first.log
    first.log = lambda rows: fail(Gone("its process died")) if lost.is_set() else original(rows)
    made.start()
    eventually(lambda: first.lines and cursor(folder).get("lines") == 2)
    lost.set()
    add(folder, 4)
    made.wake()
    made.finish(0, 10)
    assert [row.step for row in second.held_rows] == [0, 1]
    assert [row.step for row in second.rows] == [4]
    assert second.configs == [{"depth": 3, "_provenance": {"git": {"dirty": True}}}]
    assert (second.samples, second.lines) == ([], [])


def test_a_third_partys_adapter_is_found_by_its_entry_point(tmp_path):
    """As installed: a package with an entry point, in an environment of its own."""
    import os
    import subprocess
    import sys

    site = tmp_path / "site"
    info = site / "ours-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[capture.adapters]\nours = ours:Ours\n")
    (site / "ours.py").write_text(
        "from capture import Adapter\n"
        "class Ours(Adapter):\n"
        " def open(self, run, folder): self.file = open(folder / 'ours', 'w'); return 0\n"
        " def log(self, rows): self.file.writelines(f'{r.metrics}\\n' for r in rows)\n"
        " def close(self, status): self.file.write(f'status {status}'); self.file.close()\n"
    )
    code = (
        "import os; from pathlib import Path; from capture import Adapter, runs; from capture.delivery import registry; from capture.delivery.delivery import Delivery\n"
        "import sys; folder = Path(sys.argv[1])\n"
        "made = Delivery(runs.read(folder), folder, {'ours': registry.adapter('ours')}, {}); made.start()\n"
        "print(made.finish(3, 10))"
    )
    folder = tmp_path / "base" / "p" / "id"
    runs.create(folder, runs.Run("id", "p", "n", ["x"], str(tmp_path), "h", 0.0))
    (folder / runs.PARSERS).mkdir()
    add(folder, 4)
    subprocess.run(
        [sys.executable, "-c", code, str(folder)], check=True, env={**os.environ, "PYTHONPATH": str(site)}
    )
    assert (folder / "ours").read_text() == "{'loss': 0.4, 'step': 4}\nstatus 3"
    assert Path(folder / runs.DELIVERED / "ours.json").exists()
