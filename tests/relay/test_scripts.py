"""Ctrl-C in a script, a recipe, a loop: the shell that started capture decides as it does without it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from helpers import CAPTURE, eventually

CALL = [*CAPTURE, "--summary", "never", "--to", "jsonl", "--wait", "0", "--"]
OURS = " ".join(CALL)
SLEEPS = "sh -c 'echo be\"\"gan; exec sleep 20'"  # nothing that shows this line shows what it prints
TRIES = 6
HANDLES = 'sh -c \'trap "echo caught; exit 3" INT; echo be""gan; sleep 20\''


def after_a_key(command, key="c"):
    """What a program shows, and how it ends, when a key is typed whenever it shows "began"."""
    child = pexpect.spawn(command[0], command[1:], dimensions=(24, 200), timeout=100, encoding="utf-8")
    shown = []
    while child.expect(["began", pexpect.EOF]) == 0:
        shown.append(child.before)
        child.sendcontrol(key)
    shown.append(child.before)
    child.close()
    text = "began".join(shown).replace("\r\n", "\n").replace("^C", "").replace("^\\", "")
    text = re.sub(r".*line 1: +\d+ (Quit).*", r"\1", text)  # what a shell says of it names the process
    return text, child.exitstatus, child.signalstatus


def the_same(command, **more):
    """That of the command bare, which has to be that with capture, too."""
    return same_outcome(
        lambda: after_a_key([word.replace("OURS ", "") for word in command], **more),
        lambda: after_a_key([word.replace("OURS", OURS) for word in command], **more),
    )


def same_outcome(bare, ours):
    """What both give.  A key reaches a shell and its child at once: who is first is a race, also without capture."""
    of_bare, of_ours = set(), set()
    for _ in range(TRIES):
        of_bare.add(bare())
        of_ours.add(ours())
        if both := of_bare & of_ours:
            return both.pop()
    raise AssertionError(f"bare: {of_bare}, with capture: {of_ours}")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"no {program}")


SHELLS = ["bash", "dash", "zsh"]
OPTIONS = {"bash": ["--norc"], "zsh": ["-f"], "dash": []}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("key", ["c", "\\"])
def test_a_loop_in_a_script_ends(shell, key):
    need(shell)
    Path("script").write_text(f"for s in 1 2 3; do OURS {SLEEPS}; done; echo over\n")
    for name, text in (("bare", ""), ("ours", OURS)):
        Path(name).write_text(Path("script").read_text().replace("OURS", text))
    bare, ours = (after_a_key([shell, *OPTIONS[shell], name], key) for name in ("bare", "ours"))
    assert ours == bare
    if key == "c":
        assert bare[0].count("began") == 1
        assert (bare[1], bare[2]) != (0, None)


@pytest.mark.parametrize("shell", SHELLS)
def test_what_comes_next_in_a_line_is_not_run(shell):
    need(shell)
    text, *how = the_same([shell, *OPTIONS[shell], "-c", f"OURS {SLEEPS}; echo next; true"])
    assert "next" not in text
    assert how != [0, None]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_that_handles_the_key_is_followed_by_what_bare_follows(shell):
    need(shell)
    the_same([shell, *OPTIONS[shell], "-c", f"OURS {HANDLES}; echo next $?; true"])


@pytest.mark.parametrize("shell", SHELLS)
def test_a_loop_that_is_typed_ends_and_the_shell_goes_on(shell):
    need(shell)
    found = []
    for prefix in ("", OURS):
        child = pexpect.spawn(shell, [*OPTIONS[shell], "-i"], dimensions=(24, 250), timeout=100, encoding="utf-8",
                              env={**os.environ, "PS1": "$ ", "ENV": ""})  # fmt: skip
        child.expect_exact("$ ")
        child.sendline(f"for s in 1 2 3; do {prefix} {SLEEPS}; done")
        child.expect("began\r\n")
        child.sendintr()
        child.expect_exact("$ ")
        again = "began" in child.before
        child.sendline("echo status-$?; stty -a | grep -o -e '-\\?icanon' -e '-\\?echo '")
        child.expect(r"status-(\d+)")
        status = child.match[1]
        child.expect(r"(-?icanon).*(-?echo )")
        found.append((again, status, child.match[1], child.match[2]))
        child.close(force=True)
    assert found[1] == found[0]
    assert found[0][0] is False


def test_make_stops_in_spite_of_a_dash():
    need("make")
    recipe = f"\t-@OURS {SLEEPS}\n"
    for name, prefix in (("bare", ""), ("ours", OURS)):
        Path(name).write_text("all:\n" + recipe.replace("OURS", prefix) * 3)
    bare, ours = (after_a_key(["make", "-f", name]) for name in ("bare", "ours"))
    assert bare[0].count("began") == ours[0].count("began") == 1
    # Either is what make does by itself: it depends on whether it notices the signal or its child's end first.
    stopped = [((2, None), 0), ((None, 2), 1)]
    for text, *how in (bare, ours):
        assert (*how, text.count("Interrupt")) in [(*ended, said) for ended, said in stopped]


def test_xargs_stops():
    need("xargs")
    text, *how = the_same(["sh", "-c", f"echo 1 2 3 | xargs -n 1 OURS {SLEEPS}; echo status $?"])
    assert (text.count("began"), how) == (1, [0, None]) or how != [0, None]


def test_under_timeout():
    need("timeout", "bash")
    prefix = "timeout 60"

    def outcome(ours):
        child = pexpect.spawn("bash", ["--norc", "-i"], dimensions=(24, 250), timeout=100, encoding="utf-8",
                              env={**os.environ, "PS1": "$ "})  # fmt: skip
        child.expect_exact("$ ")
        child.sendline(f"{prefix} {ours} {SLEEPS}; echo next")
        child.expect("began\r\n")
        child.sendintr()
        child.expect_exact("$ ")
        before = child.before
        child.sendline("echo status-$?")
        child.expect(r"status-(\d+)")
        child.close(force=True)
        return "next" in before, child.match[1]

    same_outcome(lambda: outcome(""), lambda: outcome(OURS))


def test_the_key_is_a_signal_only_where_the_terminal_makes_one_of_it():
    """In raw mode, and behind Ctrl-V, it is a character: the shell outside gets nothing."""
    reads = "import os, sys, tty\ntty.setraw(0)\nos.write(1, b'began')\nkey = os.read(0, 1)\nos.write(1, repr(key).encode())"
    Path("raw.py").write_text(reads)
    script = f"trap 'echo the shell got it' INT; OURS {sys.executable} raw.py; echo; echo next"
    text, status, _ = the_same(["bash", "-c", script])
    assert text.endswith("b'\\x03'\nnext\n")
    assert status == 0


def test_where_no_key_is_the_signals_a_zero_byte_is_a_character():
    script = f"trap 'echo the shell got it' INT; stty intr undef; {OURS} sh -c 'echo began; read -r line; echo got'; echo next"
    child = pexpect.spawn("bash", ["-c", script], timeout=100, encoding="utf-8")
    child.expect("began\r\n")
    child.send("\x00\x03x\r")
    child.expect("got\r\nnext\r\n")
    assert "the shell got it" not in child.before


def test_a_quoted_key_is_a_character():
    script = f"trap 'echo the shell got it' INT; {OURS} sh -c 'echo began; read -r line; echo got $line'; echo next"
    child = pexpect.spawn("bash", ["-c", script], timeout=100, encoding="utf-8")
    child.expect("began\r\n")
    child.send("\x16\x03x\r")
    child.expect("got \x03x\r\nnext\r\n")
    child.expect(pexpect.EOF)


def test_a_job_of_a_shell_under_capture_gets_the_key_alone():
    """Its terminal's foreground is the job's group: the script outside is not meant."""
    need("bash")
    script = f"trap 'echo outside got it' INT; export PS1='$ '; {OURS} bash --norc -i; echo next $?"
    child = pexpect.spawn("bash", ["-c", script], dimensions=(24, 200), timeout=100, encoding="utf-8")
    child.expect_exact("$ ")
    child.sendline(SLEEPS)
    child.expect("began\r\n")
    child.sendintr()
    child.expect_exact("$ ")
    child.sendline("exit 5")
    child.expect("next 5")
    assert "outside got it" not in child.before


def test_the_whole_group_gets_the_key_once():
    counts = (
        "import os, signal, subprocess, sys, time\nhits = []\nsignal.signal(signal.SIGINT, lambda *a: hits.append(1))\n"
        f"subprocess.call({[*CALL, 'sh', '-c']!r} + ['echo began; exec sleep 20'])\n"
        "time.sleep(0.3)\nprint('hits', len(hits))"
    )
    Path("counts.py").write_text(counts)
    child = pexpect.spawn(sys.executable, ["counts.py"], timeout=100, encoding="utf-8")
    child.expect("began")
    child.sendintr()
    child.expect("hits (\\d+)")
    assert child.match[1] == "1"


def test_in_tmux():
    need("tmux", "bash")
    Path("script").write_text(f"for s in 1 2 3; do {OURS} {SLEEPS}; done; echo over\n")
    Path("pane").write_text("trap : INT; bash script; echo status-$? >out; sleep 60\n")

    def tmux(*words):
        command = ["tmux", "-L", f"capture-test-{os.getpid()}", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "bash pane")
    try:
        eventually(lambda: "began" in tmux("capture-pane", "-p"))
        tmux("send-keys", "C-c")
        eventually(lambda: Path("out").exists() and Path("out").read_text())
        assert Path("out").read_text() == "status-130\n"
        assert tmux("capture-pane", "-p").count("began") == 1
    finally:
        tmux("kill-server")
