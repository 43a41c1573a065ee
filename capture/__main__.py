"""`python -m capture` is `capture`."""

import sys

if not getattr(sys.flags, "safe_path", False):  # Python 3.11
    del sys.path[0]  # the current folder: a `json.py` there is the command's

from capture.cli import main

sys.exit(main())
