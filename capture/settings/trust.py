"""Whose configuration files are obeyed: the user's own and root's, as with git's `safe.directory`.

On the way of every start: the standard library only.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

VARIABLE = "CAPTURE_TRUST"  # folders whose files are obeyed, whoever owns them; `*` for all


def distrust(path: str, environ: Mapping[str, str]) -> str | None:
    """Why a configuration file is not obeyed, in a sentence; None where it is."""
    folder = os.path.dirname(os.path.abspath(path))
    trusted = environ.get(VARIABLE, "").split(os.pathsep)
    if (
        not hasattr(os, "getuid")
        or "*" in trusted
        or any(_is_in(folder, place) for place in trusted if place)
    ):
        return None
    try:
        found = (os.stat(path), os.lstat(path))  # a link counts as much as what it leads to
    except OSError:
        return None  # it is gone, or can't be read: that is said when it is read
    for status in found:
        if status.st_uid not in _owners(environ):
            return (
                f"{path}: belongs to {_name(status.st_uid)}, not to you: not used ({VARIABLE}={folder} would)"
            )
    if found[0].st_mode & stat.S_IWOTH:
        return f"{path}: everybody may write it: not used (chmod o-w {path})"
    return None


def _owners(environ: Mapping[str, str]) -> set[int]:
    owners = {0, os.getuid()}
    if os.getuid() == 0 and environ.get("SUDO_UID", "").isdigit():
        owners.add(int(environ["SUDO_UID"]))
    return owners


def _is_in(folder: str, place: str) -> bool:
    place = os.path.abspath(os.path.expanduser(place))
    return folder == place or folder.startswith(place.rstrip(os.sep) + os.sep)


def _name(uid: int) -> str:
    import pwd  # not on Windows

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
