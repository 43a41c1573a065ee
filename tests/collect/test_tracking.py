"""The thread that parses many runs: what it has in hand at a time is bounded."""

import threading

from backends import START, a_run
from helpers import engine_of, eventually

from capture.collect import tracking
from capture.collect.members import Member
from capture.collect.tracking import Tracking


def test_runs_that_end_at_once_are_parsed_only_as_backends_take_them(tmp_path, monkeypatch, request):
    monkeypatch.setattr(tracking, "MOST_CLOSING", 2)
    may_close = threading.Event()
    request.addfinalizer(may_close.set)
    close = Tracking._close

    def close_later(self, live):
        may_close.wait()
        close(self, live)

    monkeypatch.setattr(Tracking, "_close", close_later)
    collected = Tracking(engine_of(), slots=1, wait=60)
    collected.start()
    folders = []
    for number in range(7):
        _, folder = a_run(tmp_path, run_id=f"run-{number}", to=["jsonl"])
        member = Member(folder.name, str(folder), START)
        member.add(b"epoch 1: loss=0.5\n", START + 1)
        member.end(0)
        folders.append(folder)
        collected.tell(member)
    eventually(lambda: len(collected._waiting) == 5)
    assert collected.ended == 2
    assert not collected._live
    may_close.set()
    assert collected.finish()
    assert collected.ended == 7
    assert all((folder / "metrics.jsonl").read_text().count("\n") == 1 for folder in folders)
