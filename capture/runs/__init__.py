"""The run's folder: who a run is and what lies in it.  The standard library only.

`model` and `folder` stand here by name, since nearly everything needs them.  The others are imported from
their modules: `recording` (the console bytes), `start`, `resume` and `replay` (the ways a run begins),
`status` (which runs there are, and how they stand), `git` (the commit of a work tree).
"""

from capture.runs.folder import (
    CONSOLE_INDEX,
    CONSOLE_LOG,
    DELIVERED,
    PARSERS,
    RECORDS,
    RUN_FILE,
    STATUS,
    SUMMARY,
    SYSTEM,
    TRACKER_LOG,
    create,
    folder_of,
    is_alive,
    new_id,
    note_end,
    read,
    replace_file,
    write,
)
from capture.runs.model import ParserSource, PathLike, Result, Run

__all__ = [
    "CONSOLE_INDEX",
    "CONSOLE_LOG",
    "DELIVERED",
    "PARSERS",
    "RECORDS",
    "RUN_FILE",
    "STATUS",
    "SUMMARY",
    "SYSTEM",
    "TRACKER_LOG",
    "ParserSource",
    "PathLike",
    "Result",
    "Run",
    "create",
    "folder_of",
    "is_alive",
    "new_id",
    "note_end",
    "read",
    "replace_file",
    "write",
]
