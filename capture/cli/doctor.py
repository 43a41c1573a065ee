"""`capture doctor`: what is installed, found and reachable, and what would happen to a run started here."""

from __future__ import annotations

import os

from capture.cli.arguments import Arguments
from capture.settings.diagnosis import examine


def arguments() -> Arguments:
    """The options of `capture doctor`."""
    return Arguments(
        prog="capture doctor",
        description="Say what is installed, found and reachable, which backend a run would go to and why, "
        "and which setting comes from where.  Exit status 1 if something should be done.",
    )


def main(argv: list[str]) -> int:
    """Run `capture doctor`."""
    arguments().parse_args(argv)
    topic, wrong = "", 0
    for finding in examine(os.getcwd(), os.environ):
        if finding.topic != topic:
            topic = finding.topic
            print(topic)
        print(f"  {'!' if finding.wrong else ' '} {finding.text}")
        wrong += finding.wrong
    print("all is well" if not wrong else f"{wrong} to look at, marked !")
    return 1 if wrong else 0
