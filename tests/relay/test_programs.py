"""Full-screen programs and a real terminal emulator: `tmux` shows the same screen with and without capture."""

import itertools
import os
import subprocess
import sys

import pexpect
import pytest
from helpers import CAPTURE, eventually, needs

OURS = " ".join([*CAPTURE, "--summary", "never", "--to", "jsonl", "--wait", "0", "--"])
_sockets = itertools.count()


@pytest.fixture
def tmux():
    """A function that calls tmux; each `new-session` gets a server of its own, which ends with the test."""
    names = []

    def call(*arguments):
        if arguments[0] == "new-session":
            names.append(f"capture-test-{os.getpid()}-{next(_sockets)}")
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-L", names[-1], *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    yield call
    for name in names:
        subprocess.run(["tmux", "-L", name, "kill-server"], capture_output=True, check=False)


def screen(tmux):
    return tmux("capture-pane", "-p", "-e")


def shows(tmux, text):
    return eventually(lambda: text in (shown := screen(tmux)) and shown)


@needs("tmux")
@needs("less")
def test_less_in_tmux_looks_the_same_and_gets_its_keys(tmux):
    with open("numbers", "w") as file:
        file.writelines(f"line {n}\n" for n in range(500))
    screens = []
    for prefix in ("", OURS):
        tmux("new-session", "-d", "-x", "80", "-y", "24", f"{prefix} less -S numbers; exec sleep 60")
        first = shows(tmux, "line 20")
        tmux("send-keys", " ")
        shows(tmux, "line 40")
        tmux("send-keys", "G")
        last = shows(tmux, "line 499")
        tmux("resize-window", "-x", "60", "-y", "10")
        eventually(lambda: screen(tmux).count("line") == 9)
        # less loses a key that it reads in the moment in which the size changes: q until it has ended.
        eventually(
            lambda: (
                tmux("send-keys", "q") or "sleep" in tmux("display-message", "-p", "#{pane_current_command}")
            )
        )
        screens.append((first, last))
    assert screens[0] == screens[1]


@needs("tmux")
@needs("vim.tiny")
def test_vim_in_tmux_edits_a_file(tmux):
    tmux(
        "new-session", "-d", "-x", "80", "-y", "24", f"{OURS} vim.tiny -u NONE notes; stty -a; exec sleep 60"
    )
    shows(tmux, "notes")
    tmux("send-keys", "i", "written under capture", "Escape", ":wq", "Enter")
    shown = shows(tmux, "icanon")
    assert " icanon" in shown
    assert "-icanon" not in shown
    with open("notes") as file:
        assert file.read() == "written under capture\n"


@needs("tmux")
@needs("top")
def test_top_in_tmux_draws_and_quits(tmux):
    tmux("new-session", "-d", "-x", "100", "-y", "24", f"{OURS} top -d 1; echo over; exec sleep 60")
    shows(tmux, "COMMAND")
    tmux("send-keys", "q")
    shows(tmux, "over")


@needs("tmux")
def test_a_bar_with_cursor_moves_looks_the_same_in_tmux(tmux):
    with open("bars.py", "w") as file:
        file.write(
            "import sys\nfor i in range(50):\n"
            " sys.stdout.write(f'\\x1b[31mtop {i}\\x1b[K\\n\\x1b[32minner {i * 7}\\x1b[K\\x1b[A\\r'); sys.stdout.flush()\n"
            "sys.stdout.write('\\n\\n\\x1b[0mdone\\n')\n"
        )
    screens = []
    for prefix in ("", OURS):
        tmux("new-session", "-d", "-x", "80", "-y", "24", f"{prefix} {sys.executable} bars.py; exec sleep 60")
        screens.append(shows(tmux, "done"))
    assert screens[0] == screens[1]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (rb"\x1b[6n", b"\x1b[12;34R"),  # where is the cursor?
        (rb"\x1b[c", b"\x1b[?62;22c"),  # which terminal are you?
        (rb"\x1bP+q544e\x1b\\", b"\x1bP1+r544e=787465726d\x1b\\"),  # XTGETTCAP: what is your name?
        (rb"\x1b]11;?\x1b\\", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),  # which background?
    ],
)
def test_a_program_that_waits_for_the_terminals_answer_gets_it(query, answer):
    code = (
        f"import os, sys, tty\ntty.setraw(0)\nos.write(1, b'{query.decode()}')\nread = b''\n"
        f"while len(read) < {len(answer)}: read += os.read(0, 64)\nos.write(1, b' got ' + read.hex().encode())"
    )
    child = pexpect.spawn(
        CAPTURE[0], [*CAPTURE[1:], "--summary", "never", "--to", "jsonl", "--", sys.executable, "-c", code],
        timeout=100,
    )  # fmt: skip
    child.expect_exact(query.decode().encode().decode("unicode_escape").encode("latin-1"))
    child.send(answer)
    child.expect_exact(b" got " + answer.hex().encode())
    child.expect(pexpect.EOF)
    child.close()
