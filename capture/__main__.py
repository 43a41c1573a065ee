"""`python -m capture` is `capture`."""

import sys

from capture_command import main

sys.exit(main())
