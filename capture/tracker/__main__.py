"""`python -m capture.tracker RUN_FOLDER` is the tracker."""

import sys

from capture.tracker import first_rank

if first_rank.has_it(sys.argv[1]):
    sys.exit(0)

from capture.tracker.tracker import main

sys.exit(main(sys.argv[1:]))
