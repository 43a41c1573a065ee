"""`capture help [COMMAND [SUBCOMMAND]]`: what there is, or the help of one command."""

from __future__ import annotations

from importlib import import_module

from capture.cli import COMMANDS, run_options
from capture.cli.arguments import Arguments

HEAD = """\
usage: capture [OPTIONS] -- COMMAND [ARGS...]
       COMMAND 2>&1 | capture [OPTIONS] -
       capture SUBCOMMAND ...

Experiment tracking for training programs that can't be changed.

for example:
  capture -- python train.py --lr 3e-4
  capture --project mnist --tag baseline --to wandb -- torchrun --nproc-per-node 2 train.py

"""
TAIL = "`capture help run` lists all options, `capture help SUBCOMMAND` those of another one."


def arguments() -> Arguments:
    """The options of `capture help`."""
    parser = Arguments(prog="capture help", description="Show what there is, or the help of a command.")
    parser.add_argument("command", nargs="?", metavar="COMMAND", choices=list(COMMANDS), help="such as runs")
    parser.add_argument("rest", nargs="?", metavar="SUBCOMMAND", help="such as rm")
    return parser


def main(argv: list[str]) -> int:
    """Print the help."""
    words = arguments().parse_args(argv)
    if words.command:
        rest = [words.rest] if words.rest else []
        status: int = import_module(f"capture.cli.{words.command}").main([*rest, "--help"])
        return status
    width = max(map(len, COMMANDS)) + 2
    subcommands = "\n".join(f"  {name:{width}}{text}" for name, text in COMMANDS.items())
    print(f"{HEAD}{_options()}\n\nsubcommands:\n{subcommands}\n\n{TAIL}")
    return 0


def _options() -> str:
    """The options that matter most."""
    parser = Arguments(add_help=False, usage="")
    run_options.add_main_options(parser)
    return parser.format_help().partition("\n\n")[2].strip()
