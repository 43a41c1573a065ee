"""`capture completion SHELL`: what makes the Tab key complete commands, options, runs and backends.

The words come from the definitions of the options themselves, read by `argcomplete` when the key is pressed.
Behind the two dashes the shell completes as it would complete the command by itself.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import argcomplete
from argcomplete.completers import BaseCompleter, DirectoriesCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

from capture import settings
from capture.cli import COMMANDS, run
from capture.cli.arguments import Arguments, AsWritten
from capture.runs import Run

# Put around argcomplete's own function.
BASH = """\
_capture() {
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} == -- ]]; then
      if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset $((i + 1))
      elif declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((i + 1 == COMP_CWORD)); then
        COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
      fi
      return
    fi
  done
  _python_argcomplete "$@"
}
complete -o nospace -o default -o bashdefault -F _capture capture
"""
ZSH = """\
_capture() {
  local i=${words[(i)--]}
  if ((i < CURRENT)); then
    words=("${(@)words[i + 1, -1]}")
    ((CURRENT -= i))
    _normal
  else
    _python_argcomplete "$@"
  fi
}
compdef _capture capture
"""
FISH = """\
function __capture_behind
  contains -- -- (commandline -opc)
end
function __capture_command
  set -l words (commandline -opc)
  set -l behind (math (contains -i -- -- $words) + 1)
  set -l command
  test $behind -le (count $words); and set command (string escape -- $words[$behind..-1])
  string join -- " " $command (commandline -ct)
end
complete --command capture --erase
complete --command capture -f -n 'not __capture_behind' -a '(__fish_capture_complete)'
complete --command capture -f -n '__capture_behind' -a '(complete -C (__capture_command))'
"""
SHELLS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def arguments() -> Arguments:
    """The options of `capture completion`."""
    parser = Arguments(
        prog="capture completion",
        formatter_class=AsWritten,
        description="Print what makes the Tab key complete commands, options, runs and backends.\n"
        "Put the line of your shell into its start file:\n\n"
        '  ~/.bashrc                   eval "$(capture completion bash)"\n'
        '  ~/.zshrc, after compinit    eval "$(capture completion zsh)"\n'
        "  ~/.config/fish/config.fish  capture completion fish | source",
    )
    parser.add_argument("shell", metavar="SHELL", choices=list(SHELLS), help=", ".join(SHELLS))
    return parser


def main(argv: list[str]) -> int:
    """Print the shell's code."""
    shell = arguments().parse_args(argv).shell
    print(shellcode(["capture"], shell=shell))
    print(SHELLS[shell], end="")
    return 0


def answer() -> int:
    """Answer the shell, which asks through variables what may come at the cursor."""
    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0") or 0)]
    argcomplete.autocomplete(_everything(line), default_completer=Candidates(), always_complete_options=False)
    return 1


def _everything(line: str) -> Arguments:
    """One parser of all commands; of those that are not in the line only the names."""
    parser = run.arguments(with_words=False)
    commands = parser.add_subparsers()
    words = line.split()[1:]
    for name, text in COMMANDS.items():
        own = import_module(f"capture.cli.{name}").arguments() if name in words else None
        commands.add_parser(name, help=text, parents=[own] if own else [], add_help=False)
    return parser


class Candidates(BaseCompleter):
    """What may come where an argument is wanted, by the word that the help has for it."""

    def __call__(
        self, *, prefix: str, action: argparse.Action, parser: Any, parsed_args: Any
    ) -> Iterable[str]:
        """All that begins with the prefix, and maybe more."""
        kinds = str(action.metavar or action.dest).split("|")
        found: list[str] = []
        if "RUN" in kinds:
            found += ["last", *(name for run in _all_runs(parsed_args) for name in (run.name, run.id))]
        if "PROJECT" in kinds:
            found += [run.project for run in _all_runs(parsed_args)]
        if "SWEEP" in kinds:
            found += ["status", "stop", "best", *(run.group for run in _all_runs(parsed_args) if run.group)]
        if "BACKENDS" in kinds:
            from capture.delivery import registry

            before = prefix[: prefix.rfind(",") + 1]
            found += [before + name for name in registry.names() if ":" not in name]
        if "FILE" in kinds:
            found += FilesCompleter()(prefix)
        if "FOLDER" in kinds:
            found += DirectoriesCompleter()(prefix)
        return dict.fromkeys(found)


def _all_runs(options: argparse.Namespace) -> list[Run]:
    """The runs in the folder that the options and the settings say."""
    from capture.runs import status

    given = {"dir": getattr(options, "dir", None)}
    base = settings.load(os.getcwd(), os.environ, given)["dir"]
    return [run for _, run in status.identities(Path(base))]
