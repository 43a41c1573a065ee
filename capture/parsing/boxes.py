"""Boxes that are not drawn to their end: the program was killed, or what was copied of a log ends there.

Learning iteration 17/50000

       Mean reward: 2.69
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capture.console.frames import Frame
from capture.language.blocks import OpenBlock
from capture.language.patterns import Match
from capture.parsing.state import Reading, Unfinished


@dataclass
class UnfinishedBox(Unfinished):
    """A box that is being drawn.

    frame: from its first byte to the last one of the rows that are drawn
    readings: what its rows mean
    """

    block: OpenBlock
    frame: Frame
    readings: Callable[[Match, Frame], list[Reading] | None]

    def add(self, frame: Frame) -> None:
        """Add the frame of one more row."""
        self.frame = frame.since(self.frame.offset)

    def finish(self) -> list[Reading]:
        """What the rows mean that were drawn."""
        return self.readings(self.block.match, self.frame) or [] if self.block.rows else []
