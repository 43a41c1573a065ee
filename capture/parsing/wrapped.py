"""Text that a narrow terminal has wrapped inside its column: the lines below go on where it began.

Epoch 0/2 ━━━━━━╺━━━━━ 10/20 0:00:01 • train_loss: 0.471 train_acc:
                             0:00:01   0.833
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from capture.console.frames import Frame
from capture.language.patterns import Match

MOST_LINES = 50
_CLOCK = re.compile(r"[\s\d:•-]*")  # what wraps in the columns to the left


@dataclass
class WrappedLine:
    """A line that was recognised, and goes on below as long as text stands in its last column."""

    match: Match
    frame: Frame
    name: str  # of the value in the column
    column: int
    pieces: list[str] = field(default_factory=list)

    def add(self, frame: Frame, text: str) -> bool:
        """Whether the line goes on in this one."""
        left, piece = text[: self.column], text[self.column :].strip()
        if not piece or len(self.pieces) >= MOST_LINES or not _CLOCK.fullmatch(left):
            return False
        self.pieces.append(piece)
        self.frame = self.frame._replace(span=frame.offset + frame.span - self.frame.offset)
        return True

    def whole(self) -> Match:
        """The values of the whole line."""
        text = " ".join([str(self.match.values[self.name]).strip(), *self.pieces])
        return Match({**self.match.values, self.name: text}, self.match.pairs)
