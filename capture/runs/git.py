"""The commit and branch of a work tree, read from git's own files."""

from __future__ import annotations

import os

from capture.runs.model import PathLike


def git_state(folder: PathLike) -> dict[str, str]:
    """Return the `commit` and `branch` of the work tree that holds `folder`, each if there is one.

    Empty outside of a work tree.  No process is started, since the command is waiting for this.
    """
    place = os.path.abspath(folder)
    while not os.path.exists(os.path.join(place, ".git")):
        if place == (place := os.path.dirname(place)):
            return {}
    git = os.path.join(place, ".git")
    if os.path.isfile(git):  # a linked work tree or a submodule: the file names the real folder
        git = os.path.join(place, _text(git).removeprefix("gitdir:").strip())
    head = _text(os.path.join(git, "HEAD"))
    if not head.startswith("ref:"):
        return {"commit": head} if head else {}
    ref = head.removeprefix("ref:").strip()
    common = os.path.join(git, _text(os.path.join(git, "commondir")))
    commit = _text(os.path.join(git, ref)) or _text(os.path.join(common, ref))
    for line in [] if commit else _text(os.path.join(common, "packed-refs")).splitlines():
        if line.endswith(" " + ref):
            commit = line.split(" ", 1)[0]
    return {"branch": ref.removeprefix("refs/heads/")} | ({"commit": commit} if commit else {})


def _text(path: str) -> str:
    """Return the text of a small file, without space around it; "" if it can't be read."""
    try:
        if not os.path.isfile(path):  # a FIFO of that name would be waited for
            return ""
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""
