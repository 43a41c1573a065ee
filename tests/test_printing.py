"""Text of others that we print can't steer the terminal."""

import json
import re
from pathlib import Path

import pytest
from backends import a_run
from helpers import capture

from capture import runs
from capture.printing import plain
from capture.tracker.closing import Summary, block

EVIL = "x\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\u202egnp.exe\x7f"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\tb\nc", "a\tb\nc"),
        ("Größe 训练 ▁▂▃ 🙂", "Größe 训练 ▁▂▃ 🙂"),
        ("\x9b1m\u202eabc", r"\u009b1m\u202eabc"),
        ("a\rb", r"a\x0db"),
    ],
)
def test_only_what_steers_is_escaped(text, shown):
    assert plain(text) == shown


def test_what_is_escaped_is_still_json():
    text = json.dumps({"name": EVIL}, ensure_ascii=False)
    assert json.loads(plain(text)) == {"name": EVIL}


@pytest.mark.parametrize(
    "arguments",
    [["runs"], ["sync"], ["runs", "rm", "r1"], ["doctor"], ["sync", EVIL], ["runs", "rm", "--older", EVIL]],
)
def test_no_command_of_ours_lets_foreign_text_steer_the_terminal(arguments, own_world):
    run, folder = a_run(own_world, name=EVIL, run_id="r1", project=EVIL, to=["jsonl"])
    folder.rename(folder.with_name("r1"))
    folder = folder.with_name("r1")
    runs.write(folder, run._replace(name=EVIL, project=EVIL, state="finished", host="h"))
    (folder / runs.STATUS).write_text(json.dumps({"state": "done", "last": {EVIL: 1.0}}))
    (folder / runs.RECORDS).write_text("{}\n")
    Path("capture.yaml").write_text("group: " + json.dumps(EVIL) + "\n")
    done = capture(*arguments)
    assert not STEERING.search(done.stdout + done.stderr)
    assert not (arguments == ["runs"] and r"\x1b]52" not in done.stdout)


def test_names_that_are_escaped_stand_in_columns(own_world):
    names = {
        "r1": EVIL,
        "r2": "plain",
        "r3": "two\nlines\tand",
        "r4": "Gro\u0308\u00dfe",
        "r5": "\u8bad\u7ec3",
    }
    for number, (run_id, name) in enumerate(names.items()):
        run, folder = a_run(own_world, name=name, run_id=run_id, to=["jsonl"])
        runs.write(
            folder, run._replace(state="finished", start=run.start + number, end=run.start + number + 5)
        )
        (folder / runs.STATUS).write_text(json.dumps({"state": "done"}))
    lines = capture("runs", "--columns", "run,state,id").stdout.splitlines()
    assert len(lines) == 1 + len(names)
    # what a terminal shows: two columns a wide character, none for a mark above the letter before
    cells = [re.sub("[\u4e00-\u9fff]", "__", line.replace("\u0308", "")) for line in lines]
    assert {cell.index("finished") for cell in cells[1:]} == {cells[0].index("STATE")}
    assert {cell.rindex("r") for cell in cells[1:]} == {cells[0].index("ID")}


def test_the_closing_block_is_plain():
    assert not STEERING.search(block(EVIL, Summary(), [EVIL]))
