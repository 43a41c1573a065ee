"""Writes the pages that are made of the code: `python tests/docs/generate.py`.  test_docs.py says when it has to be done."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent.parent


@cache
def help_of(name):
    """What `capture NAME --help` prints, 100 columns wide."""
    done = subprocess.run(
        [sys.executable, "-m", "capture", name, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
    )
    return done.stdout


def commands():
    """docs/commands.md: the help of each command."""
    from capture.cli import COMMANDS

    head = "# Commands\n\nThe help of each command, as `capture COMMAND --help` prints it.\n"
    return head + "".join(f"\n## capture {name}\n\n```text\n{help_of(name)}```\n" for name in COMMANDS)


def formats():
    """docs/formats.md: what each built-in parser reads, with the first of its samples."""
    from capture.language import library

    parsers = [parser for parser, _ in library.built_in()]
    head = f"""# What is read

The {len(parsers)} built-in parsers in the order in which they are tried, each with a sample of what it reads and the records that it gives; made
of the parsers themselves, whose samples are tests.  Those marked *from logs* were written from logs that people have published, and not tried
with the program.  What none of them knows is read by `general`, by tables and bars of any program, or by [a parser of your own](parsers.md).
`capture parsers show NAME` prints one.
"""
    return head + "".join(_format(parser) for parser in parsers)


def _format(parser):
    sample = next(one for one in parser.samples if one.gives != "nothing")
    given = sample.gives if isinstance(sample.gives, list) else [sample.gives]
    records = yaml.safe_dump(
        [_plain(one) for one in given],
        default_flow_style=None,
        sort_keys=False,
        width=1000,
        allow_unicode=True,
    )
    title = parser.title or parser.name
    about = f"`{parser.name}`" + (f", [{_shown(parser.url)}]({parser.url})" if parser.url else "")
    about += ", *from logs*" if parser.unverified else ""
    text = "".join(f"    {line}\n" for line in sample.text.rstrip().splitlines())
    return f"\n## {title}\n\n{about}\n\n{text}\ngives\n\n" + "".join(
        f"    {line}\n" for line in records.splitlines()
    )


def _shown(url):
    return re.sub(r"^https?://(www\.)?", "", url).rstrip("/")


def _plain(given):
    return given if isinstance(given, dict) else given.model_dump(exclude_unset=True)


PAGES = {"commands.md": commands, "formats.md": formats}

if __name__ == "__main__":
    for name, write in PAGES.items():
        (ROOT / "docs" / name).write_text(write(), encoding="utf-8")
