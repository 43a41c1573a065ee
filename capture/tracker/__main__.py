"""`python -m capture.tracker RUN_FOLDER` is the tracker."""

import sys

from capture.tracker.tracker import main

sys.exit(main(sys.argv[1:]))
