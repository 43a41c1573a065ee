"""Which of the command's streams is a terminal, and which a pipe: the same as outside, by default."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple


class StreamPlan(NamedTuple):
    """What the command gets as stdin, stdout and stderr (descriptors 0, 1 and 2).

    A descriptor that is neither in `on_terminal` nor in `pipes` is inherited.
    """

    on_terminal: tuple[int, ...]  # on the pseudo-terminal; if empty, there is none
    pipes: tuple[int, ...]  # those of 1 and 2 with a pipe of their own
    shared_pipe: bool  # 2 goes through the pipe of 1, which keeps their order
    outer: int | None  # the terminal outside whose modes and size are copied, if there is one
    keys: str | None  # where keys come from: "stdin", or "/dev/tty" where stdin is something else
    foreground: bool  # the command starts as the foreground process group of the pseudo-terminal

    @property
    def terminal_sink(self) -> int:
        """Where the output of the pseudo-terminal goes."""
        return 1 if 1 in self.on_terminal else 2


def plan_streams(
    terminals: Sequence[bool], tty: str = "auto", closed: Collection[int] = (), same_output: bool = False
) -> StreamPlan:
    """Decide which stream the command gets from whom.

    `terminals` says of each of the three outside whether it is a terminal, `closed` lists those that are
    closed, and `same_output` says that stdout and stderr are the same file outside (`2>&1`).

    With `tty` "auto" each stream is of the same kind as outside, and there is a pseudo-terminal if one of
    the two outputs is a terminal; with "always" both outputs are on a pseudo-terminal; with "never" there
    is none.
    """
    outside = tuple(fd for fd in range(3) if terminals[fd])
    if tty == "always":
        on_terminal: tuple[int, ...] = (0, 1, 2) if terminals[0] else (1, 2)
    elif tty == "auto" and (terminals[1] or terminals[2]):
        on_terminal = outside
    else:
        on_terminal = ()
    pipes = tuple(fd for fd in (1, 2) if fd not in on_terminal and fd not in closed)
    shared_pipe = same_output and pipes == (1, 2)
    if shared_pipe:
        pipes = (1,)
    if not on_terminal or not outside:
        return StreamPlan(on_terminal, pipes, shared_pipe, None, None, bool(on_terminal))
    keys = "stdin" if terminals[0] else "/dev/tty"
    # In a pipeline the keyboard may be needed by another program, as in `capture -- CMD | less`.
    foreground = terminals[0] and terminals[1]
    return StreamPlan(on_terminal, pipes, shared_pipe, outside[0], keys, foreground)
