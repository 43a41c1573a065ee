"""`python -m capture` is `capture`."""

import sys

from capture.cli import main

sys.exit(main())
