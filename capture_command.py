"""The command `capture`, started so that nothing of the user's gets in its way.

The module's name is one that no other program has.  With `capture.cli` as the entry point, a `capture.py` or
`json.py` on PYTHONPATH, which is meant for the command, would be imported in place of ours.  Nothing but `os`
and `sys`, which Python has loaded already, is imported before the paths are in order.
"""

import os
import sys


def isolate() -> None:
    """Take out of the import path what belongs to the user: the current folder, the script's, and PYTHONPATH.

    An entry that holds this module stays, as the last one: capture may have been installed there.
    """
    own = os.path.dirname(os.path.realpath(__file__))
    foreign = [] if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if not getattr(sys.flags, "safe_path", False):  # Python 3.11
        foreign.append(sys.path[0] if sys.path else "")
    foreign = [_real(path) for path in foreign]
    library = os.path.dirname(os.path.realpath(os.__file__))
    kept, last = [], []
    for path in sys.path:
        place = _real(path)
        if place not in foreign or (place + os.sep).startswith(library + os.sep):
            kept.append(path)
        elif place == own:
            last.append(path)
    sys.path[:] = kept + last


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except OSError:  # the current folder has been removed
        return path


def main() -> int:
    """The entry point of `capture`.  Returns the exit status."""
    isolate()
    if sys.warnoptions or sys.flags.dev_mode:  # PYTHONWARNINGS, PYTHONDEVMODE: meant for the command
        import warnings

        warnings.simplefilter("ignore")
    from capture.cli import main as run

    if not sys.flags.inspect:
        return run()
    # With PYTHONINSPECT Python would wait for more to be typed, and forget the exit status.
    try:
        status: object = run()
    except SystemExit as end:
        status = end.code
    import atexit

    atexit._run_exitfuncs()
    for file in (sys.stdout, sys.stderr):
        try:
            file.flush()
        except (OSError, ValueError):
            pass
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    sys.exit(main())
