"""`capture sweep`: many runs of an unchanged command, and which of them is best."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from capture.cli import run_options
from capture.cli.arguments import Arguments, AsWritten
from capture.delivery import install
from capture.errors import UserError

ACTIONS = ("status", "stop", "best")
NEEDS = ("optuna", "tomlkit")


def arguments() -> Arguments:
    """The options of `capture sweep`."""
    parser = Arguments(
        prog="capture sweep",
        usage="capture sweep SWEEP.yaml [OPTIONS] [-- COMMAND]\n"
        "       capture sweep NAME=VALUES... [OPTIONS] -- COMMAND\n"
        "       capture sweep status|stop|best [SWEEP]",
        formatter_class=AsWritten,
        description="Run a command many times with other values, and find the best.  SWEEP.yaml is\n"
        "a file of W&B's; the short form:\n\n"
        "  lr=0.01,0.1        these values            n=1..8         whole numbers\n"
        "  lr=1e-4..1e-1      a range; in logarithms where it spans two decades or more\n"
        "  drop=0..0.5:0.1    every 0.1 of a range\n\n"
        "COMMAND gets a value where {NAME} is in it, else as --NAME=VALUE at its end.",
    )
    add = parser.add_argument
    add(
        "words", nargs="*", metavar="FILE|NAME=VALUES|SWEEP", help="what is tried, or the sweep that is meant"
    )
    add(
        "--method",
        choices=("grid", "random", "bayes"),
        help="how values are chosen (default: grid; random where a range has no end of values)",
    )
    add("--metric", metavar="METRIC", help="what is judged: 'min val_loss', 'max acc'")
    add("--count", type=_count, metavar="N", help="trials in all; more of them later with --resume")
    add(
        "--workers",
        type=_count,
        metavar="N",
        help="trials at once on this machine (default: 1, or one for each of --gpus)",
    )
    add("--gpus", metavar="LIST", help="the GPUs for the trials, one each, such as 0,1,2,3")
    add(
        "--config-file",
        metavar="FILE",
        help="a file (YAML, JSON, TOML, INI) that configures COMMAND: each trial gets a copy with its values",
    )
    add(
        "--storage",
        metavar="FILE|URL",
        help="where workers on several machines meet: a file that all of them see, or postgresql://...",
    )
    add("--id", metavar="ID", help="the sweep's id: who gives the same joins the sweep")
    add("--resume", metavar="SWEEP", help="go on with a sweep, or join it: its id, or last")
    add(
        "--dead-after",
        type=run_options.seconds,
        default=60.0,
        metavar="SECONDS",
        help="a worker elsewhere that is silent for so long is taken for dead (default: 60)",
    )
    add("--project", metavar="PROJECT", help="the runs' project (default: the sweep's, or the folder's name)")
    add("--name", metavar="NAME", help="what the sweep is called")
    add("--to", metavar="BACKENDS", help="where the runs go, as in capture run")
    add("--tag", action="append", dest="tags", metavar="TAG", help="a tag for each run; may be repeated")
    add("--parser", action="append", default=[], metavar="FILE", help="a parser of your own; may be repeated")
    add("--json", action="store_true", help="status and best: as JSON")
    run_options.add_dir_option(parser)
    return parser


def main(argv: list[str]) -> int:
    """Run `capture sweep`."""
    cut = argv.index("--") if "--" in argv else len(argv)
    options = _parsed(argv[:cut])
    command = argv[cut + 1 :]
    if absent := [module for module in NEEDS if not install.is_there(module)]:
        how = install.command(install.of_extra(install.DISTRIBUTION, "sweep") or absent)
        raise UserError(f"{absent[0]} is not installed beside capture; install it with: {how}")
    from capture.sweep import session  # slow

    words: list[str] = options.words
    if words and words[0] in ACTIONS:
        return _act(session.Session.find(options, words[1:]), words[0], options)
    opened = session.Session.begin(options, words, command)
    return opened.work(sys.stdout)


def _act(opened: Any, action: str, options: argparse.Namespace) -> int:
    """Show a sweep, or stop it."""
    if action == "stop":
        print(opened.stop())
        return 0
    if options.json:
        found = opened.as_json()
        json.dump(found["best"] if action == "best" else found, sys.stdout, indent=2, ensure_ascii=False)
        print()
        return 0 if action == "status" or found["best"] else 1
    if action == "best":
        line = opened.best_command()
        if line is None:
            raise UserError(f"no trial of {opened.name} has ended with a value yet")
        print(line)
        return 0
    print("\n".join(opened.closing()))
    return 0


def _parsed(argv: list[str]) -> argparse.Namespace:
    """The options; the other words may come before, between and after them."""
    parser = arguments()
    found, rest = argparse.ArgumentParser.parse_known_args(parser, argv)
    if any(word.startswith("-") for word in rest):
        return parser.parse_args(argv)  # says what is wrong
    found.words += rest
    return found


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: should be a whole number from 1 on")
    return int(text)
