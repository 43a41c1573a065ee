"""The Tab key in bash, zsh and fish."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from helpers import capture

from capture.cli import COMMANDS

IN_BASH = """
PATH="$BIN:$PATH"
eval "$(capture completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
read -ra COMP_WORDS <<<"$1"
[[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_capture capture "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """A folder with a `capture` on PATH."""
    place = tmp_path_factory.mktemp("bin")
    (place / "capture").write_text(f'#!/bin/sh\nexec {sys.executable} -m capture "$@"\n')
    (place / "capture").chmod(0o755)
    return str(place)


def in_bash(line, shim):
    done = subprocess.run(
        ["bash", "-c", IN_BASH, "bash", line],
        env={**os.environ, "BIN": shim},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(("line", "words"), [
    ("capture ", set(COMMANDS)),
    ("capture pars", {"parse", "parsers"}),
    ("capture --proj", {"--project"}),
    ("capture runs r", {"rm"}),
    ("capture --dir x runs --proj", {"--project"}),
    ("capture parsers ex", {"explain"}),
    ("capture --summary ", {"auto", "always", "never"}),
    ("capture --to jsonl,tr", {"jsonl,trackio"}),
    ("capture help sy", {"sync"}),
    ("capture runs rm la", {"last"}),
])  # fmt: skip
def test_words_come_from_the_options_themselves(shim, line, words):
    assert set(in_bash(line, shim)) == words


def test_runs_and_projects_are_completed(shim):
    capture("--to", "jsonl", "--name", "baseline", "--project", "mnist", "--", "echo", "hello")
    assert in_bash("capture sync base", shim) == ["baseline"]
    assert in_bash("capture ui --project m", shim) == ["mnist"]


def test_behind_the_dashes_the_program_is_completed(shim):
    assert "python3" in in_bash("capture --name x -- python", shim)


@pytest.mark.skipif(not shutil.which("zsh"), reason="there is no zsh")
@pytest.mark.parametrize(("typed", "shown"), [
    ("capture --proj", "capture --project"), ("capture --name x -- ls --autho", "ls --author"),
])  # fmt: skip
def test_zsh_completes_too(shim, typed, shown):
    environ = {**os.environ, "PATH": f"{shim}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "READY> "}
    with pexpect.spawn(
        "zsh", ["-f"], env=environ, encoding="utf-8", timeout=100, dimensions=(40, 200)
    ) as tty:
        tty.expect_exact("READY> ")
        tty.sendline(
            'autoload -U compinit && compinit -u && eval "$(capture completion zsh)" && echo load""ed'
        )
        tty.expect_exact("loaded")
        tty.expect_exact("READY> ")
        tty.send(f"{typed}\t")
        tty.expect_exact(shown)


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish")
@pytest.mark.parametrize(("typed", "shown"), [
    ("capture --proj", "--project"), ("capture pars", "parsers"), ("capture --name x -- ls --no-gr", "--no-group"),
])  # fmt: skip
def test_fish_completes_too(shim, typed, shown):
    script = f"capture completion fish | source; complete -C '{typed}'"
    environ = {**os.environ, "PATH": f"{shim}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["fish", "-c", script],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert shown in [line.partition("\t")[0] for line in done.stdout.splitlines()], done.stderr
    assert Path("capture-runs").exists() is False
