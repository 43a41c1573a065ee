"""A run's folder: who the run is, and the files in it.  The standard library only.

The names of `model` and `folder` can be imported from here, since nearly everything needs them.  The other
modules: `recording` (the console's bytes), `start`, `resume` and `replay` (the ways in which a run begins),
`status` (which runs there are, and what has been delivered), `git` (the commit of a work tree).
"""

from capture.runs.folder import (
    CONSOLE_INDEX,
    CONSOLE_LOG,
    DELIVERED,
    PARSERS,
    PROVENANCE,
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
    note_name,
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
    "PROVENANCE",
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
    "note_name",
    "read",
    "replace_file",
    "write",
]
