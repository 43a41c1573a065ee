"""Text that a narrow terminal has wrapped inside its column: the lines below go on where it began.

Epoch 0/2 ━━━━━━╺━━━━━ 10/20 0:00:01 • train_loss: 0.471 train_acc:
                             0:00:01   0.833
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from capture.console.frames import Frame
from capture.language.patterns import Match
from capture.parsing.state import Reading, Unfinished

MOST_LINES = 50
_CLOCK = re.compile(r"[\s\d:•-]*")  # what wraps in the columns to the left


@dataclass
class WrappedLine(Unfinished):
    """A line that was recognised, and goes on below as long as there is text in its last column.

    name: the value in that column
    column: where in the line the column begins, from 0
    readings: what the whole line means
    """

    match: Match
    frame: Frame
    name: str
    column: int
    readings: Callable[[Match, Frame], list[Reading] | None]
    pieces: list[str] = field(default_factory=list)

    def add(self, frame: Frame, text: str) -> bool:
        """Add a line to this one.  Returns False if it is none of its parts."""
        left, piece = text[: self.column], text[self.column :].strip()
        if not piece or len(self.pieces) >= MOST_LINES or not _CLOCK.fullmatch(left):
            return False
        self.pieces.append(piece)
        self.frame = self.frame._replace(span=frame.offset + frame.span - self.frame.offset)
        return True

    def finish(self) -> list[Reading]:
        """What the line means with all its parts."""
        values, pairs = self.match
        text = " ".join([str(values[self.name]).strip(), *self.pieces])
        return self.readings(Match({**values, self.name: text}, pairs), self.frame) or []
