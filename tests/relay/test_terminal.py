"""In a terminal: the command sees one, and the keyboard, the size and job control work as without capture."""

import os
import select
import signal
import sys
from pathlib import Path

import pexpect
import pytest
from helpers import CAPTURE, eventually, run_in_progress, where_it_stands

from capture import runs

LINE = " ".join([*CAPTURE, "--summary", "never", "--to", "jsonl", "--"])


@pytest.fixture
def terminal():
    """Starts programs on a terminal of 33 rows and 99 columns; ends those that are left."""
    started = []

    def start(command, *args, **more):
        child = pexpect.spawn(command, list(args), dimensions=(33, 99), timeout=100, encoding="utf-8", **more)
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def captured(*command, options=("--summary", "never", "--to", "jsonl")):
    return [*CAPTURE, *options, "--", *command]


def python(code, *options):
    return captured(sys.executable, "-c", code, **({"options": options} if options else {}))


def test_all_three_streams_are_terminals_of_the_same_size(terminal):
    child = terminal(*python("import os; print([os.isatty(n) for n in (0, 1, 2)], os.get_terminal_size())"))
    child.expect(r"\[True, True, True\] os.terminal_size\(columns=99, lines=33\)")
    child.expect(pexpect.EOF)


def test_the_size_follows(terminal):
    code = (
        "import os, signal\n"
        "say = lambda *a: os.write(1, b'now %d\\n' % os.get_terminal_size().columns)\n"
        "signal.signal(signal.SIGWINCH, say)\nos.write(1, b'ready')\nwhile True: signal.pause()"
    )
    child = terminal(*python(code))
    child.expect("ready")
    child.setwinsize(20, 44)
    child.expect("now 44")


def test_ctrl_c_reaches_the_command_once(terminal):
    code = (
        "import os, signal, time\nhits = []\nsignal.signal(signal.SIGINT, lambda *a: hits.append(1))\n"
        "print('ready', flush=True)\nwhile not hits: time.sleep(0.01)\n"
        "time.sleep(0.3)\nprint('hits', len(hits))"  # a second one would have come by now
    )
    child = terminal(*python(code))
    child.expect("ready")
    child.sendintr()
    child.expect(r"hits (\d+)")
    assert child.match[1] == "1"


@pytest.mark.parametrize(("key", "name"), [("c", "SIGINT"), ("\\", "SIGQUIT")])
def test_ctrl_c_and_ctrl_backslash_end_the_command_and_capture_like_it(terminal, key, name):
    child = terminal(*captured("sleep", "60"))
    folder = run_in_progress()
    eventually(lambda: (folder / runs.STATUS).exists())
    child.sendcontrol(key)
    child.expect(pexpect.EOF)
    child.close()
    assert child.signalstatus == getattr(signal, name)


def test_echo_editing_and_end_of_file(terminal):
    child = terminal(*captured("cat"))
    child.sendline("hello")
    child.expect("hello\r\nhello\r\n")
    child.sendeof()
    child.expect(pexpect.EOF)


def test_a_password_is_not_shown(terminal):
    child = terminal(*python("import getpass; print('got', getpass.getpass('Password: '))"))
    child.expect("Password: ")
    child.sendline("tomato")
    child.expect("\r\ngot tomato")
    assert "tomato" not in child.before


def test_a_large_paste_arrives_whole(terminal):
    child = terminal(*python(
        "import sys, tty, os\ntty.setraw(0)\nos.write(1, b'ready')\nn = 0\n"
        "while n < 200000: n += len(os.read(0, 4096))\nos.write(1, b'all %d' % n)"
    ))  # fmt: skip
    child.expect("ready")
    child.send("x" * 200_000)
    child.expect("all 200000")


def test_a_program_that_ends_without_reading_all_that_was_typed(terminal):
    child = terminal(*python(
        "import os, time, tty\ntty.setraw(0)\nos.write(1, b'ready')\ntime.sleep(3)\nos.write(1, b'over')"
    ))  # fmt: skip
    child.expect("ready")
    os.set_blocking(child.child_fd, False)  # whoever types would wait for ever once nobody reads
    while select.select([], [child.child_fd], [], 0.5)[1]:  # until all terminals on the way are full
        os.write(child.child_fd, b"x" * 1000)
    child.expect("over")
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, child.before) == (0, "")


def test_a_program_that_asks_the_terminal_gets_its_answer(terminal):
    child = terminal(*python(
        "import os, tty\ntty.setraw(0)\nos.write(1, b'\\x1b[6n')\n"
        "answer = os.read(0, 32)\nos.write(1, b'answer ' + answer[2:-1])"
    ))  # fmt: skip
    child.expect_exact("\x1b[6n")
    child.send("\x1b[12;34R")
    child.expect("answer 12;34")


@pytest.mark.parametrize("end", ["exit", "SIGTERM", "SIGHUP"])
def test_the_terminal_is_as_before_afterwards(terminal, end):
    shell = terminal("sh", "-c", f"stty -a; {LINE} sh -c 'echo ready; read x'; echo; stty -a; echo over")
    shell.expect("ready")
    before = [line for line in shell.before.split("\r\n") if "echo" in line]
    pid = runs.read(run_in_progress()).pid
    if end == "exit":
        shell.sendline("x")
    else:
        os.kill(pid, getattr(signal, end))
    shell.expect("over")
    assert [line for line in shell.before.split("\r\n") if "echo" in line] == before


def test_ctrl_z_and_fg(terminal):
    shell = terminal("bash", "--norc", "--noprofile", "-i", env={**os.environ, "PS1": "$ "})
    shell.expect_exact("$ ")
    code = "import time\nfor i in range(2000): print('tick', i, flush=True); time.sleep(0.02)"
    shell.sendline(f"{LINE} {sys.executable} -c \"exec('''{code.replace(chr(10), chr(92) + 'n')}''')\"")
    shell.expect(r"tick 5\r")
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.expect_exact("$ ")
    shell.sendline("echo modes $(stty -a | grep -o ' -\\?icanon')")
    shell.expect("modes icanon")
    shell.expect_exact("$ ")
    shell.sendline("fg")
    shell.expect(r"tick \d+\r\n")
    shell.sendintr()
    shell.expect("KeyboardInterrupt")
    shell.expect_exact("$ ")


def test_ctrl_z_and_bg(terminal):
    Path("ticks.py").write_text(
        "import time\nfor i in range(2000): print('tick', i, flush=True); time.sleep(0.02)"
    )
    shell = terminal("bash", "--norc", "--noprofile", "-i", env={**os.environ, "PS1": "$ "})
    shell.expect_exact("$ ")
    shell.sendline(f"{LINE} {sys.executable} ticks.py")
    shell.expect(r"tick 5\r")
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.expect_exact("$ ")
    shell.sendline("bg")
    shell.expect(r"tick \d+\r\n")
    shell.sendline("echo the shell has the $((2 * 21)) keys")  # and not the command
    shell.expect("the shell has the 42 keys")
    shell.expect(r"tick \d+\r\n")
    shell.sendline("kill %1; wait %1; echo status $?")
    shell.expect("status 143")


def test_in_the_background_it_leaves_the_terminal_alone(terminal):
    shell = terminal("bash", "--norc", "--noprofile", "-i", env={**os.environ, "PS1": "$ "})
    shell.expect_exact("$ ")
    shell.sendline("stty tostop")
    shell.expect_exact("$ ")
    shell.sendline(f"{LINE} echo from behind &")
    shell.expect("from behind")
    shell.sendline("echo modes $(stty -a | grep -o ' -\\?icanon')")
    shell.expect("modes icanon")


def test_in_a_pipeline_the_keyboard_is_the_pagers(terminal):
    shell = terminal("sh", "-c", f"{LINE} echo piped | {{ cat; read line </dev/tty; echo pager got $line; }}")
    shell.expect("piped")
    shell.sendline("keys")
    shell.expect("pager got keys")


@pytest.mark.parametrize("outside", ["echo piped | {}", "{} | cat", "{} </dev/null", "{} 2>/dev/null | cat"])
def test_a_program_whose_streams_are_pipes_can_still_ask_at_the_terminal(terminal, outside):
    ask = "sh -c 'printf name? >/dev/tty; read name </dev/tty; echo hello $name'"
    shell = terminal("sh", "-c", outside.format(f"{LINE} {ask}"))
    shell.expect_exact("name?")
    shell.sendline("Ada")
    shell.expect("hello Ada")
    shell.expect(pexpect.EOF)


@pytest.mark.parametrize("outside", ["{}", "{} </dev/null", "{} >/dev/null", "{} | cat", "{} & wait $!"])
def test_each_line_ends_as_without_capture(terminal, outside):
    program = f"{sys.executable} -c \"import os; os.write(1, b'a\\n' * 3); os.write(2, b'b\\n')\""
    shown = []
    for prefix in ("", LINE):
        shell = terminal("sh", "-c", outside.format(f"{prefix} {program}"))
        shell.expect(pexpect.EOF)
        shown.append(sorted(shell.before.split("\n")))
    assert shown[0] == shown[1]


def test_what_is_left_in_the_background_lives_on(terminal):
    child = terminal(
        *captured("sh", "-c", "sleep 30 & echo pid $!", options=("--linger", "0.2", "--to", "jsonl"))
    )
    child.expect(r"pid (\d+)")
    pid = int(child.match[1])
    child.expect(pexpect.EOF)
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


def test_the_closing_block_comes_last_and_only_here(terminal):
    child = terminal(*python("print('epoch 1: loss=0.5 acc=0.75')", "--to", "jsonl"))
    child.expect("epoch 1: loss=0.5 acc=0.75\r\n")
    child.expect(r"capture: project/python[\d.]*-\d+: exit status 0")
    child.expect("jsonl: capture-runs/project/")
    child.expect(pexpect.EOF)


def test_modes_are_taken_over_from_the_outer_terminal(terminal):
    child = terminal("sh", "-c", f"stty erase '^G'; {LINE} stty -a")
    child.expect(r"erase = \^G")


def test_where_no_pseudo_terminal_is_left_the_command_runs_on_pipes_and_gets_ctrl_c_once(terminal):
    code = (
        "import os, signal, time\nhits = []\nsignal.signal(signal.SIGINT, lambda *a: hits.append(1))\n"
        "print('ready', os.isatty(0), os.isatty(1), flush=True)\nwhile not hits: time.sleep(0.01)\n"
        "time.sleep(0.3)\nprint('hits', len(hits))"  # a second one would have come by now
    )
    Path("driver.py").write_text(
        "import os, sys\ndef openpty(): raise OSError(28, 'No space left on device')\n"
        "os.openpty = openpty\nfrom capture.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    child = terminal(sys.executable, "driver.py", *captured(sys.executable, "-c", code)[len(CAPTURE) :])
    child.expect("ready True False")
    eventually(lambda: where_it_stands(child.pid) == "sleeping")  # its start is over
    child.sendintr()
    child.expect(r"hits (\d+)")
    assert child.match[1] == "1"
    child.expect(pexpect.EOF)
