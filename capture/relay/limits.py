"""The limit of open files: a few more for ourselves, where that is allowed; the command keeps its own."""

from __future__ import annotations

try:
    import resource
except ImportError:  # Windows: the relay reports it
    pass

OURS = 64  # descriptors that we need at most, and some to spare

Limit = tuple[int, int]  # soft and hard


def raise_limit() -> Limit | None:
    """Allow this process some more open files.  Returns the limit as it was, None if it is as it was."""
    soft, hard = before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft == hard:
        return None
    try:
        more = soft + OURS
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (more if hard == resource.RLIM_INFINITY else min(more, hard), hard)
        )
    except (OSError, ValueError):
        return None
    return before


def restore(limit: Limit | None) -> None:
    """Set the limit as it was before `raise_limit`."""
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
