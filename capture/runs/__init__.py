"""A run's folder: who the run is, and the files in it.  The standard library only.

The names of `model`, `files`, `folder` and `lock` can be imported from here, since nearly everything needs
them: who a run is, the door through which its files are read, the folder, and who makes the run.  The other
modules: `recording` (the console's bytes), `start`, `resume` and `replay` (the ways in which a run begins),
`status` (which runs there are, and what has been delivered), `git` (the commit of a work tree).
"""

from capture.runs.files import read_object
from capture.runs.folder import (
    ALERTS,
    CONSOLE_INDEX,
    CONSOLE_LOG,
    DELIVERED,
    INTERRUPTED,
    PARSERS,
    PROVENANCE,
    RECORDS,
    RUN_FILE,
    STATUS,
    SUMMARY,
    SYSTEM,
    TRACKER_LOG,
    at_home,
    create,
    duration,
    folder_of,
    make,
    new_id,
    note_crash,
    note_end,
    note_name,
    outcome,
    read,
    replace_file,
    write,
)
from capture.runs.lock import is_alive
from capture.runs.model import ParserSource, PathLike, Result, Run

__all__ = [
    "ALERTS",
    "CONSOLE_INDEX",
    "CONSOLE_LOG",
    "DELIVERED",
    "INTERRUPTED",
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
    "at_home",
    "create",
    "duration",
    "folder_of",
    "is_alive",
    "make",
    "new_id",
    "note_crash",
    "note_end",
    "note_name",
    "outcome",
    "read",
    "read_object",
    "replace_file",
    "write",
]
